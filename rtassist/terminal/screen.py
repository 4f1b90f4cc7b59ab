"""The terminal as plain lines: the conversation on stdout, everything else on stderr."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Literal, TextIO

import attrs

from rtassist.dialogue.doing import Standing
from rtassist.dialogue.effects import Layout, Notice, Shown
from rtassist.errors import Failure, without_secrets
from rtassist.terminal import view
from rtassist.terminal.streams import coloured
from rtassist.terminal.view import Page, Style


class OutputClosed(Exception):  # noqa: N818 (named for what happened)
    """Whoever read what is printed has gone, as `head` does."""


class Screen:
    """Writes what is shown, at once.

    Raises OutputClosed when nobody reads the conversation any more, and Failure when it cannot be written.
    What cannot be written to `err` is lost: the conversation needs it least. A notice may quote a server, and
    a server may quote a key: `secrets` are not shown in one.
    """

    holds = False
    """As of `Live`, whose place it takes: no key is read here."""

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        style: Style,
        secrets: Sequence[str] = (),
        clock: Callable[[], str] = str,
    ) -> None:
        self.session = ""
        self._clock = clock
        self._out = out
        self._err = err
        self._style = style
        self._secrets = tuple(secrets)
        self._page = Page()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        yield

    def stands(self, standing: Callable[[], Standing]) -> None:
        """It is not shown here."""

    def lay_out(self, name: Literal["timestamps", "compact"], on: bool | None = None) -> None:
        """Timestamps or the compact form from now on, or no more; None: the other way than now."""
        self._style = attrs.evolve(
            self._style, **{name: not getattr(self._style, name) if on is None else on}
        )

    def show(self, shown: Shown) -> None:
        if isinstance(shown, Layout):
            self.lay_out(shown.name, shown.on)
            return
        if isinstance(shown, Notice):
            shown = attrs.evolve(shown, text=without_secrets(shown.text, self._secrets))
        style = self._style
        if style.streams:
            style = attrs.evolve(style, width=shutil.get_terminal_size().columns)
        self._page, out, err = view.show(self._page, shown, style, self._clock())
        self._write(out, err)

    def notice(self, text: str) -> None:
        self.show(Notice(text))

    def line_typed(self) -> None:
        """The user pressed Enter on this terminal."""
        self._page = view.line_typed(self._page)

    def close(self) -> None:
        """Write what was held back; the cursor stands at the beginning of a line afterwards."""
        rest, self._page = view.rest(self._page, self._style), Page()
        self._write(rest, "")

    def _write(self, out: str, err: str) -> None:
        try:
            if out:
                self._out.write(out)
                self._out.flush()
        except BrokenPipeError:
            raise OutputClosed from None
        except OSError as error:
            raise Failure(
                f"The conversation cannot be written out: {(error.strerror or str(error)).lower()}."
            ) from None
        if err:
            with suppress(OSError):
                self._err.write(err)
                self._err.flush()


def style_for(out: TextIO, typed: TextIO | None, environment: Mapping[str, str], *, plain: bool) -> Style:
    """How to write to `out` when lines are typed on `typed` (None: nothing is typed)."""
    terminal = out.isatty()
    typed_here = typed is not None and typed.isatty()
    colour = not plain and coloured(out, environment)
    return Style(streams=terminal and not plain, colour=colour, typed=not typed_here)
