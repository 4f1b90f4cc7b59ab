"""The sound of a recording is there for whoever names a run of it, however the recording ended."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from rtassist.sessions.files import sound_path
from rtassist.sessions.sound import Sound

PCM = random.Random(1).randbytes(2 * 100_000)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return tmp_path / "2026-11-22_17-12-05_k3f9.jsonl"


def write(path: Path, pcm: bytes = PCM) -> None:
    with soundfile.SoundFile(path, "w", 24_000, 1, "PCM_16", format="FLAC") as file:
        file.buffer_write(pcm, dtype="int16")


def test_runs_are_read_in_any_order(recording: Path) -> None:
    write(sound_path(recording, "mic"))
    write(sound_path(recording, "voice"), PCM[1000:])
    with Sound(recording) as sound:
        assert sound.mic(50_000, 480) == PCM[100_000:][:960]
        assert sound.mic(0, 100_000) == PCM
        assert sound.voice(0, 7) == PCM[1000:1014]
        assert (sound.mic_missing, sound.voice_missing) == (0, 0)


def test_what_is_not_there_is_silence_and_counted(recording: Path) -> None:
    write(sound_path(recording, "mic"))
    with Sound(recording) as sound:
        assert sound.mic(99_990, 20) == PCM[-20:] + bytes(20)
        assert sound.mic(10**9, 5) == bytes(10)
        assert sound.voice(0, 3) == bytes(6)
        assert (sound.mic_missing, sound.voice_missing) == (15, 3)
        assert sound.mic(0, 480) == PCM[:960]


def test_one_that_was_killed_is_read_to_its_last_whole_frame(recording: Path) -> None:
    program = (
        "import os, soundfile, sys\n"
        "file = soundfile.SoundFile(sys.argv[1], 'w', 24_000, 1, 'PCM_16', format='FLAC')\n"
        "file.buffer_write(sys.stdin.buffer.read(), dtype='int16')\n"
        f"os.kill(os.getpid(), {int(signal.SIGTERM)})\n"
    )
    path = sound_path(recording, "mic")
    subprocess.run([sys.executable, "-c", program, path], input=PCM, check=False)
    whole = 100_000 - 100_000 % 4096
    with Sound(recording) as sound:
        assert sound.mic(0, 100_000) == PCM[: 2 * whole] + bytes(2 * (100_000 - whole))
        assert sound.mic_missing == 100_000 - whole

    os.truncate(path, path.stat().st_size - 100)
    with Sound(recording) as sound:
        assert sound.mic(0, whole) == PCM[: 2 * (whole - 4096)] + bytes(2 * 4096)
        assert sound.mic(4000, 480) == PCM[8000:8960]


@pytest.mark.parametrize("there", [0, 4, 40, 60])
def test_one_that_had_hardly_begun_is_silence(there: int, recording: Path) -> None:
    path = sound_path(recording, "mic")
    write(path)
    os.truncate(path, there)
    with Sound(recording) as sound:
        assert sound.mic(0, 480) == bytes(960)
        assert sound.mic_missing == 480


def test_damage_in_the_middle_costs_what_it_hit(recording: Path) -> None:
    path = sound_path(recording, "mic")
    write(path)
    flac = bytearray(path.read_bytes())
    flac[100_000:100_020] = bytes(20)
    path.write_bytes(flac)
    with Sound(recording) as sound:
        assert sound.mic(10_000, 480) == PCM[20_000:20_960]
        sound.mic(45_000, 10_000)
        assert sound.mic(90_000, 480) == PCM[180_000:180_960]


def test_no_sound_at_all_is_silence(recording: Path) -> None:
    sound_path(recording, "voice").write_text("this is no FLAC file, but text")
    with Sound(recording) as sound:
        assert sound.voice(0, 2) == bytes(4)
        assert sound.voice_missing == 2
