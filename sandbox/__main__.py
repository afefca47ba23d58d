"""`python -m sandbox build|gc|doctor`: makes the image, removes old ones, says what works here.

Run by `make install`. Without a Docker engine `build` says so and ends with 0, since bubblewrap
needs no image.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from sandbox.backend import Progress
from sandbox.docker_backend import connect
from sandbox.doctor import doctor
from sandbox.errors import SandboxUnavailable
from sandbox.images import collect_garbage, ensure_image


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0 done (or nothing to do), 2 what is missing was said on standard error."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser(
        "build", help="build the sandbox's image, and its base if needed"
    )
    building.add_argument("--base", default="", help="base image with Python 3.11 or newer")
    building.add_argument("--package", action="append", default=[], metavar="NAME==VERSION")
    removing = commands.add_parser("gc", help="remove superseded images and ended containers")
    removing.add_argument(
        "--all", action="store_true", help="every image, not only superseded ones"
    )
    commands.add_parser("doctor", help="which backends work, and what they enforce, as JSON")
    given = parser.parse_args(argv)
    try:
        if given.command == "doctor":
            say(json.dumps([asdict(report) for report in doctor(complain)], indent=2))
        elif given.command == "gc":
            remove(say, everything=given.all)
        else:
            build(say, base=given.base, packages=given.package)
    except SandboxUnavailable as error:
        complain(f"sandbox: {error}")
        return 2
    return 0


def build(say: Progress, *, base: str = "", packages: Sequence[str] = ()) -> None:
    """Builds the image where there is an engine; says what it did.

    Raises:
        SandboxUnavailable: there is an engine, but no base image, or a package cannot be had.
    """
    try:
        client = connect()
    except SandboxUnavailable as error:
        say(f"sandbox: {error}: no image is needed; bubblewrap will be used where it is installed")
        return
    try:
        name = ensure_image(client, base=base, packages=packages, on_progress=say)
    finally:
        client.close()
    say(f"sandbox: the image {name} is ready")


def remove(say: Progress, *, everything: bool = False) -> None:
    """Removes what older versions have left, or `everything`; says what."""
    try:
        client = connect()
    except SandboxUnavailable as error:
        say(f"sandbox: {error}: there is nothing to remove")
        return
    try:
        removed = collect_garbage(client, everything=everything)
    finally:
        client.close()
    say(f"sandbox: removed {', '.join(removed) or 'nothing'}")


def say(line: str) -> None:
    """One line on standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def complain(line: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
