"""Who speaks and who answers in a chaos run: sentences that are known by their sound, and no wits."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cache
from typing import Final

import numpy as np
import trio
from attrs import define, field

from rtassist.audio.clocked import ClockedSpeaker
from rtassist.protocol import AssistantMessage, FunctionCallOutput, Item, SystemMessage, UserMessage
from rtassist.server.connection import Parts
from rtassist.server.hearing import FRAME_SAMPLES
from rtassist.server.parts import Ask, Call, Say, Transcript
from rtassist.sessions.properties import Monitor

CHUNK_MS: Final = 200
"""Long ones, so that an hour of silence costs little."""
CHUNK_BYTES: Final = CHUNK_MS * 48
LEVEL: Final = 200
"""How much louder each sentence is than the one before; it is how it is known."""
LOUDEST: Final = 30_000
_FRAME_BYTES: Final = 2 * FRAME_SAMPLES
_STILL: Final = b"\x14\x00\xec\xff" * (CHUNK_BYTES // 4)
"""No sound, from a microphone that is not muted."""
_LOUD: Final = 100


@cache
def _sentence(number: int) -> bytes:
    """A chunk of it: a square wave."""
    level = 2000 + LEVEL * number
    assert level < LOUDEST
    return np.tile(np.array([level, -level], "<i2"), CHUNK_BYTES // 4).tobytes()


def spoken(number: int) -> str:
    """A sentence as it is written down."""
    return f"This is sentence {number}."


def sentences_in(pcm: bytes) -> list[int]:
    """The numbers of all that are in it, in their order; one breath may have several."""
    levels = np.frombuffer(pcm, "<i2")[:: CHUNK_BYTES // 8]
    numbers = [round((abs(int(level)) - 2000) / LEVEL) for level in levels if abs(int(level)) > _LOUD]
    return list(dict.fromkeys(numbers))


class Mouth:
    """A live microphone: silence, and what is `said`, each sentence `sentence_ms` long."""

    def __init__(self, sentence_ms: int = 600) -> None:
        self.live = True
        self.clips = self.urgent = False
        self._sentence_ms = sentence_ms
        self._chunks: list[bytes] = []
        self._silent = trio.Event()
        self._next_s = trio.current_time()

    def say(self, number: int) -> None:
        self._silent = trio.Event()
        self._chunks += [_sentence(number)] * (self._sentence_ms // CHUNK_MS)

    async def said(self) -> None:
        """Waits until all of it was."""
        await self._silent.wait()

    async def read(self) -> bytes:
        self._next_s += CHUNK_MS / 1000
        await trio.sleep_until(self._next_s)
        if self._chunks:
            return self._chunks.pop(0)
        self._silent.set()
        return _STILL


class Ear:
    """One sample of a frame tells, for what is said has one level throughout."""

    def __init__(self) -> None:
        self._held = b""

    def hear(self, pcm: bytes) -> tuple[float, ...]:
        self._held += pcm
        frames = len(self._held) // _FRAME_BYTES
        heard = tuple(
            float(abs(int.from_bytes(self._held[start : start + 2], "little", signed=True)) > _LOUD)
            for start in range(0, frames * _FRAME_BYTES, _FRAME_BYTES)
        )
        self._held = self._held[frames * _FRAME_BYTES :]
        return heard

    def restart(self) -> None:
        self._held = b""


class Recogniser:
    async def transcribe(
        self, chunks: trio.MemoryReceiveChannel[bytes], *, language: str | None
    ) -> Transcript:
        pcm = b"".join([chunk async for chunk in chunks])
        return Transcript(text=" ".join(map(spoken, sentences_in(pcm))), understood=True)


def texts_of(items: tuple[Item, ...]) -> list[tuple[str, str]]:
    """Who said what, as the model is told."""
    told = []
    for item in items:
        match item:
            case UserMessage() | AssistantMessage() | SystemMessage():
                parts = [getattr(part, "transcript", None) or part.text for part in item.content or ()]
                told.append((str(item.role), " ".join(part for part in parts if isinstance(part, str))))
            case FunctionCallOutput():
                told.append(("function", str(item.output)))
            case _:
                pass
    return told


@define
class Thinker:
    """Calls the function when it is asked to, and else says at some length what it was told last."""

    wait_s: float = 0.0
    keeps: int = 10_000
    """So much of what it was asked."""
    asked: list[Ask] = field(factory=list)

    async def answer(self, ask: Ask) -> AsyncIterator[Say | Call]:
        self.asked = [*self.asked, ask][-self.keeps :]
        await trio.sleep(self.wait_s)
        who, text = (texts_of(ask.items) or [("", "")])[-1]
        if who == "user" and (found := re.search(r"call number (\d+)", text)):
            yield Call(name="look_up", arguments=f'{{"number":{found[1]}}}')
            return
        for word in ("I heard:", text[:30], "and that is that."):
            await trio.lowlevel.checkpoint()
            yield Say(text=f"{word} ")


class Synthesiser:
    """Each character is 50 ms of sound, in chunks of 100 ms."""

    async def speak(self, text: str, *, voice: str, speed: float) -> AsyncIterator[bytes]:
        for _ in range(max(1, len(text) // 2)):
            await trio.lowlevel.checkpoint()
            yield b"\x01\x02" * (100 * 24)


def parts(thinker: Thinker) -> Parts:
    return Parts(
        thinker=thinker,
        recogniser=Recogniser(),
        synthesiser=Synthesiser(),
        open_ear=Ear,
        now=lambda: datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    )


@define
class Tools:
    wait_s: float
    asked: int = 0

    async def run(self, name: str, arguments: str) -> str:
        self.asked += 1
        await trio.sleep(self.wait_s)
        return f"{name} of {arguments} is 42"


class WatchedSpeaker:
    """A clock for a loudspeaker, that tells what it was given and what it sounds."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._opened_s = trio.current_time()
        self._clock = ClockedSpeaker(self._sounded)
        self.heard, self.handed = self._clock.heard, self._clock.handed
        self.drain, self.flush, self.fade_to = self._clock.drain, self._clock.flush, self._clock.fade_to

    def _sounded(self, position: int, pcm: bytes) -> None:
        samples = len(pcm) // 2
        self._monitor.sounded(round((position + samples) / 24_000 * 1_000_000), samples)

    async def play(self, pcm: bytes) -> None:
        await self._clock.play(pcm)
        us = round((trio.current_time() - self._opened_s) * 1_000_000)
        self._monitor.handed(us, len(pcm) // 2)
