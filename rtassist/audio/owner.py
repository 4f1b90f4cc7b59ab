"""A thread that owns a sound device for its whole life: opens it, runs it, closes it."""

import atexit
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol, TypeVar

import trio

from rtassist.audio import DeviceLost, SoundUnavailable

OPENING_S = 4.0
"""Import of SoundCard 0.3 s, connection and stream a few ms each; a server that does not answer has 3 s."""
CLOSING_S = 1.0


class Closable(Protocol):
    def close(self) -> None: ...


LEAVING_S = 0.5
"""At the interpreter's exit; a thread that runs looks every 10 ms whether it is to stop."""

S = TypeVar("S", bound=Closable)
T = TypeVar("T")


_running: set[tuple[threading.Thread, threading.Event]] = set()


@atexit.register
def _stop_all() -> None:
    """Let no thread be cut off at the interpreter's exit while it holds libpulse's lock: libpulse's own
    thread would find the lock's owner dead, and abort the process (seen in two of three exits while
    devices were being opened).
    """
    give_up_s = time.monotonic() + LEAVING_S
    threads = tuple(_running)
    for _, stopping in threads:
        stopping.set()
    for thread, _ in threads:
        thread.join(max(0.0, give_up_s - time.monotonic()))


class Owner:
    """The thread's side of the agreement: when to stop, and how to tell trio something."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.failure: Exception | None = None
        self._token = trio.lowlevel.current_trio_token()

    def tell(self, call: Callable[[], None]) -> None:
        """Have trio call this soon. Told again before it did, it is called once, so nothing piles up."""
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(call, idempotent=True)

    def leave(self, reason: str, moved_to: str | None) -> None:
        """In trio: have the device count as lost, though it works, for one that is to be used instead."""
        self.failure = self.failure or DeviceLost(reason, moved_to)

    def raise_failure(self) -> None:
        """In trio: raise what ended the thread, if anything did."""
        if isinstance(self.failure, DeviceLost):
            raise DeviceLost(self.failure.reason, self.failure.moved_to)
        if self.failure:
            raise self.failure


@asynccontextmanager
async def owning_thread(
    owner: Owner,
    *,
    name: str,
    open: Callable[[], S],
    run: Callable[[S], None],
    wake: Callable[[], None],
) -> AsyncIterator[None]:
    """Run a device in a thread of its own, until the block is left or the device is lost.

    `open` and `run` are called in the thread, and return soon after `owner.stopping` is set.
    `wake` is called when the thread has failed (in trio; see `owner.failure`) and when it is to stop.
    The thread is a daemon, and is left behind when it does not answer, so that neither a cancellation
    nor the interpreter's exit waits for a sound server. Raises what `open` raises, or SoundUnavailable
    when it takes too long.
    """
    opened, ended = trio.Event(), trio.Event()

    def live() -> None:
        try:
            own_the_stream()
        finally:
            _running.discard((thread, owner.stopping))

    def own_the_stream() -> None:
        try:
            stream = open()
        except Exception as error:
            owner.failure = error
            owner.tell(opened.set)
            return
        owner.tell(opened.set)
        try:
            run(stream)
        except Exception as error:
            owner.failure = error
            owner.tell(wake)
        finally:
            try:
                stream.close()
            finally:
                owner.tell(ended.set)

    thread = threading.Thread(target=live, name=name, daemon=True)
    _running.add((thread, owner.stopping))
    thread.start()
    try:
        with trio.move_on_after(OPENING_S):
            await opened.wait()
        if not opened.is_set():
            raise SoundUnavailable(f"The {name} cannot be opened: the sound system does not answer.")
        if owner.failure and not isinstance(owner.failure, DeviceLost):
            raise owner.failure
        try:
            yield
        finally:
            owner.stopping.set()
            wake()
            with trio.move_on_after(CLOSING_S, shield=True):
                await ended.wait()
    finally:
        owner.stopping.set()


async def call_in_thread(call: Callable[[threading.Event], T]) -> T:
    """The result of a call that may never return, and is told by an event when nobody waits any more.

    Raises what it raises, or SoundUnavailable.
    """
    owner = Owner()
    results: list[T] = []

    class Result:
        def close(self) -> None:
            pass

    def keep() -> Result:
        results.append(call(owner.stopping))
        return Result()

    async with owning_thread(Owner(), name="sound system", open=keep, run=lambda _: None, wake=lambda: None):
        return results[0]
