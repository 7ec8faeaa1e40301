"""Records become entities and facts by a declared mapping."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from graph import limits
from graph.errors import InvalidMapping
from graph.extraction.records import RecordExtractor, load_mapping
from graph.model import Extraction, Mention, Source
from graph.planner.arrive import check
from tests.support.graph_reading import micros, source

MAPPING: dict[str, Any] = {
    "tables": [
        {
            "match": {"table": "customers"},
            "entity": {"type": "Person", "key": "id", "key_type": "customer", "name": "name", "attributes": ["tier"]},
            "facts": [
                {"predicate": "email", "field": "contact.email"},
                {
                    "predicate": "works_at",
                    "reference": {
                        "field": "company_id",
                        "type": "Organization",
                        "key_type": "company",
                        "name": "company",
                    },
                    "qualifiers": {"role": "title"},
                    "valid_at": "hired_at",
                    "invalid_at": "left_at",
                },
            ],
        },
        {
            "match": {"table": "orders", "state": "paid"},
            "entity": {"type": "Order", "key": "id", "name": "Order {id}"},
            "facts": [
                {
                    "predicate": "ordered_by",
                    "reference": {"field": "customer_id", "type": "Person", "key_type": "customer"},
                    "valid_at": "at",
                }
            ],
            "children": [
                {
                    "list": "lines",
                    "facts": [
                        {
                            "predicate": "contains",
                            "reference": {"field": "sku", "type": "Product", "key_type": "product", "name": "title"},
                            "qualifiers": {"count": "count", "currency": "currency"},
                        }
                    ],
                }
            ],
        },
    ]
}
CUSTOMER = {
    "id": 42,
    "name": "Ana Silva",
    "tier": "gold",
    "contact": {"email": "ana@example.org"},
    "company_id": 7,
    "company": "Siemens",
    "title": "welder",
    "hired_at": "2020-05-01T00:00:00+02:00",
}
ORDER = {
    "id": 17,
    "state": "paid",
    "customer_id": 42,
    "at": "2024-03-15",
    "currency": "EUR",
    "lines": [{"sku": "a1", "title": "Lamp", "count": 2}, {"sku": "b2", "title": "Chair", "count": 1}],
}


def extract(record: dict[str, Any], table: str) -> Extraction:
    found = RecordExtractor(load_mapping(json.dumps(MAPPING))).extract(a_source(), record, {"table": table})
    check(found)
    return found


def a_source() -> Source:
    return source("{}")


def test_a_customer():
    found = extract(CUSTOMER, "customers")
    assert found.mentions == (
        Mention("Ana Silva", "Person", key="customer:42", attributes={"tier": "gold"}),
        Mention("Siemens", "Organization", key="company:7"),
    )
    email, works_at = found.claims
    assert (email.subject, email.predicate, email.object, email.basis) == (0, "email", "ana@example.org", "observed")
    assert (works_at.subject, works_at.predicate, works_at.object, works_at.basis) == (0, "works_at", 1, "stated")
    assert works_at.valid_at == micros(datetime(2020, 4, 30, 22, tzinfo=UTC))
    assert works_at.qualifiers == {"role": "welder"}


def test_an_order_with_its_lines():
    found = extract(ORDER, "orders")
    assert [(each.name, each.key) for each in found.mentions] == [
        ("Order 17", "order:17"),
        ("customer:42", "customer:42"),
        ("Lamp", "product:a1"),
        ("Chair", "product:b2"),
    ]
    assert [(each.predicate, each.object, dict(each.qualifiers)) for each in found.claims] == [
        ("ordered_by", 1, {}),
        ("contains", 2, {"count": 2, "currency": "EUR"}),
        ("contains", 3, {"count": 1, "currency": "EUR"}),
    ]
    assert found.claims[0].precision == "day"


def test_records_of_one_customer_share_a_key():
    customer, order = extract(CUSTOMER, "customers"), extract(ORDER, "orders")
    assert {each.key for each in customer.mentions} & {each.key for each in order.mentions} == {"customer:42"}


@pytest.mark.parametrize("record", [{}, {"id": 1}, ORDER | {"state": "open"}])
def test_a_record_of_no_table_says_nothing(record: dict[str, Any]):
    assert extract(record, "orders") == Extraction((), ())


def test_missing_fields_make_no_facts():
    found = extract({"id": 42, "name": "Ana Silva", "contact": None, "company_id": None}, "customers")
    assert (len(found.mentions), found.claims) == (1, ())


def test_an_end_without_a_start():
    record = {key: value for key, value in CUSTOMER.items() if key != "hired_at"} | {"left_at": "2022-01-01T00:00:00Z"}
    claim = extract(record, "customers").claims[1]
    assert (claim.valid_at, claim.invalid_at, claim.basis) == (
        None,
        micros(datetime(2022, 1, 1, tzinfo=UTC)),
        "unbounded",
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"hired_at": "2020-05-01T00:00:00"}, "hired_at: .* has no offset"),
        ({"hired_at": "last May"}, "hired_at: 'last May' is no ISO 8601 time"),
        ({"hired_at": 1588284000}, "hired_at: 1588284000 is no ISO 8601 time"),
        ({"left_at": "2019-01-01T00:00:00Z"}, "left_at is before hired_at"),
        ({"id": None}, "id: the record has no key"),
        ({"name": ["Ana"]}, "name: text, a number or true or false is needed, not list"),
        ({"name": "x" * 300}, "name: a name may have at most 256 characters"),
        ({"contact": {"email": "x" * 2_000}}, "contact.email: a value may have at most 1024 characters"),
    ],
)
def test_a_record_that_does_not_fit_is_told_where(changed: dict[str, Any], message: str):
    with pytest.raises(InvalidMapping, match=message):
        extract(CUSTOMER | changed, "customers")


@pytest.mark.parametrize("lines", ["a lamp", [1, 2], {"sku": "a1"}])
def test_children_are_a_list_of_objects(lines: object):
    with pytest.raises(InvalidMapping, match="lines: a list of objects is needed"):
        extract(ORDER | {"lines": lines}, "orders")


def test_a_record_with_too_many_children_is_refused():
    lines = [{"sku": str(n), "title": str(n), "count": 1} for n in range(limits.MAX_MENTIONS_PER_EPISODE)]
    with pytest.raises(InvalidMapping, match="at most 64 entities"):
        extract(ORDER | {"lines": lines}, "orders")


TABLE: dict[str, Any] = {"match": {"table": "a"}, "entity": {"type": "Thing", "key": "id", "name": "name"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "No JSON at line 1, column 2"),
        ("[]", "the mapping: "),
        ('{"tables": []}', "tables: "),
        (json.dumps({"tables": [TABLE | {"match": {}}]}), "tables.0.match: "),
        (json.dumps({"tables": [TABLE | {"other": 1}]}), "tables.0.other: "),
        (json.dumps({"tables": [TABLE | {"facts": [{"predicate": "p"}]}]}), "tables.0.facts.0: .*one of field and reference"),
        (json.dumps({"tables": [TABLE | {"facts": [{"predicate": "a b", "field": "f"}]}]}), "tables.0.facts.0.predicate: "),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_read_is_told_where(text: str, message: str):
    with pytest.raises(InvalidMapping, match=message):
        load_mapping(text)
