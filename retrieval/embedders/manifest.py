"""The manifest of an exported model: what it was made from, how to run it, and the hashes that prove it whole."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.embedders.base import EmbedderError
from retrieval.embedders.layout import Pooling, file_sha256

FORMAT = 1
"""Changes when older exports can no longer be used; they are then made again."""

MANIFEST_FILE = "manifest.json"
GRAPH_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One export. Written last, so that a folder with a valid manifest is complete."""

    format: int
    label: str
    """The model's name, for people and for the embedder's name."""
    source_sha256: str
    """Of the source's weights."""
    pooling: Pooling
    lower_case: bool
    """Whether texts are lower-cased before the tokenizer, as sentence-transformers' do_lower_case asks."""
    max_tokens: int
    dimension: int
    pad_id: int
    parity: float
    """Largest difference of any component from sentence-transformers' vectors, on the export's fixed texts."""
    versions: dict[str, str]
    """Of the libraries that made the export."""
    files: dict[str, str]
    """SHA-256 of every other file in the folder."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes the manifest together with its own digest."""
    body = dataclasses.asdict(manifest)
    text = json.dumps({"digest": _digest(body), "manifest": body}, indent=1)
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The folder's manifest. Raises EmbedderError if it is missing, damaged or of another format."""
    try:
        document = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        body = document["manifest"]
        if document["digest"] != _digest(body):
            raise EmbedderError(f"{folder / MANIFEST_FILE} does not match its own digest.")
        manifest = Manifest(**body)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmbedderError(f"{folder} holds no readable export: {error!r}") from error
    if manifest.format != FORMAT:
        raise EmbedderError(f"{folder} is an export of format {manifest.format}, not {FORMAT}.")
    return manifest


def verify_export(folder: Path) -> Manifest:
    """The manifest of an export whose files match their hashes. Raises EmbedderError that names the damaged file."""
    manifest = read_manifest(folder)
    if not {GRAPH_FILE, TOKENIZER_FILE} <= set(manifest.files):
        raise EmbedderError(f"{folder / MANIFEST_FILE} does not list the graph and the tokenizer.")
    for name, digest in manifest.files.items():
        if file_sha256(folder / name) != digest:
            raise EmbedderError(f"{folder / name} is damaged: its SHA-256 is not the manifest's.")
    return manifest


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
