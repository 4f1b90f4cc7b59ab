"""A spoken question from a file or a pipe is answered aloud into a file or a pipe: no key, no sound card."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.talking import QUESTION, SPEECH, assert_it_says_391, environment, read_wav, speech, talk, voices

pytestmark = pytest.mark.offline

LINES = ["you: what is seventeen times twenty three", "assistant: Seventeen times twenty-three is 391."]
FILES = {
    "a man's voice, at real time": ("--mic", str(SPEECH / f"{QUESTION}_rms.wav"), "--speaker", "out.wav"),
    "a woman's voice, as fast as it goes": (
        *("--mic", str(SPEECH / f"{QUESTION}_slt.wav"), "--speaker", "out.wav"),
        "--fast",
    ),
}
PIPES = ("--mic", "-", "--speaker", "-", "--fast")

Talks = dict[tuple[str, ...], tuple[Path, "subprocess.Popen[bytes]"]]


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talks]:
    """All begin together: most of their time is sound that passes at its own speed."""
    begun: Talks = {}
    try:
        for arguments in (*FILES.values(), PIPES):
            folder = tmp_path_factory.mktemp("talk")
            stdin = subprocess.PIPE if arguments is PIPES else subprocess.DEVNULL
            process = talk(
                "--offline", *arguments, folder=folder, environment=environment(folder), stdin=stdin
            )
            begun[arguments] = folder, process
        yield begun
    finally:
        for _, process in begun.values():
            with process:
                process.kill()


@pytest.mark.parametrize("way", FILES)
async def test_a_spoken_sum_is_answered_aloud(way: str, talks: Talks) -> None:
    folder, process = talks[FILES[way]]
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    assert out.decode().splitlines() == LINES
    assert err == b""
    sounded = read_wav(folder / "out.wav")
    if "--fast" not in FILES[way]:
        assert np.flatnonzero(sounded)[0] > len(speech(f"{QUESTION}_rms")), (
            "first the question, then the answer"
        )
    (voice,) = voices(sounded)
    await assert_it_says_391(voice)


async def test_pipes_carry_sound_and_the_lines_go_to_stderr(talks: Talks) -> None:
    _, process = talks[PIPES]
    out, err = process.communicate(speech(f"{QUESTION}_slt").tobytes(), timeout=60)
    assert process.returncode == 0, err.decode()
    assert err.decode().splitlines() == LINES
    (voice,) = voices(np.frombuffer(out, "<i2"))
    await assert_it_says_391(voice)
