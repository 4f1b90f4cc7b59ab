"""The recording that the settings mean: where it lies, what its first line says, what the user is told."""

from __future__ import annotations

import platform
import secrets
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import attrs

from rtassist import __version__, errors
from rtassist.dialogue.effects import Notice
from rtassist.sessions.files import private_folder
from rtassist.sessions.recorder import Recorder
from rtassist.settings import OPTIONS, Secret, Settings, Trust

if TYPE_CHECKING:
    from rtassist.dialogue.state import Terms
    from rtassist.sessions.journal import Note

SUFFIX: Final = ".jsonl"
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when it is read out
_NO_SECRET: Final = ("model", "deployment", "api-version", "intent", "call_id")
"""Parameters of a URL that servers are known to want; any other may be a key."""
_SAID_ELSEWHERE: Final = {
    "instructions",
    "model",
    "url",
    "record",
    "record_audio",
    "resume",
    "allow_plaintext",
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

    Raises errors.SettingsWrong for a file that is there: a recording is never written over.
    """
    if settings.record is False:
        return None
    if settings.record is True:
        return sessions_folder() / f"{name}{SUFFIX}"
    path = Path(settings.record).expanduser().absolute()
    if path.suffix != SUFFIX or path.is_dir():
        return path / f"{name}{SUFFIX}"
    if path.exists():
        source = settings.source("record")
        raise errors.SettingsWrong(
            [f"{source} is {path}, which is there already and is not written over. Name a new file."]
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
    now = datetime.now().astimezone()
    path = place(settings, new_name(now, "".join(secrets.choice(_LETTERS) for _ in range(4))))
    recording = Recording(settings, path, now, show, say)
    try:
        yield recording
    finally:
        recording.close()


@attrs.define
class Recording:
    """One run of the program, or nothing, when nothing is to be recorded or can be."""

    _settings: Settings
    _path: Path | None
    _now: datetime
    _show: Callable[[Notice], None]
    _say: Callable[[str], None]
    _recorder: Recorder | None = None

    def begin(self, terms: Terms) -> Callable[[int, Note], None]:
        """A conversation begins; what is to be called with all that passes its door."""
        if self._recorder is None and self._path is not None:
            self._recorder = self._opened(self._path)
        if self._recorder is None:
            return lambda now_us, what: None
        self._recorder.begin(terms)
        return self._recorder.note

    def close(self) -> None:
        if self._recorder is None:
            return
        try:
            self._recorder.close()
        finally:
            again = f"rtassist replay {shlex.quote(str(self._recorder.path))}"
            self._say(f"To run this conversation again: {again}")

    def _opened(self, path: Path) -> Recorder | None:
        settings = self._settings
        sound = settings.record_audio and not settings.text
        try:
            private_folder(path.parent, tighten=settings.record is True)
            opened = Recorder(
                path,
                about=about(settings, path.stem, self._now),
                warn=lambda sentence: self._show(Notice(sentence, "warning")),
                secrets=secrets_of(settings),
                audio=settings.record_audio,
            )
        except OSError as error:
            self._path = None
            why = (error.strerror or str(error)).lower()
            self._show(
                Notice(
                    f"This conversation is not recorded: {path} cannot be written ({why}). "
                    "--record PATH names another place, --no-record none.",
                    "warning",
                )
            )
            return None
        what = "recorded, with its sound" if sound else "recorded"
        self._show(Notice(f"This conversation is {what}: {path} (--no-record turns it off)."))
        return opened


def about(settings: Settings, name: str, now: datetime) -> dict[str, object]:
    """The first line of the recording: what it takes to understand it later, and no secret."""
    given = {
        option.name: _plain(getattr(settings, option.name))
        for option in OPTIONS
        if option.name not in _SAID_ELSEWHERE
        and settings.source(option.name).trust is not Trust.DEFAULT
        and not isinstance(getattr(settings, option.name), Secret)
    }
    return {
        "id": name,
        "started": now.astimezone(UTC).isoformat(timespec="milliseconds"),
        "program": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "model": settings.model,
        "url": None if settings.embedded else without_secrets(settings.url),
        "audio": settings.record_audio,
        **({"resumed": settings.resume} if settings.resume else {}),
        "settings": given,
    }


def _plain(value: Any) -> object:
    return without_secrets(value) if isinstance(value, str) and "://" in value else value


def without_secrets(url: str) -> str:
    """The URL without user and password, and without parameters that may be keys."""
    parts = urlsplit(url)
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name in _NO_SECRET])
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def secrets_of(settings: Settings) -> list[str]:
    """All that no recording may hold: the keys, and what else URLs carry, as it is and percent-encoded."""
    values = [getattr(settings, option.name) for option in OPTIONS]
    found = [value.reveal() for value in values if isinstance(value, Secret)]
    for url in (value for value in values if isinstance(value, str) and "://" in value):
        parts = urlsplit(url)
        found += [part for part in (parts.username, parts.password) if part]
        for parameter in parts.query.split("&"):
            name, _, value = parameter.partition("=")
            if name not in _NO_SECRET:
                found += [value, unquote(value)]
    return found
