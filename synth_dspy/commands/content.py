"""content load: the documents that `parse` read, as records of a content backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.errors import SourceError
from synth_dspy.programs.routing.patterns import patterns_of
from synth_dspy.sources.backends import Content
from synth_dspy.sources.backends.duckdb_backend import write_content
from synth_dspy.stages.parse import Parse
from synth_dspy.stages.results import outputs

if TYPE_CHECKING:
    from synth_dspy.config import Config
    from synth_dspy.records import Document

_RECORDS_A_CLUSTER = 20
_DESCRIPTION_CHARS = 300


def load_content(context: Context, output: Path, *, tenant: str, json_lines: bool) -> None:
    """Write the records of the parsed documents to `output`, and say how many there are.

    Raises:
        StageError: `parse` has not run. SourceError: there is no text.
        BackendError: the file cannot be written.
    """
    config = context.config
    documents: Sequence[Document] = outputs(context.run, Parse)
    records = [record for document in documents for record in _records(document, tenant, config)]
    if not records:
        raise SourceError(
            f"The documents that `parse` read ({len(documents)}) hold no section with text; name "
            "other sources."
        )
    _embed(records, config)
    written = write_content(output, records)
    if json_lines:
        print_json({"records": written, "documents": len(documents), "path": str(output)})
    else:
        show(f"{written} records of {len(documents)} documents: {output}")
        show(f"serve them with --set routing.backend.path={output.resolve()}")


def _records(document: Document, tenant: str, config: Config) -> Iterator[dict[str, Any]]:
    """A record a section, and one a picture that has words."""
    created = _created(document, config)
    common = {"tenant": tenant, "created_at": created}
    name = document.title or Path(document.path).stem
    for heading, text in _sections(document):
        title = f"{name}: {heading}" if heading and heading != name else name
        yield _with_entities({
            "id": f"{document.id}-{heading or 'top'}-{len(text)}",
            "modality": "DOCUMENT",
            "title": title,
            "description": text[:_DESCRIPTION_CHARS].rpartition(" ")[0] or text,
            "transcript": text,
            **common,
        })  # fmt: skip
    for image in document.images:
        words = image.caption or image.alt or image.description
        if words and not image.decorative:
            yield _with_entities({
                "id": f"{document.id}-{image.id}",
                "modality": "IMAGE",
                "title": words.splitlines()[0][:200],
                "description": f"{words} ({name})",
                "transcript": "",
                **common,
            })  # fmt: skip


def _sections(document: Document) -> Iterator[tuple[str, str]]:
    """Heading and prose of each section; code, output and tables are left out."""
    heading, prose = "", list[str]()
    for block in document.blocks:
        text = document.text[block.start : block.end].strip()
        if block.kind == "heading":
            if prose:
                yield heading, "\n".join(prose)
            heading, prose = text.lstrip("# ").strip(), []
        elif block.kind == "text" and text:
            prose.append(text)
    if prose:
        yield heading, "\n".join(prose)


def _with_entities(record: dict[str, Any]) -> dict[str, Any]:
    content = Content(
        id=record["id"], modality=record["modality"], title=record["title"],
        description=record["description"], transcript=record["transcript"],
    )  # fmt: skip
    return {**record, "entities": list(patterns_of(content).entities)}


def _created(document: Document, config: Config) -> datetime | None:
    """When the document's file was last changed; None where it is no file here."""
    for source in config.sources:
        if source.name == document.source and source.type == "directory":
            root = source.resolved
            file = root / document.path if root.is_dir() else root
            if file.is_file():
                changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                return changed.replace(tzinfo=None, microsecond=0)
    return None


def _embed(records: Sequence[dict[str, Any]], config: Config) -> None:
    """Give each record its embedding, and the cluster that `diverse` takes in turns."""
    # scikit-learn takes seconds to import, and only this needs it.
    from sklearn.cluster import MiniBatchKMeans

    from synth_dspy.dataset.embedding import embedder

    texts = [f"{r['title']}. {r['description']}" for r in records]
    vectors = embedder(config.dataset.embedding_model)(texts)
    count = max(1, len(records) // _RECORDS_A_CLUSTER)
    clusters = MiniBatchKMeans(count, random_state=config.seed, n_init=3).fit_predict(vectors)
    for record, vector, cluster in zip(records, vectors, clusters, strict=True):
        record["embedding"] = vector.tolist()
        record["cluster"] = int(cluster)
