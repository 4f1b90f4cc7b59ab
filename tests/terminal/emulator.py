"""A real pseudo-terminal with an emulator behind it: bytes in, screen out."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import pyte
import trio
from attrs import define, field

PATIENCE_S = 30


@define(eq=False)
class Emulator:
    """`inside` is the program's end. What it writes is shown when `until` or `read` looks."""

    outside: int
    inside: int
    screen: pyte.HistoryScreen
    stream: pyte.ByteStream
    written: bytearray = field(factory=bytearray)

    def lines(self) -> list[str]:
        """The screen, without the empty rows at its end."""
        lines = [line.rstrip() for line in self.screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def everything(self) -> list[str]:
        """What has scrolled away, and the screen."""
        columns = range(self.screen.columns)
        gone = ["".join(row[x].data for x in columns).rstrip() for row in self.screen.history.top]
        return [*gone, *self.lines()]

    def struck(self) -> str:
        """All that is struck through on the screen."""
        lines, columns = range(self.screen.lines), range(self.screen.columns)
        cells = (self.screen.buffer[y][x] for y in lines for x in columns)
        return "".join(cell.data for cell in cells if cell.strikethrough)

    def type(self, data: bytes) -> None:
        os.write(self.outside, data)

    def resize(self, columns: int, lines: int) -> None:
        """As a terminal that cuts off what does not fit, such as xterm; its program is told (SIGWINCH)."""
        screen = self.screen
        lost, y = screen.lines - lines, screen.cursor.y
        if lost > 0:
            # What is above the cursor scrolls away as far as it must; the emulator would drop the first rows.
            for _ in range(max(0, y - lines + 1)):
                screen.cursor.y = screen.lines - 1
                screen.index()
            y = min(y, lines - 1)
            screen.cursor.y = 0
            screen.insert_lines(lost)
        screen.resize(lines, columns)
        screen.cursor.y = y
        fcntl.ioctl(self.outside, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self) -> bytes:
        """Show what was written since."""
        got = bytearray()
        with suppress(BlockingIOError, OSError):
            while data := os.read(self.outside, 65536):
                got += data
        self.written += got
        # The emulator knows no `<` and `>` in sequences: these are questions to the keyboard.
        for sequence in (b"\x1b[<u", b"\x1b[>27u", b"\x1b[?u"):
            got = got.replace(sequence, b"")
        self.stream.feed(bytes(got))
        return bytes(got)

    async def until(self, done: Callable[[], object]) -> None:
        """Show what is written until `done`."""
        with trio.move_on_after(PATIENCE_S):
            while True:
                self.read()
                if done():
                    return
                await trio.sleep(0.005)
        raise AssertionError("it did not come to that:\n" + "\n".join(self.everything()))

    async def until_shown(self, words: str) -> None:
        await self.until(lambda: words in "\n".join(self.everything()))

    @contextmanager
    def streams(self) -> Iterator[tuple[TextIO, TextIO]]:
        """As a program has them: to write and to read."""
        with (
            open(os.dup(self.inside), "w", encoding="utf-8") as out,
            open(os.dup(self.inside), encoding="utf-8") as typed,
        ):
            yield out, typed

    def mode(self) -> list[object]:
        return termios.tcgetattr(self.inside)


@contextmanager
def terminal(columns: int = 80, lines: int = 24) -> Iterator[Emulator]:
    outside, inside = pty.openpty()
    os.set_blocking(outside, False)
    screen = pyte.HistoryScreen(columns, lines, history=2000)
    emulator = Emulator(outside, inside, screen, pyte.ByteStream(screen))
    emulator.resize(columns, lines)
    try:
        yield emulator
    finally:
        os.close(inside)
        os.close(outside)
