"""One page that shows a dataset: figures, funnel, plots, and a browser of its records.

Statistics and shown records, rejected ones among them, enter; a self-contained `report.html`
leaves: it opens from a file, asks no network, and runs no script but its own. Whatever a record
holds is shown as text.
"""

from __future__ import annotations

import base64
import hashlib
import html
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import orjson

from synth_dspy.dataset import plot_style, report_figures
from synth_dspy.dataset.plots import svg_plots
from synth_dspy.dataset.report_rows import browsable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from synth_dspy.dataset.shown import Shown

MAX_SAMPLES = 2_000
"""Records to browse, accepted and rejected together."""

_COLORS = {
    plot_style.BLUE: "var(--blue)",
    plot_style.ORANGE: "var(--orange)",
    plot_style.GREEN: "var(--green)",
    plot_style.VERMILION: "var(--vermilion)",
    plot_style.SKY: "var(--sky)",
    plot_style.PINK: "var(--pink)",
    plot_style.GREY: "var(--grey)",
    plot_style.PALE: "var(--pale)",
    plot_style.INK: "var(--ink)",
    plot_style.MUTED: "var(--muted)",
    plot_style.GRID: "var(--grid)",
    plot_style.SURFACE: "var(--surface)",
}
_WIDE_POINTS = 700
_REPEATED = ("overview_dashboard", "drop_funnel")


def write_report(
    stats: Mapping[str, Any],
    rows: Sequence[Shown],
    out: Path,
    run_dir: Path,
    *,
    name: str = "Dataset",
    max_samples: int = MAX_SAMPLES,
) -> Path:
    """Write the report; equal input gives an equal page.

    Args:
        rows: what can be browsed; the accepted ones in the order of the dataset.
        out: the folder to write `report.html` to, or the file when it ends in `.html`.
        run_dir: what images are relative to.
        max_samples: of more, a selection is taken that keeps every type, category, split, modality
            and reason.

    Raises:
        StoreError: an image of a shown record cannot be read.
    """
    data = browsable(rows, run_dir=run_dir, limit=max_samples)
    script = _part("report.js")
    page = Template(_part("report.html.tmpl")).substitute(
        title=html.escape(name),
        css=_part("report.css"),
        script=script,
        script_hash=_hash(script),
        lead=report_figures.lead(stats),
        tiles=report_figures.tiles(stats),
        funnel=report_figures.funnel(stats),
        variety=report_figures.variety(stats),
        contamination=report_figures.contamination(stats),
        plots=_plots(stats),
        shown_of=(
            f"{len(data['items']):,} of {len(rows):,}, of every kind some"
            if len(data["items"]) < len(rows)
            else f"all {len(rows):,}"
        ),
        footer=(
            "Made by synth-dspy. This page stands alone: it asks no network and runs no script "
            "but its own."
        ),
        data=_json(data),
    )
    path = out if out.suffix == ".html" else out / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(page, encoding="utf-8")
    part.replace(path)
    return path


def _part(name: str) -> str:
    return files("synth_dspy.dataset").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """What lets this one script run under the page's content security policy."""
    found = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(found).decode()}"


def _json(rows: Mapping[str, Any]) -> str:
    """JSON that ends no script element and starts no comment, whatever strings it holds."""
    text = orjson.dumps(rows).decode()
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _plots(stats: Mapping[str, Any]) -> str:
    """Every plot: narrow ones in two columns, then wide ones, then the redundant ones, folded."""
    narrow, wide, folded = [], [], []
    for plot, svg in svg_plots(stats, _COLORS):
        label = html.escape(plot.caption)
        picture = svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
        if plot.name in _REPEATED:
            folded.append(
                f'<details class="card plot full" id="{plot.name}"><summary>As a plot: {label}'
                f"</summary>{picture}</details>"
            )
        elif _width(svg) > _WIDE_POINTS:
            wide.append(f'<figure class="card plot full" id="{plot.name}">{picture}</figure>')
        else:
            narrow.append(f'<figure class="card plot" id="{plot.name}">{picture}</figure>')
    return "\n".join(['<div class="halves">', *narrow, "</div>", *wide, *folded])


def _width(svg: str) -> float:
    box = svg.split('viewBox="', 1)[1].split('"', 1)[0]
    return float(box.split()[2])
