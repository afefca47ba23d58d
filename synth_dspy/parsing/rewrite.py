"""Markdown or MDX source in; plain Markdown out, with a placeholder where each image was.

Comments, ESM lines, JSX and HTML tags and directives go, their text stays. Code (fences, code
spans) is left alone. One pass, linear in the source. It resolves nothing and reads no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from synth_dspy.parsing.image_tags import IMAGE_SUFFIX, Found, image_of
from synth_dspy.parsing.indentation import TAG, code_spans, dedented
from synth_dspy.parsing.inline import (
    code_span_end,
    image_at,
    matching_brackets,
    normal_label,
    unescaped,
)
from synth_dspy.parsing.mkdocs import without_admonitions
from synth_dspy.parsing.tags import read_tag

PLACEHOLDER = re.compile("\x01(\\d+)\x02( ?)")
CONTROL = re.compile("[\x01-\x03]")  # placeholders, and where a tag stood
# fmt: off
CODE_DIRECTIVES = frozenset((
    "code", "code-block", "code-cell", "sourcecode", "math", "mermaid", "literalinclude", "raw",
    "parsed-literal", "prompt", "jupyter-execute", "ipython", "doctest", "testcode", "output",
    "console", "bibliography", "toctree",
))
# fmt: on
TEXT_ATTRIBUTES = ("title", "label", "summary", "description", "heading", "caption")

_FENCE = re.compile(
    r"^(?P<lead>[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<ticks>`{3,}|~{3,})(?P<info>[^\n]*)$",
    re.MULTILINE,
)
_DIRECTIVE = re.compile(r"\s*\{(?P<name>[\w:.+-]+)\}[ \t]*(?P<argument>.*)")
_OPTION = re.compile(r"^[ \t>]*:([\w-]+):[ \t]*(.*)\n?", re.MULTILINE)
_NEXT = re.compile(  # the look ahead spares most characters every other branch
    r"(?=[\\`<{!])(?:\\[\\`\[\]!<{]"
    r"|`+"
    r"|<!--"
    r"|\{/\*"
    r"|!\["
    r"|</?[A-Za-z]|</?>)"
    r"|^(?:[ \t>]*(?P<colons>:{3,})[ \t]*(?P<rest>[^\n]*)$"
    r"|---[ \t]*\n(?P<matter>(?:[A-Za-z_][\w.-]*:[^\n]*\n)+)---[ \t]*$"
    r"|import[ \t{]|export[ \t]+(?:const|default|function|let|async|class)\b"
    r"|[ \t]*\[(?P<label>[^\]\n]+)\]:[ \t]*(?P<target><[^>\n]*>|\S+)[^\n]*$)",
    re.MULTILINE,
)
_IMPORT = re.compile(
    r"""import\s+(?:([A-Za-z_$][\w$]*)|[^'";]*?)\s*(?:,[^'";]*?)?(?:from\s*)?"""
    r"""(["'])([^"'\n]+)\2;?[ \t]*$""",
    re.MULTILINE,
)
_DEFINITION = re.compile(r"^[ \t>]*\[([^\]\n]+)\]:[ \t]*(<[^>\n]*>|\S+)", re.MULTILINE)
_DOCFX_IMAGE = re.compile(r"image\b(?P<attributes>[^\n]*?)(?::::|$)")
_KEY_VALUE = re.compile(r"""([\w-]+)\s*=\s*(["'])(.*?)\2""")
_FIGCAPTION = re.compile(r"<figcaption[^>]*>(.*?)</figcaption>", re.DOTALL | re.IGNORECASE)
# fmt: off
_BLOCK_END = frozenset((
    "p", "div", "li", "tr", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd",
    "section", "figcaption",
))
# fmt: on
_TITLE = re.compile(r"""^title:[ \t]*["']?(.*?)["']?[ \t]*$""", re.MULTILINE)


@dataclass
class Rewriter:
    """One source on its way; `found[n]` is what the placeholder of number n stands for."""

    esm: bool = True
    indented_code: bool = True
    found: list[Found] = field(default_factory=list)
    imports: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)

    def rewrite(self, source: str) -> str:
        """The source without markup of pages; code fences are exactly as they were."""
        for label, target in _DEFINITION.findall(source) if "]:" in source else ():
            self.definitions.setdefault(normal_label(label), target.strip("<>"))
        return self._fences(without_admonitions(source), depth=0)

    def _fences(self, source: str, depth: int) -> str:
        if "```" not in source and "~~~" not in source:
            return self._text(source)
        out: list[str] = []
        position = 0
        while fence := _FENCE.search(source, position):
            ticks, info = fence["ticks"], fence["info"]
            if ticks[0] == "`" and "`" in info:  # a code span
                out.append(self._prose(source[position : fence.end()]))
                position = fence.end()
                continue
            out.append(self._text(source[position : fence.start()]))
            close = re.compile(rf"^[ \t>]*{ticks[0]}{{{len(ticks)},}}[ \t]*$", re.MULTILINE)
            end = close.search(source, fence.end())
            inner_end, position = (end.start(), end.end()) if end else (len(source),) * 2
            directive = _DIRECTIVE.fullmatch(info)
            if not directive or directive["name"] in CODE_DIRECTIVES or depth > 8:
                out.append(source[fence.start() : position])
            else:
                body = source[min(fence.end() + 1, inner_end) : inner_end]
                out.append(self._directive(directive["name"], directive["argument"], body, depth))
        out.append(self._text(source[position:]))
        return "".join(out)

    def _directive(self, name: str, argument: str, body: str, depth: int) -> str:
        """A MyST directive: a figure is an image with its caption, any other is its text."""
        options: dict[str, str] = {}
        while option := _OPTION.match(body):
            options[option[1]] = option[2].strip()
            body = body[option.end() :]
        if name in ("figure", "image") and argument.strip():
            caption = " ".join(body.split()) if name == "figure" else ""
            placed = self._place(
                Found(argument.strip(), "directive", options.get("alt", ""), caption)
            )
            return f"{placed}\n\n{self._fences(body, depth + 1)}\n"
        return f"{self._prose(argument)}\n\n{self._fences(body, depth + 1)}\n"

    def _place(self, image: Found) -> str:
        self.found.append(image)
        return f"\x01{len(self.found) - 1}\x02"

    def _text(self, text: str) -> str:
        """Text between fences; indented code in it is left as it is."""
        out: list[str] = []
        position = 0
        for start, end in code_spans(text) if self.indented_code else ():
            out.append(dedented(self._prose(text[position:start])))
            out.append(text[start:end])
            position = end
        out.append(dedented(self._prose(text[position:])))
        return "".join(out)

    def _prose(self, text: str) -> str:
        """Text without code blocks; `TAG` stands where a tag began a line."""
        out: list[str] = []
        position = 0
        brackets: dict[int, int] | None = None
        while found := _NEXT.search(text, position):
            start = found.start()
            out.append(text[position:start])
            what = found[0]
            position = found.end()
            if what[0] == "\\":
                out.append(what)
            elif what[0] == "`":
                position = code_span_end(text, start, what)
                out.append(text[start:position])
            elif what in ("<!--", "{/*"):
                close = "-->" if what == "<!--" else "*/}"
                end = text.find(close, position)
                if end < 0:
                    out.append(what)
                else:
                    position = end + len(close)
            elif what == "![":
                if brackets is None:
                    brackets = matching_brackets(text)
                position = self._markdown_image(text, start, brackets, out)
            elif found["colons"]:
                position = self._colons(text, found, out)
            elif found["matter"]:  # pages joined into one file
                title = _TITLE.search(found["matter"])
                out.append(f"\n# {title[1]}\n" if title else "")
            elif found["label"]:
                if not IMAGE_SUFFIX.search(found["target"].strip("<>")):
                    out.append(what)
            elif what.startswith(("import", "export")):
                position = self._esm(text, start, position, out)
            else:
                position = self._tag(text, start, out)
        out.append(text[position:])
        return "".join(out)

    def _markdown_image(
        self, text: str, start: int, brackets: dict[int, int], out: list[str]
    ) -> int:
        image = image_at(text, start, brackets, self.definitions)
        if image is None:
            out.append("![")
            return start + 2
        nested = self._prose(image.alt) if "![" in image.alt else ""
        nested = "".join(found[0] for found in PLACEHOLDER.finditer(nested))
        alt = re.sub(r"!\[|\]\([^)]*\)", "", image.alt) if nested else image.alt
        end = image.end
        placed = nested + self._place(
            Found(unescaped(image.ref), "markdown", unescaped(alt), image.title)
        )
        if (
            out
            and out[-1].endswith("[")
            and (link := re.compile(r"\]\([^()\s]*\)").match(text, end))
        ):
            out[-1] = out[-1][:-1]  # the image is the whole of a link
            end = link.end()
        out.append(placed)
        return end

    def _colons(self, text: str, found: re.Match[str], out: list[str]) -> int:
        """A line of colons: an image of DocFX, a directive, an admonition, or the end of one."""
        rest = found["rest"]
        if docfx := _DOCFX_IMAGE.match(rest):
            values = {key: value for key, _, value in _KEY_VALUE.findall(docfx["attributes"])}
            if values.get("source"):
                alt = values.get("alt-text", "")
                out.append(self._place(Found(values["source"], "directive", alt)))
            return found.end()
        directive = _DIRECTIVE.fullmatch(rest)
        if directive and directive["name"] in ("figure", "image"):
            closing = re.compile(rf"^[ \t>]*{found['colons']}[ \t]*$", re.MULTILINE)
            close = closing.search(text, found.end())
            end = close.start() if close else len(text)
            body = text[min(found.end() + 1, end) : end]
            out.append(self._directive(directive["name"], directive["argument"], body, 1))
            return close.end() if close else end
        if directive:
            out.append(directive["argument"])
            options = found.end() + 1
            while option := _OPTION.match(text, options):
                options = option.end()
            return options - 1 if options > found.end() + 1 else found.end()
        title = re.match(r"[\w-]*[ \t]*(?:\[(.*?)\])?(?:\{.*?\})?[ \t]*(.*?)(?::::)?$", rest)
        out.append((title[1] or title[2] or "") if title else "")
        return found.end()

    def _esm(self, text: str, start: int, position: int, out: list[str]) -> int:
        if not self.esm:
            out.append(text[start:position])
            return position
        if text.startswith("import", start):
            line = _IMPORT.match(text, start)
            if line is None:
                out.append(text[start:position])
                return position
            if line[1] and IMAGE_SUFFIX.search(line[3]):
                self.imports[line[1]] = line[3]
            return line.end()
        end = text.find("\n\n", position)
        return end if end >= 0 else len(text)

    def _tag(self, text: str, start: int, out: list[str]) -> int:
        tag = read_tag(text, start)
        if tag is None:
            out.append(text[start])
            return start + 1
        out.append(TAG)
        name = tag.name.lower()
        if name in ("script", "style") and not tag.closing:
            end = text.find(f"</{tag.name}", tag.end)
            return text.find(">", end) + 1 if end >= 0 else tag.end
        if tag.closing:
            if name in _BLOCK_END and not text.startswith("\n", tag.end):
                out.append("\n")
            elif name in ("td", "th"):
                out.append(" | ")
            elif name == "code":
                out.append("`")
            return tag.end
        image = image_of(tag, self.imports)
        if image is not None:
            caption = _FIGCAPTION.search(text, tag.end, tag.end + 800) if name == "img" else None
            if caption and "<img" not in text[tag.end : caption.start()]:
                plain = " ".join(re.sub(r"<[^>]*>", "", caption[1]).split())
                image = Found(
                    image.ref, image.origin, image.alt, plain, image.named, image.expression
                )
            out.append(self._place(image))
            return tag.end
        if name in ("br", "hr"):
            out.append(" ")
        elif name == "li":
            out.append("- ")
        elif name == "code":
            out.append("`")
        if tag.is_component:
            kept = [tag.strings[key] for key in TEXT_ATTRIBUTES if tag.strings.get(key)]
            out.append(self._prose(": ".join(kept)))
            for value in tag.expressions.values():  # icon={<img src="…"/>}
                inner = self._prose(value) if "<" in value else ""
                out.extend(found[0] for found in PLACEHOLDER.finditer(inner))
        return tag.end
