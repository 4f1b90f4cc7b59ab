"""The 3 events that a client and the 7 that a server sends in a translation session.

A translation has no items, turns or responses: audio and text flow in, audio and text flow out.
"""

from typing import TypeAlias

from attrs import field, frozen

from rtassist.protocol.compared import compared
from rtassist.protocol.response import ErrorDetail
from rtassist.protocol.session import NoiseReduction
from rtassist.protocol.unset import NO_EXTRAS, UNSET, Extras, Unset


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationTranscription:
    model: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationAudioInput:
    transcription: TranslationTranscription | Unset | None = UNSET
    noise_reduction: NoiseReduction | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationAudioOutput:
    language: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationAudio:
    input: TranslationAudioInput | Unset | None = UNSET
    output: TranslationAudioOutput | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationSession:
    """A client sends `audio` alone; the rest, `expires_at` in Unix seconds, is what a server answers."""

    id: str | Unset | None = UNSET
    type: str | Unset | None = UNSET
    model: str | Unset | None = UNSET
    expires_at: int | Unset | None = UNSET
    audio: TranslationAudio | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationSessionUpdate:
    type: str = "session.update"
    event_id: str | Unset | None = UNSET
    session: TranslationSession
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationSessionInputAudioBufferAppend:
    """`audio`: PCM16 little-endian mono, 24 kHz. Silence is to be sent too while nobody speaks."""

    type: str = "session.input_audio_buffer.append"
    event_id: str | Unset | None = UNSET
    audio: bytes
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationSessionClose:
    """Asks for what is still pending, then for `session.closed`."""

    type: str = "session.close"
    event_id: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


TranslationClientEvent: TypeAlias = (
    TranslationSessionUpdate | TranslationSessionInputAudioBufferAppend | TranslationSessionClose
)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationErrorEvent:
    type: str = "error"
    event_id: str | Unset = UNSET
    error: ErrorDetail
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationSessionCreated:
    type: str = "session.created"
    event_id: str | Unset = UNSET
    session: TranslationSession
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationSessionUpdated:
    type: str = "session.updated"
    event_id: str | Unset = UNSET
    session: TranslationSession
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationSessionClosed:
    type: str = "session.closed"
    event_id: str | Unset = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationSessionInputTranscriptDelta:
    """`delta` is to be appended as it is, no space between."""

    type: str = "session.input_transcript.delta"
    event_id: str | Unset = UNSET
    delta: str
    elapsed_ms: int | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationSessionOutputTranscriptDelta:
    """`delta` is to be appended as it is, no space between."""

    type: str = "session.output_transcript.delta"
    event_id: str | Unset = UNSET
    delta: str
    elapsed_ms: int | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranslationSessionOutputAudioDelta:
    """`delta`: bytes of PCM16, 24 kHz mono unless the fields say otherwise."""

    type: str = "session.output_audio.delta"
    event_id: str | Unset = UNSET
    delta: bytes
    format: str | Unset | None = UNSET
    sample_rate: int | Unset | None = UNSET
    channels: int | Unset | None = UNSET
    elapsed_ms: int | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


TranslationServerEvent: TypeAlias = (
    TranslationErrorEvent
    | TranslationSessionCreated
    | TranslationSessionUpdated
    | TranslationSessionClosed
    | TranslationSessionInputTranscriptDelta
    | TranslationSessionOutputTranscriptDelta
    | TranslationSessionOutputAudioDelta
)
