"""Queries for briefs, by forms: what the offline model writes, and what stands in for a reply that
does not keep to its brief.

A brief's fields enter, a line leaves that holds every name of the brief. No fact is in it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth_dspy.lm.offline.fields import Ask

FORMS: Mapping[str, tuple[str, ...]] = {
    "VIDEO": (
        "show me {} in motion",
        "watch how {} is done",
        "find the video about {}",
        "footage of {}",
        "where can I see {} happening",
        "clip that demonstrates {}",
        "screen the film on {}",
        "watch {} step by step",
    ),
    "DOCUMENT": (
        "what does the handbook say about {}",
        "find the document that covers {}",
        "read up on {}",
        "cite the passage on {}",
        "which section defines {}",
        "explain {} in writing",
        "paragraphs that mention {}",
        "written account of {}",
    ),
    "IMAGE": (
        "what does {} look like",
        "picture of {}",
        "diagram of {}",
        "chart that plots {}",
        "photo showing {}",
        "sketch or map of {}",
        "find the image with {}",
        "drawing of {}",
    ),
    "AUDIO": (
        "listen to {}",
        "what did they say about {}",
        "recording of {}",
        "play the interview about {}",
        "podcast episode on {}",
        "who talks about {}",
        "hear {} explained",
        "spoken words on {}",
    ),
}
INTENTS: Mapping[str, tuple[str, ...]] = {
    "search": ("{}", "{}, please", "I need this: {}", "{}, the best match first"),
    "summarize": ("summarize in short: {}", "{}, only the gist please", "give me a summary: {}"),
    "report": ("write a detailed report: {}", "{}, with a full analysis", "report at length: {}"),
    "compare": ("compare: {}", "{}, and how they differ", "contrast what is known: {}"),
}
SECOND: Mapping[str, str] = {
    "VIDEO": "and the footage with it",
    "DOCUMENT": "and what is written on it",
    "IMAGE": "and a picture of it",
    "AUDIO": "and what was said of it",
}


def forms(modality: str, intent: str) -> int:
    """In how many ways a brief of this kind can be worded."""
    return len(FORMS[modality]) * len(INTENTS[intent])


def query(
    about: str,
    mention: Sequence[str],
    when: str,
    modality: str,
    second: str,
    intent: str,
    form: int,
) -> str:
    """The query of one brief."""
    asked, wrapped = FORMS[modality], INTENTS[intent]
    text = asked[form % len(asked)].format(subject(about, mention))
    if when:
        text += f" in {when}"
    if second:
        text += f" {SECOND[second]}"
    return wrapped[form // len(asked) % len(wrapped)].format(text)


def subject(about: str, mention: Sequence[str]) -> str:
    """Topic and names as one phrase; a name that the topic holds takes its place there."""
    rest, phrase = [], about
    for name in mention:
        at = phrase.lower().find(name.lower())
        if at >= 0:
            phrase = phrase[:at] + name + phrase[at + len(name) :]
        else:
            rest.append(name)
    return " and ".join(part for part in (phrase, *rest) if part)


def write_queries(ask: Ask) -> Mapping[str, object]:
    """A query for each brief of the prompt."""
    return {"queries": json.dumps([_of(brief) for brief in _briefs(ask)])}


def _briefs(ask: Ask) -> list[dict[str, Any]]:
    try:
        found = json.loads(ask.inputs.get("briefs", ""))
    except ValueError:
        return []
    return [brief for brief in found if isinstance(brief, dict)] if isinstance(found, list) else []


def _of(brief: Mapping[str, Any]) -> str:
    modality, intent = str(brief.get("modality")), str(brief.get("intent"))
    second, form = str(brief.get("second_modality") or ""), brief.get("form")
    mention = brief.get("mention")
    return query(
        str(brief.get("about") or ""),
        [str(name) for name in mention] if isinstance(mention, list) else [],
        str(brief.get("when") or ""),
        modality if modality in FORMS else "DOCUMENT",
        second if second in SECOND else "",
        intent if intent in INTENTS else "search",
        form if isinstance(form, int) else 0,
    )
