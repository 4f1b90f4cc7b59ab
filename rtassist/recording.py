"""The recording that the settings mean: where it lies, what its first line says, what the user is told."""

from __future__ import annotations

import os
import platform
import secrets
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import attrs

from rtassist import __version__, errors
from rtassist.dialogue.effects import Notice
from rtassist.sessions.files import notes_path, private_folder, sound_path
from rtassist.sessions.journal import LEAST_SECRET
from rtassist.sessions.recorder import Recorder
from rtassist.settings import KEYS, OPTIONS, Secret, Settings, Trust

if TYPE_CHECKING:
    from rtassist.dialogue.terms import Terms
    from rtassist.sessions.journal import Note

SUFFIX: Final = ".jsonl"
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when it is read out
_NO_SECRET: Final = ("model", "deployment", "api-version", "intent", "call_id")
"""Parameters of a URL that servers are known to want; any other may be a key."""
_URLS: Final = frozenset(KEYS.values())
_SAID_ELSEWHERE: Final = {
    "instructions",
    "model",
    "url",
    "headers",
    "record",
    "record_audio",
    "resume",
    "allow_plaintext",
    "mcp",
    "hooks",
}


def sessions_folder() -> Path:
    """Where recordings lie when nobody says otherwise."""
    from platformdirs import user_data_path

    return user_data_path("rtassist", appauthor=False) / "sessions"


def new_name(now: datetime, tail: str) -> str:
    """`2026-11-22_17-12-05_k3f9`: sorts by time, and is no other's."""
    return f"{now:%Y-%m-%d_%H-%M-%S}_{tail}"


def place(settings: Settings, name: str) -> Path | None:
    """The file to record to; None: nothing is recorded.

    Raises errors.SettingsWrong where one of its files is there already: nothing is written over.
    """
    if settings.record is False:
        return None
    if settings.record is True:
        return sessions_folder() / f"{name}{SUFFIX}"
    # os.path: what cannot be looked at is met when it is written to.
    path = Path(os.path.abspath(os.path.expanduser(settings.record)))
    if path.suffix != SUFFIX or os.path.isdir(path):
        return path / f"{name}{SUFFIX}"
    for file in (path, sound_path(path, "mic"), sound_path(path, "voice"), notes_path(path)):
        if os.path.lexists(file):
            source = settings.source("record")
            raise errors.SettingsWrong(
                [f"{source} is {path}, but {file} is there already and is not written over. Name a new file."]
            )
    return path


@contextmanager
def recorded(
    settings: Settings, show: Callable[[Notice], None], say: Callable[[str], None]
) -> Iterator[Recording]:
    """What is held inside of this is recorded, in one recording, from its first conversation on.

    Closed on leaving, whatever the reason, and then `say` tells a command that plays it again: a line that is
    to be copied, so nothing may break it. Raises errors.SettingsWrong as `place`.
    """
    tail = "".join(secrets.choice(_LETTERS) for _ in range(4))
    recording = Recording(settings, place(settings, new_name(datetime.now(), tail)), show, say)
    try:
        yield recording
    finally:
        recording.close()


@attrs.define
class Recording:
    """One run of the program, or nothing, when nothing is to be recorded or can be."""

    _settings: Settings
    _path: Path | None
    _show: Callable[[Notice], None]
    _say: Callable[[str], None]
    _recorder: Recorder | None = None

    @property
    def path(self) -> Path | None:
        """The file that is being written; None: nothing is recorded."""
        return None if self._recorder is None else self._recorder.path

    @property
    def name(self) -> str:
        """What it is called; empty where nothing is recorded."""
        return "" if self._path is None else self._path.stem

    def begin(self, terms: Terms) -> Callable[[int, Note], None]:
        """A conversation begins; what is to be called with all that passes its door."""
        if self._recorder is None and self._path is not None:
            self._open(self._path)
        if self._recorder is None:
            return lambda now_us, what: None
        self._recorder.begin(terms)
        return self._recorder.note

    @property
    def notes(self) -> Path:
        """Where notes are kept: beside the recording, or in the program's folder, when there is none."""
        if self._recorder is None:
            return sessions_folder().parent / "notes.txt"
        return notes_path(self._recorder.path)

    def close(self) -> None:
        if self._recorder is None:
            return
        try:
            self._recorder.close()
        finally:
            again = f"rtassist replay {shlex.quote(str(self._recorder.path))}"
            self._say(f"To run this conversation again: {again}")

    def _open(self, path: Path) -> None:
        settings = self._settings
        try:
            private_folder(path.parent, tighten=settings.record is True)
            self._recorder = Recorder(
                path,
                about=about(settings, path.stem, datetime.now(UTC)),
                warn=lambda sentence: self._show(Notice(sentence, "warning")),
                secrets=secrets_of(settings),
                audio=settings.record_audio,
            )
        except (OSError, ValueError) as error:  # ValueError: a path that can be none
            self._path = None
            why = (getattr(error, "strerror", None) or str(error)).lower()
            self._show(
                Notice(
                    f"This conversation is not recorded: {path} cannot be written ({why}). "
                    "--record PATH names another place, --no-record none.",
                    "warning",
                )
            )
            return
        what = "recorded, with its sound" if settings.record_audio and not settings.text else "recorded"
        self._show(Notice(f"This conversation is {what}: {path} (--no-record turns it off)."))


def about(settings: Settings, name: str, started: datetime) -> dict[str, object]:
    """The first line of the recording: what it takes to understand it later, and no secret."""
    given = {
        option.name: getattr(settings, option.name)
        for option in OPTIONS
        if option.name not in _SAID_ELSEWHERE
        and settings.source(option.name).trust is not Trust.DEFAULT
        and not isinstance(getattr(settings, option.name), Secret)
    }
    given |= {name: without_secrets(str(given[name])) for name in given.keys() & _URLS}
    return {
        "id": name,
        "started": started.astimezone(UTC).isoformat(timespec="milliseconds"),
        "program": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "model": settings.model,
        "url": None if settings.embedded else without_secrets(settings.url),
        "audio": settings.record_audio,
        **({"resumed": settings.resume} if settings.resume else {}),
        "settings": given,
    }


def without_secrets(url: str) -> str:
    """The URL without user and password, and without parameters that may be keys."""
    parts = urlsplit(url)
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name in _NO_SECRET])
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def secrets_of(settings: Settings) -> list[str]:
    """All that no recording may hold: the keys, and what else URLs carry, as it is and percent-encoded."""
    values = [getattr(settings, option.name) for option in OPTIONS]
    found = [value.reveal() for value in values if isinstance(value, Secret)]
    found += [secret for server in settings.mcp for secret in server.secrets()]
    for _, header in settings.headers:
        value = header.reveal()
        forms = [value, value.partition(" ")[2]] if value.startswith(("Bearer ", "Basic ")) else [value]
        found += [form for form in forms if len(form) >= LEAST_SECRET]
    urls = (*(getattr(settings, name) for name in _URLS), *(server.url for server in settings.mcp))
    for url in filter(None, urls):
        parts = urlsplit(url)
        found += [part for part in (parts.username, parts.password) if part]
        for parameter in parts.query.split("&"):
            name, _, value = parameter.partition("=")
            if name not in _NO_SECRET:
                found += [value, unquote(value)]
    return found
