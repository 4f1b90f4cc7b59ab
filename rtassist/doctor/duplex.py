"""Both devices at work at the same time, and what is noted while they are."""

import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import numpy as np
import trio
from attrs import define, field

from rtassist.audio import SAMPLE_RATE, DeviceLost, SoundUnavailable
from rtassist.audio.microphone import DeviceMicrophone
from rtassist.audio.pcm import Samples, samples_in, to_float
from rtassist.audio.speaker import DeviceSpeaker

CHUNK_BYTES = 2 * 480
POLL_S = 0.005
"""`DeviceSpeaker.heard` goes on by itself between the device's reports."""


@define
class Heard:
    """What a microphone gave, and when."""

    chunks: list[bytes] = field(factory=list)
    arrivals: list[tuple[float, int]] = field(factory=list)
    """By time.monotonic(), and how many samples had come by then."""
    lost: str = ""
    came: trio.Event = field(factory=trio.Event)

    @property
    def count(self) -> int:
        return self.arrivals[-1][1] if self.arrivals else 0

    def samples(self, start: int = 0, end: int | None = None) -> Samples:
        return to_float(b"".join(self.chunks))[max(0, start) : end]

    def began_s(self) -> float:
        """When sample 0 came: from the chunk that was least late."""
        return min(at_s - count / SAMPLE_RATE for at_s, count in self.arrivals)

    def place(self, at_s: float) -> int:
        """The sample that came at a moment."""
        return round((at_s - self.began_s()) * SAMPLE_RATE)

    def worst_gap_ms(self) -> int | None:
        gaps = [after[0] - before[0] for before, after in itertools.pairwise(self.arrivals)]
        return round(max(gaps) * 1000) if gaps else None


async def listen(microphone: DeviceMicrophone, heard: Heard, *, keep: bool = True) -> None:
    """Until it is cancelled, or the device is lost, which `heard` knows then."""
    try:
        while True:
            chunk = await microphone.read()
            if keep:
                heard.chunks.append(chunk)
            heard.arrivals.append((time.monotonic(), heard.count + samples_in(chunk)))
            heard.came.set()
            heard.came = trio.Event()
    except (DeviceLost, SoundUnavailable) as lost:
        heard.lost = reason(lost)
        heard.came.set()


async def until_heard(heard: Heard, count: int, within_s: float) -> None:
    """Until so many samples have come, for so long at most."""
    with trio.move_on_after(within_s):
        while heard.count < count and not heard.lost:
            await heard.came.wait()


@define
class Sounded:
    """What a loudspeaker took, and when some places of it were handed over and sounded."""

    marks: Sequence[int] = ()
    handed_s: dict[int, float] = field(factory=dict)
    sounded_s: dict[int, float] = field(factory=dict)
    lost: str = ""


async def play(speaker: DeviceSpeaker, pcm: bytes, marks: Sequence[int]) -> Sounded:
    """All of it, until it has sounded. `marks`: places (samples of `pcm`) whose moments are wanted."""
    sounded = Sounded(marks=marks)
    before = speaker.handed()
    try:
        async with _watching(speaker, sounded, before):
            for start in range(0, len(pcm), CHUNK_BYTES):
                await speaker.play(pcm[start : start + CHUNK_BYTES])
                now_s = time.monotonic()
                for mark in marks:
                    if start <= mark * 2 < start + CHUNK_BYTES:
                        sounded.handed_s[mark] = now_s
            await speaker.drain()
    except (DeviceLost, SoundUnavailable) as lost:
        sounded.lost = reason(lost)
    return sounded


@asynccontextmanager
async def _watching(speaker: DeviceSpeaker, sounded: Sounded, before: int) -> AsyncIterator[None]:
    """Ask all the time how much has sounded."""

    def look() -> None:
        heard, now_s = speaker.heard() - before, time.monotonic()
        for mark in sounded.marks:
            if heard > mark and mark not in sounded.sounded_s:
                sounded.sounded_s[mark] = now_s - (heard - mark) / SAMPLE_RATE

    async def watch() -> None:
        while True:
            look()
            await trio.sleep(POLL_S)

    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        try:
            yield
            look()
        except (DeviceLost, SoundUnavailable) as lost:
            failure = lost  # raised again outside of the nursery, which would put it into a group
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


def reason(lost: DeviceLost | SoundUnavailable) -> str:
    return lost.reason if isinstance(lost, DeviceLost) else lost.message


def dbfs(samples: Samples) -> float:
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return round(float(10 * np.log10(power)), 1) if power > 1e-12 else -120.0


async def every(period_s: float, call: Callable[[], None]) -> None:
    while True:
        await trio.sleep(period_s)
        call()
