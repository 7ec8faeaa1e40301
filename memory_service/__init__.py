"""Agent long-term memory: the SDK's public face. Importing it loads nothing heavy."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memory_service.client import AsyncMemoryClient, MemoryClient
    from memory_service.errors import MemoryServiceError, ProblemError

__all__ = ["AsyncMemoryClient", "MemoryClient", "MemoryServiceError", "ProblemError", "__version__"]
__version__ = "0.1.0"

_HOMES = {
    "AsyncMemoryClient": "memory_service.client",
    "MemoryClient": "memory_service.client",
    "MemoryServiceError": "memory_service.errors",
    "ProblemError": "memory_service.errors",
}


def __getattr__(name: str) -> Any:
    """Loads a public name from its module when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
