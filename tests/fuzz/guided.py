"""Bytes that find new branches, into what reads frames and recordings; needs atheris.

    python -m tests.fuzz.guided wire --seconds 60
    python -m tests.fuzz.guided journal --seconds 60

It begins with the golden recordings and ends with code 0 after so many seconds, or at what breaks, which it
writes to the working folder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

import atheris

with atheris.instrument_imports(include=["rtassist.protocol", "rtassist.sessions"]):
    from rtassist.protocol import BadFrame, decode, decode_client, decode_translation, encode
    from rtassist.sessions import foreign
    from rtassist.sessions.reading import Damaged
    from rtassist.sessions.replay import Replay

FOLDER: Final = Path(__file__).parents[1] / "recordings"
LONGEST: Final = 8_192


def told(problem: Exception) -> None:
    """It says something; what strangers wrote in it is made printable where it is shown."""
    assert str(problem).strip()


def wire(data: bytes) -> None:
    """An event that is written again as it was read, or BadFrame; the same for text and for bytes."""
    for read in (decode, decode_client, decode_translation):
        try:
            event = read(data)
        except BadFrame as bad:
            told(bad)
            continue
        assert read(encode(event)) == event
        assert read(data.decode()) == event


def journal(data: bytes) -> None:
    """As `rtassist replay` reads it: equal, different, or Damaged with the line."""
    lines = data.splitlines(keepends=True)
    first = lines[0] if lines else b""
    try:
        if foreign.is_log(first):
            foreign.check(lines)
            return
        replay = Replay(lines)
        for _ in replay.differences():
            pass
        replay.summary()
        replay.notes()
    except Damaged as damaged:
        told(damaged)


TARGETS: Final = {"wire": wire, "journal": journal}


def seeds(name: str, folder: Path) -> None:
    """A file for each frame, or for each golden recording's beginning."""
    number = 0
    for path in sorted(FOLDER.glob("*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        if name == "journal":
            whole = b"".join(lines)
            kept = [whole[:LONGEST]]
        else:
            kept = [line[line.index(b'{"type"') : -2] for line in lines if b'"server":{"type"' in line]
        for each in kept:
            (folder / f"{number:05}").write_bytes(each)
            number += 1


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided")
    parser.add_argument("target", choices=[*TARGETS])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=-1, help="at most so many (default: any number)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        seeds(arguments.target, Path(name))
        flags = [
            f"-max_total_time={arguments.seconds}",
            f"-seed={arguments.seed}",
            f"-runs={arguments.runs}",
            f"-max_len={LONGEST}",
        ]
        atheris.Setup([sys.argv[0], *flags, "-timeout=10", name], TARGETS[arguments.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
