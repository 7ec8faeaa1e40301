"""The searchable text of an episode: what is indexed, what spans count in, what a hit shows."""

import json
from collections.abc import Iterator
from typing import Any


def searchable_text(kind: str, content: str) -> str:
    """Text as it is; JSON as lines of its names and values, so that both are found by their words. About as long as it was."""
    return content if kind != "json" else "\n".join(_lines(json.loads(content)))


def _lines(root: Any) -> Iterator[str]:
    """`name: value` for each leaf, and a line for each name that holds more. A name is told once, not at every leaf below it.

    Without recursion, like all that reads foreign JSON.
    """
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:
        name, node = stack.pop()
        prefix = f"{name}: " if name else ""
        if isinstance(node, dict | list):
            if name:
                yield f"{name}:"
            children = node.items() if isinstance(node, dict) else (("", child) for child in node)
            stack.extend(reversed([(str(key), child) for key, child in children]))
        else:
            yield prefix + (node if isinstance(node, str) else json.dumps(node))
