"""Dialogues from pairs: the pairs' own sentences, with what people say around them.

A task enters (pairs, persona, style, emotion, system prompt), exchanges leave. Courtesies state no
fact; everything else that the assistant says stands in its pairs or facts.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from synth_dspy.lm.offline.dialogues_questions import sentences, subject_of
from synth_dspy.lm.offline.pair import stands_alone
from synth_dspy.lm.offline.words import coverage, stem_set

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth_dspy.lm.offline.fields import Ask

_ANY_ONE = re.compile(r"(?:an?|one|each|every|some|both) \w+", re.IGNORECASE)
_PAIR = re.compile(r"^Q: (?P<question>.*?) A: (?P<answer>.*)$", re.DOTALL)

# Found by the first word of the emotion's, style's or prompt's text that is listed.
_FEELINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("frustrat|annoy|angry|upset|irritat", (
        "This is getting annoying, I cannot find it anywhere.",
        "Honestly, I have looked everywhere on your pages.",
        "I am a bit fed up with searching.",
        "I have clicked through half of your site by now.",
        "Sorry, but this should be easier to find.",
    )),
    ("worr|anxious|nervous|afraid|concern|unsure", (
        "I am a little worried about this.",
        "I want to be sure before I do anything wrong.",
        "I would rather ask first.",
        "I do not want to get this wrong.",
        "This makes me slightly nervous.",
    )),
    ("excit|happy|cheer|enthus|pleased|delight", (
        "I am really looking forward to this!",
        "I am so glad that I found you!",
        "This looks great so far!",
        "I like what I have seen!",
        "What a nice place to look around!",
    )),
    ("hurr|urgent|impatient|stress|rush", (
        "I only have a minute.",
        "Quick one, please.",
        "I need this right now.",
        "I am in a hurry.",
        "Short answer, please, my bus is coming.",
    )),
    ("curious|interest", (
        "I was wondering about something.",
        "Something has been on my mind.",
        "I am just curious.",
        "Out of interest:",
        "I like to know how things work.",
    )),
    ("confus|puzzl|lost", (
        "I am not sure that I understand this.",
        "I am a bit lost here.",
        "This confuses me.",
        "I read about it and still do not get it.",
        "Maybe I misread it, but",
    )),
)  # fmt: skip
_GREETINGS: Mapping[str, tuple[str, ...]] = {
    "casual": ("Hi!", "Hey!", "Hi there!", "Hello!", "Hey there!", ""),
    "neutral": ("Hello.", "Hello!", "Hi.", "Good day.", ""),
    "formal": ("Good day.", "Good morning.", "Good afternoon.", "Good evening."),
}
_STYLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("direct|brief|terse|short|blunt", ("", "", "Question:")),
    ("polite|courteous|formal|careful", (
        "I would be grateful for some information.",
        "Could you please help me with a question?",
        "May I ask you something?",
        "I would appreciate your help.",
    )),
    ("chatty|talkative|story|rambl|friendly", (
        "I was just talking about this with a friend.",
        "My family keeps asking me about it.",
        "We were discussing it over dinner.",
        "I have been meaning to ask for days.",
        "I told a colleague that I would find out.",
    )),
    ("hesitant|vague|shy", (
        "Maybe this is a silly question.",
        "I am not sure whether you can help.",
        "I hope that I am in the right place.",
        "Sorry to bother you.",
    )),
    ("detail|thorough|precise|analytic", (
        "I would like to get this exactly right.",
        "I am comparing a few things.",
        "I am making a list of what matters to me.",
        "Please be precise.",
    )),
    ("", ("I have a question.", "One question:", "Can you help me?", "")),
)  # fmt: skip
_BACK = (
    "Thanks. You mentioned {subject}, so one more thing: {question}",
    "Good to know about {subject}. {Question}",
    "Okay, that settles {subject} for me. {Question}",
    "Thank you for the answer about {subject}. {Question}",
    "That helps with {subject}. And {question}",
    "All right, so much for {subject}. {Question}",
)
_BACK_PLAIN = (
    "Thanks, that answers it. One more thing about this: {question}",
    "I see, thanks for that. {Question}",
    "Okay, noted. And since we are talking about it: {question}",
    "That is what I wanted to hear about. {Question}",
)
_LEADS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("frustrat|annoy|angry|upset|irritat", (
        "I am sorry that this was hard to find.", "I understand, let me help.",
        "Sorry for the trouble.",
    )),
    ("worr|anxious|nervous|afraid|concern|unsure", (
        "It is good that you ask.", "I am happy to help you with that.",
        "That is a sensible question.",
    )),
    ("hurr|urgent|impatient|stress|rush", ("In short:", "Of course.", "")),
    ("confus|puzzl|lost", ("Let me explain.", "I am happy to explain.", "Let me help.")),
    ("", ("I am happy to help.", "Thank you for asking.", "Of course.", "Good question.", "")),
)  # fmt: skip
_AGAIN = ("As I said:", "As mentioned:", "To come back to it:")
_CLOSINGS = (
    "Is there anything else you would like to know?",
    "Let me know if you have more questions.",
    "I hope that this helps.",
    "Feel free to ask if anything is unclear.",
)


def write_dialogue(ask: Ask) -> Mapping[str, object]:
    """The field `dialogue`."""
    pairs = [found for line in ask.listed("pairs") if (found := _PAIR.match(line.strip()))]
    talk = _Talk(ask)
    exchanges = []
    for turn, pair in enumerate(pairs[: ask.number("exchanges")]):
        before = pairs[turn - 1]["answer"] if turn else ""
        exchanges.append(
            {
                "user": talk.user(turn, pair["question"].strip(), before),
                "assistant": talk.assistant(turn, pair["question"].strip(), pair["answer"].strip()),
            }
        )
    return {"dialogue": json.dumps(exchanges, ensure_ascii=False)}


class _Talk:
    """The words around the facts; what is drawn is drawn by a hash of the whole task."""

    def __init__(self, ask: Ask) -> None:
        self._facts, self._prompt = ask.text("facts"), ask.text("system_prompt").lower()
        self._emotion, self._style = ask.text("emotion").lower(), ask.text("style").lower()
        persona = ask.text("persona").lower()
        self._formality = next(
            (name for name in _GREETINGS if f"formality: {name}" in persona), "neutral"
        )
        self._key = json.dumps([*ask.inputs.values()])
        self._said: set[str] = set()

    def _pick(self, options: Sequence[str], *about: object) -> str:
        number = int(hashlib.sha256(repr((self._key, *about)).encode()).hexdigest()[:8], 16)
        return options[number % len(options)]

    def user(self, turn: int, question: str, before: str) -> str:
        """The first turn has a greeting and a mood; a later one takes up what was answered."""
        if turn:
            subject = _subject(before, self._facts)
            forms = _BACK if subject and subject.lower() not in question.lower() else _BACK_PLAIN
            form = self._pick(forms, "back", turn)
            return form.format(subject=subject, question=_lowered(question), Question=question)
        greeting = self._pick(_GREETINGS[self._formality], "greeting")
        mood = _listed(_FEELINGS, self._emotion)
        manner = _listed(_STYLES, self._style)
        parts = [greeting]
        if mood:
            parts.append(self._pick(mood, "mood"))
        if not mood or self._pick(("yes", "no"), "both") == "yes":
            told = self._pick(manner, "manner")
            # What leads up to the question has to stand before it.
            parts.insert(1, "" if mood and told.endswith(":") else told)
        said = " ".join(part for part in parts if part)
        if said.endswith((":", ",", "but")) and len(said.split()) > 2:
            return f"{said} {_lowered(question)}"
        return f"{said} {question}".strip()

    def assistant(self, turn: int, question: str, answer: str) -> str:
        """The pair's sentences; those that were said before are not said again."""
        told = sentences(answer)
        plain = [s for s in told if s in ("Yes.", "No.")]
        new = [s for s in told if s not in self._said or s in plain]
        again = len(new) == len(plain)
        if again:
            new = [s for s in told if s not in plain]
        brief = bool(
            re.search(r"\b(?:short|brief|briefly|concise|concisely|few words)\b", self._prompt)
        )
        full = bool(re.search(r"\b(?:detail|detailed|thorough|thoroughly|explain)\b", self._prompt))
        parts = []
        if again:
            parts.append(self._pick(_AGAIN, turn))
        elif turn == 0 and not brief and not plain:
            parts.append(self._pick(_listed(_LEADS, self._emotion) or ("",), "lead"))
        parts += new
        self._said.update(told)
        if full and not again and (more := self._more(question, answer)):
            parts.append(more)
            self._said.add(more)
        if full or (not brief and self._pick(("no", "no", "yes"), "closing", turn) == "yes"):
            parts.append(self._pick(_CLOSINGS, "close", turn))
        return " ".join(part for part in parts if part)

    def _more(self, question: str, answer: str) -> str:
        """A further sentence of the facts that goes with the answer; "" for none.

        It is of the same fact, or it names what the question or the answer is about: elsewhere "a
        pair" may be one of anything.
        """
        about = stem_set(f"{question} {answer}")
        rest = []
        for line in self._facts.split("\n"):
            told = sentences(line)
            same = any(s in answer for s in told)
            rest += [
                s
                for s in told
                if s not in self._said and s not in answer and stands_alone(s)
                and len(s.split()) < 30 and (same or _named(subject_of(s, self._facts), about))
            ]  # fmt: skip
        best = max(rest, key=lambda s: coverage(s, answer), default="")
        return best if best and coverage(best, answer) >= 0.25 else ""


def _named(subject: str, about: frozenset[str]) -> bool:
    """Whether a text with these stems names a sentence's subject; "" is none."""
    words = stem_set(subject)
    return bool(words) and words <= about and not _ANY_ONE.fullmatch(subject)


def _subject(answer: str, facts: str) -> str:
    found = (subject_of(s, facts) for s in sentences(answer) if len(s.split()) > 2)
    subject = next((s for s in found if s), "")
    return "" if subject.lower() in ("you", "we", "i") else subject


def _listed(table: tuple[tuple[str, tuple[str, ...]], ...], text: str) -> tuple[str, ...]:
    """The entries for the first pattern that `text` holds; () for none."""
    return next((options for pattern, options in table if re.search(pattern, text)), ())


def _lowered(question: str) -> str:
    """A question as it goes on after a colon."""
    first = question.split(" ", 1)[0]
    keeps = first == "I" or first.startswith("I'") or any(c.isupper() for c in first[1:])
    return question if keeps else question[0].lower() + question[1:]
