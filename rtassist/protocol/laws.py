"""What a client may not send: mistakes that a server answers with an error, or that cost the conversation.

The limits are those of OpenAI's API reference (client events, session and response parameters); the 32
characters of ids that a client chooses and the 100 ms of a commit are what its server answers.
"""

import math
import re
from collections.abc import Container, Iterator, Mapping
from typing import Final, TypeAlias

from attrs import frozen

from rtassist.protocol.client_events import (
    ClientEvent,
    ConversationItemCreate,
    ConversationItemTruncate,
    InputAudioBufferAppend,
    InputAudioBufferCommit,
    ResponseCreate,
    SessionUpdate,
)
from rtassist.protocol.items import AssistantMessage, FunctionCall, FunctionCallOutput, Item, ItemReference
from rtassist.protocol.response import ResponseParams
from rtassist.protocol.session import (
    AudioConfig,
    AudioInput,
    RetentionRatio,
    ServerVad,
    Session,
    TranscriptionSession,
)
from rtassist.protocol.translation_events import (
    TranslationClientEvent,
    TranslationSessionInputAudioBufferAppend,
)
from rtassist.protocol.unset import Unset

APPEND_LIMIT_BYTES: Final = 15 * 1024 * 1024
"""Of one append. OpenAI does not say whether raw or as base64; the longer one is held to it."""

COMMIT_MIN_MS: Final = 100
EVENT_ID_LIMIT: Final = 512
CHOSEN_ID_LIMIT: Final = 32
CALL_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
METADATA_PAIRS: Final = 16
METADATA_KEY: Final = 64
METADATA_VALUE: Final = 512
OUTPUT_TOKENS: Final = (1, 4096)
SPEED: Final = (0.25, 1.5)
UNIT: Final = (0.0, 1.0)
IDLE_TIMEOUT_MS: Final = (5000, 30000)
NOT_NEGATIVE: Final = (0, math.inf)


@frozen
class Refusal:
    """Why an event may not be sent: where in it (`session.audio.output.speed`), and a reason for a person."""

    path: str
    reason: str


Refusals: TypeAlias = Iterator[Refusal]


def check(
    event: ClientEvent | TranslationClientEvent,
    *,
    arrived_ms: Mapping[str, int] | None = None,
    buffered_ms: float | None = None,
    given_ids: Container[str] = (),
) -> Refusal | None:
    """The first law that `event` breaks, or None.

    `arrived_ms`: milliseconds of audio that arrived, per item id; None leaves a truncation's end unchecked.
    `buffered_ms`: audio appended since the last commit or clear; None leaves a commit unchecked.
    `given_ids`: ids that the server chose, which may look as they like.
    """
    return next(_broken(event, arrived_ms, buffered_ms, given_ids), None)


def _broken(
    event: ClientEvent | TranslationClientEvent,
    arrived_ms: Mapping[str, int] | None,
    buffered_ms: float | None,
    given_ids: Container[str],
) -> Refusals:
    if event.event_id and len(event.event_id) > EVENT_ID_LIMIT:
        yield Refusal("event_id", f"has {len(event.event_id)} characters; {EVENT_ID_LIMIT} are allowed")
    match event:
        case SessionUpdate():
            yield from _session(event)
        case InputAudioBufferAppend() | TranslationSessionInputAudioBufferAppend():
            yield from _append(event.audio)
        case InputAudioBufferCommit():
            if buffered_ms is not None and buffered_ms < COMMIT_MIN_MS:
                held = f"the buffer holds {buffered_ms:g} ms of audio"
                yield Refusal("", f"{held}; a commit needs {COMMIT_MIN_MS}")
        case ConversationItemCreate():
            yield from _created("item", event.item, given_ids)
        case ConversationItemTruncate():
            yield from _truncate(event, arrived_ms)
        case ResponseCreate() if event.response:
            yield from _response("response", event.response, given_ids)


def _append(audio: bytes) -> Refusals:
    size = (len(audio) + 2) // 3 * 4
    if size > APPEND_LIMIT_BYTES:
        yield Refusal(
            "audio", f"takes {size} bytes as base64; {APPEND_LIMIT_BYTES} are allowed in one append"
        )


def _truncate(event: ConversationItemTruncate, arrived_ms: Mapping[str, int] | None) -> Refusals:
    if event.content_index != 0:
        yield Refusal("content_index", f"is {event.content_index}; audio is always content 0")
    if event.audio_end_ms <= 0:
        yield Refusal("audio_end_ms", "is not above 0; an item of which nothing was heard is deleted instead")
    if arrived_ms is not None:
        arrived = arrived_ms.get(event.item_id, 0)
        if event.audio_end_ms > arrived:
            yield Refusal("audio_end_ms", f"is {event.audio_end_ms}; only {arrived} ms of the item arrived")


def _session(event: SessionUpdate) -> Refusals:
    session = event.session
    if not session.type:
        yield Refusal("session.type", "is missing; it is required in every update")
    if isinstance(session, Session):
        yield from _output("session", session.output_modalities, session.max_output_tokens)
        if isinstance(session.truncation, RetentionRatio):
            yield from _retention("session.truncation", session.truncation)
    if isinstance(session, Session | TranscriptionSession) and session.audio:
        yield from _audio("session.audio", session.audio)


def _response(path: str, response: ResponseParams, given_ids: Container[str]) -> Refusals:
    yield from _output(path, response.output_modalities, response.max_output_tokens)
    if response.audio:
        yield from _audio(f"{path}.audio", response.audio)
    yield from _metadata(f"{path}.metadata", response.metadata or {})
    for index, item in enumerate(response.input or ()):
        if not isinstance(item, ItemReference):
            yield from _created(f"{path}.input[{index}]", item, given_ids)


def _output(
    path: str, modalities: tuple[str, ...] | Unset | None, max_tokens: int | str | Unset | None
) -> Refusals:
    if modalities and modalities not in (("audio",), ("text",)):
        yield Refusal(
            f"{path}.output_modalities", "must be either audio or text; audio brings its transcript"
        )
    if isinstance(max_tokens, str):
        if max_tokens != "inf":
            yield Refusal(f"{path}.max_output_tokens", 'must be a number or "inf"')
    else:
        yield from _within(f"{path}.max_output_tokens", max_tokens, OUTPUT_TOKENS)


def _audio(path: str, audio: AudioConfig) -> Refusals:
    if audio.output:
        yield from _within(f"{path}.output.speed", audio.output.speed, SPEED)
    if audio.input:
        yield from _input(f"{path}.input", audio.input)


def _input(path: str, audio: AudioInput) -> Refusals:
    if audio.transcription and audio.transcription.languages == ():
        yield Refusal(f"{path}.transcription.languages", "must name at least one language, or be absent")
    vad = audio.turn_detection
    if isinstance(vad, ServerVad):
        yield from _within(f"{path}.turn_detection.threshold", vad.threshold, UNIT)
        yield from _within(f"{path}.turn_detection.prefix_padding_ms", vad.prefix_padding_ms, NOT_NEGATIVE)
        yield from _within(
            f"{path}.turn_detection.silence_duration_ms", vad.silence_duration_ms, NOT_NEGATIVE
        )
        yield from _within(f"{path}.turn_detection.idle_timeout_ms", vad.idle_timeout_ms, IDLE_TIMEOUT_MS)


def _retention(path: str, truncation: RetentionRatio) -> Refusals:
    yield from _within(f"{path}.retention_ratio", truncation.retention_ratio, UNIT)
    if truncation.token_limits:
        limit = truncation.token_limits.post_instructions
        yield from _within(f"{path}.token_limits.post_instructions", limit, NOT_NEGATIVE)


def _metadata(path: str, metadata: Mapping[str, str]) -> Refusals:
    if len(metadata) > METADATA_PAIRS:
        yield Refusal(path, f"has {len(metadata)} pairs; {METADATA_PAIRS} are allowed")
    for key, value in metadata.items():
        if len(key) > METADATA_KEY:
            yield Refusal(path, f"has a key of {len(key)} characters; {METADATA_KEY} are allowed")
        if len(value) > METADATA_VALUE:
            yield Refusal(f"{path}.{key}", f"has {len(value)} characters; {METADATA_VALUE} are allowed")


def _created(path: str, item: Item, given_ids: Container[str]) -> Refusals:
    if isinstance(item, ItemReference):
        yield Refusal(f"{path}.type", "is item_reference, which only the input of a response may be")
    if isinstance(item, AssistantMessage):
        for index, part in enumerate(item.content or ()):
            if part.type in ("output_audio", "audio"):
                yield Refusal(
                    f"{path}.content[{index}].type",
                    "is audio; only text can be put into the assistant's mouth",
                )
    yield from _chosen_id(f"{path}.id", getattr(item, "id", None), given_ids)
    if isinstance(item, FunctionCall | FunctionCallOutput):
        call_id = item.call_id
        yield from _chosen_id(f"{path}.call_id", call_id, given_ids)
        if isinstance(call_id, str) and call_id not in given_ids and not CALL_ID.fullmatch(call_id):
            yield Refusal(f"{path}.call_id", "may hold letters, digits, _ and - only, and at least one")


def _chosen_id(path: str, value: str | Unset | None, given_ids: Container[str]) -> Refusals:
    if value and len(value) > CHOSEN_ID_LIMIT and value not in given_ids:
        yield Refusal(path, f"has {len(value)} characters; {CHOSEN_ID_LIMIT} are allowed")


def _within(path: str, value: float | Unset | None, bounds: tuple[float, float]) -> Refusals:
    low, high = bounds
    if isinstance(value, int | float) and not low <= value <= high:
        limits = f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        yield Refusal(path, f"is {value:g}; it must be {limits}")
