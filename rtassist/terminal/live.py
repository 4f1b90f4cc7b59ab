"""The conversation on a terminal: it scrolls as text, below it stands how it goes and what is being typed.

Everything that is shown is in frozen values (`sheet`, `editor`, `Standing`); what is drawn is the difference
between two of them (`paint`). Words are drawn when they come, the rest ten times a second. Nothing here waits
for the terminal: while it takes nothing, nothing is drawn, and then the newest.
"""

from __future__ import annotations

import math
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Literal

import attrs
import trio

from rtassist import leaving
from rtassist.dialogue import events
from rtassist.dialogue.doing import Doing, Standing
from rtassist.dialogue.effects import Layout, Notice, Shown
from rtassist.errors import without_secrets
from rtassist.terminal import editor, footer, keys, paint, sheet
from rtassist.terminal.keys import Key
from rtassist.terminal.sheet import Look
from rtassist.terminal.tty import ASK_FOR_RELEASES, Tty
from rtassist.terminal.widths import Row

REDRAWN_S = 0.1
ESCAPE_S = 0.05
"""Behind the byte of the Escape key nothing follows; behind the same byte of a sequence its rest does, at
once or, over a network, soon."""
REPEATED_S = 0.1
"""A key that is held down repeats itself faster than this, and nobody taps so."""


class Live:
    """`opened` takes the terminal for as long as it lasts. What is shown before stands above what comes then.

    `pressed` brings what the user types and presses, also what came before somebody listens.
    """

    def __init__(
        self,
        tty: Tty,
        look: Look,
        *,
        clock: Callable[[], str],
        commands: Sequence[str] = (),
        secrets: Sequence[str] = (),
        talk_key: bool = False,
        reflows: bool = True,
    ) -> None:
        self.look = look
        self.session = ""
        """The name that is shown of it."""
        self.holds = False
        """The terminal tells when the talk key comes up; else it is tapped."""
        self._to_pressed, self.pressed = trio.open_memory_channel[events.Event](math.inf)
        self._tty = tty
        self._clock = clock
        self._secrets = tuple(secrets)
        self._talk_key = talk_key
        self._reflows = reflows
        self._editor = editor.Editor(commands=tuple(commands))
        self._sheet = sheet.Sheet()
        self._standing: Callable[[], Standing] = lambda: Standing(doing=Doing.CONNECTING)
        self._drawn = paint.Shown()
        self._size = tty.size()
        self._taken = False
        self._behind = trio.Event()
        self._held = False
        self._tapped_s = -math.inf

    @property
    def columns(self) -> int:
        """For which it is drawn."""
        return self._size[0]

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        leaving.give_back.append(self._end)
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(self._signals)
                self._take()
                for task in (self._read, self._tick, self._catch_up):
                    nursery.start_soon(task)
                if self._talk_key:
                    self._tty.write(ASK_FOR_RELEASES)
                yield
                nursery.cancel_scope.cancel()
        finally:
            leaving.give_back.remove(self._end)
            self._end()
            self._tty.close()

    def _end(self) -> None:
        self.close()
        self._give_back(Row())

    def show(self, shown: Shown) -> None:
        if isinstance(shown, Layout):
            self.lay_out(shown.name, shown.on)
            return
        if isinstance(shown, Notice):
            shown = attrs.evolve(shown, text=without_secrets(shown.text, self._secrets))
        self._sheet = sheet.show(self._sheet, shown, self.look, self._clock())
        self._draw()

    def notice(self, text: str) -> None:
        self.show(Notice(text))

    def stands(self, standing: Callable[[], Standing]) -> None:
        """The conversation does something else now; this is how to ask how it stands, from now on."""
        self._standing = standing
        self._draw()

    def lay_out(self, name: Literal["timestamps", "compact"], on: bool | None = None) -> None:
        """Timestamps or the compact form from now on, or no more; None: the other way than now."""
        self.look = attrs.evolve(self.look, **{name: not getattr(self.look, name) if on is None else on})
        self._draw()

    def close(self) -> None:
        """A conversation is over: nothing of what is open will come any more."""
        self._sheet = sheet.over(self._sheet)
        self._draw()

    def _take(self) -> None:
        self._tty.enter()
        self._taken = True
        self._size = self._tty.size()
        self._drawn = paint.Shown()
        self._tty.write("\r\x1b[J")
        self._draw()

    def _give_back(self, *below: Row) -> None:
        """Wipe what is not final; `below` is where the cursor then stands."""
        if not self._taken:
            return
        rows = below or (Row(),)
        self._tty.write(paint.repaint(self._drawn, rows, len(rows) - 1, 0, self.columns))
        self._taken = False
        self._tty.leave()

    def _draw(self) -> None:
        if not self._taken:
            return
        if self._tty.behind:
            self._behind.set()
            return
        columns, lines = self._size
        final, live, self._sheet = sheet.laid(self._sheet, self.look, columns)
        typed, column = footer.entry(self._editor, self.look, columns)
        space = [] if self.look.compact else [Row()]
        status = footer.status(self._standing(), self.look, columns, session=self.session)
        bottom = [*live, *space, status, typed][-max(1, lines - 1) :]
        rows = [*final, *bottom]
        out = paint.repaint(self._drawn, rows, len(rows) - 1, column, columns)
        self._drawn = paint.Shown(tuple(bottom), len(bottom) - 1, column)
        if not self._tty.write(out):
            self._behind.set()

    def _redraw(self) -> None:
        """The terminal has another size, or shows what it should not."""
        if self._taken:
            columns, lines = self._size = self._tty.size()
            self._tty.write(paint.wiped(self._drawn, columns, lines, reflows=self._reflows))
            self._drawn = paint.Shown()
            self._draw()

    async def _tick(self) -> None:
        while True:
            await trio.sleep(REDRAWN_S)
            self._draw()

    async def _catch_up(self) -> None:
        while True:
            await self._behind.wait()
            while self._tty.behind:
                await trio.lowlevel.wait_writable(self._tty.fileno())
                self._tty.flush()
            self._behind = trio.Event()

    async def _signals(self, task_status: trio.TaskStatus[None]) -> None:
        with trio.open_signal_receiver(signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT) as signals:
            task_status.started()
            async for number in signals:
                if number == signal.SIGTSTP:
                    self._give_back()
                    os.kill(os.getpid(), signal.SIGSTOP)
                    self._take()
                elif number == signal.SIGCONT:  # after a stop that we were not asked about
                    self._tty.enter()
                    self._redraw()
                else:
                    self._redraw()

    async def _read(self) -> None:
        pending = b""
        while True:
            escaped = pending.startswith(b"\x1b") and not pending.startswith(keys.PASTE)
            with trio.move_on_after(ESCAPE_S if escaped else math.inf) as waiting:
                await trio.lowlevel.wait_readable(self._tty.typed)
            data = b""
            if not waiting.cancelled_caught:
                with suppress(OSError):  # hung up
                    data = os.read(self._tty.typed, 65536)
                if not data:
                    self._to_pressed.send_nowait(events.Typed("/quit"))
                    return
            found, pending = keys.keys(pending + data, over=waiting.cancelled_caught)
            for key in found:
                self._press(key)
            self._draw()

    def _press(self, key: Key) -> None:
        line = self._editor.text
        if key.name == "reports":
            self.holds = True
            self._tty.report_releases()
        elif key.name in ("ctrl-c", "ctrl-z"):  # a terminal that reports every key makes no signal of it
            if key.action == "press":
                os.killpg(0, signal.SIGINT if key.name == "ctrl-c" else signal.SIGTSTP)
        elif self._talk_key and key.text.strip(" ") == "" and key.text and (self._held or not line):
            self._talk(key)
        elif key.action == "release":
            return
        elif key.name == "escape":
            self._to_pressed.send_nowait(events.Interrupted())
        elif key.name == "ctrl-d" and not line:
            self._to_pressed.send_nowait(events.Typed("/quit"))
        elif key.name == "ctrl-l":
            self._redraw()
        else:
            self._edit(key)

    def _edit(self, key: Key) -> None:
        self._editor, entered = editor.press(self._editor, key)
        if entered is None:
            return
        if entered.strip().startswith("/"):
            self._sheet = sheet.entered(self._sheet, entered.strip())
        self._to_pressed.send_nowait(events.Typed(entered))

    def _talk(self, key: Key) -> None:
        """The talk key: held, or tapped where nobody says when it comes up."""
        if not self.holds:
            before_s, self._tapped_s = self._tapped_s, trio.current_time()
            if self._tapped_s - before_s > REPEATED_S:
                self._to_pressed.send_nowait(events.Typed(""))
        elif key.action == "press":
            self._held = True
            self._to_pressed.send_nowait(events.TalkPressed())
        elif key.action == "release":
            self._held = False
            self._to_pressed.send_nowait(events.TalkReleased())
