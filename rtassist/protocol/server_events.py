"""The 46 events that a server sends, in conversations and in transcription sessions.

`type` is the name that came: beta servers say `response.audio.delta` for `response.output_audio.delta`.
A field has no default where the event is meaningless without it; beyond that servers are let omit what real
ones were seen to omit.
"""

from typing import TypeAlias

from attrs import field, frozen

from rtassist.protocol.compared import compared
from rtassist.protocol.items import ContentPart, Item
from rtassist.protocol.response import (
    Conversation,
    ErrorDetail,
    LogProb,
    RateLimit,
    Response,
    TranscriptionError,
    TranscriptLanguage,
)
from rtassist.protocol.session import AnySession
from rtassist.protocol.unset import NO_EXTRAS, UNSET, Extras, Unset
from rtassist.protocol.usage import TranscriptionUsage


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class SessionCreated:
    """The first frame of a socket. `session` is everything that is in force."""

    type: str = "session.created"
    event_id: str | Unset = UNSET
    session: AnySession
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class SessionUpdated:
    """`session` is everything that is in force, not a difference."""

    type: str = "session.updated"
    event_id: str | Unset = UNSET
    session: AnySession
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ErrorEvent:
    """A client event was refused, or the server failed. The socket mostly stays usable."""

    type: str = "error"
    event_id: str | Unset = UNSET
    error: ErrorDetail
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class RateLimitsUpdated:
    type: str = "rate_limits.updated"
    event_id: str | Unset = UNSET
    rate_limits: tuple[RateLimit, ...]
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationCreated:
    """Typed, but sent by xAI's server only."""

    type: str = "conversation.created"
    event_id: str | Unset = UNSET
    conversation: Conversation | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemAdded:
    """An item has a place in the conversation; an assistant's is still empty."""

    type: str = "conversation.item.added"
    event_id: str | Unset = UNSET
    item: Item
    previous_item_id: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemDone:
    type: str = "conversation.item.done"
    event_id: str | Unset = UNSET
    item: Item
    previous_item_id: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemCreated:
    """What servers of the beta say in place of `conversation.item.added`."""

    type: str = "conversation.item.created"
    event_id: str | Unset = UNSET
    item: Item
    previous_item_id: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemRetrieved:
    type: str = "conversation.item.retrieved"
    event_id: str | Unset = UNSET
    item: Item
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemTruncated:
    type: str = "conversation.item.truncated"
    event_id: str | Unset = UNSET
    item_id: str
    content_index: int
    audio_end_ms: int
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemDeleted:
    type: str = "conversation.item.deleted"
    event_id: str | Unset = UNSET
    item_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemInputAudioTranscriptionDelta:
    type: str = "conversation.item.input_audio_transcription.delta"
    event_id: str | Unset = UNSET
    item_id: str
    content_index: int | Unset | None = UNSET
    delta: str | Unset | None = UNSET
    logprobs: tuple[LogProb, ...] | Unset | None = UNSET
    obfuscation: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemInputAudioTranscriptionCompleted:
    type: str = "conversation.item.input_audio_transcription.completed"
    event_id: str | Unset = UNSET
    item_id: str
    content_index: int | Unset = UNSET
    transcript: str
    usage: TranscriptionUsage | Unset | None = UNSET
    languages: tuple[TranscriptLanguage, ...] | Unset | None = UNSET
    logprobs: tuple[LogProb, ...] | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemInputAudioTranscriptionSegment:
    """A piece of a transcript that tells speakers apart; `start` and `end` in seconds."""

    type: str = "conversation.item.input_audio_transcription.segment"
    event_id: str | Unset = UNSET
    item_id: str
    content_index: int | Unset = UNSET
    id: str
    text: str
    speaker: str
    start: float
    end: float
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemInputAudioTranscriptionFailed:
    type: str = "conversation.item.input_audio_transcription.failed"
    event_id: str | Unset = UNSET
    item_id: str
    content_index: int | Unset = UNSET
    error: TranscriptionError
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class InputAudioBufferCommitted:
    type: str = "input_audio_buffer.committed"
    event_id: str | Unset = UNSET
    item_id: str
    previous_item_id: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class InputAudioBufferCleared:
    type: str = "input_audio_buffer.cleared"
    event_id: str | Unset = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class InputAudioBufferSpeechStarted:
    """`audio_start_ms` counts the audio written since the session began, padding included.

    `item_id` is that of the item that will be created.
    """

    type: str = "input_audio_buffer.speech_started"
    event_id: str | Unset = UNSET
    audio_start_ms: int
    item_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class InputAudioBufferSpeechStopped:
    """`audio_end_ms` counts the audio written since the session began, trailing silence included."""

    type: str = "input_audio_buffer.speech_stopped"
    event_id: str | Unset = UNSET
    audio_end_ms: int
    item_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class InputAudioBufferTimeoutTriggered:
    """The user said nothing for `idle_timeout_ms`."""

    type: str = "input_audio_buffer.timeout_triggered"
    event_id: str | Unset = UNSET
    audio_start_ms: int
    audio_end_ms: int
    item_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class InputAudioBufferDtmfEventReceived:
    """A key was pressed in a SIP call; `received_at` in Unix seconds. The one event without `event_id`."""

    type: str = "input_audio_buffer.dtmf_event_received"
    event_id: str | Unset = UNSET
    event: str
    received_at: int
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class OutputAudioBufferStarted:
    type: str = "output_audio_buffer.started"
    event_id: str | Unset = UNSET
    response_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class OutputAudioBufferStopped:
    type: str = "output_audio_buffer.stopped"
    event_id: str | Unset = UNSET
    response_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class OutputAudioBufferCleared:
    type: str = "output_audio_buffer.cleared"
    event_id: str | Unset = UNSET
    response_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseCreated:
    type: str = "response.created"
    event_id: str | Unset = UNSET
    response: Response
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseDone:
    """The response is made; its audio may still be playing for a long time."""

    type: str = "response.done"
    event_id: str | Unset = UNSET
    response: Response
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseOutputItemAdded:
    type: str = "response.output_item.added"
    event_id: str | Unset = UNSET
    response_id: str
    output_index: int
    item: Item
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseOutputItemDone:
    type: str = "response.output_item.done"
    event_id: str | Unset = UNSET
    response_id: str
    output_index: int
    item: Item
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseContentPartAdded:
    type: str = "response.content_part.added"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    content_index: int
    part: ContentPart | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseContentPartDone:
    type: str = "response.content_part.done"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    content_index: int
    part: ContentPart | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseOutputTextDelta:
    type: str = "response.output_text.delta"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    content_index: int
    delta: str
    obfuscation: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseOutputTextDone:
    type: str = "response.output_text.done"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    content_index: int
    text: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseOutputAudioDelta:
    """`delta`: bytes in the session's output format."""

    type: str = "response.output_audio.delta"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    content_index: int
    delta: bytes
    obfuscation: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseOutputAudioDone:
    type: str = "response.output_audio.done"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    content_index: int
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseOutputAudioTranscriptDelta:
    type: str = "response.output_audio_transcript.delta"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    content_index: int
    delta: str
    obfuscation: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseOutputAudioTranscriptDone:
    type: str = "response.output_audio_transcript.done"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    content_index: int
    transcript: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseFunctionCallArgumentsDelta:
    type: str = "response.function_call_arguments.delta"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    call_id: str
    delta: str
    obfuscation: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseFunctionCallArgumentsDone:
    """`arguments` is JSON text. Servers of the beta leave out `name`."""

    type: str = "response.function_call_arguments.done"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    call_id: str
    name: str | Unset | None = UNSET
    arguments: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseMcpCallArgumentsDelta:
    type: str = "response.mcp_call_arguments.delta"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    delta: str
    obfuscation: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseMcpCallArgumentsDone:
    type: str = "response.mcp_call_arguments.done"
    event_id: str | Unset = UNSET
    response_id: str
    item_id: str
    output_index: int
    arguments: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseMcpCallInProgress:
    type: str = "response.mcp_call.in_progress"
    event_id: str | Unset = UNSET
    item_id: str
    output_index: int
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseMcpCallCompleted:
    type: str = "response.mcp_call.completed"
    event_id: str | Unset = UNSET
    item_id: str
    output_index: int
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseMcpCallFailed:
    type: str = "response.mcp_call.failed"
    event_id: str | Unset = UNSET
    item_id: str
    output_index: int
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpListToolsInProgress:
    type: str = "mcp_list_tools.in_progress"
    event_id: str | Unset = UNSET
    item_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpListToolsCompleted:
    type: str = "mcp_list_tools.completed"
    event_id: str | Unset = UNSET
    item_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpListToolsFailed:
    type: str = "mcp_list_tools.failed"
    event_id: str | Unset = UNSET
    item_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


ServerEvent: TypeAlias = (
    SessionCreated
    | SessionUpdated
    | ErrorEvent
    | RateLimitsUpdated
    | ConversationCreated
    | ConversationItemAdded
    | ConversationItemDone
    | ConversationItemCreated
    | ConversationItemRetrieved
    | ConversationItemTruncated
    | ConversationItemDeleted
    | ConversationItemInputAudioTranscriptionDelta
    | ConversationItemInputAudioTranscriptionCompleted
    | ConversationItemInputAudioTranscriptionSegment
    | ConversationItemInputAudioTranscriptionFailed
    | InputAudioBufferCommitted
    | InputAudioBufferCleared
    | InputAudioBufferSpeechStarted
    | InputAudioBufferSpeechStopped
    | InputAudioBufferTimeoutTriggered
    | InputAudioBufferDtmfEventReceived
    | OutputAudioBufferStarted
    | OutputAudioBufferStopped
    | OutputAudioBufferCleared
    | ResponseCreated
    | ResponseDone
    | ResponseOutputItemAdded
    | ResponseOutputItemDone
    | ResponseContentPartAdded
    | ResponseContentPartDone
    | ResponseOutputTextDelta
    | ResponseOutputTextDone
    | ResponseOutputAudioDelta
    | ResponseOutputAudioDone
    | ResponseOutputAudioTranscriptDelta
    | ResponseOutputAudioTranscriptDone
    | ResponseFunctionCallArgumentsDelta
    | ResponseFunctionCallArgumentsDone
    | ResponseMcpCallArgumentsDelta
    | ResponseMcpCallArgumentsDone
    | ResponseMcpCallInProgress
    | ResponseMcpCallCompleted
    | ResponseMcpCallFailed
    | McpListToolsInProgress
    | McpListToolsCompleted
    | McpListToolsFailed
)
