"""Plots of the rows: how many of what kind, from where, how long.

The object of statistics.py enters, figures leave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_dspy.dataset.plot_style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PALE,
    PINK,
    SERIES,
    SKY,
    bars,
    empty,
    figure,
    histogram,
    label,
    path_label,
    stacked,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SOURCES = 18


def overview(stats: Mapping[str, Any]) -> Figure:
    """The dataset on one page."""
    counts, total = stats["counts"], stats["total"]
    drawn = figure("The dataset at a glance", width=11.5, height=7.4)
    grid = drawn.add_gridspec(3, 3, height_ratios=(0.42, 1, 1))
    _headline(drawn.add_subplot(grid[0, :]), stats)
    panels = (
        ("Split", counts["split"], BLUE),
        ("Type", counts["type"], GREEN),
        ("Modality", counts["modality"], SKY),
        ("Category", _most(counts["category"], 7), ORANGE),
        ("Difficulty", counts["difficulty"], PINK),
        ("Dropped, by reason", _most(_reasons(stats), 7), MUTED),
    )
    for place, (title, tally, color) in enumerate(panels):
        axes = drawn.add_subplot(grid[1 + place // 3, place % 3])
        axes.set_title(title)
        if tally:
            shares = total if title != "Dropped, by reason" else 0
            bars(
                axes,
                {label(n, 22): v for n, v in tally.items()},
                color=color,
                total=shares,
                room=0.45,
            )
        else:
            empty(axes)
    return drawn


def _headline(axes: Axes, stats: Mapping[str, Any]) -> None:
    checked, usage = stats["verification"], stats["usage"]
    total = stats["total"] or 1
    rate = checked["kill_rate"]
    figures = (
        ("samples", f"{stats['total']:,}"),
        ("with an image", f"{stats['counts']['modality'].get('multimodal', 0) / total:.0%}"),
        ("tests executed", f"{checked['tests']:,}"),
        ("mutants killed", f"{rate:.0%}" if rate is not None else "none"),
        ("sources used", f"{len(stats['counts']['source']):,}"),
        ("model calls", f"{usage['llm_calls']:,}"),
        ("cost", f"${usage['cost_usd']:,.2f}"),
    )
    axes.set_axis_off()
    axes.set_xlim(0, len(figures))
    for place, (name, value) in enumerate(figures):
        axes.text(place, 0.62, value, fontsize=19, fontweight="bold", color=INK, va="center")
        axes.text(place, 0.08, name, fontsize=9.5, color=MUTED, va="center")
    axes.set_ylim(-0.2, 1)


def splits(stats: Mapping[str, Any]) -> Figure:
    """Rows by split, with a mark where the asked ratio would be."""
    tally, total = stats["counts"]["split"], stats["total"]
    drawn = figure("Rows by split", height=_height(tally))
    axes = drawn.subplots()
    ratios = stats.get("splits", {}).get("ratios", {})
    asked = [(place, ratios[name] * total) for place, name in enumerate(tally) if name in ratios]
    bars(axes, tally, total=total, past=dict(asked))
    for place, value in asked:
        axes.plot([value, value], [place - 0.43, place + 0.43], color=INK, linewidth=1.6)
    if asked:
        axes.set_xlabel("a mark shows where the asked ratio would be", loc="left")
    return drawn


def types(stats: Mapping[str, Any]) -> Figure:
    """Rows by question type."""
    drawn = figure("Rows by type", height=_height(stats["counts"]["type"]))
    tally = {label(name): value for name, value in stats["counts"]["type"].items()}
    bars(drawn.subplots(), tally, color=GREEN, total=stats["total"])
    return drawn


def categories(stats: Mapping[str, Any]) -> Figure:
    """Rows by category, all of them."""
    tally = {label(name, 40): value for name, value in stats["counts"]["category"].items()}
    drawn = figure("Rows by category", height=_height(tally, 0.38))
    bars(drawn.subplots(), tally, color=ORANGE, total=stats["total"])
    return drawn


def modalities(stats: Mapping[str, Any]) -> Figure:
    """Rows with and without an image, and whether the judge could see it."""
    drawn = figure("Rows with and without an image", height=2.3)
    tally, checked = stats["counts"]["modality"], stats["verification"]
    axes = drawn.subplots()
    bars(axes, tally, color=SKY, total=stats["total"])
    if tally.get("multimodal"):
        axes.set_xlabel(
            f"of the images, the judge saw {checked['images_seen']:,}; "
            f"{checked['images_unseen']:,} were judged by their caption only",
            loc="left",
        )
    return drawn


def multimodal(stats: Mapping[str, Any]) -> Figure:
    """Rows with an image by split, type and category."""
    sides = stats["multimodal"]
    most = max((len(rows) for rows in sides.values()), default=1)
    drawn = figure("Where the images are", width=11.5, height=2.0 + 0.34 * max(3, most))
    for axes, (side, rows) in zip(drawn.subplots(1, 3), sides.items(), strict=True):
        axes.set_title(f"By {side}", pad=24)
        if not rows:
            empty(axes)
            continue
        series = {name: [rows[row][name] for row in rows] for name in ("multimodal", "text")}
        stacked(axes, [label(row, 20) for row in rows], series, (SKY, PALE))
        for place, row in enumerate(rows.values()):
            whole = sum(row.values())
            axes.text(whole * 1.02, place, f"{row['multimodal'] / whole:.0%}", va="center",
                      fontsize=9, color=MUTED)  # fmt: skip
        axes.set_xlim(0, max(sum(row.values()) for row in rows.values()) * 1.16)
    return drawn


def sources(stats: Mapping[str, Any]) -> Figure:
    """Rows by source document, the busiest first."""
    tally = {path_label(k): v for k, v in _most(stats["counts"]["source"], _SOURCES).items()}
    drawn = figure(
        f"Rows by source document ({len(stats['counts']['source']):,} used)",
        height=1.4 + 0.27 * max(4, len(tally)),
    )
    axes = drawn.subplots()
    if tally:
        bars(axes, tally, total=stats["total"])
    else:
        empty(axes)
    return drawn


def lengths(stats: Mapping[str, Any]) -> Figure:
    """Characters of questions, answers by type, and tests."""
    texts = stats["lengths"]
    named = {
        **{name: texts[name] for name in ("question", "text") if name in texts},
        **{f"answer of {label(k)}": v for k, v in stats.get("answer_lengths", {}).items()},
        **({"test": texts["test_code"]} if "test_code" in texts else {}),
    }
    rows = (len(named) + 2) // 3
    drawn = figure("How long the texts are", width=11, height=1.0 + 2.3 * rows)
    panels = drawn.subplots(rows, 3, squeeze=False).ravel()
    for axes, (name, spread), color in zip(panels, named.items(), SERIES * 3, strict=False):
        axes.set_title(name)
        histogram(axes, spread, color=color, unit="characters")
    for axes in panels[len(named) :]:
        axes.set_axis_off()
    return drawn


def _height(tally: Mapping[str, int], bar: float = 0.48) -> float:
    """Inches that so many bars take, with title and axis."""
    return 1.3 + bar * max(2, len(tally))


def _most(tally: Mapping[str, int], limit: int) -> dict[str, int]:
    """The first `limit` of `tally`; the rest are one bar."""
    if len(tally) <= limit:
        return dict(tally)
    names = list(tally)
    rest = names[limit - 1 :]
    return {n: tally[n] for n in names[: limit - 1]} | {
        f"{len(rest)} others": sum(tally[n] for n in rest)
    }


def _reasons(stats: Mapping[str, Any]) -> dict[str, int]:
    tally: dict[str, int] = {}
    for stage in stats["stages"]:
        for reason, count in stage["dropped"].items():
            tally[reason] = tally.get(reason, 0) + count
    return dict(sorted(tally.items(), key=lambda item: (-item[1], item[0])))
