"""Chunks in: from a device, a sound file or a pipe."""

import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import trio
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE, Microphone
from rtassist.audio.devices import CaptureStream, Device, choose
from rtassist.audio.echo import Echo
from rtassist.audio.levels import ClipWatch, Gain
from rtassist.audio.owner import Owner, call_in_thread, owning_thread
from rtassist.audio.patience import Patience
from rtassist.audio.pcm import to_pcm16

CHUNK_SAMPLES = 480
BACKLOG_CHUNKS = 100
"""Two seconds for a reader who is late; older chunks are dropped, and counted."""
EARLY_S = 0.002
POLL_S = 0.0025
"""After a chunk of 20 ms nothing comes for 18 ms; then the device is asked every 2.5 ms."""
CALM_CHUNKS, IDLE_CHUNKS = 3, 5
"""So many are awaited where nothing hangs on 40 ms, and where nothing sounds. Work that is done at once for
three costs half of what it costs one by one: a core that has done something else meanwhile has to fetch all
from memory again."""


class DeviceMicrophone:
    """A microphone of this machine."""

    live = True

    def __init__(
        self, echo: Echo | None = None, gain: Gain | None = None, patience: Patience | None = None
    ) -> None:
        self.device: Device | None = None
        self.clips = False
        self.urgent = False
        self._echo = echo
        self._gain = gain
        self._patience = patience
        self.dropped_chunks = 0
        """Chunks that were never read, because the reader was more than two seconds late."""
        self.came = 0
        """Samples that the device has given since its thread slept long."""
        self._owner = Owner()
        self._chunks: deque[bytes] = deque(maxlen=BACKLOG_CHUNKS)
        self._arrived = trio.Event()

    async def read(self) -> bytes:
        if self._chunks:
            await trio.lowlevel.checkpoint()
        while not self._chunks:
            self._owner.raise_failure()
            await self._arrived.wait()
        return self._chunks.popleft()

    def leave(self, reason: str, moved_to: str | None) -> None:
        """The next `read` raises DeviceLost with these, when what came before is read."""
        self._owner.leave(reason, moved_to)
        self._wake()

    def _wake(self) -> None:
        self._arrived.set()
        self._arrived = trio.Event()

    def _open(self, name: str | None) -> CaptureStream:
        from rtassist.audio.soundcard_shim import sound_system

        system = sound_system(self._owner.stopping)
        self.device = choose(system.devices(), "microphone", name)

        def open_watched(device: Device) -> CaptureStream:
            return Watched(system.open_microphone(device), self)

        if self._echo:
            return self._echo.capture(self.device, open_watched)
        return open_watched(self.device)

    def _run(self, stream: CaptureStream) -> None:
        pending = np.zeros(0, dtype=np.float32)
        pause_s = POLL_S
        while not self._owner.stopping.wait(pause_s):
            samples = stream.read()
            pending = np.concatenate([pending, samples]) if len(pending) else samples
            while len(pending) >= CHUNK_SAMPLES:
                chunk, pending = pending[:CHUNK_SAMPLES], pending[CHUNK_SAMPLES:]
                for piece in self._patience.put(chunk) if self._patience else [chunk]:
                    self._hand_over(piece)
            awaited = CHUNK_SAMPLES * self._chunks_awaited()
            pause_s = POLL_S
            if self.came >= awaited:
                self.came, pause_s = 0, awaited / SAMPLE_RATE - EARLY_S

    def _chunks_awaited(self) -> int:
        """More than one where nobody speaks, and into a voice that is to be lowered at once neither."""
        if self._patience is None or not self._patience.quiet:
            return 1
        if not self.urgent:
            return IDLE_CHUNKS
        heard_late = self._echo and self._echo.way in ("cancelled", "gated") and not self._echo.wary
        return CALM_CHUNKS if heard_late else 1

    def _hand_over(self, piece: NDArray[np.float32]) -> None:
        self.dropped_chunks += len(self._chunks) == BACKLOG_CHUNKS
        self._chunks.append(to_pcm16(self._gain.apply(piece) if self._gain else piece))
        self._owner.tell(self._wake)


class Watched:
    """A microphone's stream as it comes from the device: behind an echo canceller no top is flat any more."""

    def __init__(self, stream: CaptureStream, microphone: DeviceMicrophone) -> None:
        self._stream = stream
        self._microphone = microphone
        self._watch = ClipWatch()
        self.close = stream.close

    def read(self) -> NDArray[np.float32]:
        samples = self._stream.read()
        self._microphone.came += len(samples)
        if len(samples) and self._watch.clips(samples):
            self._microphone.clips = True
        return samples


@asynccontextmanager
async def open_device_microphone(
    name: str | None = None,
    echo: Echo | None = None,
    gain: Gain | None = None,
    patience: Patience | None = None,
) -> AsyncIterator[DeviceMicrophone]:
    """A device by id, index or unique part of its name; None: the default, which is never a monitor.
    `echo`: what is done about the loudspeaker's sound in it; `gain`: about the level of what is left;
    `patience`: about chunks in which nobody speaks (None: each goes on when it was heard).

    Raises SoundUnavailable, within 4 s at the latest.
    """
    microphone = DeviceMicrophone(echo, gain, patience)
    async with owning_thread(
        microphone._owner,
        name="microphone",
        open=lambda: microphone._open(name),
        run=microphone._run,
        wake=microphone._wake,
    ):
        yield microphone


@asynccontextmanager
async def open_microphone(
    name: str | None = None,
    *,
    fast: bool = False,
    echo: Echo | None = None,
    gain: Gain | None = None,
    patience: Patience | None = None,
    recording_s: float = 0.0,
) -> AsyncIterator[Microphone]:
    """What the user calls a microphone: "-" is raw PCM16 from standard input, a path to a file is that
    file, anything else a device (None: the default one). `fast` does not hold files and pipes back; `echo`
    and `gain` are for devices alone, `patience` for what comes at its own speed; `recording_s`
    is for a pipe (see `open_pipe_microphone`).
    Raises SoundUnavailable.
    """
    from rtassist.audio.pipes import open_pipe_microphone

    path = None
    if name not in (None, "-"):
        from rtassist.audio.files import file_meant, open_file_microphone  # and libsndfile with it

        path = file_meant(name)
    if name == "-":
        held = None if fast else patience
        async with open_pipe_microphone(fast=fast, patience=held, recording_s=recording_s) as pipe:
            yield pipe
    elif path:
        async with open_file_microphone(path, fast=fast) as file:
            yield file
    else:
        async with open_device_microphone(name, echo, gain, patience) as device:
            yield device


async def devices() -> tuple[Device, ...]:
    """All microphones and speakers. Raises SoundUnavailable, within 4 s at the latest."""

    def ask(stopping: threading.Event) -> tuple[Device, ...]:
        from rtassist.audio.soundcard_shim import sound_system

        return sound_system(stopping).devices()

    return await call_in_thread(ask)
