"""The tables of docs/ that follow from the code. `python -m tests.support.docs` writes them anew; a test compares them.

A table stands between two comments in its document: <!-- NAME --> and <!-- /NAME -->. What is around it is written by hand.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client.metrics import MetricWrapperBase
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from memory_service import errors
from memory_service.observability import metrics
from memory_service.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(header), ["---"] * len(list(header)), *map(list, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def problems() -> str:
    """Every problem that the service answers, by status."""
    kinds = sorted(errors.problem_types().values(), key=lambda kind: (kind.status, kind.slug))
    rows = [[f"`{kind.slug}`", str(kind.status), kind.title, f"`{kind.__name__}`"] for kind in kinds]
    return table(["type", "status", "title", "raised by the SDK as"], rows)


def other_errors() -> str:
    """Every error that is no answer: what the SDK raises by itself, and why a service does not start."""
    kinds = [kind for kind in leaves(errors.MemoryServiceError) if not issubclass(kind, errors.ProblemError)]
    return table(["error", "means"], [[f"`{kind.__name__}`", first_line(kind)] for kind in kinds])


def leaves(kind: type[Exception]) -> Iterator[type[Exception]]:
    """The most special errors of `memory_service.errors`; what other packages derive, where loaded, is theirs."""
    subclasses = [sub for sub in kind.__subclasses__() if sub.__module__ == errors.__name__]
    if not subclasses:
        yield kind
    for sub in subclasses:
        yield from leaves(sub)


def first_line(kind: type[Exception]) -> str:
    return " ".join((kind.__doc__ or "").split())


def settings() -> str:
    """Every setting with its default."""
    rows = [
        [f"`MEMORY_{name.upper()}`", default_of(field), str(field.description)]
        for name, field in Settings.model_fields.items()
    ]
    return table(["variable", "default", "meaning"], rows)


def default_of(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "`~/.cache/agent-memory-service`"
    value: Any = field.default
    if value is None or value == "" or isinstance(value, SecretStr):
        return "none"
    return f"`{value}`"


def series() -> str:
    """Every metric of the service, in the order of the code."""
    found = [m for m in vars(metrics).values() if isinstance(m, MetricWrapperBase)]
    return table(["metric", "kind", "labels", "meaning"], [metric_row(m) for m in found])


def metric_row(metric: MetricWrapperBase) -> list[str]:
    described = next(iter(metric.describe()))
    name = described.name + ("_total" if described.type == "counter" else "")
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)
    return [f"`{name}`", described.type, labels, described.documentation]


TABLES: dict[tuple[str, str], Callable[[], str]] = {
    ("errors.md", "problems"): problems,
    ("errors.md", "other errors"): other_errors,
    ("settings.md", "settings"): settings,
    ("operations.md", "metrics"): series,
}


def between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=\n<!-- /{name} -->)", re.DOTALL)


def written(document: str, name: str) -> str:
    """The table as it stands in the document; empty when it is not there."""
    found = between(name).search((DOCS / document).read_text(encoding="utf-8"))
    return found.group() if found else ""


def write_all() -> None:
    for (document, name), made in TABLES.items():
        path = DOCS / document
        text, count = between(name).subn(lambda _, made=made: made(), path.read_text(encoding="utf-8"))
        assert count == 1, f"{document} has no place for {name}"
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_all()
