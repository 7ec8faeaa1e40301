"""Exports a sentence-transformers model to ONNX, once, in a child process, so that this process never loads torch.

A cache folder holds one folder per model. Each is complete or absent: the child writes to a temporary folder, all of it
is synced, and a rename puts it in place. Processes that start together wait for one export and share it.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from retrieval.embedders.base import EmbedderError
from retrieval.embedders.layout import read_layout, weights_sha256
from retrieval.embedders.manifest import Manifest, verify_export
from retrieval.limits import EXPORT_TIMEOUT_S, MAX_ERROR_CHARS

_TEMPORARY = ".export-"
_BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from retrieval.embedders.export_child import main; sys.exit(main(sys.argv[1:]))"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A model to export: a local folder, or a name on the hub."""

    label: str
    """Its name for people, and the first part of the embedder's name."""
    model: Path | str
    """A folder, or a hub name as `sentence-transformers/all-MiniLM-L6-v2`."""


def export_model(source: Source, cache_dir: Path) -> Path:
    """The folder of the model's verified export, made now if there is none or if it is damaged. About 10 s, then 0.2 s.

    Raises EmbedderError if torch or sentence-transformers are missing, or the model cannot be loaded, is not supported,
    or gives other vectors than `SentenceTransformer.encode`.
    """
    digest = weights_sha256(read_layout(source.model).transformer) if isinstance(source.model, Path) else None
    folder = cache_dir / _folder_name(source, digest)
    if _is_usable(folder, digest):  # before the lock, so that a read-only cache serves too
        return folder
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _locked(cache_dir / f"{folder.name}.lock"):
            if not _is_usable(folder, digest):
                _export(source, folder)
                _check_source(verify_export(folder), digest)
    except OSError as error:
        raise EmbedderError(f"The model's export cannot be kept in {cache_dir}: {error}") from error
    return folder


def _folder_name(source: Source, digest: str | None) -> str:
    """A hub name is found again without asking the hub; a folder's export follows its weights."""
    name = f"{source.label}-{digest[:16]}" if digest else f"hub-{source.model}"
    return re.sub(r"[^A-Za-z0-9._-]+", "--", name)


@contextmanager
def _locked(path: Path) -> Generator[None]:
    """Holds the file's lock. The system lets it go when the process dies, so it is never stale."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_usable(folder: Path, digest: str | None) -> bool:
    try:
        _check_source(verify_export(folder), digest)
    except EmbedderError:
        return False
    return True


def _check_source(manifest: Manifest, digest: str | None) -> None:
    if digest is not None and manifest.source_sha256 != digest:
        raise EmbedderError("The model's weights changed while they were exported.")


def _export(source: Source, folder: Path) -> None:
    """Makes the export and puts it where a damaged one may stand. The lock is held."""
    for leftover in folder.parent.glob(f"{_TEMPORARY}{folder.name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{folder.name}-", dir=folder.parent))
    try:
        made = temporary / "made"
        made.mkdir()
        _run_child(source, made)
        _sync(made)
        if folder.exists():
            folder.rename(temporary / "damaged")
        made.rename(folder)
        _sync(folder.parent, files=False)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _run_child(source: Source, folder: Path) -> None:
    """Runs the export in a fresh interpreter that sees the modules this one sees, and nothing of the current folder."""
    is_local = isinstance(source.model, Path)
    task = {"label": source.label, "model": str(source.model), "local": is_local, "folder": str(folder.resolve())}
    if is_local:
        task["model"] = str(Path(source.model).resolve())
    command = [sys.executable, "-P", "-c", _BOOTSTRAP, json.dumps(sys.path), json.dumps(task)]
    environment = dict(os.environ, TOKENIZERS_PARALLELISM="false", HF_HUB_DISABLE_TELEMETRY="1")
    if is_local:
        environment |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=EXPORT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EmbedderError(f"Exporting {source.label} took longer than {EXPORT_TIMEOUT_S} s.") from error
    if done.returncode != 0:
        raise EmbedderError(f"{source.label} could not be exported to ONNX: {_last_line(done.stderr, done.returncode)}")


def _last_line(stderr: bytes, returncode: int) -> str:
    """The child's last word; one killed from outside, for memory mostly, has none."""
    if returncode < 0:
        return f"the export was killed by signal {-returncode} (is there enough memory?)"
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip()[:MAX_ERROR_CHARS] if lines else f"the export ended with status {returncode}"


def _sync(folder: Path, *, files: bool = True) -> None:
    """Flushes a folder's entries, and its files', to disk."""
    for path in [*(folder.iterdir() if files else ()), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
