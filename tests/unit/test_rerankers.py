"""The reranker port: one contract for every adapter, then what each of them does beyond it.

No pretrained cross-encoder is at hand here, so the adapter runs a small one with seeded weights: the real code of
sentence-transformers, transformers and torch, and scores that mean nothing.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from retrieval.rerankers import Reranker, RerankerError
from retrieval.rerankers import cross_encoder as cross_encoder_module
from retrieval.rerankers.cross_encoder import CrossEncoderReranker
from retrieval.rerankers.resolve import load_reranker
from retrieval.rerankers.testing import OverlapReranker
from tests.support.rerankers import make_cross_encoder

QUERY = "who likes tea ?"
TEXTS = [
    "",
    "hello world",
    "Ann likes tea",
    "the cat sat on the mat",
    "the dog likes the cat",
    "a lone \ud800 surrogate",
    "昨天我和朋友",
    "tea " * 900,
]


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cross_encoder(tmp_path_factory.mktemp("rerankers") / "small")


@pytest.fixture(params=["overlap", pytest.param("cross-encoder", marks=pytest.mark.model)])
def reranker(request: pytest.FixtureRequest) -> Reranker:
    made: dict[str, Callable[[], Reranker]] = {
        "overlap": OverlapReranker,
        "cross-encoder": lambda: load_reranker(str(request.getfixturevalue("small"))),
    }
    return made[request.param]()


class TestContract:
    def test_it_has_a_name(self, reranker: Reranker) -> None:
        assert reranker.name == reranker.name != ""

    def test_no_texts_give_no_scores(self, reranker: Reranker) -> None:
        assert reranker.score(QUERY, []).shape == (0,)

    def test_every_text_gets_one_finite_score(self, reranker: Reranker) -> None:
        scores = reranker.score(QUERY, TEXTS)
        assert scores.shape == (len(TEXTS),)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()

    def test_scores_come_in_the_order_of_the_texts_whatever_their_company(self, reranker: Reranker) -> None:
        texts = [f"{'the cat ' * (n % 7)}likes {'tea ' * (n % 3)}" for n in range(50)]
        singly = [reranker.score(QUERY, [text])[0] for text in texts]
        assert len(set(np.round(singly, 4))) > 1
        assert_allclose(reranker.score(QUERY, texts), singly, atol=1e-5)

    def test_the_query_decides(self, reranker: Reranker) -> None:
        assert not np.allclose(reranker.score("cat", TEXTS[:5]), reranker.score("hello world", TEXTS[:5]))

    @pytest.mark.parametrize("query", ["", "昨天", "lone \ud800", "tea " * 900])
    def test_any_text_can_be_a_query(self, reranker: Reranker, query: str) -> None:
        assert np.isfinite(reranker.score(query, TEXTS)).all()

    def test_it_is_thread_safe(self, reranker: Reranker) -> None:
        expected = {text: reranker.score(QUERY, [text])[0] for text in TEXTS[:5]}
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda text: (text, reranker.score(QUERY, [text])[0]), TEXTS[:5] * 8))
        for text, score in found:
            assert score == pytest.approx(expected[text], abs=1e-5)


class TestOverlapReranker:
    def test_a_score_is_the_share_of_the_querys_words(self) -> None:
        scores = OverlapReranker().score("Who likes tea?", ["Ann LIKES tea, tea.", "who?", "nobody"])
        assert_allclose(scores, [2 / 3, 1 / 3, 0])


class TestNames:
    def test_the_double_needs_no_model(self) -> None:
        assert load_reranker("test").name == "test-overlap"

    def test_a_folder_is_named_by_its_last_part_and_a_hub_model_in_full(self, tmp_path: Path) -> None:
        assert load_reranker(str(tmp_path)).name == tmp_path.name
        assert load_reranker("cross-encoder/ms-marco-MiniLM-L6-v2").name == "cross-encoder/ms-marco-MiniLM-L6-v2"

    @pytest.mark.parametrize("spec", ["/no/such/folder", "a b", "", "a/b/c"])
    def test_anything_else_is_refused_before_it_is_used(self, spec: str) -> None:
        with pytest.raises(RerankerError, match="no model folder"):
            load_reranker(spec)


def run_python(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    chosen = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path), **environment)
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], env=chosen, capture_output=True, text=True, timeout=200
    )


_LAZY = """
import sys
from retrieval.rerankers.resolve import load_reranker
reranker = load_reranker(sys.argv[1])
assert "torch" not in sys.modules, "torch was loaded before it was needed"
reranker.score("cat", ["dog"])
assert "torch" in sys.modules
"""
_HUB = """
from retrieval.rerankers.resolve import load_reranker
load_reranker("nobody/no-such-model").score("cat", ["dog"])
"""


@pytest.mark.model
class TestCrossEncoderReranker:
    def test_its_scores_are_sentence_transformers_own(self, small: Path) -> None:
        from sentence_transformers import CrossEncoder

        texts = TEXTS[1:5]
        expected = CrossEncoder(str(small), local_files_only=True).predict([(QUERY, text) for text in texts])
        assert_allclose(CrossEncoderReranker(small).score(QUERY, texts), expected, atol=1e-5)

    def test_torch_is_loaded_by_the_first_call(self, small: Path) -> None:
        done = run_python(_LAZY, str(small))
        assert done.returncode == 0, done.stderr

    def test_what_is_beyond_the_models_window_is_cut(self, small: Path) -> None:
        scores = CrossEncoderReranker(small).score(
            "cat", ["tea " * 45 + "dog", "tea " * 45 + "hello", "hello " + "tea " * 44]
        )
        assert scores[0] == pytest.approx(scores[1], abs=1e-6)
        assert abs(scores[0] - scores[2]) > 1e-4

    def test_a_smaller_window_can_be_asked_for(self, small: Path) -> None:
        texts = ["tea tea tea dog", "tea tea tea hello"]
        wide = CrossEncoderReranker(small).score("cat", texts)
        narrow = CrossEncoderReranker(small, max_tokens=7).score("cat", texts)
        assert abs(wide[0] - wide[1]) > 1e-4
        assert narrow[0] == pytest.approx(narrow[1], abs=1e-6)

    def test_a_model_without_a_trained_head_is_refused(self, tmp_path: Path) -> None:
        folder = make_cross_encoder(tmp_path / "encoder", head=False)
        with pytest.raises(RerankerError, match="BertModel, which has no head"):
            CrossEncoderReranker(folder).score("cat", ["dog"])

    def test_a_model_of_several_labels_is_refused(self, tmp_path: Path) -> None:
        folder = make_cross_encoder(tmp_path / "nli", labels=3)
        with pytest.raises(RerankerError, match="3 labels"):
            CrossEncoderReranker(folder).score("cat", ["dog"])

    @pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
    def test_a_damaged_folder_says_so(self, tmp_path: Path, file: str) -> None:
        folder = make_cross_encoder(tmp_path / "damaged")
        (folder / file).write_bytes(b"no such thing")
        with pytest.raises(RerankerError, match="damaged is no readable cross-encoder"):
            CrossEncoderReranker(folder).score("cat", ["dog"])

    def test_a_hub_name_needs_a_network(self, tmp_path: Path) -> None:
        done = run_python(_HUB, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path))
        assert "RerankerError: The reranker nobody/no-such-model cannot be had from the hub" in done.stderr

    def test_a_failure_is_told_at_once_for_a_while_and_then_tried_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "later"
        folder.mkdir()
        reranker = CrossEncoderReranker(folder)
        with pytest.raises(RerankerError) as first:
            reranker.score("cat", ["dog"])
        folder.rmdir()
        make_cross_encoder(folder)
        with pytest.raises(RerankerError) as second:
            reranker.score("cat", ["dog"])
        assert str(second.value) == str(first.value)
        monkeypatch.setattr(cross_encoder_module, "RERANKER_RETRY_S", 0.0)
        assert reranker.score("cat", ["dog"]).shape == (1,)

    def test_without_its_libraries_it_says_what_to_install(self, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "sentence_transformers", None)
        with pytest.raises(RerankerError, match="install the server extra"):
            CrossEncoderReranker(small).score("cat", ["dog"])
