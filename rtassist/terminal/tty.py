"""A terminal that is drawn on and whose keys are read one by one, and as it was before in the end.

Not for Windows, whose console has no such modes: there lines are read as anywhere else (see `keyboard`).
"""

from __future__ import annotations

import atexit
import errno
import os
import select
import sys
import termios
import time
from contextlib import suppress
from typing import TextIO

FLUSH_S = 0.5
"""How long the end waits for a terminal that takes nothing any more."""
PASTES, PASTES_NOT = "\x1b[?2004h", "\x1b[?2004l"
ASK_FOR_RELEASES = "\x1b[?u"
"""Whether it speaks the kitty protocol. One that does not says nothing."""
RELEASES, RELEASES_NOT = "\x1b[>27u", "\x1b[<u"
"""Every key as a sequence (8), with its text (16), also when it comes up (2), none in two meanings (1). The
terminal keeps a stack of such wishes: what is pushed once is popped once."""
_TIDY = f"\x1b[?2026l\x1b[?7h\x1b[?25h{PASTES_NOT}"


class Tty:
    """`log`: a descriptor that takes what anybody writes to stderr meanwhile: the C libraries of the sound
    system do, and it would stand in the middle of what is drawn."""

    def __init__(self, out: TextIO, typed: TextIO, log: int | None) -> None:
        self.typed = typed.fileno()
        self.behind = False
        """The terminal has not taken all that was written."""
        self._encoding = out.encoding
        self._out = _own(out.fileno())
        self._log = log
        self._unwritten = b""
        self._gone = False
        self._before: list[int | list[bytes | int]] | None = None
        self._stderr: int | None = None
        self._releases = False

    def fileno(self) -> int:
        return self._out

    def enter(self) -> None:
        """Take it, or again where somebody else has set its mode meanwhile. Its keys make signals as
        before, but for the one that would end the program at once."""
        taken = self._before is not None
        if not taken:
            self._before = termios.tcgetattr(self.typed)
            atexit.register(self.leave)
        raw = termios.tcgetattr(self.typed)
        flags, characters = raw[3], raw[6]
        assert isinstance(flags, int)
        assert isinstance(characters, list)
        assert isinstance(raw[0], int)
        raw[0] &= ~(termios.IXON | termios.INLCR)
        raw[3] = (flags | termios.ISIG) & ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0
        characters[termios.VQUIT] = b"\0"  # _POSIX_VDISABLE of Linux; nobody types it elsewhere
        _set(self.typed, raw)
        self._redirect()
        self.write(PASTES + (RELEASES if self._releases and not taken else ""))

    def report_releases(self) -> None:
        self._releases = True
        self.write(RELEASES)

    def leave(self) -> None:
        """Give it back as it was; once, however often it is called."""
        before, self._before = self._before, None
        if before is None:
            return
        atexit.unregister(self.leave)
        self.write((RELEASES_NOT if self._releases else "") + _TIDY)
        self._flush_all()
        with suppress(OSError, termios.error):
            _set(self.typed, before)
        self._take_back()

    def close(self) -> None:
        self.leave()
        os.close(self._out)

    def size(self) -> tuple[int, int]:
        """Columns and lines; of a terminal that does not know, the usual."""
        with suppress(OSError):
            size = os.get_terminal_size(self._out)
            if size.columns and size.lines:
                return size.columns, size.lines
        return 80, 24

    def write(self, text: str) -> bool:
        """Whether the terminal took it. Never waits: what it does not take now `flush` writes, when it is
        ready again."""
        self._unwritten += text.encode(self._encoding, "replace")
        self.flush()
        return not self.behind

    def flush(self) -> None:
        while self._unwritten and not self._gone:
            try:
                self._unwritten = self._unwritten[os.write(self._out, self._unwritten) :]
            except BlockingIOError:
                break
            except OSError:  # hung up: who reads the keys meets the same end and tells it
                self._gone = True
        if self._gone:
            self._unwritten = b""
        self.behind = bool(self._unwritten)

    def _flush_all(self) -> None:
        until_s = time.monotonic() + FLUSH_S
        while self._unwritten and (left_s := until_s - time.monotonic()) > 0:
            select.select([], [self._out], [], left_s)
            self.flush()
        self._unwritten = b""

    def _redirect(self) -> None:
        if self._log is None or self._stderr is not None or not os.isatty(2):
            return
        sys.stderr.flush()
        self._stderr = os.dup(2)
        os.dup2(self._log, 2)

    def _take_back(self) -> None:
        stderr, self._stderr = self._stderr, None
        if stderr is not None:
            with suppress(OSError):
                sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)


def usable(out: TextIO, typed: TextIO | None) -> bool:
    """Whether it is one terminal, and ours: a program in the background may not change it."""
    if typed is None or not (out.isatty() and typed.isatty()):
        return False
    try:
        return os.tcgetpgrp(typed.fileno()) == os.getpgrp()
    except OSError:  # a terminal that controls nobody
        return True


def _own(out: int) -> int:
    """A description of the terminal that is ours alone, so that nobody else finds that it does not block."""
    try:
        return os.open(os.ttyname(out), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return os.dup(out)


def _set(terminal: int, attributes: list[int | list[bytes | int]]) -> None:
    while True:
        try:
            termios.tcsetattr(terminal, termios.TCSANOW, attributes)
            return
        except termios.error as error:
            if error.args[0] != errno.EINTR:  # stopped in the background, and here again
                raise
