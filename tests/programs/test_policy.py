"""What no text of a sample may hold: checked before anything runs, and told to the model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from synth_dspy.config import load_config
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.policy import Policy, service_in
from tests.commandline import ROOT
from tests.loopback import Loopback, Prompt
from tests.programs.made import CountingSandbox, candidate, chunk, program, task

POLICY = Policy(((r"\bexecute\s*\(", "use backend.run() instead"),))
TEST = "def check(candidate):\n    assert candidate(1) == 1\n    assert candidate(2) == 2\n"
BAD_TEST = TEST + "    execute(candidate)\n"


def run(coroutine: Any) -> Outcome:
    outcome: Outcome = asyncio.run(coroutine)
    return outcome


def code(**changed: Any) -> Any:
    given = {"question": "Write `same(x)`.", "entry_point": "same", "test_code": TEST}
    return candidate("code_generation", **(given | changed))


async def answered(folder: Path, server: Loopback, box: CountingSandbox, record: Any) -> Outcome:
    async with program(folder, server, box, policy=POLICY) as made:
        outcome: Outcome = (await made.answer_writer.acall(candidate=record)).outcome
        return outcome


def test_a_forbidden_answer_is_corrected_before_anything_runs(tmp_path: Path) -> None:
    box = CountingSandbox()

    def answer(prompt: Prompt) -> dict[str, Any]:
        if "repaired_program" in prompt.asked:
            assert "use backend.run() instead" in prompt.given["report"]
            return {"repaired_program": "def same(x):\n    return x\n"}
        return {"program": "def same(x):\n    return execute(x)\n"}

    with Loopback(answer) as server:
        outcome = run(answered(tmp_path, server, box, code()))
    assert isinstance(outcome, Kept)
    assert [job.solution for job in box.jobs] == ["def same(x):\n    return x\n"]
    assert outcome.outputs[0].steps["write_program"].attempts == 2


def test_an_answer_that_stays_forbidden_is_dropped_unrun(tmp_path: Path) -> None:
    box = CountingSandbox()
    bad = "def same(x):\n    return execute(x)\n"
    with Loopback(lambda _: {"program": bad, "repaired_program": bad}) as server:
        outcome = run(answered(tmp_path, server, box, code()))
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "forbidden_pattern"
    assert not box.jobs


def test_a_forbidden_answer_in_words_is_corrected(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> dict[str, Any]:
        if "repaired_answer" in prompt.asked:
            assert "backend.run()" in prompt.given["report"]
            return {"repaired_answer": "Call backend.run()."}
        return {"answer": "Call execute(circuit)."}

    with Loopback(answer) as server:
        outcome = run(answered(tmp_path, server, CountingSandbox(), candidate("qa")))
    assert isinstance(outcome, Kept)
    assert outcome.outputs[0].answer == "Call backend.run()."


async def written(folder: Path, server: Loopback, kind: str, **options: Any) -> Outcome:
    async with program(folder, server, policy=POLICY, **options) as made:
        reply = await made.question_writer.acall(task=task(kind), chunk=chunk())
        outcome: Outcome = reply.outcome
        return outcome


def test_a_forbidden_question_is_corrected_and_dropped_when_it_stays(tmp_path: Path) -> None:
    stays = {"question": "What does execute(x) do?", "refined_question": "Why execute(x)?"}
    with Loopback(lambda _: stays) as server:
        outcome = run(written(tmp_path / "a", server, "qa"))
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "forbidden_pattern"
    better = {**stays, "refined_question": "What does backend.run(x) do?"}
    with Loopback(lambda _: better) as server:
        outcome = run(written(tmp_path / "b", server, "qa"))
    assert isinstance(outcome, Kept)
    assert outcome.outputs[0].question == "What does backend.run(x) do?"


def test_a_forbidden_test_is_repaired_or_dropped(tmp_path: Path) -> None:
    asked = {"task": "Write `same(x)`, please.", "entry_point": "same", "test_code": BAD_TEST}
    with Loopback(lambda _: {**asked, "repaired_test": TEST}) as server:
        outcome = run(written(tmp_path / "a", server, "code_generation"))
    assert isinstance(outcome, Kept)
    assert outcome.outputs[0].test_code == TEST
    with Loopback(lambda _: {**asked, "repaired_test": BAD_TEST}) as server:
        outcome = run(written(tmp_path / "b", server, "code_generation"))
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "forbidden_pattern"


@pytest.mark.parametrize(
    "code_text",
    [
        "service = QiskitRuntimeService()",
        "IBMQ.load_account()",
        "page = requests.get('http://localhost')",
        "import boto3",
        "key = os.environ['MY_API_KEY']",
    ],
)
def test_code_that_needs_a_service_is_known(code_text: str) -> None:
    assert service_in([code_text])


@pytest.mark.parametrize(
    "code_text", ["requests = [1, 2]\nrequests.append(3)", "service = Counter()", "x = os.environ"]
)
def test_code_that_needs_none_is_left_alone(code_text: str) -> None:
    assert service_in([code_text]) is None


def test_code_that_needs_a_service_is_dropped_unrun(tmp_path: Path) -> None:
    box = CountingSandbox()
    needs = "def same(x):\n    return QiskitRuntimeService().backend(x)\n"
    with Loopback(lambda _: {"program": needs}) as server:
        outcome = run(answered(tmp_path, server, box, code()))
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "needs_service"
    assert not box.jobs


REMOVED = [
    "from qiskit import QuantumCircuit, execute",
    "job = execute(circuit, backend)",
    "circuit.bind_parameters({a: 1})",
    "from qiskit.test import QiskitTestCase",
    "from qiskit.providers.aer import QasmSimulator",
    "from qiskit import Aer",
    "from qiskit.primitives import Sampler",
    "from qiskit.primitives import StatevectorSampler, Estimator",
    "from qiskit.opflow import X",
    "circuit.x(0).c_if(bits, 1)",
    "circuit.qasm()",
    "circuit.cnot(0, 1)",
    "from qiskit import pulse",
    "from qiskit.providers.fake_provider import FakeVigo",
]
CURRENT = [
    "def execute(self):\n    return self.execute()",
    "from qiskit.primitives import StatevectorSampler, StatevectorEstimator, BackendSamplerV2",
    "from qiskit_aer import AerSimulator",
    "circuit.assign_parameters([1])",
    "from qiskit_aer.primitives import SamplerV2",
    "from qiskit.providers.fake_provider import GenericBackendV2",
    "import qiskit.qasm2\nqiskit.qasm2.dumps(circuit)",
    "circuit.cx(0, 1)\ncircuit.u(a, b, c, 0)",
]


@pytest.fixture
def quantum(monkeypatch: pytest.MonkeyPatch) -> Policy:
    for role in ("VISION", "QUESTION", "ANSWER", "CURATE"):
        monkeypatch.setenv(f"{role}_MODEL_BASE_URL", "http://localhost:1/v1")
        monkeypatch.setenv(f"{role}_MODEL_API_KEY", "k")
        monkeypatch.setenv(f"{role}_MODEL_NAME", "m")
    generation = load_config(ROOT / "configs" / "quantum.yaml").config.generation
    return Policy(tuple((p.pattern, p.message) for p in generation.forbidden_patterns))


@pytest.mark.parametrize("code_text", REMOVED)
def test_the_quantum_configuration_forbids_what_qiskit_removed(
    quantum: Policy, code_text: str
) -> None:
    assert quantum.fault_in(code_text)


@pytest.mark.parametrize("code_text", CURRENT)
def test_the_quantum_configuration_allows_what_took_its_place(
    quantum: Policy, code_text: str
) -> None:
    assert quantum.fault_in(code_text) is None
