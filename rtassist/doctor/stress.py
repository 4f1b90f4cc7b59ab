"""Both devices at work for minutes, and every glitch counted."""

import itertools
import signal
import statistics
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import numpy as np
import trio
from attrs import define, field

from rtassist.audio import SAMPLE_RATE, DeviceLost, SoundUnavailable
from rtassist.audio.devices import Kind
from rtassist.audio.echo import Echo
from rtassist.audio.microphone import DeviceMicrophone, open_device_microphone
from rtassist.audio.pcm import samples_in, to_pcm16
from rtassist.audio.speaker import DeviceSpeaker, open_device_speaker
from rtassist.doctor import chirp
from rtassist.doctor.duplex import CHUNK_BYTES, reason
from rtassist.doctor.examine import Found
from rtassist.doctor.report import Check
from rtassist.doctor.verdicts import not_opened

LOUDNESS = 0.15
"""Of a voice of -20 dBFS: to be heard, and to be borne for an hour."""
LOOP_S = 10
LATE_S = 0.060
"""A chunk of 20 ms that comes so long after the one before: two were missed."""
TICK_S = 0.010
LOST_MS = 10.0
"""What the arrivals' best moves by from second to second without any sound being lost: a clock that drifts
by 300 ppm makes 0.3 ms of it, a report of the sound server that comes late a few."""


@define
class Strain:
    """What was counted so far."""

    began_s: float = field(factory=time.monotonic)
    chunks: int = 0
    late_chunks: int = 0
    worst_gap_s: float = 0.0
    thread_late_s: float = 0.0
    loop_late_s: float = 0.0
    lost: str = ""
    seconds: list[float] = field(factory=list)
    """For each second that has passed, how late its most punctual chunk was, by an arbitrary beginning."""
    _last_s: float | None = None
    _samples: int = 0
    _best: tuple[int, float] | None = None

    def arrived(self, at_s: float, samples: int) -> None:
        self.chunks += 1
        self._samples += samples
        if self._last_s is not None:
            gap_s = at_s - self._last_s
            self.worst_gap_s = max(self.worst_gap_s, gap_s)
            self.late_chunks += gap_s > LATE_S
        self._last_s = at_s
        second, late_s = int(at_s - self.began_s), at_s - self._samples / SAMPLE_RATE
        if self._best is None or self._best[0] != second:
            if self._best is not None:
                self.seconds.append(self._best[1])
            self._best = (second, late_s)
        else:
            self._best = (second, min(self._best[1], late_s))

    def lost_ms(self) -> int:
        """Sound that never came: after it all that comes is later, for good. What was late for a while and
        made up for it is not lost."""
        settled = [
            statistics.median(self.seconds[max(0, at - 1) : at + 2]) for at in range(1, len(self.seconds))
        ]
        steps = [(after - before) * 1000 for before, after in itertools.pairwise(settled)]
        return max(0, round(sum(step for step in steps if abs(step) > LOST_MS)))


async def stress(
    microphone: str | None,
    speaker: str | None,
    *,
    echo: Echo | None,
    minutes: float,
    announce: Callable[[str], None],
    progress: Callable[[str], None],
    found: Found,
) -> None:
    """Play and listen at the same time; Ctrl-C ends it early, with what was counted so far."""
    strain = Strain()
    loud: DeviceSpeaker | None = None
    mic: DeviceMicrophone | None = None
    stopped = False
    announce(f"A quiet voice without words is played for {_span(minutes * 60)}; Ctrl-C ends it.")
    try:
        async with (
            open_device_microphone(microphone, echo) as mic,
            open_device_speaker(speaker, echo) as loud,
            _ended_by_a_signal() as ended,
        ):
            strain.began_s = time.monotonic()
            with trio.move_on_after(minutes * 60):
                await _strained(mic, loud, strain, minutes * 60, progress, ended)
                stopped = ended.is_set()
    except SoundUnavailable as unavailable:
        kind: Kind = "speaker" if mic else "microphone"
        what, cure = not_opened(unavailable.message, kind, any_there=True)
        found(Check(id="stress", state="failed", summary=f"Stress: {what}", cure=cure))
        return
    progress("")
    found(stress_check(strain, loud.underruns, mic.dropped_chunks, stopped=stopped))


@asynccontextmanager
async def _ended_by_a_signal() -> AsyncIterator[trio.Event]:
    ended = trio.Event()

    async def wait(task_status: trio.TaskStatus[None]) -> None:
        with trio.open_signal_receiver(signal.SIGINT) as signals:
            task_status.started()
            async for _ in signals:
                ended.set()

    async with trio.open_nursery() as nursery:
        await nursery.start(wait)
        yield ended
        nursery.cancel_scope.cancel()


async def _strained(
    mic: DeviceMicrophone,
    loud: DeviceSpeaker,
    strain: Strain,
    wanted_s: float,
    progress: Callable[[str], None],
    ended: trio.Event,
) -> None:
    """Until a device is lost or `ended` is set."""
    voice = to_pcm16(chirp.speechlike(LOOP_S * SAMPLE_RATE) * np.float32(LOUDNESS))
    done = trio.Event()

    async def talk() -> None:
        try:
            while True:
                for start in range(0, len(voice), CHUNK_BYTES):
                    await loud.play(voice[start : start + CHUNK_BYTES])
        except (DeviceLost, SoundUnavailable) as lost:
            strain.lost = reason(lost)
            done.set()

    async def hear() -> None:
        try:
            while True:
                chunk = await mic.read()
                strain.arrived(time.monotonic(), samples_in(chunk))
        except (DeviceLost, SoundUnavailable) as lost:
            strain.lost = reason(lost)
            done.set()

    async def tick() -> None:
        while True:
            due_s = time.monotonic() + TICK_S
            await trio.sleep(TICK_S)
            strain.loop_late_s = max(strain.loop_late_s, time.monotonic() - due_s)

    async def tell() -> None:
        while True:
            await trio.sleep(1)
            glitches = loud.underruns + strain.late_chunks + mic.dropped_chunks
            so_far = f"{glitches} glitches" if glitches else "no glitch"
            progress(f"{_span(time.monotonic() - strain.began_s)} of {_span(wanted_s)}, {so_far}")

    async def end() -> None:
        await ended.wait()
        done.set()

    with _a_thread_that_looks_at_the_clock(strain):
        async with trio.open_nursery() as nursery:
            for task in (talk, hear, tick, tell, end):
                nursery.start_soon(task)
            await done.wait()
            nursery.cancel_scope.cancel()


@contextmanager
def _a_thread_that_looks_at_the_clock(strain: Strain) -> Iterator[None]:
    """As late as it is back, so late are the devices' own threads."""
    stopping = threading.Event()

    def run() -> None:
        due_s = time.monotonic() + TICK_S
        while not stopping.wait(TICK_S):
            now_s = time.monotonic()
            strain.thread_late_s = max(strain.thread_late_s, now_s - due_s)
            due_s = now_s + TICK_S

    thread = threading.Thread(target=run, name="clock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(1)


def stress_check(strain: Strain, underruns: int, dropped_chunks: int, *, stopped: bool) -> Check:
    lasted_s = time.monotonic() - strain.began_s
    values: dict[str, object] = {
        "seconds": round(lasted_s, 1),
        "underruns": underruns,
        "late_chunks": strain.late_chunks,
        "worst_gap_ms": round(strain.worst_gap_s * 1000),
        "lost_ms": strain.lost_ms(),
        "dropped_chunks": dropped_chunks,
        "thread_late_ms": round(strain.thread_late_s * 1000, 1),
        "loop_late_ms": round(strain.loop_late_s * 1000, 1),
        "ended": "lost" if strain.lost else "stopped" if stopped else "done",
    }
    lateness = (
        f"worst gap between chunks {values['worst_gap_ms']} ms, a thread was late by "
        f"{values['thread_late_ms']:g} ms, the loop by {values['loop_late_ms']:g} ms"
    )
    counted = {
        "underruns": underruns,
        "late chunks": strain.late_chunks,
        "ms of lost sound": values["lost_ms"],
        "dropped chunks": dropped_chunks,
    }
    glitches = [f"{what}: {count}" for what, count in counted.items() if count]
    if strain.lost:
        summary = f"Stress: after {_span(lasted_s)} {strain.lost}; {lateness}"
        cure = "look why the sound server or the device went away."
        return Check(id="stress", state="failed", summary=summary, cure=cure, values=values)
    if glitches:
        return Check(
            id="stress",
            state="warning",
            summary=f"Stress: in {_span(lasted_s)}, {', '.join(glitches)}; {lateness}",
            cure="close what keeps the machine busy; on Linux PULSE_LATENCY_MSEC=120 gives more in reserve.",
            values=values,
        )
    summary = f"Stress: no glitch in {_span(lasted_s)}; {lateness}"
    return Check(id="stress", state="ok", summary=summary, values=values)


def _span(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02} min" if whole >= 60 else f"{whole} s"
