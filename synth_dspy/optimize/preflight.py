"""What a compilation needs, looked at before the first call: gold, optimizer, endpoint, budget.

Everything that is wrong and can be known is said now, in one sentence, before money is spent.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from synth_dspy.config.endpoints import Endpoint
from synth_dspy.dataset.benchmarks import Benchmarks
from synth_dspy.errors import SetupError, UserError
from synth_dspy.lm.adapter import SynthAdapter
from synth_dspy.lm.prices import price_of
from synth_dspy.optimize.gold import GoldSet, check_gold, load_gold
from synth_dspy.optimize.gold_steps import GoldStep
from synth_dspy.optimize.optimizers import Optimizer
from synth_dspy.optimize.subject import Guard, subject_of
from synth_dspy.programs.program import Program

_CONNECT_S = 5.0
_CHARS_PER_TOKEN = 4
_PASSES = 2  # the prompt as written and the candidate, each once on held-out and validation gold


def checked_gold(
    step: GoldStep,
    optimizer: Optimizer,
    path: Path | None = None,
    benchmarks: Benchmarks | None = None,
) -> GoldSet:
    """The gold of a step, once nothing is wrong with it: not found in `benchmarks`, too.

    Raises:
        UserError: it is missing or unusable, or too small for the optimizer.
    """
    gold = load_gold(step.name, path)
    check_gold(gold, benchmarks).require()
    train = len(gold.split("train"))
    if train < optimizer.least_train:
        raise UserError(
            f"The optimizer {optimizer.name} needs {optimizer.least_train} examples to train on, "
            f"and the gold of {step.name} has {train}."
        )
    return gold


def check_endpoints(endpoints: Iterable[Endpoint]) -> None:
    """Knock at every address once; nothing is asked, nothing is paid.

    Raises:
        SetupError: nobody answers at one of them.
    """
    for endpoint in {endpoint.name: endpoint for endpoint in endpoints}.values():
        if endpoint.is_offline or not endpoint.base_url or getproxies():
            continue
        address = urlsplit(endpoint.base_url)
        port = address.port or (443 if address.scheme == "https" else 80)
        try:
            socket.create_connection((address.hostname or "", port), timeout=_CONNECT_S).close()
        except OSError as error:
            raise SetupError(
                f"Endpoint {endpoint.name!r}: nobody answers at {address.hostname}:{port} "
                f"({error}). Start the server, or correct models.endpoints."
            ) from error


def check_budget(
    step: GoldStep,
    gold: GoldSet,
    program: Program,
    endpoint: Endpoint,
    *,
    budget_calls: int | None,
    budget_usd: float | None,
) -> None:
    """Whether the budget allows to evaluate once: without that nothing can pass the gate.

    Raises:
        UserError: it does not; the text says how much is needed at least.
    """
    examples = [*gold.examples("validation"), *gold.examples("heldout")]
    calls = _PASSES * len(examples)
    if budget_calls is not None and budget_calls < calls:
        raise UserError(
            f"--budget-calls {budget_calls} is too small to evaluate {step.name} once: the prompt "
            f"as written and a candidate, on {len(examples)} examples each, are {calls} calls."
        )
    if budget_usd is None:
        return
    price = price_of(endpoint)
    if price is None:
        raise UserError(
            f"--budget-usd is set, but nobody knows what the model {endpoint.model_name!r} of "
            f"endpoint {endpoint.name!r} costs: set its price_per_million_input and "
            "price_per_million_output (0 for a free one), or give --budget-calls."
        )
    subject, adapter = subject_of(program, step, Guard()), SynthAdapter()
    chars = sum(
        len(str(message["content"]))
        for example in examples
        for message in adapter.format(subject.step.signature, [], dict(example.inputs()))
    )
    least = price.cost(_PASSES * chars // _CHARS_PER_TOKEN, 0)
    if budget_usd < least:
        raise UserError(
            f"--budget-usd {budget_usd:g} is too small to evaluate {step.name} once: the prompts "
            f"of {calls} calls alone cost about {least:.4f} USD."
        )
