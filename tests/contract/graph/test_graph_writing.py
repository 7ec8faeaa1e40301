"""Applying changes to a graph store, and letting go of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from graph.digest import digest
from graph.rows import Changes
from graph.stores.port import EntityFilter, FactFilter, GraphStore, Moment
from tests.support.graph_rows import Filled, attributes, entity, fact, source

NOW = Moment()
ALL = FactFilter()


def rows() -> Changes:
    return Changes(
        entities=[entity("ana", attributes=attributes(age=1)), entity("lisbon", 100, 200)],
        facts=[fact("f", "ana", "lisbon"), fact("g", "ana", None, literal="blue"), fact("h", "ana", "ana")],
        sources=[source("f", "ep-1"), source("g", "ep-1"), source("h", "ep-2", 100, 150)],
    )


def whole(changes: Changes) -> str:
    return digest([*changes.entities, *changes.facts, *changes.sources])


# --- apply ------------------------------------------------------------------------------------------------------------


def test_a_new_namespace_stands_at_0_and_holds_nothing(store: GraphStore, namespace: str) -> None:
    assert store.position(namespace) == 0
    assert store.digest(namespace) == digest([])


def test_rows_and_position_are_written_together(store: GraphStore, namespace: str) -> None:
    store.apply(namespace, rows(), 2**40)
    assert store.position(namespace) == 2**40
    assert store.digest(namespace) == whole(rows())


def test_a_position_may_move_without_rows(store: GraphStore, namespace: str) -> None:
    store.apply(namespace, Changes(), 5)
    store.apply(namespace, Changes(), 6)
    assert store.position(namespace) == 6
    assert store.digest(namespace) == digest([])


def test_applying_twice_is_applying_once(store: GraphStore, namespace: str) -> None:
    deleting = Changes(gone_facts=[("f", 100)], gone_entities=[("lisbon", 100)], gone_sources=[("f", "a-ep-1", 100)])
    for changes in (rows(), rows(), deleting, deleting):
        store.apply(namespace, changes, 1)
    kept = Changes(entities=rows().entities[:1], facts=rows().facts[1:], sources=rows().sources[1:])
    assert store.digest(namespace) == whole(kept)


def test_a_row_of_the_same_key_replaces_the_one_there(store: GraphStore, namespace: str, filled: Filled) -> None:
    filled(entities=[entity("e")], facts=[fact("f")], sources=[source("f", "ep")])
    changed = Changes(
        entities=[entity("e", 100, 200, name="other", type="Person", attributes=attributes(x=1))],
        facts=[fact("f", expired_at=200, sentence="changed", qualifiers=attributes(x=1))],
        sources=[source("f", "ep", 100, 200)],
    )
    store.apply(namespace, changed, 2)
    assert store.digest(namespace) == whole(changed)
    view = store.view(namespace)
    assert view.entities_by_id(["e"], None) == {}
    assert view.facts(ALL, NOW, None, 10) == []
    assert view.facts(FactFilter(text="changed", qualifiers={"x": 1}), Moment(known_at=150), None, 10) == changed.facts
    assert view.sources(["f"], None) == {"f": []}


def test_what_a_row_no_longer_has_is_gone(store: GraphStore, namespace: str, filled: Filled) -> None:
    view = filled(
        entities=[entity("e", name="Ana", aliases=["Anita"], attributes=attributes(x=1))],
        facts=[
            fact("f", "a", "b", qualifiers=attributes(x=1), valid_at=1, invalid_at=2, closed_by="e", close_rule="r")
        ],
    )
    plain = Changes(entities=[entity("e", name="Ana")], facts=[fact("f", "a", None, literal="b")])
    store.apply(namespace, plain, 2)
    assert store.digest(namespace) == whole(plain)
    assert view.entities(EntityFilter(name_keys=["anita"]), None, "", 10) == []
    assert view.entities(EntityFilter(text="anita"), None, "", 10) == []
    assert view.entities(EntityFilter(attributes={"x": 1}), None, "", 10) == []
    assert view.facts(FactFilter(object="b"), NOW, None, 10) == []
    assert view.edges(["a", "b"], NOW, 10, None) == []


def test_a_version_may_come_to_other_ends(store: GraphStore, namespace: str, filled: Filled) -> None:
    view = filled(facts=[fact("f", "a", "b"), fact("g", "a", "b")])
    moved = fact("f", "c", "d")
    store.apply(namespace, Changes(facts=[moved]), 2)
    assert view.edges(["c"], NOW, 10, None) == view.edges(["d"], NOW, 10, None) == [moved]
    assert [version.id for version in view.edges(["a"], NOW, 10, None)] == ["g"]
    assert view.all_edges(NOW, 10) == [("f", "c", "d"), ("g", "a", "b")]


def test_a_key_deletes_its_version_alone(store: GraphStore, namespace: str, filled: Filled) -> None:
    filled(
        entities=[entity("e", 100, 200), entity("e", 200)],
        facts=[fact("f", created_at=100, expired_at=200), fact("f", created_at=200)],
        sources=[source("f", "ep", 100, 200), source("f", "ep", 200), source("f", "ep2", 200)],
    )
    gone = Changes(
        gone_entities=[("e", 100), ("x", 1)],
        gone_facts=[("f", 200), ("f", 300)],
        gone_sources=[("f", "a-ep", 100), ("f", "a-ep2", 100)],
    )
    store.apply(namespace, gone, 2)
    expected = Changes(
        entities=[entity("e", 200)],
        facts=[fact("f", created_at=100, expired_at=200)],
        sources=[source("f", "ep", 200), source("f", "ep2", 200)],
    )
    assert store.digest(namespace) == whole(expected)


def test_a_row_that_is_deleted_and_given_in_one_go_stands(store: GraphStore, namespace: str, filled: Filled) -> None:
    filled(entities=[entity("e")], facts=[fact("f")], sources=[source("f", "ep")])
    changes = Changes(
        entities=[entity("e", name="new")], facts=[fact("f", sentence="new")], sources=[source("f", "ep")],
        gone_entities=[("e", 100)], gone_facts=[("f", 100)], gone_sources=[("f", "a-ep", 100)],
    )  # fmt: skip
    store.apply(namespace, changes, 2)
    assert store.digest(namespace) == whole(changes)


def test_a_fact_may_name_entities_that_have_no_version(filled: Filled) -> None:
    view = filled(facts=[fact("f", "ghost", "phantom")])
    assert [version.id for version in view.edges(["phantom"], NOW, 10, None)] == ["f"]
    assert view.entities(EntityFilter(), None, "", 10) == []
    assert view.entities_by_id(["ghost"], None) == {}


def test_deleting_a_fact_leaves_the_entities(store: GraphStore, namespace: str, filled: Filled) -> None:
    view = filled(entities=[entity("ana")], facts=[fact("f", "ana", "lisbon"), fact("g", "lisbon", "ana")])
    store.apply(namespace, Changes(gone_facts=[("f", 100), ("g", 100)]), 2)
    assert view.entities_by_id(["ana"], None) == {"ana": entity("ana")}
    store.apply(namespace, Changes(facts=[fact("h", "ana", "lisbon")]), 3)
    assert [version.id for version in view.edges(["lisbon"], NOW, 10, None)] == ["h"]


def test_more_rows_than_a_batch_holds_are_all_written(store: GraphStore, namespace: str) -> None:
    many = Changes(
        entities=[entity(f"e{n}") for n in range(1_500)],
        facts=[fact(f"f{n}", f"e{n}", f"e{n // 2}", sentence=str(n)) for n in range(1_500)],
        sources=[source(f"f{n}", f"ep{n}") for n in range(1_500)],
    )
    store.apply(namespace, many, 1)
    store.apply(namespace, many, 1)
    assert store.digest(namespace) == whole(many)


# --- namespaces -------------------------------------------------------------------------------------------------------


def test_a_namespace_sees_and_changes_only_its_own(store: GraphStore, namespace: str) -> None:
    other = f"{namespace}-other"
    store.apply(namespace, rows(), 1)
    theirs = replace(rows(), facts=[fact("f", "ana", "porto"), fact("z", "lisbon", "ana")])
    store.apply(other, theirs, 9)
    view = store.view(namespace)
    assert [version.id for version in view.facts(ALL, NOW, None, 10)] == ["f", "g", "h"]
    assert [version.object_id for version in view.fact_history("f")] == ["lisbon"]
    assert view.fact_history("z") == []
    assert [version.id for version in view.edges(["ana", "lisbon"], NOW, 10, None)] == ["f", "h"]
    assert [edge[0] for edge in view.all_edges(NOW, 10)] == ["f", "h"]
    assert len(view.changes(0, 1_000, None, 10)) == 3
    store.apply(namespace, Changes(gone_facts=[("z", 100), ("f", 100)], gone_entities=[("ana", 100)]), 2)
    assert store.digest(other) == whole(theirs)
    assert store.position(other) == 9


def test_dropping_a_namespace_leaves_nothing_of_it_and_all_of_the_others(store: GraphStore, namespace: str) -> None:
    other = f"{namespace}-other"
    store.apply(namespace, rows(), 1)
    store.apply(other, rows(), 1)
    store.drop(namespace)
    store.drop(namespace)
    assert store.digest(namespace) == digest([])
    assert store.position(namespace) == 0
    view = store.view(namespace)
    assert view.entities(EntityFilter(name_keys=["ana"]), None, "", 10) == []
    assert view.facts(ALL, NOW, None, 10) == view.edges(["ana"], NOW, 10, None) == []
    assert store.digest(other) == whole(rows())
    store.apply(namespace, rows(), 3)
    assert store.digest(namespace) == whole(rows())


def test_threads_write_to_namespaces_of_their_own_at_once(store: GraphStore, namespace: str) -> None:
    names = [f"{namespace}-{n}" for n in range(4)]

    def fill(name: str) -> None:
        for step in range(10):
            facts = [fact(f"f{step}-{n}", "hub", f"e{n}", sentence=name) for n in range(20)]
            store.apply(name, Changes(entities=[entity("hub", step)], facts=facts), step + 1)

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(fill, names))
    assert [store.position(name) for name in names] == [10] * 4
    for name in names:
        assert len(store.view(name).facts(FactFilter(text=name), NOW, None, 500)) == 200


def test_threads_write_to_one_namespace_at_once_and_nothing_is_lost(store: GraphStore, namespace: str) -> None:
    def put(n: int) -> None:
        store.apply(namespace, Changes(entities=[entity("hub", n)], facts=[fact(f"f{n}", "hub", "e")]), 7)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(24)))
    assert len(store.view(namespace).edges(["hub"], NOW, 100, None)) == 24


def test_who_reads_while_others_write_misses_nothing(store: GraphStore, namespace: str) -> None:
    """Not every database shows a reader a whole transaction at once, but none hides a row that is only rewritten."""

    def write(n: int) -> None:
        store.apply(namespace, Changes(facts=[fact(id_, "a", "b", sentence=f"n{n}") for id_ in "fg"]), n)

    def read(_: int) -> int:
        return len(store.view(namespace).facts(ALL, NOW, None, 10))

    write(0)
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, n) for n in range(10)]
        seen = list(pool.map(read, range(40)))
        for future in writing:
            future.result()
    assert set(seen) == {2}


def test_migrating_again_changes_nothing(store: GraphStore, namespace: str) -> None:
    store.apply(namespace, rows(), 1)
    store.migrate()
    assert store.digest(namespace) == whole(rows())


def test_a_store_says_what_it_is(store: GraphStore) -> None:
    assert store.name
    assert "127.0.0.1" not in store.name
