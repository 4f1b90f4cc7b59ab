"""What is typed, line by line, without blocking anything else and without changing the terminal."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import AsyncGenerator
from typing import TextIO

import trio

_LONGEST_LINE = 1_000_000
"""Characters. A pipe that never ends a line must not fill the memory."""


async def lines(source: TextIO) -> AsyncGenerator[str, None]:
    """The lines of a terminal, a pipe or a file, without their ends, until it ends.

    Reads with `os.read` when there is something to read: making the descriptor non-blocking instead would
    do the same to stdout where both are one terminal, and lose output. A file, and Windows, where waiting
    for a console is not possible, are read in a thread.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pending = ""
    while True:
        data = await _read(source)
        pending += decoder.decode(data, final=not data)
        *whole, pending = pending.split("\n")
        if not data or len(pending) > _LONGEST_LINE:
            whole, pending = [*whole, pending] if pending else whole, ""
        for line in whole:
            yield line.rstrip("\r")
        if not data:
            return


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
