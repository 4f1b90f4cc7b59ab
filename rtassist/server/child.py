"""A child process of ours, driven from trio: requests go in, streams of answers come out, several at once.

For C libraries that hold the interpreter lock (recognition) or whose licence is kept at arm's length
(speech). The other end of the pipes is `child_side.serve_child`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from rtassist.server.child_process import Failed, Process
from rtassist.server.child_side import DATA
from rtassist.server.parts import PartFailed

_MAX_STARTS = 5
_STARTS_WITHIN_S = 60.0
"""A process that dies is started again, but not more often than this: a machine is not to be kept busy by a
library that crashes at once."""

# An answer that nobody takes, per request: 11 minutes of speech.
_MAX_UNREAD_BYTES = 32 << 20


@asynccontextmanager
async def open_child(
    module: str,
    *,
    what: str,
    code: str,
    ready_deadline_s: float = 20,
    answer_deadline_s: float = 10,
) -> AsyncIterator[Child]:
    """The process lives at most as long as this context, and not before `warm` or the first request.

    `module` has a function `main()` that calls `serve_child`. `what` begins sentences for the user, as
    "Speech recognition"; `code` begins the codes of PartFailed: `stt` gives `stt_unavailable` (cannot be
    started), `stt_died`, `stt_timeout`, and `stt_failed` (this request; the process lives).

    A process that is not ready within `ready_deadline_s`, or that says nothing for `answer_deadline_s` while
    an answer is due (of a request that has ended or was cancelled), is killed; the requests that were running
    fail, and the next one starts a new process. What the caller raises comes out as it is.
    """
    raised: Exception | None = None
    async with trio.open_nursery() as nursery:
        try:
            yield Child(nursery, module, what, code, ready_deadline_s, answer_deadline_s)
        except Exception as error:
            raised = error
        finally:
            nursery.cancel_scope.cancel()
    if raised is not None:
        raise raised


class Child:
    """One process at a time, started when it is first needed and again after it has died."""

    def __init__(
        self,
        nursery: trio.Nursery,
        module: str,
        what: str,
        code: str,
        ready_deadline_s: float,
        answer_deadline_s: float,
    ) -> None:
        self._nursery = nursery
        self._module = module
        self._what = what
        self._code = code
        self._ready_deadline_s = ready_deadline_s
        self._answer_deadline_s = answer_deadline_s
        self._process: Process | None = None
        self._starts: deque[float] = deque(maxlen=_MAX_STARTS)
        self._last_id = 0

    @property
    def pid(self) -> int | None:
        """Of the process that runs and is ready."""
        return self._process.pid if self._process is not None and not self._process.over else None

    async def warm(self) -> None:
        """Start the process, if it is not running, and wait until it is ready. Raises PartFailed.

        Cancelled: it goes on starting.
        """
        await self._ready()

    @asynccontextmanager
    async def request(self, payload: bytes = b"") -> AsyncIterator[Request]:
        """One request; several may be open at once.

        Entering waits until the process is ready; raises PartFailed. Leaving in any way before the answer is
        complete, cancellation included, cancels the request in the child; what still comes for it is dropped.
        """
        process = await self._ready()
        self._last_id = self._last_id % 0xFFFF_FFFF + 1
        request = Request(self._last_id, process)
        process.begin(request, payload)
        try:
            yield request
        finally:
            process.leave(request)

    async def _ready(self) -> Process:
        await trio.lowlevel.checkpoint()
        if self._process is None or self._process.over:
            self._process = self._start()
        process = self._process
        await process.settled.wait()
        if process.failure is not None:
            raise process.failure.as_exception()
        return process

    def _start(self) -> Process:
        now = trio.current_time()
        if len(self._starts) == _MAX_STARTS and now - self._starts[0] < _STARTS_WITHIN_S:
            wait_s = math.ceil(self._starts[0] + _STARTS_WITHIN_S - now)
            before = self._process.failure if self._process is not None else None
            raise PartFailed(
                f"{self._what} was started {_MAX_STARTS} times within {_STARTS_WITHIN_S:g} s and did not "
                f"last. Try again in {wait_s} s. The last time: {before.message if before else ''}",
                f"{self._code}_unavailable",
            )
        self._starts.append(now)
        process = Process(self._what, self._code, self._answer_deadline_s)
        self._nursery.start_soon(process.run, self._module, self._ready_deadline_s)
        return process


class Request:
    """`async for chunk in request` gives the answer's chunks (what `child_side.Job.answer` was given) as they
    come. Raises PartFailed, possibly after some chunks; cancelled, it has taken no chunk away."""

    def __init__(self, id: int, process: Process) -> None:
        self.id = id
        self._process = process
        self._arrive, self._arrived = trio.open_memory_channel[bytes](math.inf)
        self._unread_bytes = 0
        self._failure: Failed | None = None
        self._ended = False

    async def send(self, data: bytes) -> None:
        """More data for the request, at most 1 MiB. Cancelled: nothing was sent. Raises PartFailed.

        After an early answer, data is accepted and dropped.
        """
        await self._process.room()
        if self._failure is not None:
            raise self._failure.as_exception()
        self._process.put(DATA, self.id, data)

    def end(self) -> None:
        """No more data comes. From here on the child's answer is due within the deadline."""
        if not self._ended:
            self._ended = True
            self._process.expect(self)

    async def result(self) -> bytes:
        """The whole answer. Calls `end`. Raises PartFailed."""
        self.end()
        return b"".join([chunk async for chunk in self])

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._arrived.receive()
        except trio.EndOfChannel:
            if self._failure is not None:
                raise self._failure.as_exception() from None
            raise StopAsyncIteration from None
        self._unread_bytes -= len(chunk)
        return chunk

    def arrive(self, chunk: bytes) -> bool:
        """False: nobody takes what comes, and it has become too much."""
        self._unread_bytes += len(chunk)
        self._arrive.send_nowait(chunk)
        return self._unread_bytes <= _MAX_UNREAD_BYTES

    def finish(self, failure: Failed | None) -> None:
        self._failure = failure
        self._arrive.close()

    def forget(self) -> None:
        self._arrive.close()
        self._arrived.close()
