"""Writing to a graph store until its server is killed, and what must then stand in it."""

from graph.digest import digest
from graph.errors import StoreUnavailable
from graph.rows import Changes
from graph.stores.port import GraphStore
from tests.support.graph_rows import entity, fact, source


def big_change(step: int) -> Changes:
    """Rewrites all rows of the steps before it, and adds some: half of it would show."""
    return Changes(
        entities=[entity(f"e{n}", name=f"step {step}") for n in range(100)],
        facts=[fact(f"f{n}", f"e{n}", "hub", sentence=f"step {step}") for n in range(300 + 10 * step)],
        sources=[source(f"f{n}", f"ep{step}", assertion_id="a") for n in range(100)],
    )


def held_after(step: int) -> str:
    """The digest of what a namespace then holds."""
    changes = big_change(step) if step else Changes()
    return digest([*changes.entities, *changes.facts, *changes.sources])


def write_until_it_fails(store: GraphStore, namespace: str) -> int:
    """The step that failed."""
    step = store.position(namespace)
    while True:
        step += 1
        try:
            store.apply(namespace, big_change(step), step)
        except StoreUnavailable:
            return step
