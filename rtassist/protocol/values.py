"""What a field may hold: which JSON values become a type of ours, and in which words others are refused."""

import binascii
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, Union, get_args, get_origin

import attrs
from cattrs import Converter
from pybase64 import b64decode, b64encode

from rtassist.protocol.bad_frame import BadFrame
from rtassist.protocol.unset import Unset

Case: TypeAlias = Callable[..., Any]
"""Takes a parsed JSON value, and like every cattrs hook a type, which it does not look at."""

Cases: TypeAlias = Mapping[type, Case]
"""Class of a parsed JSON value → what makes ours of it. Raises BadFrame, seen from the value, or Rounded."""

MAX_DEPTH: Final = 100
"""Levels of nesting kept in what we do not know. orjson writes 254; no event that we know nests past 12."""

EXACT: Final = 2.0**63
"""orjson reads an integer past 64 bits as a float, of at least this size: such a float may be rounded."""


class Rounded(Exception):  # noqa: N818 - no error: the frame is to be read again by a parser that keeps digits
    """A number may have lost digits in the fast parser."""


class Double(float):
    """A number past 2^63 that was written with a point or an exponent: no integer that was rounded."""


def cases_of(annotation: Any, converter: Converter) -> Cases:
    """The JSON values that a field of this type may hold."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        classes = [m for m in args if attrs.has(m)]
        cases: dict[type, Case] = {}
        for member in args:
            if member not in classes:
                cases |= cases_of(member, converter)
        if classes:
            cases[dict] = _made_when_needed(Union[tuple(classes)], converter)  # noqa: UP007 - of a computed tuple
        return cases
    if origin is tuple:
        return {list: _sequence(cases_of(args[0], converter))}
    if origin is Mapping:
        return {dict: _mapping(one_of(cases_of(args[1], converter)))}
    if attrs.has(annotation):
        return {dict: _made_when_needed(annotation, converter)}
    return PRIMITIVES[annotation]


def one_of(cases: Cases) -> Case:
    """Takes the case of a value's class, or raises BadFrame in words."""
    if cases is ANY:
        return free

    def take(value: Any) -> Any:
        case = cases.get(value.__class__)
        if case is None:
            raise BadFrame("", f"must be {_wanted(cases)}, not {NAMES[value.__class__]}")
        return case(value)

    return take


def _wanted(cases: Cases) -> str:
    numbers = {int: cases.get(float) in (None, whole), float: cases.get(float) is exact, Double: False}
    return " or ".join(NAMES[c] for c in cases if c in NAMES and numbers.get(c, True))


def _made_when_needed(annotation: Any, converter: Converter) -> Case:
    """A class's hook, made at its first call: to make all that a response may hold took 8 ms."""
    made: Case | None = None

    def structure(o: dict[str, Any]) -> Any:
        nonlocal made
        if made is None:
            hook: Case = converter.get_structure_hook(annotation)
            made = hook
        return made(o)

    return structure


def _sequence(cases: Cases) -> Case:
    item = one_of(cases)
    inner = cases.get(dict, item)

    def take(values: list[Any]) -> tuple[Any, ...]:
        taken: list[Any] = []  # its length is the index of the one that fails
        try:
            for value in values:
                ours = inner(value) if value.__class__ is dict else item(value)
                taken.append(ours)
        except BadFrame as bad:
            raise bad.under(f"[{len(taken)}]") from None
        return tuple(taken)

    return take


def _mapping(item: Case) -> Case:
    def take(values: dict[str, Any]) -> dict[str, Any]:
        key = ""
        taken = {}
        try:
            for key, value in values.items():
                taken[key] = item(value)
        except BadFrame as bad:
            raise bad.under(key) from None
        return taken

    return take


def same(value: Any) -> Any:
    return value


def whole(value: float) -> int:
    """1.0 is the integer 1 in JSON, where servers written in JavaScript or Lua know no other numbers."""
    if not value.is_integer():
        raise BadFrame("", "must be a whole number, not a fraction")
    return int(exact(value))


def exact(value: float) -> float:
    if value.__class__ is float and not -EXACT < value < EXACT:
        raise Rounded
    return value


def audio(value: str) -> bytes:
    """The bytes of base64 text. Refuses text that does not encode back equal: replay would change it."""
    try:
        data = b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise BadFrame("", "is no base64") from None
    spare = len(data) % 3
    if spare and value[-4:].encode() != b64encode(data[-spare:]):
        raise BadFrame("", "is no canonical base64: its last character holds bits that no byte has")
    return data


def free(value: Any, depth: int = 0) -> Any:
    """Any JSON value as it is, once it is known that it can be written again unchanged."""
    kind = value.__class__
    if kind is dict or kind is list:
        if depth == MAX_DEPTH:
            raise BadFrame("", f"is nested more than {MAX_DEPTH} levels deep")
        for inner in value.values() if kind is dict else value:
            if inner.__class__ is not str:
                free(inner, depth + 1)
    elif kind is float:
        exact(value)
    return value


def unknown_fields(o: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The fields of an object that are not `known`."""
    extras = {key: value for key, value in o.items() if key not in known}
    for key, value in extras.items():
        try:
            free(value)
        except BadFrame as bad:
            raise bad.under(key) from None
    return extras


ANY: Final[Cases] = {}
PRIMITIVES: Final[Mapping[Any, Cases]] = {
    Unset: {},
    NoneType: {NoneType: same},
    str: {str: same},
    bool: {bool: same},
    int: {int: same, float: whole, Double: whole},
    float: {float: exact, int: same, Double: float},
    # A payload that was cut out of its frame is bytes already; JSON has none.
    bytes: {str: audio, bytes: same},
    object: ANY,
}
NAMES: Final[Mapping[type, str]] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
    dict: "an object",
    list: "a list",
    Double: "a number",
}
