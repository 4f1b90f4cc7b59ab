"""The three standard streams as the rest of the program may take them: open, and fit for any character."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO


def make_usable() -> None:
    """Put the null device where a stream is closed (`rtassist <&- >&-`), and `?` where one lacks a letter.

    The descriptors too: else the next socket that is opened would be 1, and what is printed would go there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 (as long as the program)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (as long as the program)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def coloured(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written there may have colours: on a terminal that knows them, where nobody asked for
    none (https://no-color.org: NO_COLOR is set, and not empty).
    """
    knows = environment.get("TERM", "") not in ("", "dumb") or os.name == "nt"
    return stream.isatty() and knows and not environment.get("NO_COLOR")


def columns() -> int:
    """Columns of the terminal; 0, without end, for a file or a pipe, unless COLUMNS says otherwise."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return 0


def say(text: str) -> None:
    """A line on stderr. That nobody can read it there is no reason to end in another way."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def flushed() -> bool:
    """Write out what is held back, and say whether stdout took it.

    What could not be written is dropped: the interpreter would try again at its exit, and complain.
    """
    took = {sys.stdout: True, sys.stderr: True}
    for stream in took:
        try:
            stream.flush()
        except OSError:
            took[stream] = False
            drop(stream)
    return took[sys.stdout]


def drop(stream: TextIO) -> None:
    """From now on, what is written to `stream` goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
