"""The passages' vectors: the coarse scan finds what the exact one finds, with the same scores in the same order."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from retrieval import coarse
from retrieval.vectors import Vectors

Rows = np.ndarray
ROWS, K = 3_000, 40


def unit(rows: Rows) -> Rows:
    return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def random(rng: np.random.Generator, dimension: int) -> Rows:
    return unit(rng.standard_normal((ROWS, dimension)))


def crowded(rng: np.random.Generator, dimension: int) -> Rows:
    """Hardly apart: the bound excludes nothing, and everything is looked at."""
    return unit(np.ones(dimension) + 0.001 * rng.standard_normal((ROWS, dimension)))


def repeated(rng: np.random.Generator, dimension: int) -> Rows:
    """Each row many times: ties are told apart by their place."""
    return unit(rng.standard_normal((30, dimension)))[rng.integers(0, 30, ROWS)]


def with_outliers(rng: np.random.Generator, dimension: int) -> Rows:
    """Later rows have larger components than the first, by which the scale was chosen."""
    rows = rng.standard_normal((ROWS, dimension))
    rows[ROWS // 2 :: 7, 0] += 9
    return unit(rows)


SHAPES: list[Callable[[np.random.Generator, int], Rows]] = [random, crowded, repeated, with_outliers]


@pytest.fixture
def from_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coarse, "MIN_COARSE_ROWS", 100)
    monkeypatch.setattr(coarse, "COARSE_BLOCK_ROWS", 64)


def exact(rows: Rows) -> Vectors:
    """Vectors that are scanned as they are."""
    found = filled(rows)
    found._coarse.follow = lambda _: False  # type: ignore[method-assign]
    return found


def filled(rows: Rows, docs: Rows | None = None) -> Vectors:
    found = Vectors(rows.shape[1])
    found.add(np.arange(len(rows), dtype=np.int32) if docs is None else docs, rows.astype(np.float16))
    return found


def assert_same(one: Vectors, other: Vectors, query: Rows, allowed: Rows | None = None) -> None:
    for mine, theirs in zip(one.nearest(query, K, allowed), other.nearest(query, K, allowed), strict=True):
        assert_array_equal(mine, theirs)


@pytest.mark.usefixtures("from_few_rows")
@pytest.mark.parametrize("dimension", [384, 64, 7])
@pytest.mark.parametrize("shape", SHAPES)
class TestNearest:
    def test_the_best_are_those_of_the_exact_scan(self, shape, dimension) -> None:
        rng = np.random.default_rng(1)
        rows = shape(rng, dimension)
        vectors, plain = filled(rows), exact(rows)
        for query in [*random(rng, dimension)[:20], *rows[:5], np.zeros(dimension, np.float32)]:
            assert_same(vectors, plain, query)
        assert len(vectors._coarse) == ROWS
        assert len(plain._coarse) == 0

    @pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
    def test_among_the_allowed_rows_too(self, shape, dimension, share) -> None:
        rng = np.random.default_rng(2)
        rows = shape(rng, dimension)
        vectors, plain = filled(rows), exact(rows)
        for query in random(rng, dimension)[:5]:
            assert_same(vectors, plain, query, rng.random(ROWS) < share)

    def test_after_rows_came_and_went(self, shape, dimension) -> None:
        rng = np.random.default_rng(3)
        rows = shape(rng, dimension)
        query = random(rng, dimension)[0]
        vectors, plain = filled(rows[:2000]), exact(rows[:2000])
        assert_same(vectors, plain, query)
        for each in (vectors, plain):
            each.add(np.arange(2000, ROWS, dtype=np.int32), rows[2000:].astype(np.float16))
            each.remove(np.arange(0, ROWS, 3, dtype=np.int32))
        assert 0 < len(vectors._coarse) < len(vectors)
        assert_same(vectors, plain, query)
        assert len(vectors._coarse) == len(vectors) == 2000


@pytest.mark.usefixtures("from_few_rows")
def test_removed_rows_leave_the_coarse_ones_too() -> None:
    rows = random(np.random.default_rng(4), 64)
    vectors = filled(rows)
    vectors.nearest(rows[0], K)
    held = vectors.nbytes
    vectors.remove(np.arange(ROWS, dtype=np.int32))
    assert len(vectors._coarse) == len(vectors) == 0
    assert vectors.nbytes < held
    assert vectors.nearest(rows[0], K)[0].size == 0


def test_small_ones_are_scanned_as_they_are() -> None:
    rows = random(np.random.default_rng(5), 64)
    vectors = filled(rows)
    vectors.nearest(rows[0], K)
    assert len(vectors._coarse) == 0


@pytest.mark.usefixtures("from_few_rows")
def test_most_searches_need_the_coarse_scan_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    vectors = filled(random(rng, 384))
    looked_at: list[int] = []
    best_of = vectors._best_of
    monkeypatch.setattr(vectors, "_best_of", lambda rows, *rest: looked_at.append(len(rows)) or best_of(rows, *rest))
    from retrieval import vectors as module

    scans: list[int] = []
    search = module._search
    monkeypatch.setattr(module, "_search", lambda index, *rest: scans.append(index.ntotal) or search(index, *rest))
    for query in random(rng, 384)[:50]:
        vectors.nearest(query, K)
    assert len(looked_at) == 50
    assert scans.count(ROWS) < 25


def test_floats_are_the_halves_that_were_put_in() -> None:
    rows = random(np.random.default_rng(7), 24)
    vectors = filled(rows)
    picked = np.array([5, 3, 3, 2999])
    assert_array_equal(vectors.rows(picked), rows.astype(np.float16)[picked].astype(np.float32))
    assert vectors.rows(np.empty(0, np.int64)).shape == (0, 24)
