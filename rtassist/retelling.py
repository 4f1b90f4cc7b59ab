"""`rtassist replay` with another look at a session: as text, as bars, as sound, or with one cause changed.

Each function takes the files that are meant, prints on stdout and gives the exit code of the worst.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from attrs import define, field

from rtassist import errors
from rtassist.sessions import checking, reading, what_if
from rtassist.sessions.reading import Damaged, Record
from rtassist.sessions.what_if import End
from rtassist.shelf import coloured, columns
from rtassist.terminal.streams import say

EXIT_DIFFERENT: Final = 1
EXIT_UNREADABLE: Final = 2


@define
class Opened:
    """A recording that is being read. `records` end where it is damaged; `problem` is then what is wrong."""

    path: Path
    header: dict[str, Any]
    records: Iterator[Record] = field(factory=lambda: iter(()))
    problem: str = ""

    def told(self) -> int:
        """Says what is wrong with it, if something is; the exit code."""
        if self.problem:
            say(f"rtassist: {self.path} is damaged: {self.problem}. What follows cannot be read.")
        return EXIT_UNREADABLE if self.problem else errors.EXIT_OK


@contextmanager
def opened(path: Path, end: End | None = None) -> Iterator[Opened]:
    """The recording at this path, as far as it can be read and is wanted.

    Raises SettingsWrong for what is none.
    """
    with _file(path) as file:
        try:
            recording = Opened(path, reading.header(file.readline()))
        except Damaged as damaged:
            raise errors.SettingsWrong([f"{path} cannot be replayed so: {damaged.reason}."]) from None

        def records() -> Iterator[Record]:
            try:
                yield from reading.records(file)
            except Damaged as damaged:
                recording.problem = str(damaged)

        recording.records = records() if end is None else what_if.until(records(), end)
        yield recording


def _file(path: Path) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise errors.SettingsWrong([f"{path} cannot be read: {reason}."]) from None


def show(arguments: Sequence[str], *, words: bool, waterfall: bool, until: End | None) -> int:
    """The conversations as text, and how long each turn waited."""
    from rtassist.sessions import drawing
    from rtassist.sessions import waterfall as bars
    from rtassist.sessions.transcript import transcript

    paths = checking.paths_meant(arguments)
    code = errors.EXIT_OK
    for path in paths:
        if len(paths) > 1:
            print(path)
        if words:
            with opened(path, until) as recording:
                told = transcript(recording.records)
                _print(drawing.show_lines(told, columns(), colour=coloured()))
                code = max(code, recording.told())
        if waterfall:
            with opened(path, until) as recording:
                waits = bars.waits(recording.records, recording.header)
                _print(bars.lines(waits, columns(), colour=coloured()))
                code = max(code, recording.told() if not words else code)
    return code


def render(arguments: Sequence[str], out: Path, *, until: End | None, ducked: float) -> int:
    """One recording as a stereo file, on the session's own timeline."""
    import soundfile

    from rtassist.sessions.files import private
    from rtassist.sessions.rendering import SAMPLE_RATE, rendered
    from rtassist.sessions.sound import Sound

    path = one_path(arguments, "--render")
    if out.suffix.lower() not in (".wav", ".flac"):
        raise errors.SettingsWrong([f"--render is {out}: must end in .wav or .flac."])
    if os.path.lexists(out):
        raise errors.SettingsWrong([f"{out} is there already and is not written over. Name a new file."])
    samples = 0
    try:
        with opened(path, until) as recording, Sound(path) as sound:
            with (
                open(out, "xb", opener=private) as file,
                soundfile.SoundFile(
                    file, "w", SAMPLE_RATE, 2, "PCM_16", format=out.suffix[1:].upper()
                ) as track,
            ):
                for block in rendered(recording.records, sound, ducked=ducked):
                    track.write(block)
                    samples += len(block)
            say_missing(sound.mic_missing, sound.voice_missing)
            code = recording.told()
    except (OSError, soundfile.SoundFileError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise errors.SettingsWrong([f"{out} cannot be written: {reason}."]) from None
    print(f"{out}: {samples / SAMPLE_RATE:.1f} s, microphone left, assistant right")
    return code


def one_path(arguments: Sequence[str], flag: str) -> Path:
    """The one recording that is meant. Raises SettingsWrong."""
    paths = checking.paths_meant(arguments)
    if len(paths) != 1:
        raise errors.SettingsWrong([f"{flag} takes one recording; these are {len(paths)}."])
    return paths[0]


def say_missing(mic_samples: int, voice_samples: int) -> None:
    """Both at 24 kHz. What is not recorded, or was redacted, is silent."""
    missing = [
        f"{samples / 24_000:.1f} s of {what}"
        for samples, what in ((mic_samples, "the microphone"), (voice_samples, "the assistant"))
        if samples
    ]
    if missing:
        say(f"Silent, for there is no sound of it: {' and '.join(missing)}.")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)
