"""Whether a client asks for a response only where it may: by what it was told, none is being made or due."""

from __future__ import annotations

from attrs import define, field

from rtassist.dialogue import effects, events
from rtassist.dialogue.effects import Effect, Keep, Send
from rtassist.protocol import (
    ErrorEvent,
    InputAudioBufferClear,
    InputAudioBufferCleared,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    ResponseCreate,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    SessionUpdate,
    SessionUpdated,
    Unknown,
)

IN_THE_WAY = "conversation_already_has_active_response"


@define
class Sequence:
    """Watches all that passes the door of one conversation whose server answers turns by itself.

    A request of ours that the server refuses since it is making a response is one of two things. It was sent
    although we had been told of that response, or of a turn that it may answer, or had not been told yet what
    the server makes of sound that went before: that is `wrong`. Or a turn ended while it was on its way that
    had not been told to begin when it was sent: that is the network's, and `crossed` counts it.
    """

    hears: bool
    """There is a microphone."""
    crossed: int = 0
    wrong: list[str] = field(factory=list)
    _making: set[str] = field(factory=set)
    _due: bool = False
    _speaking: bool = False
    _unread: bool = False
    _updates: list[bool] = field(factory=list)
    """On their way; whether their answer proves that all is read."""
    _asked: set[str] = field(factory=set)
    """Requests on their way behind which no turn has ended yet."""

    def note(self, us: int, what: events.Event | Effect) -> None:
        match what:
            case Send(event=ResponseCreate(event_id=event_id)):
                self._ask(us, str(event_id))
            case Send(event=InputAudioBufferClear()) | effects.Deliver():
                self._unread, self._updates = self.hears, [False] * len(self._updates)
            case events.UplinkLags() if not self._unread:
                self._unread, self._updates = True, [False] * len(self._updates)
            case Send(event=SessionUpdate()):
                self._updates.append(True)
            case Keep():
                self._making, self._asked, self._updates = set(), set(), []
                self._due = self._speaking = self._unread = False
            case events.AlarmRang(name="answer"):  # given up
                self._due = False
            case events.AlarmRang(name="unread"):
                self._unread = False
            case events.ServerSaid(event=event):
                self._told(us, event)

    def _ask(self, us: int, event_id: str) -> None:
        reasons = {
            "one is being made": bool(self._making),
            "one is due": self._due,
            "the user speaks": self._speaking,
            "what was said may not be read yet": self._unread,
        }
        for reason in [reason for reason, holds in reasons.items() if holds]:
            self.wrong.append(f"at {us / 1e6:.3f} s a response is asked for, and {reason}")
        self._asked.add(event_id)

    def _told(self, us: int, event: ServerEvent | Unknown) -> None:
        match event:
            case ResponseCreated(response=response):
                self._due = False
                self._making.add(str(response.id))
            case ResponseDone(response=response):
                self._making.discard(str(response.id))
            case InputAudioBufferSpeechStarted():
                self._speaking = True
            case InputAudioBufferSpeechStopped():
                self._speaking, self._due = False, True
                self._asked = set()
            case InputAudioBufferCleared():
                self._speaking = False
            case SessionUpdated() if self._updates:
                self._unread = not self._updates.pop(0) and self._unread
            case ErrorEvent(error=error) if error.code == IN_THE_WAY:
                self.crossed += 1
                if error.event_id in self._asked:
                    self.wrong.append(f"at {us / 1e6:.3f} s a request is refused that no turn has crossed")
