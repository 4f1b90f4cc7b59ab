"""What is typed, line by line, without blocking anything else and without changing the terminal."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import AsyncGenerator
from itertools import groupby
from typing import TextIO

import trio

_LONGEST_LINE = 1_000_000
"""Characters. A pipe that never ends a line must not fill the memory."""
_PASTED_WITHIN_S = 0.005
"""Pasted text comes from a terminal by the line, as if typed, but at once. What is typed over an answer is to
silence it without delay, so no longer is waited for more of it."""


async def lines(source: TextIO) -> AsyncGenerator[str, None]:
    """The lines of a terminal, a pipe or a file, without their ends, until it ends.

    Lines that are pasted into a terminal are one, with line feeds inside: they are one thing to say, and else
    each would interrupt the answer to the one before. Commands among them stay lines of their own.

    Reads with `os.read` when there is something to read: making the descriptor non-blocking instead would
    do the same to stdout where both are one terminal, and lose output. A file, and Windows, where waiting
    for a console is not possible, are read in a thread.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pending = ""
    over = False
    while not over:
        data = await _read(source)
        over = not data
        if os.name != "nt" and source.isatty() and data.strip() and not data.startswith(b"/"):
            pasted, over = await _pasted(source.fileno())
            data += pasted
        pending += decoder.decode(data, final=over)
        *whole, pending = pending.split("\n")
        if over or len(pending) > _LONGEST_LINE:
            whole, pending = [*whole, pending] if pending else whole, ""
        whole = [line.rstrip("\r") for line in whole]
        for line in together(whole) if source.isatty() else whole:
            yield line


def together(pasted: list[str]) -> list[str]:
    """Lines that came at once, as what they are taken for: commands, and text between them in one piece."""
    told: list[str] = []
    for command, group in groupby(pasted, key=lambda line: line.startswith("/")):
        block = list(group)
        told += block if command else ["\n".join(block).strip("\n")]
    return told


async def _pasted(terminal: int) -> tuple[bytes, bool]:
    """What follows a line at once, and whether the terminal's end (Ctrl-D) does."""
    data = b""
    while True:
        with trio.move_on_after(_PASTED_WITHIN_S) as waiting:
            await trio.lowlevel.wait_readable(terminal)
        if waiting.cancelled_caught:
            return data, False
        try:
            more = os.read(terminal, 65536)
        except OSError:  # hung up
            more = b""
        if not more:
            return data, True
        data += more


async def _read(source: TextIO) -> bytes:
    try:
        descriptor = source.fileno()
    except (io.UnsupportedOperation, ValueError, AttributeError):
        return b""
    try:
        if os.name != "nt":
            await trio.lowlevel.wait_readable(descriptor)
            return os.read(descriptor, 65536)
    except OSError:
        pass  # a regular file cannot be waited for, and need not be
    try:
        return await trio.to_thread.run_sync(os.read, descriptor, 65536, abandon_on_cancel=True)
    except OSError:
        return b""
