"""Has a contender's process play scenarios with the scripted server's, and puts together what both report."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from attrs import frozen

from bench.row import CannotDo
from bench.scenarios import SCENARIOS, for_client

ROOT: Final = Path(__file__).parents[1]
STARTING_S: Final = 60.0
SCENARIO_S: Final = 15.0
"""Far more than the three seconds of a scenario, and the five that all of a peer takes to be imported."""


@frozen(kw_only=True)
class Played:
    scenario: str
    server: dict[str, Any]
    client: dict[str, Any]
    began_ns: int = 0
    """When the client's process was started: before the first scenario."""


@contextmanager
def child(command: Sequence[str], patience_s: float, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """Killed when the block is left, and when it has taken too long."""
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, **streams) as process:
        impatience = threading.Timer(patience_s, process.kill)
        impatience.start()
        try:
            yield process
        finally:
            impatience.cancel()
            process.kill()


def play(client: Sequence[str], names: Sequence[str]) -> list[Played]:
    """The scenarios one after the other, in one process of the client. Raises CannotDo."""
    scenarios = [json.dumps(for_client(SCENARIOS[name])) for name in names]
    patience_s = STARTING_S + SCENARIO_S * len(names)
    with (
        child([sys.executable, "-m", "bench.scripted"], patience_s, stdin=subprocess.PIPE) as server,
        tempfile.TemporaryFile("w+") as complaints,
    ):
        url = f"ws://127.0.0.1:{int(_line(server.stdout, 'the scripted server'))}/v1/realtime"
        began_ns = time.monotonic_ns()
        with child([*client, url, *scenarios], patience_s, stderr=complaints) as process:
            played = []
            for name in names:
                told = _told(process, complaints)
                if "cannot" in told:
                    raise CannotDo(told["cannot"])
                said = json.loads(_line(server.stdout, "the scripted server"))
                if told["scenario"] != name or said["scenario"] != name:
                    raise CannotDo(f"it played {told['scenario']!r} in the place of {name!r}")
                played.append(Played(scenario=name, server=said, client=told, began_ns=began_ns))
            return played


def _told(process: subprocess.Popen[str], complaints: IO[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    while line and not line.startswith("{"):  # what a package says by itself
        line = process.stdout.readline()
    if line:
        told: dict[str, Any] = json.loads(line)
        return told
    process.wait()
    complaints.seek(0)
    lines = (line.strip(" |") for line in complaints.read().splitlines())
    last = [line for line in lines if any(map(str.isalpha, line))]
    raise CannotDo(f"it failed: {last[-1] if last else 'without a word'}"[:200])


def _line(stream: IO[str] | None, whose: str) -> str:
    assert stream is not None
    line = stream.readline()
    if not line:
        raise CannotDo(f"{whose} ended")
    return line
