"""Rooms that do not exist: what a microphone hears of a loudspeaker, and of somebody who speaks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

Sound = NDArray[np.float32]

RATE = 24_000
SPEECH = Path(__file__).parents[1] / "speech"
NOISE = 10 ** (-70 / 20)
TAIL_S = 0.18


def spoken(*names: str, pause_s: float = 0.3) -> Sound:
    """Recorded sentences of tests/speech, one after the other, at -20 dBFS where there is a voice."""
    pieces = []
    for name in names:
        samples, rate = soundfile.read(SPEECH / f"{name}.wav", dtype="float32")
        pieces += [soxr.resample(samples, rate, RATE), np.zeros(round(pause_s * RATE), np.float32)]
    return levelled(np.concatenate(pieces))


def levelled(sound: Sound) -> Sound:
    """At -20 dBFS where there is a voice."""
    loud = sound[np.abs(sound) > 0.01]
    at_its_level: Sound = (sound * (0.1 / np.sqrt(np.mean(loud**2)))).astype(np.float32)
    return at_its_level


def story(seconds: float) -> Sound:
    """The voice `rms` going on for so long."""
    names = sorted(path.stem for path in SPEECH.glob("*_rms.wav"))
    once = spoken(*names, pause_s=0.15)
    samples = round(seconds * RATE)
    return np.tile(once, -(-samples // len(once)))[:samples]


def room(seed: int) -> Sound:
    """An impulse response with its direct sound at 0 and a tail that falls by 60 dB in 0.3 s, of energy 1."""
    rng = np.random.default_rng(seed)
    at_s = np.arange(round(TAIL_S * RATE)) / RATE
    response = rng.normal(size=len(at_s)) * 10 ** (-3 * at_s / 0.3) * 0.05
    response[0] = 1.0
    of_energy_1: Sound = (response / np.sqrt(np.sum(response**2))).astype(np.float32)
    return of_energy_1


def heard_back(
    far: Sound,
    *,
    delay_ms: int,
    gain_db: float,
    drift_ppm: float = 0.0,
    clip_at: float | None = None,
    seed: int = 1,
) -> Sound:
    """The echo of `far` at the microphone, by the microphone's clock, which is slower by `drift_ppm`.

    `clip_at`: a loudspeaker that gets no louder than this, and bends long before.
    """
    if clip_at is not None:
        far = (clip_at * np.tanh(far / clip_at)).astype(np.float32)
    delayed = np.concatenate([np.zeros(delay_ms * RATE // 1000, np.float32), far])[: len(far)]
    size = 1 << (2 * len(far)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(delayed, size) * np.fft.rfft(room(seed), size), size)[: len(far)]
    if drift_ppm:
        at = np.arange(len(far)) * (1 + drift_ppm * 1e-6)
        wet = np.interp(at, np.arange(len(far)), wet)
    noise = np.random.default_rng(seed + 1).normal(size=len(far)) * NOISE
    heard: Sound = (wet * 10 ** (gain_db / 20) + noise).astype(np.float32)
    return heard


def power_db(sound: Sound) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-12))


def erle_db(heard: Sound, left: Sound, spans_s: Sequence[tuple[float, float]]) -> list[float]:
    """By how much the echo is weaker than it was, in each span of seconds."""
    cuts = [slice(round(a * RATE), round(b * RATE)) for a, b in spans_s]
    return [power_db(heard[cut]) - power_db(left[cut]) for cut in cuts]
