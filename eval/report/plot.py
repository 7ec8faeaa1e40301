"""The plot of one run, one line for each system."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from eval.limits import CUTOFFS
from eval.rows import unwritable

_METRICS: Final = ("any", "all", "ndcg")
_MOST_LINES: Final = 12
"""More cannot be told apart."""


def plot(document: Mapping[str, Any], path: Path) -> None:
    """The benchmark's plot, as PNG. Raises EvalError when it cannot be written."""
    if document["benchmark"] == "sort":
        plot_sort(document, path)
    elif document["benchmark"] == "dmr":
        plot_bars(document, path)
    else:
        plot_retrieval(document, path)


def plot_retrieval(document: Mapping[str, Any], path: Path) -> None:
    """Three panels of turn metrics over the cutoff, and one of abstention where there is something to abstain from."""
    ranking = [system for system in document["systems"] if system["metrics"]][:_MOST_LINES]
    abstaining = [system for system in document["systems"] if system["abstention"]][:_MOST_LINES]
    figure, axes = _figure(document["benchmark"], len(_METRICS) + bool(abstaining))
    for axis, metric in zip(axes, _METRICS, strict=False):
        for system in ranking:
            values = [system["metrics"][f"turn.{metric}@{k}"] for k in CUTOFFS]
            axis.plot([str(k) for k in CUTOFFS], values, marker="o", label=system["name"])
        _dress(axis, f"turn {metric}@k")
    for system in abstaining:
        curve = system["abstention"]["curve"]
        axes[-1].plot([share for _, _, share in curve], [answered for _, answered, _ in curve], label=system["name"])
    if abstaining:
        _dress(axes[-1], "answered, over abstained")
    save(figure, path)


def plot_sort(document: Mapping[str, Any], path: Path) -> None:
    """Accuracy over the excerpt's length, a panel for each variant; half is chance."""
    variants = list(dict.fromkeys(name.partition(",")[0] for s in document["systems"] for name in s["by_group"]))
    figure, axes = _figure("SORT accuracy by excerpt length (words)", max(1, len(variants)))
    for axis, variant in zip(axes, variants, strict=False):
        for system in document["systems"][:_MOST_LINES]:
            own = {
                int(name.split()[1]): group["accuracy"]
                for name, group in system["by_group"].items()
                if name.startswith(f"{variant},")
            }
            lengths = sorted(own)
            axis.plot(
                [str(length) for length in lengths], [own[length] for length in lengths], "o-", label=system["name"]
            )
        axis.axhline(0.5, color="grey", linestyle=":")
        _dress(axis, variant)
    save(figure, path)


def plot_bars(document: Mapping[str, Any], path: Path) -> None:
    """One bar for each system and metric."""
    figure, axes = _figure(document["benchmark"], 1)
    for system in document["systems"]:
        for name, value in {**system["metrics"], **(system["qa"] or {})}.items():
            if name != "answered":
                axes[0].barh(f"{system['name']}: {name}", value)
    axes[0].set_xlim(0, 1)
    save(figure, path)


def _dress(axis: Any, title: str) -> None:
    axis.set_title(title)
    axis.set_ylim(0, 1.02)
    axis.grid(alpha=0.3)
    if axis.lines:
        axis.legend(fontsize=7, loc="lower right")


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
