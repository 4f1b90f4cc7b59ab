"""Text to event and back: one cattrs converter, explicit tables, `Unknown` for the rest.

What was decoded encodes to equal JSON: unknown fields, events, variants and values of enumerations, nulls,
integers of any size. What is decided where JSON leaves a choice: of a key that comes twice the last one
counts; NaN, infinities and lone surrogates are no JSON; unknown parts may nest 100 levels deep.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast, get_type_hints

import attrs
import orjson
from cattrs import Converter
from cattrs.preconf.orjson import make_converter
from pybase64 import b64encode_as_string

from rtassist.protocol import catalogue
from rtassist.protocol.bad_frame import BadFrame
from rtassist.protocol.client_events import ClientEvent, InputAudioBufferAppend
from rtassist.protocol.hooks import (
    EXACT,
    NAMES,
    Case,
    Double,
    Rounded,
    audio,
    free,
    structure_hook,
    unstructure_hook,
    variants_hook,
)
from rtassist.protocol.server_events import ServerEvent
from rtassist.protocol.session import Session, TranscriptionSession
from rtassist.protocol.translation_events import TranslationClientEvent, TranslationServerEvent
from rtassist.protocol.unknown import Unknown
from rtassist.protocol.unset import UNSET

Event: TypeAlias = ServerEvent | ClientEvent | TranslationServerEvent | TranslationClientEvent | Unknown

CUT_FROM: Final = 600
"""Bytes from which a frame is looked at for an audio payload to cut out. Shorter ones parse faster whole."""

CUT_WITHIN: Final = 512
"""Bytes in which the payload's key has to start. OpenAI's frames have it at 230."""


QUOTE: Final = 0x22
BACKSLASH: Final = 0x5C


def decode(frame: str | bytes) -> ServerEvent | Unknown:
    """What a server sent in a conversation or transcription session.

    A beta name becomes the event of today, with the name that came in `type`. Raises BadFrame, nothing else.
    """
    return cast("ServerEvent | Unknown", _decode(frame, _SERVER))


def decode_client(frame: str | bytes) -> ClientEvent | Unknown:
    """What a client sent in a conversation or transcription session. Raises BadFrame, nothing else."""
    return cast("ClientEvent | Unknown", _decode(frame, _CLIENT))


def decode_translation(frame: str | bytes) -> TranslationServerEvent | Unknown:
    """What a server sent in a translation session. Raises BadFrame, nothing else."""
    return cast("TranslationServerEvent | Unknown", _decode(frame, _TRANSLATION_SERVER))


def decode_translation_client(frame: str | bytes) -> TranslationClientEvent | Unknown:
    """What a client sent in a translation session. Raises BadFrame, nothing else."""
    return cast("TranslationClientEvent | Unknown", _decode(frame, _TRANSLATION_CLIENT))


def encode(event: Event) -> str:
    """The frame for an event of any of the four directions: UNSET is left out, None is null.

    Raises TypeError if a field holds what JSON cannot; the types of fields are not checked otherwise.
    """
    if isinstance(event, InputAudioBufferAppend):
        return _encode_append(event)
    try:
        return orjson.dumps(event, default=_plain).decode()
    except TypeError:
        # orjson refuses integers past 64 bits, and lone surrogates, which a terminal's input may hold.
        return json.dumps(event, default=_plain, separators=(",", ":"))


def _encode_append(event: InputAudioBufferAppend) -> str:
    """A template: fifty of these are sent a second, and the payload is nearly all there is to them."""
    if event.extras or event.type != "input_audio_buffer.append":
        return json.dumps(event, default=_plain, separators=(",", ":"))
    event_id = "" if event.event_id is UNSET else f'"event_id":{json.dumps(event.event_id)},'
    payload = b64encode_as_string(event.audio)
    return f'{{"type":"input_audio_buffer.append",{event_id}"audio":"{payload}"}}'


def _plain(value: object) -> object:
    """What a JSON writer makes of a value that it does not know."""
    if attrs.has(value.__class__):
        return _converter.get_unstructure_hook(value.__class__)(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Double):
        return float(value)
    raise TypeError(f"JSON cannot hold a {value.__class__.__name__}")


class _Side:
    """One direction of one kind of session: its events, and hooks for them made when first needed."""

    def __init__(self, classes: Mapping[str, type], aliases: Mapping[str, str], payload: str) -> None:
        self.classes = {**classes, **{old: classes[new] for old, new in aliases.items() if new in classes}}
        self.hooks: dict[str, Case] = {}
        self.payload = payload
        self.key = f'"{payload}":'.encode()
        self.audio = frozenset(n for n, c in self.classes.items() if get_type_hints(c).get(payload) is bytes)

    def make_hook(self, name: str) -> Case | None:
        cls = self.classes.get(name)
        if cls is None:
            return None
        hook: Case = _converter.get_structure_hook(cls)
        if name.startswith("transcription_session."):
            hook = _of_transcription(hook)
        self.hooks[name] = hook
        return hook


def _of_transcription(hook: Case) -> Case:
    """The beta told transcription sessions apart by the event's name; their `session` has no `type`."""

    def structure(o: dict[str, Any]) -> object:
        event = hook(o)
        if isinstance(event.session, Session) and event.session.type is UNSET:
            return attrs.evolve(event, session=_converter.structure(o["session"], TranscriptionSession))
        return event

    return structure


def _decode(frame: str | bytes, side: _Side) -> object:
    if isinstance(frame, str):
        try:
            frame = frame.encode()
        except UnicodeEncodeError:
            raise BadFrame("", "is no text: it holds half of a surrogate pair") from None
    o = _cut(frame, side) if len(frame) >= CUT_FROM else None
    if o is None:
        o = _parse(frame)
    try:
        return _event(o, side)
    except Rounded:
        return _event(_parse_exactly(frame), side)


def _event(o: Any, side: _Side) -> object:
    if o.__class__ is not dict:
        raise BadFrame("", f"must be an object, not {NAMES[o.__class__]}")
    name = o.get("type", UNSET)
    if name.__class__ is not str:
        reason = "is missing" if name is UNSET else f"must be a string, not {NAMES[name.__class__]}"
        raise BadFrame("type", reason)
    hook = side.hooks.get(name) or side.make_hook(name)
    return Unknown(name, free(o)) if hook is None else hook(o)


def _cut(frame: bytes, side: _Side) -> Any:
    """An audio event's object with its payload decoded, parsed without it; None if that is not surely right.

    In valid JSON, `"delta":` whose first quote has no backslash before it is a key: as a closing quote it
    could not be followed by a letter. With no second brace before it, it is a key of the frame itself. A
    payload that decodes as base64 holds no quote and no backslash, so the rest is valid JSON if and only if
    the frame is. The same key once more behind the payload would win. Then, and in every other doubt, the
    frame is parsed whole.
    """
    at = frame.find(side.key, 1, CUT_WITHIN)
    if at < 0 or frame[at - 1] == BACKSLASH or frame.rfind(b"{", 0, at) != 0:
        return None
    start = at + len(side.key)
    start += 1 if frame[start] == QUOTE else 2  # Python's own JSON writer puts a space before it
    end = frame.find(b'"', start)
    rest = frame[end:]
    if frame[start - 1] != QUOTE or end < 0 or b"\\" in rest or side.key[:-1] in rest:
        return None
    try:
        o = orjson.loads(frame[:start] + rest)
        if o.get("type") not in side.audio or o[side.payload] != "":
            return None
        o[side.payload] = audio(frame[start:end])
    except (orjson.JSONDecodeError, BadFrame):
        return None
    return o


def _parse(frame: bytes) -> Any:
    try:
        return orjson.loads(frame)
    except orjson.JSONDecodeError as error:
        try:
            frame.decode()
        except UnicodeDecodeError as no_text:
            raise BadFrame("", f"is no UTF-8 at byte {no_text.start}") from None
        raise BadFrame("", f"is no JSON at character {error.pos}: {error.msg}") from None


def _parse_exactly(frame: bytes) -> Any:
    """Slowly, with all digits of all integers; for a frame that orjson has read already."""

    def number(text: str) -> float:
        value = float(text)
        return value if -EXACT < value < EXACT else Double(value)

    try:
        return json.loads(frame.decode(), parse_float=number)
    except RecursionError:
        raise BadFrame("", "is nested too deeply") from None
    except ValueError:
        # Python's limit for decimal integers, 4,300 digits unless told otherwise.
        raise BadFrame("", "holds an integer of too many digits") from None


def _make_converter() -> Converter:
    converter = make_converter()
    unions = {v.union: v for v in catalogue.VARIANTS}

    def of_class(cls: Any) -> Case:
        return structure_hook(cls, converter)

    def of_union(union: Any) -> Case:
        return variants_hook(unions[union], converter)

    converter.register_structure_hook_factory(attrs.has, of_class)
    converter.register_structure_hook_factory(unions.__contains__, of_union)
    converter.register_unstructure_hook_factory(attrs.has, unstructure_hook)
    return converter


_converter: Final = _make_converter()
_SERVER: Final = _Side(catalogue.SERVER, catalogue.ALIASES, "delta")
_CLIENT: Final = _Side(catalogue.CLIENT, catalogue.ALIASES, "audio")
_TRANSLATION_SERVER: Final = _Side(catalogue.TRANSLATION_SERVER, {}, "delta")
_TRANSLATION_CLIENT: Final = _Side(catalogue.TRANSLATION_CLIENT, {}, "audio")
