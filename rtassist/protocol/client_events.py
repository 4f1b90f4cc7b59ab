"""The 11 events that a client sends, in conversations and in transcription sessions."""

from typing import TypeAlias

from attrs import field, frozen

from rtassist.protocol.compared import compared
from rtassist.protocol.items import Item
from rtassist.protocol.response import ResponseParams
from rtassist.protocol.session import AnySession
from rtassist.protocol.unset import NO_EXTRAS, UNSET, Extras, Unset


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class SessionUpdate:
    type: str = "session.update"
    event_id: str | Unset | None = UNSET
    session: AnySession
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class InputAudioBufferAppend:
    """`audio`: bytes in the session's input format. The server does not acknowledge it."""

    type: str = "input_audio_buffer.append"
    event_id: str | Unset | None = UNSET
    audio: bytes
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class InputAudioBufferCommit:
    """Ends the user's turn; starts no response. Less than 100 ms of audio is refused."""

    type: str = "input_audio_buffer.commit"
    event_id: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class InputAudioBufferClear:
    type: str = "input_audio_buffer.clear"
    event_id: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class OutputAudioBufferClear:
    """Only for WebRTC and SIP, where the server plays; not for a WebSocket."""

    type: str = "output_audio_buffer.clear"
    event_id: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemCreate:
    """`previous_item_id`: absent appends, "root" puts the item first, an id puts it after that item."""

    type: str = "conversation.item.create"
    event_id: str | Unset | None = UNSET
    previous_item_id: str | Unset | None = UNSET
    item: Item
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemRetrieve:
    type: str = "conversation.item.retrieve"
    event_id: str | Unset | None = UNSET
    item_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemTruncate:
    """Cuts the assistant's audio to its first `audio_end_ms` milliseconds: what the user heard of it."""

    type: str = "conversation.item.truncate"
    event_id: str | Unset | None = UNSET
    item_id: str
    content_index: int
    audio_end_ms: int
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ConversationItemDelete:
    type: str = "conversation.item.delete"
    event_id: str | Unset | None = UNSET
    item_id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseCreate:
    type: str = "response.create"
    event_id: str | Unset | None = UNSET
    response: ResponseParams | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ResponseCancel:
    """`response_id` absent: the active response of the conversation."""

    type: str = "response.cancel"
    event_id: str | Unset | None = UNSET
    response_id: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


ClientEvent: TypeAlias = (
    SessionUpdate
    | InputAudioBufferAppend
    | InputAudioBufferCommit
    | InputAudioBufferClear
    | OutputAudioBufferClear
    | ConversationItemCreate
    | ConversationItemRetrieve
    | ConversationItemTruncate
    | ConversationItemDelete
    | ResponseCreate
    | ResponseCancel
)
