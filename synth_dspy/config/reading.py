"""A YAML file as a mapping, or one error that says what is wrong with the file itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from synth_dspy.config.variables import MAX_DEPTH
from synth_dspy.errors import ConfigError

MAX_VALUES = 100_000


class _Loader(yaml.SafeLoader):
    """YAML without the surprise of a key that is given twice, of which the last would win."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
                continue
            if key.value in seen:
                raise yaml.composer.ComposerError(
                    None, None, f"the key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return node


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a file holds.

    Raises:
        ConfigError: the file is missing, is not YAML, holds no mapping, or a value is too large.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path} does not exist; name a configuration with --config FILE"
        ) from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path} is a folder; name the YAML file in it") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    try:
        tree = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(
            f"{path}{place}: not valid YAML: {error.problem or error.context}"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {str(error).splitlines()[0]}") from error
    except (ValueError, RecursionError) as error:
        # A date that does not exist, a number of thousands of digits, thousands of levels.
        raise ConfigError(
            f"{path}: holds a value that cannot be read ({str(error).splitlines()[0]}); put it in "
            "quotes, or correct it"
        ) from error
    if tree is None:
        raise ConfigError(f"{path} is empty; copy one of the files in configs/ to start from")
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} holds {type(tree).__name__!r} data, not `key: value` settings")
    return tree


def refuse_what_is_too_large(path: Path, tree: dict[str, Any]) -> None:
    """Aliases of aliases make a file of a few lines larger than any memory; JSON has 64 bits.

    Raises:
        ConfigError: there are more than `MAX_VALUES` values, or a number has more than 64 bits.
    """
    waiting: list[tuple[str, Any, int]] = [("", tree, 0)]
    seen = 0
    while waiting:
        key, value, depth = waiting.pop()
        seen += 1
        if seen > MAX_VALUES:
            raise ConfigError(
                f"{path}: holds more than {MAX_VALUES:,} values when its aliases are followed; "
                "write the settings out"
            )
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ConfigError(
                f"{key}: the number is too large ({len(str(value))} digits); put it in quotes, "
                f"or correct it ({path})"
            )
        if depth > MAX_DEPTH:
            continue  # said by what expands the tree
        parts: Iterable[tuple[Any, Any]] = ()
        if isinstance(value, dict):
            parts = value.items()
        elif isinstance(value, list):
            parts = enumerate(value)
        waiting += [(f"{key}.{name}" if key else str(name), v, depth + 1) for name, v in parts]
