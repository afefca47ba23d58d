"""Questions that a customer may ask, from sentences of facts: `You can return it` -> `Can I ...?`

Sentences enter; pairs of a question and the sentence that answers it leave. A sentence that cannot
be turned into good English gives none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import prose
from synth_dspy.lm.offline.nouns import as_inside
from synth_dspy.lm.offline.verbs import base, can_be_subject
from synth_dspy.lm.offline.words import word_set

if TYPE_CHECKING:
    from collections.abc import Iterator

_PERSON = {
    "you": "I", "your": "my", "yours": "mine", "yourself": "myself", "we": "you", "our": "your",
    "us": "you", "ours": "yours",
}  # fmt: skip
_AUX = re.compile(
    r"^(?P<subject>[^.;:?!]{1,90}?) (?P<aux>is|are|can|may|must|will|should|cannot)"
    r"(?P<not> not)? (?P<rest>\S.*)$"
)
_DO_NOT = re.compile(r"^(?P<subject>[^.;:?!]{1,90}?) (?P<aux>does|do) not (?P<rest>\S.*)$")
_VERBS = word_set(
    """
    accept adjust allow answer apply arrive assemble base begin belong bring build buy call
    cancel carry change charge check choose clean close collect come confirm contain cost
    count cover create deliver depend describe display donate earn employ end expire fit fix
    get give grow guarantee handle have help hold include inspect install keep last lead
    leave lend let list live make match mean measure mend need offer open order own pack pay
    plant print process produce protect provide publish reach receive recycle refund rent
    repair replace reply represent require reserve reset return run scan see sell send serve
    ship show spend sponsor start stay stock stop store support switch take teach tell train
    travel treat turn use visit wait want warn wash weigh welcome withstand work wrap
    """
)
_ASKED = {
    "cost": "How much {do} {subject} cost?",
    "take": "How long {do} {subject} take?",
    "last": "How long {do} {subject} last?",
    "weigh": "How much {do} {subject} weigh?",
    "hold": "How much {do} {subject} hold?",
    "open": "When {do} {subject} open?",
    "close": "When {do} {subject} close?",
    "start": "When {do} {subject} start?",
    "begin": "When {do} {subject} begin?",
    "end": "When {do} {subject} end?",
    "arrive": "When {do} {subject} arrive?",
    "expire": "When {do} {subject} expire?",
    "include": "What {do} {subject} include?",
    "contain": "What {do} {subject} contain?",
    "cover": "What {do} {subject} cover?",
    "offer": "What {do} {subject} offer?",
    "require": "What {do} {subject} require?",
    "need": "What {do} {subject} need?",
    "provide": "What {do} {subject} provide?",
    "represent": "What {do} {subject} represent?",
    "depend": "What {do} {subject} depend on?",
    "allow": "What {do} {subject} allow?",
}
_TIME = r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|thirty)"
_SPAN = re.compile(
    rf"^(?P<doing>.{{3,70}}?) (?:within|for up to|up to) {_TIME}(?: \w+)? "
    r"(?:hours?|days?|weeks?|months?|years?)\b"
)
_VALID = re.compile(
    r"^(?:valid|available|open|reserved|kept|stored|held) (?:for|until|from|on|by)\b"
)
_MADE = re.compile(r"^made (?P<how>of|from|in) ")
_DONE = re.compile(r"^(?P<done>\w+(?:ed|en|wn|lt|nt|ld|de|ught|id)) (?:by|with|through|via|using) ")
_IF = re.compile(
    r"^(?P<word>If|When|Whenever) (?P<condition>[^,;]{6,110}), (?P<main>.{8,})$", re.IGNORECASE
)
_IF_LAST = re.compile(r"^(?P<main>[^;]{8,120}?),? if (?P<condition>[^,;]{6,110})\.$")
_LABEL = re.compile(r"^(?P<label>[A-Z][\w' /-]{2,48}):\s+(?P<said>\S.{10,})$")
_AFTER_NOUN = re.compile(
    r" (?:of|in|for|with|from|on|at|to|by|up|over|under|above|between|without|that) "
)
_CLAUSE_ENDS = re.compile(
    r"[;\u2013\u2014]|:(?!\d)|, (?:and|but|so|which|while|or|where|except|unless)\b|"
    r", (?=\w+ (?:is|are|has)\b)| (?:but|because|so that|which|whereas)\b|"
    r",? and (?=(?:it|they|the|a|you|we|costs?|is|are|can|takes?|has|have|must|will)\b)|\("
)
_LONGEST = 24
_AUXILIARIES = word_set("are can may must will should have had do did were could would cannot")
# What only the sentence before would tell.
_DANGLING = re.compile(
    r"\b(?:them|both|there|then|these|those|with it|of it|for it|from it|to it|on it|another)\b|"
    r" it\?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what it is about.

    Attributes:
        kind: what (a detail), yes (yes or no), if (a condition), about (all of it).
        subject: as it stands inside a sentence; answer: sentences of the fact.
    """

    question: str
    answer: str
    subject: str
    kind: str


def sentences(fact: str) -> list[str]:
    """The sentences of a fact without markup; a label that stands before a colon stays."""
    return [s for line in fact.split("\n") for s in prose.split(prose.clean(line)[0]) if s]


def subject_of(sentence: str, whole: str) -> str:
    """What a sentence is about, as it stands inside another one; "" when that is not sure."""
    if label := _LABEL.match(sentence):
        return as_inside(label["label"], whole)
    for form in (_AUX, _DO_NOT):
        found = form.match(sentence)
        if found and _nameable(found["subject"]):
            return as_inside(found["subject"], whole)
    plain = _plain_verb(sentence)
    if plain and _nameable(plain[0]):
        return as_inside(plain[0], whole)
    return ""


def asked(sentence: str, whole: str) -> list[Asked]:
    """The questions that a sentence answers, the best first."""
    subject = subject_of(sentence, whole)
    found = [
        Asked(_tidy(question), answer, subject, kind)
        for question, answer, kind in _forms(sentence, whole)
    ]
    return [
        one
        for one in found
        if 3 <= len(one.question.split()) <= _LONGEST and not _DANGLING.search(one.question)
    ]


def _forms(sentence: str, whole: str) -> Iterator[tuple[str, str, str]]:
    said = sentence if sentence.endswith((".", "!")) else f"{sentence}."
    if label := _LABEL.match(said):
        about = as_inside(label["label"], whole)
        yield f"Can you explain {_shifted(about)} to me?", said, "what"
        return
    if found := _IF.match(said) or _IF_LAST.match(said):
        condition = _shifted(_lower(found["condition"], whole))
        yield f"What happens if {condition}?", said, "if"
    if found := _AUX.match(said) or _DO_NOT.match(said):
        yield from _of_aux(found, said, whole)
        return
    if plain := _plain_verb(said):
        yield from _of_verb(*plain, said, whole)


def _of_aux(found: re.Match[str], said: str, whole: str) -> Iterator[tuple[str, str, str]]:
    subject, aux, rest = found["subject"], found["aux"], found["rest"].rstrip(".!")
    if not _askable(subject):
        return
    denied = aux == "cannot" or bool(found.groupdict().get("not")) or aux in ("do", "does")
    aux = "can" if aux == "cannot" else aux
    inside = _shifted(as_inside(subject, whole))
    if inside == "I":
        aux = {"are": "am", "is": "am"}.get(aux, aux)
    head = aux.capitalize()
    span = _SPAN.match(rest)
    if aux in ("can", "may", "must") and span and not denied:
        doing = _shifted(span["doing"])
        if inside == "I":
            yield f"How long do I have to {doing}?", said, "what"
        else:
            yield f"Within what time {aux} {inside} {doing}?", said, "what"
    if aux in ("is", "are") and not denied:
        if re.match(r"^(?:valid|kept|stored|held|reserved) (?:for|until)", rest):
            yield f"How long {aux} {inside} {rest.split()[0]}?", said, "what"
        elif re.match(r"^(?:open|available) (?:from|on|daily|every|around)", rest):
            yield f"When {aux} {inside} {rest.split()[0]}?", said, "what"
        elif made := _MADE.match(rest):
            asks = "Where" if made["how"] == "in" else "What"
            tail = "" if made["how"] == "in" else f" {made['how']}"
            yield f"{asks} {aux} {inside} made{tail}?", said, "what"
        elif done := _DONE.match(rest):
            yield f"How {aux} {inside} {done['done']}?", said, "what"
        elif re.match(r"^an? \w", rest) and _nameable(subject):
            yield f"What exactly {aux} {inside}?", said, "what"
    short = _short(rest)
    if not short:
        return
    # What is forbidden is asked for without the "not", and answered with a no.
    yield f"{head} {inside} {_shifted(short)}?", f"{'No' if denied else 'Yes'}. {said}", "yes"


def _of_verb(
    subject: str, verb: str, rest: str, said: str, whole: str
) -> Iterator[tuple[str, str, str]]:
    if not _askable(subject):
        return
    inside = _shifted(as_inside(subject, whole))
    plain = base(verb) if verb.endswith("s") and verb not in _VERBS else verb
    does = "does" if plain != verb else "do"
    rest = rest.rstrip(".!")
    if plain in _ASKED and inside not in ("I", "you"):
        fits = plain not in ("cost", "take", "last", "weigh", "hold") or re.match(
            r"(?:about |only |up to |at least |between )?(?:\d|one|two|three|four|five|six|seven|"
            r"eight|nine|ten|a |an )", rest
        )  # fmt: skip
        timed = plain not in ("open", "close", "start", "begin", "end", "arrive", "expire") or (
            re.match(r"(?:at|on|from|in|every|after|within|by|\d)", rest)
        )
        if fits and timed:
            yield _ASKED[plain].format(do=does, subject=inside), said, "what"
    if short := _short(rest):
        yield f"{does.capitalize()} {inside} {plain} {_shifted(short)}?", f"Yes. {said}", "yes"


def _plain_verb(sentence: str) -> tuple[str, str, str] | None:
    """Subject, verb and the rest of a sentence without an auxiliary."""
    words = sentence.split()
    for at in range(1, min(len(words) - 1, 12)):
        word = words[at]
        plural = word in _VERBS
        single = word.endswith("s") and base(word) in _VERBS
        if not (plural or single):
            continue
        subject = " ".join(words[:at])
        if not _askable(subject) or _is_plural(subject) != plural:
            continue
        return subject, word, " ".join(words[at + 1 :])
    return None


def _is_plural(subject: str) -> bool:
    last = _AFTER_NOUN.split(subject)[0].split()[-1].lower()
    if subject.lower() in ("we", "you", "they") or " and " in subject:
        return True
    return (last.endswith("s") and not last.endswith(("ss", "us", "is"))) or last in (
        "people", "children", "customers", "men", "women", "staff",
    )  # fmt: skip


def _askable(subject: str) -> bool:
    return subject.lower() in ("you", "we") or _nameable(subject)


def _nameable(subject: str) -> bool:
    return can_be_subject(subject, most=10) and not re.search(r"\b(?:if|when|while)\b", subject)


def _short(rest: str) -> str:
    """The first clause of what stands after the verb; "" when nothing of use is left."""
    cut = _CLAUSE_ENDS.split(rest)[0].strip(" ,")
    words = cut.split()
    if not 1 <= len(words) <= 16 or words[-1].lower() in _DANGLES:
        return ""
    return cut


_DANGLES = word_set("a an the of to for in on at by with from and or as than that not is are be")


def _lower(clause: str, whole: str) -> str:
    return as_inside(clause, whole) if clause.split()[0].lower() != "you" else f"y{clause[1:]}"


def _shifted(text: str) -> str:
    """As the customer says it: your -> my, we -> you; `you` is I before a verb, else me."""

    def swap(found: re.Match[str]) -> str:
        word = found[0].lower()
        if word != "you":
            return _PERSON[word]
        after = text[found.end() :].split()
        verb = after[0].lower().strip(".,") if after else ""
        acts = verb in _VERBS or verb in _AUXILIARIES or verb.endswith("ed")
        return "I" if acts or (found.start() == 0 and not after) else "me"

    said = re.sub(rf"\b(?:{'|'.join(_PERSON)})\b", swap, text, flags=re.IGNORECASE)
    return re.sub(r"\bI are\b", "I am", said)


def _tidy(question: str) -> str:
    question = " ".join(question.split())
    return question[0].upper() + question[1:]
