"""Dataclasses of options: what typer sees of them, and what the command is handed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from synth_dspy.cli.unfolding import unfolded


@dataclass(frozen=True, slots=True)
class Colour:
    """Two options."""

    shade: Annotated[str, typer.Option("--shade", "-s", help="How dark.", metavar="NAME")] = "pale"
    faded: Annotated[bool, typer.Option("--faded")] = False


@dataclass(frozen=True, slots=True)
class Paint(Colour):
    """Three."""

    coats: Annotated[int, typer.Option("--coats", min=1)] = 1


def paint(
    wall: Annotated[str, typer.Argument()],
    *,
    colour: Paint,
    wet: Annotated[bool, typer.Option("--wet")] = False,
) -> None:
    """Paint a wall."""
    typer.echo(f"{wall} {colour!r} {wet}")


def called(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(unfolded(paint))
    return CliRunner().invoke(app, arguments)


def test_fields_are_options_of_the_command() -> None:
    text = called("--help").output
    for option in ("--shade", "--faded", "--coats", "--wet", "How dark."):
        assert option in text


def test_a_command_is_handed_the_dataclass_with_what_was_typed() -> None:
    done = called("north", "-s", "deep", "--coats", "2", "--wet")
    assert done.output == f"north {Paint('deep', False, 2)!r} True\n"


def test_options_that_were_not_typed_have_the_fields_defaults() -> None:
    assert called("north").output == f"north {Paint()!r} False\n"


def test_values_are_checked_as_those_of_any_option() -> None:
    assert called("north", "--coats", "0").exit_code == 2


def test_a_field_that_is_called_as_a_parameter_is_refused_at_once() -> None:
    def twice(*, faded: bool = False, colour: Colour) -> None:
        del faded, colour

    with pytest.raises(ValueError, match="duplicate parameter name: 'faded'"):
        unfolded(twice)
