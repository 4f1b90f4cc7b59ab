"""A spoken turn with the program's own server, stage by stage: the server's time, and the client's.

The real client and the real server are processes; between them stands a relay that forwards every frame and
notes when it passed. The question is written into the client's microphone pipe at the speed at which it is
spoken, and the answer is read from its loudspeaker pipe.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import cache
from typing import Final

import numpy as np
import orjson
import trio
from attrs import define, field
from pybase64 import b64decode
from trio_websocket import (
    ConnectionClosed,
    WebSocketConnection,
    WebSocketRequest,
    open_websocket_url,
    serve_websocket,
)

from bench.figures import Figure
from bench.program import PATIENCE_S, cpu_s, environ, family, home, start, stop
from bench.row import CannotDo, Row, Samples
from tests.conftest import missing_for_offline
from tests.talking import RATE, speech

QUESTIONS: Final = ("what_time_is_it_slt", "hello_rms")
CHUNK: Final = RATE // 50
AUDIBLE: Final = 0.03
"""Of the loudest sample, -30 dB: where a listener hears it begin and end; what is weaker is breath."""
PAUSE_S: Final = 1.0

UP, STOPPED, COMMITTED = "mic → socket", "end of speech → speech_stopped", "→ committed"
CREATED, DELTA, SAMPLE = "→ response.created", "→ first audio delta", "→ first sample out"
WHOLE, SERVER, CLIENT = "end of speech → first sample", "server's part", "client's part"
STAGES: Final = (STOPPED, COMMITTED, CREATED, DELTA, SAMPLE)
TAKEN_BY: Final = {UP: "client", **dict.fromkeys(STAGES, "server"), SAMPLE: "client"}
MARKS: Final = (
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "response.created",
    "response.output_audio.delta",
)
ONSET = "begin of speech → speech_started"
CLIENT_CPU, SERVER_CPU = "client's processor", "server's processor"


@define
class Relay:
    """Passes frames on, both ways, and keeps when."""

    behind: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """For the server behind, not for the client."""
    up: list[tuple[float, int]] = field(factory=list)
    """When, and how many samples had passed then."""
    down: list[tuple[float, str]] = field(factory=list)
    samples: int = 0
    came: trio.Event = field(factory=trio.Event)

    async def serve(self, request: WebSocketRequest) -> None:
        client = await request.accept()
        query = request.path.partition("?")[2]
        async with (
            open_websocket_url(f"{self.behind}?{query}", extra_headers=list(self.headers)) as server,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self.pass_up, client, server)
            nursery.start_soon(self.pass_down, server, client)

    async def pass_up(self, client: WebSocketConnection, server: WebSocketConnection) -> None:
        try:
            while True:
                frame = await client.get_message()
                came_s = time.monotonic()
                await server.send_message(frame)
                event = orjson.loads(frame)
                if event["type"] == "input_audio_buffer.append":
                    self.samples += len(b64decode(event["audio"])) // 2
                    self.up.append((came_s, self.samples))
        except ConnectionClosed:
            await server.aclose()

    async def pass_down(self, server: WebSocketConnection, client: WebSocketConnection) -> None:
        try:
            while True:
                frame = await server.get_message()
                came_s = time.monotonic()
                await client.send_message(frame)
                self.down.append((came_s, orjson.loads(frame)["type"]))
                self.came.set()
                self.came = trio.Event()
        except ConnectionClosed:
            await client.aclose()

    async def until(self, kind: str, since_s: float) -> None:
        with trio.fail_after(PATIENCE_S):
            while not any(type == kind and came_s >= since_s for came_s, type in self.down):
                await self.came.wait()

    def when_up(self, sample: int) -> float:
        """When the frame with this sample passed."""
        return next(came_s for came_s, samples in self.up if samples > sample)

    def when_down(self, kind: str, since_s: float) -> float:
        return next(came_s for came_s, type in self.down if type == kind and came_s >= since_s)


@define
class Talker:
    """Writes a microphone at real time, silence between the questions, and reads the loudspeaker."""

    microphone: int
    loudspeaker: int
    written: int = 0
    wrote_s: dict[int, float] = field(factory=dict)
    """When the chunk that ends at a sample was written."""
    heard_s: float = 0.0
    """When something audible last came out."""
    sounds: list[float] = field(factory=list)
    """When a voice began: audible samples behind half a second without."""
    question: bytes = b""
    chunk: trio.Event = field(factory=trio.Event)

    async def speak(self) -> None:
        began_s = trio.current_time()
        pipe = trio.lowlevel.FdStream(self.microphone)
        while True:
            chunk, self.question = self.question[: 2 * CHUNK], self.question[2 * CHUNK :]
            self.written += CHUNK
            self.wrote_s[self.written] = time.monotonic()
            await pipe.send_all(chunk.ljust(2 * CHUNK, b"\0"))
            await trio.sleep_until(began_s + self.written / RATE)
            self.chunk.set()
            self.chunk = trio.Event()

    async def hear(self) -> None:
        pipe = trio.lowlevel.FdStream(self.loudspeaker)
        while pcm := await pipe.receive_some(65536):
            if pcm.strip(b"\0"):
                now_s = time.monotonic()
                if now_s - self.heard_s > 0.5:
                    self.sounds.append(now_s)
                self.heard_s = now_s


@cache
def _questions() -> tuple[tuple[bytes, int, int], ...]:
    """PCM, and at which sample a listener hears it begin and end."""
    found = []
    for name in QUESTIONS:
        samples = speech(name)
        audible = np.flatnonzero(np.abs(samples) > AUDIBLE * np.abs(samples).max())
        found.append((samples.tobytes(), int(audible[0]), int(audible[-1])))
    return tuple(found)


def held(count: int) -> dict[str, list[float]]:
    """`count` questions and their answers, one after the other, behind one that is not counted: the server's
    voice and recognition load meanwhile."""
    server = subprocess.Popen(
        [sys.executable, "-m", "rtassist", "serve", "--port", "0"],
        env=environ(),
        cwd=home().name,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert server.stdout is not None
        relay = Relay(server.stdout.readline().decode().strip())
        return trio.run(through, relay, count, (), server.pid)
    finally:
        for pid in reversed(family(server.pid)[1:]):
            os.kill(pid, signal.SIGKILL)
        stop(server)


async def through(
    relay: Relay, count: int, arguments: tuple[str, ...] = (), server: int | None = None
) -> dict[str, list[float]]:
    """`held`, with the server behind the relay; `arguments` are the client's, `server` is its process."""
    async with trio.open_nursery() as nursery:
        listener = await nursery.start(serve_websocket, relay.serve, "127.0.0.1", 0, None)
        url = f"ws://127.0.0.1:{listener.port}/v1/realtime"
        command = ("-m", "rtassist", "talk", "--no-record", "--url", url, "--mic", "-", "--speaker", "-")
        client = start(*command, *arguments, stdout=subprocess.PIPE)
        try:
            assert client.stdin is not None
            assert client.stdout is not None
            talker = Talker(os.dup(client.stdin.fileno()), os.dup(client.stdout.fileno()))
            await relay.until("session.updated", 0)
            nursery.start_soon(talker.speak)
            nursery.start_soon(talker.hear)
            await _ask(talker, relay, 0)
            began_s = time.monotonic()
            processes = {CLIENT_CPU: [client.pid]} | ({SERVER_CPU: family(server)} if server else {})
            before = {name: cpu_s(pids) for name, pids in processes.items()}
            turns = [await _ask(talker, relay, number) for number in range(count)]
            minutes = (time.monotonic() - began_s) / 60
            busy = {name: (cpu_s(pids) - before[name]) / minutes for name, pids in processes.items()}
        finally:
            stop(client)
        nursery.cancel_scope.cancel()
    return {name: [turn[name] for turn in turns] for name in turns[0]} | {
        name: [s] for name, s in busy.items()
    }


async def _ask(talker: Talker, relay: Relay, number: int) -> dict[str, float]:
    """The times of one turn, in ms."""
    pcm, begin, end = _questions()[number % len(QUESTIONS)]
    asked_s = time.monotonic()
    first = talker.written
    sounds = len(talker.sounds)
    talker.question = pcm
    await relay.until("response.done", asked_s)
    with trio.fail_after(PATIENCE_S):
        while len(talker.sounds) == sounds or time.monotonic() - talker.heard_s < PAUSE_S:
            await talker.chunk.wait()
    return stages_ms(relay, talker, asked_s, first + begin, first + end, talker.sounds[sounds])


def stages_ms(
    relay: Relay, talker: Talker, asked_s: float, begin: int, end: int, sounded_s: float
) -> dict[str, float]:
    """`begin`, `end`: samples of the microphone; what passed before `asked_s` is of another turn."""
    written_s = next(at for samples, at in talker.wrote_s.items() if samples > end)
    ended_s = relay.when_up(end)
    marks_s = [ended_s, *(relay.when_down(kind, asked_s) for kind in MARKS), sounded_s]
    stages = {
        name: (later - earlier) * 1000
        for name, earlier, later in zip(STAGES, marks_s[:-1], marks_s[1:], strict=True)
    }
    onset_s = relay.when_down("input_audio_buffer.speech_started", asked_s) - relay.when_up(begin)
    up_ms = (ended_s - written_s) * 1000
    return stages | {
        UP: up_ms,
        CLIENT: up_ms + stages[SAMPLE],
        SERVER: sum(stages.values()) - stages[SAMPLE],
        WHOLE: up_ms + sum(stages.values()),
        ONSET: onset_s * 1000,
    }


def _turn(contender: str, quick: bool) -> Samples:
    if missing := missing_for_offline():
        raise CannotDo(missing)
    environ()
    return held(1 if quick else 6)


ROWS: Final = (
    Row(
        name="turn",
        measures="The end of a spoken question → the first sample of the answer out of the program, stage by "
        "stage, with its own server, which waits for 500 ms of silence first.",
        figures=(
            *(Figure(name=name, unit="ms") for name in (WHOLE, UP, *STAGES, CLIENT, SERVER, ONSET)),
            *(Figure(name=name, unit="s a minute") for name in (CLIENT_CPU, SERVER_CPU)),
        ),
        once=_turn,
        rounds=3,
        quick_rounds=1,
    ),
)
