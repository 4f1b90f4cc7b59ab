"""A response: what a client asks for, what came of it, and what went wrong."""

from collections.abc import Mapping

from attrs import field, frozen

from rtassist.protocol.compared import compared
from rtassist.protocol.items import Item
from rtassist.protocol.session import AudioConfig, Prompt, Reasoning, Tool, ToolChoice
from rtassist.protocol.unset import NO_EXTRAS, UNSET, Extras, Unset
from rtassist.protocol.usage import Usage


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class StatusError:
    type: str | Unset | None = UNSET
    code: str | Unset | None = UNSET
    message: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class StatusDetails:
    """Why a response ended as it did. Quota and rate limits arrive here, with `type` `failed`."""

    type: str | Unset | None = UNSET
    reason: str | Unset | None = UNSET
    error: StatusError | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class Response:
    """`conversation_id` is null for a response outside of the conversation.

    `status_details` is a plain string at xAI's server.
    """

    id: str | Unset | None = UNSET
    object: str | Unset | None = UNSET
    status: str | Unset | None = UNSET
    status_details: StatusDetails | str | Unset | None = UNSET
    output: tuple[Item, ...] | Unset | None = UNSET
    conversation_id: str | Unset | None = UNSET
    output_modalities: tuple[str, ...] | Unset | None = UNSET
    max_output_tokens: int | str | Unset | None = UNSET
    audio: AudioConfig | Unset | None = UNSET
    usage: Usage | Unset | None = UNSET
    metadata: Mapping[str, str] | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseParams:
    """What one response shall be like; absent fields are the session's.

    `conversation` "none" keeps the response out of the conversation; `input` () gives it no context at all.
    """

    conversation: str | Unset | None = UNSET
    input: tuple[Item, ...] | Unset | None = UNSET
    instructions: str | Unset | None = UNSET
    output_modalities: tuple[str, ...] | Unset | None = UNSET
    max_output_tokens: int | str | Unset | None = UNSET
    audio: AudioConfig | Unset | None = UNSET
    tools: tuple[Tool, ...] | Unset | None = UNSET
    tool_choice: str | ToolChoice | Unset | None = UNSET
    parallel_tool_calls: bool | Unset | None = UNSET
    reasoning: Reasoning | Unset | None = UNSET
    prompt: Prompt | Unset | None = UNSET
    metadata: Mapping[str, str] | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ErrorDetail:
    """What a server refuses or could not do; `event_id` is that of the client event at fault."""

    type: str | Unset = UNSET
    code: str | Unset | None = UNSET
    message: str
    param: str | Unset | None = UNSET
    event_id: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranscriptionError:
    type: str | Unset | None = UNSET
    code: str | Unset | None = UNSET
    message: str | Unset | None = UNSET
    param: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class RateLimit:
    name: str | Unset | None = UNSET
    limit: int | Unset | None = UNSET
    remaining: int | Unset | None = UNSET
    reset_seconds: float | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class Conversation:
    id: str | Unset | None = UNSET
    object: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class LogProb:
    token: str
    logprob: float
    bytes: tuple[int, ...] | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranscriptLanguage:
    code: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)
