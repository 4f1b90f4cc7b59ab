"""Calls of the client's functions by name: "use roll_dice with sides 6", "roll dice 6", "add 2 and 3".

No model reads the functions' descriptions here: only a name means one, and only what stands behind it, in
order or by the parameters' own names, is an argument. What is missing or does not fit, the function says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rtassist.protocol import FunctionTool
from rtassist.server.parts import Call
from rtassist.server.stand_in.numbers import value_of

Schema = Mapping[str, Any]  # JSON

_OPENING = re.compile(
    r"\s*((please|now|and|can you|could you)\s+)*((use|call|run)\s+)?(the\s+)?((tool|function)\s+)?", re.I
)
_WITH = re.compile(r"[\s,:]*((with|for|of|on|to)\b)?[\s,:]*", re.I)
_BETWEEN = re.compile(r"\s*[,;]\s*(?:and\s+)?|\s+and\s+", re.I)
_TRAILING = re.compile(r"(\s|,|;|\band\b|\bwith\b)*$", re.I)
_SWITCHED = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}


def call_of(said: str, tools: Sequence[object]) -> Call | None:
    """The call of the function that what was said begins with, by its longest name; None if there is none."""
    opening = _OPENING.match(said)
    rest = said[opening.end() :] if opening else said
    found = [
        (match.end(), tool.name, tool.parameters)
        for tool in tools
        if isinstance(tool, FunctionTool) and isinstance(tool.name, str)
        if (match := re.match(_spelt(tool.name), rest, re.I))
    ]
    if not found:
        return None
    end, name, parameters = max(found, key=lambda each: each[0])
    schema = parameters if isinstance(parameters, dict) else {}
    behind = rest[end:].rstrip(" .?!")
    in_brackets = behind.startswith("(") and behind.endswith(")")
    behind = behind[1:-1] if in_brackets else _WITH.sub("", behind, count=1)
    return Call(name=name, arguments=json.dumps(_arguments(behind, schema.get("properties") or {})))


def _spelt(name: str) -> str:
    """A pattern for a name as it is written, or with its words apart."""
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name) or [name]
    return r"[\s_-]*".join(map(re.escape, words)) + r"(?!\w)"


def _arguments(text: str, properties: Mapping[str, Schema]) -> dict[str, object]:
    marks = []
    for name in properties:
        mark = re.search(r"(?<!\w)" + _spelt(name) + r"(\s*[=:]|\s+is\b)?", text, re.I)
        if mark:
            marks.append((mark.start(), mark.end(), name))
    marks.sort()
    arguments = {}
    ends = [*(start for start, _, _ in marks[1:]), len(text)]
    for (_, start, name), end in zip(marks, ends, strict=False):  # where nothing is marked, one end too many
        arguments[name] = _value(_TRAILING.sub("", text[start:end]), properties[name])
    unnamed = _TRAILING.sub("", text[: marks[0][0]] if marks else text)
    left = [name for name in properties if name not in arguments]
    if unnamed and left:
        # The last parameter gets all that is left, as a text with commas in it would.
        parts = _BETWEEN.split(unnamed, maxsplit=len(left) - 1) if len(left) > 1 else [unnamed]
        for name, part in zip(left, parts, strict=False):
            arguments[name] = _value(part, properties[name])
    return arguments


def _value(text: str, schema: Schema) -> object:
    """What a parameter of this kind would take it for; the words themselves where they cannot be that."""
    schema = next((one for one in schema.get("anyOf") or () if one.get("type") != "null"), schema)
    text = text.strip().strip("\"'")
    match schema.get("type"):
        case "integer" | "number":
            return _number(text)
        case "boolean":
            return _SWITCHED.get(text.lower(), text)
        case "array":
            return [_value(part, schema.get("items") or {}) for part in _BETWEEN.split(text) if part]
    return text


def _number(text: str) -> object:
    try:
        value = value_of(text.lower().split())
    except ValueError:
        return text
    return int(value) if value.denominator == 1 else float(value)
