"""Recordings for tests: conversations decided by `step` and written by `Journal`, as the program does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from rtassist.dialogue import events
from rtassist.dialogue.events import Event, ServerSaid
from rtassist.dialogue.step import begin, step
from rtassist.dialogue.terms import Terms
from rtassist.protocol import (
    ErrorDetail,
    ErrorEvent,
    FunctionCall,
    Session,
    Unknown,
    encode,
)
from rtassist.sessions import notation
from rtassist.sessions.journal import Journal
from tests import playbook as p

STARTED = "2026-03-01T09:30:00Z"
SESSION = Session(type="realtime", instructions="Be kind to everybody.")


class Recording:
    """A recording in the making. `lines` have their line feeds, the header's first."""

    def __init__(self, terms: Terms | None = None, **about: object) -> None:
        self.lines: list[bytes] = []
        self.mic, self.voice = bytearray(), bytearray()
        self.journal = Journal(line=self.lines.append, mic=self.mic.extend, voice=self.voice.extend)
        self.journal.header(**{"id": "made", "started": STARTED, "program": "0.1.0", **about})
        self._us = 0
        self.begin(terms or Terms(session=SESSION))

    def begin(self, terms: Terms) -> Recording:
        self._began_us = self._us
        self.journal.begin(self._us, terms)
        self.state = begin(terms)
        return self.happen(p.session_created(), p.session_updated())

    def happen(self, *happened: Event, after_ms: int = 100) -> Recording:
        """These things, each so long after what was before it."""
        for event in happened:
            self._us += after_ms * 1000
            now_us = self._us - self._began_us
            if isinstance(event, ServerSaid):
                event = attrs.evolve(event, frame=encode(event.event))
            elif isinstance(event, events.FrameUnreadable):
                event = notation.read_frame(event.frame)  # with its true reason
            self.journal.note(now_us, event)
            self.state, effects = step(self.state, now_us, event)
            for effect in effects:
                self.journal.note(now_us, effect)
        return self

    def end(self) -> Recording:
        self.journal.end(self._us)
        return self

    def save(self, path: Path) -> Path:
        path.write_bytes(b"".join(self.lines))
        return path


def asked(item_id: str, text: str) -> tuple[Event, ...]:
    """The user says something; the server writes it down."""
    return (
        p.speech_started(item_id),
        p.heard(ms=20),
        p.heard(ms=20),
        p.speech_stopped(item_id),
        p.committed(item_id),
        p.transcribing(item_id, text[:4]),
        p.transcribed(item_id, text),
    )


def answered(item_id: str, text: str, *, ms: int, heard: int | None = None) -> tuple[Event, ...]:
    """The assistant says something, and it is heard."""
    of = p.response_of(item_id)
    return (
        p.created(of),
        p.added(item_id),
        p.words(item_id, text[: len(text) // 2]),
        p.audio(item_id, ms=ms),
        p.words(item_id, text[len(text) // 2 :]),
        p.words_done(item_id, text),
        p.audio_done(item_id),
        p.done(of),
        p.advanced(item_id, ms=ms // 2),
        p.ended(item_id, ms=ms if heard is None else heard),
    )


def spoken() -> Recording:
    """Questions and answers; the second answer is interrupted after 600 of 2000 ms."""
    story = (
        "Once upon a time, in 1912, there was a lighthouse with two keepers. The older one was called Ada."
    )
    return (
        Recording()
        .happen(*asked("U1", "What is seventeen times twenty three?"))
        .happen(*answered("A1", "That is 391.", ms=1000))
        .happen(*asked("U2", "Read me a story."))
        .happen(p.created("R2"), p.added("A2"), p.words("A2", story[:40]), p.audio("A2", ms=2000))
        .happen(p.words("A2", story[40:]), p.words_done("A2", story), p.advanced("A2", ms=400))
        .happen(p.speech_started("U3"), p.ended("A2", ms=600), p.done("R2", "cancelled"))
        .happen(p.speech_stopped("U3"), p.transcribed("U3", "Thank you, that is enough for today."))
        .happen(*answered("A3", "Goodnight then!", ms=500))
        .end()
    )


def called() -> Recording:
    """A function is called twice; one call fails; a timer is due; the server says odd things."""
    secret = '{"city":"Amsterdam","code":"swordfish"}'
    calls = (
        p.function_call("call_1", "look_up", secret),
        p.function_call("call_2", "set_timer", '{"minutes":12,"label":"porridge"}'),
    )
    odd = Unknown(
        "weather.told", {"type": "weather.told", "outlook": {"words": ["thunder", "hailstones"], "n": 3}}
    )
    return (
        Recording()
        .happen(*asked("U1", "Where is the cheese, and set a timer for porridge"))
        .happen(p.created("R1"), p.done("R1", calls=calls))
        .happen(events.ToolEnded("call_1", "Error: nobody knows the cheesemonger"), p.said(odd))
        .happen(events.ToolEnded("call_2", '{"due":"tomorrow"}'))
        .happen(*answered("A2", "I could not find the cheesemonger.", ms=800))
        .happen(p.said(ErrorEvent(error=ErrorDetail(message="A quarrel with Rotterdam", code="odd_one"))))
        .happen(events.TimerDue("porridge"))
        .happen(*answered("A3", "Your porridge is ready.", ms=800))
        .happen(p.not_transcribed("U9", "drowned by bagpipes"))
        .end()
    )


def typed() -> Recording:
    """Everything is written; a slash command, a phrase that is a command, and one that leaves."""
    terms = Terms(session=SESSION, voiced=False, speaker=False, microphone=False, server_turns=False)
    return (
        Recording(terms)
        .happen(p.typed("Wie spät ist es in 東京, my dear Watson?"))
        .happen(p.created("R1"), p.added("A1"), p.text("A1", "Elementary: "), p.text("A1", "half past 9."))
        .happen(p.text_done("A1", "Elementary: half past 9."), p.done("R1"))
        .happen(p.typed("/help"), p.typed("/nonsuch"), p.typed("Read on"))
        .happen(p.created("R2"), p.added("A2"), p.text("A2", "The hound of the"), p.typed("stop!"))
        .happen(p.text("A2", " Baskervilles"), p.done("R2", "cancelled"), p.typed("Good bye"))
        .happen(p.created("R3"), p.added("A3"), p.text("A3", "Farewell, Holmes."), p.done("R3"))
        .end()
    )


def restarted() -> Recording:
    """Begun anew by voice, with the same ids; broken off in the middle of a line."""
    return (
        Recording()
        .happen(*asked("U1", "My password is hunter2."))
        .happen(*asked("U2", "Start over!"))
        .begin(Terms(session=SESSION))
        .happen(*asked("U1", "Who are you?"))
        .happen(p.created("R1"), p.added("A1"), p.words("A1", "A stranger "), p.audio("A1", ms=900))
        .happen(p.words("A1", "from the North."), p.advanced("A1", ms=500))
    )


def troubled() -> Recording:
    """Devices come and go, frames cannot be read, an answer fails, the server sends what is no answer."""
    failed = FunctionCall(name="never", call_id="call_9", arguments='{"unfinis', status="incomplete")
    return (
        Recording(Terms(session=SESSION, greeting="Speak, friend, and enter."))
        .happen(events.MicLost("Bluetooth Headset of Galadriel went away", may_return=True))
        .happen(events.MicBack("USB of Gimli", instead="it was pulled"), events.MicSilent())
        .happen(events.SpeakerLost("trodden upon by Shadowfax"), *asked("U1", "Is there anybody?"))
        .happen(*answered("A1", "There is somebody, Frodo Baggins.", ms=700))
        .happen(events.SpeakerBack("palantir"), events.FrameUnreadable("", "nonsense of Saruman"))
        .happen(events.FrameUnreadable("", b"\xff\xfe" + b"hobbit"), events.UplinkDropped(4800))
        .happen(p.typed("What now?"), p.created("R5"), p.done("R5", "completed", calls=(failed,)))
        .happen(p.typed("And now?"), p.created("R6"), p.done("R6", "failed"))
        .happen(events.LinkLost(1006, "The connection to Mordor was lost."))
        .end()
    )


def pushed() -> Recording:
    """Push to talk, by keys."""
    terms = Terms(session=SESSION, server_turns=False, push_to_talk=True)
    return (
        Recording(terms)
        .happen(events.TalkPressed(), *[p.heard(ms=50)] * 4, events.TalkReleased(), p.committed("U1"))
        .happen(p.transcribed("U1", "Sing the Marseillaise."))
        .happen(p.created("R1"), p.added("A1"), p.audio("A1", ms=900), p.words("A1", "Allons enfants de"))
        .happen(events.TalkPressed(), p.ended("A1", ms=300), p.done("R1", "cancelled"))
        .end()
    )


GOLDEN: tuple[Callable[[], Recording], ...] = (spoken, called, typed, restarted, troubled, pushed)


def recordings() -> Iterator[Recording]:
    for make in GOLDEN:
        yield make()
