"""Question and answer pairs that the prose of a passage gives, its kinds mixed.

A passage enters; pairs leave. An answer is made of the passage's own sentences, and whatever cannot
be asked in good English is not asked. A new form of question is one more maker here.
"""

from __future__ import annotations

from functools import lru_cache

from synth_dspy.lm.offline import prose
from synth_dspy.lm.offline.clauses import conditions, purposes, reasons
from synth_dspy.lm.offline.definitions import definitions
from synth_dspy.lm.offline.pair import Pair, mixed
from synth_dspy.lm.offline.relations import means, relations


@lru_cache(maxsize=256)
def pairs(passage: str) -> tuple[Pair, ...]:
    """Every pair of a passage's prose, kinds mixed, definitions first."""
    text = prose.read(passage)
    makers = (definitions, reasons, relations, means, conditions, purposes)
    return mixed([list(maker(text)) for maker in makers])
