"""A JSON schema from Python's type hints, and arguments made to fit them."""

import dataclasses
import types
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import attrs
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError
from cattrs.v import transform_error

Schema = dict[str, Any]  # JSON: what is in it is read by the model, not by us

_PRIMITIVES: dict[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_MOMENTS: dict[type, tuple[str, str]] = {
    datetime: ("date-time", "a date and time such as 2026-11-22T17:30:00"),
    date: ("date", "a date such as 2026-11-22"),
    time: ("time", "a time of day such as 17:30"),
}
_DEEPEST = 12
"""Classes within classes: deeper is a class that holds itself, of which no schema is an end."""


def schema_of(hint: Any, depth: int = 0) -> Schema:
    """The JSON schema of a type hint: str, int, float, bool, datetime, date, time, Enum, Literal, list,
    tuple, dict[str, …], attrs classes, dataclasses, TypedDict, `… | None`, and any of them in Annotated with
    a description.

    Raises TypeError for any other, when the tool is made and not when it is called.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        descriptions = [note for note in arguments[1:] if isinstance(note, str)]
        described = {"description": descriptions[0]} if descriptions else {}
        return schema_of(arguments[0], depth) | described
    if hint in _PRIMITIVES:
        return {"type": _PRIMITIVES[hint]}
    if hint in _MOMENTS:
        return {"type": "string", "format": _MOMENTS[hint][0]}
    if origin is Literal:
        return _one_of(arguments, hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _one_of([member.value for member in hint], hint)
    if origin in (list, tuple) or hint in (list, tuple):
        return _array(arguments, depth)
    if hint is dict or (origin is dict and arguments[0] is str):
        values = schema_of(arguments[1], depth) if arguments and arguments[1] is not Any else True
        return {"type": "object", "additionalProperties": values}
    if origin in (Union, types.UnionType) and len(arguments) == 2 and type(None) in arguments:
        inner = next(each for each in arguments if each is not type(None))
        return {"anyOf": [schema_of(inner, depth), {"type": "null"}]}
    if depth < _DEEPEST and (properties := _properties(hint, depth + 1)) is not None:
        return properties
    raise TypeError(f"a tool cannot take {hint!r}: there is no JSON for it")


def _one_of(values: Any, hint: Any) -> Schema:
    kinds = {type(value) for value in values}
    if len(kinds) == 1 and (kind := kinds.pop()) in _PRIMITIVES:
        return {"type": _PRIMITIVES[kind], "enum": list(values)}
    raise TypeError(f"a tool cannot take {hint!r}: its values are not all text, or all numbers")


def _array(items: tuple[Any, ...], depth: int) -> Schema:
    if not items:
        return {"type": "array"}
    if len(items) == 1 or items[1] is Ellipsis:
        return {"type": "array"} | ({} if items[0] is Any else {"items": schema_of(items[0], depth)})
    each = [schema_of(item, depth) for item in items]
    return {"type": "array", "prefixItems": each, "minItems": len(each), "maxItems": len(each)}


def _properties(cls: Any, depth: int) -> Schema | None:
    """Of a class with fields; None for any other."""
    if not isinstance(cls, type):
        return None
    if attrs.has(cls):
        names = {field.name: field.default is attrs.NOTHING for field in attrs.fields(cls) if field.init}
    elif dataclasses.is_dataclass(cls):
        absent = dataclasses.MISSING
        names = {
            field.name: field.default is absent and field.default_factory is absent
            for field in dataclasses.fields(cls)
            if field.init
        }
    elif is_typeddict(cls):
        required: frozenset[str] = getattr(cls, "__required_keys__", frozenset())
        names = {name: name in required for name in cls.__annotations__}
    else:
        return None
    hints = get_type_hints(cls, include_extras=not is_typeddict(cls))
    return {
        "type": "object",
        "properties": {name: schema_of(hints[name], depth) for name in names},
        "required": [name for name, needed in names.items() if needed],
        "additionalProperties": False,
    }


def _exactly(kind: type, name: str) -> Callable[[object, object], object]:
    """A hook that takes a value of `kind` as it is. cattrs would make "12" of 12 and True of "no".

    It is also the hook of an enumeration of that kind, such as an IntEnum.
    """

    def structure(value: object, hint: object) -> object:
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _member([(member.value, member) for member in hint])(value, hint)
        if kind is float and type(value) is int:
            return float(value)
        if kind is int and isinstance(value, float) and value.is_integer():
            return int(value)
        if type(value) is not kind:
            raise ValueError(f"must be {name}, not {_shown(value)}")
        return value

    return structure


def _moment(kind: type, name: str) -> Callable[[object, object], object]:
    def structure(value: object, _: object) -> object:
        try:
            if isinstance(value, str):
                return kind.fromisoformat(value)  # type: ignore[attr-defined]  # the three of _MOMENTS have it
        except ValueError:
            pass
        raise ValueError(f"must be {name}, not {_shown(value)}")

    return structure


def _member(values: Any) -> Callable[[object, object], object]:
    """A hook for a value out of several: `values` maps what is written to what it means."""

    def structure(value: object, _: object) -> object:
        for written, meant in values:
            if type(written) is type(value) and written == value:
                return meant
        raise ValueError(f"must be one of {', '.join(str(one) for one, _ in values)}, not {_shown(value)}")

    return structure


def _is_literal(hint: Any) -> bool:
    return get_origin(hint) is Literal


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


CONVERTER = Converter(forbid_extra_keys=True)
for _kind, _name in ((str, "text"), (int, "a whole number"), (float, "a number"), (bool, "true or false")):
    CONVERTER.register_structure_hook(_kind, _exactly(_kind, _name))
for _moments, (_, _name) in _MOMENTS.items():
    CONVERTER.register_structure_hook(_moments, _moment(_moments, _name))
    CONVERTER.register_unstructure_hook(_moments, lambda moment: moment.isoformat())
CONVERTER.register_structure_hook_factory(
    lambda hint: isinstance(hint, type) and issubclass(hint, Enum),
    lambda hint: _member([(member.value, member) for member in hint]),
)
CONVERTER.register_structure_hook_factory(
    _is_literal, lambda hint: _member([(value, value) for value in get_args(hint)])
)


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
