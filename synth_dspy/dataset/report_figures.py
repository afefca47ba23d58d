"""The figures of a report as HTML: lead, tiles, funnel, variety, contamination.

The object of statistics.py, or of row_statistics.py, enters; escaped HTML leaves.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from synth_dspy.dataset import plot_style
from synth_dspy.dataset.split import unfilled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HITS = 200


def lead(stats: Mapping[str, Any]) -> str:
    """What it is, in a few sentences."""
    counts, checked = stats["counts"], stats.get("verification") or {}
    kinds = ", ".join(f"{n:,} {plot_style.label(kind)}" for kind, n in counts["type"].items())
    text = f"{stats['total']:,} rows from {len(counts['source']):,} sources"
    text += f": {kinds}." if kinds else "."
    if checked.get("executed"):
        where = ", ".join(checked["isolation"])
        text += f" The tests of {checked['executed']:,} code samples were executed ({where})."
    if checked.get("images_unseen"):
        text += (
            f" The judge could not see the image of {checked['images_unseen']:,} samples and went "
            "by the caption."
        )
    ratios = stats.get("splits", {}).get("ratios", {})
    if empty := unfilled(counts["split"], ratios) if counts["split"] else []:
        text += f" There are too few rows to fill {' and '.join(empty)}."
    return html.escape(text)


def tiles(stats: Mapping[str, Any]) -> str:
    """The figures on top; those that a recipe does not have are left out."""
    checked, usage, total = stats.get("verification"), stats["usage"], stats["total"]
    shown = [(f"{total:,}", "rows")]
    if (modality := stats["counts"].get("modality")) is not None:
        share = modality.get("multimodal", 0) / total if total else 0
        shown.append((f"{share:.0%}", "with an image"))
    if checked is not None:
        rate = checked["kill_rate"]
        shown.append((f"{checked['tests']:,}", "tests executed"))
        shown.append(("none run" if rate is None else f"{rate:.0%}", "of mutants killed"))
    if "coverage" in stats:
        reach = stats["coverage"]["chunks"]["share"]
        shown.append(("none" if reach is None else f"{reach:.0%}", "of passages used"))
    shown += [
        (f"{stats['rejected']['total']:,}", "rejected"),
        (_short(usage["tokens"]), f"tokens, {usage['llm_calls']:,} calls"),
        (f"${usage['cost_usd']:,.2f}", "spent"),
    ]
    return _tiles(shown)


def variety(stats: Mapping[str, Any]) -> str:
    """How varied the rows are, each measure with how to read it."""
    found = stats["diversity"]
    shown = [
        (_figure(found[name]), f"{said}; {better}")
        for name, said, better in _MEASURES
        if found.get(name) is not None
    ]
    return _tiles(shown) or '<p class="hint">Too few rows to measure.</p>'


_MEASURES = (
    ("distinct_1", "distinct words", "higher is more varied"),
    ("distinct_2", "distinct pairs of words", "higher is more varied"),
    ("distinct_3", "distinct runs of three", "higher is more varied"),
    ("self_bleu", "self-BLEU", "lower is more varied"),
    ("compression_ratio", "compression ratio", "lower is more varied"),
    ("embedding_dispersion", "embedding dispersion", "higher is more varied"),
    ("clusters", "clusters of wording", "more is more varied"),
    ("unique_share", "unique", "1 when none is repeated"),
)


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


def contamination(stats: Mapping[str, Any]) -> str:
    """Against which benchmarks rows were checked, and every item that was found."""
    found = stats.get("contamination")
    if found is None:
        return '<p class="hint">The rows were not compared with any benchmark.</p>'
    head = "".join(
        f"<th>{name}</th>"
        for name in ("benchmark", "items", "found", "passages dropped", "rows dropped")
    )
    rows = "".join(
        f"<tr><td>{html.escape(b['name'])}</td><td>{b['items']:,}</td><td>{b['found']:,}</td>"
        f"<td>{b['dropped_passages']:,}</td><td>{b['dropped_samples']:,}</td></tr>"
        for b in found["benchmarks"]
    )
    hits = [*found["passages"], *found["samples"]]
    lines = "".join(
        f"<li><b>{html.escape(hit['item'])}</b> of {html.escape(hit['benchmark'])} in "
        f"{html.escape(hit['source'])}, by {html.escape(hit['layer'])} ({hit['overlap']:.2f})"
        f"<code>{html.escape(hit['excerpt'])}</code></li>"
        for hit in hits[:_HITS]
    )
    more = f"<li>and {len(hits) - _HITS:,} more in contamination.json</li>" if hits[_HITS:] else ""
    listed = (
        f'<details class="card hits"><summary>Every hit ({len(hits):,})</summary>'
        f"<ul>{lines}{more}</ul></details>"
    )
    return (
        f'<div class="card funnel-frame"><table class="funnel"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{listed if hits else ''}"
    )


def _tiles(shown: Sequence[tuple[str, str]]) -> str:
    return "\n".join(
        f'<div class="tile"><b>{html.escape(value)}</b><span>{html.escape(what)}</span></div>'
        for value, what in shown
    )


def _short(count: int) -> str:
    for size, unit in ((1_000_000_000, "B"), (1_000_000, "M"), (10_000, "k")):
        if count >= size:
            return f"{count / (1_000 if unit == 'k' else size):.3g}{unit}"
    return f"{count:,}"


def funnel(stats: Mapping[str, Any]) -> str:
    """Every stage: what came in and went out, what fell away and why, what it took."""
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
