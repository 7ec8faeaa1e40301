"""The embedding cache of repeated evaluation runs."""

import sqlite3

import numpy as np
import pytest

from memory_service.errors import ConfigurationError
from memory_service.settings import load_settings
from retrieval.embedders.base import EmbedderError
from retrieval.embedders.stored import StoredEmbedder
from retrieval.embedders.testing import HashEmbedder


class Counting(HashEmbedder):
    def __init__(self, name: str = "counting") -> None:
        super().__init__()
        self.seen: list[str] = []
        self._label = name

    @property
    def name(self) -> str:
        return self._label

    def embed(self, texts):
        self.seen += texts
        return super().embed(texts)


def test_a_text_is_embedded_once_whatever_it_is_embedded_with(tmp_path):
    inner = Counting()
    first = StoredEmbedder(inner, tmp_path).embed(["a dog", "a cat", "a dog"])
    again = StoredEmbedder(inner, tmp_path).embed(["a cat", "a bird"])
    assert inner.seen == ["a dog", "a cat", "a bird"]
    np.testing.assert_array_equal(first[1], again[0])
    np.testing.assert_array_equal(first, HashEmbedder().embed(["a dog", "a cat", "a dog"]))


def test_more_texts_than_a_statement_takes(tmp_path):
    texts = [f"text {i}" for i in range(1203)]
    stored = StoredEmbedder(Counting(), tmp_path)
    np.testing.assert_array_equal(stored.embed(texts), stored.embed(texts))


def test_no_texts_are_no_vectors(tmp_path):
    assert StoredEmbedder(Counting(), tmp_path).embed([]).shape == (0, HashEmbedder().dimension)


def test_models_are_kept_apart(tmp_path):
    other = Counting("other")
    StoredEmbedder(Counting(), tmp_path).embed(["a", "b"])
    StoredEmbedder(other, tmp_path).embed(["a", "b"])
    assert other.seen == ["a", "b"]


def test_a_query_passes_by_so_that_searches_are_timed_as_they_are(tmp_path):
    inner = Counting()
    stored = StoredEmbedder(inner, tmp_path)
    stored.embed(["where?"])
    stored.embed(["where?"])
    assert inner.seen == ["where?", "where?"]


def test_it_holds_no_text(tmp_path):
    stored = StoredEmbedder(Counting(), tmp_path)
    stored.embed(["a secret word", "another"])
    stored.close()
    assert b"secret" not in (tmp_path / "vectors.sqlite").read_bytes()


def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "vectors.sqlite").write_bytes(b"nonsense" * 1000)
    with pytest.raises(EmbedderError, match="Delete it"):
        StoredEmbedder(Counting(), tmp_path)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbedderError, match="cannot be used"):
        StoredEmbedder(Counting(), tmp_path / "file" / "cache")


def test_two_processes_may_share_it(tmp_path):
    first, second = StoredEmbedder(Counting(), tmp_path), StoredEmbedder(Counting(), tmp_path)
    first.embed(["a", "b"])
    second.embed(["b", "c"])
    with sqlite3.connect(tmp_path / "vectors.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM vectors").fetchone() == (3,)


def test_a_service_with_keys_refuses_it_since_erasure_does_not_reach_it(tmp_path):
    with pytest.raises(ConfigurationError, match="MEMORY_EMBEDDING_CACHE_DIR is refused"):
        load_settings(embedding_cache_dir=tmp_path)
    assert load_settings(embedding_cache_dir=tmp_path, auth="off").embedding_cache_dir == tmp_path
