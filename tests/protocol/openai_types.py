"""What the openai package says about the wire: its models as a catalogue, as examples and as strategies.

Its types are the judge of ours. An example holds every field, and there is one more for each further variant
of each union at any depth, so that all of them together hold everything that the types can say.
"""

import types
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from openai.types.beta import realtime as beta
from openai.types.realtime import (
    RealtimeClientEvent,
    RealtimeServerEvent,
    RealtimeTranslationClientEvent,
    RealtimeTranslationServerEvent,
)
from pydantic import BaseModel, TypeAdapter

from rtassist.protocol import decode, decode_client, decode_translation, decode_translation_client

Json = Any
Decoder = Callable[[str | bytes], Any]

DECODERS: Mapping[str, Decoder] = {
    "client": decode_client,
    "server": decode,
    "translation client": decode_translation_client,
    "translation server": decode_translation,
}
UNIONS = {
    "client": RealtimeClientEvent,
    "server": RealtimeServerEvent,
    "translation client": RealtimeTranslationClientEvent,
    "translation server": RealtimeTranslationServerEvent,
}
BETA_UNIONS = {"client": beta.RealtimeClientEvent, "server": beta.RealtimeServerEvent}
AUDIO = {
    ("response.output_audio.delta", "delta"),
    ("response.audio.delta", "delta"),
    ("session.output_audio.delta", "delta"),
    ("input_audio_buffer.append", "audio"),
    ("session.input_audio_buffer.append", "audio"),
}


@cache
def judge_of(model: type[BaseModel]) -> TypeAdapter[Any]:
    """Validates one event; the adapter of the whole union would let one event pass for another."""
    return TypeAdapter(model)


def bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def members(annotation: Any) -> list[Any]:
    """The alternatives of a type, unions in unions flattened, null left out."""
    annotation = bare(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return [m for part in get_args(annotation) for m in members(part)]
    return [] if annotation is types.NoneType else [annotation]


def models(union: Any) -> dict[str, type[BaseModel]]:
    """Event name → model, of one of the package's unions of events."""
    return {get_args(bare(m.model_fields["type"].annotation))[0]: m for m in members(union)}


EVENTS = {side: models(union) for side, union in UNIONS.items()}
BETA_EVENTS = {side: models(union) for side, union in BETA_UNIONS.items()}
SIDES_AND_TYPES = [(side, name) for side, events in EVENTS.items() for name in sorted(events)]


def fields(model: type[BaseModel]) -> dict[str, tuple[Any, bool]]:
    """Name on the wire → annotation, required."""
    return {f.alias or n: (f.annotation, f.is_required()) for n, f in model.model_fields.items()}


def minimal(model: type[BaseModel]) -> dict[str, Json]:
    """The required fields only, the same way down."""
    event = {}
    for name, (annotation, required) in fields(model).items():
        if required:
            first = members(annotation)[0]
            is_model = isinstance(first, type) and issubclass(first, BaseModel)
            event[name] = minimal(first) if is_model else examples(first)[0]
    return _with_audio(event)


def nulls(model: type[BaseModel]) -> dict[str, Json]:
    """The required fields, and null for all others: the types let every optional field be null."""
    optional = {name: None for name, (_, required) in fields(model).items() if not required}
    return minimal(model) | optional


@cache
def examples(annotation: Any) -> list[Json]:
    """JSON values of a type; the first one is full."""
    annotation = bare(annotation)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return [example for m in members(annotation) for example in examples(m)]
    if origin is Literal:
        return list(args)
    if origin is list:
        return [examples(args[0]), []]
    if origin is dict:
        return [{f"key {i}": value for i, value in enumerate(examples(args[1]))}, {}]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model_examples(annotation)
    return PRIMITIVES[annotation]


def _model_examples(model: type[BaseModel]) -> list[Json]:
    choices = {name: examples(annotation) for name, (annotation, _) in fields(model).items()}
    full = {name: values[0] for name, values in choices.items()}
    more = [full | {name: value} for name, values in choices.items() for value in values[1:]]
    return [_with_audio(example) for example in (full, *more)]


def _with_audio(example: dict[str, Json]) -> dict[str, Json]:
    for name, field in AUDIO:
        if example.get("type") == name and field in example:
            example = example | {field: b64encode(b"\x01\x02\x03\x04").decode()}
    return example


PRIMITIVES: dict[Any, list[Json]] = {
    str: ["text"],
    int: [7],
    float: [0.25, 1],
    bool: [True, False],
    object: [{"any": [1, None, 0.5, {"deep": "er"}]}, None, "text", 3],
}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
"""Any JSON value, integers of more than 64 bits included."""

BASE64 = st.binary(max_size=40).map(lambda data: b64encode(data).decode())
RANDOM: dict[Any, st.SearchStrategy[Json]] = {
    str: st.text(max_size=8),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    bool: st.booleans(),
    object: JSON,
}


@cache
def random(annotation: Any) -> st.SearchStrategy[Json]:
    """Any JSON value of a type, its optional fields present, absent or null."""
    annotation = bare(annotation)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return st.one_of([random(m) for m in members(annotation)])
    if origin is Literal:
        return st.sampled_from(args)
    if origin is list:
        return st.lists(random(args[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(st.text(max_size=6), random(args[1]), max_size=3)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _random_model(annotation)
    return RANDOM[annotation]


def _random_model(model: type[BaseModel]) -> st.SearchStrategy[Json]:
    name = fields(model)["type"][0] if "type" in fields(model) else None
    event = get_args(bare(name))[0] if get_origin(bare(name)) is Literal else None
    required, optional = {}, {}
    for field, (annotation, is_required) in fields(model).items():
        values = BASE64 if (event, field) in AUDIO else random(annotation)
        if is_required:
            required[field] = values
        else:
            optional[field] = st.none() | values
    return st.fixed_dictionaries(required, optional=optional)
