"""The optimizers of `compile`: DSPy's own, each with what it needs and what it may cost.

A job (a subject, gold, a metric, the seed) enters; the best program found and the candidates with
their validation scores leave. It knows no file, no gate and no MLflow.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import dspy
from dspy.teleprompt.gepa import InstructionProposer

from synth_dspy.errors import SetupError, UserError
from synth_dspy.lm.adapter import SynthAdapter
from synth_dspy.optimize.gold_steps import GoldStep
from synth_dspy.optimize.scoring import GOOD_ENOUGH, Scorer
from synth_dspy.optimize.subject import Subject

# Scored failures are no errors, so the first error there is ends an optimizer.
_MAX_ERRORS = 1
_SETS = 6  # candidate sets of worked examples, or instructions
_TRIALS = 10
_SIMBA_STEPS = 4
_GEPA_ROUNDS = 8  # full looks at train and validation together


@dataclass(frozen=True, slots=True)
class Job:
    """What an optimizer works on.

    Attributes:
        model: answers the step; writer: proposes instructions.
        demos: the most worked examples in a prompt; 0 leaves only the instructions to change.
        threads: examples asked at a time.
        writes: whether `writer` is a model that can write.
    """

    subject: Subject
    step: GoldStep
    train: Sequence[dspy.Example]
    validation: Sequence[dspy.Example]
    scorer: Scorer
    model: dspy.LM
    writer: dspy.LM
    seed: int
    demos: int
    threads: int
    writes: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """One program that an optimizer tried, and its score on validation, 0 to 1."""

    program: dspy.Module
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """The best program, and those it was chosen from where the optimizer tells them."""

    program: Any
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Optimizer:
    """One of DSPy's.

    Attributes:
        run: does the work.
        calls: about how many calls to the step's model it makes, from train, validation and demos.
        modules: what must be importable; `extra` is what brings them.
        least_train: examples to train on that it needs.
        instructions: it rewrites instructions, so a model has to write them.
        demos: it gives worked examples.
    """

    name: str
    run: Callable[[Job], Found]
    calls: Callable[[int, int], int]
    modules: tuple[str, ...] = ()
    least_train: int = 1
    instructions: bool = False
    demos: bool = True


def balanced(step: GoldStep, examples: Sequence[dspy.Example], seed: int) -> list[dspy.Example]:
    """The examples in an order in which every beginning has each label about equally often.

    Shuffled by seed within a label, so that the few worked examples of a prompt show all labels.
    """
    groups: dict[str, list[dspy.Example]] = {}
    shuffled = random.Random(seed).sample(list(examples), len(examples))
    for example in shuffled:
        groups.setdefault(_group(step, example), []).append(example)
    ordered = []
    for at in range(max(map(len, groups.values()), default=0)):
        ordered += [group[at] for _, group in sorted(groups.items()) if at < len(group)]
    return ordered


def _group(step: GoldStep, example: dspy.Example) -> str:
    if step.scoring == "category":
        return str(example.category)
    if step.scoring == "verdict":
        # A judge needs to see each way of failing, not only that something fails.
        return ",".join(name for name in step.criteria if not example[name])
    return ""


def _labeled(job: Job) -> Found:
    examples = balanced(job.step, job.train, job.seed)
    optimizer = dspy.LabeledFewShot(k=job.demos)
    return Found(optimizer.compile(job.subject, trainset=examples, sample=False))


def _bootstrap(job: Job) -> Found:
    optimizer = dspy.BootstrapFewShot(
        metric=job.scorer.value,
        metric_threshold=GOOD_ENOUGH,
        max_bootstrapped_demos=_bootstrapped(job),
        max_labeled_demos=job.demos,
        max_errors=_MAX_ERRORS,
    )
    examples = balanced(job.step, job.train, job.seed)
    return Found(optimizer.compile(job.subject, trainset=examples))


def _bootstrap_random(job: Job) -> Found:
    optimizer = dspy.BootstrapFewShotWithRandomSearch(
        metric=job.scorer.value,
        metric_threshold=GOOD_ENOUGH,
        max_bootstrapped_demos=_bootstrapped(job),
        max_labeled_demos=job.demos,
        num_candidate_programs=_SETS,
        num_threads=job.threads,
        max_errors=_MAX_ERRORS,
    )
    best = optimizer.compile(
        job.subject,
        trainset=balanced(job.step, job.train, job.seed),
        valset=list(job.validation),
    )
    return Found(best, _told(best, "score", percent=True))


def _mipro(job: Job) -> Found:
    optimizer = dspy.MIPROv2(
        metric=job.scorer.value,
        metric_threshold=GOOD_ENOUGH,
        prompt_model=job.writer,
        task_model=job.model,
        auto=None,
        num_candidates=_SETS,
        max_bootstrapped_demos=_bootstrapped(job),
        max_labeled_demos=job.demos,
        num_threads=job.threads,
        max_errors=_MAX_ERRORS,
        seed=job.seed,
    )
    best = optimizer.compile(
        job.subject,
        trainset=balanced(job.step, job.train, job.seed),
        valset=list(job.validation),
        num_trials=_TRIALS,
        minibatch=False,
        program_aware_proposer=False,  # it would send our source code along
        data_aware_proposer=job.writes,
        tip_aware_proposer=job.writes,
        fewshot_aware_proposer=job.writes,
    )
    return Found(best, _told(best, "score", percent=True))


def _simba(job: Job) -> Found:
    optimizer = dspy.SIMBA(
        metric=job.scorer.value,
        bsize=min(32, len(job.train)),
        num_candidates=4,
        max_steps=_SIMBA_STEPS,
        max_demos=job.demos,
        prompt_model=job.writer,
        num_threads=job.threads,
    )
    best = optimizer.compile(job.subject, trainset=list(job.train), seed=job.seed)
    return Found(best, _told(best, "score", percent=False))


def _gepa(job: Job) -> Found:
    optimizer = dspy.GEPA(
        metric=job.scorer.explained,
        max_metric_calls=_gepa_calls(len(job.train), len(job.validation)),
        reflection_lm=job.writer,
        # Its own default asks for JSON, which fewer models keep to.
        instruction_proposer=InstructionProposer(adapter=SynthAdapter()),
        num_threads=job.threads,
        track_stats=True,
        seed=job.seed,
        # No log_dir: what it keeps there is a pickle.
    )
    best = optimizer.compile(job.subject, trainset=list(job.train), valset=list(job.validation))
    tried = best.detailed_results
    pairs = zip(tried.candidates, tried.val_aggregate_scores, strict=True)
    return Found(best, tuple(Candidate(program, float(score)) for program, score in pairs))


def _told(best: Any, name: str, *, percent: bool) -> tuple[Candidate, ...]:
    scale = 100 if percent else 1
    return tuple(
        Candidate(entry["program"], float(entry[name]) / scale)
        for entry in getattr(best, "candidate_programs", ())
    )


def _bootstrapped(job: Job) -> int:
    """A quarter of the worked examples are the model's own good replies."""
    return -(-job.demos // 4)


def _gepa_calls(train: int, validation: int) -> int:
    return _GEPA_ROUNDS * (train + validation)


OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.name: optimizer
    for optimizer in (
        Optimizer("labeled", _labeled, lambda _train, _validation: 0),
        Optimizer("bootstrap", _bootstrap, lambda train, _validation: train),
        Optimizer(
            "bootstrap_random",
            _bootstrap_random,
            lambda train, validation: (_SETS + 1) * train + (_SETS + 3) * validation,
            least_train=2,
        ),
        Optimizer(
            "mipro",
            _mipro,
            lambda train, validation: _SETS * train + (_TRIALS + 1) * validation + 2 * _SETS,
            modules=("optuna",),
            least_train=2,
            instructions=True,
        ),
        Optimizer(
            "gepa",
            _gepa,
            lambda train, validation: _gepa_calls(train, validation) + _GEPA_ROUNDS,
            modules=("gepa",),
            least_train=3,
            instructions=True,
            demos=False,
        ),
        Optimizer(
            "simba",
            _simba,
            lambda train, _validation: _SIMBA_STEPS * 8 * min(32, train) + 4 * train,
            least_train=8,
            instructions=True,
        ),
    )
}


def optimizer_named(name: str) -> Optimizer:
    """The optimizer, with all that it imports there.

    Raises:
        UserError: there is none of that name. SetupError: the extra that it needs is missing.
    """
    found = OPTIMIZERS.get(name)
    if found is None:
        raise UserError(f"There is no optimizer {name!r}. Optimizers are: {', '.join(OPTIMIZERS)}.")
    missing = [module for module in found.modules if find_spec(module) is None]
    if missing:
        raise SetupError(
            f"The optimizer {name} needs {', '.join(missing)}, which is not installed: "
            "pip install 'synth-dspy[optimizers]'"
        )
    return found
