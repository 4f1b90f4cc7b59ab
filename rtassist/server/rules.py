"""The checks that several events share, and the words of OpenAI's answers to what breaks them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs

from rtassist.protocol import UNSET, FunctionTool, ToolChoiceFunction, ToolChoiceMcp, UnknownTool
from rtassist.server.outside import Refused

# Bounds and patterns of the public API reference
# (platform.openai.com/docs/api-reference/realtime-client-events).
_ID_LENGTH = 32
_CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,32}")
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_METADATA_PAIRS, _METADATA_KEY, _METADATA_VALUE = 16, 64, 512
_TOOL_CHOICES = ("none", "auto", "required")


def missing(path: str) -> Refused:
    return Refused(f"Missing required parameter: '{path}'.", "missing_required_parameter", path)


def unknown(path: str) -> Refused:
    return Refused(f"Unknown parameter: '{path}'.", "unknown_parameter", path)


def invalid(value: object, path: str, why: str) -> Refused:
    shown = f"'{value}'" if isinstance(value, str) else str(value)
    return Refused(f"Invalid value: {shown}. {why}", "invalid_value", path)


def one_of(value: object, allowed: Sequence[str], path: str) -> None:
    if value not in allowed:
        quoted = [f"'{name}'" for name in allowed]
        listed = quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f", and {quoted[-1]}"
        raise invalid(value, path, f"Supported values are: {listed}.")


def within(value: float, least: float, most: float, path: str) -> None:
    if not least <= value <= most:
        raise invalid(value, path, f"Expected a value from {least} to {most}.")


def present(value: object, path: str) -> None:
    if value is UNSET or value is None:
        raise missing(path)


def item_id(value: str, path: str) -> None:
    if not 1 <= len(value) <= _ID_LENGTH:
        raise invalid(value, path, f"Expected 1 to {_ID_LENGTH} characters.")


def call_id(value: str, path: str) -> None:
    if _CALL_ID.fullmatch(value) is None:
        raise invalid(value, path, "Expected 1 to 32 characters of 'a-zA-Z0-9_-'.")


def known_only(value: object, path: str) -> None:
    """Refuse fields that the API does not have, however deep. Values that are free in form (a function's JSON
    Schema, metadata) are mappings, and are not looked into."""
    if isinstance(value, tuple):
        for index, each in enumerate(value):
            known_only(each, f"{path}[{index}]")
    elif attrs.has(type(value)):
        for name in getattr(value, "extras", ()):
            raise unknown(f"{path}.{name}")
        for field in attrs.fields(cast(Any, type(value))):
            known_only(getattr(value, field.name), f"{path}.{field.name}")


def modalities(value: Sequence[str], path: str) -> None:
    if tuple(value) not in (("audio",), ("text",)):
        raise invalid(list(value), path, "Supported combinations are: ['text'] and ['audio'].")


def max_output_tokens(value: int | str, path: str) -> None:
    if isinstance(value, str):
        one_of(value, ("inf",), path)
    else:
        within(value, 1, 4096, path)


def metadata(value: Mapping[str, Any], path: str) -> None:
    if len(value) > _METADATA_PAIRS:
        raise invalid(len(value), path, f"Expected at most {_METADATA_PAIRS} pairs.")
    for key, text in value.items():
        if len(key) > _METADATA_KEY or not isinstance(text, str) or len(text) > _METADATA_VALUE:
            raise invalid(
                text,
                f"{path}.{key}",
                f"Keys have at most {_METADATA_KEY} characters, values {_METADATA_VALUE}.",
            )


def tools(value: Sequence[object], path: str) -> None:
    for index, tool in enumerate(value):
        at = f"{path}[{index}]"
        if isinstance(tool, UnknownTool):
            one_of(tool.type, ("function", "mcp"), f"{at}.type")
        elif isinstance(tool, FunctionTool):
            if not isinstance(tool.name, str):
                raise missing(f"{at}.name")
            if _FUNCTION_NAME.fullmatch(tool.name) is None:
                raise invalid(tool.name, f"{at}.name", "Expected 1 to 64 characters of 'a-zA-Z0-9_-'.")


def tool_choice(
    value: object, offered: Sequence[object], path: str
) -> str | ToolChoiceFunction | ToolChoiceMcp:
    """`value`, which names something that is offered."""
    if isinstance(value, str):
        one_of(value, _TOOL_CHOICES, path)
        return value
    if not isinstance(value, ToolChoiceFunction | ToolChoiceMcp):
        raise invalid(
            getattr(value, "type", ""), f"{path}.type", "Supported values are: 'function' and 'mcp'."
        )
    functions = [tool.name for tool in offered if isinstance(tool, FunctionTool)]
    if isinstance(value, ToolChoiceFunction) and value.name not in functions:
        raise invalid(value.name, f"{path}.name", "There is no such function among the tools.")
    return value
