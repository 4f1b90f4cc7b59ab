"""`rtassist talk` as a process, and which samples of a voice are in what it sounded."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
import soundfile
import soxr
import trio
from numpy.typing import NDArray

from rtassist.server.synthesis import open_synthesiser

Samples = NDArray[np.int16]

ROOT = Path(__file__).parents[1]
RATE = 24_000
SPEECH = ROOT / "tests" / "speech"
QUESTION = "what_is_seventeen_times_twenty_three"
ANSWER = "Seventeen times twenty-three is 391."
WRONG_ANSWERS = [ANSWER.replace("391", number) for number in ("392", "381", "193")]
LONGEST_HOLE = RATE // 100
"""10 ms. Speech as espeak-ng makes it is exact silence for at most 2 ms within a sentence."""


def environment(folder: Path, **more: str) -> dict[str, str]:
    """No key, no settings, no proxy, no recording, and no sound server unless `more` names one."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RTASSIST_", "OPENAI_", "PULSE_", "XDG_")) and "proxy" not in name.lower()
    }
    nowhere = {"PULSE_SERVER": f"unix:{folder}/no-sound-server", "HOME": str(folder)}
    return kept | nowhere | {"PYTHONPATH": str(ROOT), "RTASSIST_RECORD": "0"} | more


def talk(
    *arguments: str,
    folder: Path,
    environment: dict[str, str],
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    through: Sequence[str] = (),
) -> "subprocess.Popen[bytes]":
    """Start it in a process group of its own, whose id is its process id; `through`: by this command. A
    terminal that is its stdin controls it, so that Ctrl-C typed there reaches the whole group."""
    in_terminal = stdin >= 0 and os.isatty(stdin)
    command = [*through, sys.executable, "-m", "rtassist", "talk", *arguments]
    if in_terminal:
        take = "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
        command = [sys.executable, "-c", f"{take}; os.execv(sys.argv[1], sys.argv[1:])", *command]
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=folder,
        env=environment,
        start_new_session=not in_terminal,
    )


def speech(name: str) -> Samples:
    """A recorded sentence of tests/speech at 24 kHz."""
    samples, rate = soundfile.read(SPEECH / f"{name}.wav", dtype="float32")
    resampled: Samples = np.rint(np.clip(soxr.resample(samples, rate, RATE), -1, 1) * 32767).astype(np.int16)
    return resampled


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)


def write_wav(path: Path, *pieces: Samples) -> Path:
    soundfile.write(path, np.concatenate(pieces), RATE, subtype="PCM_16")
    return path


def read_wav(path: Path) -> Samples:
    """A WAV file that may still be written to, or not have begun."""
    samples: Samples = np.frombuffer(path.read_bytes()[44:] if path.exists() else b"", "<i2")
    return samples


async def synthesised(*sentences: str, voice: str = "marin") -> list[Samples]:
    """What the offline synthesiser makes of each, from a fresh process: its sound depends a little on what it
    said before."""
    made = []
    for sentence in sentences:
        async with open_synthesiser() as synthesiser:
            chunks = [pcm async for pcm in synthesiser.speak(sentence, voice=voice, speed=1.0)]
        made.append(np.frombuffer(b"".join(chunks), "<i2"))
    return made


def voices(sounded: Samples) -> list[Samples]:
    """The voices in `sounded`, which half a second of exact silence separates. What a busy machine could not
    hand over in time is exact silence within a voice, and taken out."""
    runs, silent_since = [], -RATE
    for start, end in _loud_runs(sounded):
        if start - silent_since >= RATE // 2:
            runs.append([sounded[start:end]])
        else:
            runs[-1].append(sounded[start:end])
        silent_since = end
    return [np.concatenate(run) for run in runs]


def _loud_runs(sounded: Samples) -> Sequence[tuple[int, int]]:
    loud = np.flatnonzero(sounded)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > LONGEST_HOLE)
    starts = loud[np.concatenate([[0], breaks + 1])]
    ends = loud[np.concatenate([breaks, [len(loud) - 1]])] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def likeness(one: Samples, other: Samples) -> float:
    """The greatest normalised cross-correlation of two sounds over all displacements: 1 is the same sound."""
    a, b = one.astype(float), other.astype(float)
    size = 1 << (len(a) + len(b)).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    return float(correlation.max() / np.sqrt((a**2).sum() * (b**2).sum()))


async def assert_it_says_391(sounded: Samples) -> None:
    """It is what the synthesiser makes of the right answer, and not of one with another number."""
    right, *wrong = [voices(sentence)[0] for sentence in await synthesised(ANSWER, *WRONG_ANSWERS)]
    # The same sentence twice is 0.998 alike (a voice has breath); "392" in place of "391" is 0.90.
    assert likeness(sounded, right) > 0.97
    assert max(likeness(sounded, sentence) for sentence in wrong) < 0.95


def heard_of(story: Samples, sounded: Samples) -> tuple[range, int]:
    """How many samples of `story` are at the beginning of `sounded`, and where in `sounded` the last one is.

    Exact: the samples that are not zero are compared one by one, so that silence filled in anywhere changes
    nothing. The count is a range, since nobody can tell which silence the samples that are zero belong to.
    """
    in_story, in_sounded = np.flatnonzero(story), np.flatnonzero(sounded)
    both = min(len(in_story), len(in_sounded))
    differ = np.flatnonzero(story[in_story[:both]] != sounded[in_sounded[:both]])
    same = int(differ[0]) if len(differ) else both
    assert same, "nothing of it sounded"
    next_one = int(in_story[same]) if same < len(in_story) else len(story)
    return range(int(in_story[same - 1]) + 1, next_one + 1), int(in_sounded[same - 1])


async def until_sounded(path: Path, seconds: float) -> None:
    """Wait until so much of a voice is in a WAV file that is being written."""
    with trio.fail_after(60):
        while np.count_nonzero(read_wav(path)) < seconds * RATE * 0.9:  # noqa: ASYNC110 (another process writes)
            await trio.sleep(0.02)


async def until_said(stream: IO[bytes] | None, words: str) -> str:
    """Read lines from a process until one has these words, and return it."""
    assert stream is not None
    with trio.fail_after(60):
        while line := await trio.to_thread.run_sync(stream.readline, abandon_on_cancel=True):
            if words in line.decode():
                return line.decode()
    raise AssertionError(f"it ended without {words!r}")
