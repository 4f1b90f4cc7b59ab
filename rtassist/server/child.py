"""A child process of ours, driven from trio: requests go in, streams of answers come out, several at once.

For C libraries that hold the interpreter lock (recognition) or whose licence is kept at arm's length (speech).
The other end of the pipes is `child_side.serve_child`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager


class Child:
    """One process at a time, started when it is first needed and again after it has died."""

    async def warm(self) -> None:
        """Start the process, if it is not running, and wait until it is ready. Raises PartFailed."""
        raise NotImplementedError

    def request(self, payload: bytes = b"") -> AbstractAsyncContextManager[Request]:
        """`async with child.request(payload) as request:` one request; several may be open at once.

        Entering waits until the process is ready; raises PartFailed. Leaving in any way before the answer is
        complete, cancellation included, cancels the request in the child; what still comes for it is dropped.
        """
        raise NotImplementedError


class Request:
    """`async for chunk in request` gives the answer's chunks (what the child's `Job.answer` was given) as they
    come; `result` all of them at once. Both raise PartFailed."""

    async def send(self, data: bytes) -> None:
        """More data for the request, at most 1 MiB. Cancelled: nothing was sent. Raises PartFailed."""

    def end(self) -> None:
        """No more data comes. From here on the child's answer is due within the deadline."""

    async def result(self) -> bytes:
        """The whole answer. Calls `end`. Raises PartFailed."""
        raise NotImplementedError

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise NotImplementedError


@asynccontextmanager
async def open_child(
    module: str,
    *,
    what: str,
    code: str,
    ready_deadline_s: float = 20,
    answer_deadline_s: float = 10,
) -> AsyncIterator[Child]:
    """`module` has a function `main()` that calls `serve_child`. `what` begins sentences for the user, as
    "Speech recognition"; `code` begins the codes of PartFailed: `stt` gives `stt_died`, `stt_failed`,
    `stt_timeout`, `stt_unavailable`."""
    raise NotImplementedError
    yield Child()
