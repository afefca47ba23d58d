"""What is known of a figure without seeing it: titles, axes and legends in the code that drew it.

Alternative text, caption, code and the text around enter; a description leaves. A description
enters again when a question is asked about it. No pixel is looked at, and the description says so.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from synth_dspy.lm.offline import prose
from synth_dspy.lm.offline.words import coverage, stem_set, word_set

NOT_SEEN = "Described from caption and code; the picture itself was not seen."
_GENERIC = re.compile(
    r"^(?:output of the previous code cell|image|figure|picture|png|plot|output|untitled|no "
    r"description.*|<Figure.*|alt text|\W*|(?:image|img|figure|fig)[\s_-]*\d*(?:\.\w+)?|"
    # The name of its file.
    r"[^\n]*\.(?:png|jpe?g|gif|svg|webp|bmp|tiff?))\.?$",
    re.IGNORECASE,
)
_SPEAKS = re.compile(
    r"\b(?:figures?|plots?|charts?|diagrams?|drawings?|sketch|pictures?|graphs?|histograms?|"
    r"photographs?|schematic|screenshot|panels?|image|circuit diagram|illustration|map)\b",
    re.IGNORECASE,
)  # fmt: skip
NUMBERED = re.compile(
    r"^(?:Figure|Fig\.?|Plate|Image|Picture) ?\d+(?:\.\d+)*[.:)]\s+", re.IGNORECASE
)
_PLOTS = (
    r"\.(?:plot|bar|barh|hist|scatter|step|fill_between|pie|boxplot|imshow|contourf?|errorbar|"
    r"stem|violinplot|heatmap)\(|plot_histogram|plot_distribution|savefig"
)
_DIAGRAMS = (
    r"\b(?:diagram|schematic|drawing|sketch|illustration|flow ?chart|architecture|layout|map|"
    r"cross[- ]section|connected|photograph)\b"
)
_KINDS: dict[str, tuple[str, str]] = {
    "circuit": (r"\.draw\(|QuantumCircuit|circuit_drawer", r"\bcircuit\b"),
    "bloch_sphere": (r"bloch", r"\bbloch\b"),
    "chart": (
        _PLOTS,
        r"\b(?:chart|plots?|plotted|graph|histogram|curves?|axis|axes|bars?|scatter|against)\b",
    ),
    "formula": (r"\bMath\(|Latex\(", r"\b(?:formula|equation)\b"),
    "table": (r"\.style\b|DataFrame\(", r"\btable\b"),
    "code_output": (r"", r"\b(?:screenshot|terminal|console)\b"),
    "diagram": (
        r"dag_drawer|graphviz|networkx|add_patch|FancyArrow",
        _DIAGRAMS,
    ),
    "decorative": (r"", r"\b(?:logo|badge|icon|banner|avatar|favicon)\b"),
}
_GATES = word_set(
    """
    h x y z s t sdg tdg sx cx cy cz ch cp crx cry crz ccx cswap swap rx ry rz rxx ryy rzz p
    u id barrier measure measure_all reset initialize compose append ecr unitary power
    """
)


_LEAST_ALIKE = 0.15  # share of a figure's own words that a paragraph about it has


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the drawing code writes into the picture, in order and once each."""

    titles: tuple[str, ...] = ()
    x_labels: tuple[str, ...] = ()
    y_labels: tuple[str, ...] = ()
    legend: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    drawn: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """How a question names a figure: `noun "name"`."""

    noun: str
    name: str

    def __bool__(self) -> bool:
        return bool(self.name)

    def __str__(self) -> str:
        return f'{self.noun} "{self.name}"'


@lru_cache(maxsize=256)
def drawn(code: str) -> Drawn:
    """Titles, axis labels, legend entries and gates in drawing code."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return Drawn()
    got: dict[str, list[str]] = {key: [] for key in ("title", "xlabel", "ylabel", "label", "gate")}
    target = ""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name = node.func.attr.removeprefix("set_")
        if name in ("title", "suptitle") and node.args:
            got["title"].append(_string(node.args[0]))
        elif name in ("xlabel", "ylabel") and node.args:
            got[name].append(_string(node.args[0]))
        elif name == "legend" and node.args and isinstance(node.args[0], ast.List | ast.Tuple):
            got["label"] += [_string(item) for item in node.args[0].elts]
        elif name == "draw" and isinstance(node.func.value, ast.Name):
            target = node.func.value.id
        elif name in _GATES and isinstance(node.func.value, ast.Name) and "Circuit" in code:
            got["gate"].append(ast.unparse(node).partition(".")[2])
        for keyword in node.keywords:
            if keyword.arg in got and keyword.arg != "gate":
                got[keyword.arg].append(_string(keyword.value))
    kept = {key: tuple(dict.fromkeys(v for v in values if v)) for key, values in got.items()}
    return Drawn(
        kept["title"], kept["xlabel"], kept["ylabel"], kept["label"], kept["gate"][:12], target
    )


def _string(node: ast.expr) -> str:
    """A constant string; of an f-string what stands before its first value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr) and node.values:
        first = node.values[0]
        text = (
            first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
        )
        # "Thirty floods: mean {m:.1f}" names its subject before the colon.
        text = re.sub(r"(?:[:,(=]|\s-)[^:,(=]*$", "", text).strip()
    else:
        return ""
    text = " ".join(text.replace("$", "").split())
    return text if len(text) > 1 and not text.startswith("_") else ""


def kind_of(kinds: list[str], alt: str, caption: str, code: str, around: str) -> str:
    """The likeliest of `kinds`; the decorative one when there is nothing to go by."""
    known = drawn(code)
    said = " ".join((_own(alt), _own(caption), *known.titles))
    scores: dict[str, float] = {}
    for kind, (in_code, in_text) in _KINDS.items():
        score = 3.0 if in_code and re.search(in_code, code) else 0.0
        score += 2.0 * len(re.findall(in_text, said, re.IGNORECASE))
        score += 0.5 * min(len(re.findall(in_text, around, re.IGNORECASE)), 3)
        scores[kind] = score
    for kind in kinds:
        if kind not in _KINDS:
            words = stem_set(kind.replace("_", " "))
            scores[kind] = 2.0 * len(words & stem_set(said)) + len(words & stem_set(code))
    if not said.strip() and not code.strip() and not around.strip():
        scores["decorative"] = 1.0
    elif not any(scores.values()):
        scores["diagram"] = 0.1
    best = max((k for k in kinds if k in scores), key=lambda k: scores[k], default="")
    return best or (kinds[0] if kinds else "diagram")


def _own(text: str) -> str:
    """Alternative text or caption that says something of this very picture."""
    text = NUMBERED.sub("", prose.clean(text)[0])
    return "" if _GENERIC.match(text) else text


def describe(kind: str, alt: str, caption: str, code: str, around: str) -> str:
    """Two to six sentences, and a last one that says how they were found."""
    known = drawn(code)
    alt, caption = _own(alt), _own(caption)
    parts = [_opening(kind, known)]
    if len(known.legend) > 1:
        parts.append(f"Its legend names {_listing(known.legend)}.")
    if known.gates:
        parts.append(f"The code applies {_listing(known.gates, quote='`')}.")
    if caption:
        first, *more = prose.split(caption)
        parts.append(f'Its caption reads "{_inline(first)}".')
        parts += [sentence for sentence in more if sentence.endswith(".")][:3]
    if alt and coverage(alt, caption) < 0.9:
        parts.append(f'Its alternative text reads "{_inline(alt)}".')
    words = " ".join((*known.titles, *known.legend, *known.x_labels, *known.y_labels, alt, caption))
    spoken = [s for s in _spoken_of(around, words, known.drawn) if s not in " ".join(parts)]
    parts += [s for s in spoken if not caption or s not in caption][: max(1, 6 - len(parts))]
    return " ".join([*parts, NOT_SEEN])


def _opening(kind: str, known: Drawn) -> str:
    noun = kind.replace("_", " ")
    article = "An" if noun[:1] in "aeiou" else "A"
    text = f"{article} {noun}"
    if known.titles:
        text += f' titled "{known.titles[0]}"'
    elif known.drawn:
        text += f" drawn from `{known.drawn}`"
    if known.x_labels and known.y_labels:
        text += f', with "{known.x_labels[0]}" on the horizontal axis and '
        text += f"{_listing(known.y_labels)} on the vertical axis"
    elif known.x_labels or known.y_labels:
        side = "horizontal" if known.x_labels else "vertical"
        text += f", with {_listing(known.x_labels or known.y_labels)} on the {side} axis"
    return f"{text}."


def _listing(items: tuple[str, ...], quote: str = '"') -> str:
    said = [f"{quote}{_inline(item)}{quote}" for item in items]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _inline(text: str) -> str:
    return text.replace('"', "'").rstrip(".")


def _spoken_of(around: str, words: str, target: str) -> list[str]:
    """Sentences of the paragraph that speaks of this figure: the one most like its own words."""
    blocks: dict[int, list[str]] = {}
    for sentence in prose.read(_from_a_start(around)).sentences:
        blocks.setdefault(sentence.block, []).append(sentence.text)
    best: tuple[float, list[str]] = (0.0, [])
    for sentences in blocks.values():
        first = next((i for i, s in enumerate(sentences) if _SPEAKS.search(s)), None)
        if first is None and not (target and any(f"`{target}`" in s for s in sentences)):
            continue
        told = [s for s in sentences[first or 0 :] if s.endswith((".", "!"))]
        told = [
            re.sub(r"^The (figure|plot|chart|diagram|drawing) (?:below|above)", r"The \1", s)
            for s in told
        ]
        alike = coverage(words, " ".join(told)) if words.strip() else 0.0
        if words.strip() and alike < _LEAST_ALIKE and f"`{target}`" not in " ".join(told):
            continue  # it speaks of another figure near by
        score = 0.2 + alike
        if told and score > best[0]:
            best = (score, told)
    return best[1]


def told(description: str) -> prose.Prose:
    """The sentences of a description; a title on a line of its own stays apart from them."""
    return prose.read(description.replace(NOT_SEEN, "").replace("\n", "\n\n"))


def _from_a_start(around: str) -> str:
    """A cut-out of a document without the piece of code or sentence that it begins in."""
    fence = re.search(r"^(?:```|~~~).*$", around, re.MULTILINE)
    if fence and not fence[0].strip("`~ "):
        around = around[fence.end() :]
    if around[:1].islower() or around[:1] in ",.;:)":
        around = around.partition(". ")[2]
    return around


@lru_cache(maxsize=512)
def subject(description: str, code: str = "") -> Subject:
    """What to call the figure in a question: its title, else its caption, else its own words."""
    known = drawn(code)
    titled = re.search(
        r'\b(?:titled|entitled|called|title is|title reads) "([^"]{3,120})"', description
    )
    noun = _noun(description)
    if titled:
        return Subject(noun, titled[1])
    if known.titles:
        return Subject(noun, known.titles[0])
    for pattern in (r'[Cc]aption reads "([^"]{3,300})"', r'alternative text reads "([^"]{3,400})"'):
        found = re.search(pattern, description)
        if found:
            name = NUMBERED.sub("", found[1])
            name = re.split(
                r",? (?:with|where|which|that|showing|across|in which)\b|[;:.] |, (?!\d)", found[1]
            )[0]
            if 2 <= len(name.split()) <= 14 and not re.match(r"(?:Figure|Fig\.?) ?\d", name):
                return Subject("figure", name)
    first, more, _ = description.partition("\n")
    first = NUMBERED.sub("", first)
    if more and 2 <= len(first.split()) <= 14 and not _GENERIC.match(first):
        return Subject(noun, first.strip().rstrip("."))
    return Subject("figure", "")


def _noun(description: str) -> str:
    found = re.search(
        r"^(?:An?|The) (?:\w+ ){0,2}?(chart|diagram|circuit|table|plot|graph|histogram|formula|"
        r"drawing|figure|map|bloch sphere)\b",
        description,
        re.MULTILINE,
    )
    return found[1] if found else "figure"
