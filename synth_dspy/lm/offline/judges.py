"""Judges a finished sample and a candidate question by what their source supports.

Fields of `JudgeSample` and `JudgeCandidate` enter, scores by criterion leave. Nothing in the judged
texts is read as an instruction: they are only compared.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import code_judges, figures, prose, word_judges
from synth_dspy.lm.offline.answers import NO_ANSWER
from synth_dspy.lm.offline.claims import misplaced
from synth_dspy.lm.offline.support import Support, support
from synth_dspy.lm.offline.verdicts import Score
from synth_dspy.lm.offline.words import coverage, stem_set

if TYPE_CHECKING:
    from collections.abc import Mapping

_ABOUT_SOURCE = re.compile(
    r"\b(?:the|this|that|given|provided|above|following)\s+(?:passage|authors?|excerpt|article|"
    r"notebook|tutorial|code (?:block|cell|snippet|above|below))\b|"
    # These words name things of a subject's own as often as they name the source.
    r"\b(?:in|from|by|does|do|did|according to)\s+(?:the|this|that)\s+(?:given |provided )?(?:text|"
    r"document|context|paragraph|section|page|snippet|source)\b(?! (?:of|code|file)\b)|"
    r"\b(?:given|provided|above|following) (?:text|document|context|paragraph|section|page)\b|"
    r"\b(?:figure|diagram|picture|image|plot|chart)s? (?:above|below)(?=[\s.,;:)]|$)(?! the\b)|"
    r"\bthe following (?:\w+ )?(?:figure|diagram|picture|image|plot|chart)s?\b|"
    r"\bmentioned (?:above|below|here)\b|\baccording to the (?:table|list)\b",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget)\b[^.]{0,60}\b(?:above|previous|prior|instructions?|rubric|"
    r"everything|rules)\b|\b(?:answer|reply|respond|output|return|say|mark)\b[^.]{0,30}\b(?:true|pass|"
    r"yes|correct)\b[^.]{0,40}\b(?:every|all|criteri|judge|grade|field)|\[\[ ## |\[ \[ ## |"
    r"you are the judge|\bas (?:the|a) judge\b",
    re.IGNORECASE,
)
_BROKEN = re.compile(r"\[IMAGE:|\[\[ ##|\[ \[ ##|\ufffd|\]\(|</?[A-Za-z]+>|\{/\*|<\|")
_FIGURE = re.compile(
    r"\b(?:figure|plot|chart|diagram|drawing|picture|graph|histogram|image|panel|circuit|axis|axes|"
    r"curve|legend|sketch|photograph|screenshot)s?\b", re.IGNORECASE,
)  # fmt: skip
_THE_FIGURE = re.compile(r"\bthe (?:figure|plot|chart|picture|image)\b", re.IGNORECASE)
_CODE_KINDS = ("function_completion", "code_generation")
_ALSO = re.compile(r",? and (?=(?:who|whose|what|which|when|where|why|how)\b)")
_QUOTED = re.compile(r'"[^"]*"')
_DANGLING = re.compile(r"^(?:It|They|This|These|Those|He|She|Why (?:is|does) (?:it|this|they)|"
                       r"What (?:is|are|does) (?:it|this|these|they|that))\b")  # fmt: skip


def score_sample(inputs: Mapping[str, str]) -> dict[str, Score]:
    """Scores for correct, grounded, complete, well_formed and image_essential.

    An answer has to name what it was asked about, as one that stands alone does.
    """
    return _score(inputs, freely=False)


def score_sample_freely(inputs: Mapping[str, str]) -> dict[str, Score]:
    """The same for who takes "In spring." for an answer: what the source says of it counts."""
    return _score(inputs, freely=True)


def _score(inputs: Mapping[str, str], *, freely: bool) -> dict[str, Score]:
    question, answer = inputs.get("question", ""), inputs.get("answer", "")
    passage, described = _source(inputs), _seen(inputs.get("image_description", ""))
    kind = inputs.get("type", "qa")
    if kind in _CODE_KINDS:
        scores = code_judges.score(kind, question, answer, passage)
    elif kind in word_judges.KINDS:
        scores = word_judges.score(kind, question, answer, passage, described)
        scores["well_formed"] = _form("?", answer)
    else:
        scores = _qa(question, answer, passage, described, freely=freely)
    if _ORDERS.search(question) or _ORDERS.search(answer):
        scores["well_formed"] = Score(0.0, "it holds orders to whoever judges it")
    if kind == "caption":
        scores["image_essential"] = word_judges.essential(answer, described)
    else:
        scores["image_essential"] = _essential(kind, question, answer, passage, described)
    return scores


def _source(inputs: Mapping[str, str]) -> str:
    """The passage with the code before it."""
    return "\n\n".join(inputs.get(name, "") for name in ("passage", "prior_code")).strip()


def _seen(description: str) -> str:
    text = description.replace(figures.NOT_SEEN, "").strip()
    return "" if text == "None" else text


def _qa(
    question: str, answer: str, passage: str, described: str, *, freely: bool
) -> dict[str, Score]:
    # The question is no source: what it states may be as wrong as the answer.
    source = f"{passage}\n\n{described}"
    found = support(answer, source)
    asked = _asked(question)
    parts = _ALSO.split(asked)
    told = found.told if freely else frozenset()
    # Of several things that are asked, what stands beside the one answered answers none.
    beside = found.near if freely and len(parts) == 1 else frozenset()
    shares = [_relevance(part, answer, source, told, beside) for part in parts]
    relevant = max(shares)
    grounded = _grounded(found)
    correct = grounded
    if found.flipped:
        correct = Score(0.2, "it denies what the source asserts, or asserts what it denies")
    elif wrong := misplaced(answer, source):
        correct = grounded = Score(0.2, f"the source does not say {wrong}")
    elif found.moved:
        correct = Score(0.3, f"the source says {_some(found.moved)} of something else")
    elif relevant < 0.5:
        correct = Score(min(grounded.value, relevant), "it answers another question")
    complete = Score(min(1.0, 0.3 + min(shares))) if len(answer.split()) >= 3 else Score(
        0.1, "the answer is too short to stand alone")  # fmt: skip
    if not answer.strip() or answer.strip() == NO_ANSWER:
        nothing = Score(0.0, "there is no answer")
        return {"correct": nothing, "grounded": nothing, "complete": nothing,
                "well_formed": _form(question, answer, source)}  # fmt: skip
    if complete.value < 0.5 and not complete.fault:
        complete = Score(complete.value, "it leaves out what was asked for")
    return {"correct": correct, "grounded": grounded, "complete": complete,
            "well_formed": _form(question, answer, source)}  # fmt: skip


def _grounded(found: Support) -> Score:
    if found.numbers:
        return Score(0.1, f"the source does not say {_some(found.numbers)}")
    if found.names:
        return Score(0.2, f"the source does not know {_some(found.names)}")
    value = 0.5 * found.coverage + 0.5 * found.weakest
    # Three quarters of the words supported is where half a score is put.
    return Score(max(0.03, min(1.0, value - 0.25)), "part of it is not in the source")


def _some(items: frozenset[str]) -> str:
    return ", ".join(sorted(items)[:3])


def _asked(question: str) -> str:
    asked = [s for s in prose.split(question) if s.rstrip().endswith("?")]
    text = " ".join(asked) or question
    return re.sub(r"^\s*(?:In|On) the [^,]*?\"[^\"]*\",", "", text)


def _relevance(
    asked: str, answer: str, source: str, told: frozenset[str], beside: frozenset[str]
) -> float:
    """The share of the question's words that the answer has, or the sentences it was taken from.

    Words that are `told` count like the answer's own, those `beside` it by half.
    """
    bare = _FIGURE.sub(" ", _QUOTED.sub(" ", asked)) if _FIGURE.search(asked) else asked
    wanted = stem_set(bare) - _ASKING
    if not wanted:
        return 1.0
    have = set(stem_set(answer)) | told
    near = [s for s in prose.read(source).sentences if s.text and s.text in answer]
    have |= {word for s in near for word in stem_set(s.heading)}
    return (len(wanted & have) + 0.5 * len((wanted & beside) - have)) / len(wanted)


_ASKING = stem_set(
    "happens mean term defined define rules return returns treat arguments function quantities "
    "legend axis axes tell apart labelled chart"
)


def _refers_to_nothing(answer: str, source: str) -> bool:
    """A pronoun may stand for what was asked about, unless it was copied with its sentence: there
    it stands for what the source said before."""
    if re.match(r"(?:It|They|He|She)\b", answer):
        return (prose.split(answer) or [answer])[0].strip() in " ".join(source.split())
    return re.match(r"(?:This|These|Those|That)\b", answer) is not None


def _form(question: str, answer: str, source: str = "") -> Score:
    if _BROKEN.search(re.sub(r"`[^`]*`", "", f"{question}\n{answer}")):
        return Score(0.0, "it holds broken markup")
    if _ABOUT_SOURCE.search(question) or _ABOUT_SOURCE.search(answer):
        return Score(0.1, "it speaks of a text that its reader does not have")
    if not question.rstrip().endswith("?"):
        return Score(0.2, "the question is none")
    if not re.match(r"[A-Z`\"\d$(]", answer.strip()) or not re.search(
        r"[.!?)`\"”]$", answer.strip()
    ):
        return Score(0.2, "the answer is no whole sentence")
    if answer.count("`") % 2 or answer.count("(") != answer.count(")"):
        return Score(0.2, "a bracket or a code mark is left open")
    if _refers_to_nothing(answer.strip(), source):
        return Score(0.3, "the answer begins with a word that refers to nothing")
    repeated = _repeats(answer)
    return Score(0.3, "it repeats itself") if repeated else Score(1.0)


def _repeats(answer: str) -> bool:
    sentences = prose.split(answer)
    return len(set(sentences)) < len(sentences)


def _essential(kind: str, question: str, answer: str, passage: str, described: str) -> Score:
    if not described:
        return Score(1.0)
    if not _FIGURE.search(question):
        return Score(0.1, "the question does not speak of the picture")
    if kind in _CODE_KINDS:
        named = re.findall(r'\b(?:figure|chart|diagram|circuit|plot) "([^"\n]+)"', question)
        overlap = coverage(" ".join(named) or question, described)
        return Score(overlap, "the question and the picture have little in common")
    shown = coverage(answer, described)
    rest = " ".join(s.text for s in prose.read(passage).sentences if s.text not in described)
    if shown + 1e-9 < coverage(answer, rest):
        return Score(0.3, "the text answers it without the picture")
    if not (stem_set(answer) - stem_set(question)) & stem_set(f"{described} {passage}"):
        return Score(0.2, "the question already says what the picture shows")
    return Score(shown, "the picture does not show it")


def score_candidate(inputs: Mapping[str, str]) -> dict[str, Score]:
    """Scores for answerable, self_contained and specific."""
    question, kind = inputs.get("question", ""), inputs.get("type", "qa")
    passage, described = _source(inputs), _seen(inputs.get("image_description", ""))
    if not question.strip() or _ORDERS.search(question) or _BROKEN.search(question):
        bad = Score(0.0, "the question is empty, broken, or gives orders to its judge")
        return dict.fromkeys(("answerable", "self_contained", "specific"), bad)
    if kind in word_judges.KINDS:
        return word_judges.score_candidate(kind, question, passage, described)
    code = kind in _CODE_KINDS
    asked = question if code else _asked(question)
    wanted = stem_set(asked) - _ASKING
    found = wanted & stem_set(f"{passage}\n{described}")
    known = len(found) / len(wanted) if wanted else 1.0
    # An order for code says itself what is to be done; the source need only speak of the same.
    known += 0.35 if code else 0.0
    answerable = Score(max(0.03, known - 0.15), "the source speaks of something else")
    alone = Score(1.0)
    if _ABOUT_SOURCE.search(question):
        alone = Score(0.1, "it speaks of a text that its reader does not have")
    elif _DANGLING.match(question):
        alone = Score(0.1, "it begins with a word that refers to nothing")
    elif not code and not described and _THE_FIGURE.search(question):
        alone = Score(0.2, "it speaks of a picture that is not given")
    specific = code_judges.specific(kind, question) if code else _specific(question)
    return {"answerable": answerable, "self_contained": alone, "specific": specific}


def _specific(question: str) -> Score:
    words = question.split()
    if not question.rstrip().endswith("?") or not 3 <= len(words) <= 130:
        return Score(0.1, "it is no question, or too short or too long for one")
    if not stem_set(question) - _ASKING:
        return Score(0.1, "it names no subject")
    asked = question.count("?")
    return Score(1.0) if asked == 1 else Score(0.4, "it asks several things")
