"""The log file: what the program met with, for whoever looks for a fault later. No words, no sound, no key.

Lines are written by a thread of its own, which opens the file a moment after the first: neither the start of
the program nor a conversation waits for it.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect, Send
from rtassist.dialogue.events import Event
from rtassist.errors import Failure, foreign_text, without_secrets

LOG: Final = logging.getLogger("rtassist")
MOST_BYTES: Final = 1_000_000
KEPT: Final = 3
"""Files of this size, the one that is written to included."""
OPENED_AFTER_S: Final = 1.0
"""Until then a start has other things to do: the import of logging.handlers takes 10 ms."""
CLOSE_S: Final = 1.0
_FORMAT: Final = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


def log_path() -> Path:
    """rtassist.log in the platform's folder for what a program notes for itself."""
    from platformdirs import user_state_path

    return user_state_path("rtassist", appauthor=False) / "rtassist.log"


@contextmanager
def logged(level: str, secrets: Sequence[str], path: Path | None = None) -> Iterator[None]:
    """What is logged inside of this goes to the log file: ours from `level` on, others' warnings, for what
    they say below that may hold what people say. What is raised here is logged, and goes on.
    """
    writer = _Writer(path, secrets)
    root = logging.getLogger()
    before = root.level, LOG.level
    root.addHandler(writer)
    root.setLevel(logging.WARNING)
    LOG.setLevel(level.upper())
    try:
        yield
    except Failure as failure:
        LOG.info("ended: %s", failure.message)
        raise
    except Exception:
        LOG.exception("ended by a bug")
        raise
    finally:
        root.removeHandler(writer)
        root.setLevel(before[0])
        LOG.setLevel(before[1])
        writer.finish()


class _Writer(logging.Handler):
    def __init__(self, path: Path | None, secrets: Sequence[str]) -> None:
        super().__init__()
        self._path = path
        self._lines = _Redacting(_FORMAT, secrets)
        self._records: SimpleQueue[logging.LogRecord | None] = SimpleQueue()
        self._finished = threading.Event()
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self._records.put(record)
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="log", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Write what is left, and wait for the disk no longer than a moment."""
        self._finished.set()
        self._records.put(None)
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _write(self) -> None:
        self._finished.wait(OPENED_AFTER_S)
        with suppress(OSError):  # what cannot be logged is lost: a conversation needs it least
            file = rotating(self._path or log_path())
            file.setFormatter(self._lines)
            while (record := self._records.get()) is not None:
                file.handle(record)
            file.close()


class _Redacting(logging.Formatter):
    """Formats a record, its traceback included, and takes out what may not be written."""

    def __init__(self, form: str, secrets: Sequence[str]) -> None:
        super().__init__(form)
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record), self._secrets)


def rotating(path: Path) -> logging.Handler:
    """A handler for the file, readable by its owner only. Raises OSError."""
    from logging.handlers import RotatingFileHandler

    class Private(RotatingFileHandler):
        def _open(self) -> Any:
            return open(self.baseFilename, self.mode, encoding="utf-8", opener=_owners)

        def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (its name in logging)
            """A full disk is no reason to write over the screen."""

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Private(path, maxBytes=MOST_BYTES, backupCount=KEPT - 1)


def _owners(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


_NOT_SHOWN: Final = (events.MicHeard, events.PlaybackAdvanced)
"""What is heard is seen where it is sent, and how far a voice is in what is shown of it."""


class EventLines:
    """What passes a conversation's door, as a line for each event: its time and its type, and no more."""

    def __init__(self) -> None:
        self._last = ""
        self._times = 0

    def saw(self, us: int, what: Event | Effect) -> list[str]:
        """What to show now. One that comes again and again is one line, and how often it came another."""
        name = named(what)
        if not name or name == self._last:
            self._times += bool(name)
            return []
        again = self.rest()
        self._last, self._times = name, 1
        return [*again, f"{us / 1_000_000:9.3f} s  {name}"]

    def rest(self) -> list[str]:
        return [f"{'':11}  {self._last} ×{self._times}"] if self._times > 1 else []


def named(what: Event | Effect) -> str:
    """`← response.created` from the server, `→ session.update` to it, `· typed` here; else empty."""
    if isinstance(what, events.ServerSaid):
        return f"← {foreign_text(what.event.type, (), 60)}"
    if isinstance(what, Send):
        return f"→ {what.event.type}"
    if isinstance(what, _NOT_SHOWN) or type(what).__module__ != events.__name__:
        return ""
    return f"· {type(what).__name__}"
