"""Where compiled programs lie, and which of them is in use: `configs/compiled/<recipe>/<step>/`.

`<hash>.json` is an artefact; `promoted.json` names the one in use, those before it, and when each
came. The working directory's folder goes before those of this checkout and of the installed
package, and is the only one that is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synth_dspy.errors import ArtefactError
from synth_dspy.programs.artefact import Artefact, read_artefact, write_artefact
from synth_dspy.store.run_directory import read_json, write_json

FOLDER = Path("configs") / "compiled"
POINTER = "promoted.json"
_SHORTEST_PREFIX = 4
_WAY = ("optimizer", "model", "instructions_by", "seed", "max_demos", "gold_sha256", "synth_dspy")


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which artefact of a step is in use.

    Attributes:
        current: its sha256; "" for the prompt as it is written in the code.
        before: the ones that were in use before it, the last one last: what rollback goes through.
        history: every change: `action` (promote, rollback), `sha256`, `date`, `forced`.
    """

    current: str = ""
    before: tuple[str, ...] = ()
    history: tuple[dict[str, Any], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Entry:
    """An artefact on disk; `artefact` is None where it is refused, and `fault` says why."""

    path: Path
    step: str
    promoted: bool
    artefact: Artefact | None
    fault: str = ""


class CompiledPrograms:
    """The compiled programs of a recipe.

    Args:
        places: folders like `configs/compiled`, the one that is written first; by default those of
            the working directory, of this checkout and of the installed package.
    """

    def __init__(self, recipe: str, places: Sequence[Path] | None = None) -> None:
        self.recipe = recipe
        self._places = tuple(places or _default_places())

    def path_of(self, step: str, sha256: str) -> Path:
        """Where an artefact is written."""
        return self._places[0] / self.recipe / step / f"{sha256}.json"

    def write(self, artefact: Artefact) -> Path:
        """Write an artefact; the path.

        A prompt that was found before (by another optimizer, say) keeps the records of that, as
        `meta.earlier`, oldest first.

        Raises:
            StoreError: it cannot be written.
        """
        path = self.path_of(artefact.step, artefact.sha256)
        earlier = self._earlier(artefact)
        if earlier:
            artefact = replace(artefact, meta={**artefact.meta, "earlier": earlier})
        write_artefact(artefact, path)
        return path

    def _earlier(self, artefact: Artefact) -> list[dict[str, Any]]:
        """How the same prompt was found before, in another way."""
        path = self._find(artefact.step, artefact.sha256)
        if path is None:
            return []
        try:
            meta = dict(self._read(path, artefact.step).meta)
        except ArtefactError:  # what is refused is nobody's record
            return []
        records = [*meta.pop("earlier", ()), meta]
        return [record for record in records if _way(record) != _way(artefact.meta)]

    def steps(self) -> list[str]:
        """Steps that anything was compiled for."""
        folders = {f.name for p in self._places for f in (p / self.recipe).glob("*") if f.is_dir()}
        return sorted(folders)

    def pointer(self, step: str) -> Pointer:
        """What is in use for a step.

        Raises:
            ArtefactError: the pointer's file is not one.
        """
        for place in self._places:
            path = place / self.recipe / step / POINTER
            found = read_json(path)
            if found is None:
                continue
            try:
                history = tuple(dict(change) for change in found["history"])
                return Pointer(str(found["current"]), tuple(map(str, found["before"])), history)
            except (TypeError, KeyError, ValueError) as error:
                raise ArtefactError(
                    f"{path} must hold `current`, `before` and `history`. Delete it to go back to "
                    "the prompt as written in the code, or promote a program again."
                ) from error
        return Pointer()

    def promoted(self, step: str) -> Artefact | None:
        """The artefact in use, or None for the prompt as written in the code.

        Raises:
            ArtefactError: the pointer names one that is not there, or that is refused.
        """
        current = self.pointer(step).current
        if not current:
            return None
        path = self._find(step, current)
        if path is None:
            raise ArtefactError(
                f"The promoted program {self.recipe}/{step} {current[:12]} is not there. Put its "
                f"file back into {self._places[0] / self.recipe / step}, or go back with: "
                f"synth-dspy programs rollback {step}"
            )
        return self._read(path, step)

    def named(self, step: str, prefix: str) -> Artefact:
        """The artefact of a step whose hash begins with `prefix`.

        Raises:
            ArtefactError: none does, several do, the prefix is too short, or it is refused.
        """
        found: dict[str, Path] = {}
        for path in self._files(step):
            if path.stem.startswith(prefix):
                found.setdefault(path.stem, path)
        if len(prefix) < _SHORTEST_PREFIX or len(found) != 1:
            known = ", ".join(sorted({path.stem[:12] for path in self._files(step)})) or "none"
            fault = "no" if not found else "more than one"
            if len(prefix) < _SHORTEST_PREFIX:
                raise ArtefactError(
                    f"{prefix!r} is too short for a program's hash: give at least "
                    f"{_SHORTEST_PREFIX} characters. Of {step} there is: {known}."
                )
            raise ArtefactError(
                f"There is {fault} compiled program of {step} whose hash begins with {prefix!r}. "
                f"There is: {known}."
            )
        return self._read(next(iter(found.values())), step)

    def entries(self) -> Iterator[Entry]:
        """Every artefact on disk, by step; a refused one with the reason."""
        for step in self.steps():
            current = self.pointer(step).current
            seen: set[str] = set()
            for path in self._files(step):
                if path.stem in seen:
                    continue
                seen.add(path.stem)
                try:
                    artefact, fault = self._read(path, step), ""
                except ArtefactError as error:
                    artefact, fault = None, str(error)
                yield Entry(path, step, path.stem == current, artefact, fault)

    def promote(self, step: str, sha256: str, *, forced: bool = False) -> Pointer:
        """Put an artefact in use; one that is in use already stays, without a new line in history.

        Raises:
            ArtefactError: it is not there, or it is refused.
            StoreError: the pointer cannot be written.
        """
        artefact = self.named(step, sha256)
        now = self.pointer(step)
        if now.current == artefact.sha256:
            return now
        change = _change("promote", artefact.sha256, forced=forced)
        pointer = Pointer(artefact.sha256, (*now.before, now.current), (*now.history, change))
        return self._point(step, pointer)

    def rollback(self, step: str) -> Pointer:
        """Put back what was in use before; "" is the prompt as written in the code.

        Raises:
            ArtefactError: nothing was in use before.
            StoreError: the pointer cannot be written.
        """
        now = self.pointer(step)
        if not now.before and now.history:
            raise ArtefactError(
                f"There is nothing to roll back to: of {self.recipe}/{step} the prompt as written "
                "in the code is in use, and nothing was before it. Put a compiled program in use "
                f"with: synth-dspy programs promote {step} HASH"
            )
        if not now.before:
            raise ArtefactError(
                f"There is nothing to roll back: no compiled program of {self.recipe}/{step} was "
                "ever promoted."
            )
        *before, last = now.before
        change = _change("rollback", last, forced=False)
        return self._point(step, Pointer(last, tuple(before), (*now.history, change)))

    def _point(self, step: str, pointer: Pointer) -> Pointer:
        path = self._places[0] / self.recipe / step / POINTER
        write_json(
            path,
            {
                "current": pointer.current,
                "before": list(pointer.before),
                "history": list(pointer.history),
            },
        )
        return pointer

    def _files(self, step: str) -> list[Path]:
        return [
            path
            for place in self._places
            for path in sorted((place / self.recipe / step).glob("*.json"))
            if path.name != POINTER
        ]

    def _find(self, step: str, sha256: str) -> Path | None:
        return next((path for path in self._files(step) if path.stem == sha256), None)

    def _read(self, path: Path, step: str) -> Artefact:
        artefact = read_artefact(path)
        if (artefact.recipe, artefact.step) != (self.recipe, step):
            raise ArtefactError(
                f"The compiled program {path} is refused: it is of {artefact.recipe}/"
                f"{artefact.step}, and lies in the folder of {self.recipe}/{step}."
            )
        if artefact.sha256 != path.stem:
            raise ArtefactError(
                f"The compiled program {path} is refused: its hash is {artefact.sha256}, and it "
                "has the name of another."
            )
        return artefact


def promoted_programs(recipe: str) -> dict[str, Artefact]:
    """The artefacts in use, by step.

    Raises:
        ArtefactError: one is not there, or it is refused.
    """
    programs = CompiledPrograms(recipe)
    found = {step: programs.promoted(step) for step in programs.steps()}
    return {step: artefact for step, artefact in found.items() if artefact is not None}


def not_replaced(
    artefacts: Mapping[str, Artefact], prompts: Collection[str]
) -> dict[str, Artefact]:
    """The artefacts of which no step has instructions of the user's own: those go before."""
    return {step: a for step, a in artefacts.items() if not a.state.keys() & set(prompts)}


def _way(meta: Mapping[str, Any]) -> tuple[Any, ...]:
    """What made a prompt; the same way again, on another day, is no second record."""
    return tuple(meta.get(name) for name in _WAY)


def _change(action: str, sha256: str, *, forced: bool) -> dict[str, Any]:
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return {"action": action, "sha256": sha256, "date": date, "forced": forced}


def _default_places() -> tuple[Path, ...]:
    package = Path(__file__).resolve().parents[1]
    return FOLDER, package.parent / FOLDER, package / "_configs" / "compiled"
