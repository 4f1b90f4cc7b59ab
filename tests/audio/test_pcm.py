import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtassist.audio import pcm


@given(st.binary(max_size=200).filter(lambda b: len(b) % 2 == 0))
def test_float_and_back_changes_nothing(sound: bytes) -> None:
    assert pcm.to_pcm16(pcm.to_float(sound)) == sound


def test_what_is_too_loud_is_clipped_not_wrapped() -> None:
    loud = np.array([1.5, 1.0, -1.0, -1.5], dtype=np.float32)
    assert np.frombuffer(pcm.to_pcm16(loud), "<i2").tolist() == [32767, 32767, -32768, -32768]


def test_a_chunk_of_20_ms_is_480_samples() -> None:
    assert pcm.samples_in_ms(20) == pcm.samples_in(bytes(960)) == 480
    assert [pcm.whole_ms(n) for n in (0, 23, 24, 480)] == [0, 0, 1, 20]
    assert pcm.silence(3) == bytes(6)


def test_stereo_is_mixed_to_the_mean() -> None:
    frames = np.array([[1.0, 0.0], [0.5, -0.5]], dtype=np.float32)
    assert pcm.to_mono(frames).tolist() == [0.5, 0.0]
    assert pcm.to_mono(frames[:, :1]).tolist() == [1.0, 0.5]
    assert pcm.to_mono(frames[:, 0]).tolist() == [1.0, 0.5]


def test_gain_is_in_decibels_and_clips() -> None:
    sound = np.array([1000, -2000, 30000], "<i2").tobytes()
    assert np.frombuffer(pcm.gain(sound, -20), "<i2").tolist() == [100, -200, 3000]
    assert np.frombuffer(pcm.gain(sound, 20), "<i2").tolist() == [10000, -20000, 32767]


def test_fades_rise_and_fall_and_leave_the_rest_alone() -> None:
    ones = np.ones(6, dtype=np.float32)
    assert pcm.fade_in(ones, 3).tolist() == [0.25, 0.5, 0.75, 1, 1, 1]
    assert pcm.fade_out(ones, 3).tolist() == [1, 1, 1, 0.75, 0.5, 0.25]
    assert pcm.fade_in(ones[:2], 3).tolist() == [0.25, 0.5]
    assert ones.tolist() == [1] * 6


def test_levels() -> None:
    square = np.array([16384, -16384] * 100, "<i2").tobytes()
    loudness = pcm.level(square)
    assert loudness.rms_dbfs == pytest.approx(-6.02, abs=0.01)
    assert loudness.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    for nothing in (b"", bytes(100)):
        assert pcm.level(nothing) == pcm.Level(rms_dbfs=pcm.FLOOR_DBFS, peak_dbfs=pcm.FLOOR_DBFS)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_resampling_in_pieces_keeps_a_tone_and_its_length(rate_hz: int) -> None:
    n = rate_hz // 2
    tone = (0.5 * np.sin(2 * np.pi * 997 * np.arange(n) / rate_hz)).astype(np.float32)
    resampler = pcm.Resampler(rate_hz, 24_000)
    pieces = [resampler.push(tone[i : i + 333]) for i in range(0, n, 333)]
    out = np.concatenate([*pieces, resampler.finish()])
    assert abs(len(out) - 12_000) <= 1
    want = 0.5 * np.sin(2 * np.pi * 997 * np.arange(len(out)) / 24_000)
    middle = slice(1000, -1000)
    assert np.max(np.abs(out[middle] - want[middle])) < 1e-4
    assert np.allclose(out, pcm.resample(tone, rate_hz, 24_000), atol=1e-6)


def test_the_same_rate_passes_through_untouched() -> None:
    samples = np.arange(5, dtype=np.float32)
    assert pcm.resample(samples, 24_000, 24_000).tolist() == [0, 1, 2, 3, 4]
