"""The whole replay: the real ring holds a recorded conversation again, under a virtual clock.

The server's frames, the microphone, what was typed and the results of functions come when they came; the
loudspeaker is a clock. Which of several tasks goes first is not recorded and a clock is no device, so the
same is not done to the microsecond: what is checked are the properties that hold whatever goes first.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Final

import trio
from attrs import define, field

from rtassist.audio import SAMPLE_RATE, DeviceLost
from rtassist.audio.clocked import ClockedSpeaker
from rtassist.converse import converse
from rtassist.dialogue import events
from rtassist.dialogue.effects import CallTool, Effect, Outcome, Switch
from rtassist.dialogue.terms import Terms
from rtassist.edges import Edges
from rtassist.errors import CannotConnect, Failure, Refused
from rtassist.link.closing import Close, LinkClosed
from rtassist.protocol import BadFrame, ClientEvent, ServerEvent, Unknown, decode
from rtassist.sessions import notation
from rtassist.sessions.properties import Break, Monitor
from rtassist.sessions.reading import Asked, Begun, Gap, Happened, Heard, Record, Torn
from rtassist.sessions.rendering import Tracks

GRACE_S: Final = 30.0
"""Virtual seconds after the last thing that was recorded, for voices that still sound."""
_BYTES: Final = 2
_SWITCH: Final = notation.effect_body(Switch())

Frame = tuple[str | bytes, ServerEvent | Unknown | BadFrame]


@define
class Held:
    """What came of it."""

    checks: Counter[str] = field(factory=Counter)
    breaks: list[Break] = field(factory=list)
    """Their times count since the recording began."""
    recorded_us: int = 0
    conversations: int = 0
    gaps: int = 0


async def hold_again(records: Iterable[Record], sound: Tracks) -> Held:
    """All conversations of a recording, one after the other, under trio's MockClock.

    What `sound` does not have is silence. Raises what reading the records raises.
    """
    held = Held()
    tape = _Tape(iter(records), held)
    while (begun := tape.conversation()) is not None:
        held.conversations += 1
        monitor = Monitor(begun.terms)
        await _hold(begun, tape, sound, monitor)
        held.checks += monitor.checks
        held.breaks += [Break(b.property, begun.us + b.us, b.what) for b in monitor.breaks]
    return held


@define
class _Tape:
    """The records, up to the next conversation."""

    _records: Iterator[Record]
    _held: Held
    _next: Begun | None = None

    def conversation(self) -> Begun | None:
        """Past all that is left of the one before; None at the end."""
        for _ in self.rest():
            pass
        begun, self._next = self._next, None
        return begun

    def rest(self) -> Iterator[Record]:
        """What is left of this conversation, as far as it has no gap: then nobody knows where it stands."""
        gap = False
        while self._next is None and (record := next(self._records, None)) is not None:
            if isinstance(record, Torn):
                continue
            self._held.recorded_us = max(self._held.recorded_us, record.us)
            if isinstance(record, Begun):
                self._next = record
            elif isinstance(record, Gap):
                self._held.gaps += not gap
                gap = True
            elif not gap:
                yield record


async def _hold(begun: Begun, tape: _Tape, sound: Tracks, monitor: Monitor) -> None:
    began_s = trio.current_time()
    terms = begun.terms
    world = _World(terms, monitor, began_s)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.happen, tape, begun.us, sound, nursery.cancel_scope)
        await converse(terms, world.edges())
        nursery.cancel_scope.cancel()
    monitor.settle()


class _World:
    """All that is outside of the ring, as it was recorded."""

    def __init__(self, terms: Terms, monitor: Monitor, began_s: float) -> None:
        self._terms = terms
        self._monitor = monitor
        self._began_s = began_s
        self._link = self._next_link = _Link()
        self._dialled = 0
        self._dials, self._dial_ends = trio.open_memory_channel["_Link | Failure"](math.inf)
        self._microphone = _Microphone(live=not terms.microphone_ends)
        self._tools = _Tools()
        self._speaker = _Speaker(monitor, began_s)
        self._to_commands, self._commands = trio.open_memory_channel[events.Event](math.inf)
        self._mic_back, self._mics = trio.open_memory_channel[str](math.inf)
        self._speaker_back, self._speakers = trio.open_memory_channel[str](math.inf)

    def edges(self) -> Edges:
        return Edges(
            link=self._link,
            another_link=self._another_link if self._terms.reconnects else None,
            chance=lambda: 0.0,
            microphone=self._microphone if self._terms.microphone else None,
            speaker=self._speaker if self._terms.voiced and self._terms.speaker else None,
            another_microphone=None if self._terms.microphone_ends else self._another_microphone,
            another_speaker=self._another_speaker if self._terms.voiced else None,
            commands=self._commands,
            tools=self._tools,
            show=lambda shown: None,
            note=self._note,
        )

    def _note(self, now_us: int, what: events.Event | Effect) -> None:
        self._monitor.note(now_us, what)
        if isinstance(what, CallTool):
            self._tools.called(what)

    @asynccontextmanager
    async def _another_link(self) -> AsyncIterator[_Link]:
        end = await self._dial_ends.receive()
        if isinstance(end, Failure):
            raise end
        yield end

    async def _another_microphone(self, lost: object, moved_to: str | None) -> tuple[_Microphone, str]:
        name = await self._mics.receive()
        return self._microphone, name

    async def _another_speaker(self, lost: object, moved_to: str | None) -> tuple[_Speaker, str]:
        name = await self._speakers.receive()
        self._speaker = _Speaker(self._monitor, self._began_s)
        return self._speaker, name

    async def happen(self, tape: _Tape, begun_us: int, sound: Tracks, everything: trio.CancelScope) -> None:
        """Everything that was recorded, when it was; then the end, if the ring has not found it by itself."""
        for record in tape.rest():
            if isinstance(record, Heard):
                await self._hear(record, begun_us, sound)
            elif isinstance(record, Happened):
                await trio.sleep_until(self._began_s + (record.us - begun_us) / 1_000_000)
                self._happened(record, sound)
            elif isinstance(record, Asked) and record.body == _SWITCH:
                self._link = self._next_link
        await trio.sleep(GRACE_S)
        everything.cancel()

    async def _hear(self, heard: Heard, begun_us: int, sound: Tracks) -> None:
        pcm = sound.mic(*heard.run)
        first = 0
        for at_us, samples in heard.chunks:
            await trio.sleep_until(self._began_s + (heard.us + at_us - begun_us) / 1_000_000)
            if self._microphone.ended:  # silence of the ring's own
                return
            self._microphone.heard.send_nowait(pcm[_BYTES * first : _BYTES * (first + samples)])
            first += samples

    def _happened(self, record: Happened, sound: Tracks) -> None:
        match record.event:
            case events.ServerSaid(event=event, frame=frame):
                self._link.said.send_nowait((frame, event))
            case events.FrameUnreadable(frame=frame):
                self._link.said.send_nowait((frame, _read(frame)))
            case events.LinkLost(code=code, silent_ms=silent_ms):
                self._link.closed = Close(code, silent_ms=silent_ms)
                self._link.said.close()
            case events.LinkOpened():
                self._dialled += 1
                if self._dialled > 1:  # the first one is there when the conversation begins
                    self._next_link = _Link()
                    self._dials.send_nowait(self._next_link)
            case events.DialFailed(sentence=sentence, outcome=outcome):
                kind = Refused if outcome == Outcome.REFUSED.value else CannotConnect
                self._dials.send_nowait(kind(sentence))
            case events.ToolEnded(call_id=call_id, output=output):
                self._tools.ended(call_id, output)
            case events.MicEnded():
                self._microphone.ended = True
                self._microphone.heard.close()
            case events.MicLost(reason=reason):
                self._microphone.heard.send_nowait(DeviceLost(reason))
            case events.MicClips():
                self._microphone.clips = True
            case events.MicBack(name=name, instead=instead):
                self._microphone.clips = False
                if instead:
                    self._microphone.heard.send_nowait(DeviceLost(instead))
                self._mic_back.send_nowait(name)
            case events.SpeakerLost(reason=reason):
                self._speaker.lose(reason)
            case events.SpeakerBack(name=name, instead=instead):
                if instead:
                    self._speaker.lose(instead)
                self._speaker_back.send_nowait(name)
            case (
                events.Typed()
                | events.TypingEnded()
                | events.Interrupted()
                | events.TalkPressed()
                | events.TalkReleased()
                | events.TimerDue()
                | events.ErrandEnded() as done
            ):
                self._to_commands.send_nowait(done)
            case _:
                pass  # the ring's own: reports, alarms, onsets


def _read(frame: str | bytes) -> ServerEvent | Unknown | BadFrame:
    try:
        return decode(frame)
    except BadFrame as bad:
        return bad


class _Link:
    """The server's frames, when they came, over one connection. What is sent goes nowhere, at once."""

    def __init__(self) -> None:
        self.said, self._frames = trio.open_memory_channel[Frame](math.inf)
        self.closed = Close(1006)

    async def send(self, event: ClientEvent) -> None:
        await trio.lowlevel.checkpoint()

    async def receive(self) -> Frame:
        try:
            return await self._frames.receive()
        except trio.EndOfChannel:
            raise LinkClosed(self.closed) from None

    async def close(self) -> None:
        await trio.lowlevel.checkpoint()


class _Microphone:
    def __init__(self, *, live: bool) -> None:
        self.live = live
        self.ended = self.clips = self.urgent = False
        self.heard, self._chunks = trio.open_memory_channel[bytes | DeviceLost](math.inf)

    async def read(self) -> bytes:
        chunk = await self._chunks.receive()
        if isinstance(chunk, DeviceLost):
            raise chunk
        return chunk


class _Speaker:
    """A clock that tells what it was given and what it sounds, until it is lost."""

    def __init__(self, monitor: Monitor, began_s: float) -> None:
        self._monitor = monitor
        self._began_s = began_s
        self._opened_s = trio.current_time()
        self._clock = ClockedSpeaker(self._sounded)
        self._lost: DeviceLost | None = None

    def _sounded(self, position: int, pcm: bytes) -> None:
        samples = len(pcm) // _BYTES
        until_s = self._opened_s + (position + samples) / SAMPLE_RATE
        self._monitor.sounded(round((until_s - self._began_s) * 1_000_000), samples)

    def lose(self, reason: str) -> None:
        self._clock.flush()
        self._lost = DeviceLost(reason)
        self._monitor.lost()

    async def play(self, pcm: bytes) -> None:
        await self._clock.play(pcm)
        if self._lost is not None:
            self._clock.flush()
            raise self._lost
        now_us = round((trio.current_time() - self._began_s) * 1_000_000)
        self._monitor.handed(now_us, len(pcm) // _BYTES)

    def heard(self) -> int:
        return self._clock.heard()

    def handed(self) -> int:
        return self._clock.handed()

    async def drain(self) -> None:
        await self._clock.drain()
        if self._lost is not None:
            raise self._lost

    def flush(self) -> int:
        return self._clock.flush()

    def fade_to(self, gain: float) -> None:
        """What it sounds is counted, and not listened to."""


class _Tools:
    """The recorded results, by the calls' ids, of which the ring tells only name and arguments."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], deque[str]] = defaultdict(deque)
        self._outputs: dict[str, str] = {}
        self._waiting: dict[str, trio.Event] = defaultdict(trio.Event)

    def called(self, call: CallTool) -> None:
        self._ids[call.name, call.arguments].append(call.call_id)

    def ended(self, call_id: str, output: str) -> None:
        self._outputs[call_id] = output
        self._waiting[call_id].set()

    async def run(self, name: str, arguments: str) -> str:
        call_id = self._ids[name, arguments].popleft()
        await self._waiting[call_id].wait()
        del self._waiting[call_id]
        return self._outputs.pop(call_id)
