"""Any loader in, documents out: a class whose `load()` yields objects with `page_content`.

That is the shape of LangChain's document loaders and of much that copies them. The loader is the
user's own code, named as `module:Class`, and runs in this process.
"""

from __future__ import annotations

import hashlib
import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from synth_dspy.errors import SourceError
from synth_dspy.parsing import ImageStore, ParseOptions
from synth_dspy.parsing.builder import DocumentBuilder, clean
from synth_dspy.parsing.markdown import add_markdown
from synth_dspy.records import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from synth_dspy.records import Document

KIND = "loaded"


def loaded_documents(
    loader: str,
    *arguments: object,
    run_dir: Path,
    options: ParseOptions | None = None,
    **settings: object,
) -> Iterator[Document]:
    """The documents of `loader(*arguments, **settings).load()`, one at a time.

    Text is read as Markdown, which plain text is, too; its images come from nowhere on this
    machine. A document's path is its `metadata["source"]`, or its number.

    Args:
        loader: `module:Class`; `lazy_load()` is used where the class has it.

    Raises:
        SourceError: the module or class is not there, cannot be made, fails, or yields something
            without `page_content`.
    """
    made = _made(loader, arguments, settings)
    for number, item in enumerate(_items(loader, made)):
        text = getattr(item, "page_content", None)
        if not isinstance(text, str):
            raise SourceError(
                f"Loader {loader!r}: item {number} is a {type(item).__name__} without a "
                "'page_content' of text. `load()` must yield such objects."
            )
        found = getattr(item, "metadata", None)
        metadata = found if isinstance(found, dict) else {}
        data = text.encode("utf-8", "replace")
        path = str(metadata.get("source") or f"{number:06}")
        file = SourceFile(
            loader, str(run_dir / "nowhere"), path, KIND, hashlib.sha256(data).hexdigest(),
            len(data),
        )  # fmt: skip
        builder = DocumentBuilder(file, ImageStore(run_dir), options or ParseOptions())
        add_markdown(builder, clean(text))
        yield builder.finish(title=str(metadata.get("title") or ""))


def _made(loader: str, arguments: tuple[object, ...], settings: dict[str, object]) -> Any:
    module, colon, name = loader.partition(":")
    if not colon or not module or not name:
        raise SourceError(f"Loader {loader!r}: write it as `module:Class`.")
    try:
        found = getattr(import_module(module), name)
    except ImportError as error:
        raise SourceError(
            f"Loader {loader!r}: {error}. Install the package that holds it, or correct the name."
        ) from error
    except AttributeError as error:
        raise SourceError(f"Loader {loader!r}: module {module!r} has no {name!r}.") from error
    if not inspect.isclass(found) and not callable(found):
        raise SourceError(f"Loader {loader!r} is a {type(found).__name__}, not a class.")
    if not callable(getattr(found, "load", None)) and inspect.isclass(found):
        raise SourceError(f"Loader {loader!r} has no method `load`.")
    try:
        return found(*arguments, **settings)
    except Exception as error:
        raise SourceError(f"Loader {loader!r} cannot be made: {error!r}") from error


def _items(loader: str, made: Any) -> Iterator[object]:
    """What the loader yields; its own faults are told as such."""
    try:
        items: Iterable[object] = (getattr(made, "lazy_load", None) or made.load)()
        yield from items
    except Exception as error:
        raise SourceError(f"Loader {loader!r} failed: {error!r}") from error
