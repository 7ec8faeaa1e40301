"""What the figures were measured on."""

import os
import platform
import shutil
import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import pysqlite3

_PACKAGES: Final = (
    "agent-memory-service fastapi uvicorn uvloop httptools sqlalchemy pydantic onnxruntime tokenizers faiss-cpu numpy"
)


@lru_cache(maxsize=1)
def facts() -> dict[str, Any]:
    """Processor, memory, kernel, versions, and the commit that was measured."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": pysqlite3.sqlite_version,
        "commit": _commit(),
        "packages": {name: found for name in _PACKAGES.split() if (found := package_version(name))},
    }


def line() -> str:
    """The machine in one line."""
    known = facts()
    return (
        f"{known['processor']}, {known['cores']} cores, {known['memory_gb']} GB, Python {known['python']}, "
        f"SQLite {known['sqlite']}, commit {known['commit']}"
    )


def package_version(name: str) -> str | None:
    """Of an installed package; None when it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or "unknown processor"
    found = next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")), "")
    return found or platform.processor() or "unknown processor"


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "describe", "--always", "--dirty", "--abbrev=10"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
