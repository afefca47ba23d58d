"""Which backend a configuration means; each is imported when it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synth_dspy.errors import BackendError

if TYPE_CHECKING:
    from synth_dspy.config.routing import Backend
    from synth_dspy.sources.backends.contract import ContentBackend

SHIPPED = "the shipped sample content"


def open_backend(backend: Backend) -> ContentBackend:
    """The backend, open.

    Raises:
        BackendError: it is not there; the text says how to make or start it.
    """
    if backend.kind == "vespa":
        from synth_dspy.sources.backends.vespa_backend import VespaContent

        return VespaContent(backend)
    from synth_dspy.sources.backends.duckdb_backend import DuckDBContent

    path = backend.resolved
    return DuckDBContent(
        path or shipped_content(),
        timeout_s=backend.timeout,
        described="" if path else SHIPPED,
    )


def shipped_content() -> Path:
    """The folder with the records that come with the project: of this checkout, or as installed.

    Raises:
        BackendError: it is not there.
    """
    package = Path(__file__).resolve().parents[2]
    below = Path("quickstart", "content")
    places = (package.parent / "configs" / below, package / "_configs" / below)
    for place in places:
        if place.is_dir():
            return place
    raise BackendError(
        f"The shipped content is not at {places[0]}; name a file or a folder in "
        "routing.backend.path."
    )
