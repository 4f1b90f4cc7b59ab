"""A track on a loudspeaker that only the test's clock moves: what is written, rewritten and sounded."""

import numpy as np

from rtassist.audio.envelope import RAMP_SAMPLES
from rtassist.audio.track import FADE_SAMPLES, Track
from tests.audio.rooms import Sound
from tests.audio.virtual_devices import Clock, VirtualSpeaker

VOICE = np.arange(1, 4801, dtype=np.float32) / np.float32(8192)


def sounded(clock: Clock, speaker: VirtualSpeaker) -> Sound:
    """All that was written, once the device is done with it."""
    clock.now_s += 1
    speaker.advance()
    return np.concatenate(speaker.sounded_pieces)[: speaker.written]


def test_silence_gives_way_to_the_voice_and_the_voice_to_nothing() -> None:
    clock = Clock()
    speaker = VirtualSpeaker(clock)
    track = Track(speaker)
    track.pause(960)
    clock.now_s += 0.020
    back = track.silence()
    assert back == 480
    track.speak(VOICE[:200], back)
    assert track.silence() == 280
    track.speak(VOICE[200:700], 280)
    assert track.silence() == 0
    assert speaker.written == 960 + 220
    whole = sounded(clock, speaker)
    assert not whole[:480].any()
    assert np.array_equal(whole[480 + FADE_SAMPLES :], VOICE[FADE_SAMPLES:700]), "one voice, and one fade"


def test_a_voice_that_had_to_pause_fades_in_again() -> None:
    clock = Clock()
    speaker = VirtualSpeaker(clock)
    track = Track(speaker)
    track.speak(VOICE[:240], 0)
    track.pause(480)
    clock.now_s += 0.020
    back = track.silence()
    track.speak(VOICE[240:720], back)
    whole = sounded(clock, speaker)
    assert not whole[240:480].any()
    assert 0 < whole[480] < VOICE[240] / 50
    assert np.array_equal(whole[480 + FADE_SAMPLES : 960], VOICE[240 + FADE_SAMPLES : 720])


def test_a_gain_reaches_what_the_device_holds_and_goes_on_in_what_comes() -> None:
    clock = Clock()
    speaker = VirtualSpeaker(clock)
    track = Track(speaker)
    track.speak(VOICE[:960], 0)
    clock.now_s += 0.037  # 50 samples are left, in which the ramp has no room
    speaker.block = 10
    assert speaker.rewritable() == 80
    track.fade_to(0.25)
    track.speak(VOICE[960:1200], 0)
    gains = sounded(clock, speaker)[FADE_SAMPLES:1200] / VOICE[FADE_SAMPLES:1200]
    begin = 880 - FADE_SAMPLES
    assert np.allclose(gains[:begin], 1)
    assert np.allclose(gains[begin : begin + 90], 1 - np.arange(1, 91) / RAMP_SAMPLES, atol=1e-5)
    assert np.allclose(gains[begin + 90 :], 0.25)


def test_a_gain_that_is_set_in_the_middle_of_a_ramp_goes_on_from_there() -> None:
    clock = Clock()
    speaker = VirtualSpeaker(clock, block=1)
    track = Track(speaker)
    track.speak(VOICE[:1000], 0)
    clock.now_s += 0.010
    track.fade_to(0.25)
    clock.now_s += 0.002
    track.fade_to(1.0)
    gains = sounded(clock, speaker)[FADE_SAMPLES:1000] / VOICE[FADE_SAMPLES:1000]
    assert np.abs(np.diff(gains)).max() < 1.01 / RAMP_SAMPLES
    assert gains.min() > 0.55
    assert np.allclose(gains[-600:], 1)


def test_a_flush_ends_in_a_fade_and_says_where() -> None:
    clock = Clock()
    speaker = VirtualSpeaker(clock)
    track = Track(speaker)
    track.speak(VOICE[:1000], 0)
    clock.now_s += 0.010
    assert track.fade_out() == 240 + FADE_SAMPLES
    assert speaker.written == 1000
    assert track.silence() == 1000 - 240 - FADE_SAMPLES, "which the next voice need not wait for"
    whole = sounded(clock, speaker)
    assert not whole[240 + FADE_SAMPLES :].any()
    fall = whole[240 : 240 + FADE_SAMPLES] / VOICE[240 : 240 + FADE_SAMPLES]
    assert np.allclose(fall, np.arange(FADE_SAMPLES, 0, -1) / (FADE_SAMPLES + 1), atol=1e-5)


def test_what_is_left_is_all_that_a_fade_has() -> None:
    clock = Clock()
    speaker = VirtualSpeaker(clock, block=1)
    track = Track(speaker)
    track.speak(VOICE[:480], 0)
    clock.now_s += 0.019
    assert track.fade_out() == 480
    assert np.diff(sounded(clock, speaker)[-24:]).max() < 0
    clock.now_s += 0.020
    assert track.fade_out() == 480


def test_a_device_that_cannot_be_rewritten_has_the_gain_from_the_next_sample_on() -> None:
    clock = Clock()
    speaker = VirtualSpeaker(clock, rewrites=False)
    track = Track(speaker)
    track.pause(240)
    assert track.silence() == 0
    track.speak(VOICE[:480], 0)
    track.fade_to(0.25)
    assert track.fade_out() is None
    track.speak(VOICE[480:720], 0)
    whole = sounded(clock, speaker)
    assert np.array_equal(whole[240 + FADE_SAMPLES : 720], VOICE[FADE_SAMPLES:480])
    assert np.allclose(whole[-100:], VOICE[620:720] * 0.25)
