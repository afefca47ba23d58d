"""The chat format for servers that hold a reply to a schema: one JSON object, not marked fields.

A signature enters; a prompt that asks for JSON and the schema of the reply leave. A reply that is
no JSON after all is read as marked fields, since some servers take the schema and ignore it.
"""

from __future__ import annotations

from typing import Any

import dspy
import orjson
from dspy.adapters.utils import parse_value
from dspy.utils.exceptions import AdapterParseError
from pydantic import BaseModel, create_model


class JsonForm:
    """How a signature is asked for, and read, as JSON."""

    def __init__(self) -> None:
        self._adapter = dspy.JSONAdapter()

    def structure(self, signature: type[dspy.Signature]) -> str:
        """The part of the system message that lays out the fields."""
        return str(self._adapter.format_field_structure(signature))

    def requirements(self, signature: type[dspy.Signature]) -> str:
        """The last line of the user message."""
        return str(self._adapter.user_message_output_requirements(signature))

    def demonstration(self, signature: type[dspy.Signature], outputs: dict[str, Any]) -> str:
        """The reply of a worked example."""
        return str(self._adapter.format_assistant_message_content(signature, outputs))

    def read(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any] | None:
        """The fields of a JSON reply; None when it is no JSON object.

        Raises:
            AdapterParseError: a field is missing or has the wrong type.
        """
        text = completion.strip()
        text = text.removeprefix("```json").removeprefix("```").removesuffix("```").strip()
        try:
            data = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(data, dict):
            return None
        fields: dict[str, Any] = {}
        for name, info in signature.output_fields.items():
            if name not in data:
                continue
            try:
                fields[name] = parse_value(data[name], info.annotation)
            except ValueError as error:
                raise AdapterParseError(
                    adapter_name="JsonForm",
                    signature=signature,
                    lm_response=completion,
                    message=f"Failed to parse field {name}: {error}",
                ) from error
        if fields.keys() != signature.output_fields.keys():
            raise AdapterParseError(
                adapter_name="JsonForm",
                signature=signature,
                lm_response=completion,
                parsed_result=fields,
            )
        return fields


def response_format(signature: type[dspy.Signature]) -> dict[str, Any]:
    """The output fields as a strict schema, in lm15's form; `wire` writes a server's own."""
    fields: dict[str, Any] = {
        name: (info.annotation, ...) for name, info in signature.output_fields.items()
    }
    model: type[BaseModel] = create_model(signature.__name__, **fields)
    schema: dict[str, Any] = model.model_json_schema()
    schema["additionalProperties"] = False
    schema["required"] = list(fields)
    return {
        "type": "json_schema", "name": signature.__name__, "strict": True, "schema": schema,
    }  # fmt: skip
