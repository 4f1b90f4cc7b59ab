import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import trio
import trio.testing

from rtassist.audio import Microphone, SoundUnavailable, Speaker
from rtassist.audio.files import open_file_microphone, open_file_speaker


def counting(samples: int, start: int = 1) -> bytes:
    """Samples that count up, so that each one tells where it came from."""
    return np.arange(start, start + samples, dtype="<i2").tobytes()


def wav(path: Path, sound: bytes, rate_hz: int = 24_000) -> Path:
    soundfile.write(path, np.frombuffer(sound, "<i2"), rate_hz, subtype="PCM_16")
    return path


def sounds(path: Path) -> list[int]:
    samples, rate_hz = soundfile.read(path, dtype="int16")
    assert (rate_hz, samples.ndim) == (24_000, 1)
    return list(samples.tolist())


async def everything(microphone: Microphone) -> list[bytes]:
    chunks = []
    while True:
        try:
            chunks.append(await microphone.read())
        except trio.EndOfChannel:
            return chunks


async def test_a_file_is_heard_at_real_time_and_ends(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    sound = counting(1210)
    async with open_file_microphone(wav(tmp_path / "in.wav", sound)) as microphone:
        assert not microphone.live
        times = []
        chunks = []
        for _ in range(3):
            chunks.append(await microphone.read())
            times.append(trio.current_time())
        with pytest.raises(trio.EndOfChannel):
            await microphone.read()
    assert b"".join(chunks) == sound
    assert [len(c) for c in chunks] == [960, 960, 500]
    assert times == pytest.approx([0.02, 0.04, 1210 / 24_000])


async def test_a_slow_reader_catches_up_and_nothing_drifts(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_file_microphone(wav(tmp_path / "in.wav", bytes(960 * 50))) as microphone:
        await microphone.read()
        await trio.sleep(0.5)
        for _ in range(49):
            await microphone.read()
        assert trio.current_time() == pytest.approx(1.0)


async def test_a_cancelled_read_takes_no_sound_away(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    sound = counting(960)
    async with open_file_microphone(wav(tmp_path / "in.wav", sound)) as microphone:
        with trio.move_on_after(0.01) as scope:
            await microphone.read()
        assert scope.cancelled_caught
        assert b"".join(await everything(microphone)) == sound


async def test_fast_takes_no_time(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    sound = counting(24_000)
    async with open_file_microphone(wav(tmp_path / "in.wav", sound), fast=True) as microphone:
        assert b"".join(await everything(microphone)) == sound
    assert trio.current_time() == 0


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize(("channels", "kind"), [(1, "WAV"), (2, "WAV"), (2, "FLAC")])
async def test_other_rates_and_stereo_become_24_khz_mono(
    tmp_path: Path, rate_hz: int, channels: int, kind: str
) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)
    frames = np.stack([tone * 1.5, tone * 0.5][:channels], axis=1) / (1.5 if channels == 1 else 1)
    path = tmp_path / "in"
    soundfile.write(path, frames, rate_hz, format=kind)
    async with open_file_microphone(path, fast=True) as microphone:
        heard = np.frombuffer(b"".join(await everything(microphone)), "<i2") / 32768
    assert abs(len(heard) - 24_000) <= 1
    want = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(heard)) / 24_000)
    assert np.corrcoef(heard[500:-500], want[500:-500])[0, 1] > 0.9999
    assert np.max(np.abs(heard[500:-500] - want[500:-500])) < 0.001


def no_file(folder: Path) -> Path:
    return folder / "missing.wav"


def a_folder(folder: Path) -> Path:
    return folder


def an_empty_file(folder: Path) -> Path:
    (folder / "empty.wav").touch()
    return folder / "empty.wav"


def a_text(folder: Path) -> Path:
    (folder / "text.wav").write_text("Dear diary, today I was no sound file. " * 50)
    return folder / "text.wav"


def a_raw_file(folder: Path) -> Path:
    (folder / "speech.raw").write_bytes(bytes(2000))
    return folder / "speech.raw"


def half_a_header(folder: Path) -> Path:
    whole = wav(folder / "whole.wav", bytes(2000)).read_bytes()
    (folder / "half.wav").write_bytes(whole[:30])
    return folder / "half.wav"


def only_a_header(folder: Path) -> Path:
    return wav(folder / "header.wav", b"")


def a_damaged_flac(folder: Path) -> Path:
    path = folder / "damaged.flac"
    noise = np.random.default_rng(1).integers(-9000, 9000, 48_000, dtype=np.int16)
    soundfile.write(path, noise, 24_000)
    flac = bytearray(path.read_bytes())
    path.write_bytes(flac[: len(flac) // 2])
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (no_file, "Cannot read .*missing.wav: no such file"),
        (a_folder, "is a folder"),
        (an_empty_file, "is no sound file"),
        (a_text, "is no sound file"),
        (a_raw_file, "is no sound file .* piped in with '-'"),
        (half_a_header, "is no sound file"),
        (only_a_header, "holds no sound"),
        (a_damaged_flac, "is damaged"),
    ],
)
async def test_what_is_no_sound_is_said(tmp_path: Path, make: object, says: str) -> None:
    assert callable(make)
    with pytest.raises(SoundUnavailable, match=says):
        async with open_file_microphone(make(tmp_path), fast=True) as microphone:
            await everything(microphone)


async def test_a_wav_that_was_cut_off_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = wav(tmp_path / "whole.wav", counting(5000)).read_bytes()
    cut = tmp_path / "cut.wav"
    cut.write_bytes(whole[: 44 + 2000])
    async with open_file_microphone(cut, fast=True) as microphone:
        assert b"".join(await everything(microphone)) == counting(1000)


async def say(speaker: Speaker, sound: bytes) -> None:
    for i in range(0, len(sound), 960):
        await speaker.play(sound[i : i + 960])


async def test_the_file_holds_what_sounded_when_it_sounded(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    path = tmp_path / "out.wav"
    async with open_file_speaker(path) as speaker:
        await trio.sleep(0.1)
        await say(speaker, counting(4800))
        assert speaker.handed() == 4800
        await speaker.drain()
        assert speaker.heard() == 4800
        assert trio.current_time() == pytest.approx(0.3)
        await trio.sleep(0.05)
        await say(speaker, counting(480, start=9000))
        await trio.sleep(1)
        assert speaker.heard() == speaker.handed() == 5280
    assert sounds(path)[:8880] == [
        *[0] * 2400,
        *range(1, 4801),
        *[0] * 1200,
        *range(9000, 9480),
    ]
    assert len(sounds(path)) == pytest.approx(1.35 * 24_000, abs=1)


async def test_a_gain_is_for_what_has_not_sounded_yet(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    path = tmp_path / "out.wav"
    async with open_file_speaker(path) as speaker:
        await say(speaker, b"\x10\x27" * 960)  # 10000 all along
        await trio.sleep(0.01)
        speaker.fade_to(0.25)
        await speaker.drain()
        await say(speaker, b"\x10\x27" * 480)
        await speaker.drain()
        speaker.fade_to(1.0)
        await say(speaker, b"\x10\x27" * 480)
        await speaker.drain()
        assert speaker.heard() == 1920
    sounded = np.array(sounds(path))
    lowered = int(np.flatnonzero(sounded < 10_000)[0])
    assert lowered == 240
    assert sounded[lowered : lowered + 90].tolist() == [round(10_000 * (1 - n / 120)) for n in range(1, 91)]
    assert set(sounded[lowered + 90 : 1440]) == {2500}
    assert sounded[1530:1920].tolist() == [10_000] * 390


async def test_play_keeps_at_most_40_ms_ahead(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    async with open_file_speaker(tmp_path / "out.wav") as speaker:
        ahead = []
        for _ in range(50):
            await speaker.play(bytes(960))
            ahead.append(speaker.handed() - speaker.heard())
        assert max(ahead) == 960
        assert min(ahead[1:]) >= 480
        assert trio.current_time() == pytest.approx(0.96)


async def test_a_flush_is_silence_from_that_sample_on(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    path = tmp_path / "out.wav"
    async with open_file_speaker(path) as speaker:
        with trio.move_on_after(0.1234):
            await say(speaker, counting(24_000))
        handed = speaker.handed()
        taken_back = speaker.flush()
        assert speaker.heard() == speaker.handed() == handed - taken_back == 2961
        await trio.sleep(0.1)
        assert speaker.heard() == 2961
        assert speaker.flush() == 0
    voice = sounds(path)
    assert voice[:2961] == list(range(1, 2962))
    assert len(voice) > 5000
    assert not any(voice[2961:])


async def test_a_cancelled_play_handed_over_nothing(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_file_speaker(tmp_path / "out.wav") as speaker:
        await speaker.play(counting(480))
        await speaker.play(counting(480))
        with trio.move_on_after(0.005) as scope:
            await speaker.play(counting(480))
        assert scope.cancelled_caught
        assert speaker.handed() == 960


async def test_fast_sounds_at_once_and_without_silence(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    path = tmp_path / "out.wav"
    async with open_file_speaker(path, fast=True) as speaker:
        await say(speaker, counting(4800))
        assert speaker.heard() == speaker.handed() == 4800
        await speaker.drain()
        assert speaker.flush() == 0
        assert trio.current_time() == 0
    assert sounds(path) == list(range(1, 4801))


async def test_the_file_is_valid_at_any_moment(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    path = tmp_path / "out.wav"
    async with open_file_speaker(path) as speaker:
        assert sounds(path) == []
        await say(speaker, counting(1920))
        heard = speaker.heard()
        assert heard == 960
        assert sounds(path) == list(range(1, heard + 1))


def test_the_file_is_valid_after_the_process_was_killed(tmp_path: Path) -> None:
    program = """
import os, signal, sys, trio
from pathlib import Path
from rtassist.audio.files import open_file_speaker
async def main():
    async with open_file_speaker(Path(sys.argv[1]), fast=True) as speaker:
        for _ in range(10):
            await speaker.play(b"\\x01\\x00" * 480)
        os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
trio.run(main)
"""
    path = tmp_path / "out.wav"
    done = subprocess.run([sys.executable, "-c", program, path], check=False, timeout=60)
    assert done.returncode != 0
    assert sounds(path) == [1] * 4800


async def test_a_speaker_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    for path, says in [
        (tmp_path, "it is a folder"),
        (tmp_path / "missing" / "out.wav", "no such file or directory"),
    ]:
        with pytest.raises(SoundUnavailable, match=says):
            async with open_file_speaker(path):
                pass


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of the file's size stands for a full disk")
def test_a_full_disk_is_said_and_the_file_stays_valid(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    program = f"""
import resource, signal, trio
from pathlib import Path
from rtassist.audio import SoundUnavailable
from rtassist.audio.files import open_file_speaker
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
async def main():
    async with open_file_speaker(Path({str(path)!r}), fast=True) as speaker:
        try:
            for _ in range(10):
                await speaker.play(b"\\x01\\x00" * 480)
        except SoundUnavailable as error:
            print(error.message)
            print(speaker.heard(), speaker.handed(), speaker.flush())
trio.run(main)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, timeout=60, capture_output=True)
    message, counts = done.stdout.decode().splitlines()
    assert message == f"Cannot write sound to {path}: file too large."
    assert counts == "1440 1440 0"
    assert sounds(path) == [1] * 1440


async def test_a_file_that_is_no_wav_is_not_written_over(tmp_path: Path) -> None:
    notes = tmp_path / "notes.wav"
    notes.write_text("not to be lost", "utf-8")
    with pytest.raises(SoundUnavailable, match="is no WAV file"):
        async with open_file_speaker(notes):
            pass
    assert notes.read_text("utf-8") == "not to be lost"

    notes.write_bytes(b"")
    for _ in range(2):
        async with open_file_speaker(notes):
            pass
    assert notes.read_bytes().startswith(b"RIFF")
