"""What may be sent, and each law that an event can break."""

import math
from typing import Any

import pytest

from rtassist.protocol import (
    AssistantContent,
    AssistantMessage,
    AudioConfig,
    AudioInput,
    AudioOutput,
    ClientEvent,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemTruncate,
    FunctionCall,
    FunctionCallOutput,
    InputAudioBufferAppend,
    InputAudioBufferCommit,
    ItemReference,
    McpApprovalResponse,
    ResponseCancel,
    ResponseCreate,
    ResponseParams,
    RetentionRatio,
    SemanticVad,
    ServerVad,
    Session,
    SessionUpdate,
    TokenLimits,
    Transcription,
    TranscriptionSession,
    TranslationSessionInputAudioBufferAppend,
    UnknownItem,
    UnknownSession,
    UserContent,
    UserMessage,
)
from rtassist.protocol.laws import APPEND_LIMIT_BYTES, Refusal, check

MOST_AUDIO = APPEND_LIMIT_BYTES // 4 * 3


def truncate(ms: int, *, index: int = 0) -> ConversationItemTruncate:
    return ConversationItemTruncate(item_id="a", content_index=index, audio_end_ms=ms)


def update(**session: Any) -> SessionUpdate:
    return SessionUpdate(session=Session(**session))


def heard(**vad: Any) -> SessionUpdate:
    return update(audio=AudioConfig(input=AudioInput(turn_detection=ServerVad(**vad))))


def said(**output: Any) -> SessionUpdate:
    return update(audio=AudioConfig(output=AudioOutput(**output)))


def ask(**params: Any) -> ResponseCreate:
    return ResponseCreate(response=ResponseParams(**params))


def create(item: Any) -> ConversationItemCreate:
    return ConversationItemCreate(item=item)


def assistant(kind: str) -> AssistantMessage:
    return AssistantMessage(content=(AssistantContent(type="output_text"), AssistantContent(type=kind)))


def languages(*codes: str) -> SessionUpdate:
    transcription = Transcription(model="whisper-1", languages=codes)
    return SessionUpdate(
        session=TranscriptionSession(audio=AudioConfig(input=AudioInput(transcription=transcription)))
    )


VAD = "session.audio.input.turn_detection"
USER = UserMessage(id="u" * 32, content=(UserContent(type="input_text", text="hi"),))

ALLOWED: list[ClientEvent | TranslationSessionInputAudioBufferAppend] = [
    update(),
    update(output_modalities=("audio",), max_output_tokens="inf", truncation="auto"),
    update(output_modalities=("text",), max_output_tokens=4096),
    update(max_output_tokens=1, truncation=RetentionRatio(retention_ratio=1)),
    update(truncation=RetentionRatio(retention_ratio=0.0, token_limits=TokenLimits(post_instructions=0))),
    update(audio=AudioConfig(input=AudioInput(turn_detection=SemanticVad()), output=AudioOutput(speed=None))),
    heard(threshold=0.0, prefix_padding_ms=0, silence_duration_ms=0, idle_timeout_ms=5000),
    heard(threshold=1, idle_timeout_ms=30000),
    heard(idle_timeout_ms=None),
    said(speed=0.25),
    said(speed=1.5),
    languages("en"),
    SessionUpdate(session=UnknownSession(type="live", fields={"type": "live"})),
    InputAudioBufferAppend(audio=bytes(MOST_AUDIO), event_id="e" * 512),
    TranslationSessionInputAudioBufferAppend(audio=bytes(MOST_AUDIO)),
    InputAudioBufferCommit(),
    ConversationItemDelete(item_id="x" * 99),
    truncate(700),
    ResponseCancel(),
    ResponseCreate(),
    ask(input=(), metadata={"k" * 64: "v" * 512} | {str(n): "" for n in range(15)}),
    ask(input=(USER, ItemReference(id="x" * 99)), output_modalities=("text",)),
    create(USER),
    create(assistant("output_text")),
    create(AssistantMessage()),
    create(FunctionCall(call_id="call_-09azAZ", name="f")),
    create(FunctionCall(name="f")),
    create(McpApprovalResponse(id="m", approval_request_id="r" * 99, approve=True)),
    create(UnknownItem(type="note", fields={})),
]

REFUSED = [
    (update(type=None), "session.type", "is missing"),
    (SessionUpdate(session=UnknownSession(type="", fields={})), "session.type", "is missing"),
    (update(output_modalities=("audio", "text")), "session.output_modalities", "either audio or text"),
    (update(max_output_tokens=0), "session.max_output_tokens", "is 0; it must be from 1 to 4096"),
    (update(max_output_tokens=4097), "session.max_output_tokens", "is 4097"),
    (update(max_output_tokens="lots"), "session.max_output_tokens", 'must be a number or "inf"'),
    (
        update(truncation=RetentionRatio(retention_ratio=1.01)),
        "session.truncation.retention_ratio",
        "is 1.01",
    ),
    (
        update(truncation=RetentionRatio(retention_ratio=1, token_limits=TokenLimits(post_instructions=-1))),
        "session.truncation.token_limits.post_instructions",
        "is -1; it must be at least 0",
    ),
    (said(speed=0.2), "session.audio.output.speed", "is 0.2; it must be from 0.25 to 1.5"),
    (said(speed=1.6), "session.audio.output.speed", "is 1.6"),
    (said(speed=math.nan), "session.audio.output.speed", "is nan"),
    (heard(threshold=-0.1), f"{VAD}.threshold", "is -0.1; it must be from 0 to 1"),
    (heard(prefix_padding_ms=-1), f"{VAD}.prefix_padding_ms", "is -1; it must be at least 0"),
    (heard(silence_duration_ms=-1), f"{VAD}.silence_duration_ms", "is -1"),
    (heard(idle_timeout_ms=4999), f"{VAD}.idle_timeout_ms", "is 4999; it must be from 5000 to 30000"),
    (heard(idle_timeout_ms=30001), f"{VAD}.idle_timeout_ms", "is 30001"),
    (languages(), "session.audio.input.transcription.languages", "at least one language"),
    (InputAudioBufferAppend(audio=bytes(MOST_AUDIO + 1)), "audio", "takes 15728644 bytes as base64"),
    (TranslationSessionInputAudioBufferAppend(audio=bytes(MOST_AUDIO + 1)), "audio", "takes 15728644"),
    (InputAudioBufferCommit(event_id="e" * 513), "event_id", "has 513 characters; 512 are allowed"),
    (truncate(0), "audio_end_ms", "is not above 0"),
    (truncate(-5), "audio_end_ms", "is not above 0"),
    (truncate(5, index=1), "content_index", "is 1; audio is always content 0"),
    (ask(max_output_tokens=0), "response.max_output_tokens", "is 0"),
    (ask(output_modalities=("text", "audio")), "response.output_modalities", "either audio or text"),
    (ask(audio=AudioConfig(output=AudioOutput(speed=9))), "response.audio.output.speed", "is 9"),
    (ask(metadata={str(n): "" for n in range(17)}), "response.metadata", "has 17 pairs; 16 are allowed"),
    (ask(metadata={"k" * 65: ""}), "response.metadata", "has a key of 65 characters; 64 are allowed"),
    (ask(metadata={"k": "v" * 513}), "response.metadata.k", "has 513 characters; 512 are allowed"),
    (ask(input=(USER, assistant("audio"))), "response.input[1].content[1].type", "is audio"),
    (create(assistant("output_audio")), "item.content[1].type", "is audio"),
    (create(ItemReference(id="x")), "item.type", "is item_reference"),
    (create(UserMessage(id="u" * 33)), "item.id", "has 33 characters; 32 are allowed"),
    (create(FunctionCallOutput(call_id="c" * 33, output="")), "item.call_id", "has 33 characters"),
    (create(FunctionCallOutput(call_id="a b", output="")), "item.call_id", "letters, digits, _ and - only"),
    (create(FunctionCall(call_id="", name="f")), "item.call_id", "at least one"),
    (create(FunctionCall(call_id="c\n", name="f")), "item.call_id", "letters, digits"),
]


@pytest.mark.parametrize("event", ALLOWED, ids=lambda e: type(e).__name__)
def test_allowed(event: ClientEvent) -> None:
    assert check(event) is None


@pytest.mark.parametrize(("event", "path", "reason"), REFUSED)
def test_refused(event: ClientEvent, path: str, reason: str) -> None:
    refusal = check(event)
    assert isinstance(refusal, Refusal)
    assert refusal.path == path
    assert reason in refusal.reason


@pytest.mark.parametrize(("ms", "allowed"), [(1, True), (700, True), (701, False)])
def test_a_truncation_ends_where_audio_arrived(ms: int, allowed: bool) -> None:
    refusal = check(truncate(ms), arrived_ms={"a": 700, "b": 900})
    assert (refusal is None) is allowed
    assert allowed or refusal == Refusal("audio_end_ms", "is 701; only 700 ms of the item arrived")


def test_nothing_arrived_of_an_item_that_nobody_knows() -> None:
    refusal = check(truncate(1), arrived_ms={})
    assert refusal == Refusal("audio_end_ms", "is 1; only 0 ms of the item arrived")


@pytest.mark.parametrize(("ms", "allowed"), [(0, False), (99.98, False), (100, True), (2000, True)])
def test_a_commit_needs_a_tenth_of_a_second(ms: float, allowed: bool) -> None:
    refusal = check(InputAudioBufferCommit(), buffered_ms=ms)
    assert (refusal is None) is allowed
    assert allowed or refusal == Refusal("", f"the buffer holds {ms:g} ms of audio; a commit needs 100")


def test_ids_that_the_server_gave_may_look_as_they_like() -> None:
    call_id = "call/" + "0123456789" * 4
    output = create(FunctionCallOutput(id=call_id, call_id=call_id, output=""))
    assert check(output) is not None
    assert check(output, given_ids={call_id}) is None
