"""How a session begins, and what a client may send in it."""

from __future__ import annotations

from attrs import frozen

from rtassist.protocol import (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    OutputAudioBufferClear,
    ResponseCancel,
    ResponseCreate,
)
from rtassist.server import settings

CLIENT_EVENTS = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.truncate",
    "conversation.item.delete",
    "response.create",
    "response.cancel",
)

CONVERSATION_EVENTS = (
    ConversationItemCreate,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    ConversationItemDelete,
    ResponseCreate,
    ResponseCancel,
    OutputAudioBufferClear,
)
"""What a transcription session has no use for."""


@frozen(kw_only=True)
class Opening:
    """What a session begins with. `kind` is `realtime` or `transcription`; `model` is what the client asked
    for."""

    kind: str
    model: str
    instructions: str
    unix_s: int
    """The wall clock, for `expires_at` alone."""
    expires_after_s: int = 3600
    max_items: int = 4096
    max_sound_bytes: int = 64 * 1024 * 1024
    max_input_ms: int = 600_000
    late_transcripts: bool = False
    """The user's transcript comes behind the answer to it, as it may."""
    rate_limits: bool = True
    interleave: bool = False
    """A function call of a spoken answer is told at once, while the message before it is still spoken."""


def first_settings(opening: Opening, id: str) -> settings.Effective:
    """What `session.created` shows."""
    expires_at = opening.unix_s + opening.expires_after_s
    if opening.kind == "transcription":
        return settings.transcription(id=id, expires_at=expires_at)
    return settings.realtime(
        id=id, model=opening.model, instructions=opening.instructions, expires_at=expires_at
    )
