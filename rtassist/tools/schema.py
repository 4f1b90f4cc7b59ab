"""A JSON schema from Python's type hints, and arguments made to fit them."""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError
from cattrs.v import transform_error

Schema = dict[str, Any]  # JSON: what is in it is read by the model, not by us

_PRIMITIVES: dict[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema_of(hint: Any) -> Schema:
    """The JSON schema of a type hint: str, int, float, bool, Literal, list, dict[str, …], attrs classes,
    `… | None`, and any of them in Annotated with a description.

    Raises TypeError for any other, when the tool is made and not when it is called.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        descriptions = [note for note in arguments[1:] if isinstance(note, str)]
        return schema_of(arguments[0]) | ({"description": descriptions[0]} if descriptions else {})
    if hint in _PRIMITIVES:
        return {"type": _PRIMITIVES[hint]}
    if origin is Literal and all(isinstance(value, str) for value in arguments):
        return {"type": "string", "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin is dict and arguments[0] is str:
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    if origin in (Union, types.UnionType) and len(arguments) == 2 and arguments[1] is type(None):
        inner = schema_of(arguments[0])
        return {"anyOf": [inner, {"type": "null"}]}
    if isinstance(hint, type) and attrs.has(hint):
        return _object_schema(hint)
    raise TypeError(f"a tool cannot take {hint!r}: there is no JSON for it")


def _object_schema(cls: type) -> Schema:
    hints = get_type_hints(cls, include_extras=True)
    fields = attrs.fields(cls)
    return {
        "type": "object",
        "properties": {field.name: schema_of(hints[field.name]) for field in fields},
        "required": [field.name for field in fields if field.default is attrs.NOTHING],
        "additionalProperties": False,
    }


def _exactly(kind: type, name: str) -> Any:
    """A hook that takes a value of `kind` as it is. cattrs would make "12" of 12 and True of "no"."""

    def structure(value: object, _: object) -> object:
        if kind is float and type(value) is int:
            return float(value)
        if kind is int and isinstance(value, float) and value.is_integer():
            return int(value)
        if type(value) is not kind:
            raise ValueError(f"must be {name}, not {_shown(value)}")
        return value

    return structure


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


CONVERTER = Converter(forbid_extra_keys=True)
for _kind, _name in ((str, "text"), (int, "a whole number"), (float, "a number"), (bool, "true or false")):
    CONVERTER.register_structure_hook(_kind, _exactly(_kind, _name))


def _in_words(error: BaseException, hint: type | None) -> str:
    if isinstance(error, KeyError):
        return "is missing"
    if isinstance(error, ForbiddenExtraKeysError):
        return f"takes no {', '.join(sorted(error.extra_fields))}"
    if isinstance(error, ValueError):
        return str(error)
    return "is of the wrong type"


def problems_of(error: BaseValidationError) -> Iterator[str]:
    """What is wrong with the arguments, one sentence for each: "seconds must be a number, not 'two'"."""
    for text in transform_error(error, format_exception=_in_words):
        said, _, path = text.rpartition(" @ $")
        yield f"{path.lstrip('.') or 'the function'} {said}"
