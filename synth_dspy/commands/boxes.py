"""sandbox build, sandbox gc: the images that code is run in, made and removed."""

from __future__ import annotations

from sandbox import SandboxUnavailable
from sandbox.__main__ import build as build_image
from sandbox.__main__ import remove
from synth_dspy.commands.context import Context, show
from synth_dspy.errors import SetupError


def build(context: Context, *, base: str) -> None:
    """Build the image of a configuration: its base, its packages.

    Raises:
        SetupError: there is an engine, but no base image, or a package cannot be had.
    """
    settings = context.config.sandbox
    try:
        build_image(show, base=base or settings.base_image or "", packages=settings.packages)
    except SandboxUnavailable as error:
        raise SetupError(str(error)) from error


def collect(*, everything: bool) -> None:
    """Remove superseded images (or all) and ended containers.

    Raises:
        SetupError: the engine went away meanwhile.
    """
    try:
        remove(show, everything=everything)
    except SandboxUnavailable as error:
        raise SetupError(str(error)) from error
