"""One process of a `child.Child`, from its start to its end: its pipes, its deadlines, why it failed."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import trio

from rtassist.server.child_side import (
    CANCEL,
    CHUNK,
    DONE,
    END,
    FAILED,
    HEADER,
    MAX_PAYLOAD_BYTES,
    READY,
    REQUEST,
)
from rtassist.server.parts import PartFailed

if TYPE_CHECKING:
    from rtassist.server.child import Request

# What waits to be written to a child that does not read, before `room` waits.
_MAX_UNWRITTEN_BYTES = 1 << 20
_KEPT_STDERR_BYTES = 4096
_LAST_WORDS_WITHIN_S = 1.0
_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "PROXY")


class Failed:
    """What becomes a PartFailed: one for each that waits, since an exception collects its tracebacks."""

    def __init__(self, message: str, code: str) -> None:
        self.message = message
        self.code = code

    def as_exception(self) -> PartFailed:
        return PartFailed(self.message, self.code)


class _NoFrame(Exception):  # noqa: N818  what came
    """The child said what is no frame of ours."""


class Process:
    """One process from its start to its end. `settled`: it is ready, or `failure` says why it never will be;
    a process that was ready and is over has a `failure` as well."""

    def __init__(self, what: str, code: str, answer_deadline_s: float) -> None:
        self.settled = trio.Event()
        self.over = False
        self.failure: Failed | None = None
        self.pid: int | None = None
        self._what = what
        self._code = code
        self._answer_deadline_s = answer_deadline_s
        self._requests: dict[int, Request] = {}
        self._due: set[int] = set()
        """Requests that the child owes the end of an answer; also cancelled ones, which it has to give up."""
        self._patience = trio.CancelScope()
        self._unwritten: list[bytes] = []
        self._unwritten_bytes = 0
        self._written = trio.Event()
        self._to_write = trio.Event()
        self._stderr = bytearray()

    # What a request asks for. Nothing here waits, so leaving a request needs no checkpoint.

    def begin(self, request: Request, payload: bytes) -> None:
        if self.over:
            request.finish(self.failure)
            return
        self.put(REQUEST, request.id, payload)
        self._requests[request.id] = request

    def expect(self, request: Request) -> None:
        if request.id in self._requests:
            self.put(END, request.id)
            self._owe(request.id)

    def leave(self, request: Request) -> None:
        if self._requests.pop(request.id, None) is not None:
            self.put(CANCEL, request.id)
            self._owe(request.id)
        request.forget()

    def put(self, kind: int, id: int, payload: bytes = b"") -> None:
        """A whole frame for the writing task, which alone touches the pipe: whoever is cancelled, no half
        frame is left in it."""
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(f"{len(payload)} bytes at once are more than {MAX_PAYLOAD_BYTES}")
        if self.over:
            return
        self._unwritten.append(HEADER.pack(len(payload), id, kind) + payload)
        self._unwritten_bytes += len(payload)
        self._to_write.set()

    async def room(self) -> None:
        await trio.lowlevel.checkpoint()
        while self._unwritten_bytes > _MAX_UNWRITTEN_BYTES and not self.over:
            await self._written.wait()

    def _owe(self, id: int) -> None:
        if not self._due:
            self._patience.deadline = trio.current_time() + self._answer_deadline_s
        self._due.add(id)

    # The process.

    async def run(self, module: str, ready_deadline_s: float) -> None:
        self._patience.deadline = trio.current_time() + ready_deadline_s
        try:
            with self._patience:
                try:
                    process = await trio.lowlevel.open_process(
                        _command(module),
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE,
                        env=_without_secrets(os.environ),
                    )
                except OSError as error:
                    self._fail(f"{self._what} cannot be started: {error}.", "unavailable")
                    return
                await self._attend(process)
            if self._patience.cancelled_caught:
                self._fail_by_time(ready_deadline_s)
        finally:
            self._fail(f"{self._what} was closed.", "unavailable")

    async def _attend(self, process: trio.Process) -> None:
        """Until the process is over, which it is on leaving, whatever the reason."""
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        reason = ""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, process.stdin)
                try:
                    async with trio.open_nursery() as readers:
                        readers.start_soon(self._keep_stderr, process.stderr)
                        try:
                            await self._read(process)
                        except _NoFrame as unread:
                            reason = f"it sent {unread}"
                        # Its end closes stderr, whose last words are still wanted.
                        process.kill()
                        readers.cancel_scope.deadline = trio.current_time() + _LAST_WORDS_WITHIN_S
                finally:
                    nursery.cancel_scope.cancel()
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
                for stream in (process.stdin, process.stdout, process.stderr):
                    await trio.aclose_forcefully(stream)
        self._fail_by_end(process, reason)

    async def _read(self, process: trio.Process) -> None:
        assert process.stdout is not None
        received = bytearray()
        while True:
            try:
                some = await process.stdout.receive_some(1 << 16)
            except trio.BrokenResourceError:
                return
            if not some:
                return
            received += some
            start = 0
            while len(received) - start >= HEADER.size:
                length, id, kind = HEADER.unpack_from(received, start)
                if length > MAX_PAYLOAD_BYTES or not READY <= kind <= FAILED:
                    raise _NoFrame("what is no answer")
                end = start + HEADER.size + length
                if end > len(received):
                    break
                self._take(kind, id, bytes(received[start + HEADER.size : end]), process)
                start = end
            del received[:start]

    def _take(self, kind: int, id: int, payload: bytes, process: trio.Process) -> None:
        if kind == READY:
            self.pid = process.pid
            self.settled.set()
        elif id == 0:
            self._fail(f"{self._what} cannot be started: {_readable(payload)}", "unavailable")
        elif not self.settled.is_set():
            raise _NoFrame("an answer before it was ready")
        if kind in (DONE, FAILED):
            self._due.discard(id)
        now = trio.current_time()
        self._patience.deadline = now + self._answer_deadline_s if self._due else math.inf
        request = self._requests.get(id)
        if request is None:
            return
        if kind == CHUNK and request.arrive(payload):
            return
        del self._requests[id]
        if kind == CHUNK:
            self.put(CANCEL, id)
            self._owe(id)
            failure = f"{self._what} was given up: its answer was not taken, and became too long."
            request.finish(Failed(failure, f"{self._code}_failed"))
        elif kind == FAILED:
            failure = f"{self._what} failed: {_readable(payload)}"
            request.finish(Failed(failure, f"{self._code}_failed"))
        else:
            request.finish(None)

    async def _write(self, stdin: trio.abc.SendStream) -> None:
        while True:
            await self._to_write.wait()
            self._to_write = trio.Event()
            frames, self._unwritten = b"".join(self._unwritten), []
            try:
                await stdin.send_all(frames)
            except trio.BrokenResourceError:
                return  # the process is ending, and the reading task sees that
            self._unwritten_bytes = sum(map(len, self._unwritten))
            self._written.set()
            self._written = trio.Event()

    async def _keep_stderr(self, stderr: trio.abc.ReceiveStream) -> None:
        try:
            while some := await stderr.receive_some(1 << 12):
                self._stderr += some
                del self._stderr[:-_KEPT_STDERR_BYTES]
        except trio.BrokenResourceError:
            pass

    # Its end.

    def _fail_by_time(self, ready_deadline_s: float) -> None:
        if self.settled.is_set():
            self._fail(
                f"{self._what} was stopped: it gave no answer for {self._answer_deadline_s:g} s. "
                "It is started again when it is needed.",
                "timeout",
            )
        else:
            self._fail(
                f"{self._what} was stopped: it was not ready within {ready_deadline_s:g} s. "
                "The machine may be too busy; try again.",
                "unavailable",
            )

    def _fail_by_end(self, process: trio.Process, reason: str) -> None:
        how = reason or _how_it_ended(process.returncode)
        last_words = _readable(bytes(self._stderr).strip().rpartition(b"\n")[2])
        said = f" Its last words: {last_words}" if last_words else ""
        if self.settled.is_set():
            message = (
                f"{self._what} stopped in the middle: {how}. It is started again when it is needed.{said}"
            )
            self._fail(message, "died")
        else:
            self._fail(f"{self._what} cannot be started: {how}.{said}", "unavailable")

    def _fail(self, message: str, suffix: str) -> None:
        """The first reason is the one that is told."""
        if self.over:
            return
        self.over = True
        self.failure = Failed(message, f"{self._code}_{suffix}")
        for request in self._requests.values():
            request.finish(self.failure)
        self._requests.clear()
        self.settled.set()
        self._written.set()


def _command(module: str) -> list[str]:
    """With the parent's own path: what is imported is the same in both, wherever the user stands."""
    start = f"import sys; sys.path[:] = {sys.path!r}; from {module} import main; main()"
    return [sys.executable, "-c", start]


def _without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that runs others' C code and talks to nobody."""
    return {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(("OPENAI_", "RTASSIST_"))
        and not any(word in name.upper() for word in _SECRET_WORDS)
    }


def _how_it_ended(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"its process was ended by signal {-returncode}"
    return f"its process ended with code {returncode}"


def _readable(text: bytes) -> str:
    """One line that can be shown."""
    words = text.decode("utf-8", "replace").split()
    line = "".join(character for character in " ".join(words) if character.isprintable())
    return line if len(line) <= 300 else line[:299] + "…"
