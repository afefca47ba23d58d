"""Conversations as a report shows them: bubbles, with what is known of them beside.

Messages and metadata enter, a `Shown` leaves. It knows no recipe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_dspy.dataset.shown import Part, Shown, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def show_conversation(
    id_: str,
    messages: Sequence[Mapping[str, Any]],
    *,
    facets: Mapping[str, str],
    metadata: Mapping[str, Any],
    source: str = "",
    rejected: tuple[str, str, str] = ("", "", ""),
) -> Shown:
    """A dialogue.

    Args:
        messages: objects with `role` and `content`: a text, or a list of parts, as the forms of
            chat fine-tuning have them, of which the texts are shown.
        facets: what to filter by: `type`, `split`, persona, style, emotion, ...
        rejected: stage, reason and detail of one that was not accepted.
    """
    turns = tuple(Turn(str(m.get("role", "")), _text(m.get("content"))) for m in messages)
    asked = next((turn.content for turn in turns if turn.role == "user"), "")
    stage, reason, detail = rejected
    return Shown(
        id=id_,
        title=asked.strip() or "(nothing was asked)",
        facets=dict(facets),
        parts=(Part("Conversation", "turns", turns=turns),),
        source=source,
        metadata=metadata,
        stage=stage,
        reason=reason,
        detail=detail,
    )


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return "\n\n".join(str(text) for text in texts if text)
    return ""
