"""A conversation without a socket or a device: a scripted server, a clock for a loudspeaker, virtual time."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio
from attrs import define, field

from rtassist.audio import Microphone, Speaker
from rtassist.audio.clocked import ClockedSpeaker
from rtassist.converse import converse
from rtassist.dialogue import effects, events
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.terms import Terms
from rtassist.edges import Another, Edges
from rtassist.errors import Failure
from rtassist.gauge import Gauge
from rtassist.link.closing import Close, LinkClosed
from rtassist.protocol import (
    UNSET,
    AssistantMessage,
    BadFrame,
    ClientEvent,
    InputAudioBufferSpeechStarted,
    Response,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputItemAdded,
    ServerEvent,
    Session,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
    Unknown,
    decode,
    encode,
)

UNIX_S = 1_800_000_000
"""The wall clock, which stands still."""
MS = 48
"""Bytes of PCM16 at 24 kHz in a millisecond."""


class ScriptedLink:
    """Both ends of a link in memory: a test says what the server says, and sees what it got and when.

    It stops where a real one stops: `send` waits while `stalled`, `receive` waits for the server, both raise
    LinkClosed after `break_off`.
    """

    def __init__(self, *, accepts: bool = True) -> None:
        self.accepts = accepts
        self.sent: list[ClientEvent] = []
        self.sent_at: list[float] = []
        self.stalled = False
        self._flows = trio.Event()
        self._say, self._said = trio.open_memory_channel[ServerEvent | Unknown](math.inf)
        self._close: Close | None = None
        self.closed_by_us = False

    def say(self, *said: ServerEvent | Unknown) -> None:
        for event in said:
            self._say.send_nowait(event)

    def break_off(self, close: Close) -> None:
        self._close = close
        self._say.close()
        self.flow()

    def stall(self) -> None:
        self.stalled = True
        self._flows = trio.Event()

    def flow(self) -> None:
        self.stalled = False
        self._flows.set()

    async def send(self, event: ClientEvent) -> None:
        await trio.lowlevel.checkpoint()
        if self.stalled:
            await self._flows.wait()
        if self._close is not None:
            raise LinkClosed(self._close)
        self.sent.append(event)
        self.sent_at.append(trio.current_time())
        if isinstance(event, SessionUpdate) and self.accepts:
            self.say(SessionUpdated(event_id="updated", session=event.session))

    async def receive(self) -> tuple[str | bytes, ServerEvent | Unknown | BadFrame]:
        try:
            event = await self._said.receive()
        except trio.EndOfChannel:
            assert self._close is not None
            raise LinkClosed(self._close) from None
        frame = encode(event)
        return frame, decode(frame)

    async def close(self) -> None:
        await trio.lowlevel.checkpoint()
        if self._close is None:
            self.closed_by_us = True
            self.break_off(Close(1000))

    def got(self, kind: type) -> list[ClientEvent]:
        return [event for event in self.sent if type(event) is kind]


class NoTools:
    async def run(self, name: str, arguments: str) -> str:
        await trio.lowlevel.checkpoint()
        return f"there is no {name}"


@define
class Call:
    """One conversation while it is held, and what came of it."""

    link: ScriptedLink
    """The connection that was opened last."""
    commands: trio.MemorySendChannel[events.Event]
    sounded: list[tuple[int, bytes]] = field(factory=list)
    shown: list[effects.Shown] = field(factory=list)
    noted: list[tuple[int, object]] = field(factory=list)
    quit: effects.Quit | None = None
    failures: list[Failure] = field(factory=list)
    """How the next attempts to open another connection fail; after them one stands at once."""
    links: list[ScriptedLink] = field(factory=list)
    dialled_at_s: list[float] = field(factory=list)
    lasts_s: int | None = None
    """A session, if its server tells when it ends."""
    ended: trio.Event = field(factory=trio.Event)

    def samples_sounded(self) -> int:
        return sum(len(pcm) // 2 for _, pcm in self.sounded)

    def last_sample_at_s(self) -> float:
        """When the loudspeaker fell silent, in seconds since it was opened."""
        position, pcm = self.sounded[-1]
        return (position + len(pcm) // 2) / 24_000

    def notices(self) -> list[str]:
        return [
            shown.text for shown in self.shown if isinstance(shown, effects.Notice) and shown.level != "debug"
        ]

    @asynccontextmanager
    async def another_link(self) -> AsyncIterator[ScriptedLink]:
        self.dialled_at_s.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        if self.failures:
            raise self.failures.pop(0)
        self.link = ScriptedLink()
        self.links.append(self.link)
        self.link.say(self.begins())
        yield self.link

    def begins(self) -> SessionCreated:
        ends = UNSET if self.lasts_s is None else UNIX_S + self.lasts_s
        return SessionCreated(event_id="e0", session=Session(type="realtime", expires_at=ends))

    def text_shown(self) -> str:
        return "".join(shown.words for shown in self.shown if isinstance(shown, effects.Said))


TERMS = Terms(session=Session(type="realtime"))


@asynccontextmanager
async def call(
    terms: Terms = TERMS,
    *,
    microphone: Microphone | None = None,
    speaker: Speaker | None = None,
    tools: object = None,
    in_turn: bool = False,
    lasts_s: int | None = None,
    accepts: bool = True,
    another_microphone: Another[Microphone] | None = None,
    another_speaker: Another[Speaker] | None = None,
    announcer: Callable[[str], AsyncGenerator[bytes, None]] | None = None,
    ended: Callable[[Conversation], None] = lambda state: None,
    gauge: Gauge | None = None,
    **more: Any,
) -> AsyncIterator[Call]:
    """A running conversation whose session stands, unless the server never `accepts` its settings; ended and
    joined on leaving. `more` edges, by name."""
    send, receive = trio.open_memory_channel[events.Event](math.inf)
    held = Call(ScriptedLink(accepts=accepts), send, lasts_s=lasts_s)
    held.links.append(held.link)
    if speaker is None and terms.speaker:
        speaker = ClockedSpeaker(lambda position, pcm: held.sounded.append((position, pcm)))
    edges = Edges(
        link=held.link,
        another_link=held.another_link if terms.reconnects else None,
        chance=lambda: 0.0,
        unix_s=lambda: UNIX_S,
        microphone=microphone,
        speaker=speaker,
        another_microphone=another_microphone,
        another_speaker=another_speaker,
        announcer=announcer,
        ended=ended,
        commands=receive,
        tools=tools or NoTools(),  # type: ignore[arg-type]
        show=held.shown.append,
        in_turn=in_turn,
        gauge=gauge or Gauge(),
        note=lambda now_us, what: held.noted.append((now_us, what)),
        **more,
    )

    async def hold() -> None:
        held.quit = await converse(terms, edges)
        held.ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold)
        held.link.say(held.begins())
        await trio.testing.wait_all_tasks_blocked()
        yield held
        nursery.cancel_scope.cancel()


def answer(
    response_id: str,
    item_id: str,
    *,
    seconds: float,
    done: bool = True,
    delta_ms: int = 100,
    words: str = "",
) -> list[ServerEvent]:
    """A spoken response as the server sends it: much faster than it is heard."""
    said: list[ServerEvent] = [
        ResponseCreated(event_id="c", response=Response(id=response_id, status="in_progress")),
        ResponseOutputItemAdded(
            event_id="i",
            response_id=response_id,
            output_index=0,
            item=AssistantMessage(id=item_id, content=(), status="in_progress"),
        ),
    ]
    if words:
        said.append(
            ResponseOutputAudioTranscriptDelta(
                event_id="w",
                response_id=response_id,
                item_id=item_id,
                output_index=0,
                content_index=0,
                delta=words,
            )
        )
    said += [delta(response_id, item_id, delta_ms) for _ in range(round(seconds * 1000 / delta_ms))]
    if done:
        said += finished(response_id, item_id)
    return said


def delta(response_id: str, item_id: str, ms: int, sample: bytes = b"\x01\x02") -> ResponseOutputAudioDelta:
    return ResponseOutputAudioDelta(
        event_id="d",
        response_id=response_id,
        item_id=item_id,
        output_index=0,
        content_index=0,
        delta=sample * (ms * MS // 2),
    )


def finished(response_id: str, item_id: str, status: str = "completed") -> list[ServerEvent]:
    return [
        ResponseOutputAudioDone(
            event_id="ad", response_id=response_id, item_id=item_id, output_index=0, content_index=0
        ),
        ResponseDone(event_id="rd", response=Response(id=response_id, status=status, output=())),
    ]


def speech_started(item_id: str) -> InputAudioBufferSpeechStarted:
    return InputAudioBufferSpeechStarted(event_id="s", item_id=item_id, audio_start_ms=0)
