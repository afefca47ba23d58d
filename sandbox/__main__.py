"""`python -m sandbox build|gc|doctor`: makes the image, removes old ones, says what works here.

Run by `make install`. Without a Docker engine `build` says so and ends with 0, since bubblewrap
needs no image.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from sandbox.docker_backend import connect
from sandbox.doctor import doctor
from sandbox.errors import SandboxUnavailable
from sandbox.images import collect_garbage, ensure_image, image_name


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0 done (or nothing to do), 2 what is missing was said on standard error."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build the sandbox's image, and its base if needed")
    build.add_argument("--base", default="", help="base image with Python 3.11 or newer")
    build.add_argument("--package", action="append", default=[], metavar="NAME==VERSION")
    commands.add_parser("gc", help="remove old images and ended containers")
    commands.add_parser("doctor", help="which backends work, and what they enforce, as JSON")
    given = parser.parse_args(argv)
    if given.command == "doctor":
        say(json.dumps([asdict(report) for report in doctor(complain)], indent=2))
        return 0
    try:
        client = connect()
    except SandboxUnavailable as error:
        say(f"sandbox: {error}: no image is needed; bubblewrap will be used where it is installed")
        return 0
    try:
        if given.command == "gc":
            removed = collect_garbage(client, keep=image_name())
            say(f"sandbox: removed {', '.join(removed) or 'nothing'}")
        else:
            name = ensure_image(client, base=given.base, packages=given.package, on_progress=say)
            say(f"sandbox: the image {name} is ready")
    except SandboxUnavailable as error:
        complain(f"sandbox: {error}")
        return 2
    finally:
        client.close()
    return 0


def say(line: str) -> None:
    """One line on standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def complain(line: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
