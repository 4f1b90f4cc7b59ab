"""What a long conversation costs: a minute of it, and memory and speed over ten thousand turns."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from itertools import count, cycle
from pathlib import Path
from typing import Final

import numpy as np
import trio

from bench import recording
from bench.figures import Figure
from bench.minute import Minute, minute
from bench.program import Loopback, cpu_s, environ, loopback, memory_mb, start, stop
from bench.row import CannotDo, Row, Samples

PIPES: Final = ("--mic", "-", "--speaker", "none")
CHUNK_S: Final = 0.02
RATE: Final = 24_000
CHUNK_BYTES: Final = 960
TURN_S, SPOKEN_S = 15, 6
"""Of each quarter of a minute the user speaks for so long, as in `bench.hour`; else the room is heard."""
DELTAS: Final = 4
"""Of each turn's 75, so that ten thousand turns are an hour and six minutes of sound."""
TURNS: Final = {True: 300, False: 10_000}
SETTLED_TURNS: Final = 5_000
"""By two thirds of them all of the history that is kept is there; before that memory grows, and is to."""
SETTLED_S: Final = 1.0
"""After the start, of which a row of its own tells."""
LOOKS: Final = 60
"""At the memory, over all turns."""
CPU, EVENTS, MEMORY = "duplex conversation", "events as fast as they come", "memory"
SLOPE, SLOWER = "memory's growth", "a turn at the end beside one at the beginning"


def turn_frames(seed: int = 1) -> Iterator[list[str]]:
    """Turn after turn, each of its own ids."""
    made = Minute(seed)
    for number in count():
        made.frames.clear()
        made.turn(number * 1000)
        audio = [n for n, frame in enumerate(made.frames) if '"response.output_audio.delta"' in frame[:60]]
        left_out = set(audio[DELTAS:])
        yield [frame for n, frame in enumerate(made.frames) if n not in left_out]


def _duplex(contender: str, quick: bool) -> Samples:
    _need_proc()
    environ()
    return {CPU: [trio.run(duplex, float(TURN_S))]}


async def duplex(seconds: float) -> float:
    """CPU seconds a minute: 50 chunks a second up, a minute's frames of a server in a minute down."""
    async with loopback() as server, trio.open_nursery() as nursery:
        process = start("-m", "rtassist", "talk", "--no-record", "--url", server.url, *PIPES)
        try:
            assert process.stdin is not None
            pipe = trio.lowlevel.FdStream(os.dup(process.stdin.fileno()))
            nursery.start_soon(_speak, pipe)
            await server.first("input_audio_buffer.append")
            frames = minute()[2:]
            client = server.client
            assert client is not None
            await trio.sleep(SETTLED_S)
            busy_s, began_s = cpu_s([process.pid]), time.monotonic()
            for number in range(round(len(frames) * seconds / 60)):
                await client.send_message(frames[number])
                due_s = began_s + 60 * (number + 1) / len(frames)
                await trio.sleep(max(0.0, due_s - time.monotonic()))
            took_s = time.monotonic() - began_s
            return (cpu_s([process.pid]) - busy_s) * 60 / took_s
        finally:
            stop(process)
            nursery.cancel_scope.cancel()


@cache
def heard() -> list[bytes]:
    """Chunks of what a microphone hears in one turn: speech, and the noise of a quiet room."""
    speech = np.frombuffer(recording.speech(), "<i2")[: SPOKEN_S * RATE]
    room = np.random.default_rng(2).normal(0, 8, (TURN_S - SPOKEN_S) * RATE)
    pcm = np.concatenate([speech, np.rint(room).astype("<i2")]).tobytes()
    return [pcm[at : at + CHUNK_BYTES] for at in range(0, len(pcm), CHUNK_BYTES)]


async def _speak(pipe: trio.abc.SendStream) -> None:
    began_s = trio.current_time()
    for number, chunk in enumerate(cycle(heard()), 1):
        await pipe.send_all(chunk)
        await trio.sleep_until(began_s + number * CHUNK_S)


def _turns(contender: str, quick: bool) -> Samples:
    _need_proc()
    environ()
    return trio.run(turns, TURNS[quick], ("--speaker", "none", "--fast"))


async def turns(number: int, arguments: tuple[str, ...]) -> dict[str, list[float]]:
    """So many turns as fast as the client takes them, recorded as usual. It has taken what stands before a
    ping that it answers."""
    with tempfile.TemporaryDirectory() as folder:
        async with loopback() as server:
            record = ("--record", str(Path(folder) / "turns.jsonl"))
            process = start("-m", "rtassist", "talk", "--url", server.url, "--mic", "-", *arguments, *record)
            try:
                await server.first("session.update")
                return await _flooded(server, process.pid, number)
            finally:
                stop(process)


async def _flooded(server: Loopback, pid: int, number: int) -> dict[str, list[float]]:
    client = server.client
    assert client is not None
    every = max(1, number // LOOKS)
    made = turn_frames()
    memory: list[float] = []
    took_s: list[float] = []
    sent = 0
    for _ in range(number // every):
        frames = [frame for _ in range(every) for frame in next(made)]
        began_s = time.monotonic()
        for frame in frames:
            await client.send_message(frame)
        await client.ping()
        took_s.append(time.monotonic() - began_s)
        sent += len(frames)
        memory.append(memory_mb(pid))
    taken = {
        EVENTS: [sent / len(took_s) / s for s in took_s],
        MEMORY: memory,
        SLOWER: [end_beside_beginning(took_s)],
    }
    if number >= SETTLED_TURNS:
        taken[SLOPE] = [slope(memory[2 * len(memory) // 3 :]) / every * 1000]
    return taken


def slope(values: list[float]) -> float:
    """By how much they grow from one to the next: least squares."""
    return statistics.linear_regression(range(len(values)), values).slope


def end_beside_beginning(took_s: list[float]) -> float:
    fifth = max(1, len(took_s) // 5)
    return statistics.median(took_s[-fifth:]) / statistics.median(took_s[:fifth])


def _need_proc() -> None:
    if not sys.platform.startswith("linux"):
        raise CannotDo("memory and processor of another process are read from Linux's /proc")


ROWS: Final = (
    Row(
        name="duplex",
        measures="A minute of conversation in both directions, at its own speed → seconds of the processor, "
        "of all threads.",
        figures=(Figure(name=CPU, unit="s a minute", limit=1.4),),
        once=_duplex,
        rounds=3,
        quick_rounds=1,
    ),
    Row(
        name="turns",
        measures="10,000 turns with an hour of sound (--quick: 300), sent as fast as they are taken → events "
        "a second, and resident memory, which grows until all of the history is there that is kept: after "
        "thousands of turns; recorded, as usual.",
        figures=(
            Figure(name=EVENTS, unit="a second", more_is_better=True),
            Figure(name=MEMORY, unit="MB"),
            Figure(name=SLOPE, unit="MB for 1,000 turns", limit=0.5),
            Figure(name=SLOWER, unit="×", limit=1.2),
        ),
        once=_turns,
        rounds=1,
        quick_rounds=1,
    ),
)
