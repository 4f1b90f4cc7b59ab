"""A real PulseAudio: what is played into the microphone's line is what is read."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import trio

from rtassist.audio import SoundUnavailable
from rtassist.audio.levels import Gain
from rtassist.audio.microphone import (
    BACKLOG_CHUNKS,
    DeviceMicrophone,
    devices,
    open_device_microphone,
    open_microphone,
)
from rtassist.audio.speaker import open_device_speaker
from tests.audio.test_files import counting, say, wav
from tests.pulse import PrivatePulse

pytestmark = pytest.mark.sound


def speech_like(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Noise that rises and falls as syllables do: one second that cannot be mistaken for another."""
    noise = np.random.default_rng(7).normal(size=24_000) * 0.1
    sound = noise * np.abs(np.sin(2 * np.pi * 4 * np.arange(24_000) / 24_000))
    soundfile.write(path, sound, 24_000, subtype="PCM_16")
    return sound


async def test_a_recorded_file_comes_in_as_it_was(tmp_path: Path, pulse: PrivatePulse) -> None:
    sound = speech_like(tmp_path / "in.wav")
    heard = b""
    async with open_device_microphone() as microphone:
        assert microphone.live
        assert microphone.device is not None
        assert microphone.device.id == "mic"
        with pulse.speaking(tmp_path / "in.wav"):
            for _ in range(100):
                chunk = await microphone.read()
                assert len(chunk) == 960
                heard += chunk
        assert microphone.dropped_chunks == 0
    samples = np.frombuffer(heard, "<i2") / 32768
    # paplay may cut off the last of its buffer when the test ends it; the first 0.8 s are enough.
    wanted = sound[:19_200]
    at = int(np.argmax(np.correlate(samples, wanted[:2400], "valid")))
    assert np.corrcoef(samples[at : at + len(wanted)], wanted)[0, 1] > 0.9999


async def test_what_the_speaker_says_into_the_line_is_heard_sample_by_sample(pulse: PrivatePulse) -> None:
    heard = b""
    async with (
        open_device_microphone() as microphone,
        open_device_speaker("micline") as line,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(say, line, counting(12_000))
        while not heard or np.frombuffer(heard, "<i2").max() < 12_000:
            heard += await microphone.read()
    samples = np.frombuffer(heard, "<i2")
    assert samples[samples > 1000].tolist() == list(range(1001, 12_001))


async def test_a_cancelled_read_takes_nothing_away(pulse: PrivatePulse) -> None:
    async with open_device_microphone() as microphone, open_device_speaker("micline") as line:
        heard = b""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(say, line, counting(7200))
            while not heard or np.frombuffer(heard, "<i2").max() < 7200:
                with trio.move_on_after(0.007):
                    heard += await microphone.read()
    samples = np.frombuffer(heard, "<i2")
    assert samples[samples > 1000].tolist() == list(range(1001, 7201))


async def test_a_reader_who_is_late_loses_the_oldest_and_it_is_counted(pulse: PrivatePulse) -> None:
    async with open_device_microphone() as microphone:
        await trio.sleep((BACKLOG_CHUNKS + 10) * 0.02)
        assert 0 < microphone.dropped_chunks < 20
        with trio.fail_after(1):
            for _ in range(BACKLOG_CHUNKS):
                await microphone.read()


async def test_all_devices_are_listed(pulse: PrivatePulse) -> None:
    listed = {(d.kind, d.id): d for d in await devices()}
    assert set(listed) == {
        ("speaker", "spk"),
        ("speaker", "micline"),
        ("microphone", "mic"),
        ("microphone", "spk.monitor"),
        ("microphone", "micline.monitor"),
    }
    assert [d.id for d in listed.values() if d.default] == ["mic", "spk"]
    assert [d.id for d in listed.values() if d.monitor] == ["spk.monitor", "micline.monitor"]
    assert {(d.channels, d.rate_hz) for d in listed.values()} == {(1, 24_000)}


async def test_a_microphone_that_is_not_there_lists_what_is(pulse: PrivatePulse) -> None:
    with pytest.raises(
        SoundUnavailable, match=r"no microphone called 'fish'.*\n  0  Remapped .*\(mic\), default"
    ):
        async with open_microphone("fish"):
            pass


async def test_a_monitor_is_heard_only_when_it_is_asked_for(pulse: PrivatePulse) -> None:
    pulse.pactl("set-default-source", "spk.monitor")
    try:
        async with open_microphone() as microphone:
            assert isinstance(microphone, DeviceMicrophone)
            assert microphone.device is not None
            assert microphone.device.id == "mic"
        async with open_microphone("spk.monitor") as microphone:
            assert len(await microphone.read()) == 960
    finally:
        pulse.pactl("set-default-source", "mic")


async def test_the_microphone_a_user_means(tmp_path: Path, pulse: PrivatePulse) -> None:
    sound = counting(480)
    async with open_microphone(str(wav(tmp_path / "in.wav", sound)), fast=True) as file:
        assert await file.read() == sound
    with pytest.raises(SoundUnavailable, match="no such file"):
        async with open_microphone("missing.flac"):
            pass


async def test_a_line_that_is_too_loud_clips_and_a_gain_does_not_hide_it(pulse: PrivatePulse) -> None:
    loud = (np.sign(np.sin(np.arange(24_000) / 20)) * 32767).astype("<i2").tobytes()
    async with (
        open_device_microphone(gain=Gain()) as microphone,
        open_device_speaker("micline") as line,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(say, line, counting(4800))
        for _ in range(20):
            await microphone.read()
        assert not microphone.clips
        nursery.start_soon(say, line, loud)
        with trio.fail_after(10):
            while not microphone.clips:
                await microphone.read()
