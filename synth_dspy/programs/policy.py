"""What no text of a sample may hold: patterns of the configuration, and code that needs a service.

Text enters; a sentence that says what stands in the way leaves. Nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_NETWORK = "the network"
# An account, a key or the network: a sandbox has none of them, so no test of such code can pass.
_SERVICES: tuple[tuple[str, str], ...] = (
    (r"\bQiskitRuntimeService\b", "QiskitRuntimeService, an account at IBM Quantum"),
    (r"\bIBMProvider\b|\bIBMQ\b", "an account at IBM Quantum"),
    (r"\bAzureQuantumProvider\b|\bBraketProvider\b|\bAwsDevice\b", "a cloud account"),
    (r"\bsave_account\s*\(|\bload_account\s*\(", "a saved account"),
    (r"\b(?:requests|httpx)\.(?:get|post|put|delete|head|patch|request|[A-Z]\w*)\s*\(", _NETWORK),
    (r"\burlopen\s*\(|\burlretrieve\s*\(|\bhttp\.client\b|\baiohttp\.", _NETWORK),
    (r"\b(?:import|from) (?:boto3|google\.cloud|openai|anthropic)\b", "a cloud account"),
    (r"\bos\.environ\[[^\]]*(?:KEY|TOKEN|SECRET)[^\]]*\]", "a key from the environment"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    """The patterns, in order, each with what to say to a model that wrote one."""

    patterns: tuple[tuple[str, str], ...] = ()
    _compiled: tuple[tuple[re.Pattern[str], str], ...] = field(
        init=False, default=(), compare=False, repr=False
    )

    def __post_init__(self) -> None:
        compiled = tuple((re.compile(p, re.MULTILINE), message) for p, message in self.patterns)
        object.__setattr__(self, "_compiled", compiled)

    def fault_in(self, *texts: str) -> str | None:
        """What is forbidden in the texts, and what to do instead; None when nothing is."""
        found = [
            f"{match[0].strip()!r} must not be used: {message}"
            for pattern, message in self._compiled
            if (match := _first(pattern, texts))
        ]
        return "; ".join(found) or None


def service_in(texts: Iterable[str]) -> str | None:
    """What service code cannot do without, or None."""
    for text in texts:
        for pattern, what in _SERVICES:
            if re.search(pattern, text):
                return f"it needs {what}"
    return None


def _first(pattern: re.Pattern[str], texts: Sequence[str]) -> re.Match[str] | None:
    return next((match for text in texts if (match := pattern.search(text))), None)
