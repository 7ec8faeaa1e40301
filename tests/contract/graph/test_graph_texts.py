"""Whatever people write comes back as they wrote it, and is found by it."""

import pytest

from graph.stores.port import EntityFilter, FactFilter, GraphStore, Moment
from tests.support.graph_rows import Filled, entity, fact

TEXTS = {
    "cypher": "x'}) DETACH DELETE n //",
    "cypher-2": 'a"}]->(b) MATCH (n) SET n.ns = "other" RETURN `n` $ns {id: 1}',
    "sql": "Robert'); DROP TABLE graph_facts;--",
    "sql-2": "a:b %s %(x)s ? $1 :id",
    "escapes": "back\\slash \\u0041 \\n \\' \\\"",
    "lines": "one\ntwo\r\nthree\tfour",
    "rtl": "\u200fמרים אל־חסן\u200e عبد الله",
    "combining": "e\u0301 n\u0303 Z\u0351\u036b\u0343a\u0300\u0301",
    "emoji": "👩🏽\u200d🚀 🇵🇹 ❤\ufe0f",
    "cjk": "東京都の山田さん",
    "beyond-bmp": "𝔄𝔫𝔞 𒀀 𐐷",
    "dotted": "İstanbul ISPARTA ı",
    "final-sigma": "ΟΔΥΣΣΕΥΣ",
    "spaces": "  two  spaces\u00a0and\u2003wide  ",
    "json": '{"a": [1, null, true]}',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_comes_back_as_it_was_written_and_is_found_by_itself(filled: Filled, text: str) -> None:
    version = entity("e", name=text, name_keys=(text,), type=text, attributes=((text, text),))
    written = fact(
        "f", "e", None, literal=text, predicate=text, text=text, sentence=text, subject_name=text, rule=text,
        qualifiers=((text, text),), closed_by=text,
    )  # fmt: skip
    view = filled(entities=[version, entity("other")], facts=[written, fact("other")])
    by_name = EntityFilter(type=text, name_keys=[text], text=text, attributes={text: text})
    assert view.entities(by_name, None, "", 10) == [version]
    assert view.entities(EntityFilter(text=text.casefold()), None, "", 10) == [version]
    by_text = FactFilter(text=text, predicates=[text], qualifiers={text: text})
    assert view.facts(by_text, Moment(), None, 10) == [written]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_namespace_and_ids_may_be_any_text(store: GraphStore, namespace: str, text: str) -> None:
    from graph.rows import Changes

    own = f"{namespace}{text}"
    store.apply(own, Changes(entities=[entity(text[:30])], facts=[fact(text[:30], text[:30], text[:29])]), 1)
    view = store.view(own)
    assert [version.id for version in view.edges([text[:29]], Moment(), 10, None)] == [text[:30]]
    assert list(view.entities_by_id([text[:30]], None)) == [text[:30]]
    store.drop(own)
    assert store.position(own) == 0


def test_composed_and_combining_spellings_are_kept_apart(filled: Filled) -> None:
    composed, combining = "Jos\u00e9", "Jose\u0301"
    view = filled(entities=[entity("a", name=composed), entity("b", name=combining)])
    assert [v.id for v in view.entities(EntityFilter(text=composed), None, "", 10)] == ["a"]
    assert [v.id for v in view.entities(EntityFilter(name_keys=[combining.casefold()]), None, "", 10)] == ["b"]


def test_an_entity_may_have_10000_spellings(store: GraphStore, namespace: str, filled: Filled) -> None:
    aliases = [f"Spelling number {n} of a rather long name" for n in range(10_000)]
    version = entity("e", name="Spelling", aliases=aliases)
    view = filled(entities=[version, entity("other")])
    assert view.entities_by_id(["e"], None) == {"e": version}
    wanted = EntityFilter(name_keys=["spelling number 9999 of a rather long name"])
    assert view.entities(wanted, None, "", 10) == [version]
    assert view.entities(EntityFilter(text="NUMBER 4711 OF"), None, "", 10) == [version]
    many = EntityFilter(name_keys=[f"spelling number {n} of a rather long name" for n in range(2_000)])
    assert view.entities(many, None, "", 10) == [version]


def test_a_literal_may_be_long(filled: Filled) -> None:
    text = "лиса 🦊 " * 5_000
    written = fact("f", "e", None, literal=text)
    view = filled(facts=[written])
    assert view.fact_history("f") == [written]


def test_many_ids_may_be_asked_for_at_once(filled: Filled) -> None:
    view = filled(entities=[entity("e1")], facts=[fact("f1", "e1", "e2")])
    many = [f"e{n}" for n in range(20_000)]
    assert list(view.entities_by_id(many, None)) == ["e1"]
    assert [v.id for v in view.facts(FactFilter(ids=[f"f{n}" for n in range(20_000)]), Moment(), None, 10)] == ["f1"]
    assert [v.id for v in view.edges(many[:2_000], Moment(), 10, None)] == ["f1"]
    assert len(view.sources(many, None)) == 20_000
