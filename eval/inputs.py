"""What a result depends on: the code, the machine, the packages; and the key that rows of one run share."""

import hashlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import memory_service
import retrieval
from eval.dataset import Dataset
from eval.systems.base import System

_PACKAGES: Final = ("faiss-cpu", "numpy", "onnxruntime", "tokenizers", "PyStemmer", "mem0ai", "openai", "rouge-score")
_OWN: Final = ("systems", "metrics", "readers", "score.py")
"""Parts of this package that rows depend on; the report and the commands do not change them."""


def row_key(dataset: Dataset, system: System) -> str:
    """Equal for runs whose rows may be mixed: the same file, the same system in the same settings, the same code."""
    parts = {
        "benchmark": dataset.benchmark,
        "sha256": dataset.sha256,
        "system": system.name,
        "settings": system.settings,
        "code": code_digest(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def code_digest() -> str:
    """Of the sources that decide a ranking and its scores."""
    here = Path(__file__).parent
    roots = [Path(module.__file__ or "").parent for module in (memory_service, retrieval)]
    roots += [here / part for part in _OWN]
    digest = hashlib.sha256()
    for root in roots:
        for path in [root] if root.is_file() else sorted(root.rglob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def environment() -> dict[str, Any]:
    """Of this run, for the results."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_service": memory_service.__version__,
        "code": code_digest(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
