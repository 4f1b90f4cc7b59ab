"""What stands between the loudspeaker and the microphone, so that the assistant does not hear itself.

Two things take the loudspeaker's sound out of the microphone's: a linear filter, which leaves the user whole
and some of the echo, and a canceller (WebRTC's third, in the package livekit), which leaves little of either.
A judge hears both and says whether there is a user. Then what the filter left goes out; else silence.
Without a canceller the microphone hears silence while the voice sounds.

All run in the microphone's thread: there it is known when each sample came, and a late task cannot move them,
nor can they hold up one (0.6 ms per 20 ms until the room is learnt, then half of that, and next to nothing
where nothing is heard). The far end is what was written to the device, silence included, so that the two
streams keep step.
"""

import re
import time
from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.devices import CaptureStream, Device, PlaybackStream
from rtassist.audio.far_end import FarEnd, NearEnd, Pcm, place
from rtassist.audio.guard import Hold, Judge
from rtassist.audio.linear import BLOCK, EchoPath
from rtassist.audio.patience import Noise

FRAME = SAMPLE_RATE // 100
"""10 ms. The canceller takes other frames without complaint, and does not work on them."""
TAIL = SAMPLE_RATE * 300 // 1000
"""How long the microphone may hear a voice that has ended: 200 ms in the room, 100 ms in the devices."""
FARTHEST_BLOCKS = 20
"""400 ms: what the canceller finds by itself. While a far end is moved for it, it lets echo through."""
UNKNOWN_DELAY = SAMPLE_RATE * 400 // 1000
"""Beyond TAIL, until the delay is found: a wireless loudspeaker's."""
TOGETHER = 25
"""Blocks without a user that are passed over at once, which decides nothing before one speaks or a voice
sounds: half a second. By itself each costs 0.7 ms of a core that has done something else meanwhile."""
JUDGED = 40
"""Blocks of noise before a voice, all that a judge remembers: judged one by one when it begins, in 8 ms."""
PUT_OFF = 15
"""Blocks: 300 ms, all that a filter or a canceller needs of what was before the first sound."""
QUIET_BLOCKS = 100
"""2 s of voice in which the microphone heard none: the user wears headphones."""
SURE_BLOCKS, RECENT_BLOCKS = 250, 125
"""After 5 s of voice in which the filter was believed the canceller rests: it takes half of the time, and
nobody asks for what it leaves. When the filter is no longer believed, because the room has become another one
or a loud user is taken for that, a fresh canceller is told at once of the last 2.5 s (30 ms of work)."""
LONG = SAMPLE_RATE * 100 // 1000
"""A latency that the sound system tells, and that is worth waiting for: less is within the filter."""
CANCELLED_BY_THE_SYSTEM = re.compile(r"echo.?cancel|\bec.?(mic|source)", re.IGNORECASE)
"""What PulseAudio's module-echo-cancel and PipeWire's call or describe their sources."""

Way = Literal["none", "system", "cancelled", "gated"]


class Canceller(Protocol):
    def cancel(self, near: Pcm, far: Pcm) -> Pcm:
        """What is left of a frame of the microphone, by the frame of the loudspeaker of the same time."""
        ...


class WebRtc:
    """WebRTC's AEC3, which finds a delay of up to 250 ms by itself, and follows it when clocks differ."""

    def __init__(self) -> None:
        from livekit.rtc import AudioProcessingModule

        self._module = AudioProcessingModule(echo_cancellation=True)

    def cancel(self, near: Pcm, far: Pcm) -> Pcm:
        from livekit.rtc import AudioFrame

        self._module.process_reverse_stream(AudioFrame(far.tobytes(), SAMPLE_RATE, 1, FRAME))
        left = bytearray(near.tobytes())
        self._module.process_stream(AudioFrame(left, SAMPLE_RATE, 1, FRAME))
        return np.frombuffer(left, np.int16)


def canceller() -> Canceller | None:
    """Blocks for the import of livekit, 0.5 s. None where it is not installed, or cannot run here."""
    try:
        return WebRtc()
    except Exception:  # ImportError; OSError: its library is not for this system
        return None


class Echo:
    """Joins the threads of a microphone and a loudspeaker, each of which may be opened again.

    `new` makes a canceller, or None where there is none; it is called in the microphone's thread. `gate`:
    without one the microphone hears silence while the voice sounds.
    """

    def __init__(
        self,
        new: Callable[[], Canceller | None] = canceller,
        now_s: Callable[[], float] = time.monotonic,
        *,
        gate: bool = True,
    ) -> None:
        self.far = FarEnd()
        self.way: Way = "none"
        """What is done with the microphone that was opened last."""
        self.microphone: Device | None = None
        self.wary = False
        """A voice sounds, and whether a user speaks into it hangs on each block."""
        self.new = new
        self._gate = gate
        self.now_s = now_s

    def capture(self, device: Device, open: Callable[[Device], CaptureStream]) -> CaptureStream:
        """In the microphone's thread: open it, with what is to be done in between."""
        self.microphone = device
        if CANCELLED_BY_THE_SYSTEM.search(f"{device.id}\n{device.name}") and not device.monitor:
            self.way = "system"
            return open(device)
        first = self.new()
        if first is None and not self._gate:
            self.way = "none"
            return open(device)
        self.way = "gated" if first is None else "cancelled"
        return Cleared(open(device), self, first)

    def playback(self, stream: PlaybackStream) -> PlaybackStream:
        """In the loudspeaker's thread: the same stream, and `far` knows what it sounds."""
        return Sounded(stream, self.far, self.now_s)


class Cleared:
    """A microphone's stream without the loudspeaker's sound."""

    def __init__(self, stream: CaptureStream, echo: Echo, first: Canceller | None) -> None:
        self._stream = stream
        self._echo = echo
        self._near = NearEnd()
        self._pending = np.zeros(0, np.float32)
        self._clear = _Gate(echo.far) if first is None else _Guarded(echo, first, self._near)

    def read(self) -> NDArray[np.float32]:
        """As the stream's own; up to 20 ms wait for the rest of their block, and what may be echo for 200 ms:
        then it is silence, or comes all at once.
        """
        samples = self._stream.read()
        if not len(samples):
            return samples
        self._near.arrived(place(self._echo.now_s()), len(samples))
        self._pending = np.concatenate([self._pending, samples])
        cleared = [np.zeros(0, np.float32)]
        while len(self._pending) >= (count := self._clear.takes):
            cleared += self._clear(self._pending[:count], self._near.take(count))
            self._pending = self._pending[count:]
        return np.concatenate(cleared)

    def close(self) -> None:
        self._stream.close()


class _Gate:
    takes = FRAME

    def __init__(self, far: FarEnd) -> None:
        self._far = far

    def __call__(self, near: NDArray[np.float32], at: int) -> list[NDArray[np.float32]]:
        sounding = self._far.open and self._far.loud_since(at - TAIL)
        return [np.zeros_like(near) if sounding else near]


class _Guarded:
    """A linear filter, a canceller beside it, and the judge of what both have left."""

    takes = BLOCK

    def __init__(self, echo: Echo, first: Canceller, near: NearEnd) -> None:
        self._echo = echo
        self._canceller: Canceller | None = first
        self._near = near
        self._breaks = (0, 0)
        self._path = EchoPath()
        self._judge = Judge()
        self._hold = Hold()
        self._noise = Noise()
        self._unjudged: list[NDArray[np.float32]] = []
        self._put_off: deque[tuple[NDArray[np.float32], int]] = deque()
        self._quiet_blocks = 0
        self._sure_blocks = 0
        self._recent: deque[tuple[NDArray[np.float32], NDArray[np.float32]]] = deque(maxlen=RECENT_BLOCKS)

    def __call__(self, near: NDArray[np.float32], at: int) -> list[NDArray[np.float32]]:
        far = self._echo.far
        self._quiet_blocks = 0 if self._noise.exceeded_by(near) else self._quiet_blocks + 1
        self._echo.wary = False
        if not far.open:
            return self._hold.put(near, near, passes=True)
        self._follow(far)
        if self._path.silent and not self._put_off and not far.loud_since(at):
            self._unjudged.append(near)
            if len(self._unjudged) == JUDGED + TOGETHER:
                self._pass_over_noise()
            return self._hold.put(near, near, passes=True)
        self._judge_noise()
        sounding = far.loud_since(at - TAIL - (self._path.delay or UNKNOWN_DELAY))
        if self._quiet_blocks >= QUIET_BLOCKS and not (self._judge.believed or self._judge.user):
            self._echo.wary = sounding
            self._wait_with(near, at)
            return self._hold.put(near, near, passes=not sounding)
        self._pass_over_quiet()
        while self._put_off:
            self._hear(*self._put_off.popleft())
        best = self._hear(near, at)
        user = self._judge.user
        self._echo.wary = sounding and not (self._judge.believed and self._judge.sure)
        return self._hold.put(best, near, passes=user or not sounding, over=self._judge.over)

    def _wait_with(self, near: NDArray[np.float32], at: int) -> None:
        """A block without echo and without a user, while there is nothing that could be unlearnt: as long as
        no sound follows there is nothing to do with it."""
        self._put_off.append((near, at))
        if len(self._put_off) == PUT_OFF + TOGETHER:
            self._pass_over_quiet()

    def _pass_over_quiet(self) -> None:
        """But the last of it."""
        count = len(self._put_off) - PUT_OFF
        if count > 0:
            then = self._put_off[0][1]
            nears = np.stack([self._put_off.popleft()[0] for _ in range(count)])
            fars = _to_float(self._echo.far.read(then, count * BLOCK)).reshape(count, BLOCK)
            self._judge.pass_over(nears, fars)

    def _hear(self, near: NDArray[np.float32], at: int) -> NDArray[np.float32]:
        """What is best sent of it, if a user speaks; the judge has heard it."""
        far = self._echo.far
        there = _to_float(far.read(at, BLOCK))
        later = self._path.later
        left, taken_out = self._path.subtract(near, there, carefully=self._judge.user)
        if self._path.later != later:
            self._judge.realign()
        cancelled = near
        if not self._path.silent:
            far_off = self._path.later > FARTHEST_BLOCKS
            cancelled = self._through_canceller(near, self._path.far() if far_off else there, left)
        self._judge.hear(near, self._path.far(), left, taken_out, cancelled)
        sounding = far.loud_since(at - TAIL - (self._path.delay or UNKNOWN_DELAY))
        return left if self._judge.believed or not sounding else cancelled

    def _through_canceller(
        self, near: NDArray[np.float32], far: NDArray[np.float32], left: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Or what the filter left, where that has been believed for long: then nobody asks the canceller."""
        self._sure_blocks = self._sure_blocks + 1 if self._judge.believed else 0
        if self._sure_blocks > SURE_BLOCKS:
            self._canceller = None
        elif self._canceller is None and (fresh := self._echo.new()):
            self._canceller = fresh
            for heard in self._recent:
                self._cancel(*heard)
        self._recent.append((near, far))
        return left if self._canceller is None else self._cancel(near, far)

    def _judge_noise(self) -> None:
        """What the microphone heard while nothing sounded."""
        self._pass_over_noise()
        silence = np.zeros(BLOCK, np.float32)
        for near in self._unjudged:
            self._judge.hear(near, silence, near, silence, near)
        self._unjudged.clear()

    def _pass_over_noise(self) -> None:
        """But the last of it."""
        if len(self._unjudged) > JUDGED:
            self._judge.pass_over_noise(self._unjudged[:-JUDGED])
            del self._unjudged[:-JUDGED]

    def _follow(self, far: FarEnd) -> None:
        breaks = (far.breaks, self._near.breaks)
        if breaks != self._breaks:
            # One that has learnt the echo elsewhere lets 0.2 s of it through, at up to its own level; a
            # fresh one is cautious by itself. It is made in 1 ms.
            self._breaks = breaks
            self._canceller = self._echo.new() or self._canceller
            self._path.restart()
            self._judge = Judge()
            self._unjudged.clear()
            self._put_off.clear()
            self._recent.clear()
        if far.latency > LONG:
            self._path.expect(far.latency)

    def _cancel(self, near: NDArray[np.float32], far: NDArray[np.float32]) -> NDArray[np.float32]:
        assert self._canceller is not None
        near_pcm, far_pcm = _to_int16(near), _to_int16(far)
        halves = [
            self._canceller.cancel(near_pcm[half : half + FRAME], far_pcm[half : half + FRAME])
            for half in range(0, BLOCK, FRAME)
        ]
        return _to_float(np.concatenate(halves))


class Sounded:
    """A loudspeaker's stream that tells `far` what it sounds, and when."""

    def __init__(self, stream: PlaybackStream, far: FarEnd, now_s: Callable[[], float]) -> None:
        self._stream = stream
        self._far = far
        self._now_s = now_s
        self._asked = place(now_s())
        self.written = stream.written
        self.buffer_samples = stream.buffer_samples
        far.cut(self._asked)
        far.open = True

    @property
    def reserve_samples(self) -> int:
        return self._stream.reserve_samples

    def room(self) -> int:
        room = self._stream.room()
        self._asked = place(self._now_s())
        return room

    def ahead(self) -> int:
        return self._stream.ahead()

    def write(self, samples: NDArray[np.float32]) -> None:
        at = self._at()
        self._stream.write(samples)
        self.written = self._stream.written
        self._far.write(at, _to_int16(samples))

    def _at(self) -> int:
        """When the next sample leaves the stream's buffer."""
        return self._asked + self._stream.ahead()

    def sounded(self) -> tuple[float, int] | None:
        sounded = self._stream.sounded()
        if sounded is not None:
            self._far.latency = place(sounded[0]) + self.written - sounded[1] - self._at()
        return sounded

    def ran_dry_at(self) -> int | None:
        ran_dry_at = self._stream.ran_dry_at()
        if ran_dry_at is not None:
            self._far.cut(place(self._now_s()) + self._stream.ahead())
        return ran_dry_at

    def flush(self) -> None:
        self._stream.flush()
        self._far.cut(place(self._now_s()))

    def rewritable(self) -> int | None:
        return self._stream.rewritable()

    def rewrite(self, samples: NDArray[np.float32]) -> None:
        self._stream.rewrite(samples)
        self._far.rewrite(_to_int16(samples))

    def silent_at(self) -> int | None:
        return self._stream.silent_at()

    def close(self) -> None:
        self._far.open = False
        self._far.cut(place(self._now_s()))
        self._stream.close()


def _to_int16(samples: NDArray[np.float32]) -> Pcm:
    whole: Pcm = np.clip(np.rint(samples * np.float32(32768)), -32768, 32767).astype(np.int16)
    return whole


def _to_float(pcm: Pcm) -> NDArray[np.float32]:
    return pcm.astype(np.float32) / np.float32(32768)
