"""A loudspeaker and a microphone in a room, on a clock that only the test moves."""

import time
from collections.abc import Callable

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from rtassist.audio.devices import Device
from rtassist.audio.echo import Canceller, Echo
from tests.audio.rooms import RATE, Sound, heard_back

MICROPHONE = Device(kind="microphone", id="mic", name="A microphone", default=True)
BUFFER = 1104
"""46 ms, as PulseAudio gives."""


BEGAN_S = 1000.0


@define
class Clock:
    now_s: float = BEGAN_S

    def samples(self, drift_ppm: float = 0.0) -> int:
        """Since the beginning. The clock's floats must not hide a sample that is just due."""
        return int((self.now_s - BEGAN_S) * RATE * (1 + drift_ppm * 1e-6) + 1e-3)


@define
class VirtualSpeaker:
    """Takes `block` samples at a time from its buffer, at its own rate."""

    clock: Clock
    block: int = 240
    drift_ppm: float = 0.0
    latency_ms: int | None = None
    written: int = 0
    buffer_samples: int = BUFFER
    reserve_samples: int = BUFFER // 2
    waiting: Sound = field(factory=lambda: np.zeros(0, np.float32))
    sounded_pieces: list[Sound] = field(factory=list)
    taken: int = 0
    rewrites: bool = True

    def advance(self) -> None:
        due = self.clock.samples(self.drift_ppm) // self.block * self.block
        count = due - self.taken
        piece = self.waiting[:count]
        self.waiting = self.waiting[count:]
        self.sounded_pieces += [piece, np.zeros(count - len(piece), np.float32)]
        self.taken = due

    def room(self) -> int:
        self.advance()
        return max(0, self.buffer_samples - len(self.waiting))

    def ahead(self) -> int:
        return len(self.waiting)

    def write(self, samples: Sound) -> None:
        self.waiting = np.concatenate([self.waiting, samples])
        self.written += len(samples)

    def sounded(self) -> tuple[float, int] | None:
        if self.latency_ms is None:
            return None
        taken = self.written - len(self.waiting)
        return self.clock.now_s, taken - self.latency_ms * RATE // 1000

    def ran_dry_at(self) -> int | None:
        return None

    def flush(self) -> None:
        self.waiting = np.zeros(0, np.float32)

    def rewritable(self) -> int | None:
        self.advance()
        return len(self.waiting) if self.rewrites else None

    def rewrite(self, samples: Sound) -> None:
        self.waiting[len(self.waiting) - len(samples) :] = samples

    def silent_at(self) -> int | None:
        return self.written

    def close(self) -> None:
        pass


@define
class VirtualMicrophone:
    clock: Clock
    sound: Sound
    given: int = 0

    def read(self) -> NDArray[np.float32]:
        due = self.clock.samples()
        samples = self.sound[self.given : due]
        self.given += len(samples)
        return samples

    def close(self) -> None:
        pass


@frozen(kw_only=True)
class Room:
    """What lies between the loudspeaker's device and the microphone's.

    `latency_ms`: the part of the delay that the sound system knows of and tells; None: it tells nothing.
    """

    delay_ms: int = 60
    gain_db: float = 0.0
    drift_ppm: float = 0.0
    clip_at: float | None = None
    latency_ms: int | None = None
    seed: int = 1

    def echo(self, sounded: Sound) -> Sound:
        return heard_back(
            sounded,
            delay_ms=self.delay_ms,
            gain_db=self.gain_db,
            drift_ppm=self.drift_ppm,
            clip_at=self.clip_at,
            seed=self.seed,
        )


@define
class Listened:
    """What came out of a microphone, and when, in seconds since the beginning; `cpu_s`: the work for it."""

    pieces: list[tuple[float, Sound]] = field(factory=list)
    cpu_s: float = 0.0

    def sound(self) -> Sound:
        return np.concatenate([np.zeros(0, np.float32), *(piece for _, piece in self.pieces)])


def conversation(
    voice: Sound,
    user: Sound,
    new: Callable[[], Canceller | None],
    *,
    delay_ms: int = 60,
    gain_db: float = 0.0,
    drift_ppm: float = 0.0,
    flush_at_s: float | None = None,
    speaker_open: bool = True,
) -> tuple[Sound, Sound]:
    """What a microphone hears of a voice from the loudspeaker and a user, as it is and cleared."""
    room = Room(delay_ms=delay_ms, gain_db=gain_db, drift_ppm=drift_ppm)
    echo = room.echo(sounded(voice, room, flush_at_s))
    heard = echo + np.pad(user, (0, len(echo)))[: len(echo)]
    listened = listen(voice, heard, room, new, flush_at_s=flush_at_s, speaker_open=speaker_open)
    cleared = listened.sound()
    return heard[: len(cleared)], cleared


def sounded(voice: Sound, room: Room, flush_at_s: float | None = None) -> Sound:
    """What the loudspeaker sounds depends on when its thread comes round: played once, to be heard then."""
    sounding, _ = _run(voice, np.zeros(len(voice), np.float32), room, None, flush_at_s, False)
    return sounding


def listen(
    voice: Sound,
    heard: Sound,
    room: Room,
    new: Callable[[], Canceller | None] | None,
    *,
    flush_at_s: float | None = None,
    speaker_open: bool = True,
) -> Listened:
    """`heard` by a microphone while `voice` is played; `new` None: nothing is done about the echo."""
    _, listened = _run(voice, heard, room, new, flush_at_s, speaker_open)
    return listened


def _run(
    voice: Sound,
    heard: Sound,
    room: Room,
    new: Callable[[], Canceller | None] | None,
    flush_at_s: float | None,
    speaker_open: bool,
) -> tuple[Sound, Listened]:
    """The threads come round when they like: the speaker's after 5 to 25 ms, the other after 15 to 30."""
    clock, rng = Clock(), np.random.default_rng(5)
    device = VirtualSpeaker(clock, drift_ppm=room.drift_ppm, latency_ms=room.latency_ms)
    stream = VirtualMicrophone(clock, heard)
    echo = Echo(new or (lambda: None), lambda: clock.now_s)
    speaker = echo.playback(device) if speaker_open else device
    microphone = stream if new is None else echo.capture(MICROPHONE, lambda _: stream)
    told, listened = 0, Listened()
    speaker_at = microphone_at = 0.0
    while (at_s := clock.now_s - BEGAN_S) * RATE < len(heard):
        if at_s >= speaker_at:
            if flush_at_s is not None and at_s >= flush_at_s:
                flush_at_s = None
                told += device.ahead() * 3
                speaker.flush()
            piece = voice[told : told + speaker.room()]
            speaker.write(piece)
            speaker.sounded()
            told += len(piece)
            speaker_at = at_s + rng.uniform(0.005, 0.025)
        if at_s >= microphone_at:
            began = time.process_time()
            listened.pieces.append((at_s, microphone.read()))
            listened.cpu_s += time.process_time() - began
            microphone_at = at_s + rng.uniform(0.015, 0.030)
        clock.now_s += 0.001
    device.advance()
    return np.concatenate(device.sounded_pieces), listened
