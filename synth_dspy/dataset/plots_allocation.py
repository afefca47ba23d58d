"""Plots of an allocation: how a plan uses its passages, and what other settings would do.

The figures of a coverage or of a sweep enter, PNG files leave. It knows no chunk and no task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth_dspy.dataset.plot_style import (
    BLUE,
    GREEN,
    ORANGE,
    STYLE,
    VERMILION,
    bars,
    columns,
    figure,
    legend,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 144


def draw_sweep(sweep: Mapping[str, Any], path: Path) -> None:
    """Write the three sweeps side by side."""
    _write(path, lambda: _sweep(sweep))


def draw_coverage(found: Mapping[str, Any], reuse: Mapping[str, int], path: Path) -> None:
    """Write how many passages and images a plan uses, and how often.

    Args:
        found: a coverage; reuse: by number of tasks, how many passages have so many.
    """
    _write(path, lambda: _coverage(found, reuse))


def _write(path: Path, draw: Any) -> None:
    import matplotlib as mpl

    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(dict(STYLE)):
        draw().savefig(path, format="png", dpi=_DPI, metadata={"Software": None})


def _sweep(sweep: Mapping[str, Any]) -> Figure:
    drawn = figure("What other settings would do", width=11.0, height=4.0)
    left, middle, right = drawn.subplots(1, 3)
    points = sweep["diversity_weight"]
    _lines(left, points, "diversity_weight", {
        "passages used": ("chunk_coverage", BLUE), "quality": ("mean_quality", ORANGE),
    })  # fmt: skip
    left.set_ylim(0, 1.05)
    left.set_xlabel("diversity_weight")
    points = sweep["over_allocation_factor"]
    _lines(middle, points, "over_allocation_factor", {
        "tasks": ("tasks", BLUE), "accepted, expected": ("expected_accepted", GREEN),
    })  # fmt: skip
    middle.axhline(sweep["target_samples"], color=VERMILION, linewidth=1, linestyle=(0, (3, 2)))
    middle.set_ylim(bottom=0)
    middle.set_xlabel("over_allocation_factor; dashed: the target")
    points = sweep["target"]
    _lines(right, points, "target_samples", {
        "asked": ("target_samples", BLUE), "reachable": ("reachable", GREEN),
    })  # fmt: skip
    right.set_ylim(bottom=0)
    right.set_xlabel("target_samples")
    return drawn


def _lines(
    axes: Any,
    points: Sequence[Mapping[str, float]],
    x: str,
    series: Mapping[str, tuple[str, str]],
) -> None:
    for name, (y, color) in series.items():
        axes.plot([p[x] for p in points], [p[y] for p in points], color=color, marker="o",
                  markersize=4, linewidth=1.6, label=name)  # fmt: skip
    axes.yaxis.grid(visible=True)
    axes.spines["left"].set_visible(False)
    legend(axes, len(series))


def _coverage(found: Mapping[str, Any], reuse: Mapping[str, int]) -> Figure:
    drawn = figure("How the plan uses its passages", width=9.0, height=3.2)
    left, right = drawn.subplots(1, 2)
    used = {
        "passages used": found["chunks_used"],
        "passages unused": found["chunks"] - found["chunks_used"],
        "images used": found["images_used"],
        "images unused": found["images"] - found["images_used"],
    }
    bars(left, used)
    columns(right, reuse)
    right.set_xlabel("tasks a passage")
    return drawn
