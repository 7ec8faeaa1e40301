"""Small graphs in a real SQL store, each in a namespace of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graph.rows import Changes, EntityVersion, FactVersion, SourceVersion
from graph.stores.port import GraphView, Moment
from graph.stores.sql import SqlGraphStore
from tests.support.graph_rows import entity, fact

Pair = tuple[str, str]


class Graphs:
    """Makes graphs in one SQLite file."""

    def __init__(self, folder: Path) -> None:
        self.store = SqlGraphStore(f"sqlite:///{folder / 'graph.db'}")
        self.store.migrate()
        self._made = 0

    def of(
        self,
        *facts: FactVersion,
        entities: Sequence[EntityVersion] | None = None,
        sources: Sequence[SourceVersion] = (),
    ) -> GraphView:
        """The view of a graph of these rows. Entities that are not given are made from the facts' ends."""
        self._made += 1
        ends = {end for each in facts for end in (each.subject_id, each.object_id) if end is not None}
        known = {version.id for version in entities or ()}
        rows = [*(entities or ()), *(entity(end) for end in sorted(ends - known))]
        self.store.apply(f"ns-{self._made}", Changes(rows, list(facts), list(sources)), 1)
        return self.store.view(f"ns-{self._made}")

    def change(self, **rows: Any) -> GraphView:
        """Writes more rows into the graph that was made last."""
        self.store.apply(f"ns-{self._made}", Changes(**rows), 2)
        return self.store.view(f"ns-{self._made}")


def between(*pairs: Pair) -> list[FactVersion]:
    """A fact for each pair: "f000" is the first."""
    return [fact(f"f{place:03}", one, other) for place, (one, other) in enumerate(pairs)]


class Counted:
    """A view that counts what it reads, and whose entities `gone` have been merged into others meanwhile."""

    def __init__(self, view: GraphView, gone: Sequence[str] = ()) -> None:
        self._view = view
        self._gone = gone
        self.read = 0
        self.asked: list[list[str]] = []

    def edges(
        self, entity_ids: Sequence[str], at: Moment, per_entity: int, predicates: Sequence[str] | None
    ) -> list[FactVersion]:
        found = self._view.edges(entity_ids, at, per_entity, predicates)
        self.asked.append(list(entity_ids))
        self.read += len(found)
        return found

    def entities_by_id(self, ids: Sequence[str], known_at: int | None) -> dict[str, EntityVersion]:
        found = self._view.entities_by_id(ids, known_at)
        return {id: version for id, version in found.items() if id not in self._gone}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)
