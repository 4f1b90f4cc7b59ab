"""What a person sees and presses, as the settings and the terminal at hand mean it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, aclosing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

import attrs
import trio

from rtassist import errors
from rtassist.audio import Microphone
from rtassist.dialogue import events
from rtassist.dialogue.commands import TABLE
from rtassist.dialogue.doing import Standing
from rtassist.dialogue.effects import Effect
from rtassist.logs import log_path
from rtassist.recording import secrets_of
from rtassist.settings import Settings
from rtassist.terminal import keyboard
from rtassist.terminal.screen import Screen, style_for

if TYPE_CHECKING:
    from rtassist.terminal.live import Live
    from rtassist.terminal.machine import Machine

NOT_REFLOWING = ("linux", "rxvt", "screen")
"""Terminals that cut rows off when they get narrower. xterm is another, and tells its version."""


@contextmanager
def front_for(settings: Settings, environ: Mapping[str, str]) -> Iterator[Front]:
    """The screen and the file of events, if one is wanted. Raises errors.SettingsWrong where that cannot be
    opened."""
    typed = None if settings.mic == "-" else sys.stdin
    out = sys.stderr if settings.speaker == "-" else sys.stdout
    secrets = secrets_of(settings)
    with ExitStack() as stack:
        screen: Screen | Live | None = None
        if not settings.plain and settings.events != "-":
            screen = _live(settings, environ, out, typed, secrets, stack)
        if screen is None:
            style = attrs.evolve(
                style_for(out, typed, environ, plain=settings.plain),
                names=not settings.text or bool(typed and typed.isatty()),
                lines=settings.events != "-",
                timestamps=settings.timestamps,
                compact=settings.compact,
                quiet=settings.quiet,
            )
            screen = Screen(out, sys.stderr, style, secrets, _clock)
        machine = None
        if settings.events is not None:
            from rtassist.terminal.machine import Machine

            file = sys.stdout if settings.events == "-" else stack.enter_context(_events_file(settings))
            machine = Machine(file, secrets)
        yield Front(screen, out, typed is not None, machine)


@attrs.frozen
class Front:
    """The screen, and the stream that is under it, whether something can be typed, and the events' file."""

    screen: Screen | Live
    out: TextIO
    typed: bool
    machine: Machine | None = None

    def stands(self, standing: Callable[[], Standing]) -> None:
        self.screen.stands(standing)
        if self.machine is not None:
            self.machine.stands(standing)

    def noting(
        self, note: Callable[[int, events.Event | Effect], None]
    ) -> Callable[[int, events.Event | Effect], None]:
        """A conversation begins: `note`, and the file of events after it."""
        machine = self.machine
        if machine is None:
            return note
        machine.begin()

        def both(now_us: int, what: events.Event | Effect) -> None:
            note(now_us, what)
            machine.note(now_us, what)

        return both

    async def press(self, to_commands: trio.MemorySendChannel[events.Event]) -> None:
        """What the user types and presses, as events. The end of what a person types (Ctrl-D) means that the
        person leaves."""
        if not isinstance(self.screen, Screen):
            async for event in self.screen.pressed:
                await to_commands.send(event)
            return
        terminal = sys.stdin.isatty()
        async with aclosing(keyboard.lines(sys.stdin)) as lines:
            async for line in lines:
                if terminal:
                    self.screen.line_typed()
                await to_commands.send(events.Typed(line))
        await to_commands.send(events.Typed("/quit") if terminal else events.TypingEnded())

    def greeting(self, settings: Settings, heard: Microphone | None) -> str:
        """What to do now, for a person at a terminal; a pipe needs no invitation."""
        keys = "Enter" if isinstance(self.screen, Screen) else "Escape"
        if heard is not None and heard.live:
            how = self._talking() if settings.ptt else "Speak"
            return f"{how}. {keys} interrupts the answer, /help lists the commands, Ctrl-C leaves."
        return (
            "Type. /help lists the commands, Ctrl-C leaves." if sys.stdin.isatty() and heard is None else ""
        )

    def _talking(self) -> str:
        if isinstance(self.screen, Screen):
            return "Press Enter to talk, and again when you are done"
        if self.screen.holds:
            return "Hold the space bar to talk"
        return "Tap the space bar to talk, and again when you are done"


def _clock() -> str:
    return f"{datetime.now():%H:%M:%S}"


def _live(
    settings: Settings,
    environ: Mapping[str, str],
    out: TextIO,
    typed: TextIO | None,
    secrets: list[str],
    stack: ExitStack,
) -> Live | None:
    """The live screen, where there is a terminal that can do it. The console of Windows has no such modes:
    there, lines are typed and shown as anywhere else."""
    if os.name == "nt" or typed is None or environ.get("TERM", "") in ("", "dumb"):
        return None
    if not (out.isatty() and typed.isatty()):
        return None
    from rtassist.terminal.live import Live
    from rtassist.terminal.sheet import Look
    from rtassist.terminal.tty import Tty, usable

    if not usable(out, typed):
        return None
    look = Look(
        colour=not environ.get("NO_COLOR"),
        unicode="utf" in out.encoding.lower(),
        timestamps=settings.timestamps,
        compact=settings.compact,
        quiet=settings.quiet,
    )
    return Live(
        Tty(out, typed, stack.enter_context(_log())),
        look,
        clock=_clock,
        commands=tuple(f"/{entry.command.value}" for entry in TABLE),
        secrets=secrets,
        talk_key=settings.ptt and not settings.text,
        reflows=reflows(environ),
    )


def reflows(environ: Mapping[str, str]) -> bool:
    """Whether this terminal, as far as it tells, breaks its rows anew when it gets narrower."""
    if "TMUX" in environ:
        return True
    return "XTERM_VERSION" not in environ and not environ.get("TERM", "").startswith(NOT_REFLOWING)


@contextmanager
def _log() -> Iterator[int]:
    """The log file, for what others write to stderr. Where there can be none it is lost."""
    path = log_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:
        file = os.open(os.devnull, os.O_WRONLY)
    try:
        yield file
    finally:
        os.close(file)


def _events_file(settings: Settings) -> TextIO:
    assert settings.events is not None
    try:
        return open(os.path.expanduser(settings.events), "a", encoding="utf-8", errors="replace")
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        source = settings.source("events")
        raise errors.SettingsWrong(
            [f"{source} is {settings.events}, which cannot be written ({why})."]
        ) from None
