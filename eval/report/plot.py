"""The plot of one run: recall over the cutoff, one line for each system."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from eval.limits import CUTOFFS
from eval.rows import unwritable

_METRICS: Final = ("any", "all", "ndcg")
_MOST_LINES: Final = 12
"""More cannot be told apart."""


def plot_retrieval(document: Mapping[str, Any], path: Path) -> None:
    """Three panels of turn metrics, as PNG. Raises EvalError when it cannot be written."""
    figure, axes = _figure(document["benchmark"], len(_METRICS))
    ranking = [system for system in document["systems"] if system["metrics"]][:_MOST_LINES]
    for axis, metric in zip(axes, _METRICS, strict=True):
        for system in ranking:
            values = [system["metrics"][f"turn.{metric}@{k}"] for k in CUTOFFS]
            axis.plot([str(k) for k in CUTOFFS], values, marker="o", label=system["name"])
        axis.set_title(f"turn {metric}@k")
        axis.set_ylim(0, 1.02)
        axis.grid(alpha=0.3)
    axes[-1].legend(fontsize=7, loc="lower right")
    save(figure, path)


def _figure(title: str, panels: int) -> tuple[Any, Any]:
    """Without a display: the Agg canvas draws to files only."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5 * panels, 4), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    return figure, figure.subplots(1, panels, squeeze=False)[0]


def save(figure: Any, path: Path) -> None:
    """Raises EvalError."""
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise unwritable(path, error) from error
