"""A microphone that gives nothing, and one that only is in a quiet room."""

import pytest

from rtassist.audio.silence import DIGITAL_SAMPLES, FAINT_PEAK, FAINT_SAMPLES, SilenceWatch

CHUNK = 480


def chunk(peak: int) -> bytes:
    return (peak.to_bytes(2, "little", signed=True) + (-peak).to_bytes(2, "little", signed=True)) * (
        CHUNK // 2
    )


def told_after(watch: SilenceWatch, peak: int, samples: int) -> list[int]:
    """After how many samples of a sound with this peak it says so."""
    return [n for n in range(CHUNK, samples + 1, CHUNK) if watch.is_silent(chunk(peak))]


@pytest.mark.parametrize(
    ("peak", "after"),
    [(0, DIGITAL_SAMPLES), (1, DIGITAL_SAMPLES), (2, FAINT_SAMPLES), (FAINT_PEAK, FAINT_SAMPLES)],
)
def test_silence_is_told_once(peak: int, after: int) -> None:
    assert told_after(SilenceWatch(), peak, 3 * FAINT_SAMPLES) == [after]


def test_the_first_sound_ends_the_watch() -> None:
    watch = SilenceWatch()
    assert told_after(watch, 0, DIGITAL_SAMPLES - CHUNK) == []
    assert not watch.is_silent(chunk(FAINT_PEAK + 1))
    assert told_after(watch, 0, 2 * FAINT_SAMPLES) == [], "a microphone that suppresses noise"


def test_the_lowest_sample_is_a_sound() -> None:
    watch = SilenceWatch()
    watch.is_silent(b"\x00\x80" * CHUNK)
    assert told_after(watch, 0, FAINT_SAMPLES) == []


def test_faint_noise_between_silences_is_no_digital_silence() -> None:
    watch = SilenceWatch()
    for _ in range(3):
        assert told_after(watch, 0, DIGITAL_SAMPLES - CHUNK) == []
        assert not watch.is_silent(chunk(5))
    assert told_after(watch, 0, FAINT_SAMPLES), "but twenty seconds of both are told"


def test_an_empty_chunk_is_nothing() -> None:
    assert not SilenceWatch().is_silent(b"")
