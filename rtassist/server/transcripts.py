"""What the user said: asked for, awaited, and told to the client if the session wants it told."""

from __future__ import annotations

from rtassist.protocol import (
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    DurationUsage,
    ServerEvent,
    TranscriptionError,
    UserMessage,
)
from rtassist.server.history import Held
from rtassist.server.outside import (
    Abandon,
    NotTranscribed,
    Outbox,
    Transcribe,
    Transcribed,
    TranscribeEnd,
    TranscribeMore,
)
from rtassist.server.parts import Transcript


class Transcripts:
    """The recogniser always runs, since the thinker reads; the client is told only where transcription is set
    up."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._awaited: dict[str, Held] = {}
        self._to_tell: set[str] = set()
        self._held_back: list[ServerEvent] = []
        self.hold = False
        """Tell nothing for now."""

    def start(self, held: Held, pcm: bytes, *, language: str | None, tell: bool) -> None:
        """Of sound that came all at once; nothing to do where there is none."""
        if pcm:
            self._outbox.ask(Transcribe(item_id=held.id, language=language))
            self._outbox.ask(TranscribeMore(item_id=held.id, pcm=pcm))
            self._outbox.ask(TranscribeEnd(item_id=held.id))
            self.expect(held, tell=tell)

    def expect(self, held: Held, *, tell: bool) -> None:
        """Of an utterance that the recogniser has heard already."""
        held.awaits_transcript = True
        self._awaited[held.id] = held
        if tell:
            self._to_tell.add(held.id)

    def forget(self, held: Held) -> None:
        """Nobody wants to know any more."""
        if self._awaited.pop(held.id, None) is not None:
            held.awaits_transcript = False
            self._to_tell.discard(held.id)
            self._outbox.ask(Abandon(id=held.id))

    def transcribed(self, report: Transcribed) -> None:
        held = self._awaited.pop(report.item_id, None)
        if held is None:
            return
        held.transcribed(report.transcript)
        if held.id in self._to_tell:
            self._to_tell.discard(held.id)
            self._tell_all(held, report.transcript)

    def failed(self, report: NotTranscribed) -> None:
        held = self._awaited.pop(report.item_id, None)
        if held is None:
            return
        held.awaits_transcript = False
        held.failure = (report.message, report.code)
        if held.id in self._to_tell:
            self._to_tell.discard(held.id)
            error = TranscriptionError(
                type="server_error", code=report.code, message=report.message, param=None
            )
            self._tell(
                ConversationItemInputAudioTranscriptionFailed(
                    item_id=held.id, content_index=_audio_index(held), error=error
                )
            )

    def release(self) -> None:
        """Tell what was held back."""
        self.hold = False
        held_back, self._held_back = self._held_back, []
        for event in held_back:
            self._outbox.say(event)

    def _tell_all(self, held: Held, transcript: Transcript) -> None:
        index = _audio_index(held)
        for delta in transcript.text.replace(" ", "\0 ").split("\0"):
            if delta:
                self._tell(
                    ConversationItemInputAudioTranscriptionDelta(
                        item_id=held.id, content_index=index, delta=delta
                    )
                )
        self._tell(
            ConversationItemInputAudioTranscriptionCompleted(
                item_id=held.id,
                content_index=index,
                transcript=transcript.text,
                usage=DurationUsage(seconds=-(-held.ms // 1000)),
            )
        )

    def _tell(self, event: ServerEvent) -> None:
        if self.hold:
            self._held_back.append(event)
        else:
            self._outbox.say(event)


def _audio_index(held: Held) -> int:
    assert isinstance(held.item, UserMessage)
    return [part.type for part in held.item.content or ()].index("input_audio")
