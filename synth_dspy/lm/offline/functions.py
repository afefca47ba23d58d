"""The functions of a passage that can be asked for: documented, deterministic, and with an oracle.

A passage and the code before it enter; `Function`s leave in a fixed order. It knows nothing of how
a function is asked for.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import prose
from synth_dspy.lm.offline.examples import Example, examples
from synth_dspy.lm.offline.inputs import literal_calls
from synth_dspy.lm.offline.module import Definition, Module, imported_module, is_at_hand, module
from synth_dspy.lm.offline.words import word_set

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNSTEADY_MODULES = word_set(
    """
    random time os sys secrets uuid socket subprocess threading multiprocessing asyncio
    urllib http requests matplotlib tkinter shutil tempfile pathlib io glob
    """
)
_UNSTEADY_NAMES = word_set(
    """
    input open print exec eval globals locals vars id hash exit quit breakpoint plt
    """
)
_UNSTEADY_ATTRIBUTES = word_set(
    """
    now today random rand randn randint default_rng urandom
    """
)
_SECTION = re.compile(
    r"^\s*(?:Args?|Arguments|Parameters|Params|Returns?|Raises|Yields|Examples?|Notes?|References"
    r"|See Also|Attributes|Usage|Doctests?)\s*:?\s*(?:\n\s*-{3,}\s*)?$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Function:
    """A function that can be asked for.

    Attributes:
        doc: its docstring as it should stand in a stub; prose: the sentences of it.
        requirements: what it needs to be defined, in order.
        examples: recorded results of calls to it that need no other function of the document.
        size: statements in its body.
    """

    name: str
    node: ast.FunctionDef
    source: str
    doc: str
    prose: str
    requirements: tuple[Definition, ...]
    examples: tuple[Example, ...]
    size: int

    @property
    def signature(self) -> str:
        """`f(a: int, b: float = 1.0) -> float`."""
        return header(self.source)

    @property
    def requirement_sources(self) -> list[tuple[str, str]]:
        """Kind and source of each requirement, in order."""
        return [(definition.kind, definition.source) for definition in self.requirements]

    @property
    def body(self) -> str:
        """The body without docstring, indented by four spaces."""
        return _body(self.source)


@lru_cache(maxsize=256)
def functions(passage: str, prior_code: str = "", image_code: str = "") -> tuple[Function, ...]:
    """Functions that can be asked for, those with recorded results first, then by place.

    With `image_code`, those that drew the picture, wherever the document defines them; otherwise
    those that the passage itself defines.
    """
    made = module(passage, prior_code)
    recorded = examples(passage, prior_code)
    drawn = _drawn_by(image_code, made) if image_code.strip() else None
    found = []
    for definition in made.names.values():
        wanted = definition.in_passage if drawn is None else definition.name in drawn
        if wanted and definition.kind == "function":
            function = _function(definition, made, recorded)
            if function is not None and is_suitable(function, passage, prior_code):
                found.append((definition.order, function))
    found.sort(key=lambda pair: (not pair[1].examples, pair[0]))
    return tuple(function for _, function in found)


@lru_cache(maxsize=512)
def named(name: str, passage: str, prior_code: str = "") -> Function | None:
    """The document's own function of that name, asked for or not."""
    made = module(passage, prior_code)
    definition = made.names.get(name)
    if definition is None or definition.kind != "function":
        return None
    return _function(definition, made, examples(passage, prior_code))


def _function(definition: Definition, made: Module, recorded: Sequence[Example]) -> Function | None:
    node = definition.node
    requirements = made.requirements(definition)
    if not isinstance(node, ast.FunctionDef) or requirements is None:
        return None
    own = tuple(e for e in recorded if e.calls == {definition.name})
    doc = inspect.cleandoc(ast.get_docstring(node) or "")
    if not doc and definition.snippet is not None:
        doc = _introduced(definition.name, definition.snippet.intro)
    size = sum(isinstance(part, ast.stmt) for part in ast.walk(node)) - 1
    size -= bool(ast.get_docstring(node))
    return Function(
        definition.name, node, definition.source, doc, spoken(doc), tuple(requirements), own, size
    )


def _introduced(name: str, intro: str) -> str:
    """A docstring from the sentence before the code, where that names the function."""
    for sentence in reversed(prose.read(intro).sentences):
        text = sentence.text
        if re.search(rf"`{re.escape(name)}(?:\([^`]*\))?`", text) and text.endswith("."):
            return text if len(text) <= 300 else ""
    return ""


def spoken(doc: str) -> str:
    """The sentences of a docstring: no examples, no parameter sections."""
    lines = []
    for line in _SECTION.split(doc)[0].split("\n"):
        if line.lstrip().startswith(">>>"):
            break
        lines.append(line.strip())
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines))
    return " ".join(" ".join(p.split()) for p in paragraphs if p.strip())


def is_suitable(function: Function, passage: str, prior_code: str) -> bool:
    """Whether it can be asked for; the module's docstring says what that takes."""
    node = function.node
    if not function.prose or node.decorator_list or function.name.startswith(("_", "test")):
        return False
    if not (node.args.args or node.args.posonlyargs or node.args.kwonlyargs):
        return False
    returns = [p for p in ast.walk(node) if isinstance(p, ast.Return) and p.value is not None]
    if not returns or not _is_work(node):
        return False
    if not all(_is_steady(part) for part in (node, *(d.node for d in function.requirements))):
        return False
    for definition in function.requirements:
        if definition.kind != "import":
            continue
        if imported_module(definition) in _UNSTEADY_MODULES:
            return False
        if not is_at_hand(definition) and not function.examples:
            return False
    return bool(function.examples) or bool(literal_calls(function.name, passage, prior_code))


def _is_work(node: ast.FunctionDef) -> bool:
    """Whether the body has two statements, or one expression that computes something."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    if len(body) >= 2:
        return True
    work = ast.BinOp | ast.Call | ast.Compare | ast.BoolOp | ast.IfExp | ast.comprehension
    return bool(body) and sum(isinstance(p, work) for p in ast.walk(body[0])) >= 2


def _is_steady(node: ast.AST) -> bool:
    """Whether equal arguments give equal results and nothing else happens."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in _UNSTEADY_NAMES:
            return False
        if isinstance(part, ast.Attribute) and part.attr in _UNSTEADY_ATTRIBUTES:
            return False
        if isinstance(part, ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal):
            return False
        if isinstance(part, ast.Import | ast.ImportFrom):
            names = [a.name for a in part.names]
            top = getattr(part, "module", None) or names[0]
            if top.partition(".")[0] in _UNSTEADY_MODULES:
                return False
    return True


def _drawn_by(image_code: str, made: Module) -> frozenset[str]:
    """Functions that the drawing code calls, itself or through the values that it draws."""
    found: set[str] = set()
    queue = _loads(image_code)
    seen: set[str] = set()
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        definition = made.names.get(name)
        if definition is None:
            continue
        if definition.kind == "function":
            found.add(name)
        elif definition.kind in ("value", "constant"):
            queue |= set(definition.needs)
    return frozenset(found)


def _loads(code: str) -> set[str]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return set(re.findall(r"\b([A-Za-z_]\w*)\s*\(", code))
    return {p.id for p in ast.walk(tree) if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Load)}


def header(source: str) -> str:
    """A function's signature on one line, spelled as written, without `def` and colon."""
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    lines = source.split("\n")[node.lineno - 1 : node.body[0].lineno - 1]
    text = " ".join(" ".join(line.partition("  #")[0] for line in lines).split())
    text = re.sub(r",? \)", ")", text.replace("( ", "("))
    if text.startswith("def ") and text.endswith(":"):
        return text[4:-1]
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(node.args)}){returns}"


def _body(source: str) -> str:
    """The body as written, comments included; unparsed where it shares lines with the rest."""
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    documented = ast.get_docstring(node) is not None
    statements = node.body[1:] if documented else node.body
    if not statements:
        return "    pass"
    first = (node.body[0].end_lineno or 0) if documented else statements[0].lineno - 1
    text = textwrap.dedent("\n".join(source.split("\n")[first:])).strip("\n")
    body = "\n".join(f"    {line}".rstrip() for line in text.split("\n"))
    try:
        again = ast.parse(f"def _():\n{body}").body[0]
    except SyntaxError:
        again = None
    if isinstance(again, ast.FunctionDef) and _dump(again.body) == _dump(statements):
        return body
    return textwrap.indent("\n".join(ast.unparse(s) for s in statements), "    ")


def _dump(statements: Sequence[ast.stmt]) -> list[str]:
    return [ast.dump(statement) for statement in statements]
