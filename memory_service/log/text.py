"""The searchable text of an episode: what is indexed, what spans count in, what a hit shows."""

import json
from collections.abc import Iterator
from typing import Any


def searchable_text(kind: str, content: str) -> str:
    """Text as it is; JSON as one `path: value` line for each leaf, so that names and values are found by their words."""
    if kind != "json":
        return content
    return "\n".join(f"{path}: {value}" if path else value for path, value in _leaves(json.loads(content)))


def _leaves(root: Any) -> Iterator[tuple[str, str]]:
    """Depth first, in the order of the canonical text; without recursion, like all that reads foreign JSON."""
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, dict):
            stack.extend((f"{path}.{key}" if path else str(key), child) for key, child in reversed(node.items()))
        elif isinstance(node, list):
            stack.extend((path, child) for child in reversed(node))
        else:
            yield path, node if isinstance(node, str) else json.dumps(node)
