"""Raw PCM16, 24 kHz, mono, through a file descriptor: the microphone and the speaker called "-"."""

import math
import os
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import NoReturn, TypeVar

import numpy as np
import trio

from rtassist.audio import SAMPLE_RATE, SoundUnavailable
from rtassist.audio.envelope import Gain
from rtassist.audio.patience import TOGETHER_SAMPLES, Patience
from rtassist.audio.pcm import samples_in, silence
from rtassist.audio.pipe_clock import CHUNK_SAMPLES, PipeClock
from rtassist.audio.playout import Playout

T = TypeVar("T")

CHUNK_BYTES = CHUNK_SAMPLES * 2
READ_BYTES = 65_536
"""What a pipe of Linux holds."""
WRITE_BYTES = 512
"""What POSIX lets a pipe that is ready take without blocking (_POSIX_PIPE_BUF; Linux: 4096)."""


class PipeMicrophone:
    """Raw sound from a pipe: as it comes, but never ahead of real time unless `fast`.

    A program that records gives its sound when it has it, and is not delayed; a file that is piped in
    plays at its own speed (see `PipeClock`, which is on trio's clock).
    """

    live = False
    clips = False
    urgent = False

    def __init__(
        self,
        receive: Callable[[], Awaitable[bytes]],
        *,
        fast: bool,
        patience: Patience | None = None,
        clock: PipeClock | None = None,
    ) -> None:
        self._receive = receive
        self._fast = fast
        self._patience = patience
        self._pieces: deque[bytes] = deque()
        self._buffer = bytearray()
        self._ended = False
        self._clock = clock or PipeClock()
        self._read = 0

    async def read(self) -> bytes:
        if self._pieces:
            await trio.lowlevel.checkpoint()
        while not self._pieces:
            self._pieces += await self._heard()
        return self._pieces.popleft()

    async def _heard(self) -> list[bytes]:
        """The pieces that go on next, or none yet; behind the last of them EndOfChannel."""
        pcm = await self._due()
        chunks = [pcm[at : at + CHUNK_BYTES] for at in range(0, len(pcm), CHUNK_BYTES)]
        if self._patience is None:
            return chunks or _ended()
        if not chunks:
            return [piece.tobytes() for piece in self._patience.rest()] or _ended()
        pieces = (self._patience.put(np.frombuffer(chunk, "<i2")) for chunk in chunks)
        return [piece.tobytes() for some in pieces for piece in some]

    async def _due(self) -> bytes:
        """What is due by now, in whole chunks: one, or what has come together meanwhile. At the end of the
        pipe what is left, and behind it nothing."""
        rested = False
        if self._read and self._calm():
            await trio.sleep_until(self._clock.due_s(self._read + TOGETHER_SAMPLES - CHUNK_SAMPLES))
        while len(self._buffer) < CHUNK_BYTES and not self._ended:
            await self._take_in()
            rested = True
        there = len(self._buffer) - len(self._buffer) % (2 if self._ended else CHUNK_BYTES)
        due = there
        if there and not self._fast:
            due = 2 * (self._clock.due_by(trio.current_time()) - self._read)
            if due <= 0:
                await trio.sleep_until(self._clock.due_s(self._read))
                rested, due = True, CHUNK_BYTES
        if not rested:
            await trio.lowlevel.checkpoint()
        pcm = bytes(self._buffer[: min(there, due)])
        self._read += samples_in(pcm)
        del self._buffer[: len(pcm)]
        return pcm

    async def _take_in(self) -> None:
        asked_s = trio.current_time()
        received = await self._receive()
        self._ended = not received
        self._buffer += received
        if received:
            self._clock.came(self._read, len(self._buffer) // 2, asked_s, trio.current_time())

    def _calm(self) -> bool:
        """Nobody speaks, nor could interrupt anything."""
        return not (self._fast or self.urgent) and self._patience is not None and self._patience.quiet


def _ended() -> NoReturn:
    raise trio.EndOfChannel


@asynccontextmanager
async def open_pipe_microphone(
    fd: int = 0, *, fast: bool = False, patience: Patience | None = None, recording_s: float = 0.0
) -> AsyncIterator[PipeMicrophone]:
    """Raw PCM16 from file descriptor `fd`, which stays open and in the mode it was in. `patience`: for chunks
    in which nobody speaks. `recording_s`: for how long, at this moment, the program at the other end may have
    been recording. What is in the pipe when it is read first is then heard at once, up to 2 s of it, be it a
    file's; held back, it would make all of a conversation late.

    Raises SoundUnavailable when it is a terminal.
    """
    await trio.lowlevel.checkpoint()
    if os.isatty(fd):
        raise SoundUnavailable(
            "The microphone '-' reads raw sound (PCM16, 24 kHz, mono) from standard input, "
            "but that is a terminal: pipe sound into it."
        )
    clock = PipeClock(trio.current_time() - recording_s if recording_s else math.inf)
    if sys.platform == "win32":
        async with _read_by_thread(fd) as receive:
            yield PipeMicrophone(receive, fast=fast, patience=patience, clock=clock)
    else:
        receive = partial(_read_when_ready, fd)
        yield PipeMicrophone(receive, fast=fast, patience=patience, clock=clock)


async def _read_when_ready(fd: int) -> bytes:
    """What there is, without setting O_NONBLOCK: the flag would be shared with whoever else has the pipe."""
    while True:
        await _ready(trio.lowlevel.wait_readable, fd)
        try:
            received = _unless_it_would_block(os.read, fd, READ_BYTES)
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            raise SoundUnavailable(f"Cannot read sound from standard input: {reason}.") from error
        if received is not None:
            return received


@asynccontextmanager
async def _read_by_thread(fd: int) -> AsyncIterator[Callable[[], Awaitable[bytes]]]:
    """For systems that cannot wait for a pipe: a thread reads it, at most four blocks ahead.

    The thread is a daemon: a read that nobody ends keeps neither trio nor the interpreter.
    """
    send, receive = trio.open_memory_channel[bytes](4)
    token = trio.lowlevel.current_trio_token()

    def pump() -> None:
        try:
            while data := os.read(fd, READ_BYTES):
                trio.from_thread.run(send.send, data, trio_token=token)
        except (OSError, trio.BrokenResourceError, trio.Cancelled, trio.RunFinishedError):
            pass  # the other end is gone, or ours is
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(send.close)

    async def receive_or_end() -> bytes:
        try:
            return await receive.receive()
        except trio.EndOfChannel:
            return b""

    threading.Thread(target=pump, name="pipe microphone", daemon=True).start()
    with receive:
        yield receive_or_end


class PipeSpeaker:
    """Raw sound into a pipe, in blocks of 20 ms at real time, silence where there is no voice.

    What was written counts as heard. A reader who is slower than real time stops the clock.
    `fast`: the voice alone, as fast as it is taken.
    """

    def __init__(self, send: Callable[[bytes], Awaitable[None]], *, fast: bool) -> None:
        self._send = send
        self._fast = fast
        self._playout = Playout()
        self._gain = Gain()
        self._position = 0
        self._beyond_recall = 0
        self._failure: SoundUnavailable | None = None
        self._changed = trio.Event()

    async def play(self, pcm: bytes) -> None:
        await trio.lowlevel.checkpoint()
        while not self._failure and self._playout.queued > CHUNK_SAMPLES:
            await self._changed.wait()
        if self._failure:
            raise self._failure
        self._playout.hand(pcm)
        self._wake()

    def heard(self) -> int:
        return self._playout.heard(self._position)

    def handed(self) -> int:
        return self._playout.handed

    async def drain(self) -> None:
        await trio.lowlevel.checkpoint()
        while not self._failure and self.heard() < self.handed():
            await self._changed.wait()
        if self._failure:
            raise self._failure

    def flush(self) -> int:
        taken_back = self._playout.flush(self._beyond_recall)
        self._wake()
        return taken_back

    def fade_to(self, gain: float) -> None:
        self._gain.target = gain

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def _pump(self) -> None:
        due_s = trio.current_time()
        try:
            while True:
                while self._fast and not self._playout.queued:
                    await self._changed.wait()
                block = self._gain.of(self._playout.take(CHUNK_SAMPLES, self._position))
                if not self._fast:
                    block += silence(CHUNK_SAMPLES - samples_in(block))
                self._beyond_recall = self._position + samples_in(block)
                await self._send(block)
                self._position = self._beyond_recall
                self._wake()
                if not self._fast:
                    due_s = max(due_s + CHUNK_SAMPLES / SAMPLE_RATE, trio.current_time())
                    await trio.sleep_until(due_s)
        except SoundUnavailable as failure:
            self._failure = failure
            self._wake()


@asynccontextmanager
async def open_pipe_speaker(fd: int = 1, *, fast: bool = False) -> AsyncIterator[PipeSpeaker]:
    """Raw PCM16 to file descriptor `fd`, which stays open. Raises SoundUnavailable when it is a terminal."""
    await trio.lowlevel.checkpoint()
    if os.isatty(fd):
        raise SoundUnavailable(
            "The speaker '-' writes raw sound (PCM16, 24 kHz, mono) to standard output, "
            "but that is a terminal: send it to a program or a file."
        )
    speaker = PipeSpeaker(lambda block: _write_when_ready(fd, block), fast=fast)
    stopping = trio.CancelScope()
    stopped = trio.Event()

    async def run() -> None:
        with stopping:
            await speaker._pump()
        stopped.set()

    # A nursery would wrap whatever leaves the caller's block in an exception group.
    trio.lowlevel.spawn_system_task(run)
    try:
        yield speaker
    finally:
        stopping.cancel()
        with trio.CancelScope(shield=True):
            await stopped.wait()


async def _write_when_ready(fd: int, block: bytes) -> None:
    try:
        while block:
            if sys.platform == "win32":
                written = await trio.to_thread.run_sync(os.write, fd, block, abandon_on_cancel=True)
            else:
                await _ready(trio.lowlevel.wait_writable, fd)
                written = _unless_it_would_block(os.write, fd, block[:WRITE_BYTES]) or 0
            block = block[written:]
    except OSError as error:
        ended = isinstance(error, BrokenPipeError)
        reason = (
            "the program that read it has ended" if ended else (error.strerror or "unknown error").lower()
        )
        raise SoundUnavailable(f"Cannot write sound to standard output: {reason}.") from error


async def _ready(wait: Callable[[int], Awaitable[None]], fd: int) -> None:
    try:
        await wait(fd)
    except OSError:  # a regular file or /dev/null: epoll refuses them, and they never make one wait
        await trio.lowlevel.checkpoint()


def _unless_it_would_block(call: Callable[..., T], *args: object) -> T | None:
    """None where another process has set the shared O_NONBLOCK and took what there was."""
    try:
        return call(*args)
    except BlockingIOError:
        return None
