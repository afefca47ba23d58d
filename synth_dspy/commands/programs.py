"""programs list, show, diff, promote, rollback: which compiled program each step uses."""

from __future__ import annotations

import difflib
from typing import Any

from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.errors import ArtefactError
from synth_dspy.optimize.compiling import prompt_text
from synth_dspy.optimize.gold_steps import gold_step
from synth_dspy.programs.artefact import Artefact
from synth_dspy.programs.promotions import CompiledPrograms, Entry
from synth_dspy.recipes.programs import unbound_program

_AS_WRITTEN = "as written"
_SHORT = 12


def list_programs(context: Context, *, json_lines: bool) -> None:
    """Every compiled program of the recipe, by step: scores, gate, and which is in use."""
    programs = CompiledPrograms(context.config.recipe)
    entries = list(programs.entries())
    if json_lines:
        found: dict[str, Any] = {step: [] for step in programs.steps()}
        for entry in entries:
            found[entry.step].append(_facts(entry))
        print_json({"recipe": context.config.recipe, "steps": found})
        return
    if not entries:
        show(f"No program of {context.config.recipe} is compiled: synth-dspy compile --step all")
        return
    show(f"{'step':<20}{'program':<14}{'in use':<8}{'optimizer':<18}{'baseline':>9}{'compiled':>9}"
         f"  {'95% interval':<18}{'model':<16}date")  # fmt: skip
    for entry in entries:
        show(_line(entry))


def show_program(context: Context, step: str, prefix: str, *, json_lines: bool) -> None:
    """All that is known of one program, and its prompt.

    Raises:
        ArtefactError: there is no such program, or it is refused.
    """
    artefact = _chosen(context, step, prefix)
    if json_lines:
        print_json(
            {
                "sha256": artefact.sha256,
                "program": artefact.program,
                "dspy": artefact.dspy,
                "meta": artefact.meta,
                "state": artefact.state,
            }
        )
        return
    show(f"sha256  {artefact.sha256}")
    for name, value in artefact.meta.items():
        if name != "earlier":
            show(f"{name}  {value}")
    for record in artefact.meta.get("earlier", ()):
        by = f"{record.get('optimizer')} for {record.get('model')}, seed {record.get('seed')}"
        show(f"found before  by {by}, {record.get('date')}: {record.get('why')}")
    show(f"\n{_prompt(artefact)}")


def diff_programs(context: Context, step: str, before: str, after: str) -> None:
    """How a program's prompt differs from another's; without `before` from the one as written,
    without `after` too the one in use.

    Raises:
        ArtefactError: there is no such program, or it is refused.
    """
    if before and after:
        old = _chosen(context, step, before)
        one, name = _prompt(old), old.sha256[:_SHORT]
        new = _chosen(context, step, after)
    else:
        new = _chosen(context, step, before)
        one, name = _prompt_as_written(new), _AS_WRITTEN
    lines = difflib.unified_diff(
        one.splitlines(), _prompt(new).splitlines(), name, new.sha256[:_SHORT], lineterm=""
    )
    for line in lines:
        show(line)


def promote_program(context: Context, step: str, prefix: str, *, force: bool) -> None:
    """Put a program in use.

    Raises:
        ArtefactError: there is none such; it is refused; or it did not pass the gate, and `force`
            is not given.
    """
    programs, name = CompiledPrograms(context.config.recipe), gold_step(step).name
    artefact = programs.named(name, prefix)
    _prompt(artefact)  # that it fits is said now, not by the next run
    passed = bool(artefact.meta.get("passed_gate"))
    if not passed and not force:
        raise ArtefactError(
            f"{artefact.sha256[:_SHORT]} did not pass the gate: {artefact.meta.get('why', '')}. "
            "--force promotes it all the same, and that is recorded."
        )
    programs.promote(name, artefact.sha256, forced=not passed)
    show(f"{name}: {artefact.sha256[:_SHORT]} is in use" + ("" if passed else ", by force"))


def rollback_program(context: Context, step: str) -> None:
    """Put back what was in use before.

    Raises:
        ArtefactError: nothing was.
    """
    name = gold_step(step).name
    pointer = CompiledPrograms(context.config.recipe).rollback(name)
    now = pointer.current[:_SHORT] if pointer.current else "the prompt as written in the code"
    show(f"{name}: {now} is in use")


def _chosen(context: Context, step: str, prefix: str) -> Artefact:
    """The program that begins with `prefix`, or the one in use without one."""
    programs, name = CompiledPrograms(context.config.recipe), gold_step(step).name
    if prefix:
        return programs.named(name, prefix)
    found = programs.promoted(name)
    if found is None:
        raise ArtefactError(
            f"No compiled program of {name} is in use. Name one by the beginning of its hash; "
            "`programs list` shows them."
        )
    return found


def _prompt(artefact: Artefact) -> str:
    program = unbound_program(artefact.recipe)
    program.use_compiled([artefact])
    return _text(program, artefact)


def _prompt_as_written(artefact: Artefact) -> str:
    return _text(unbound_program(artefact.recipe), artefact)


def _text(program: Any, artefact: Artefact) -> str:
    predictors = [p for step in artefact.state for p in program.predictors_of(step)]
    return "\n\n".join(map(prompt_text, predictors))


def _facts(entry: Entry) -> dict[str, Any]:
    meta = entry.artefact.meta if entry.artefact else {}
    return {
        "sha256": entry.path.stem,
        "path": str(entry.path),
        "promoted": entry.promoted,
        "fault": entry.fault,
        "demos": entry.artefact.demos if entry.artefact else None,
        **{name: meta.get(name) for name in (
            "optimizer", "model", "baseline", "compiled", "interval", "n", "passed_gate", "why",
            "seed", "gold_sha256", "date", "mlflow_run",
        )},
    }  # fmt: skip


def _line(entry: Entry) -> str:
    used = "yes" if entry.promoted else ""
    start = f"{entry.step:<20}{entry.path.stem[:_SHORT]:<14}{used:<8}"
    if entry.artefact is None:
        return f"{start}{entry.fault}"
    meta = entry.artefact.meta
    low, high = meta["interval"]
    interval = f"[{low:+.3f}, {high:+.3f}]"
    return (
        f"{start}{meta['optimizer']:<18}{meta['baseline']['heldout']:>9.3f}"
        f"{meta['compiled']['heldout']:>9.3f}  {interval:<18}{meta['model']:<16}{meta['date']}"
    )
