"""The dataset card: what a person must know before using the rows.

Facts enter, the text of `README.md` leaves: YAML that the Hub reads, then sections. Equal facts
give an equal card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from synth_dspy.dataset.card_checks import scanned, verified
from synth_dspy.dataset.card_facts import CardFacts, ModelFact, SourceFact
from synth_dspy.dataset.markdown import bullets, code_span, percent, plain, table
from synth_dspy.dataset.split import unfilled

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CardFacts", "ModelFact", "SourceFact", "dataset_card"]

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_SOURCES_SHOWN = 200
_TASKS = {
    "qa": "question-answering", "summary": "summarization", "caption": "image-to-text",
    "pair-score": "sentence-similarity", "pair": "sentence-similarity",
    "triplet": "sentence-similarity", "pair-class": "text-classification",
}  # fmt: skip
"""The Hub's names for what rows of a type are good for; all else is text generation."""


def dataset_card(facts: CardFacts) -> str:
    """The card in Markdown, with its YAML head."""
    sections = (
        f"# {plain(facts.name)}",
        facts.description.strip(),
        _what(facts),
        _how(facts),
        _numbers(facts),
        verified(facts),
        _funnel(facts),
        _models(facts),
        _sources(facts),
        _limits(facts),
        _reproduce(facts),
    )
    return _head(facts) + "\n\n".join(section for section in sections if section) + "\n"


def _head(facts: CardFacts) -> str:
    counts, total = facts.statistics["counts"], facts.statistics["total"]
    tasks = sorted({_TASKS.get(kind, "text-generation") for kind in counts["type"]})
    if counts.get("modality", {}).get("multimodal"):
        tasks.append("image-text-to-text")
    size = next((name for limit, name in _SIZES if total < limit), "1M<n<10M")
    head: dict[str, Any] = {
        "pretty_name": " ".join(facts.name.split()),
        "language": [facts.language],
        "task_categories": tasks or ["text-generation"],
        "size_categories": [size],
        "tags": ["synthetic", "synth-dspy", *(["code"] if _code(facts) else [])],
    }
    if counts["split"]:
        files = [{"split": split, "path": f"data/{split}-*"} for split in counts["split"]]
        head["configs"] = [{"config_name": "default", "data_files": files}]
    if facts.license:
        head["license"] = facts.license
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{text}---\n\n"


def _what(facts: CardFacts) -> str:
    counts, total = facts.statistics["counts"], facts.statistics["total"]
    rows = [(f"`{name}`", meaning) for name, meaning in facts.columns.items()]
    kinds = [
        (f"`{plain(kind)}`", f"{count:,}", plain(facts.types.get(kind, "")))
        for kind, count in counts["type"].items()
    ]
    told = "\n\n" + table(("type", "rows", "what a row is"), kinds) if facts.types else ""
    return (
        "## What it is\n\n"
        f"{total:,} rows made from {len(facts.sources) or len(counts['source']):,} documents by "
        f"synth-dspy{f' {facts.version}' if facts.version else ''}, recipe "
        f"`{facts.recipe}`. Each row says in its `metadata` where it came from and how it was "
        "checked.\n\n" + table(("column", "content"), rows) + told
    )


def _how(facts: CardFacts) -> str:
    stages = [stage["stage"] for stage in facts.statistics["stages"]]
    order = (
        f"Stages, in order: {', '.join(f'`{stage}`' for stage in stages)}.\n\n" if stages else ""
    )
    return f"## How it was made\n\n{order}{facts.how}"


def _numbers(facts: CardFacts) -> str:
    counts, total = facts.statistics["counts"], facts.statistics["total"]
    parts = ["## Counts"]
    for side in ("split", "type", "modality", "difficulty", "category"):
        tally = counts.get(side, {})
        rows = [(plain(k), f"{v:,}", percent(v, total)) for k, v in tally.items()]
        if rows:
            parts.append(table((side, "rows", "share"), rows))
    ratios = facts.statistics.get("splits", {}).get("ratios", {})
    if empty := unfilled(counts["split"], ratios) if counts["split"] else []:
        named = " and ".join(f"`{split}`" for split in empty)
        parts.append(f"There are too few rows for {named}: no row of that split is in the dataset.")
    parts.append(_deviation(facts.statistics.get("splits", {})))
    parts.append(_variety(facts.statistics["diversity"]))
    return "\n\n".join(part for part in parts if part)


def _deviation(splits: Mapping[str, Any]) -> str:
    """How near the splits came to what was asked, cell by cell."""
    if not splits.get("cells"):
        return ""
    asked = ", ".join(f"{name} {ratio:.0%}" for name, ratio in splits["ratios"].items())
    worst = max(splits["cells"], key=lambda cell: abs(cell["actual"] - cell["asked"]))
    small = sum(cell["asked"] < 1 for cell in splits["cells"])
    where = ", ".join(plain(str(worst[k])) for k in ("split", "type", "modality", "category"))
    return (
        f"Asked: {asked}. Of {len(splits['cells']):,} cells (split, type, modality, category) the "
        f"one that is farthest off has {worst['actual']:,} rows in place of {worst['asked']:g} "
        f"({where}); {small:,} are due less than one row. `statistics.json` lists them all."
    )


def _variety(found: Mapping[str, Any]) -> str:
    names = ("distinct_2", "self_bleu", "compression_ratio", "embedding_dispersion", "clusters")
    known = [(name.replace("_", " "), f"{found[name]:g}") for name in names if found.get(name)]
    return "Variety of the questions:\n\n" + table(("measure", "value"), known) if known else ""


def _funnel(facts: CardFacts) -> str:
    rows = [
        (
            f"`{stage['stage']}`",
            f"{stage['in']:,}",
            f"{stage['out']:,}",
            ", ".join(f"{plain(k)} {n:,}" for k, n in stage["dropped"].items()) or "",
            f"{stage['failed']:,}" if stage["failed"] else "",
        )
        for stage in facts.statistics["stages"]
    ]
    if not rows:
        return ""
    return "## What fell away\n\n" + table(("stage", "in", "out", "dropped", "failed"), rows)


def _models(facts: CardFacts) -> str:
    if not facts.models:
        return ""
    rows = [
        (
            plain(fact.step),
            f"{code_span(fact.model)}{' (the offline model)' if fact.offline else ''}",
            code_span(fact.program[:16]) if fact.program else "none: prompts as written",
        )
        for fact in facts.models
    ]
    text = "## Models\n\n"
    if all(fact.offline for fact in facts.models):
        text += (
            "Everything was written by synth-dspy's **offline model**: rules that copy and combine "
            "what the documents say. No language model was asked, so nothing is invented, and the "
            "wording is as plain as that suggests.\n\n"
        )
    elif any(fact.offline for fact in facts.models):
        text += (
            "Steps marked so were done by synth-dspy's offline model, not by a language model.\n\n"
        )
    return text + table(("step", "model", "compiled program"), rows) + _cost(facts.usage)


def _cost(usage: Mapping[str, float] | None) -> str:
    if not usage:
        return ""
    return (
        f"\n\nAll steps together made {usage['llm_calls']:,.0f} calls with {usage['tokens']:,.0f} "
        f"tokens, at a cost of ${usage['cost_usd']:,.2f}."
    )


def _sources(facts: CardFacts) -> str:
    if not facts.sources:
        return ""
    shown = facts.sources[:_SOURCES_SHOWN]
    rows = [
        (
            code_span(fact.path),
            code_span(fact.sha256[:16]) if fact.sha256 else "",
            code_span(fact.revision[:12]) if fact.revision else "",
            plain(fact.license) or "not stated",
            f"{fact.rows:,}",
        )
        for fact in shown
    ]
    more = len(facts.sources) - len(shown)
    rest = f"\n\n{more:,} more documents are named in the rows." if more else ""
    columns = ("document", "SHA-256 (start)", "revision", "licence", "rows")
    return f"## Sources\n\n{bullets(scanned(facts.scan))}\n\n" + table(columns, rows) + rest


def _limits(facts: CardFacts) -> str:
    checked = facts.statistics.get("verification") or {}
    lines = ["The rows say what their documents say; errors of the documents are errors here."]
    if checked.get("code_samples"):
        lines.append("A passing test shows that the code does what the test asks, and no more.")
    if checked.get("oracle", {}).get("written"):
        lines.append("Expected values that a model wrote may be wrong together with the answer.")
    if checked.get("assurance", {}).get("inproc"):
        lines.append(
            f"{checked['assurance']['inproc']:,} code rows ran in one process with their tests, "
            "where a solution could in principle cheat."
        )
    if not facts.license:
        lines.append("No licence was stated for this dataset; ask before using it.")
    elif any(not source.license for source in facts.sources):
        lines.append("The licences of some of the documents were not stated.")
    lines.extend(facts.limits)
    return "## Known limits\n\n" + bullets(lines)


def _reproduce(facts: CardFacts) -> str:
    config = f" with the configuration {code_span(facts.config)}" if facts.config else ""
    return (
        "## How to reproduce it\n\n"
        f"With synth-dspy{f' {facts.version}' if facts.version else ''}{config}, seed "
        f"{facts.seed}:\n\n```\n{facts.command.strip()}\n```\n\n"
        "The same documents, configuration and replies of the models give the same Parquet files, "
        "byte for byte."
    )


def _code(facts: CardFacts) -> bool:
    return bool((facts.statistics.get("verification") or {}).get("code_samples"))
