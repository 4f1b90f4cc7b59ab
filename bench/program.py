"""The program as a user runs it: a process, from compiled files, with nothing of this machine's settings."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

import orjson
import trio
from attrs import define, field
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, serve_websocket

from tests.talking import environment

PATIENCE_S: Final = 60.0


@cache
def home() -> tempfile.TemporaryDirectory[str]:
    """An empty home, which also keeps the compiled files; gone when the suite ends."""
    return tempfile.TemporaryDirectory(prefix="rtassist-bench-")


@cache
def environ() -> dict[str, str]:
    """Compiled files are used, as they are after an installation, whatever is set here."""
    compiled = {"PYTHONPYCACHEPREFIX": str(Path(home().name) / "compiled")}
    own = {name: value for name, value in environment(Path(home().name)).items() if name[:7] != "PYTHOND"}
    made = own | compiled
    command = [sys.executable, "-m", "rtassist", "talk", "--offline", "--text", "--no-record"]
    subprocess.run(command, env=made, cwd=home().name, stdin=subprocess.DEVNULL, capture_output=True)
    return made


def start(
    *arguments: str,
    stdin: int | IO[Any] = subprocess.PIPE,
    stdout: int = subprocess.DEVNULL,
    more: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """`python` with these arguments, and `more` in its environment. The caller ends it."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environ() | dict(more or {}),
        cwd=home().name,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
    )


@define
class Loopback:
    """A server on this machine that agrees to every session; all that it got is kept, with the time.

    `url`: for `--url`. Times are `time.monotonic()`, the one clock of all processes of a machine.
    """

    url: str = ""
    hesitates_s: float = 0.0
    """Before it agrees."""
    client: WebSocketConnection | None = None
    got: list[tuple[float, str]] = field(factory=list)
    _came: trio.Event = field(factory=trio.Event)

    async def serve(self, request: WebSocketRequest) -> None:
        client = await request.accept()
        self.client = client
        try:
            await self.say("session.created", session={"type": "realtime", "id": "sess_1"})
            while True:
                frame = await client.get_message()
                now_s = time.monotonic()
                event = orjson.loads(frame)
                kind = event["type"]
                if kind == "session.update":
                    await trio.sleep(self.hesitates_s)
                    await self.say("session.updated", session=event["session"])
                self.got.append((now_s, kind))
                self._came.set()
                self._came = trio.Event()
        except ConnectionClosed:
            return

    async def say(self, kind: str, **fields: Any) -> None:
        assert self.client is not None
        await self.client.send_message(orjson.dumps({"type": kind, "event_id": "e", **fields}).decode())

    async def first(self, *kinds: str) -> float:
        """When the first frame of one of these kinds came; waits for it."""
        with trio.fail_after(PATIENCE_S):
            while True:
                for came_s, kind in self.got:
                    if kind in kinds:
                        return came_s
                await self._came.wait()


@asynccontextmanager
async def loopback(hesitates_s: float = 0.0) -> AsyncIterator[Loopback]:
    server = Loopback(hesitates_s=hesitates_s)
    async with trio.open_nursery() as nursery:
        listener = await nursery.start(serve_websocket, server.serve, "127.0.0.1", 0, None)
        server.url = f"ws://127.0.0.1:{listener.port}/v1/realtime"
        yield server
        nursery.cancel_scope.cancel()


async def ended(process: subprocess.Popen[bytes]) -> float:
    """When it had ended; kills it when that takes too long."""
    with trio.move_on_after(PATIENCE_S) as waiting:
        await trio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
    if waiting.cancelled_caught:
        process.kill()
        raise TimeoutError(f"{process.args!r} did not end")
    return time.monotonic()


def stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def cpu_s(pids: Sequence[int]) -> float:
    """What the processor did for these processes so far, with all threads (Linux)."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Resident (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def family(pid: int) -> list[int]:
    """A process and all that came of it (Linux)."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            found += family(int(child))
    return found
