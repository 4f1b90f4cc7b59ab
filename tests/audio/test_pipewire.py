"""A real PipeWire in PulseAudio's place: devices, sound in and out, silence on demand, and its loss."""

import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import numpy as np
import pytest
import trio

from rtassist.audio import DeviceLost
from rtassist.audio.microphone import devices, open_device_microphone
from rtassist.audio.speaker import open_device_speaker
from rtassist.audio.track import FADE_SAMPLES
from tests.audio.test_files import counting, say
from tests.audio.test_speaker import flush_once, recorded
from tests.pipewire import private_pipewire
from tests.pulse import PrivatePulse

pytestmark = [pytest.mark.sound, pytest.mark.pipewire]


@pytest.fixture(scope="module")
def pipewire() -> Iterator[PrivatePulse]:
    with private_pipewire() as server:
        yield server


async def test_all_devices_are_listed(pipewire: PrivatePulse) -> None:
    listed = {(d.kind, d.id): d for d in await devices()}
    assert set(listed) == {
        ("speaker", "spk"),
        ("speaker", "micline"),
        ("microphone", "mic"),
        ("microphone", "spk.monitor"),
        ("microphone", "micline.monitor"),
    }
    assert {d.id for d in listed.values() if d.default} == {"mic", "spk"}
    assert {d.id for d in listed.values() if d.monitor} == {"spk.monitor", "micline.monitor"}


async def through_the_line(samples: int) -> list[int]:
    """What comes out of the microphone of a voice that counts up, put into its line."""
    heard = b""
    async with (
        open_device_microphone() as microphone,
        open_device_speaker("micline") as line,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(say, line, counting(samples))
        while not heard or np.frombuffer(heard, "<i2").max() < samples:
            heard += await microphone.read()
    came = np.frombuffer(heard, "<i2")
    return list(came[came > FADE_SAMPLES].tolist())


async def test_sound_goes_out_and_in_sample_by_sample(pipewire: PrivatePulse) -> None:
    """A busy machine makes underruns, and with each of them PipeWire loses samples and the voice begins
    anew with a fade: so the best of five trials counts. On a quiet machine that is the first, and perfect."""
    shares: list[float] = []
    while len(shares) < 5 and 1 not in shares:
        with trio.fail_after(20):
            came = await through_the_line(6000)
        in_order = np.count_nonzero(np.diff(came) == 1)
        shares.append(in_order / (6000 - FADE_SAMPLES - 1))
    assert max(shares) > 0.8, shares


async def test_a_flush_is_silence_within_50_ms_and_the_count_is_right(pipewire: PrivatePulse) -> None:
    with pipewire.recording() as recording:
        async with open_device_speaker("spk") as speaker:
            trials = [await flush_once(speaker, recording, 0.2 + n * 0.0037) for n in range(6)]
            await say(speaker, counting(2400, start=20_000))
            await speaker.drain()
            await recorded(recording, time.monotonic() + 0.1)
    silent_ms, error_ms, _ = np.array(trials).T
    assert np.median(silent_ms) < 50
    assert max(abs(error_ms)) < 50
    assert np.median(abs(error_ms)) < 1
    assert recording.samples().max() == 22_399, "the same stream plays on"


async def until_it_fails(use: Callable[[], Awaitable[object]]) -> None:
    with trio.fail_after(2):
        while True:
            await use()


async def test_a_server_that_is_killed_is_lost_and_may_return() -> None:
    with private_pipewire() as own:
        async with open_device_microphone() as microphone, open_device_speaker("spk") as speaker:
            await microphone.read()
            own.kill()
            for use in (microphone.read, partial(speaker.play, bytes(960))):
                with pytest.raises(DeviceLost, match="the sound server is gone"):
                    await until_it_fails(use)
        own.restart()
        async with open_device_microphone() as microphone:
            assert len(await microphone.read()) == 960
