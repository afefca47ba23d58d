"""The little English grammar that questions need: verb forms, and whether words can be a subject.

Words and clauses enter; other forms of them leave, or None and "" where it is not sure.
"""

from __future__ import annotations

import re

from synth_dspy.lm.offline.words import word_set

# Verbs that open a docstring ("Return the ...") and may be joined later ("... and return").
_IMPERATIVES = word_set(
    """
    add adjust align allocate append apply approximate assign average balance bin bound
    build calculate calibrate cap check choose clamp classify clean clip collect combine
    compare compute concatenate convert copy correct count create cut decide decode deduce
    define derive describe detect determine divide draw drop embed encode estimate evaluate
    expand express extract fill filter find fit flag flatten fold form format generate get
    give group grow hold insert integrate interpolate join keep label limit list locate look
    make map mark mask match measure merge mirror move multiply name normalise normalize
    order pack pad pair parse partition perform pick predict prepare produce propagate put
    rank read rebuild recover reduce reject remove render repeat replace report represent
    resample reshape resolve return reverse rotate round run sample say scale score search
    select separate share shift shorten show simplify simulate slice smooth solve sort split
    spread standardise standardize state subtract sum summarise summarize swap take tell
    test tokenise tokenize trace transform translate trim truncate turn unpack update
    validate weigh weight widen work wrap write
    """
)
_OTHER_ORDERS = word_set(
    "use drag enter set call ensure construct install open start begin type keep"
)
_NOT_SUBJECT = word_set(
    """
    it this that these those they them he she we you i there here such so then but and or
    however therefore thus hence also both either neither another other others again instead
    otherwise what which who whom whose when where why how if because since while although
    though unless until after before once now let as at by for from in into of on onto over
    to under with without not no nothing nobody everything anything something someone one
    each every all some most many few several any rather only even just still yet first
    second third next last finally note see their its his her our your my same former latter
    is are was were has have had do does did can cannot could will would shall should may
    might must more less today sometimes often usually two three four five six seven eight
    nine ten eleven twelve below above here
    """
)
_ADVERBS = word_set(
    """
    generally typically normally usually commonly frequently occasionally additionally
    specifically recently currently actually basically essentially fundamentally
    historically traditionally conventionally technically theoretically practically
    ultimately eventually initially originally previously subsequently interestingly
    importantly notably crucially unfortunately fortunately surprisingly naturally clearly
    obviously intuitively informally formally roughly broadly simply alternatively
    accordingly equivalently similarly respectively collectively overall unlike like
    """
)
_INNER = word_set(
    """
    is are was were be been has have had do does did can cannot could will would shall
    should may might must which who whom whose that it they we you i he she this these those
    there because if when while where whether but so than then not also
    """
)


def third_person(clause: str) -> str:
    """`Return the sum and round it` -> `returns the sum and rounds it`; "" if it is no order."""
    words = clause.split(" ", 1)
    verb = words[0].lower()
    if len(words) < 2 or not words[0].isalpha():
        return ""
    if verb in _IMPERATIVES:
        verb = singular(verb)
    elif not (verb.endswith("s") and _base(verb) in _IMPERATIVES):
        return ""
    rest = re.sub(
        r"\b(and|or|then) ([a-z]+)\b",
        lambda m: f"{m[1]} {singular(m[2])}" if m[2] in _JOINED else m[0],
        words[1],
    )
    return f"{verb} {rest}"


def is_order(clause: str) -> bool:
    """Whether a clause tells its reader to do something: `measure the width at ...`."""
    first = clause.split(" ", 1)[0].lower()
    return first in _IMPERATIVES or first in _OTHER_ORDERS


# Of these, the forms that are not nouns as well: "sum and round" may be two nouns.
_JOINED = word_set(
    """
    return compute calculate convert remove keep give raise normalise normalize sort reject
    divide multiply subtract add join apply replace ignore skip clip
    """
)


def singular(verb: str) -> str:
    """The third person of a base form: `carry` -> `carries`."""
    irregular = {"have": "has", "be": "is", "do": "does", "go": "goes"}
    if verb in irregular:
        return irregular[verb]
    if re.search(r"[^aeiou]y$", verb):
        return f"{verb[:-1]}ies"
    return f"{verb}es" if verb.endswith(("s", "sh", "ch", "x", "z", "o")) else f"{verb}s"


def _base(verb: str) -> str:
    for candidate in (verb[:-1], verb[:-2], f"{verb[:-3]}y"):
        if singular(candidate) == verb and candidate in _IMPERATIVES:
            return candidate
    return verb


def base(verb: str) -> str:
    """The base form of a third person: `carries` -> `carry`, `passes` -> `pass`."""
    if verb in ("has", "does", "goes", "is"):
        return {"has": "have", "does": "do", "goes": "go", "is": "be"}[verb]
    if verb.endswith("ies") and len(verb) > 4:
        return f"{verb[:-3]}y"
    if verb.endswith(("sses", "shes", "ches", "xes", "zes", "oes")):
        return verb[:-2]
    return verb.removesuffix("s")


def can_be_subject(words: str, *, most: int = 9) -> bool:
    """Whether words before a verb are one plain noun phrase that names its thing by itself."""
    parts = words.split()
    if not 1 <= len(parts) <= most or re.search(r"[,;:?!\"“”()\u2013—]|\.$|\. ", words):
        return False
    lower = [part.lower().strip("`'\u2019*") for part in parts]
    if lower[0] in _NOT_SUBJECT or lower[0] in _ADVERBS or any(word in _INNER for word in lower):
        return False
    return lower[-1] not in {"of", "the", "a", "an", "and", "or", "in", "on", "to", "for", "with",
                             "only", "never", "always", "often", "usually", "now"}  # fmt: skip
