"""The plots of an analysis, by name: PNG files, and the same figures as SVG for the report.

The object of statistics.py and the samples enter, files and text leave. It knows neither stages nor
the report.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from synth_dspy.dataset import plots_making, plots_rows
from synth_dspy.dataset.plot_style import STYLE
from synth_dspy.dataset.statistics import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from synth_dspy.records import Sample

    Stats: TypeAlias = Mapping[str, Any]

_DPI = 144


class Plot(NamedTuple):
    """One plot: the name of its file, what it tells, and what draws it."""

    name: str
    caption: str
    draw: Callable[[Stats], Figure]


PLOTS: tuple[Plot, ...] = (
    Plot("overview_dashboard", "The dataset on one page", plots_rows.overview),
    Plot("split_distribution", "Rows by split, and what was asked for", plots_rows.splits),
    Plot("type_distribution", "Rows by question type", plots_rows.types),
    Plot("category_distribution", "Rows by category", plots_rows.categories),
    Plot("modality_distribution", "Rows with and without an image", plots_rows.modalities),
    Plot("multimodal_breakdown", "Where the images are", plots_rows.multimodal),
    Plot("source_analysis", "Rows by source document", plots_rows.sources),
    Plot("chunk_distribution", "The passages and how they were used", plots_making.chunks),
    Plot("diversity_sweep", "Variety against size", plots_making.sweep),
    Plot("drop_funnel", "What fell away, where and why", plots_making.funnel),
    Plot("cost_by_stage", "Model calls, tokens and cost by stage", plots_making.cost),
    Plot("attempts", "How often each step had to ask", plots_making.attempts),
    Plot("mutants", "How strong the tests are", plots_making.mutants),
    Plot("lengths", "How long the texts are", plots_rows.lengths),
)


def draw_plots(stats: Stats, samples: Sequence[Sample], out: Path) -> list[Path]:
    """Write every plot of `PLOTS` as `<name>.png` to the folder `out`; equal input, equal bytes."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for plot, figure in _figures(stats, samples):
        path = out / f"{plot.name}.png"
        figure.savefig(path, format="png", dpi=_DPI, metadata={"Software": None})
        written.append(path)
    return written


def svg_plots(
    stats: Stats, samples: Sequence[Sample], colors: Mapping[str, str]
) -> Iterator[tuple[Plot, str]]:
    """Every plot as an `<svg>` element that stands in a page: the page's font, no fixed size.

    Args:
        colors: colours of plot_style.py -> what the page uses in their place, `var(--ink)` for one.
    """
    for plot, figure in _figures(stats, samples):
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        yield plot, _for_page(out.getvalue(), plot.name, colors)


def _figures(stats: Stats, samples: Sequence[Sample]) -> Iterator[tuple[Plot, Figure]]:
    import matplotlib as mpl

    by_type = {kind: spread(_lengths(samples, kind)) for kind in stats["counts"]["type"]}
    with mpl.rc_context(dict(STYLE)):
        for plot in PLOTS:
            yield plot, plot.draw({**stats, "answer_lengths": by_type})


def _lengths(samples: Sequence[Sample], kind: str) -> list[int]:
    return [len(sample.answer) for sample in samples if sample.type == kind]


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
