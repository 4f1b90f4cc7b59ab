"""A Realtime session from the server's side: client events in, server events out. The twin of the dialogue.

It reads no clock, waits for nothing and draws no random number: time and ids are arguments, and what it wants
from the world are requests among its outputs, answered by reports among its inputs (see `outside`). The same
inputs give the same outputs. Order of events, error codes and limits are those of OpenAI's Realtime API.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtassist.protocol import (
    ClientEvent,
    ConversationItemAdded,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemRetrieve,
    ConversationItemRetrieved,
    ConversationItemTruncate,
    ConversationItemTruncated,
    ErrorDetail,
    ErrorEvent,
    FunctionCallOutput,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCleared,
    InputAudioBufferCommit,
    InputAudioBufferCommitted,
    InputAudioBufferTimeoutTriggered,
    McpListToolsFailed,
    McpListToolsInProgress,
    OutputAudioBufferClear,
    ResponseCancel,
    ResponseCreate,
    ResponseParams,
    SemanticVad,
    ServerEvent,
    ServerVad,
    Session,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
    Unknown,
)
from rtassist.server import items, rules, settings
from rtassist.server.answers import Answers
from rtassist.server.hearing import SpeechStarted, SpeechStopped
from rtassist.server.history import Held, History, user_audio
from rtassist.server.opening import CLIENT_EVENTS, CONVERSATION_EVENTS, Opening, first_settings
from rtassist.server.outside import (
    Broke,
    Close,
    Ids,
    Listened,
    Malformed,
    NotTranscribed,
    Outbox,
    Rang,
    Refused,
    Report,
    Request,
    SetAlarm,
    SpeechOver,
    Spoke,
    Thought,
    ThoughtOver,
    Transcribed,
)
from rtassist.server.parts import Transcript
from rtassist.server.responses import Answer
from rtassist.server.transcripts import Transcripts
from rtassist.server.turns import InputAudio, Utterance

MAX_APPEND_BYTES = 15 * 1024 * 1024
_MAX_EVENT_ID = 512


class Engine:
    """One session. Touched through `open` and `receive` only; both give what comes of it, in order."""

    def __init__(self, opening: Opening, new_id: Ids) -> None:
        self._opening = opening
        self._outbox = Outbox(new_id)
        self.session = first_settings(opening, new_id("sess"))
        self.history = History(max_items=opening.max_items, max_sound_bytes=opening.max_sound_bytes)
        self._input = InputAudio(self._outbox, format="audio/pcm", max_ms=opening.max_input_ms)
        self._transcripts = Transcripts(self._outbox)
        self._answers = Answers(
            self._outbox,
            self.history,
            self._transcripts,
            conversation_id=new_id("conv"),
            rate_limits=opening.rate_limits,
            interleave=opening.interleave,
            late_transcripts=opening.late_transcripts,
            after_active=self._after_active,
        )
        self._answer_is_due = False
        self._waiting_items: list[tuple[Held, str | None]] = []
        self._now_us = 0
        self._closed = False

    def open(self, now_us: int) -> list[ServerEvent | Request]:
        """The first thing, before any `receive`."""
        self._now_us = now_us
        self._set_up_input()
        self._outbox.say(SessionCreated(session=self.session))
        expires_us = now_us + self._opening.expires_after_s * 1_000_000
        self._outbox.ask(SetAlarm(name="expiry", at_us=expires_us))
        return self._outbox.taken()

    def receive(self, what: ClientEvent | Unknown | Report, now_us: int) -> list[ServerEvent | Request]:
        """Something happened at `now_us`, which never goes back."""
        self._now_us = now_us
        if self._closed:
            return []
        try:
            self._check_event(what)
            _TAKES[type(what)](self, what)
        except Refused as refused:
            self._error(refused.message, refused.code, refused.param, _event_id(what))
        return self._outbox.taken()

    def _error(self, message: str, code: str | None, param: str | None, event_id: str | None) -> None:
        detail = ErrorDetail(
            type="invalid_request_error", code=code, message=message, param=param, event_id=event_id
        )
        self._outbox.say(ErrorEvent(error=detail))

    def _check_event(self, event: Any) -> None:
        for name in getattr(event, "extras", ()):
            raise rules.unknown(name)
        if isinstance(id := getattr(event, "event_id", None), str) and len(id) > _MAX_EVENT_ID:
            raise rules.invalid(id[:40], "event_id", f"Expected at most {_MAX_EVENT_ID} characters.")
        if self.session.type == "transcription" and isinstance(event, CONVERSATION_EVENTS):
            raise Refused(
                f"'{event.type}' is not available in a transcription session.", "invalid_event", "type"
            )

    def _update(self, event: SessionUpdate) -> None:
        before = self.session
        fixed = self._answers.voice_is_fixed
        self.session = settings.updated(before, event.session, voice_is_fixed=fixed)
        self._set_up_input()
        if settings.audio_input(before).turn_detection != settings.audio_input(self.session).turn_detection:
            self._outbox.ask(SetAlarm(name="idle", at_us=None))
        self._outbox.say(SessionUpdated(session=self.session))
        # This server calls no MCP server, and says so the way that a failed listing is told.
        for _ in settings.new_mcp_servers(before, self.session):
            item_id = self._outbox.new_id("item")
            self._outbox.say(McpListToolsInProgress(item_id=item_id))
            self._outbox.say(McpListToolsFailed(item_id=item_id))

    def _set_up_input(self) -> None:
        self._input.set_up(format=self._formats[0], language=self._language, detection=self._detection)

    @property
    def _language(self) -> str | None:
        transcription = settings.audio_input(self.session).transcription
        return (transcription and transcription.language) or None

    @property
    def _detection(self) -> ServerVad | SemanticVad | None:
        detection = settings.audio_input(self.session).turn_detection
        return detection if isinstance(detection, ServerVad | SemanticVad) else None

    @property
    def _formats(self) -> tuple[str, str]:
        """Of the sound that comes in and goes out."""
        audio = self.session.audio
        assert audio
        ways = (audio.input, audio.output)
        names = [str(way.format.type) if way and way.format else "audio/pcm" for way in ways]
        return names[0], names[1]

    def _append(self, event: InputAudioBufferAppend) -> None:
        if len(event.audio) > MAX_APPEND_BYTES:
            raise rules.invalid(len(event.audio), "audio", "Expected at most 15 MiB of audio in one event.")
        self._input.append(event.audio)

    def _commit(self, event: InputAudioBufferCommit) -> None:
        self._committed(self._input.commit())

    def _clear(self, event: InputAudioBufferClear) -> None:
        self._input.clear()
        self._outbox.say(InputAudioBufferCleared())

    def _clear_output(self, event: OutputAudioBufferClear) -> None:
        raise Refused(
            "'output_audio_buffer.clear' is for WebRTC and SIP, where the server plays the audio. "
            "Over a WebSocket send 'response.cancel' and 'conversation.item.truncate'.",
            "invalid_event",
            "type",
        )

    def _create_item(self, event: ConversationItemCreate) -> None:
        after = event.previous_item_id or None
        if after not in (None, "root") and self.history.find(after) is None:
            raise rules.invalid(after, "previous_item_id", "There is no such item in the conversation.")
        new_id, calls = self._outbox.new_id("item"), self.history.calls()
        held, sound = items.made(event.item, "item", new_id=new_id, calls=calls, format=self._formats[0])
        waiting = [waiting.id for waiting, _ in self._waiting_items]
        if self.history.find(held.id) is not None or held.id in waiting:
            raise rules.invalid(
                held.id, "item.id", "An item with this id already exists in the conversation."
            )
        if self._answers.active is not None and isinstance(held.item, FunctionCallOutput):
            # An output of a call may come while its response goes on; it is told when that is done.
            self._waiting_items.append((held, after))
        else:
            self._insert(held, after)
        self._transcripts.start(held, sound, language=self._language, tell=self._tells_transcripts)

    @property
    def _tells_transcripts(self) -> bool:
        return bool(settings.audio_input(self.session).transcription)

    def _insert(self, held: Held, after: str | None) -> None:
        if after != "root" and self.history.find(after) is None:
            after = None
        previous = self.history.insert(held, after)
        self._outbox.say(ConversationItemAdded(item=held.item, previous_item_id=previous))
        self._outbox.say(ConversationItemDone(item=held.item, previous_item_id=previous))

    def _retrieve(self, event: ConversationItemRetrieve) -> None:
        held = self._found(event.item_id, "retrieve")
        self._outbox.say(ConversationItemRetrieved(item=held.with_sound(*self._formats)))

    def _truncate(self, event: ConversationItemTruncate) -> None:
        held = self._found(event.item_id, "truncate")
        if getattr(held.item, "role", None) != "assistant" or not held.has_sound:
            raise Refused("Only model output audio messages can be truncated", None, "item_id")
        if event.content_index != 0:
            raise rules.invalid(event.content_index, "content_index", "The item has one content part, 0.")
        if event.audio_end_ms < 0:
            raise rules.invalid(event.audio_end_ms, "audio_end_ms", "Expected 0 or more.")
        if event.audio_end_ms > held.ms:
            raise Refused(
                f"Audio content of {held.ms}ms is already shorter than {event.audio_end_ms}ms",
                "invalid_value",
                "audio_end_ms",
            )
        held.cut(event.audio_end_ms)
        self._outbox.say(
            ConversationItemTruncated(item_id=held.id, content_index=0, audio_end_ms=event.audio_end_ms)
        )

    def _delete(self, event: ConversationItemDelete) -> None:
        held = self._found(event.item_id, "delete")
        self.history.remove(held.id)
        self._outbox.say(ConversationItemDeleted(item_id=held.id))
        self._transcripts.forget(held)
        self._answers.think_where_ready()

    def _found(self, id: str, verb: str) -> Held:
        held = self.history.find(id)
        if held is None:
            raise Refused(
                f"Error with item {verb}: the item with id '{id}' does not exist.",
                f"item_{verb}_invalid_item_id",
                "item_id",
            )
        return held

    def _create_response(self, event: ResponseCreate) -> None:
        self._respond(event.response or None)

    def _respond(self, params: ResponseParams | None) -> None:
        assert isinstance(self.session, Session)
        before = self._answers.active
        self._answers.begin(self.session, params, format=self._formats[0], language=self._language)
        if self._answers.active is not before:
            self._outbox.ask(SetAlarm(name="idle", at_us=None))

    def _cancel(self, event: ResponseCancel) -> None:
        self._answers.cancel(event.response_id or None)

    def _unknown(self, event: Unknown) -> None:
        rules.one_of(event.type, CLIENT_EVENTS, "type")

    def _malformed(self, report: Malformed) -> None:
        if not report.path:
            raise Refused(f"Invalid event: {report.reason}", "invalid_event")
        if "missing" in report.reason:
            raise rules.missing(report.path)
        raise Refused(f"Invalid value for '{report.path}': {report.reason}", "invalid_value", report.path)

    def _listened(self, report: Listened) -> None:
        for probability in report.probabilities:
            match self._input.frame(probability):
                case SpeechStarted():
                    self._outbox.ask(SetAlarm(name="idle", at_us=None))
                    if getattr(self._detection, "interrupt_response", None):
                        self._answers.interrupt()
                case SpeechStopped() as stopped:
                    self._committed(self._input.take_turn(stopped))
                    self._respond_by_itself()

    def _respond_by_itself(self) -> None:
        """A turn of the user's is over: answer it, unless the client wants to say when."""
        if self.session.type == "transcription" or not getattr(self._detection, "create_response", None):
            return
        if self._answers.active is None:
            self._respond(None)
        else:
            # Speech that did not interrupt: it is answered next.
            self._answer_is_due = True

    def _committed(self, utterance: Utterance) -> Held:
        held = Held(item=user_audio(utterance.item_id))
        held.add_sound(utterance.pcm)
        self._outbox.say(InputAudioBufferCommitted(item_id=held.id, previous_item_id=self.history.last_id))
        self._insert(held, None)
        self._transcripts.expect(held, tell=self._tells_transcripts)
        self.history.save_memory()
        return held

    def _transcribed(self, report: Transcribed) -> None:
        self._transcripts.transcribed(report)
        self._answers.think_where_ready()

    def _not_transcribed(self, report: NotTranscribed) -> None:
        self._transcripts.failed(report)
        self._answers.think_where_ready()

    def _take(self, report: Thought | ThoughtOver | Spoke | SpeechOver | Broke) -> None:
        self._answers.take(report)

    def _rang(self, report: Rang) -> None:
        if report.name == "expiry":
            minutes, seconds = divmod(self._opening.expires_after_s, 60)
            length = f"{seconds} seconds" if not minutes else f"{minutes} minutes"
            message = f"Your session hit the maximum duration of {length}."
            self._error(message, "session_expired", None, None)
            self._outbox.ask(Close(code=1001, reason=message))
            self._closed = True
        elif isinstance(self._detection, ServerVad) and not self._answers.active and not self._input.speaking:
            start_ms, end_ms, silent = self._input.silence(self._detection.idle_timeout_ms or 0)
            self._outbox.say(
                InputAudioBufferTimeoutTriggered(
                    audio_start_ms=start_ms, audio_end_ms=end_ms, item_id=silent.item_id
                )
            )
            held = self._committed(silent)
            nothing = Transcript(text="", understood=True)
            self._transcripts.transcribed(Transcribed(item_id=held.id, transcript=nothing))
            self._respond_by_itself()

    def _after_active(self, answer: Answer) -> None:
        waiting, self._waiting_items = self._waiting_items, []
        for held, after in waiting:
            self._insert(held, after)
        if self._answer_is_due:
            self._answer_is_due = False
            self._respond_by_itself()
        elif isinstance(self._detection, ServerVad) and self._detection.idle_timeout_ms:
            # From `response.done` plus the time that its sound plays.
            idle_ms = answer.audio_ms + self._detection.idle_timeout_ms
            self._outbox.ask(SetAlarm(name="idle", at_us=self._now_us + idle_ms * 1000))


def _event_id(what: Any) -> str | None:
    id = what.fields.get("event_id") if isinstance(what, Unknown) else getattr(what, "event_id", None)
    return id if isinstance(id, str) else None


_TAKES: dict[type, Callable[[Engine, Any], object]] = {
    SessionUpdate: Engine._update,
    InputAudioBufferAppend: Engine._append,
    InputAudioBufferCommit: Engine._commit,
    InputAudioBufferClear: Engine._clear,
    OutputAudioBufferClear: Engine._clear_output,
    ConversationItemCreate: Engine._create_item,
    ConversationItemRetrieve: Engine._retrieve,
    ConversationItemTruncate: Engine._truncate,
    ConversationItemDelete: Engine._delete,
    ResponseCreate: Engine._create_response,
    ResponseCancel: Engine._cancel,
    Unknown: Engine._unknown,
    Malformed: Engine._malformed,
    Listened: Engine._listened,
    Transcribed: Engine._transcribed,
    NotTranscribed: Engine._not_transcribed,
    Thought: Engine._take,
    ThoughtOver: Engine._take,
    Spoke: Engine._take,
    SpeechOver: Engine._take,
    Broke: Engine._take,
    Rang: Engine._rang,
}
