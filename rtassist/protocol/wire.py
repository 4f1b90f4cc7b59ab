"""Text to event and back: one cattrs converter, explicit tables, `Unknown` for the rest.

What was decoded encodes to equal JSON: unknown fields, events, variants and values of enumerations, nulls,
integers of more than 64 bits. What is decided where JSON leaves a choice: of a key that comes twice the last
one counts; NaN, lone surrogates and numbers past the range of a double are no JSON; unknown parts may nest
100 levels deep.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import attrs
import orjson
from cattrs import Converter
from cattrs.preconf.orjson import make_converter
from pybase64 import b64encode_as_string

from rtassist.protocol import catalogue, items, response, usage
from rtassist.protocol.audio_frames import audio_frames
from rtassist.protocol.bad_frame import BadFrame
from rtassist.protocol.client_events import ClientEvent, InputAudioBufferAppend
from rtassist.protocol.hooks import structure_hook, unstructure_hook, variants_hook
from rtassist.protocol.server_events import ResponseOutputAudioDelta, ServerEvent
from rtassist.protocol.session import Session, TranscriptionSession
from rtassist.protocol.translation_events import TranslationClientEvent, TranslationServerEvent
from rtassist.protocol.unknown import Unknown
from rtassist.protocol.unset import UNSET
from rtassist.protocol.values import EXACT, MAX_DEPTH, NAMES, Case, Double, Rounded, free

Event: TypeAlias = ServerEvent | ClientEvent | TranslationServerEvent | TranslationClientEvent | Unknown

AUDIO_FROM: Final = 600
"""Characters from which a frame is looked at for an audio payload. Shorter ones parse faster whole."""

_NOT_SHORT: Final = (KeyError, TypeError, UnicodeDecodeError, orjson.JSONDecodeError, Rounded)

Reader: TypeAlias = Callable[[str | bytes], Any]


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


@attrs.frozen(kw_only=True)
class _Side:
    """One direction of one kind of session; `payload` is the field with the audio of its audio events."""

    classes: Mapping[str, type]
    payload: str


def _side(classes: Mapping[str, type], payload: str, aliases: Mapping[str, str] | None = None) -> _Side:
    old_names = {old: classes[new] for old, new in (aliases or {}).items() if new in classes}
    return _Side(classes={**classes, **old_names}, payload=payload)


def _reader(side: _Side) -> Reader:
    """`decode` for one side: what is in order takes the short way, everything else the careful one."""
    hooks = _Hooks(side)
    read_audio = audio_frames(side.classes, hooks, side.payload)
    loads = orjson.loads

    def read(frame: str | bytes) -> Any:
        try:
            if isinstance(frame, bytes):
                frame = frame.decode()
            if len(frame) >= AUDIO_FROM and (event := read_audio(frame)) is not None:
                return event
            o = loads(frame)
            return hooks[o["type"]](o)
        except _NOT_SHORT:
            pass
        return _read_with_care(frame, hooks)

    return read


class _Hooks(dict[str, Case]):
    """Type → hook, made when a type comes for the first time: start-up pays for none, a session for half."""

    def __init__(self, side: _Side) -> None:
        super().__init__()
        self.classes = side.classes

    def __missing__(self, name: str) -> Case:
        cls = self.classes[name]
        hook: Case = _converter.get_structure_hook(cls)
        if name.startswith("transcription_session."):
            hook = _of_transcription(hook)
        self[name] = hook
        return hook


def _of_transcription(hook: Case) -> Case:
    """The beta told transcription sessions apart by the event's name; their `session` has no `type`."""

    def structure(o: dict[str, Any]) -> object:
        event = hook(o)
        if isinstance(event.session, Session) and event.session.type is UNSET:
            return attrs.evolve(event, session=_converter.structure(o["session"], TranscriptionSession))
        return event

    return structure


def _read_with_care(frame: str | bytes, hooks: _Hooks) -> object:
    """A frame that the short way could not read: says what is wrong with it, or reads it without loss."""
    o = _parse(frame)
    try:
        return _event(o, hooks)
    except Rounded:
        pass
    return _event(_parse_exactly(frame), hooks)


def _event(o: Any, hooks: _Hooks) -> object:
    if not isinstance(o, dict):
        raise BadFrame("", f"must be an object, not {NAMES[o.__class__]}")
    name = o.get("type", UNSET)
    if not isinstance(name, str):
        reason = "is missing" if name is UNSET else f"must be a string, not {NAMES[name.__class__]}"
        raise BadFrame("type", reason)
    return hooks[name](o) if name in hooks.classes else Unknown(name, free(o))


def _parse(frame: str | bytes) -> Any:
    try:
        return orjson.loads(frame)
    except orjson.JSONDecodeError as error:
        try:
            _ = frame.decode() if isinstance(frame, bytes) else frame.encode()
        except (UnicodeDecodeError, UnicodeEncodeError) as no_text:
            raise BadFrame("", f"is no UTF-8 text: {no_text.reason}") from None
        # Not in the parser's own words, which change with its version: they are shown, and so compared.
        raise BadFrame("", f"is no JSON at character {error.pos}") from None


def _parse_exactly(frame: str | bytes) -> Any:
    """Slowly, with all digits of all integers; for a frame that orjson has read already."""

    def number(text: str) -> float:
        value = float(text)
        return value if -EXACT < value < EXACT else Double(value)

    try:
        return json.loads(frame, parse_float=number)
    except RecursionError:
        raise BadFrame("", f"is nested more than {MAX_DEPTH} levels deep") from None


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
_SERVER: Final = _side(catalogue.SERVER, "delta", catalogue.ALIASES)
_read_audio: Final = audio_frames(_SERVER.classes, _Hooks(_SERVER), _SERVER.payload)
decode: Final[Callable[[str | bytes], ServerEvent | Unknown]] = _reader(_SERVER)
"""What a server sent in a conversation or transcription session. Raises BadFrame, nothing else.

A beta name becomes the event of today, with the name that came in `type`.
"""

_OF_A_TURN: Final = (
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
)


def prepare() -> Iterator[None]:
    """Make what reads the events of a turn, a kind at each step (5 ms at most, 30 ms in all), which is
    otherwise made when the first of its kind comes: half of that between the first word and the user.
    """
    events = (catalogue.SERVER[name] for name in _OF_A_TURN)
    within: tuple[type, ...] = (items.AssistantMessage, items.UserMessage, items.ContentPart)
    within += (response.Response, usage.Usage, usage.TokensUsage)
    for cls in (*within, *events):
        _converter.get_structure_hook(cls)
        yield


def decode_with_audio(frame: str, audio: bytes) -> ServerEvent | Unknown:
    """What a server sent, from a frame whose audio was taken out, with this audio in its place.

    Raises BadFrame. An event that has no audio is given as it is.
    """
    event: ServerEvent | Unknown | None
    try:
        event = _read_audio(frame, audio)
    except _NOT_SHORT:
        event = None
    if event is None:
        event = decode(frame)
        if isinstance(event, ResponseOutputAudioDelta):
            event = attrs.evolve(event, delta=audio)
    return event


decode_client: Final[Callable[[str | bytes], ClientEvent | Unknown]] = _reader(
    _side(catalogue.CLIENT, "audio", catalogue.ALIASES)
)
"""What a client sent in a conversation or transcription session. Raises BadFrame, nothing else."""

decode_translation: Final[Callable[[str | bytes], TranslationServerEvent | Unknown]] = _reader(
    _side(catalogue.TRANSLATION_SERVER, "delta")
)
"""What a server sent in a translation session. Raises BadFrame, nothing else."""

decode_translation_client: Final[Callable[[str | bytes], TranslationClientEvent | Unknown]] = _reader(
    _side(catalogue.TRANSLATION_CLIENT, "audio")
)
"""What a client sent in a translation session. Raises BadFrame, nothing else."""
