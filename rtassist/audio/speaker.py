"""Chunks out, and what of them has sounded: to a device, a WAV file, a pipe or nowhere."""

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from rtassist.audio import SAMPLE_RATE, Speaker
from rtassist.audio.devices import Device, PlaybackStream, choose
from rtassist.audio.echo import Echo
from rtassist.audio.owner import Owner, owning_thread
from rtassist.audio.pcm import to_float
from rtassist.audio.playout import Playout
from rtassist.audio.track import Track

BUFFER_SAMPLES = 1440
"""60 ms, which PulseAudio turns into 46 ms of its own and some of the sink's. With 40 ms the writer was
late up to four times a minute on a busy machine, with 60 never; a flush takes back all of it."""
ENOUGH = SAMPLE_RATE // 10
"""Samples that wait for room in the device before `play` waits: what a deep device takes at once."""
STEP_S = 0.020
"""How often there is a look whether a device that holds little takes more of the voice."""
FLUSHED_S = 0.003
"""When a server has answered a flush with how much it takes now. (More than that would only lie in wait.)"""
POLL_S = 0.002
SETTLING_S = 0.030
"""How long nothing is written after a flush, at most, until the device has told where it fell."""
QUIET_S = 0.030
"""So long after the last sample was counted as heard, none can be left in the device: the count is an
estimate, up to 15 ms off."""
EXTRAPOLATED_S, DEEP_EXTRAPOLATED_S = 0.030, 0.250
"""Reports come every 20 ms, of a device that holds much every 100 ms, and tell of a moment as long before; a
device that has not been heard of for longer may not be playing."""


class DeviceSpeaker:
    """A speaker of this machine, fed without a pause: silence where there is no voice.

    Its thread owns the stream; trio hands over under a lock that is never held while the device works.
    """

    def __init__(self, echo: Echo | None = None) -> None:
        self.device: Device | None = None
        self._echo = echo
        self.underruns = 0
        """How often the device ran dry in the middle of the voice."""
        self.buffer_samples = self.reserve_samples = 0
        """Of the open stream, as PlaybackStream has them."""
        self._owner = Owner()
        self._changed = threading.Condition(threading.Lock())
        self._playout = Playout()
        self._deep = False
        self._clock = (0.0, 0, 0)  # at this moment (monotonic), this position sounded, of this many written
        self._flushing = False
        self._fading: float | None = None
        self._settling = False
        self._settled_by_s = 0.0
        self._idle = False
        self._waiting = False
        self._room = trio.Event()

    async def play(self, pcm: bytes) -> None:
        await trio.lowlevel.checkpoint()
        while True:
            self._owner.raise_failure()
            with self._changed:
                if self._playout.queued <= ENOUGH:
                    self._playout.hand(pcm)
                    if self._idle:
                        self._changed.notify()
                    return
                self._waiting = True
            await self._room.wait()

    def heard(self) -> int:
        with self._changed:
            return self._playout.heard(self._position())

    def handed(self) -> int:
        return self._playout.handed

    async def drain(self) -> None:
        """Right after a `flush`: until the device has told where it fell silent, a few ms. `heard` and
        `handed` may rise by what sounded meanwhile, and are exact then; before, they are up to a period
        of the device (15 ms) too low.
        """
        await trio.lowlevel.checkpoint()
        self._owner.raise_failure()
        while (left := self.handed() - self.heard()) > 0 or self._flushing or self._settling:
            self._owner.raise_failure()
            await trio.sleep(max(POLL_S, left / SAMPLE_RATE))

    def flush(self) -> int:
        with self._changed:
            taken_back = self._playout.flush(self._position())
            self._flushing = True
            self._changed.notify()
        self._wake_player()
        return taken_back

    def fade_to(self, gain: float) -> None:
        with self._changed:
            self._fading = gain
            self._changed.notify()

    def leave(self, reason: str, moved_to: str | None) -> None:
        """The next `play` or `drain` raises DeviceLost with these."""
        self._owner.leave(reason, moved_to)
        self._wake()

    def _position(self) -> int:
        """Locked. Where in the stream the device is now, from its last report and the time since."""
        at_s, position, written = self._clock
        if self._owner.failure:
            return position
        most_s = DEEP_EXTRAPOLATED_S if self._deep else EXTRAPOLATED_S
        since_s = min(max(time.monotonic() - at_s, 0.0), most_s)
        return min(written, position + int(since_s * SAMPLE_RATE))

    def _wake_player(self) -> None:
        """In trio."""
        self._room.set()
        self._room = trio.Event()

    def _wake(self) -> None:
        """In trio: the thread is to stop, or has ended."""
        with self._changed:
            self._changed.notify()
        self._wake_player()

    # In the thread that owns the stream:

    def _open(self, name: str | None) -> PlaybackStream:
        from rtassist.audio.soundcard_shim import sound_system

        system = sound_system(self._owner.stopping)
        self.device = choose(system.devices(), "speaker", name)
        stream = system.open_speaker(self.device, BUFFER_SAMPLES)
        self.buffer_samples, self.reserve_samples = stream.buffer_samples, stream.reserve_samples
        return self._echo.playback(stream) if self._echo else stream

    def _run(self, stream: PlaybackStream) -> None:
        track = Track(stream)
        quiet_since_s, sounding = time.monotonic(), False
        while not self._owner.stopping.is_set():
            room = stream.room()
            self._deep = stream.reserve_samples >= BUFFER_SAMPLES
            if self._settling and not self._settle(stream):
                time.sleep(POLL_S)  # not a wait: what is to fade later would end it at once, again and again
                continue
            standing = stream.rewritable() is None
            back = track.silence()
            with self._changed:
                flushing, self._flushing = self._flushing, False
                gain, self._fading = self._fading, None
                if flushing:
                    self._settling, self._settled_by_s = True, time.monotonic() + SETTLING_S
                on_its_way = (
                    self._playout.heard(self._position()) < self._playout.handed - self._playout.queued
                )
                # Silence that stands in the device must not delay a voice. But a flush moves the echo, and
                # a canceller would let the first 0.2 s of each voice through: with one, the voice waits.
                # A look may come late: when the last one still saw it on its way, it was heard just now.
                if on_its_way or sounding:
                    quiet_since_s = time.monotonic()
                sounding = on_its_way or self._playout.queued > 0
                quiet = time.monotonic() - quiet_since_s > QUIET_S
                beginning = bool(standing and quiet and self._playout.queued)
                beginning = beginning and not (self._echo and self._echo.way == "cancelled")
                voice = b"" if flushing else self._playout.take(room + back, stream.written - back)
                player_may_go = self._waiting and self._playout.queued <= ENOUGH
                self._waiting = self._waiting and not player_may_go
            if player_may_go:
                self._owner.tell(self._wake_player)
            if gain is not None:
                track.fade_to(gain)
            cutting = beginning or (flushing and not self._fade_out(track))
            if cutting:
                track.flush()
            if voice:
                track.speak(to_float(voice), back)
            elif room and stream.ahead() <= stream.reserve_samples:
                track.pause(room)
            self._report(stream)
            spare_s = (stream.ahead() - stream.reserve_samples) / SAMPLE_RATE
            step_s = 0.0 if track.silence() else spare_s if self._deep else STEP_S
            self._wait(FLUSHED_S if cutting else spare_s, step_s)

    def _fade_out(self, track: Track) -> bool:
        """A flush without a click, where the device can be rewritten."""
        heard_up_to = track.fade_out()
        if heard_up_to is None:
            return False
        with self._changed:
            self._playout.settle(heard_up_to)
            self._settling = False
        return True

    def _settle(self, stream: PlaybackStream) -> bool:
        """Whether it is known where a flush fell; nothing is written before."""
        with self._changed:
            if self._flushing:
                return True
            position = stream.silent_at()
            if position is not None:
                self._playout.settle(position)
            self._settling = position is None and time.monotonic() < self._settled_by_s
            return not self._settling

    def _report(self, stream: PlaybackStream) -> None:
        sounded = stream.sounded()
        ran_dry_at = stream.ran_dry_at()
        with self._changed:
            if ran_dry_at is not None and self._playout.speaks_at(ran_dry_at):
                self.underruns += 1
            self._clock = (*(sounded or self._clock[:2]), stream.written)

    def _wait(self, until_reserve_s: float, while_queued_s: float) -> None:
        with self._changed:
            if self._flushing or self._fading is not None or self._owner.stopping.is_set():
                return
            self._idle = not self._playout.queued
            wait_s = until_reserve_s if self._idle else min(while_queued_s, until_reserve_s)
            self._changed.wait(max(0.001, wait_s))
            self._idle = False


@asynccontextmanager
async def open_device_speaker(
    name: str | None = None, echo: Echo | None = None
) -> AsyncIterator[DeviceSpeaker]:
    """A device by id, index or unique part of its name; None: the default. `echo` is told what it sounds.

    Raises SoundUnavailable, within 4 s at the latest. Leaving the block stops the sound at once.
    """
    speaker = DeviceSpeaker(echo)
    async with owning_thread(
        speaker._owner,
        name="speaker",
        open=lambda: speaker._open(name),
        run=speaker._run,
        wake=speaker._wake,
    ):
        yield speaker


@asynccontextmanager
async def open_speaker(
    name: str | None = None, *, fast: bool = False, echo: Echo | None = None
) -> AsyncIterator[Speaker]:
    """What the user calls a speaker: "-" is raw PCM16 to standard output, a path is a WAV file to write,
    "none" is silence that takes as long as the voice, anything else a device (None: the default one).
    `fast`: files, pipes and "none" sound everything at once. Raises SoundUnavailable.
    """
    from rtassist.audio.clocked import ClockedSpeaker
    from rtassist.audio.pipes import open_pipe_speaker

    path = None
    if name not in (None, "-", "none"):
        from rtassist.audio.files import file_meant, open_file_speaker  # and libsndfile with it

        path = file_meant(name)
    if name == "-":
        async with open_pipe_speaker(fast=fast) as pipe:
            yield pipe
    elif name == "none":
        yield ClockedSpeaker(lambda position, pcm: None, fast=fast)
    elif path:
        async with open_file_speaker(path, fast=fast) as file:
            yield file
    else:
        async with open_device_speaker(name, echo) as device:
            yield device
