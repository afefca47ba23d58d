"""The plots of an analysis, by name: PNG files, and the same figures as SVG for the report.

The object of statistics.py enters, files and text leave. It knows neither stages nor
the report.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from synth_dspy.dataset import plots_making, plots_rows
from synth_dspy.dataset.plot_style import STYLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from matplotlib.figure import Figure

    Stats: TypeAlias = Mapping[str, Any]

_DPI = 144


class Plot(NamedTuple):
    """One plot.

    Attributes:
        name: of its file; caption: what it tells.
        needs: what of the statistics it draws, with dots; without it, it is left out.
    """

    name: str
    caption: str
    draw: Callable[[Stats], Figure]
    needs: tuple[str, ...] = ()


PLOTS: tuple[Plot, ...] = (
    Plot(
        "overview_dashboard", "The dataset on one page", plots_rows.overview,
        ("verification", "counts.modality", "counts.category", "counts.difficulty"),
    ),
    Plot(
        "split_distribution", "Rows by split, and what was asked for", plots_rows.splits,
        ("counts.split",),
    ),
    Plot("type_distribution", "Rows by type", plots_rows.types, ("counts.type",)),
    Plot("category_distribution", "Rows by category", plots_rows.categories, ("counts.category",)),
    Plot(
        "modality_distribution", "Rows with and without an image", plots_rows.modalities,
        ("counts.modality", "verification"),
    ),
    Plot("multimodal_breakdown", "Where the images are", plots_rows.multimodal, ("multimodal",)),
    Plot("source_analysis", "Rows by source document", plots_rows.sources, ("counts.source",)),
    Plot(
        "chunk_distribution", "The passages and how they were used", plots_making.chunks,
        ("chunks", "coverage"),
    ),
    Plot("diversity_sweep", "Variety against size", plots_making.sweep, ("sweep", "growth")),
    Plot("drop_funnel", "What fell away, where and why", plots_making.funnel),
    Plot("cost_by_stage", "Model calls, tokens and cost by stage", plots_making.cost),
    Plot("attempts", "How often each step had to ask", plots_making.attempts, ("attempts",)),
    Plot("mutants", "How strong the tests are", plots_making.mutants, ("verification",)),
    Plot("lengths", "How long the texts are", plots_rows.lengths),
)  # fmt: skip


def draw_plots(stats: Stats, out: Path) -> list[Path]:
    """Write every plot that has its figures as `<name>.png` to the folder `out`; equal input, equal
    bytes."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for plot, figure in _figures(stats):
        path = out / f"{plot.name}.png"
        figure.savefig(path, format="png", dpi=_DPI, metadata={"Software": None})
        written.append(path)
    return written


def svg_plots(stats: Stats, colors: Mapping[str, str]) -> Iterator[tuple[Plot, str]]:
    """Every plot that has its figures, as an `<svg>` element of a page: its font, no fixed size.

    Args:
        colors: colours of plot_style.py -> what the page uses in their place, `var(--ink)` for one.
    """
    for plot, figure in _figures(stats):
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        yield plot, _for_page(out.getvalue(), plot.name, colors)


def _figures(stats: Stats) -> Iterator[tuple[Plot, Figure]]:
    import matplotlib as mpl

    with mpl.rc_context(dict(STYLE)):
        for plot in PLOTS:
            if all(_has(stats, need) for need in plot.needs):
                yield plot, plot.draw(stats)


def _has(stats: Stats, need: str) -> bool:
    outer, _, inner = need.partition(".")
    return outer in stats and (not inner or inner in stats[outer])


def _for_page(svg: str, name: str, colors: Mapping[str, str]) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"'DejaVu Sans'[^;\"]*", "inherit", svg)
    svg = _numbered(svg, name)
    for color, variable in colors.items():
        svg = svg.replace(f"fill: {color}", f"fill: {variable}")
        svg = svg.replace(f"stroke: {color}", f"stroke: {variable}")
    return svg


def _numbered(svg: str, name: str) -> str:
    """`svg` with its ids by order of appearance: Matplotlib's differ in the last digit of a float
    from run to run, and may repeat between the plots of one page."""
    numbers: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        number = numbers.setdefault(found[2], len(numbers))
        return f"{found[1]}{name}-{number}"

    return re.sub(r'(\bid="|url\(#|href="#)([^")]+)', numbered, svg)
