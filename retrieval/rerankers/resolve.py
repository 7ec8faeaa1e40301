"""From the name of a reranking model, as a setting gives it, to the reranker."""

from pathlib import Path

from retrieval.embedders.resolve import HUB_NAME
from retrieval.rerankers.base import Reranker, RerankerError
from retrieval.rerankers.testing import OverlapReranker


def load_reranker(spec: str) -> Reranker:
    """The reranker that `spec` names: `test`, a local folder, or a hub name. Its model is loaded when it is first used.

    Raises RerankerError if it is none of these.
    """
    if spec == "test":
        return OverlapReranker()
    # Loads the tokenizers, which the test reranker does without.
    from retrieval.rerankers.cross_encoder import CrossEncoderReranker

    folder = Path(spec).expanduser()
    if spec and folder.is_dir():
        return CrossEncoderReranker(folder)
    if not HUB_NAME.fullmatch(spec):
        raise RerankerError(f"There is no model folder {spec!r}, and it is no hub name (as organisation/model) either.")
    return CrossEncoderReranker(spec)
