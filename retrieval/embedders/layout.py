"""Reads the files of a sentence-transformers folder, without loading torch or the model."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from retrieval.embedders.base import EmbedderError

Pooling = Literal["mean", "cls"]

_LEGACY_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""Flags of sentence-transformers before 5.2; later versions write one `pooling_mode`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What decides a model's vectors besides its weights."""

    transformer: Path
    """Folder of the transformer's config and weights."""
    pooling: Pooling
    """How token vectors become one: their mean, or the first token's."""


def read_layout(folder: Path) -> Layout:
    """The model's modules, as modules.json lists them.

    A folder without one is a bare transformers model; sentence-transformers pools those by their mean.
    Raises EmbedderError for a folder that holds no model, or a module or pooling that is not supported.
    """
    if not (folder / "modules.json").is_file():
        if not (folder / "config.json").is_file():
            raise EmbedderError(
                f"{folder} holds no sentence-transformers model: it has neither modules.json nor config.json."
            )
        return Layout(folder, "mean")
    kinds: dict[str, Path] = {}
    for module in _read_json(folder / "modules.json"):
        kind = str(module["type"]).rpartition(".")[2]
        kinds[kind] = folder / str(module["path"])
    unsupported = set(kinds) - {"Transformer", "Pooling", "Normalize"}
    if unsupported or not {"Transformer", "Pooling"} <= set(kinds):
        raise EmbedderError(
            f"{folder} has the modules {', '.join(kinds)}; supported are Transformer, Pooling and Normalize. "
            "Serve this model behind an OpenAI-compatible endpoint instead."
        )
    return Layout(kinds["Transformer"], _pooling(kinds["Pooling"] / "config.json"))


def _pooling(path: Path) -> Pooling:
    config = _read_json(path)
    modes = config.get("pooling_mode") or [mode for flag, mode in _LEGACY_FLAGS.items() if config.get(flag)]
    if isinstance(modes, list) and len(modes) == 1:
        modes = modes[0]
    if modes in ("mean", "cls"):
        return modes
    raise EmbedderError(f"{path} asks for the pooling {modes!r}; supported are mean and cls.")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EmbedderError(f"{path} cannot be read: {error}") from error


def weights_sha256(transformer: Path) -> str:
    """SHA-256 of the weights: of the one file as it stands, or of the list of several files' names and hashes.

    Raises EmbedderError if there are none.
    """
    files = sorted(transformer.glob("*.safetensors")) or sorted(transformer.glob("pytorch_model*.bin"))
    if not files:
        raise EmbedderError(f"{transformer} holds no weights: neither *.safetensors nor pytorch_model*.bin.")
    digests = [file_sha256(path) for path in files]
    if len(files) == 1:
        return digests[0]
    listing = "".join(f"{path.name} {digest}\n" for path, digest in zip(files, digests, strict=True))
    return hashlib.sha256(listing.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex. A file unchanged in size and time is read once per process. Raises EmbedderError."""
    try:
        stat = path.stat()
        return _file_sha256(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise EmbedderError(f"{path} cannot be read: {error}") from error


@lru_cache(maxsize=64)
def _file_sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
