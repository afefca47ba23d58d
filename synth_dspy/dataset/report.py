"""One page that shows a dataset: figures, funnel, plots, and a browser of its samples.

Statistics, samples and rejected samples enter, a self-contained `report.html` leaves: it opens from
a file, asks no network, and runs no script but its own. Whatever a sample holds is shown as text.
"""

from __future__ import annotations

import base64
import hashlib
import html
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import orjson

from synth_dspy.dataset import plot_style
from synth_dspy.dataset.plots import svg_plots
from synth_dspy.dataset.report_rows import browsable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from synth_dspy.dataset.rejected import Rejected
    from synth_dspy.records import Sample

MAX_SAMPLES = 2_000
"""Samples to browse, accepted and rejected together."""

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
    samples: Sequence[Sample],
    rejected: Sequence[Rejected],
    out: Path,
    run_dir: Path,
    *,
    name: str = "Dataset",
    max_samples: int = MAX_SAMPLES,
) -> Path:
    """Write the report; equal input gives an equal page.

    Args:
        out: the folder to write `report.html` to, or the file when it ends in `.html`.
        run_dir: what the samples' images are relative to.
        max_samples: of more, a selection is taken that keeps every type, category, split, modality
            and reason.

    Raises:
        StoreError: an image of a shown sample cannot be read.
    """
    rows = browsable(samples, rejected, run_dir=run_dir, limit=max_samples)
    script = _part("report.js")
    total = len(samples) + len(rejected)
    page = Template(_part("report.html.tmpl")).substitute(
        title=html.escape(name),
        css=_part("report.css"),
        script=script,
        script_hash=_hash(script),
        lead=_lead(stats),
        tiles=_tiles(stats),
        funnel=_funnel(stats),
        plots=_plots(stats, samples),
        shown_of=(
            f"{len(rows['items']):,} of {total:,}, of every kind some"
            if len(rows["items"]) < total
            else f"all {total:,}"
        ),
        footer=(
            "Made by synth-dspy. This page stands alone: it asks no network and runs no script "
            "but its own."
        ),
        data=_json(rows),
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


def _lead(stats: Mapping[str, Any]) -> str:
    counts, checked = stats["counts"], stats["verification"]
    parts = [
        f"{stats['total']:,} samples from {len(counts['source']):,} documents",
        ", ".join(f"{count:,} {plot_style.label(kind)}" for kind, count in counts["type"].items()),
    ]
    text = ": ".join(part for part in parts if part) + "."
    if checked["executed"]:
        where = ", ".join(checked["isolation"])
        text += f" The tests of {checked['executed']:,} code samples were executed ({where})."
    if checked["images_unseen"]:
        text += (
            f" The judge could not see the image of {checked['images_unseen']:,} samples and went "
            "by the caption."
        )
    return html.escape(text)


def _tiles(stats: Mapping[str, Any]) -> str:
    checked, usage, total = stats["verification"], stats["usage"], stats["total"]
    pictured = stats["counts"]["modality"].get("multimodal", 0)
    rate = checked["kill_rate"]
    reach = stats["coverage"]["chunks"]["share"]
    tiles = [
        (f"{total:,}", "samples"),
        (f"{pictured / total:.0%}" if total else "0%", "with an image"),
        (f"{checked['tests']:,}", "tests executed"),
        ("none run" if rate is None else f"{rate:.0%}", "of mutants killed"),
        ("none" if reach is None else f"{reach:.0%}", "of passages used"),
        (f"{stats['rejected']['total']:,}", "rejected"),
        (_short(usage["tokens"]), f"tokens in {usage['llm_calls']:,} calls"),
        (f"${usage['cost_usd']:,.2f}", "spent"),
    ]
    return "\n".join(
        f'<div class="tile"><b>{html.escape(value)}</b><span>{html.escape(what)}</span></div>'
        for value, what in tiles
    )


def _short(count: int) -> str:
    for size, unit in ((1_000_000_000, "B"), (1_000_000, "M"), (10_000, "k")):
        if count >= size:
            return f"{count / (1_000 if unit == 'k' else size):.3g}{unit}"
    return f"{count:,}"


def _funnel(stats: Mapping[str, Any]) -> str:
    if not stats["stages"]:
        return '<p class="hint">No stage left a summary.</p>'
    head = "".join(
        f"<th{extra}>{name}</th>"
        for name, extra in (
            ("stage", ""),
            ("in", ""),
            ("out", ""),
            ("", ' class="bar"'),
            ("dropped and failed", ' class="why"'),
            ("calls", ""),
            ("tokens", ""),
            ("cost", ""),
            ("seconds", ""),
        )
    )
    key = "".join(
        f'<span><i class="{kind}"></i>{kind}</span>' for kind in ("kept", "dropped", "failed")
    )
    rows = "\n".join(_funnel_row(stage) for stage in stats["stages"])
    return (
        f'<div class="key">{key}</div><div class="card funnel-frame"><table class="funnel">'
        f"<thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )


def _funnel_row(stage: Mapping[str, Any]) -> str:
    dropped, failed = sum(stage["dropped"].values()), stage["failed"]
    whole = max(stage["in"], dropped + failed, 1)
    parts = {"kept": whole - dropped - failed, "dropped": dropped, "failed": failed}
    bar = "".join(
        f'<i class="{kind}" style="flex: {count} 0 0"></i>'
        for kind, count in parts.items()
        if count
    )
    reasons = [(plot_style.label(r, 60), n) for r, n in stage["dropped"].items()]
    if failed:
        reasons.append(("failed", failed))
    why = ", ".join(f"{html.escape(reason)} <b>{count:,}</b>" for reason, count in reasons)
    asked = bool(stage["llm_calls"])
    cells = [
        f"<td>{html.escape(stage['stage'])}</td>",
        f"<td>{stage['in']:,}</td><td>{stage['out']:,}</td>",
        f'<td class="bar"><div class="share">{bar if stage["in"] else ""}</div></td>',
        f'<td class="why">{why}</td>',
        f"<td>{stage['llm_calls']:,}</td><td>{stage['tokens']:,}</td>"
        if asked
        else "<td></td><td></td>",
        f"<td>${stage['cost_usd']:,.4f}</td>" if stage["cost_usd"] else "<td></td>",
        f"<td>{stage['seconds']:,.1f}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _plots(stats: Mapping[str, Any], samples: Sequence[Sample]) -> str:
    """Every plot: narrow ones in two columns, then wide ones, then the redundant ones, folded."""
    narrow, wide, folded = [], [], []
    for plot, svg in svg_plots(stats, samples, _COLORS):
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
