"""SIGKILL at any moment of a conversation leaves a recording that can be read, less its last second."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtassist.sessions import reading
from rtassist.sessions.reading import Asked, Ended, Happened, Heard, Record
from rtassist.sessions.sound import Sound
from tests.sessions.killed import NOISE, VOICE_BYTES

ROOT = Path(__file__).parents[2]
HOW_MANY = int(os.environ.get("RTASSIST_TEST_KILLS", "20"))
LONG = 2
FRAME = 4096
"""Samples: what the encoder holds back."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks, and kills as Unix does")


def read(path: Path) -> list[Record]:
    """All records of a recording; none if not even its first line was written."""
    with path.open("rb") as lines:
        first = lines.readline()
        if not first.endswith(b"\n"):
            return []
        assert reading.header(first)["id"] == path.stem
        return list(reading.records(lines))


def assert_sound(path: Path, records: list[Record]) -> int:
    """Every run that a line names holds what was heard or said, but for the last frame; samples heard."""
    heard = 0
    with Sound(path) as sound:
        for record in records:
            if isinstance(record, Heard):
                assert record.run[0] == heard
                heard += record.run[1]
                before = sound.mic_missing
                assert_same(sound.mic(*record.run), NOISE, record.run[0], sound.mic_missing - before)
            elif isinstance(record, Happened | Asked) and record.voice is not None:
                before = sound.voice_missing
                voice = sound.voice(*record.voice)
                assert_same(voice, NOISE[:VOICE_BYTES], record.voice[0], sound.voice_missing - before)
        assert sound.mic_missing < FRAME
    return heard


def assert_same(pcm: bytes, repeated: bytes, first: int, missing: int) -> None:
    at = 2 * first % len(repeated)
    whole = (repeated[at:] + repeated * (len(pcm) // len(repeated) + 1))[: len(pcm)]
    there = len(pcm) - 2 * missing
    assert pcm[:there] == whole[:there]
    assert missing < FRAME


def test_a_kill_leaves_a_readable_recording(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.sessions.killed", str(tmp_path), str(HOW_MANY), str(LONG)]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode == 0, killed.stderr

    lines = 0
    for number in range(HOW_MANY):
        path = tmp_path / f"{number}.jsonl"
        if not path.exists():
            assert number >= LONG
            continue  # it had not begun
        records = read(path)
        assert not any(isinstance(record, Ended) for record in records)
        heard = assert_sound(path, records)
        lines += len(records)
        if number < LONG:
            noted = int(path.with_suffix(".noted").read_text())
            assert heard >= noted > 0
            assert sum(isinstance(record, Happened) and record.voice is not None for record in records) > 10
    assert lines > 20 * HOW_MANY
