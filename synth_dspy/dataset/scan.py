"""Secrets and personal data in texts, found by pattern.

A text enters; findings, or the text with every finding masked to the same length, leave. It knows
nothing of documents and samples. What is certain by form or by checksum is found; a pattern cannot
find a name or an address.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Family = Literal["secrets", "personal_data"]
Policy = Literal["count", "mask", "drop"]

MASK = "*"
_LEAST_ENTROPY = 3.0
_RESERVED = re.compile(
    r"@(?:[\w.-]+\.)?(?:example(?:\.\w+)?|test|invalid|localhost|domain\.com|email\.com)$"
    r"|^(?:git|noreply|no-reply)@|@users\.noreply\.github\.com$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"your|my[_-]|example|token|secret|passw|dummy|fake|sample|placeholder|xxx|1234567|abcdef"
    r"|<|>|\.\.\.|\$\{|\{\{",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of a text: `text[start:end]`; `kind` says what it looks like."""

    family: Family
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Pattern:
    """`group` is what is masked; `holds` decides on it when the form alone does not."""

    family: Family
    kind: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] = lambda _found: True
    group: int = 0


def _entropy(text: str) -> float:
    """Bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _random_looking(found: str) -> bool:
    mixed = any(c.isdigit() for c in found) and any(c.isalpha() for c in found)
    return mixed and _entropy(found) >= _LEAST_ENTROPY and not _PLACEHOLDER.search(found)


def _password_looking(found: str) -> bool:
    return len(set(found)) > 3 and not _PLACEHOLDER.search(found)


def _luhn(found: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    digits = [int(c) for c in found if c.isdigit()]
    if not 13 <= len(digits) <= 16 or digits[0] not in {3, 4, 5, 6} or len(set(digits)) < 4:
        return False
    doubled = [d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _iban(found: str) -> bool:
    """The check digits of an IBAN (ISO 13616)."""
    compact = found.replace(" ", "")
    moved = compact[4:] + compact[:4]
    return len(compact) >= 15 and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def _phone(found: str) -> bool:
    digits = [c for c in found if c.isdigit()]
    # 555-0100 to 555-0199 are set aside for examples (North American Numbering Plan).
    return 9 <= len(digits) <= 15 and len(set(digits)) > 3 and "55501" not in "".join(digits)


def _secret(kind: str, pattern: str, **more: object) -> _Pattern:
    return _Pattern("secrets", kind, re.compile(pattern), **more)  # type: ignore[arg-type]


def _personal(kind: str, pattern: str, **more: object) -> _Pattern:
    return _Pattern("personal_data", kind, re.compile(pattern), **more)  # type: ignore[arg-type]


_PATTERNS = (
    _secret(
        "private_key",
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]{20,8000}?-----END [A-Z ]+-----",
    ),
    _secret("aws_access_key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", holds=lambda f: "EXAMPLE" not in f),
    _secret("github_token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b"),
    _secret("gitlab_token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    _secret("hugging_face_token", r"\bhf_[A-Za-z0-9]{30,}\b"),
    _secret("google_api_key", r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    _secret("openai_key", r"\bsk-(?:[a-z]+-)*[A-Za-z0-9_-]{20,}", holds=_random_looking),
    _secret("slack_token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    _secret("stripe_key", r"\b[rs]k_live_[A-Za-z0-9]{20,}\b"),
    _secret("json_web_token", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    _secret(
        "url_password",
        r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>]+:([^\s/@\"'<>]{4,})@[\w.-]+",
        holds=_password_looking,
        group=1,
    ),
    _secret(
        "assigned_secret",
        r"(?i)\b\w*(?:api_?key|secret|token|passwd|password|auth)\w*[\"']?\s*[:=]\s*"
        r"[\"']([\w/+=.-]{20,200})[\"']",
        holds=_random_looking,
        group=1,
    ),
    _personal(
        "email",
        r"\b[A-Za-z0-9][\w.+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}\b",
        holds=lambda found: not _RESERVED.search(found),
    ),
    _personal(
        "phone",
        r"(?<![\w.,+-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]\d{2,4}){1,4}"
        r"|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4})(?![\w-]|\.\d)",
        holds=_phone,
    ),
    _personal("iban", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b", holds=_iban),
    _personal("payment_card", r"(?<![\w.-])[3-6]\d{3}(?:[ -]?\d){9,12}(?![\w.-])", holds=_luhn),
    _personal(
        "us_social_security_number",
        r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])",
    ),
)


def findings(text: str) -> list[Finding]:
    """What `text` holds, by place; of two that overlap the one that begins first stays."""
    # Of two that begin together the secret stays: a password before an @ looks like an address.
    found = sorted(_raw(text), key=lambda f: (f.start, f.family != "secrets", -f.end))
    kept: list[Finding] = []
    for finding in found:
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
    return kept


def _raw(text: str) -> Iterator[Finding]:
    for known in _PATTERNS:
        for match in known.pattern.finditer(text):
            if known.holds(match[known.group]):
                yield Finding(known.family, known.kind, *match.span(known.group))


def masked(text: str, families: frozenset[Family]) -> str:
    """`text` with every letter and digit of what is found in `families` replaced by `*`.

    The length and the line breaks stay, so that spans of the text stay true.
    """
    for finding in findings(text):
        if finding.family in families:
            hidden = re.sub(r"\w", MASK, text[finding.start : finding.end])
            text = f"{text[: finding.start]}{hidden}{text[finding.end :]}"
    return text


def tally(found: list[Finding]) -> dict[str, dict[str, int]]:
    """How many of each kind, by family; families without any are left out."""
    counts: dict[str, Counter[str]] = {}
    for finding in found:
        counts.setdefault(finding.family, Counter())[finding.kind] += 1
    return {family: dict(sorted(kinds.items())) for family, kinds in sorted(counts.items())}
