"""What every measurement is handed: sizes, folders, and how it shows its progress."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@dataclass
class Context:
    """One run of the benchmark."""

    quick: bool
    out: Path
    console: Console
    data: Path | None = None
    """A LoCoMo file whose questions are asked instead of generated ones."""

    def size(self, full: int, quick: int) -> int:
        """A number of the full run or of the quick one."""
        return quick if self.quick else full

    @contextmanager
    def folder(self) -> Generator[Path]:
        """A folder on the file system of the results, removed at the end."""
        self.out.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix="run-", dir=self.out))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def progress(self) -> Generator[Progress]:
        """Bars that leave the terminal as it was."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as bars:
            yield bars
