"""Earlier documents related to one: near to it by vector, or sharing a name. Looks only back, so the answer never changes."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from retrieval.index import MemoryIndex

WINDOW: Final = 10_000
"""How many of the documents just before are looked at: the cost of a link does not grow with the namespace."""


def find(index: MemoryIndex, seq: int, name_terms: Sequence[str], limit: int) -> list[tuple[int, float | None]]:
    """(seq, cosine) of the nearest earlier documents, then (seq, None) of the latest ones that share a name."""
    doc = index.doc_of(seq)
    if doc is None:
        return []
    seqs = index.column("seq")
    near = _nearest(index, doc, limit)
    found: dict[int, float | None] = {int(seqs[d]): cosine for d, cosine in near}
    for other in _sharing(index, doc, name_terms, limit):
        found.setdefault(int(seqs[other]), None)
    return list(found.items())


def _nearest(index: MemoryIndex, doc: int, limit: int) -> list[tuple[int, float]]:
    """By the best pair of passages' first vectors; a document's first passage stands for it."""
    if not index.column("row_count")[doc]:
        return []
    own = index.vectors.rows(index.column("first_row")[doc : doc + 1].astype(np.int64))[0]
    docs = index.vectors.docs
    allowed = (docs < doc) & (docs >= _window_start(index, doc))
    if not allowed.any():
        return []
    rows, scores = index.vectors.nearest(own, limit * 2, allowed)
    best: dict[int, float] = {}
    for other, score in zip(docs[rows].tolist(), scores.tolist(), strict=True):
        best.setdefault(other, score)
    return sorted(best.items(), key=lambda item: (-item[1], item[0]))[:limit]


def _window_start(index: MemoryIndex, doc: int) -> int:
    """The document WINDOW living ones back: what was erased leaves no gap, as if it had never come."""
    if index.dead == 0:
        return max(0, doc - WINDOW)
    living = np.flatnonzero(index.column("alive")[:doc])
    return int(living[-WINDOW]) if len(living) > WINDOW else 0


def _sharing(index: MemoryIndex, doc: int, name_terms: Sequence[str], limit: int) -> list[int]:
    """The latest holders of each name. How common a name is does not count: that would change with later erasures."""
    alive = index.column("alive")
    found: set[int] = set()
    for term in dict.fromkeys(name_terms):
        holders, _ = index.postings.get(term)
        holders = holders[: int(np.searchsorted(holders, doc))]
        found.update(holders[alive[holders]][-limit:].tolist())
    return sorted(found, reverse=True)[:limit]
