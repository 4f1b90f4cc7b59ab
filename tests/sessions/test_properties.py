"""Each property of an interruption, and a history that breaks it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect, Hush, Play, Quit, Send
from rtassist.dialogue.terms import Terms
from rtassist.protocol import ConversationItemDelete, ConversationItemTruncate, ResponseCancel
from rtassist.sessions.properties import Monitor
from tests import playbook as p
from tests.sessions.making import SESSION

MS = 24
CHUNK = 480


class History:
    """What a monitor is told, 10 ms apart."""

    def __init__(self, *, interrupts: bool = True) -> None:
        self.monitor = Monitor(Terms(session=SESSION, interrupts=interrupts))
        self.us = 0

    def note(self, *noted: events.Event | Effect) -> History:
        for what in noted:
            if isinstance(what, events.Event):
                self.us += 10_000
            self.monitor.note(self.us, what)
        return self

    def plays(self, item_id: str = "A1", ms: int = 1000, of: str = "R1") -> History:
        return self.note(p.audio(item_id, ms=ms, of=of), Play(item_id, bytes(2 * MS * ms)))

    def sounds(self, ms: int, *, late_ms: int = 0) -> History:
        self.monitor.handed(self.us, ms * MS)
        self.monitor.sounded(self.us + late_ms * 1000, ms * MS)
        return self

    def broken(self) -> list[str]:
        self.monitor.settle()
        return [each.property for each in self.monitor.breaks]


def speaking(ms: int = 300) -> History:
    """Of an answer of 1000 ms so many have sounded."""
    return History().note(p.created("R1"), p.added("A1")).plays().sounds(ms)


def truncate(item_id: str, ms: int) -> Send:
    return Send(ConversationItemTruncate(item_id=item_id, content_index=0, audio_end_ms=ms))


def interrupted() -> History:
    return speaking().note(p.speech_started("U1"), Hush("A1"))


def interrupted_at_once() -> History:
    return speaking(0).note(p.speech_started("U1"), Hush("A1"))


def cut() -> History:
    return interrupted().note(p.ended("A1", ms=300), truncate("A1", 300))


def test_an_interruption_as_it_is_to_be() -> None:
    history = cut().note(p.done("R1", "cancelled"), p.created("R2")).plays("A2", of="R2").sounds(1000)
    assert history.note(p.audio_done("A2"), p.ended("A2", ms=1000)).broken() == []


def test_a_key_truncates_and_then_cancels() -> None:
    history = speaking().note(events.Interrupted(), Hush("A1"), p.ended("A1", ms=300), truncate("A1", 300))
    assert history.note(Send(ResponseCancel(response_id="R1"))).broken() == []


def test_what_nobody_heard_is_deleted() -> None:
    history = interrupted_at_once().note(p.ended("A1"), p.done("R1", "cancelled"))
    assert history.note(Send(ConversationItemDelete(item_id="A1"))).broken() == []


BROKEN: dict[str, tuple[str, Callable[[], History]]] = {
    "late audio is played": ("P1", lambda: cut().plays()),
    "late audio is handed over": ("P1", lambda: interrupted().sounds(20)),
    "another item of it is played": ("P1", lambda: cut().note(p.added("A2", "R1")).plays("A2")),
    "a key does not count": (
        "P1",
        lambda: speaking().note(events.Interrupted(), Hush("A1"), p.added("A2", "R1")).plays("A2"),
    ),
    "nothing is hushed": ("P2", lambda: speaking().note(p.speech_started("U1"))),
    "nothing is hushed by a key": ("P2", lambda: speaking().note(events.Interrupted())),
    "it is hushed twice": ("P2", lambda: interrupted().note(Hush("A1"))),
    "one of two is hushed": ("P2", lambda: speaking().plays("A2").note(p.typed("no"), Hush("A1"))),
    "it is truncated twice": ("P3", lambda: cut().note(truncate("A1", 300))),
    "it is truncated again when all is over": (
        "P3",
        lambda: cut().note(p.done("R1"), p.typed("/help"), truncate("A1", 300)),
    ),
    "late audio is played when all is over": ("P1", lambda: cut().note(p.done("R1")).plays()),
    "at nothing": ("P4", lambda: interrupted().note(p.ended("A1", ms=300), truncate("A1", 0))),
    "behind what came": ("P4", lambda: interrupted().note(p.ended("A1", ms=300), truncate("A1", 1001))),
    "before its end is known": ("P4", lambda: interrupted().note(truncate("A1", 300))),
    "though all was heard": (
        "P4",
        lambda: speaking(1000).note(p.audio_done("A1"), p.ended("A1", ms=1000), truncate("A1", 1000)),
    ),
    "what was heard is deleted": ("P4", lambda: cut().note(Send(ConversationItemDelete(item_id="A1")))),
    "what was cut is not told": ("P4", lambda: interrupted().note(p.ended("A1", ms=300), p.typed("/help"))),
    "what nobody heard is not deleted": (
        "P4",
        lambda: interrupted_at_once().note(p.ended("A1"), p.done("R1"), p.typed("/help")),
    ),
    "nobody knows it": ("P4", lambda: speaking().note(truncate("A9", 100))),
    "more is handed over than was asked for": ("P5", lambda: speaking(1020)),
    "something is handed over for nobody": ("P5", lambda: History().sounds(20)),
    "the report is not what sounded": ("P5", lambda: interrupted().note(p.ended("A1", ms=320))),
    "it ends before its end": ("P5", lambda: speaking().note(p.audio_done("A1"), p.ended("A1", ms=300))),
    "it sounds on": (
        "P6",
        lambda: interrupted().sounds(20, late_ms=21).note(p.ended("A1", ms=320), truncate("A1", 320)),
    ),
    "the truncation is a ms off": (
        "P7",
        lambda: interrupted().note(p.ended("A1", ms=300), truncate("A1", 301)),
    ),
    "it is cancelled beside the server": (
        "P8",
        lambda: cut().note(Send(ResponseCancel(response_id="R1"))),
    ),
    "what is done is cancelled": (
        "P8",
        lambda: speaking().note(p.done("R1"), Send(ResponseCancel(response_id="R1"))),
    ),
    "it is cancelled twice": (
        "P8",
        lambda: speaking(0).note(*[Send(ResponseCancel(response_id="R1"))] * 2),
    ),
    "it is cancelled before it is truncated": (
        "P8",
        lambda: speaking().note(events.Interrupted(), Hush("A1"), Send(ResponseCancel(response_id="R1"))),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_it_is_found(name: str) -> None:
    property, history = BROKEN[name]
    assert property in history().broken()


def test_every_property_can_be_broken() -> None:
    assert {property for property, _ in BROKEN.values()} == {f"P{number}" for number in range(1, 9)}


def test_a_server_that_does_not_break_off_takes_no_floor() -> None:
    history = History(interrupts=False).note(p.created("R1"), p.added("A1")).plays().sounds(300)
    assert history.note(p.speech_started("U1")).plays().sounds(20).broken() == []


def test_the_next_loudspeaker_begins_with_what_had_not_sounded() -> None:
    history = speaking(300)
    history.monitor.handed(history.us, 100 * MS)
    history.monitor.lost()
    history.sounds(700)
    assert history.note(p.audio_done("A1"), p.ended("A1", ms=1000)).broken() == []


def test_what_happens_after_the_end_is_nobodys_business() -> None:
    assert speaking().note(p.typed("/quit"), Quit(), p.speech_started("U1")).broken() == []


def test_what_is_over_is_forgotten() -> None:
    history = History()
    for number in range(50):
        answer, item = f"R{number}", f"A{number}"
        history.note(p.created(answer), p.added(item)).plays(item, 200, of=answer).sounds(200)
        history.note(p.audio_done(item), p.done(answer), p.ended(item, ms=200))
    assert history.broken() == []
    assert len(history.monitor._items) <= 1


def test_breaks_have_their_time_and_are_not_told_without_end() -> None:
    history = cut()
    for _ in range(1000):
        history.plays(ms=20)
    assert len(history.broken()) == 100
    assert history.monitor.breaks[0].us == 60_000
