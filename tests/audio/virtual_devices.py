"""A loudspeaker and a microphone in a room, on a clock that only the test moves."""

from collections.abc import Callable

import numpy as np
from attrs import define, field
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
        return None

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
    """What a microphone hears of a voice from the loudspeaker and a user, as it is and cleared.

    The threads come round when they like: the speaker's after 5 to 25 ms, the microphone's after 15 to 30.
    """
    # What sounds depends on when the thread came round: played once for the room, and again with it.
    sounded, _ = _run(voice, np.zeros(len(voice), np.float32), new, drift_ppm, flush_at_s, speaker_open)
    echo = heard_back(sounded, delay_ms=delay_ms, gain_db=gain_db, drift_ppm=drift_ppm)
    heard = echo + np.pad(user, (0, len(echo)))[: len(echo)]
    _, cleared = _run(voice, heard, new, drift_ppm, flush_at_s, speaker_open)
    return heard[: len(cleared)], cleared


def _run(
    voice: Sound,
    heard: Sound,
    new: Callable[[], Canceller | None],
    drift_ppm: float,
    flush_at_s: float | None,
    speaker_open: bool,
) -> tuple[Sound, Sound]:
    clock, rng = Clock(), np.random.default_rng(5)
    device = VirtualSpeaker(clock, drift_ppm=drift_ppm)
    echo = Echo(new, lambda: clock.now_s)
    speaker = echo.playback(device) if speaker_open else device
    microphone = echo.capture(MICROPHONE, lambda _: VirtualMicrophone(clock, heard))
    told, cleared = 0, [np.zeros(0, np.float32)]
    speaker_at = microphone_at = 0.0
    while (at_s := clock.now_s - BEGAN_S) * RATE < len(heard):
        if at_s >= speaker_at:
            if flush_at_s is not None and at_s >= flush_at_s:
                flush_at_s = None
                told += device.ahead() * 3
                speaker.flush()
            piece = voice[told : told + speaker.room()]
            speaker.write(piece)
            told += len(piece)
            speaker_at = at_s + rng.uniform(0.005, 0.025)
        if at_s >= microphone_at:
            cleared.append(microphone.read())
            microphone_at = at_s + rng.uniform(0.015, 0.030)
        clock.now_s += 0.001
    device.advance()
    return np.concatenate(device.sounded_pieces), np.concatenate(cleared)
