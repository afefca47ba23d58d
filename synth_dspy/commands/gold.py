"""gold: looks at gold sets, makes them from people's labels, and holds the judge against them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from synth_dspy.commands.context import Context, print_json, print_json_lines, show
from synth_dspy.commands.on_gold import check_recipe, resources_apart
from synth_dspy.dataset.benchmarks import Benchmarks
from synth_dspy.errors import BudgetExceededError, EndpointError, SetupError, UserError
from synth_dspy.optimize.asking import ask_all
from synth_dspy.optimize.calibration import Calibration, Judge, calibrate
from synth_dspy.optimize.gold import (
    GOLD_STEPS,
    SPLITS,
    GoldReport,
    GoldStep,
    check_gold,
    gold_path,
    gold_set,
    gold_step,
    load_gold,
    write_gold,
)
from synth_dspy.optimize.gold_samples import unlabelled
from synth_dspy.optimize.gold_sheet import merged, read_sheet, write_sheet
from synth_dspy.outcomes import Dropped, Kept
from synth_dspy.programs.module import StepModule
from synth_dspy.programs.program import Program
from synth_dspy.recipes.findings import CALIBRATION, admission_rules
from synth_dspy.records import Candidate, digest, from_dict
from synth_dspy.stages.generate import Curate
from synth_dspy.stages.results import results
from synth_dspy.store.run_directory import RunDirectory, write_json

ALL = "all"
FOLDER = "calibrate"
"""Where a calibration keeps its replies, in the run directory."""


def check(
    context: Context, step: str, *, file: Path | None, benchmarks: Sequence[Path], json_lines: bool
) -> None:
    """Print what is in gold sets.

    Args:
        step: a gold step, or all that have a file. benchmarks: besides the configuration's.

    Raises:
        UserError: a set has problems; all are printed first.
    """
    if file is not None and step == ALL:
        raise UserError("--gold FILE is the gold of one step: name it with --step NAME.")
    against = Benchmarks((*context.config.dataset.resolved_benchmarks, *benchmarks))
    steps = _with_gold() if step == ALL else [gold_step(step)]
    reports = [check_gold(load_gold(of.name, file), against) for of in steps]
    if json_lines:
        print_json_lines([asdict(report) for report in reports])
    else:
        for report in reports:
            _show_report(report)
    bad = [report for report in reports if report.problems]
    if bad:
        raise UserError("\n".join(report.refusal for report in bad))


def _with_gold() -> list[GoldStep]:
    found = []
    for step in GOLD_STEPS:
        try:
            gold_path(step.name)
        except UserError:
            continue
        found.append(step)
    if not found:
        raise UserError("No gold set is there: name one with --step NAME --gold FILE.")
    return found


def _show_report(report: GoldReport) -> None:
    counts = ", ".join(f"{name} {count}" for name, count in report.counts.items())
    show(f"{report.step}: {counts}; sha256 {report.sha256[:16]}")
    labels = sorted({label for of in report.balance.values() for label in of})
    show(f"  {'label':<28}" + "".join(f"{split:>12}" for split in SPLITS))
    for label in labels:
        show(f"  {label:<28}" + "".join(f"{report.balance[s].get(label, 0):>12}" for s in SPLITS))
    show("  licences: " + ", ".join(f"{name} {n}" for name, n in report.licenses.items()))
    for pair in report.close:
        show(f"  alike across splits: {pair.one} and {pair.other}, {pair.similarity:.2f}")


def export(context: Context, step: str, output: Path, *, count: int) -> None:
    """Write a review sheet from the samples of a run.

    For a judge it holds what it dropped as well as what it kept, and does not say which is which.

    Raises:
        UserError: the file is there already, or the step is not one that is reviewed.
        StageError: the run has no samples yet.
    """
    of = gold_step(step)
    if output.exists():
        raise UserError(f"{output} is there already: it may hold labels. Name another file.")
    config = context.config
    items = unlabelled(
        of,
        _judged(context.run, dropped=of.scoring == "verdict"),
        categories={c.name: c.description for c in config.categories},
        licenses=dict(admission_rules(config).policy.licenses),
    )
    # A fixed sample that does not depend on the order in which the run finished.
    drawn = sorted(items, key=lambda item: digest(config.seed, item.id))[:count]
    output.parent.mkdir(parents=True, exist_ok=True)
    # Excel reads UTF-8 only with a byte order mark.
    output.write_text(write_sheet(of, drawn), encoding="utf-8-sig", newline="")
    show(f"{len(drawn)} samples to label in {output}: fill in the columns `label: ...`, then")
    show(f"python -m synth_dspy.run gold import {output} --step {of.name}")


def _judged(run: RunDirectory, *, dropped: bool) -> Iterator[Candidate]:
    """What the judge of a run kept and, if asked for, what it dropped."""
    where = str(run.folder(Curate.folder) / Curate.journal)
    for _, outcome, _ in results(run, Curate):
        if isinstance(outcome, Kept):
            yield from (from_dict(Candidate, record, where=where) for record in outcome.outputs)
        elif dropped and isinstance(outcome, Dropped) and outcome.record is not None:
            yield from_dict(Candidate, outcome.record, where=where)


def take_in(step: str, sheet: Path, output: Path | None) -> None:
    """Read a labelled sheet into a gold set: a new one, or one that is there.

    Raises:
        UserError: the sheet cannot be read, or a row's labels are incomplete or wrong.
    """
    of = gold_step(step)
    try:
        text = sheet.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UserError(f"The sheet {sheet} cannot be read: {reason}.") from error
    items, blank = read_sheet(of, text, str(sheet))
    if not items:
        raise UserError(f"{sheet} holds no labelled row; fill in the columns `label: ...`.")
    path = output or Path("configs") / "gold" / of.recipe / f"{of.name}.jsonl"
    old = load_gold(of.name, path).items if path.exists() else ()
    both = merged(old, items)
    write_gold(path, both)
    show(
        f"{len(items)} labelled rows read, {blank} without labels left out; {path} has {len(both)}"
    )
    if output is None:
        show("In this folder it goes before the set that ships.")
    for problem in check_gold(gold_set(of.name, both)).problems:
        show(f"not usable yet: {problem}")


def calibrate_judge(
    context: Context, step: str, *, file: Path | None, split: str, json_lines: bool
) -> None:
    """Ask the judge in use on gold, and write how far it agrees to the run directory.

    Raises:
        UserError: the step is no judge, or its gold set has problems.
        SetupError: the judge does not answer, or may not be asked any more.
    """
    of = gold_step(step)
    config = context.config
    if of.scoring != "verdict":
        raise UserError(f"{of.name} is no judge: there is nothing to calibrate.")
    check_recipe(of, config)
    gold = load_gold(of.name, file)
    check_gold(gold, Benchmarks(config.dataset.resolved_benchmarks)).require()
    if split not in SPLITS:
        raise UserError(f"--split {split!r}: splits are {', '.join(SPLITS)}.")
    items = gold.split(split)
    resources = resources_apart(context, FOLDER)
    predictor = resources.program.predictors_of(of.predictor)[0]
    asked = _module_of(resources.program, of.predictor).step(of.predictor)
    judge = Judge(asked.model, asked.program, resources.program.prompt_sha(of.predictor))

    async def work() -> Calibration:
        try:
            replies = await ask_all(predictor, items, at_once=config.generation.llm_concurrency)
        finally:
            await resources.aclose()
        return calibrate(
            of, items, replies, judge=judge, split=split, gold_sha256=gold.sha256
        )  # fmt: skip

    try:
        found = asyncio.run(work())
    except (EndpointError, BudgetExceededError) as error:
        raise SetupError(
            f"The judge could not be asked: {error}\nEvery reply is kept: the same command goes on "
            "from here."
        ) from error
    path = context.run.path / CALIBRATION
    write_json(path, asdict(found))
    if json_lines:
        print_json(asdict(found))
        return
    _show_calibration(found)
    show(f"written to {path}; the dataset card of the next export quotes it")


def _module_of(program: Program, step: str) -> StepModule:
    modules: list[StepModule] = [m for _, m in program.named_sub_modules(StepModule)]
    return next(module for module in modules if step in dict(module.own_steps()))


def _show_calibration(found: Calibration) -> None:
    program = f", compiled program {found.program[:12]}" if found.program else ""
    show(f"{found.step} by {found.model}{program} on {found.n} {found.split} items of gold")
    show(f"agreement {found.agreement:.3f}, Cohen's kappa {found.kappa:.3f}")
    cells = found.confusion
    show(f"{'':<16}{'judge accepts':>16}{'judge rejects':>16}")
    show(f"{'gold accepts':<16}{cells['true_accepted']:>16}{cells['false_rejected']:>16}")
    show(f"{'gold rejects':<16}{cells['false_accepted']:>16}{cells['true_rejected']:>16}")
    for name, figures in found.criteria.items():
        show(f"{name:<22} agreement {figures['agreement']:.3f}, kappa {figures['kappa']:.3f}")
    if found.unreadable:
        show(f"{found.unreadable} replies could not be read; they count as rejections")
    for one in found.worst:
        show(f"{one.id}: {one.feedback} The judge said: {one.reason}")
