"""Recordings kept in a folder: `ID.jsonl`, and the audio `ID.mic.flac` and `ID.voice.flac` beside it.

The folder is the truth. What is known of the files in it stands in `.index.sqlite` beside them, which can be
deleted at any time.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from attrs import evolve

from rtassist.errors import Failure
from rtassist.sessions import repository
from rtassist.sessions.files import locked, notes_path
from rtassist.sessions.index import BUSY_S, Index, Stamp
from rtassist.sessions.repository import BeingRecorded, Described, Kept, Match, NotKept, State

TEXT: Final = ".jsonl"
AUDIO: Final = (".mic.flac", ".voice.flac")
INDEX: Final = ".index.sqlite"


class Disk:
    """A `Repository` in `folder`, which need not be there. Several processes may use it at once."""

    def __init__(self, folder: Path, *, full_text: bool = True, busy_s: float = BUSY_S) -> None:
        """`full_text`, `busy_s`: as for `Index`."""
        self.folder = folder
        self._index = Index(folder / INDEX, full_text=full_text, busy_s=busy_s)

    def path(self, id: str) -> Path:
        return self.folder / (id + TEXT)

    def all(self) -> list[Kept]:
        files = self._files()
        if not (stamps := _stamps(files)):
            return []
        kept = self._index.all(stamps, self.described)
        return repository.newest_first(_beside(one, files) for one in kept)

    def find(self, name: str) -> str:
        ids = _stamps(self._files())
        if name == repository.NEWEST and name not in ids:
            return repository.newest(self.all())
        return repository.found(name, ids)

    def load(self, id: str) -> Iterator[bytes]:
        try:
            file = self.path(id).open("rb")
        except FileNotFoundError:
            raise NotKept(f"There is no recording {id} in {self.folder}.") from None
        except OSError as error:
            raise _failure(f"{self.path(id)} cannot be read", error) from None
        return _lines(file, self.path(id))

    def search(self, words: str) -> list[Match]:
        if not (stamps := _stamps(self._files())):
            return []
        matches = self._index.search(words, stamps, self.described)
        age = {kept.id: place for place, kept in enumerate(self.all())}
        return sorted((m for m in matches if m.id in age), key=lambda match: age[match.id])

    def check_over(self, id: str) -> None:
        """Raises NotKept; and BeingRecorded while a program holds its file as a recorder does."""
        path = self.path(id)
        if not path.is_file():
            raise NotKept(f"There is no recording {id} in {self.folder}.")
        with suppress(OSError), path.open("rb") as file:
            if not locked(file.fileno()):
                raise BeingRecorded(id)

    def save(self, id: str, lines: Iterable[bytes]) -> None:
        with suppress(NotKept):
            self.check_over(id)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.path(id), lines)
        self._refresh()

    def drop_audio(self, id: str) -> None:
        self.check_over(id)
        for ending in AUDIO:
            _delete(self.folder / (id + ending))

    def forget(self, id: str) -> None:
        self.drop_audio(id)
        _delete(notes_path(self.path(id)))
        _delete(self.path(id))
        self._refresh()

    def _refresh(self) -> None:
        """Words that are gone are not to stay in the index, where there is one."""
        if os.path.exists(self.folder / INDEX):
            self.all()

    def _files(self) -> dict[str, os.stat_result]:
        """The files in the folder, by name; what is no file is left out."""
        files = {}
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    # Deleted meanwhile, a link to nothing or in a circle, or a name that is no text.
                    with suppress(OSError, UnicodeEncodeError):
                        found = entry.stat()
                        if stat.S_ISREG(found.st_mode) and not entry.name.startswith("."):
                            entry.name.encode()
                            files[entry.name] = found
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise _failure(f"{self.folder} cannot be read", error) from None
        return files

    def kept(self, id: str) -> Kept:
        """What is known of one of them, read now."""
        files = {}
        for name in (id + ending for ending in (TEXT, *AUDIO)):
            with suppress(OSError):
                files[name] = os.stat(self.folder / name)
        return _beside(self.described(id).kept, files)

    def described(self, id: str) -> Described:
        """What is in a file, read now; its size and the audio beside it are not looked at."""
        try:
            with self.path(id).open("rb") as file:
                return repository.described(id, file, os.fstat(file.fileno()).st_mtime)
        except OSError as error:
            return Described(Kept(id=id, state=State.DAMAGED, problem=_reason(error)))


def write_private(path: Path, lines: Iterable[bytes]) -> None:
    """Write a file that only its owner can read: whole, or not at all. Raises Failure.

    What `lines` raise passes through.
    """
    try:
        number, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)  # 0600
    except OSError as error:
        raise _failure(f"{path} cannot be written", error) from None
    try:
        with os.fdopen(number, "wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())  # before it takes the place of another
        os.replace(name, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(name)
        if isinstance(error, OSError):
            raise _failure(f"{path} cannot be written", error) from None
        raise


def copy_private(source: Path, path: Path) -> None:
    """Write a file with what stands in another one, as `write_private`. Raises Failure."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise _failure(f"{source} cannot be read", error) from None
    write_private(path, _lines(file, source))


def _lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    with file:
        try:
            yield from file
        except OSError as error:
            raise _failure(f"{path} cannot be read", error) from None


def _stamps(files: dict[str, os.stat_result]) -> dict[str, Stamp]:
    return {
        name.removesuffix(TEXT): (found.st_mtime_ns, found.st_size)
        for name, found in files.items()
        if name.endswith(TEXT)
    }


def _beside(kept: Kept, files: dict[str, os.stat_result]) -> Kept:
    audio = [files[kept.id + ending].st_size for ending in AUDIO if kept.id + ending in files]
    text = files.get(kept.id + TEXT)
    return evolve(kept, size=sum(audio) + (text.st_size if text else 0), audio=bool(audio))


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _failure(f"{path} cannot be deleted", error) from None


def _failure(what: str, error: OSError) -> Failure:
    return Failure(f"{what}: {_reason(error)}.")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
