"""LongMemEval haystacks in the official format, written from a set that is kept in parts.

The development set keeps questions and sessions apart, with a script beside them that puts them together: each question's own
evidence sessions among others drawn by its id. It is run as it is, in a process of its own.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from eval.errors import BadData

OTHERS: Final = 48
_BUILDER: Final = "build_haystacks.py"
_LIMIT_S: Final = 300


def built(folder: Path, target: Path) -> Path:
    """The haystack file, written to `target` unless it is there already. Raises BadData."""
    if target.exists():
        return target
    builder = folder / _BUILDER
    if not builder.exists():
        raise BadData(builder, "is not there; it writes the haystacks from questions and sessions.")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    command = [sys.executable, "-P", str(builder), str(part), "--others", str(OTHERS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    if done.returncode != 0 or not part.exists():
        raise BadData(builder, f"failed: {done.stderr.strip()[-300:] or 'it wrote nothing'}")
    part.replace(target)
    return target
