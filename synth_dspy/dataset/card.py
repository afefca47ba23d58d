"""The dataset card: what a person must know before using the rows.

Facts enter, the text of `README.md` leaves: YAML that the Hub reads, then sections. Equal facts
give an equal card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from synth_dspy.dataset.card_facts import CardFacts, ModelFact, SourceFact
from synth_dspy.dataset.export import COLUMNS
from synth_dspy.dataset.markdown import bullets, code_span, percent, plain, table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CardFacts", "ModelFact", "SourceFact", "dataset_card"]

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_SOURCES_SHOWN = 200
_COLUMN_MEANING = {
    "question": "what is asked; for `function_completion` the stub to complete",
    "answer": (
        "the answer; for `function_completion` the indented body, for `code_generation` a whole "
        "program"
    ),
    "category": "topic",
    "type": "`function_completion`, `code_generation` or `qa`",
    "difficulty": "`easy`, `medium` or `hard`",
    "test_code": "defines `check(candidate)`; empty for `qa`",
    "entry_point": "the function that the test is given; empty for `qa`",
    "image": "RGB image that the question needs, or null",
    "has_image": "whether there is one",
    "code_context": "code that stands before the passage in its document",
    "source": "relative path of the document",
    "metadata": "JSON: provenance, models, attempts, sandbox, mutants, judge",
}


def dataset_card(facts: CardFacts) -> str:
    """The card in Markdown, with its YAML head."""
    sections = (
        f"# {plain(facts.name)}",
        facts.description.strip(),
        _what(facts),
        _how(facts),
        _numbers(facts),
        _verified(facts),
        _funnel(facts),
        _models(facts),
        _sources(facts),
        _limits(facts),
        _reproduce(facts),
    )
    return _head(facts) + "\n\n".join(section for section in sections if section) + "\n"


def _head(facts: CardFacts) -> str:
    counts, total = facts.statistics["counts"], facts.statistics["total"]
    tasks = ["text-generation"]
    if "qa" in counts["type"]:
        tasks.append("question-answering")
    if counts["modality"].get("multimodal"):
        tasks.append("image-text-to-text")
    size = next((name for limit, name in _SIZES if total < limit), "1M<n<10M")
    head: dict[str, Any] = {
        "pretty_name": " ".join(facts.name.split()),
        "language": [facts.language],
        "task_categories": tasks,
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
    rows = [(f"`{name}`", _COLUMN_MEANING[name]) for name in COLUMNS]
    return (
        "## What it is\n\n"
        f"{total:,} rows made from {len(facts.sources) or len(counts['source']):,} documents by "
        f"synth-dspy{f' {facts.version}' if facts.version else ''}, recipe "
        f"`{facts.recipe}`. Each row says in its `metadata` where it came from and how it was "
        "checked.\n\n" + table(("column", "content"), rows)
    )


def _how(facts: CardFacts) -> str:
    stages = [stage["stage"] for stage in facts.statistics["stages"]]
    order = (
        f"Stages, in order: {', '.join(f'`{stage}`' for stage in stages)}.\n\n" if stages else ""
    )
    return (
        f"## How it was made\n\n{order}"
        "Documents are parsed and cut into passages; a task for each row is allocated over the "
        "passages by quota; a model writes the question and, for code, the test; another call "
        "answers it; code is run against its test in a sandbox and corrected while it fails; a "
        "judge compares the answer with the passage. Of duplicates, the lower rank stays. "
        "Rows that share a passage, an image or nearly their wording are always in one split."
    )


def _numbers(facts: CardFacts) -> str:
    counts, total = facts.statistics["counts"], facts.statistics["total"]
    parts = ["## Counts"]
    for side in ("split", "type", "modality", "difficulty", "category"):
        rows = [(plain(k), f"{v:,}", percent(v, total)) for k, v in counts[side].items()]
        if rows:
            parts.append(table((side, "rows", "share"), rows))
    parts.append(_variety(facts.statistics["diversity"]))
    return "\n\n".join(part for part in parts if part)


def _variety(found: Mapping[str, Any]) -> str:
    names = ("distinct_2", "self_bleu", "compression_ratio", "embedding_dispersion", "clusters")
    known = [(name.replace("_", " "), f"{found[name]:g}") for name in names if found.get(name)]
    return "Variety of the questions:\n\n" + table(("measure", "value"), known) if known else ""


def _verified(facts: CardFacts) -> str:
    checked = facts.statistics["verification"]
    lines = []
    if checked["code_samples"]:
        where = ", ".join(f"{name} ({count:,})" for name, count in checked["isolation"].items())
        lines.append(
            f"{checked['executed']:,} of {checked['code_samples']:,} code rows had their tests "
            f"executed; isolation: {where or 'none'}; {checked['tests']:,} tests in all."
        )
        split = checked["assurance"].get("split", 0)
        lines.append(
            f"In {split:,} of them the solution ran in a process that never sees the tests."
        )
        if checked["mutants_run"]:
            lines.append(
                f"{checked['mutants_killed']:,} of {checked['mutants_run']:,} mutants of the "
                f"solutions ({percent(checked['mutants_killed'], checked['mutants_run'])}) were "
                "killed by the tests."
            )
        else:
            lines.append("No mutants were run, so how much the tests would notice is not known.")
        if checked["oracle"]:
            lines.append(f"Expected values: {_oracles(checked['oracle'])}.")
    if checked["judged"]:
        lines.append(
            f"{checked['judged']:,} rows were judged against their source; "
            f"{checked['judge_passed']:,} passed."
        )
    if checked["images_unseen"]:
        lines.append(
            f"For {checked['images_unseen']:,} rows with an image the judge could not see it: "
            "they are unverified (caption only)."
        )
    lines.append(_calibration(facts.calibration))
    lines.append(_decontamination(facts.decontamination))
    return "## Verification\n\n" + bullets(lines)


_ORACLES = {
    "recorded": "recorded in the documents",
    "executed": "by running the documents' own code",
    "written": "written by the model",
}


def _oracles(tally: Mapping[str, int]) -> str:
    return ", ".join(f"{_ORACLES.get(name, plain(name))} ({n:,})" for name, n in tally.items())


def _calibration(calibration: Mapping[str, float] | None) -> str:
    if not calibration:
        return (
            "The judge was never calibrated against people: how often it is right is not known, "
            "and its verdicts are no more than a filter."
        )
    figures = ", ".join(f"{plain(k)} {v:.3g}" for k, v in sorted(calibration.items()))
    return f"The judge was calibrated against people: {figures}."


def _decontamination(report: Mapping[str, Any] | None) -> str:
    if report is None:
        return "The rows were not compared with any benchmark."
    named = ", ".join(
        f"{plain(b['name'])} ({b['found']:,} of its {b['items']:,} items found)"
        for b in report["benchmarks"]
    )
    return (
        f"Documents and rows were compared with {named}, by runs of 13 words, by tokens of the "
        f"code and by similarity; {report['dropped_passages']:,} passages and "
        f"{report['dropped_samples']:,} rows that held an item were dropped."
    )


_FAMILIES = {"secrets": "keys, tokens and passwords", "personal_data": "personal data"}
_POLICIES = {
    "count": "they were left as they are",
    "mask": "they were masked",
    "drop": "documents and rows that held any were dropped",
}


def _scanned(scan: Mapping[str, Any] | None) -> list[str]:
    if scan is None:
        return ["The documents were not scanned for secrets or personal data."]
    lines = []
    for family, said in _FAMILIES.items():
        found = scan[family]
        dropped = f"; {found['dropped']:,} documents dropped" if found["dropped"] else ""
        lines.append(
            f"Scanned by pattern for {said}: {found['found']:,} places in {found['documents']:,} "
            f"of {scan['documents']:,} documents; {_POLICIES[found['policy']]}{dropped}."
        )
    if scan["allowed_licenses"]:
        allowed = ", ".join(plain(name) for name in scan["allowed_licenses"])
        lines.append(
            f"Only sources under these licences were used: {allowed}; "
            f"{scan['license_not_allowed']:,} documents of others were left out."
        )
    return lines


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
    scanned = bullets(_scanned(facts.scan))
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
    return f"## Sources\n\n{scanned}\n\n" + table(columns, rows) + rest


def _limits(facts: CardFacts) -> str:
    checked = facts.statistics["verification"]
    lines = ["The rows say what their documents say; errors of the documents are errors here."]
    if checked["code_samples"]:
        lines.append("A passing test shows that the code does what the test asks, and no more.")
    if checked["oracle"].get("written"):
        lines.append("Expected values that a model wrote may be wrong together with the answer.")
    if checked["assurance"].get("inproc"):
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
    return bool(facts.statistics["verification"]["code_samples"])
