"""From the command to the conversation, and from Ctrl-C to the prompt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import Final

import trio

from bench.contenders import PEERS, command
from bench.figures import OURS, Figure
from bench.minute import Minute
from bench.plays import Played, play
from bench.program import PATIENCE_S, ended, environ, home, loopback, start, stop
from bench.row import CannotDo, Row, Samples

TALK: Final = ("-m", "rtassist", "talk", "--no-record")
PIPES: Final = ("--mic", "-", "--speaker", "none")
CHUNK: Final = bytes(960)
TYPED, SPOKEN, COLD = "typed", "spoken", "spoken, not read from the disk before"
EMBEDDED, LOADING = "own server, to its first word", "loading alone"
HELP, TIMES = "--help", "--help beside import typer"
READY = "whole program; a peer: its client alone"
IDLE, SPEAKING = "while nobody speaks", "while it speaks"

TELL_FILES: Final = """
import sys, rtassist.cli, rtassist.app, rtassist.audio.microphone
for module in list(sys.modules.values()):
    print(vars(module).get("__file__"), vars(module).get("__cached__"), sep="\\n")
"""


def _start(contender: str, quick: bool) -> Samples:
    environ()
    taken: dict[str, list[float]] = {name: [] for name in (TYPED, SPOKEN, COLD, EMBEDDED, LOADING)}
    for _ in range(2 if quick else 5):
        taken[TYPED].append(trio.run(started_ms, ("--text",), b"hello\n"))
        taken[SPOKEN].append(trio.run(started_ms, PIPES, CHUNK * 5))
        taken[EMBEDDED].append(first_word_ms())
        taken[LOADING].append(run_ms("-c", "import rtassist.cli, rtassist.app"))
    if hasattr(os, "posix_fadvise"):
        forget(read_at_start())
        taken[COLD].append(trio.run(started_ms, PIPES, CHUNK * 5))
    return taken


async def started_ms(
    arguments: tuple[str, ...], given: bytes, hesitates_s: float = 0.0, **more: str
) -> float:
    """The command is started → the server has the first frame that a client may send after
    `session.updated`: what was typed or spoken."""
    async with loopback(hesitates_s) as server:
        began_s = time.monotonic()
        process = start(*TALK, "--url", server.url, *arguments, more=more)
        try:
            assert process.stdin is not None
            process.stdin.write(given)
            process.stdin.flush()
            ready_s = await server.first("input_audio_buffer.append", "conversation.item.create")
        finally:
            stop(process)
    return (ready_s - began_s) * 1000


def first_word_ms() -> float:
    """The command is started → the answer of the program's own server to a line typed before begins."""
    began_s = time.monotonic()
    process = start(*TALK, "--offline", "--text", stdout=subprocess.PIPE)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        if not process.stdout.read(1):
            raise RuntimeError("it ended without an answer")
        return (time.monotonic() - began_s) * 1000
    finally:
        stop(process)


def run_ms(*arguments: str) -> float:
    """Waited for without a deadline: with one, `subprocess` looks for the end every 50 ms."""
    began_s = time.monotonic()
    process = start(*arguments, stdin=subprocess.DEVNULL)
    impatience = threading.Timer(PATIENCE_S, process.kill)
    impatience.start()
    code = process.wait()
    took_ms = (time.monotonic() - began_s) * 1000
    impatience.cancel()
    if code:
        raise RuntimeError(f"python {' '.join(arguments)} ended with {code}")
    return took_ms


def _ready(contender: str, quick: bool) -> Samples:
    if contender == OURS:
        environ()
        return {READY: [trio.run(started_ms, PIPES, CHUNK * 5)]}
    (played,) = play(command(contender), ("loaded",))
    return {READY: [ready_ms(played)]}


def ready_ms(played: Played) -> float:
    """Of the first scenario of a process. Raises CannotDo."""
    if not played.server["up"]:
        raise CannotDo("it sent no microphone")
    came_ns: int = played.server["up"][0][0]
    return (came_ns - played.began_ns) / 1e6


@cache
def read_at_start() -> tuple[Path, ...]:
    """Files of Python that a start loads."""
    command = [sys.executable, "-c", TELL_FILES]
    told = subprocess.run(command, env=environ(), cwd=home().name, check=True, capture_output=True, text=True)
    return tuple(Path(line) for line in told.stdout.splitlines() if Path(line).is_file())


def forget(paths: tuple[Path, ...]) -> None:
    """The system is to drop its copies of these files; those that another process has loaded it keeps."""
    for path in paths:
        file = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


def _help(contender: str, quick: bool) -> Samples:
    environ()
    taken: dict[str, list[float]] = {HELP: [], TIMES: []}
    for _ in range(4 if quick else 10):
        helped_ms, bound_ms = run_ms("-m", "rtassist", "--help"), run_ms("-c", "import typer")
        taken[HELP].append(helped_ms)
        taken[TIMES].append(helped_ms / bound_ms)
    return taken


def _leave(contender: str, quick: bool) -> Samples:
    environ()
    times = 1 if quick else 5
    return {
        IDLE: [trio.run(left_ms, False) for _ in range(times)],
        SPEAKING: [trio.run(left_ms, True) for _ in range(times)],
    }


async def left_ms(speaking: bool, **more: str) -> float:
    """SIGINT, as a terminal sends it → the process has ended, everything in it joined."""
    async with loopback() as server:
        process = start(*TALK, "--url", server.url, *PIPES, more=more)
        try:
            assert process.stdin is not None
            process.stdin.write(CHUNK * 5)
            process.stdin.flush()
            await server.first("input_audio_buffer.append")
            if speaking:
                assert server.client is not None
                turn = Minute(1)
                turn.turn(0)
                for frame in turn.frames:
                    if "rate_limits" not in frame and "response.done" not in frame:
                        await server.client.send_message(frame)
                await server.client.ping()  # its answer comes behind these frames
            asked_s = time.monotonic()
            process.send_signal(signal.SIGINT)
            return (await ended(process) - asked_s) * 1000
        finally:
            stop(process)


ROWS: Final = (
    Row(
        name="start",
        measures="The command is started → the server on this machine has the first thing that was typed or "
        "spoken, which a client sends once it has `session.updated`; from compiled files.",
        figures=(
            Figure(name=TYPED, unit="ms", limit=450),
            Figure(name=SPOKEN, unit="ms", limit=450),
            Figure(name=COLD, unit="ms"),
            Figure(name=EMBEDDED, unit="ms"),
            Figure(name=LOADING, unit="ms"),
        ),
        once=_start,
        rounds=3,
        quick_rounds=1,
    ),
    Row(
        name="ready",
        measures="A process is started → the server on this machine has the first microphone from it. Ours "
        "is `rtassist talk`; a peer is twenty lines around its client.",
        figures=(Figure(name=READY, unit="ms"),),
        once=_ready,
        contenders=(OURS, *PEERS),
        quick_rounds=1,
        rounds=3,
    ),
    Row(
        name="help",
        measures="`rtassist --help` is started → it has ended, beside a process that imports typer alone.",
        figures=(Figure(name=HELP, unit="ms"), Figure(name=TIMES, unit="×", limit=1.3)),
        once=_help,
        rounds=3,
        quick_rounds=1,
    ),
    Row(
        name="leave",
        measures="Ctrl-C in a spoken conversation → the process has ended, everything in it joined.",
        figures=(
            Figure(name=IDLE, unit="ms", limit=300, of="worst"),
            Figure(name=SPEAKING, unit="ms", limit=300, of="worst"),
        ),
        once=_leave,
        rounds=3,
        quick_rounds=1,
    ),
)
