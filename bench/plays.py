"""Has a contender's process play scenarios with the scripted server's, and puts together what both report."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from attrs import frozen

from bench.row import CannotDo
from bench.scenarios import SCENARIOS, for_client

ROOT: Final = Path(__file__).parents[1]


@frozen(kw_only=True)
class Played:
    scenario: str
    server: dict[str, Any]
    client: dict[str, Any]


@contextmanager
def child(command: Sequence[str], **streams: Any) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def play(client: Sequence[str], names: Sequence[str]) -> list[Played]:
    """The scenarios one after the other, in one process of the client. Raises CannotDo."""
    scenarios = [json.dumps(for_client(SCENARIOS[name])) for name in names]
    with child([sys.executable, "-m", "bench.scripted"], stdin=subprocess.PIPE) as server:
        url = f"ws://127.0.0.1:{int(_line(server.stdout, 'the scripted server'))}/v1/realtime"
        with child([*client, url, *scenarios], stderr=subprocess.PIPE) as process:
            played = []
            for name in names:
                told = _told(process)
                if "cannot" in told:
                    raise CannotDo(told["cannot"])
                said = json.loads(_line(server.stdout, "the scripted server"))
                if told["scenario"] != name or said["scenario"] != name:
                    raise CannotDo(f"it played {told['scenario']!r} in the place of {name!r}")
                played.append(Played(scenario=name, server=said, client=told))
            return played


def _told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    while line and not line.startswith("{"):  # what a package says by itself
        line = process.stdout.readline()
    if line:
        told: dict[str, Any] = json.loads(line)
        return told
    lines = (line.strip(" |") for line in process.stderr.read().splitlines())
    last = [line for line in lines if any(map(str.isalpha, line))]
    raise CannotDo(f"it failed: {last[-1] if last else 'without a word'}"[:200])


def _line(stream: IO[str] | None, whose: str) -> str:
    assert stream is not None
    line = stream.readline()
    if not line:
        raise CannotDo(f"{whose} ended")
    return line
