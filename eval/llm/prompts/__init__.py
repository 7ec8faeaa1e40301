"""Versioned prompt files; a placeholder is a name in double braces."""

import re
from importlib.resources import files
from typing import Final

_PLACEHOLDER: Final = re.compile(r"\{\{(\w+)\}\}")


def prompt(name: str, **values: str) -> str:
    """The prompt of this name, filled in one pass: what a value holds is never read as a placeholder."""
    template = files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8")
    wanted = set(_PLACEHOLDER.findall(template))
    assert wanted == values.keys(), f"prompt {name} takes {sorted(wanted)}"
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], template).strip()
