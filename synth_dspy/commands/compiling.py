"""compile: steps' prompts against gold, promoted where they win on held-out gold.

All that can be wrong is looked at first, for every step, before any model is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.commands.execution import DONE, SHORT
from synth_dspy.commands.on_gold import check_recipe, resources_apart
from synth_dspy.config import Config
from synth_dspy.config.endpoints import Endpoint
from synth_dspy.dataset.benchmarks import Benchmarks
from synth_dspy.errors import BudgetExceededError, ConfigError, EndpointError, UserError
from synth_dspy.lm.models import Models, configure_dspy
from synth_dspy.lm.offline import OfflineModel
from synth_dspy.optimize.compile_records import Compiled, Order
from synth_dspy.optimize.compile_tracking import CompileLog
from synth_dspy.optimize.compiling import Compilation
from synth_dspy.optimize.gold import GOLD_STEPS, GoldSet, GoldStep, gold_path, gold_step
from synth_dspy.optimize.optimizers import Optimizer, optimizer_named
from synth_dspy.optimize.preflight import check_budget, check_endpoints, checked_gold
from synth_dspy.optimize.proposers import same_instructions
from synth_dspy.optimize.purse import CompileBudget
from synth_dspy.optimize.scoring import Scorer
from synth_dspy.programs.program import Program
from synth_dspy.programs.promotions import CompiledPrograms
from synth_dspy.recipes.programs import unbound_program
from synth_dspy.recipes.resources import Resources
from synth_dspy.store.run_directory import write_json

FOLDER = "compile"
"""Where a compilation keeps its replies, in the run directory."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line says.

    Attributes:
        steps: names of gold steps; `all` is every one of the recipe that has gold.
        demos: the most worked examples in a prompt; 0: only instructions change.
        writer: the endpoint that writes instructions; "" for the step's own.
        gold: a file in place of the step's own gold.
        summary: a file for what is printed with `--json`.
    """

    steps: tuple[str, ...]
    optimizer: str
    budget_calls: int | None = None
    budget_usd: float | None = None
    seed: int | None = None
    demos: int = 16
    writer: str = ""
    gold: Path | None = None
    force: bool = False
    summary: Path | None = None


@dataclass(frozen=True, slots=True)
class _Planned:
    step: GoldStep
    gold: GoldSet
    endpoint: Endpoint


def run_compile(context: Context, request: Request, *, json_lines: bool) -> int:
    """Compile, print the table, and write what was asked for; the exit code.

    Raises:
        UserError, SetupError: before the first call, when anything needed is not there.
    """
    config = context.config
    optimizer = optimizer_named(request.optimizer)
    if request.demos == 0 and not optimizer.instructions:
        raise UserError(
            f"The optimizer {optimizer.name} changes worked examples alone, and --demos is 0: "
            "nothing would be left to change. Take mipro, gepa or simba, or more examples."
        )
    program = unbound_program(config.recipe)
    planned = _plan(config, request, optimizer, program)
    writer = _writer(config, request)
    check_endpoints([*(p.endpoint for p in planned), *([writer] if writer else [])])
    say = context.say
    done: dict[str, Compiled] = {}
    stopped = ""
    budget = CompileBudget(request.budget_calls, request.budget_usd)
    resources = resources_apart(context, FOLDER)
    models = _models(config, resources, budget)
    try:
        for endpoint in (*(part.endpoint for part in planned), *([writer] if writer else [])):
            models.lm(endpoint.name)  # a key or a price that is missing is said now
        for part in planned:
            say(_announcement(part, optimizer))
            done[part.step.name] = _compile(
                context, request, part, optimizer, program, models, budget, writer, say
            )
    except EndpointError as error:
        stopped = f"{error}\nEvery reply is kept: the same command goes on from here."
    except BudgetExceededError as error:
        stopped = str(error)
    finally:
        asyncio.run(models.aclose())
        asyncio.run(resources.aclose())
    summary = {name: compiled.summary() for name, compiled in done.items()}
    if request.summary is not None:
        write_json(request.summary, summary)
    if json_lines:
        print_json(summary)
    else:
        for line in table(list(done.values())):
            show(line)
    if stopped:
        say(stopped)
    return SHORT if stopped else DONE


def table(done: Sequence[Compiled]) -> list[str]:
    """Before and after on held-out gold, a line a step, and what the gate said."""
    head = (
        f"{'step':<20}{'optimizer':<18}{'baseline':>9}{'compiled':>9}{'gain':>8}  "
        f"{'95% interval':<18}{'n':>5}  {'program':<14}gate"
    )
    lines = [head] if done else []
    for one in done:
        interval = f"[{one.interval.low:+.3f}, {one.interval.high:+.3f}]"
        lines.append(
            f"{one.order.step.name:<20}{one.order.optimizer.name:<18}"
            f"{one.baseline.heldout.mean:>9.3f}{one.compiled.heldout.mean:>9.3f}"
            f"{one.interval.gain:>+8.3f}  {interval:<18}{one.interval.n:>5}  "
            f"{one.artefact.sha256[:12]:<14}{'promoted' if one.promoted else 'refused'}: {one.why}"
        )
    return lines


def _plan(
    config: Config, request: Request, optimizer: Optimizer, program: Program
) -> list[_Planned]:
    steps = _steps(config, request)
    benchmarks = Benchmarks(config.dataset.resolved_benchmarks)
    planned = []
    for step in steps:
        gold = checked_gold(step, optimizer, request.gold, benchmarks)
        if not program.predictors_of(step.predictor):
            raise UserError(f"{step.name}: this version has no step {step.predictor!r}.")
        endpoint = config.endpoint_for(program.steps()[step.predictor])
        check_budget(
            step,
            gold,
            program,
            endpoint,
            budget_calls=request.budget_calls,
            budget_usd=request.budget_usd,
        )
        planned.append(_Planned(step, gold, endpoint))
    return planned


def _steps(config: Config, request: Request) -> list[GoldStep]:
    if request.steps != ("all",):
        steps = [gold_step(name) for name in dict.fromkeys(request.steps)]
        for step in steps:
            check_recipe(step, config)
    else:
        steps = [step for step in GOLD_STEPS if step.recipe == config.recipe and _has_gold(step)]
    if not steps:
        raise UserError(
            f"No step of the recipe {config.recipe!r} has gold, so nothing can be compiled; label "
            "some and name it with --step NAME --gold FILE."
        )
    if request.gold is not None and len(steps) != 1:
        raise UserError("--gold FILE is the gold of one step: name it with --step NAME.")
    return steps


def _has_gold(step: GoldStep) -> bool:
    try:
        return gold_path(step.name).is_file()
    except UserError:
        return False


def _writer(config: Config, request: Request) -> Endpoint | None:
    if not request.writer:
        return None
    found = config.models.get(request.writer)
    if found is None:
        known = ", ".join(config.models.names)
        raise ConfigError(
            f"--writer {request.writer!r} is not an endpoint of models.endpoints; known: {known}."
        )
    return found


def _models(config: Config, resources: Resources, budget: CompileBudget) -> Models:
    configure_dspy()
    generation = config.generation
    return Models(
        config.models.endpoints,
        store=resources.replies,
        budget=budget,
        traces=None,
        concurrency=generation.llm_concurrency,
        vision_concurrency=generation.vlm_concurrency,
        offline=OfflineModel(seed=config.seed),
    )


def _announcement(part: _Planned, optimizer: Optimizer) -> str:
    counts = {split: len(part.gold.split(split)) for split in ("train", "validation", "heldout")}
    scoring = 2 * (counts["validation"] + counts["heldout"])
    calls = scoring + optimizer.calls(counts["train"], counts["validation"])
    return (
        f"{part.step.name}: {optimizer.name} on {counts['train']} examples, chosen on "
        f"{counts['validation']}, judged on {counts['heldout']}; {part.endpoint.model_name}, "
        f"about {calls} calls"
    )


def _compile(
    context: Context,
    request: Request,
    part: _Planned,
    optimizer: Optimizer,
    program: Program,
    models: Models,
    budget: CompileBudget,
    writer: Endpoint | None,
    say: Any,
) -> Compiled:
    config = context.config
    seed = config.seed if request.seed is None else request.seed
    by = writer or part.endpoint
    sandbox = Resources(config, say, trace=False).sandbox
    scorer = Scorer(part.step, sandbox if part.step.scoring == "tests" else None)
    programs = CompiledPrograms(config.recipe)
    try:
        with CompileLog(config, part.step, optimizer.name, say) as log:
            order = Order(
                step=part.step,
                gold=part.gold,
                optimizer=optimizer,
                model=models.lm(part.endpoint.name),
                model_name=part.endpoint.model_name,
                writer=same_instructions() if by.is_offline else models.lm(by.name),
                writer_name="" if by.is_offline else by.model_name,
                seed=seed,
                demos=request.demos,
                threads=config.generation.llm_concurrency,
                force=request.force,
                mlflow_run=log.run_id,
            )
            compiled = Compilation(order, program, programs, scorer, budget, say).run()
            log.write(compiled)
        if log.where:
            say(f"tracking: {log.where}")
        return compiled
    finally:
        scorer.close()
