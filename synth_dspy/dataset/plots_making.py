"""Plots of how the dataset was made: passages, drops, cost, attempts, tests.

The object of statistics.py enters, figures leave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_dspy.dataset.plot_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MUTED,
    ORANGE,
    SERIES,
    SKY,
    VERMILION,
    bare,
    bars,
    columns,
    empty,
    figure,
    histogram,
    label,
    stacked,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

_QUALITY_COLORS = {"HIGH": GREEN, "MEDIUM": ORANGE, "LOW": VERMILION}
_MANY_ATTEMPTS = 4


def chunks(stats: Mapping[str, Any]) -> Figure:
    """Length and quality of the passages, and how often passages and images were used."""
    made, cover = stats["chunks"], stats["coverage"]
    drawn = figure(f"{made['total']:,} passages, and how they were used", width=11, height=6.2)
    length, quality, reuse, images = drawn.subplots(2, 2).ravel()
    length.set_title("Length of a passage")
    histogram(length, made["chars"], unit="characters")
    quality.set_title("Quality")
    if made["quality"]:
        bars(quality, made["quality"], total=made["total"])
        for bar, name in zip(quality.patches, made["quality"], strict=True):
            bar.set_color(_QUALITY_COLORS.get(name, GREY))
    else:
        empty(quality)
    for axes, what, color in ((reuse, "chunk", BLUE), (images, "image", SKY)):
        share = cover[f"{what}s"]
        axes.set_title(f"Samples of one {'passage' if what == 'chunk' else 'image'}")
        if share["used"]:
            columns(axes, _tail(cover[f"{what}_reuse"]), color=color)
            axes.set_xlabel(f"{share['used']:,} of {share['total']:,} used ({share['share']:.0%})")
        else:
            empty(axes, "none used")
    return drawn


def sweep(stats: Mapping[str, Any]) -> Figure:
    """What other diversity weights would have chosen; without that, variety against size."""
    points: Sequence[Mapping[str, float]] = stats["sweep"] or stats["growth"]
    if stats["sweep"]:
        title, across, at = (
            "What other diversity weights would do",
            "diversity weight",
            "diversity_weight",
        )
        names: tuple[str, ...] = ("chunk_coverage", "image_coverage", "mean_quality")
    else:
        title, across, at = "Variety as the dataset grows", "samples, by rank", "samples"
        names = ("distinct_2", "chunk_coverage")
    drawn = figure(title)
    axes = drawn.subplots()
    shown = [name for name in names if any(name in point for point in points)]
    if not shown:
        empty(axes)
        return drawn
    ends = {name: [p[name] for p in points if name in p][-1] for name in shown}
    heights = _apart(ends)
    for name, color in zip(shown, SERIES, strict=False):
        line = [(point[at], point[name]) for point in points if name in point]
        axes.plot(*zip(*line, strict=True), color=color, linewidth=2.2, marker="o", markersize=3.5)
        axes.annotate(
            f"{_MEANING[name]}  {ends[name]:.0%}", (line[-1][0], heights[name]), xytext=(8, 0),
            textcoords="offset points", va="center", color=color, fontweight="bold", fontsize=9.5,
        )  # fmt: skip
    first, last = points[0][at], points[-1][at]
    axes.set_xlim(min(first, 0), last + (last - min(first, 0)) * 0.36)
    axes.set_xticks([tick for tick in axes.get_xticks() if min(first, 0) <= tick <= last])
    axes.set_ylim(0, 1.05)
    axes.tick_params(axis="x", pad=7)  # else the 0 of both axes touch
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.yaxis.grid(visible=True)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(across, loc="left")
    return drawn


def _apart(ends: Mapping[str, float], gap: float = 0.075) -> dict[str, float]:
    """Heights of labels near the ends of their lines, none over another."""
    heights: dict[str, float] = {}
    top = 1.0 + gap
    for name in sorted(ends, key=lambda name: (-ends[name], name)):
        top = min(ends[name], top - gap)
        heights[name] = top
    return heights


_MEANING = {
    "chunk_coverage": "passages used",
    "image_coverage": "images used",
    "mean_quality": "quality",
    "distinct_2": "distinct word pairs",
}


def funnel(stats: Mapping[str, Any]) -> Figure:
    """By stage: what was kept, dropped and failed, as shares of what came in."""
    stages = [stage for stage in stats["stages"] if stage["in"]]
    drawn = figure(
        "What fell away, where and why", width=11, height=1.7 + 0.42 * max(3, len(stages))
    )
    axes = drawn.subplots()
    if not stages:
        empty(axes, "no stage summaries")
        return drawn
    lost = [(sum(stage["dropped"].values()), stage["failed"]) for stage in stages]
    whole = [max(s["in"], d + f) for s, (d, f) in zip(stages, lost, strict=True)]
    series = {
        "kept": [1 - (d + f) / w for (d, f), w in zip(lost, whole, strict=True)],
        "dropped": [d / w for (d, _), w in zip(lost, whole, strict=True)],
        "failed": [f / w for (_, f), w in zip(lost, whole, strict=True)],
    }
    stacked(axes, [label(s["stage"]) for s in stages], series, (BLUE, ORANGE, VERMILION))
    axes.set_xlim(0, 1.9)
    for place, (stage, (dropped, failed)) in enumerate(zip(stages, lost, strict=True)):
        kept = f"{stage['in']:,} in, {stage['out']:,} out"
        axes.text(1.02, place, kept, va="center", fontsize=9.5, color=INK)
        if dropped or failed:
            axes.text(1.31, place, _why(stage), va="center", fontsize=8.8, color=MUTED)
    return drawn


def _why(stage: Mapping[str, Any]) -> str:
    named = [f"{label(reason)} {count:,}" for reason, count in stage["dropped"].items()]
    if stage["failed"]:
        named.append(f"failed {stage['failed']:,}")
    more = f", {len(named) - 3} more" if len(named) > 3 else ""
    text = ", ".join(named[:3]) + more
    return text if len(text) <= 62 else text[:61] + "…"


def cost(stats: Mapping[str, Any]) -> Figure:
    """Calls, tokens and dollars by stage, of the stages that asked a model."""
    stages = [stage for stage in stats["stages"] if stage["llm_calls"] or stage["tokens"]]
    drawn = figure("What asking the models took", width=11, height=1.7 + 0.34 * max(3, len(stages)))
    if not stages:
        empty(drawn.subplots(), "no stage asked a model")
        return drawn
    names = [label(stage["stage"]) for stage in stages]
    sides = (
        ("Calls", "llm_calls", BLUE),
        ("Tokens", "tokens", GREEN),
        ("US dollars", "cost_usd", ORANGE),
    )
    for axes, (title, key, color) in zip(drawn.subplots(1, 3, sharey=True), sides, strict=True):
        values = [stage[key] for stage in stages]
        axes.set_title(title)
        top = max(values) or 1
        axes.barh(range(len(names)), values, color=color, height=0.66)
        axes.set_yticks(range(len(names)), names)
        bare(axes)
        axes.set_xlim(0, top * 1.3)
        for place, value in enumerate(values):
            shown = f"{value:,.4f}" if key == "cost_usd" and value else f"{value:,.0f}"
            axes.text(value + top * 0.02, place, shown, va="center", fontsize=9.5)
        axes.set_ylim(len(names) - 0.4, -0.6)
    return drawn


def attempts(stats: Mapping[str, Any]) -> Figure:
    """Accepted samples by step and by how often the step had to ask."""
    steps = stats["attempts"]
    drawn = figure("How often each step had to ask", height=1.9 + 0.4 * max(2, len(steps)))
    axes = drawn.subplots()
    if not steps:
        empty(axes)
        return drawn
    series: dict[str, list[float]] = {}
    for times in range(1, _MANY_ATTEMPTS + 1):
        name = (
            f"{times} or more"
            if times == _MANY_ATTEMPTS
            else ("once" if times == 1 else f"{times} times")
        )
        series[name] = [float(_asked(tally, times)) for tally in steps.values()]
    stacked(axes, [label(name) for name in steps], series, (BLUE, SKY, ORANGE, VERMILION))
    for place, tally in enumerate(steps.values()):
        total = sum(tally.values())
        mean = sum(int(times) * count for times, count in tally.items()) / total
        axes.text(total * 1.015, place, f"mean {mean:.2f}", va="center", fontsize=9, color=MUTED)
    axes.set_xlim(0, max(sum(tally.values()) for tally in steps.values()) * 1.16)
    return drawn


def _asked(tally: Mapping[str, int], times: int) -> int:
    if times == _MANY_ATTEMPTS:
        return sum(count for asked, count in tally.items() if int(asked) >= times)
    return sum(count for asked, count in tally.items() if max(1, int(asked)) == times)


def mutants(stats: Mapping[str, Any]) -> Figure:
    """Share of mutants that the tests of a sample kill, and how many tests it has."""
    checked = stats["verification"]
    drawn = figure("How strong the tests are", width=11, height=3.8)
    rates, tests = drawn.subplots(1, 2)
    rates.set_title("Mutants killed, of a sample's mutants")
    if checked["kill_rates"]:
        steps = {f"{p}%": checked["kill_rates"].get(str(p), 0) for p in range(0, 101, 10)}
        first = next((at for at, value in enumerate(steps.values()) if value), 0)
        columns(rates, dict(list(steps.items())[min(first, 6) :]), color=GREEN)
        rates.set_xlabel(
            f"{checked['mutants_killed']:,} of {checked['mutants_run']:,} mutants killed "
            f"({checked['kill_rate']:.0%}); a bar holds its share and up to 10% more"
        )
    else:
        empty(rates, "no mutants were run")
    tests.set_title("Tests of a sample")
    if checked["tests_by_sample"]:
        columns(tests, _tail(checked["tests_by_sample"], 12), color=BLUE)
        tests.set_xlabel(f"{checked['tests']:,} tests in {checked['executed']:,} code samples")
    else:
        empty(tests, "no code samples")
    return drawn


def _tail(tally: Mapping[str, int], most: int = 10) -> dict[str, int]:
    """A histogram over whole numbers whose last bar holds all above."""
    shown = {value: count for value, count in tally.items() if int(value) < most}
    rest = sum(tally.values()) - sum(shown.values())
    return shown | ({f"{most}+": rest} if rest else {})
