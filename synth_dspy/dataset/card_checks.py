"""What a card says of the checks: tests, mutants, the judge, benchmarks, secrets, licences.

Facts enter, paragraphs in Markdown leave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_dspy.dataset.markdown import bullets, code_span, percent, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_dspy.dataset.card_facts import CardFacts


def verified(facts: CardFacts) -> str:
    checked = facts.statistics.get("verification") or {}
    lines = []
    if checked.get("code_samples"):
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
    if checked.get("judged"):
        lines.append(
            f"{checked['judged']:,} rows were judged against their source; "
            f"{checked['judge_passed']:,} passed."
        )
    if checked.get("images_unseen"):
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


def _calibration(found: Mapping[str, Any] | None) -> str:
    if not found:
        return (
            "The judge was never calibrated against people: how often it is right is not known, "
            "and its verdicts are no more than a filter."
        )
    names = {"agreement": "agreement", "kappa": "Cohen's kappa"}
    said = ", ".join(f"{names[k]} {found[k]:.3g}" for k in names if k in found)
    confusion = found.get("confusion")
    if isinstance(confusion, dict):
        cells = (f"{plain(str(k)).replace('_', ' ')} {v}" for k, v in confusion.items())
        said += f" ({', '.join(cells)})"
    step, model = (code_span(str(found.get(name) or "unknown")) for name in ("step", "model"))
    return (
        f"The judge (step {step}, model {model}) was calibrated against {found.get('n', 0):,} "
        f"labelled examples: {said}."
    )


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


def scanned(scan: Mapping[str, Any] | None) -> list[str]:
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
