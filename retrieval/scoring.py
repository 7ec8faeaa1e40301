"""How well documents fit a query: BM25F over a turn and its neighbours, vectors of its passages, times; summed.

One setting for all data. docs/retrieval.md gives each part's ablation and how the weights were chosen.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from retrieval.index import MemoryIndex
from retrieval.query import Query

Floats = NDArray[np.float32]
Docs = NDArray[np.int64]
Mask = NDArray[np.bool_]

_DAY: Final = 86_400_000_000
_MAX_YEARS: Final = 32
"""Years in which a date without one is looked for: imports may hold dates from year 1 to year 9999."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The constants of the score. Lexical and dense scores are at most 1 before they are weighted."""

    lexical: float = 0.60
    dense: float = 0.40
    time: float = 0.15
    speaker: float = 0.032
    """A turn of the speaker whom the query names."""
    question: float = -0.012
    """A turn that ends as a question is seldom the evidence for an answer."""

    saturation: float = 0.9
    """BM25's k1."""
    length: float = 0.5
    """BM25's b, for the turn itself."""
    neighbour: float = 0.4
    """Weight of a term in the turn before or after ..."""
    second_neighbour: float = 0.2
    """... and in the one beyond."""
    neighbour_length: float = 0.75
    neighbour_mean: float = 12.0
    """A neighbour's length is judged by this mean, in terms, or the collection's if that is less: a window must not win by being
    long, nor a word by standing next to a turn rather than in it."""

    time_decay_days: float = 7.0
    """Things are told after they happen: a turn this much later than the time asked for counts 1/e."""


DEFAULT: Final = Weights()
FIRST_STAGE: Final = 256
"""Documents that each channel may bring before the exact score decides. Small namespaces are scored whole."""

_SPARSE: Final = 60
"""A term in fewer than one of so many documents is scored place by place."""

CHANNELS: Final = ("lexical", "dense", "time", "speaker", "question")


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that fits. `channels` are the weighted parts that sum to the score."""

    doc: int
    score: float
    channels: dict[str, float]
    row: int | None
    """The row of its best passage, None while it has no vectors."""


def search(
    index: MemoryIndex,
    query: Query,
    vector: Floats | None,
    allowed: Mask | None,
    *,
    limit: int,
    weights: Weights = DEFAULT,
) -> list[Hit]:
    """The best documents among the allowed ones (a mask over documents; None: all that are alive), best first.

    `vector` has shape (dimension,), and is None when only words are to be matched.
    """
    mask = _living(index, allowed)
    lexical = lexical_scores(index, query.term_weights, weights)
    candidates, dense, rows = _candidates(index, lexical, vector, mask)
    if not len(candidates):
        return []
    parts = {
        "lexical": weights.lexical * lexical[candidates],
        "dense": weights.dense * dense,
        "time": weights.time * time_scores(index, query, candidates, weights),
        "speaker": weights.speaker * _speaks(index, query, candidates),
        "question": weights.question * index.column("is_question")[candidates],
    }
    total: Floats = np.stack(list(parts.values())).sum(axis=0, dtype=np.float32)
    # Ties by age: the same question gives the same order.
    order = np.lexsort((candidates, -total))[:limit]
    return [
        Hit(
            int(candidates[i]),
            float(total[i]),
            {name: float(part[i]) for name, part in parts.items()},
            int(rows[i]) if rows[i] >= 0 else None,
        )
        for i in order
    ]


def _living(index: MemoryIndex, allowed: Mask | None) -> Mask | None:
    if index.dead == 0:
        return allowed
    alive = index.column("alive")
    return alive if allowed is None else alive & allowed


# --- candidates -------------------------------------------------------------------------------------------------------


def _candidates(
    index: MemoryIndex, lexical: Floats, vector: Floats | None, mask: Mask | None
) -> tuple[Docs, Floats, NDArray[np.int64]]:
    """Documents worth an exact score, with their dense score and best row (-1: none)."""
    if index.size <= 2 * FIRST_STAGE:
        docs = np.arange(index.size) if mask is None else np.flatnonzero(mask)
        dense, rows = dense_scores(index, docs, vector)
    else:
        near, near_dense, near_rows = _nearest_documents(index, vector, mask)
        others = np.setdiff1d(_best_lexical(lexical, mask), near, assume_unique=True)
        other_dense, other_rows = dense_scores(index, others, vector)
        docs = np.concatenate((near, others))
        dense = np.concatenate((near_dense, other_dense))
        rows = np.concatenate((near_rows, other_rows))
    matched = (lexical[docs] > 0) | (rows >= 0)
    return docs[matched], dense[matched], rows[matched]


def _best_lexical(lexical: Floats, mask: Mask | None) -> Docs:
    scores = lexical if mask is None else np.where(mask, lexical, 0)
    found = np.flatnonzero(scores > 0)  # of truth values: three times as fast as of numbers
    if len(found) <= FIRST_STAGE:
        return found
    return found[np.argpartition(-scores[found], FIRST_STAGE)[:FIRST_STAGE]]


def _nearest_documents(
    index: MemoryIndex, vector: Floats | None, mask: Mask | None
) -> tuple[Docs, Floats, NDArray[np.int64]]:
    """Documents of the nearest passages, each with its best score and that passage's row."""
    if vector is None or not len(index.vectors):
        return np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int64)
    owners = index.vectors.docs
    rows, scores = index.vectors.nearest(vector, FIRST_STAGE, None if mask is None else mask[owners])
    # Rows come best first, so the first row of a document is its best.
    docs, first = np.unique(owners[rows], return_index=True)
    return docs.astype(np.int64), scores[first], rows[first]


# --- channels ---------------------------------------------------------------------------------------------------------


def lexical_scores(index: MemoryIndex, term_weights: dict[str, float], weights: Weights) -> Floats:
    """BM25F (Robertson et al. 2004) over the turn and two neighbours each side, divided by its maximum. Shape (size,).

    A neighbour's words count as fewer occurrences of the turn's own, so that a window needs no index of its own and no
    update when the next turn comes.
    """
    scores = np.zeros(index.size + 1, np.float32)
    total = 0.0
    counts = np.zeros(index.size + 1, np.float32)
    for term, weight in term_weights.items():
        docs, occurrences = _living_postings(index, term)
        idf = _idf(len(index), len(docs))
        total += weight * idf
        if len(docs):
            places = _spread(index, docs, occurrences, counts, weights)
            # All places at once, or one by one where they are few. One that comes twice is written twice with the same value.
            where = np.concatenate(places) if len(docs) * _SPARSE < index.size else slice(None)
            touched = counts[where]
            scores[where] += (weight * idf) * touched / (touched + weights.saturation)
            counts[where] = 0
    scores = scores[:-1]
    return scores / total if total > 0 else scores


def _living_postings(index: MemoryIndex, term: str) -> tuple[NDArray[np.int32], Floats]:
    docs, occurrences = index.postings.get(term)
    if index.dead and len(docs):
        living = index.column("alive")[docs]
        return docs[living], occurrences[living]
    return docs, occurrences


def _idf(documents: int, holders: int) -> float:
    return float(np.log(1 + (documents - holders + 0.5) / (holders + 0.5)))


def _spread(
    index: MemoryIndex, docs: NDArray[np.int32], occurrences: Floats, counts: Floats, weights: Weights
) -> list[Docs]:
    """Adds a term's normalised occurrences to its documents and to their neighbours; returns where. The last slot takes what has
    none."""
    # Converted once: numpy would do it at every use.
    own = docs.astype(np.int64)
    length = index.column("length")[own]
    counts[own] += occurrences / (1 - weights.length + weights.length * length / index.mean_length)
    mean = min(weights.neighbour_mean, index.mean_length)
    near = occurrences / (1 - weights.neighbour_length + weights.neighbour_length * length / mean)
    places = [own]
    for link in ("previous", "next"):
        neighbours = index.column(link)
        first = neighbours[own].astype(np.int64)
        # A document is the neighbour of at most one on each side, so no slot but the last is written twice.
        counts[first] += weights.neighbour * near
        second = np.where(first >= 0, neighbours[first], -1).astype(np.int64)
        counts[second] += weights.second_neighbour * near
        places += [first, second]
    return places


def dense_scores(index: MemoryIndex, docs: Docs, vector: Floats | None) -> tuple[Floats, NDArray[np.int64]]:
    """Cosine of each document's best passage, and that passage's row (-1: none). Shapes (n,) and (n,).

    A document that no worker has embedded yet gets the mean of the others: it must not lose by being new.
    """
    counts = index.column("row_count")[docs].astype(np.int64)
    best_rows = np.full(len(docs), -1, np.int64)
    scores = np.zeros(len(docs), np.float32)
    have = np.flatnonzero(counts)
    if vector is None or not len(have):
        return scores, best_rows
    starts = np.concatenate(([0], np.cumsum(counts[have])[:-1]))
    firsts = index.column("first_row")[docs[have]].astype(np.int64)
    rows = np.repeat(firsts - starts, counts[have]) + np.arange(counts[have].sum())
    cosines = index.vectors.scores(vector, rows)
    scores[have] = np.maximum.reduceat(cosines, starts)
    # The first row that reaches its document's maximum.
    is_best = np.flatnonzero(cosines >= np.repeat(scores[have], counts[have]))
    owners = np.repeat(np.arange(len(have)), counts[have])[is_best]
    _, first_best = np.unique(owners, return_index=True)
    best_rows[have] = rows[is_best[first_best]]
    scores[np.flatnonzero(counts == 0)] = scores[have].mean()
    return scores, best_rows


def time_scores(index: MemoryIndex, query: Query, docs: Docs, weights: Weights) -> Floats:
    """1 for a turn that was said, or speaks of something, within a time the query names; 0 for a query that names none.

    Said later counts too, falling with the days. Speaking of a wider time counts by the part of it that was asked for.
    """
    scores = np.zeros(len(docs), np.float32)
    if not query.times or not len(docs):
        return scores
    occurred = index.column("occurred_at")[docs]
    told = np.zeros(index.size, np.float32)
    for start, end in query_intervals(query, index):
        late = np.maximum(occurred - (end - 1), 0) / _DAY
        early = np.maximum(start - occurred, 0) / _DAY
        scores = np.maximum(scores, np.exp(-np.minimum(late / weights.time_decay_days + early, 50)))
        _tell(index, start, end, told)
    return np.maximum(scores, told[docs]).astype(np.float32)


def _tell(index: MemoryIndex, start: int, end: int, told: Floats) -> None:
    """Raises `told` for documents whose text speaks of a time within [start, end)."""
    starts, ends = index.column("time_start"), index.column("time_end")
    common = np.minimum(ends, end) - np.maximum(starts, start)
    found = np.flatnonzero(common > 0)
    share = common[found] / np.maximum(ends[found] - starts[found], 1)
    np.maximum.at(told, index.column("time_doc")[found], share.astype(np.float32))


def _speaks(index: MemoryIndex, query: Query, docs: Docs) -> Mask:
    """Whether the query names the document's speaker."""
    return np.isin(index.column("speaker")[docs], index.speakers_named(query.names))


def query_intervals(query: Query, index: MemoryIndex) -> list[tuple[int, int]]:
    """The query's times as [start, end) microseconds; "in May" is one for each year that the namespace speaks of."""
    years = _years(index) if any(expression.yearly for expression in query.times) else []
    return [interval for expression in query.times for interval in expression.intervals(years)]


def _years(index: MemoryIndex) -> list[int]:
    """The latest years in which something was said."""
    occurred = index.column("occurred_at").astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64)
    return [1970 + int(year) for year in np.unique(occurred)[-_MAX_YEARS:]]
