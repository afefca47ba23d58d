"""Hide secrets in a mapping of settings, so that it may be written to disk or to a tracker."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from pydantic import SecretStr

HIDDEN = "***"

_SECRET_KEY = re.compile(
    r"(api[_-]?key|token|secret|passw(or)?d|authorization|credential)s?$", re.IGNORECASE
)
_NOT_SECRET = {("secrets", what) for what in ("count", "mask", "drop")}
"""`dataset.secrets` says what is done with secrets that are found."""
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_SECRET_PARAMETER = re.compile(
    r"([?&][^=&#\s]*(?:key|token|secret|password|signature)=)[^&#\s]+", re.IGNORECASE
)


def redacted(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A copy made of JSON types only, without the value of any secret.

    Hidden are `SecretStr` values, values under keys that say so (`api_key`, `authorization`, ...:
    `extra_body` may hold such), user and password in a URL, and keys in a URL's query. An empty
    secret stays empty, to show that none was given.
    """
    return {str(key): _hide(str(key), value) for key, value in settings.items()}


def _hide(key: str, value: Any) -> Any:
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    if isinstance(value, Mapping):
        return redacted(value)
    if isinstance(value, list | tuple):
        return [_hide(key, item) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, str):
        if value and _SECRET_KEY.search(key) and (key, value) not in _NOT_SECRET:
            return HIDDEN
        return _SECRET_PARAMETER.sub(rf"\1{HIDDEN}", _USER_INFO.sub(HIDDEN, value))
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)
