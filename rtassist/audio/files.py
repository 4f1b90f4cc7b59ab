"""A sound file as the microphone, a WAV file as the speaker."""

import os
import stat
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import numpy as np
import soundfile
import trio

from rtassist.audio import SAMPLE_RATE, SoundUnavailable
from rtassist.audio.clocked import ClockedSpeaker
from rtassist.audio.pcm import Resampler, samples_in, to_mono, to_pcm16

CHUNK_BYTES = 960
"""20 ms, what a microphone gives at a time."""
BLOCK_FRAMES = 4096
"""Frames decoded at a time: 43 to 512 ms of a file of 96 to 8 kHz, well under a millisecond of work."""
HEADER_BYTES = 44
SOUND_SUFFIXES = {f".{name.lower()}" for name in soundfile.available_formats()} | {
    ".aif",
    ".oga",
    ".opus",
    ".pcm",
}


def file_meant(name: str | None) -> Path | None:
    """The file that a user means who gives this as a microphone or speaker; None for a device."""
    if name is None:
        return None
    path = Path(name).expanduser()
    names_a_place = path.is_absolute() or name.startswith(".")
    return path if names_a_place or path.suffix.lower() in SOUND_SUFFIXES or os.path.isfile(path) else None


class FileMicrophone:
    """A sound file, heard at real time from its first `read` on, or as fast as it is read.

    Chunk n is due n·20 ms after the beginning whenever the one before was read, so that the file's
    time and the clock's do not drift apart.
    """

    live = False
    clips = False
    urgent = False

    def __init__(self, blocks: Iterator[bytes], *, fast: bool) -> None:
        self._blocks = blocks
        self._fast = fast
        self._decoded = bytearray()
        self._began_s: float | None = None
        self._read = 0

    async def read(self) -> bytes:
        await trio.lowlevel.checkpoint()
        while len(self._decoded) < CHUNK_BYTES and (block := next(self._blocks, None)) is not None:
            self._decoded += block
        if not self._decoded:
            raise trio.EndOfChannel
        chunk = bytes(self._decoded[:CHUNK_BYTES])
        if not self._fast:
            if self._began_s is None:
                self._began_s = trio.current_time()
            await trio.sleep_until(self._began_s + (self._read + samples_in(chunk)) / SAMPLE_RATE)
        self._read += samples_in(chunk)
        del self._decoded[:CHUNK_BYTES]
        return chunk


@asynccontextmanager
async def open_file_microphone(path: Path, *, fast: bool = False) -> AsyncIterator[FileMicrophone]:
    """Any file that libsndfile reads, of any rate, mixed to mono and resampled to 24 kHz.

    Raises SoundUnavailable when it is no such file or holds no sound.
    """
    await trio.lowlevel.checkpoint()
    with _readable(path) as file:
        if not file.frames:
            raise SoundUnavailable(f"{path} holds no sound: it is empty or was cut off after its header.")
        yield FileMicrophone(_decode(file, path), fast=fast)


@contextmanager
def _readable(path: Path) -> Iterator[soundfile.SoundFile]:
    try:
        kind = path.stat().st_mode
    except OSError as error:
        raise SoundUnavailable(f"Cannot read {path}: {_reason(error)}.") from error
    if stat.S_ISDIR(kind):
        raise SoundUnavailable(f"{path} is a folder: name a sound file in it.")
    if not stat.S_ISREG(kind):
        raise SoundUnavailable(f"{path} is no file. Raw PCM16 at 24 kHz, mono, can be piped in with '-'.")
    try:
        with path.open("rb"):
            pass  # for the reason why not: libsndfile says "System error."
        file = soundfile.SoundFile(path)
    except OSError as error:
        raise SoundUnavailable(f"Cannot read {path}: {_reason(error)}.") from error
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: .raw, whose rate nobody knows
        raise SoundUnavailable(
            f"{path} is no sound file that libsndfile can read (WAV, FLAC, Ogg, MP3 …). "
            "Raw PCM16 at 24 kHz, mono, can be piped in with '-'."
        ) from error
    with file:
        yield file


def _decode(file: soundfile.SoundFile, path: Path) -> Iterator[bytes]:
    resampler = Resampler(file.samplerate, SAMPLE_RATE)
    try:
        while len(frames := file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
            yield to_pcm16(resampler.push(to_mono(np.asarray(frames, dtype=np.float32))))
    except soundfile.SoundFileError as error:
        raise SoundUnavailable(f"{path} is damaged after {file.tell() / file.samplerate:.1f} s.") from error
    yield to_pcm16(resampler.finish())


@asynccontextmanager
async def open_file_speaker(path: Path, *, fast: bool = False) -> AsyncIterator[ClockedSpeaker]:
    """A new WAV file, PCM16 mono 24 kHz, holding what sounded when it sounded, counted from opening.

    It is a valid WAV file at any moment, whatever ends the process. A file that was there is
    overwritten. `fast`: no pacing and no silence, one piece of voice after the other.
    Raises SoundUnavailable when the file cannot be written.
    """
    await trio.lowlevel.checkpoint()
    if path.suffix.lower() in SOUND_SUFFIXES - {".wav"}:
        raise SoundUnavailable(f"{path} would not hold what its name says: only WAV files are written.")
    with _WavFile(path) as wav:
        speaker = ClockedSpeaker(wav.put, fast=fast)
        try:
            yield speaker
        finally:
            end = speaker.position()
            with suppress(SoundUnavailable):  # told already, by `play`; only the last silence is missing
                wav.extend(end)


class _WavFile:
    """A WAV file written out of order: silence is where nothing was put (a hole, which costs no disk)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._samples = 0
        try:
            if path.exists() and not path.is_file():
                what = "a folder" if path.is_dir() else "no regular file"
                raise SoundUnavailable(f"Cannot write sound to {path}: it is {what}. Name a .wav file.")
            if path.exists() and not _may_be_replaced(path):
                raise SoundUnavailable(
                    f"Cannot write sound to {path}: it is there and is no WAV file. Name a new one."
                )
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise self._unwritable(error) from error

    def __enter__(self) -> "_WavFile":
        try:
            self.put(0, b"")
        except SoundUnavailable:
            self._file.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()

    def put(self, position: int, pcm: bytes) -> None:
        try:
            self._write_at(HEADER_BYTES + 2 * position, pcm)
            self._samples = max(self._samples, position + samples_in(pcm))
            self._write_at(0, _wav_header(self._samples))
        except OSError as error:
            raise self._unwritable(error) from error

    def extend(self, samples: int) -> None:
        """Silence up to `samples` from the beginning."""
        if samples > self._samples:
            self.put(samples - 1, bytes(2))

    def _write_at(self, offset: int, data: bytes) -> None:
        self._file.seek(offset)
        while data:  # an unbuffered file may take a part, as a disk that is nearly full does
            data = data[self._file.write(data) :]

    def _unwritable(self, error: OSError) -> SoundUnavailable:
        return SoundUnavailable(f"Cannot write sound to {self._path}: {_reason(error)}.")


def _may_be_replaced(path: Path) -> bool:
    """A WAV file of before, or an empty one; a name that was mistyped must not cost somebody's text."""
    with path.open("rb") as file:
        return file.read(4) in (b"", b"RIFF")


def _wav_header(samples: int) -> bytes:
    """The 44 bytes before mono PCM16 at 24 kHz. Past 4 GiB (24 hours) sizes say "up to the end"."""
    data = min(samples * 2, 0xFFFFFFFF - 36)
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * 2, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", data + 36, b"WAVE") + fmt + struct.pack("<4sI", b"data", data)


def _reason(error: OSError) -> str:
    return (error.strerror or os.strerror(error.errno or 0)).lower()
