"""What a graph store came to believe, and ceased to, in a window of time."""

from graph.rows import FactVersion
from graph.stores.port import GraphView
from tests.support.graph_rows import Filled, fact


def seen(changes: list[tuple[int, FactVersion]]) -> list[tuple[int, str, int]]:
    return [(moment, version.id, version.created_at) for moment, version in changes]


def pages(view: GraphView, since: int, until: int, size: int) -> list[tuple[int, str, int]]:
    found: list[tuple[int, str, int]] = []
    after = None
    while page := view.changes(since, until, after, size):
        found += seen(page)
        after = (page[-1][0], page[-1][1].id)
    return found


def test_a_window_holds_its_beginning_and_not_its_end(filled: Filled) -> None:
    view = filled(facts=[fact("f", created_at=100, expired_at=200)])
    assert seen(view.changes(100, 200, None, 10)) == [(100, "f", 100)]
    assert seen(view.changes(101, 201, None, 10)) == [(200, "f", 100)]
    assert view.changes(101, 200, None, 10) == []
    assert view.changes(100, 100, None, 10) == []


def test_a_version_that_began_and_ended_in_the_window_comes_twice_and_whole(filled: Filled) -> None:
    version = fact("f", created_at=100, expired_at=200, object=None, literal="x", valid_at=3)
    view = filled(facts=[version])
    assert view.changes(0, 1_000, None, 10) == [(100, version), (200, version)]


def test_changes_come_by_moment_then_id(filled: Filled) -> None:
    view = filled(
        facts=[
            fact("b", created_at=100, expired_at=300), fact("a", created_at=100), fact("B", created_at=100),
            fact("c", created_at=50, expired_at=100), fact("d", created_at=300),
        ]
    )  # fmt: skip
    assert seen(view.changes(60, 1_000, None, 10)) == [
        (100, "B", 100), (100, "a", 100), (100, "b", 100), (100, "c", 50), (300, "b", 100), (300, "d", 300),
    ]  # fmt: skip


def test_pages_lose_nothing_even_where_one_version_follows_another_at_a_moment(filled: Filled) -> None:
    # A fact is closed: one version ends and the next begins, at one (moment, id).
    versions = [fact(id_, created_at=at, expired_at=at + 10) for id_ in ("a", "b") for at in (100, 110, 120)]
    view = filled(facts=versions)
    whole = seen(view.changes(0, 1_000, None, 100))
    assert len(whole) == 12
    for size in (1, 2, 3, 5):
        assert pages(view, 0, 1_000, size) == whole


def test_nothing_that_still_stands_has_ended(filled: Filled) -> None:
    view = filled(facts=[fact("f", created_at=100)])
    assert seen(view.changes(-(2**62), 2**62, None, 10)) == [(100, "f", 100)]
    assert seen(view.changes(-(2**62), 2**63 - 1, None, 10)) == [(100, "f", 100)]
