"""From nodes to links: every pair of names that share a blocking key and that a rule links.

A store that holds an index of blocking keys calls `pair` on what it looks up; `link_all` does the same in memory.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from graph.limits import MAX_CANDIDATES
from graph.resolution.candidates import blocking_keys, rank
from graph.resolution.clusters import PairLink
from graph.resolution.rules import NameForm, compare


def pair(id_a: str, a: NameForm, id_b: str, b: NameForm) -> PairLink | None:
    """The link between two nodes, or None. Two nodes of one key were told apart by evidence, and are not linked again."""
    link = None if a.key == b.key else compare(a, b)
    if link is None:
        return None
    partial = None if link.partial is None else (id_a if link.partial == a.key else id_b)
    return PairLink(id_a, id_b, link.rule, link.score, partial)


def link_all(nodes: Sequence[tuple[str, NameForm]], limit: int = MAX_CANDIDATES) -> list[PairLink]:
    """All links among nodes, each compared with at most `limit` other keys. Independent of the order of `nodes`."""
    by_key: dict[str, list[tuple[str, NameForm]]] = {}
    for id, form in sorted(nodes, key=lambda node: node[0]):
        by_key.setdefault(form.key, []).append((id, form))
    keys = {key: blocking_keys(key) for key in sorted(by_key)}
    index: dict[str, list[str]] = {}
    for key, blocks in keys.items():
        for block in blocks:
            index.setdefault(block, []).append(key)
    pairs = {
        (min(key, other), max(key, other))
        for key, blocks in keys.items()
        for other in rank(key, chain.from_iterable(index[block] for block in blocks), limit)
    }
    return list(_linked((by_key[one], by_key[other]) for one, other in sorted(pairs)))


def _linked(pairs: Iterable[tuple[list[tuple[str, NameForm]], list[tuple[str, NameForm]]]]) -> Iterable[PairLink]:
    for ours, theirs in pairs:
        for id_a, a in ours:
            for id_b, b in theirs:
                if (link := pair(id_a, a, id_b, b)) is not None:
                    yield link
