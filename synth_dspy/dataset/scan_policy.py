"""What becomes of documents and samples that hold secrets or personal data, or may not be used.

A document or sample enters; the same one, masked or as it was, or the reason why it is dropped,
leaves. What the patterns are is scan.py's business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from synth_dspy.dataset.scan import Family, Finding, Policy, findings, masked, tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from synth_dspy.records import Document, Image, Sample

_FAMILIES: tuple[Family, ...] = ("secrets", "personal_data")
_REASONS: dict[str, str] = {"secrets": "secret", "personal_data": "personal_data"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is dropped: `secret`, `personal_data` or `license_not_allowed`."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ScanPolicy:
    """What is done with what is found.

    Attributes:
        secrets, personal_data: count it, mask it in place, or drop what holds it.
        licenses: by source, (name, licence); "" for a licence that nobody stated.
        allowed_licenses: none: every licence, and none, may be used.
    """

    secrets: Policy = "mask"
    personal_data: Policy = "count"
    licenses: tuple[tuple[str, str], ...] = ()
    allowed_licenses: tuple[str, ...] = ()

    def of(self, family: str) -> Policy:
        """The policy for a family of findings."""
        return self.secrets if family == "secrets" else self.personal_data

    @property
    def masked(self) -> frozenset[Family]:
        """The families that are masked."""
        return frozenset(family for family in _FAMILIES if self.of(family) == "mask")

    def document(self, document: Document) -> Document | Refusal:
        """The document as it may be used, `stats` saying what was found in it, or why it may not.

        `stats` gets `secrets` and `personal_data` where there are any; spans stay true.
        """
        refusal = self._license(document.source)
        if refusal is not None:
            return refusal
        found = _findings(document)
        if not found:
            return document
        if (refusal := self._dropped(found)) is not None:
            return refusal
        counts = {family: sum(kinds.values()) for family, kinds in tally(found).items()}
        counted = replace(document, stats={**document.stats, **counts})
        return _masked_document(counted, self.masked) if self.masked else counted

    def sample(self, sample: Sample) -> Sample | Refusal:
        """The sample as it may be used. Code that was verified is dropped where it had to be
        masked, since nobody ran what would be left of it."""
        image = sample.metadata.get("image") or {}
        described = str(image.get("description") or "")
        texts = (sample.question, sample.answer, sample.test_code, sample.code_context, described)
        found = [finding for text in texts for finding in findings(text)]
        if not found:
            return sample
        if (refusal := self._dropped(found)) is not None:
            return refusal
        hide = self.masked
        if not any(finding.family in hide for finding in found):
            return sample
        if sample.test_code:
            verified = [f for text in texts[:3] for f in findings(text) if f.family in hide]
            if verified:
                return Refusal(_REASONS[verified[0].family], f"verified code holds {_said(found)}")
        return replace(
            sample,
            question=masked(sample.question, hide),
            answer=masked(sample.answer, hide),
            code_context=masked(sample.code_context, hide),
            metadata={**sample.metadata, "image": {**image, "description": masked(described, hide)}}
            if described
            else sample.metadata,
        )

    def _license(self, source: str) -> Refusal | None:
        if not self.allowed_licenses:
            return None
        license_ = dict(self.licenses).get(source, "")
        if license_.casefold() in {allowed.casefold() for allowed in self.allowed_licenses}:
            return None
        said = f"the licence {license_!r}" if license_ else "no stated licence"
        allowed = ", ".join(self.allowed_licenses)
        return Refusal(
            "license_not_allowed",
            f"source {source!r} has {said}; dataset.allowed_licenses: {allowed}",
        )

    def _dropped(self, found: list[Finding]) -> Refusal | None:
        for family in _FAMILIES:
            hits = [finding for finding in found if finding.family == family]
            if hits and self.of(family) == "drop":
                return Refusal(_REASONS[family], f"it holds {_said(hits)}")
        return None


def _said(found: Iterable[Finding]) -> str:
    kinds = tally(list(found)).values()
    return ", ".join(f"{count} {kind}" for of in kinds for kind, count in of.items())


def _findings(document: Document) -> list[Finding]:
    """What is found in all that somebody wrote: what is beside the text need not stand in it."""
    text = document.text
    found = findings(text)
    # A notebook's outputs may be in their blocks only, and are places of their own.
    outputs = [b.output for b in document.code_blocks if b.output not in text]
    found += [finding for output in outputs for finding in findings(output)]
    beside = [document.title, *(block.code for block in document.code_blocks)]
    for image in document.images:
        beside += [image.alt, image.caption, image.code, image.ref]
    beside += [image.ref for image in document.dropped_images]
    for other in dict.fromkeys(one for one in beside if one not in text):
        found += [f for f in findings(other) if other[f.start : f.end] not in text]
    return found


def _masked_document(document: Document, hide: frozenset[Family]) -> Document:
    def image(one: Image) -> Image:
        return replace(
            one,
            alt=masked(one.alt, hide),
            caption=masked(one.caption, hide),
            code=masked(one.code, hide),
            ref=masked(one.ref, hide),
        )

    return replace(
        document,
        text=masked(document.text, hide),
        title=masked(document.title, hide),
        code_blocks=tuple(
            replace(block, code=masked(block.code, hide), output=masked(block.output, hide))
            for block in document.code_blocks
        ),
        images=tuple(map(image, document.images)),
        dropped_images=tuple(
            replace(one, ref=masked(one.ref, hide)) for one in document.dropped_images
        ),
    )


def scan_facts(
    policy: ScanPolicy, kept: Iterable[Mapping[str, int]], dropped: Mapping[str, int]
) -> dict[str, Any]:
    """What was scanned and found in all, as one JSON object.

    Args:
        kept: the `stats` of each document that was kept.
        dropped: reason -> documents that were dropped for it.
    """
    stats = list(kept)
    reasons = (*_REASONS.values(), "license_not_allowed")
    facts: dict[str, Any] = {
        "documents": len(stats) + sum(dropped.get(reason, 0) for reason in reasons),
        "licenses": {name: license_ or "not stated" for name, license_ in policy.licenses},
        "allowed_licenses": list(policy.allowed_licenses),
        "license_not_allowed": dropped.get("license_not_allowed", 0),
    }
    for family in _FAMILIES:
        counts = [one[family] for one in stats if one.get(family)]
        facts[family] = {
            "policy": policy.of(family),
            "found": sum(counts),
            "documents": len(counts),
            "dropped": dropped.get(_REASONS[family], 0),
        }
    return facts
