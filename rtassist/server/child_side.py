"""What runs inside a child process of `child.py`. Imports neither trio nor numpy: start-up time counts.

Both ways a frame is its payload's length and its request's id (4 bytes each, little-endian), a byte for its
kind, and the payload. Each REQUEST gets any number of CHUNK and then exactly one of DONE and FAILED, also
when it was cancelled.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from queue import SimpleQueue

HEADER = struct.Struct("<IIB")
MAX_PAYLOAD_BYTES = 1 << 20
# Towards the child.
REQUEST, DATA, END, CANCEL = 1, 2, 3, 4
# Towards the parent. READY, and FAILED instead of it, have the id 0, which no request has.
READY, CHUNK, DONE, FAILED = 5, 6, 7, 8

# 11 minutes of sound that the handler did not come round to: it never will.
_MAX_WAITING_BYTES = 32 << 20


class Abandoned(Exception):  # noqa: N818  what happened to a job, and no fault
    """The job is not wanted any more; let it out of the handler."""


class Job:
    """One request inside the child. `payload` is what `Child.request` was given."""

    def __init__(self, id: int, payload: bytes, link: _Link) -> None:
        self.id = id
        self.payload = payload
        self._link = link
        self._change = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._ended = False
        self._overflowed = False
        self._abandoned = False

    @property
    def abandoned(self) -> bool:
        """Nobody wants the answer any more: return as soon as is convenient."""
        return self._abandoned

    def data(self) -> Iterator[bytes]:
        """What `Request.send` was given, as it comes; ends at `Request.end`. Blocks; raises Abandoned."""
        while True:
            with self._change:
                while not (self._waiting or self._ended or self._abandoned or self._overflowed):
                    self._change.wait()
                if self._abandoned:
                    raise Abandoned
                if self._overflowed:
                    raise OverflowError("what was sent came faster than it could be worked on")
                if not self._waiting:
                    return
                data = self._waiting.popleft()
                self._waiting_bytes -= len(data)
            yield data

    def answer(self, chunk: bytes) -> None:
        """A chunk of the answer, at most 1 MiB, sent at once. Does nothing when abandoned."""
        if len(chunk) > MAX_PAYLOAD_BYTES:
            raise ValueError(f"a chunk of {len(chunk)} bytes is more than {MAX_PAYLOAD_BYTES}")
        if not self._abandoned:
            self._link.send(CHUNK, self.id, chunk)

    def take(self, kind: int, payload: bytes) -> None:
        """A frame for this job, from the reading thread."""
        with self._change:
            if kind == DATA and self._waiting_bytes + len(payload) > _MAX_WAITING_BYTES:
                self._overflowed = True
                self._waiting.clear()
            elif kind == DATA and not self._overflowed:
                self._waiting.append(payload)
                self._waiting_bytes += len(payload)
            elif kind == END:
                self._ended = True
            elif kind == CANCEL:
                self._abandoned = True
                self._waiting.clear()
            self._change.notify()


Handler = Callable[[Job], None]
"""Does one job: returns when the answer is complete; an exception's text becomes a PartFailed."""


def serve_child(set_up: Callable[[], Handler], *, at_once: int = 1) -> None:
    """Serve requests until the parent is gone; never returns.

    `set_up` loads what is needed, and only then is the child ready; its exception's text becomes a
    PartFailed. Up to `at_once` jobs run at the same time, each in a thread of its own (with 1: in the main
    thread); others wait their turn. Whatever C code prints on stdout lands on stderr, of which the parent
    keeps the end for the text of a failure.
    """
    # Ctrl-C in a terminal goes to every process of the group; it is the parent's to act on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link = _Link()
    jobs: SimpleQueue[Job] = SimpleQueue()
    # Reading from the very start: it is how this process learns that its parent is gone, whatever else it
    # does. PR_SET_PDEATHSIG would not do: it watches the thread that forked, and trio forks in a worker
    # thread that ends when it has been idle for ten seconds.
    threading.Thread(target=link.read, args=(jobs,), daemon=True).start()
    try:
        handler = set_up()
    except Exception as error:
        link.send(FAILED, 0, _words(error))
        os._exit(1)
    link.send(READY, 0, b"")
    for _ in range(at_once - 1):
        threading.Thread(target=_work, args=(jobs, handler, link), daemon=True).start()
    _work(jobs, handler, link)


def _work(jobs: SimpleQueue[Job], handler: Handler, link: _Link) -> None:
    while True:
        job = jobs.get()
        try:
            if not job.abandoned:
                handler(job)
        except Abandoned:
            pass
        except Exception as error:
            link.finish(job, FAILED, _words(error))
            continue
        link.finish(job, DONE, b"")


def _words(error: Exception) -> bytes:
    return (str(error) or type(error).__name__).encode("utf-8", "replace")[:1000]


class _Link:
    """The pipes: one thread reads, any thread sends whole frames."""

    def __init__(self) -> None:
        self._sending = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._in = 0
        self._out = os.dup(1)
        os.dup2(2, 1)
        if sys.platform == "win32":
            import msvcrt

            msvcrt.setmode(self._in, os.O_BINARY)
            msvcrt.setmode(self._out, os.O_BINARY)

    def send(self, kind: int, id: int, payload: bytes) -> None:
        frame = memoryview(HEADER.pack(len(payload), id, kind) + payload)
        with self._sending:
            try:
                while frame:
                    frame = frame[os.write(self._out, frame) :]
            except OSError:
                os._exit(0)  # the parent is gone

    def finish(self, job: Job, kind: int, payload: bytes) -> None:
        self._jobs.pop(job.id, None)
        self.send(kind, job.id, payload)

    def read(self, jobs: SimpleQueue[Job]) -> None:
        while True:
            length, id, kind = HEADER.unpack(self._read_exactly(HEADER.size))
            payload = self._read_exactly(length)
            if kind == REQUEST:
                self._jobs[id] = job = Job(id, payload, self)
                jobs.put(job)
            elif (known := self._jobs.get(id)) is not None:
                known.take(kind, payload)

    def _read_exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            try:
                part = os.read(self._in, size - len(parts))
            except OSError:
                part = b""
            if not part:
                # The parent is gone. Leave at once: the other threads may be inside C code for a long time.
                os._exit(0)
            parts += part
        return bytes(parts)
