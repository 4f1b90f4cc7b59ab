"""Scenarios of a conversation as one expression: `>>` is what happened, `<<` is what must be done about it.

    assert (
        Playbook(listening())
        >> created("R1")
        >> audio("A1", ms=200)
        << play("A1", ms=200)
        >> speech_started("U1")
        << hush("A1")
        >> ended("A1", ms=120)
        << truncate("A1", ms=120)
    )

Between one `>>` and the next, exactly the effects that are named must be asked for, in that order. A playbook
is blind to what is shown and to alarms unless it is told to look. Ids of our own events are not compared. By
convention the items A1, A1b, A1c belong to the response R1, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import attrs
from attrs import frozen

from rtassist.dialogue import events, step
from rtassist.dialogue.effects import (
    Announce,
    Awaited,
    CallTool,
    ClearAlarm,
    Effect,
    Finish,
    Hush,
    LineEnded,
    Listen,
    Notice,
    Play,
    Role,
    Said,
    Send,
    SetAlarm,
    Show,
)
from rtassist.dialogue.events import Event, ServerSaid
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.terms import Terms
from rtassist.protocol import (
    UNSET,
    AssistantMessage,
    ClientEvent,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemTruncate,
    ErrorDetail,
    ErrorEvent,
    FunctionCall,
    FunctionCallOutput,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputTokenDetails,
    OutputTokenDetails,
    Response,
    ResponseCancel,
    ResponseCreate,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemAdded,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
    ServerEvent,
    Session,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
    StatusDetails,
    StatusError,
    SystemContent,
    SystemMessage,
    TranscriptionError,
    Unknown,
    Unset,
    Usage,
    UserContent,
    UserMessage,
)

BYTES_PER_MS = 48


@frozen
class Refusal:
    """An error about the last event of a type that was sent; its id is known when the playbook is read."""

    of: type
    code: str | None
    message: str = "no"


@frozen
class Wait:
    """Time passes."""

    us: int


@frozen
class Says:
    """A notice that contains these words."""

    words: str
    level: str | None = None


Happening: TypeAlias = Event | Refusal | Wait
Expectation: TypeAlias = Effect | Says


@attrs.define
class _Step:
    event: Happening
    expected: list[Expectation]
    actual: list[Effect] = attrs.field(factory=list)

    def right(self) -> bool:
        return len(self.expected) == len(self.actual) and all(map(_fits, self.expected, self.actual))


class Playbook:
    """`state` is the conversation after the last event; reading it does not check the effects."""

    def __init__(
        self, state: Conversation, *, blind_to: tuple[type, ...] = (Show, SetAlarm, ClearAlarm)
    ) -> None:
        self.state = state
        self.now_us = 0
        self._blind_to = blind_to
        self._steps: list[_Step] = []
        self._sent: list[ClientEvent] = []

    def __rshift__(self, event: Happening) -> Playbook:
        record = _Step(event, [])
        self._steps.append(record)
        if isinstance(event, Wait):
            self.now_us += event.us
            return self
        before = repr(self.state)
        state, effects = step.step(self.state, self.now_us, self._resolve(event))
        assert repr(self.state) == before, f"step changed the state that it was given, at {event}"
        self.state = state
        record.actual = [_nameless(effect) for effect in effects if not isinstance(effect, self._blind_to)]
        self._sent += [effect.event for effect in effects if isinstance(effect, Send)]
        return self

    def __lshift__(self, effect: Expectation) -> Playbook:
        self._steps[-1].expected.append(effect)
        return self

    def __bool__(self) -> bool:
        if all(record.right() for record in self._steps):
            return True
        raise AssertionError(self._difference())

    def _resolve(self, event: Event | Refusal) -> Event:
        if not isinstance(event, Refusal):
            return event
        refused = [sent for sent in self._sent if type(sent) is event.of][-1]
        return error(event.code, event.message, event_id=refused.event_id or None)

    def _difference(self) -> str:
        lines = ["what was done differs from what was to be done:"]
        for number, record in enumerate(self._steps, 1):
            lines.append(f"{number:>3} >> {_short(record.event)}")
            if record.right():
                lines += [f"    << {_short(effect)}" for effect in record.expected]
                continue
            lines += [f"  - << {_short(effect)}" for effect in record.expected]
            lines += [f"  + << {_short(effect)}" for effect in record.actual]
            lines.append(f"    step {number}: '-' was to be done, '+' was done")
            break
        return "\n".join(lines)


def _fits(expected: Expectation, actual: Effect) -> bool:
    if not isinstance(expected, Says):
        return expected == actual
    notice = actual.what if isinstance(actual, Show) else None
    return (
        isinstance(notice, Notice)
        and expected.words in notice.text
        and expected.level in (None, notice.level)
    )


def _nameless(effect: Effect) -> Effect:
    """The effect without the counted ids in it, which no scenario is about."""
    if isinstance(effect, Send):
        return Send(attrs.evolve(effect.event, event_id=UNSET))
    if isinstance(effect, Show) and isinstance(effect.what, LineEnded) and effect.what.typed:
        return Show(attrs.evolve(effect.what, item_id=""))
    return attrs.evolve(effect, item_id="") if isinstance(effect, Announce) else effect


def _short(thing: object) -> str:
    """One line that names what differs, without the fields that are as they always are."""
    if isinstance(thing, ServerSaid | Send):
        return f"{type(thing).__name__}: {_short(thing.event)}"
    if isinstance(thing, Show):
        return f"Show: {thing.what}"
    if isinstance(thing, Play):
        return f"Play({thing.item_id!r}, {thing.samples / 24:g} ms)"
    if isinstance(thing, tuple):
        return f"[{', '.join(map(_short, thing))}]"
    if not attrs.has(type(thing)):
        return str(thing)
    parts = []
    for attribute in attrs.fields(type(thing)):
        value = getattr(thing, attribute.name)
        if value is UNSET or attribute.name in ("type", "extras", "output_index"):
            continue
        text = f"<{len(value) / BYTES_PER_MS:g} ms>" if isinstance(value, bytes) else _short(value)
        parts.append(f"{attribute.name}={text}")
    return f"{type(thing).__name__}({', '.join(parts)})"


# What happens


def listening(**terms: object) -> Conversation:
    """A conversation whose session stands, on terms that differ from the usual ones in what is named."""
    state = step.begin(Terms(**{"session": Session(type="realtime"), **terms}))  # type: ignore[arg-type]  # named freely
    for event in (session_created(), session_updated()):
        state, _ = step.step(state, 0, event)
    return state


def after(state: Conversation, *happened: Event) -> Conversation:
    """The conversation when these things have happened, whatever was done about them."""
    for event in happened:
        state, _ = step.step(state, 0, event)
    return state


def response_of(item_id: str) -> str:
    return "R" + "".join(character for character in item_id if character.isdigit())


def said(event: ServerEvent | Unknown) -> ServerSaid:
    return ServerSaid(event)


def session_created(*, expires_at: int | None = None) -> ServerSaid:
    ends = UNSET if expires_at is None else expires_at
    return said(SessionCreated(session=Session(type="realtime", expires_at=ends)))


def session_updated() -> ServerSaid:
    return said(SessionUpdated(session=Session(type="realtime")))


def speech_started(item_id: str) -> ServerSaid:
    return said(InputAudioBufferSpeechStarted(audio_start_ms=0, item_id=item_id))


def speech_stopped(item_id: str) -> ServerSaid:
    return said(InputAudioBufferSpeechStopped(audio_end_ms=0, item_id=item_id))


def committed(item_id: str) -> ServerSaid:
    return said(InputAudioBufferCommitted(item_id=item_id))


def transcribing(item_id: str, text: str) -> ServerSaid:
    return said(ConversationItemInputAudioTranscriptionDelta(item_id=item_id, delta=text))


def transcribed(item_id: str, text: str) -> ServerSaid:
    return said(ConversationItemInputAudioTranscriptionCompleted(item_id=item_id, transcript=text))


def not_transcribed(item_id: str, reason: str | None = "too loud") -> ServerSaid:
    error = TranscriptionError(message=UNSET if reason is None else reason)
    return said(ConversationItemInputAudioTranscriptionFailed(item_id=item_id, error=error))


def created(response_id: str) -> ServerSaid:
    return said(ResponseCreated(response=Response(id=response_id, status="in_progress")))


def added(item_id: str, of: str | None = None) -> ServerSaid:
    return said(
        ResponseOutputItemAdded(
            response_id=of or response_of(item_id), output_index=0, item=AssistantMessage(id=item_id)
        )
    )


def audio(
    item_id: str, *, ms: int = 0, samples: int = 0, pcm: bytes | None = None, of: str | None = None
) -> ServerSaid:
    delta = bytes(ms * BYTES_PER_MS + samples * 2) if pcm is None else pcm
    return said(
        ResponseOutputAudioDelta(
            response_id=of or response_of(item_id),
            item_id=item_id,
            output_index=0,
            content_index=0,
            delta=delta,
        )
    )


def audio_done(item_id: str) -> ServerSaid:
    return said(
        ResponseOutputAudioDone(
            response_id=response_of(item_id), item_id=item_id, output_index=0, content_index=0
        )
    )


def words(item_id: str, text: str) -> ServerSaid:
    return said(
        ResponseOutputAudioTranscriptDelta(
            response_id=response_of(item_id), item_id=item_id, output_index=0, content_index=0, delta=text
        )
    )


def words_done(item_id: str, text: str) -> ServerSaid:
    return said(
        ResponseOutputAudioTranscriptDone(
            response_id=response_of(item_id),
            item_id=item_id,
            output_index=0,
            content_index=0,
            transcript=text,
        )
    )


def text(item_id: str, delta: str) -> ServerSaid:
    return said(
        ResponseOutputTextDelta(
            response_id=response_of(item_id), item_id=item_id, output_index=0, content_index=0, delta=delta
        )
    )


def text_done(item_id: str, whole: str) -> ServerSaid:
    return said(
        ResponseOutputTextDone(
            response_id=response_of(item_id), item_id=item_id, output_index=0, content_index=0, text=whole
        )
    )


def done(
    response_id: str,
    status: str = "completed",
    *,
    calls: Iterable[FunctionCall] = (),
    usage: Usage | Unset = UNSET,
) -> ServerSaid:
    response = Response(id=response_id, status=status, output=tuple(calls), usage=usage)
    return said(ResponseDone(response=response))


def broke_down(response_id: str) -> ServerSaid:
    """The server failed at it, and might not the next time."""
    details = StatusDetails(type="failed", error=StatusError(code="server_error", message="Oh."))
    return said(ResponseDone(response=Response(id=response_id, status="failed", status_details=details)))


def tokens(*, audio_in: int = 0, audio_out: int = 0, text_in: int = 0, text_out: int = 0) -> Usage:
    return Usage(
        total_tokens=audio_in + audio_out + text_in + text_out,
        input_tokens=audio_in + text_in,
        output_tokens=audio_out + text_out,
        input_token_details=InputTokenDetails(audio_tokens=audio_in, text_tokens=text_in),
        output_token_details=OutputTokenDetails(audio_tokens=audio_out, text_tokens=text_out),
    )


def function_call(call_id: str, name: str = "look_up", arguments: str = "{}") -> FunctionCall:
    return FunctionCall(call_id=call_id, name=name, arguments=arguments, status="completed")


def error(code: str | None, message: str = "no", *, event_id: str | None = None) -> ServerSaid:
    return said(ErrorEvent(error=ErrorDetail(code=code, message=message, event_id=event_id)))


def heard(*, ms: int) -> events.MicHeard:
    return events.MicHeard(bytes(ms * BYTES_PER_MS))


def advanced(item_id: str, *, ms: int) -> events.PlaybackAdvanced:
    return events.PlaybackAdvanced(item_id, ms * 24)


def ended(item_id: str, *, ms: int = 0, samples: int = 0) -> events.PlaybackEnded:
    return events.PlaybackEnded(item_id, ms * 24 + samples)


typed: Callable[[str], events.Typed] = events.Typed
rang: Callable[[str], events.AlarmRang] = events.AlarmRang


# What is to be done about it


def play(item_id: str, *, ms: int = 0, samples: int = 0, pcm: bytes | None = None) -> Play:
    return Play(item_id, bytes(ms * BYTES_PER_MS + samples * 2) if pcm is None else pcm)


def finish(item_id: str) -> Finish:
    return Finish(item_id)


def hush(item_id: str) -> Hush:
    return Hush(item_id)


def truncate(item_id: str, *, ms: int) -> Send:
    return Send(ConversationItemTruncate(item_id=item_id, content_index=0, audio_end_ms=ms))


def delete(item_id: str) -> Send:
    return Send(ConversationItemDelete(item_id=item_id))


def cancel(response_id: str) -> Send:
    return Send(ResponseCancel(response_id=response_id))


def create() -> Send:
    return Send(ResponseCreate())


def commit() -> Send:
    return Send(InputAudioBufferCommit())


def clear() -> Send:
    return Send(InputAudioBufferClear())


def append(*, ms: int) -> Send:
    return Send(InputAudioBufferAppend(audio=bytes(ms * BYTES_PER_MS)))


def message(content: str) -> Send:
    item = UserMessage(content=(UserContent(type="input_text", text=content),))
    return Send(ConversationItemCreate(item=item))


def system_message(content: str) -> Send:
    item = SystemMessage(content=(SystemContent(type="input_text", text=content),))
    return Send(ConversationItemCreate(item=item))


def tool_output(call_id: str, output: str) -> Send:
    return Send(ConversationItemCreate(item=FunctionCallOutput(call_id=call_id, output=output)))


def update(session: Session) -> Send:
    return Send(SessionUpdate(session=session))


def call_tool(call_id: str, name: str = "look_up", arguments: str = "{}") -> CallTool:
    return CallTool(call_id, name, arguments)


def listen() -> Listen:
    return Listen()


def awaits(item_id: str, role: Role) -> Show:
    return Show(Awaited(item_id, role))


def shows(item_id: str, content: str, role: Role = "assistant") -> Show:
    return Show(Said(item_id, role, content))


def line(
    item_id: str,
    content: str,
    role: Role = "assistant",
    *,
    cut: bool = False,
    unsaid: str = "",
    typed: bool = False,
) -> Show:
    return Show(LineEnded(item_id, role, content, cut, unsaid, typed))
