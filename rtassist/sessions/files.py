"""The files of a recording as they are written: private, and no disk can make them fail."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    import soundfile

Opener = Callable[[str, int], int]
"""Path and flags of os.open, to a descriptor."""

SAMPLE_RATE: Final = 24_000
_SILENCE: Final = bytes(2 * SAMPLE_RATE)


def sound_path(path: Path, track: Literal["mic", "voice"]) -> Path:
    """`NAME.mic.flac` or `NAME.voice.flac` beside `NAME.jsonl`."""
    return path.with_name(f"{path.stem}.{track}.flac")


def notes_path(path: Path) -> Path:
    """`NAME.notes.txt` beside `NAME.jsonl`."""
    return path.with_name(f"{path.stem}.notes.txt")


def private_folder(path: Path, *, tighten: bool) -> None:
    """Make the folder, for its owner alone. One that is there stays as it is, unless it is to be tightened.

    Raises OSError.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700, parents=True)
        tighten = True  # a umask may have taken the owner's rights
    if tighten and os.name == "posix" and path.stat().st_mode & 0o777 != 0o700:
        path.chmod(0o700)


def private(path: str, flags: int) -> int:
    """Opens a file that only its owner may read."""
    descriptor = os.open(path, flags, 0o600)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o600)  # whatever the umask took away
    return descriptor


def locked(descriptor: int) -> bool:
    """Takes an open file for this process until it is closed; False: another one has it.

    Where there are no such locks, on Windows and some network drives, everyone gets it.
    """
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


class Spill:
    """A new private file that takes everything: what the disk does not take waits in memory, in its order.
    While it is open it is `locked`.

    `write`, `seek` and `tell` are what a sound-file library wants of a file. `trouble` is the last error.
    """

    def __init__(self, path: Path, opener: Opener) -> None:
        """Raises OSError, also when the file is there already."""
        self._file = FileIO(path, "xb", opener=opener)
        locked(self._file.fileno())
        self._waiting = b""
        self._on_disk = 0
        self._position = 0
        self.trouble: OSError | None = None

    def write(self, data: bytes) -> int:
        at = self._position
        self._position += len(data)
        if at == self._on_disk + len(self._waiting):
            self._waiting += bytes(data)
            self.settled()
        elif at + len(data) <= self._on_disk:
            self._replace(at, data)
        return len(data)

    def settled(self) -> bool:
        """Whether everything is on the disk, after another try."""
        try:
            while self._waiting and (written := self._file.write(self._waiting)):
                self._on_disk += written
                self._waiting = self._waiting[written:]
        except OSError as error:
            self.trouble = error
        return not self._waiting

    def _replace(self, at: int, data: bytes) -> None:
        try:
            self._file.seek(at)
            self._file.write(data)
            self._file.seek(self._on_disk)
        except OSError as error:
            self.trouble = error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        starts = {
            os.SEEK_SET: 0,
            os.SEEK_CUR: self._position,
            os.SEEK_END: self._on_disk + len(self._waiting),
        }
        self._position = starts[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        raise OSError("a recording is not read while it is written")

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:  # a network's file system may say only now that it is full
            self.trouble = error


class Track:
    """A FLAC file, there from its first sample on.

    While the disk takes nothing, silence is encoded in place of the sound: 14 bytes for 170 ms, which can
    wait in memory, and leaves every later sample its number.
    """

    def __init__(self, path: Path, opener: Opener) -> None:
        self._path = path
        self._opener = opener
        self._spill: Spill | None = None
        self._flac: soundfile.SoundFile | None = None
        self._owed = 0  # samples of silence before the next one
        self._unmade: OSError | ImportError | None = None
        self._hopeless = False

    @property
    def trouble(self) -> OSError | ImportError | None:
        return self._spill.trouble if self._spill is not None else self._unmade

    def write(self, pcm: bytes) -> None:
        pcm = pcm[: len(pcm) & ~1]  # half a sample has no number
        if self._flac is None and not self._make():
            self._owed += len(pcm) // 2
            return
        assert self._spill is not None
        assert self._flac is not None
        if not self._spill.settled():
            self._owed += len(pcm) // 2
            pcm = b""
        while self._owed:
            block = min(self._owed, SAMPLE_RATE)
            self._flac.buffer_write(_SILENCE[: 2 * block], dtype="int16")
            self._owed -= block
        if pcm:
            self._flac.buffer_write(pcm, dtype="int16")

    def skip(self, samples: int) -> None:
        """So many samples are lost; silence stands for them."""
        self._owed += samples

    def close(self) -> None:
        if self._spill is None or self._flac is None:
            return
        self.write(b"")
        self._flac.close()
        self._spill.close()

    def _make(self) -> bool:
        if self._hopeless:
            return False
        try:
            import soundfile  # and numpy with it: in the writer's thread, and only when there is sound
        except (ImportError, OSError) as error:  # OSError: there is no libsndfile
            self._unmade, self._hopeless = error, True
            return False
        try:
            self._spill = Spill(self._path, self._opener)
        except OSError as error:
            self._unmade = error
            return False
        self._flac = soundfile.SoundFile(self._spill, "w", SAMPLE_RATE, 1, "PCM_16", format="FLAC")
        return True
