"""What a token costs: from the endpoint's configuration, else from litellm's price table.

The table is read as the JSON file that litellm ships: importing litellm takes seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from synth_dspy.errors import ConfigError
from synth_dspy.lm.contract import OFFLINE

if TYPE_CHECKING:
    from synth_dspy.lm.contract import EndpointLike

_TABLE = "model_prices_and_context_window_backup.json"


@dataclass(frozen=True, slots=True)
class Price:
    """USD per token."""

    input_usd: float
    output_usd: float

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """USD for a call."""
        return input_tokens * self.input_usd + output_tokens * self.output_usd


FREE = Price(0.0, 0.0)


def price_of(endpoint: EndpointLike) -> Price | None:
    """The price of an endpoint's model, or None when nobody knows it.

    Raises:
        ConfigError: only one of the two prices is configured.
    """
    if endpoint.model_name == OFFLINE:
        return FREE
    given = endpoint.price_per_million_input, endpoint.price_per_million_output
    if given[0] is not None and given[1] is not None:
        return Price(given[0] / 1e6, given[1] / 1e6)
    if given != (None, None):
        raise ConfigError(
            f"Endpoint {endpoint.name!r} has only one of price_per_million_input and "
            "price_per_million_output; set both (0 for a free one)."
        )
    return _from_table(endpoint.model_name)


def _from_table(model: str) -> Price | None:
    spec = find_spec("litellm")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / _TABLE
        if path.is_file():
            table: dict[str, Any] = orjson.loads(path.read_bytes())
            entry = table.get(model) or table.get(model.partition("/")[2]) or {}
            given = entry.get("input_cost_per_token")
            made = entry.get("output_cost_per_token")
            if isinstance(given, int | float) and isinstance(made, int | float):
                return Price(float(given), float(made))
    return None
