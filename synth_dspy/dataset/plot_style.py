"""How every plot looks: one set of colours, sizes and axes.

Colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), which colour-blind people can tell
apart. It knows nothing of what is drawn.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION = "#0072b2", "#e69f00", "#009e73", "#d55e00"
SKY, PINK, GREY = "#56b4e9", "#cc79a7", "#9aa0a6"
PALE = "#d0d5dd"
SERIES = (BLUE, ORANGE, GREEN, VERMILION, SKY, PINK, GREY)
INK, MUTED, GRID, SURFACE = "#1f2430", "#667085", "#e4e7ec", "#ffffff"

_LEAST_ROWS = 2
_NO_MARKS: Mapping[int, float] = {}
_REST = re.compile(r"\d+ others")

STYLE: Mapping[str, Any] = {
    "figure.facecolor": SURFACE,
    "axes.facecolor": SURFACE,
    "savefig.facecolor": SURFACE,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9.5,
    "axes.edgecolor": GRID,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "synth-dspy",
}


def figure(title: str, *, width: float = 7.2, height: float = 4.0) -> Figure:
    """An empty figure of `width` x `height` inches with its title at the top left."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1, wspace=0.06, hspace=0.06)
    drawn = Figure(figsize=(width, height), layout=layout)
    drawn.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
    return drawn


def label(name: str, limit: int = 28) -> str:
    """A name as people read it: `code_generation` is "code generation"; long ones are cut."""
    text = name.replace("_", " ") if " " not in name else name
    return text if len(text) <= limit else text[: limit - 1] + "…"


def path_label(path: str, limit: int = 44) -> str:
    """A path cut at its start, so that the file's name stays."""
    return path if len(path) <= limit else "…" + path[-(limit - 1) :]


def bars(
    axes: Axes,
    tally: Mapping[str, int],
    *,
    color: str = BLUE,
    total: int = 0,
    room: float = 0.22,
    past: Mapping[int, float] = _NO_MARKS,
) -> None:
    """Horizontal bars, the first at the top, each with its count and, of a total, its share.

    A bar named "7 others" is grey. `room` is kept right of the longest bar, as a share of it;
    counts stand right of `past`, by place, where a mark is drawn. One bar alone stays a bar.
    """
    names, values = list(tally), list(tally.values())
    places = range(len(names))
    shown = [GREY if _REST.fullmatch(name) else color for name in names]
    axes.barh(places, values, color=shown, height=0.66)
    axes.set_yticks(places, names)
    bare(axes)
    axes.set_ylim(max(len(names), _LEAST_ROWS) - 0.55, -0.45)
    top = max(values, default=1) or 1
    axes.set_xlim(0, top * (1 + room))
    for place, value in zip(places, values, strict=True):
        at = max(value, past.get(place, 0))
        share = f"  {value / total:.0%}" if total else ""
        axes.text(at + top * 0.012, place, f"{value:,}", va="center", fontsize=9.5)
        if share:
            axes.text(
                top * (0.995 + room), place, share, va="center", ha="right", fontsize=9, color=MUTED
            )


def stacked(
    axes: Axes, rows: Sequence[str], series: Mapping[str, Sequence[float]], colors: Sequence[str]
) -> None:
    """Horizontal bars divided into series, the first row at the top, with a legend above."""
    left = [0.0] * len(rows)
    places = range(len(rows))
    for (name, values), color in zip(series.items(), colors, strict=False):
        axes.barh(places, values, left=left, color=color, height=0.66, label=name,
                  edgecolor=SURFACE, linewidth=0.8)  # fmt: skip
        left = [a + b for a, b in zip(left, values, strict=True)]
    axes.set_yticks(places, rows)
    axes.invert_yaxis()
    bare(axes)
    legend(axes, len(series))


def legend(axes: Axes, columns: int) -> None:
    """A legend in one line above the axes, at the left."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, borderaxespad=0.2,
        handlelength=1, handleheight=1, columnspacing=1.2, handletextpad=0.5,
    )  # fmt: skip


def bare(axes: Axes) -> None:
    """Horizontal bars need no x axis: their numbers are written beside them."""
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_color(GRID)
    axes.set_xticks([])
    axes.margins(y=0.02)


def histogram(axes: Axes, spread: Mapping[str, Any], *, color: str = BLUE, unit: str = "") -> None:
    """The histogram of a spread of statistics.py, its median marked."""
    if not spread.get("count"):
        empty(axes)
        return
    edges, tally = spread["histogram"]["edges"], spread["histogram"]["counts"]
    widths = [b - a for a, b in pairwise(edges)]
    axes.bar(edges[:-1], tally, width=widths, align="edge", color=color, linewidth=0.5,
             edgecolor=SURFACE)  # fmt: skip
    axes.yaxis.grid(visible=True)
    axes.spines["left"].set_visible(False)
    whole_numbers(axes)
    axes.axvline(spread["median"], color=INK, linewidth=1.2, linestyle=(0, (3, 2)))
    axes.set_xlabel(f"median {spread['median']:,}, longest {spread['max']:,} {unit}".rstrip())


def columns(axes: Axes, tally: Mapping[str, int], *, color: str = BLUE) -> None:
    """Vertical bars, each with its count on top."""
    places = range(len(tally))
    axes.bar(places, list(tally.values()), color=color, width=0.7)
    axes.set_xticks(places, list(tally))
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    top = max(tally.values(), default=1) or 1
    axes.set_ylim(0, top * 1.14)
    axes.set_xlim(-0.6, max(len(tally), 6) - 0.4)
    for place, value in zip(places, tally.values(), strict=True):
        axes.text(place, value + top * 0.02, f"{value:,}", ha="center", fontsize=9)


def whole_numbers(axes: Axes) -> None:
    """Counts on the y axis: no halves."""
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))


def empty(axes: Axes, text: str = "nothing to show") -> None:
    """Say that there is nothing, rather than draw an empty frame."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", color=MUTED, transform=axes.transAxes)
