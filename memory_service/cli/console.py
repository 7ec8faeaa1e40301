"""What all commands share: where they print, how they show progress, how they fail."""

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from memory_service.client import MemoryClient

out = Console()
err = Console(stderr=True)


def fail(message: str) -> NoReturn:
    """One line to standard error, and exit code 1."""
    err.print("[bold red]Error:[/]", end=" ")
    err.print(" ".join(message.split()), markup=False, highlight=False, soft_wrap=True)
    sys.exit(1)


def progress() -> Progress:
    """A progress bar on standard error, so that standard output stays clean for pipes."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
    )


def client(url: str | None = None) -> "MemoryClient":
    """A client of the running service: its address from --url or MEMORY_URL, its key from MEMORY_API_KEY."""
    from memory_service.client import MemoryClient

    return MemoryClient(url or os.environ.get("MEMORY_URL"), api_key=os.environ.get("MEMORY_API_KEY"))
