"""The sound of a recording, read back by the runs of samples that its lines name."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Final

import soundfile
from attrs import define, field

from rtassist.sessions.files import sound_path

_COUNTED: Final = 4096
"""Samples decoded at a time where the length is looked for: what libFLAC puts into a frame at this rate, so
that a file which ends in the middle of one is read to the last whole one."""
_LENGTH: Final = slice(18, 26)
"""Where a FLAC file's STREAMINFO holds its number of samples, in the lowest 36 bits (RFC 9639, 8.2).
libsndfile writes it when it closes the file; until then it is 0: unknown."""
_LENGTH_MASK: Final = (1 << 36) - 1


class Sound:
    """What the microphone heard and what the server sent, of the recording at `path` (`NAME.jsonl`).

    PCM16, mono, 24 kHz, always as many samples as were asked for: what is not there is silence, and counted
    in `mic_missing` and `voice_missing`, in samples. A file that was never closed, since the program was
    killed, is read to its last whole frame; finding that takes about a second for an hour, once. Nothing is
    written, so that a conversation can be listened to while it is recorded.
    """

    def __init__(self, path: Path) -> None:
        self._mic = _Track(sound_path(path, "mic"))
        self._voice = _Track(sound_path(path, "voice"))

    def __enter__(self) -> Sound:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        self._mic.close()
        self._voice.close()

    def mic(self, first: int, samples: int) -> bytes:
        """So many samples of the microphone, from `first` on."""
        return self._mic.read(first, samples)

    def voice(self, first: int, samples: int) -> bytes:
        """The same of what the server sent."""
        return self._voice.read(first, samples)

    @property
    def mic_missing(self) -> int:
        return self._mic.missing

    @property
    def voice_missing(self) -> int:
        return self._voice.missing


@define
class _Track:
    path: Path
    missing: int = 0
    _opened: bool = False
    _file: soundfile.SoundFile | None = None
    _mapped: mmap.mmap | None = field(default=None, repr=False)

    def read(self, first: int, samples: int) -> bytes:
        if not self._opened:
            self._open()
        pcm = b""
        if self._file is not None and 0 <= first < self._file.frames:
            try:
                self._file.seek(first)
                pcm = bytes(self._file.buffer_read(min(samples, self._file.frames - first), dtype="int16"))
            except soundfile.SoundFileError:
                self.close()  # libFLAC reads on from damage only when it begins again
        self.missing += samples - len(pcm) // 2
        return pcm + bytes(2 * samples - len(pcm))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._mapped is not None:
            self._mapped.close()
        self._file, self._mapped, self._opened = None, None, False

    def _open(self) -> None:
        self._opened = True
        try:
            with self.path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError):  # it is not there; it is empty
            return
        self._mapped = mapped
        try:
            if not int.from_bytes(mapped[_LENGTH]) & _LENGTH_MASK:
                known = int.from_bytes(mapped[_LENGTH]) | _whole_frames(mapped)
                mapped[_LENGTH] = known.to_bytes(8)
            mapped.seek(0)
            self._file = soundfile.SoundFile(mapped)
        except (soundfile.SoundFileError, ValueError, IndexError):  # no FLAC, or no whole header of one
            return


def _whole_frames(mapped: mmap.mmap) -> int:
    """Samples in a FLAC file whose header does not know, by decoding it."""
    mapped.seek(0)
    block = bytearray(2 * _COUNTED)
    samples = 0
    with soundfile.SoundFile(mapped) as file:
        try:
            while file.buffer_read_into(block, dtype="int16"):
                samples += _COUNTED
                block = bytearray(2 * _COUNTED)
        except soundfile.SoundFileError:
            # It fails behind the last frame, having read it. One that is silence is not told from none, and
            # is silence all the same.
            samples += _COUNTED if any(block) else 0
    return samples
