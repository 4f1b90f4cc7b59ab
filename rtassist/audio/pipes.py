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
from rtassist.audio.playout import Playout

T = TypeVar("T")

CHUNK_SAMPLES = 480
CHUNK_BYTES = CHUNK_SAMPLES * 2
READ_BYTES = 65_536
"""What a pipe of Linux holds."""
EARLY_S = 0.005
"""What comes from a program that records is early as often as late: to wait for that costs a wake-up."""
WRITE_BYTES = 512
"""What POSIX lets a pipe that is ready take without blocking (_POSIX_PIPE_BUF; Linux: 4096)."""


class PipeMicrophone:
    """Raw sound from a pipe: as it comes, but never ahead of real time unless `fast`.

    A program that records gives its sound when it has it, and is not delayed; a file that is piped in
    plays at its own speed. Real time is counted from `since_s`, on trio's clock, at the earliest.
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
        since_s: float = math.inf,
    ) -> None:
        self._receive = receive
        self._fast = fast
        self._patience = patience
        self._pieces: deque[bytes] = deque()
        self._buffer = bytearray()
        self._ended = False
        self._since_s = since_s
        self._began_s: float | None = None
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
        if self._patience is None:
            return [pcm] if pcm else _ended()
        pieces = self._patience.rest() if not pcm else []
        for at in range(0, len(pcm), CHUNK_BYTES):
            pieces += self._patience.put(np.frombuffer(pcm[at : at + CHUNK_BYTES], "<i2"))
        return [piece.tobytes() for piece in pieces] if pcm or pieces else _ended()

    async def _due(self) -> bytes:
        """The next 20 ms; where nobody speaks, what there is of 100 ms; nothing behind the end."""
        waited, most = False, CHUNK_BYTES
        if self._calm() and self._began_s is not None:
            await trio.sleep_until(self._began_s + (self._read + TOGETHER_SAMPLES) / SAMPLE_RATE)
            waited, most = True, 2 * TOGETHER_SAMPLES
        while len(self._buffer) < CHUNK_BYTES and not self._ended:
            received = await self._receive()
            waited = True
            if self._began_s is None:
                now_s = trio.current_time()
                self._began_s = min(now_s, max(self._since_s, now_s - samples_in(received) / SAMPLE_RATE))
            self._ended = not received
            self._buffer += received
        there = len(self._buffer) - len(self._buffer) % (2 if self._ended else CHUNK_BYTES)  # whole samples
        pcm = bytes(self._buffer[: min(most, there)])
        due_s = now_s = trio.current_time()
        if pcm and not self._fast and self._began_s is not None:
            due_s = self._began_s + self._read / SAMPLE_RATE
        if due_s > now_s + EARLY_S:
            await trio.sleep_until(due_s)
        elif not waited:
            await trio.lowlevel.checkpoint()
        self._read += samples_in(pcm)
        del self._buffer[: len(pcm)]
        return pcm

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
    in which nobody speaks. `recording_s`: for how long the program at the other end may have been recording;
    so much of what is in the pipe is not held back, or all of the conversation would be heard this late.

    Raises SoundUnavailable when it is a terminal.
    """
    await trio.lowlevel.checkpoint()
    if os.isatty(fd):
        raise SoundUnavailable(
            "The microphone '-' reads raw sound (PCM16, 24 kHz, mono) from standard input, "
            "but that is a terminal: pipe sound into it."
        )
    since_s = trio.current_time() - recording_s
    if sys.platform == "win32":
        async with _read_by_thread(fd) as receive:
            yield PipeMicrophone(receive, fast=fast, patience=patience, since_s=since_s)
    else:
        receive = partial(_read_when_ready, fd)
        yield PipeMicrophone(receive, fast=fast, patience=patience, since_s=since_s)


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
