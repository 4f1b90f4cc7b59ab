"""What people say and what only sounds, for whoever is to tell them apart; run by itself it tells how well.

`python -m tests.audio.onsets`: from the first sample of speech to the end of the 20 ms chunk that showed it,
for each noise; onsets in a minute of what is no speech; and, where livekit is installed, in what a canceller
leaves of the assistant's voice.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import soundfile
import soxr

from rtassist.audio.echo import canceller
from rtassist.audio.onset import OnsetWatch
from tests.audio.rooms import RATE, SPEECH, Sound, power_db, room, story
from tests.audio.virtual_devices import conversation

CHUNK = 480
QUIET_DBFS = -65.0
BEFORE_S = 2.0
FAINTER_DB = 25.0
"""Speech begins where 5 ms of it come within this of the loudness of the whole."""


def onsets(sound: Sound, voices: Sequence[tuple[float, float]] = ()) -> list[int]:
    """Where the chunks end that show an onset, in samples. `voices`: from when to when, in seconds, the
    assistant's voice sounds.
    """
    watch = OnsetWatch()
    pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2")
    ends = range(CHUNK, len(pcm) + 1, CHUNK)
    spans = [(a * RATE, b * RATE) for a, b in voices]
    return [
        end
        for end in ends
        if watch.begins(pcm[end - CHUNK : end].tobytes(), voice=any(a <= end < b for a, b in spans))
    ]


def sentences(dbfs: float) -> Iterator[tuple[Sound, int]]:
    """Each recorded sentence at this loudness, and the sample at which its speech begins."""
    for path in sorted(SPEECH.glob("*.wav")):
        samples, rate = soundfile.read(path, dtype="float32")
        sound = soxr.resample(samples, rate, RATE)
        powers = np.mean(sound[: len(sound) // 120 * 120].reshape(-1, 120) ** 2, axis=1) + 1e-12
        loudness = np.mean(powers[powers > powers.max() / 1000])
        first = int(np.flatnonzero(powers > loudness * 10 ** (-FAINTER_DB / 10))[0]) * 120
        yield (sound * np.sqrt(10 ** (dbfs / 10) / loudness)).astype(np.float32), first


def delays_ms(dbfs: float, noise: Callable[[int], Sound], noise_dbfs: float) -> list[float]:
    """For each sentence, spoken into this noise; infinite where it is not found within half a second."""
    rng = np.random.default_rng(1)
    delays = []
    for sentence, first in sentences(dbfs):
        at = round(BEFORE_S * RATE) + int(rng.integers(CHUNK))
        heard = at_dbfs(noise(at + len(sentence) + RATE), noise_dbfs)
        heard[at : at + len(sentence)] += sentence
        found = [end - at - first for end in onsets(heard) if end > at + first]
        delays.append(found[0] / RATE * 1000 if found and found[0] < RATE // 2 else np.inf)
    return delays


def at_dbfs(sound: Sound, dbfs: float) -> Sound:
    return (sound * 10 ** ((dbfs - power_db(sound)) / 20)).astype(np.float32)


def with_peak(sound: Sound, dbfs: float) -> Sound:
    """Its loudest sample is this loud, in a quiet room."""
    loud = sound * (10 ** (dbfs / 20) / np.abs(sound).max())
    return (loud + at_dbfs(white(len(sound)), QUIET_DBFS)).astype(np.float32)


def white(samples: int) -> Sound:
    return np.random.default_rng(2).normal(size=samples).astype(np.float32)


def pink(samples: int) -> Sound:
    """As loud in each octave as in the next: rain, traffic, many people."""
    return _coloured(samples, 0.5)


def fan(samples: int) -> Sound:
    at_s = np.arange(samples) / RATE
    hum = 0.7 * np.sin(2 * np.pi * 120 * at_s) + 0.4 * np.sin(2 * np.pi * 240 * at_s)
    return (_coloured(samples, 1.0) + hum).astype(np.float32)


def _coloured(samples: int, slope: float) -> Sound:
    hz = np.fft.rfftfreq(samples, 1 / RATE)
    spectrum = np.fft.rfft(white(samples)) * np.maximum(hz, 40) ** -slope
    sound = np.fft.irfft(spectrum, samples)
    return (sound / np.sqrt(np.mean(sound**2))).astype(np.float32)


def keyboard(samples: int) -> Sound:
    """Four keys a second: each falls, bounces and comes up, with the room's answer."""
    rng = np.random.default_rng(3)
    clicks = np.zeros(samples + RATE)
    at = 0
    while (at := at + round(RATE * (0.06 + rng.exponential(0.2)))) < samples:
        for after_ms, gain in ((0.0, 1.0), (rng.uniform(4, 12), 0.5), (rng.uniform(60, 100), 0.4)):
            n = np.arange(round(RATE * rng.uniform(0.003, 0.009)))
            ring = np.sin(2 * np.pi * rng.uniform(1500, 4000) * n / RATE)
            click = (rng.normal(size=len(n)) + ring) * np.exp(-4 * n / len(n)) * gain * rng.uniform(0.4, 1)
            start = at + round(after_ms * RATE / 1000)
            clicks[start : start + len(n)] += click
    return np.convolve(clicks[:samples], room(4))[:samples].astype(np.float32)


def thumps(samples: int) -> Sound:
    """Doors, steps, a cup that is put down."""
    rng = np.random.default_rng(5)
    sound = np.zeros(samples + RATE)
    at_s = np.arange(round(0.15 * RATE)) / RATE
    at = 0
    while (at := at + round(RATE * rng.uniform(1, 4))) < samples:
        body = np.sin(2 * np.pi * rng.uniform(50, 110) * at_s) * np.exp(-30 * at_s)
        sound[at : at + len(at_s)] += body + 0.1 * rng.normal(size=len(at_s)) * np.exp(-200 * at_s)
    return sound[:samples].astype(np.float32)


def music(samples: int) -> Sound:
    """Plucked chords. Each note is an onset to whoever does not know what speech is."""
    rng = np.random.default_rng(6)
    sound = np.zeros(samples + 4 * RATE)
    notes_hz = 220 * 2 ** (np.array([0, 3, 5, 7, 10, 12, 15, 17]) / 12)
    at = 0
    while at < samples:
        beat = round(RATE * rng.choice([0.25, 0.5, 0.5, 1.0]))
        at_s = np.arange(2 * beat) / RATE
        for hz in rng.choice(notes_hz, rng.integers(1, 4)):
            for n in range(1, 7):
                tone = np.sin(2 * np.pi * hz * n * at_s + rng.uniform(0, 6)) * np.exp(-(1.5 + n) * at_s) / n
                sound[at : at + len(at_s)] += tone * (1 - np.exp(-150 * at_s))
        at += beat
    return sound[:samples].astype(np.float32)


MINUTE = 60 * RATE
NOISES: dict[str, Callable[[], Sound]] = {
    "a quiet room": lambda: at_dbfs(white(MINUTE), QUIET_DBFS),
    "white noise at -45 dBFS": lambda: at_dbfs(white(MINUTE), -45),
    "pink noise at -45 dBFS": lambda: at_dbfs(pink(MINUTE), -45),
    "a fan at -40 dBFS": lambda: at_dbfs(fan(MINUTE), -40),
    "a keyboard, peaks at -20 dBFS": lambda: with_peak(keyboard(MINUTE), -20),
    "thumps, peaks at -20 dBFS": lambda: with_peak(thumps(MINUTE), -20),
    "a keyboard, peaks at -10 dBFS": lambda: with_peak(keyboard(MINUTE), -10),
    "music, peaks at -20 dBFS": lambda: with_peak(music(MINUTE), -20),
}

SPOKEN: dict[str, tuple[float, Callable[[int], Sound], float]] = {
    "a quiet room": (-26, white, QUIET_DBFS),
    "the same, a faint microphone": (-40, white, QUIET_DBFS),
    "pink noise, 20 dB below": (-26, pink, -46),
    "pink noise, 10 dB below": (-26, pink, -36),
    "white noise, 20 dB below": (-26, white, -46),
    "white noise, 10 dB below": (-26, white, -36),
    "a fan, 10 dB below": (-26, fan, -36),
}


def left_of_the_voice(
    *, delay_ms: int, gain_db: float, drift_ppm: float = 0, cut_s: float, seconds: float
) -> tuple[Sound, list[int]]:
    """What a canceller leaves of the assistant's voice, and the onsets in it while it sounds. It is cut off
    once, and with that the canceller begins anew.
    """
    nobody = np.zeros(0, np.float32)
    _, cleared = conversation(
        story(seconds),
        nobody,
        canceller,
        delay_ms=delay_ms,
        gain_db=gain_db,
        drift_ppm=drift_ppm,
        flush_at_s=cut_s,
    )
    voices = [(0.1, cut_s), (cut_s + 0.1, seconds)]
    found = onsets(cleared, voices)
    return cleared, [end for end in found if any(a * RATE < end < b * RATE for a, b in voices)]


def over_the_voice(gain_db: float) -> list[float]:
    """`delays_ms` of somebody who speaks over the assistant, whose echo has this gain, behind a canceller."""
    delays = []
    for n, (sentence, first) in enumerate(sentences(-20)):
        at = round((2.5 + n / 11) * RATE)
        user = np.concatenate([np.zeros(at, np.float32), sentence])
        _, cleared = conversation(story(6.5), user, canceller, gain_db=gain_db)
        found = [end - at - first for end in onsets(cleared, [(0, 9)]) if end > at + first]
        delays.append(found[0] / RATE * 1000 if found and found[0] < RATE // 2 else np.inf)
    return delays


def tell_cancelled() -> None:
    grid = itertools.product((30, 80, 140, 250), (0, -6, -12, -20), (0, 100, -100))
    found = minutes = 0.0
    for n, (delay_ms, gain_db, drift_ppm) in enumerate(grid):
        left, ends = left_of_the_voice(
            delay_ms=delay_ms, gain_db=gain_db, drift_ppm=drift_ppm, cut_s=4.0 + n % 9, seconds=20
        )
        minutes += len(left) / MINUTE
        found += len(ends)
        if ends:
            at_s = ", ".join(f"{end / RATE:.1f}" for end in ends)
            print(f"  {delay_ms} ms, {gain_db} dB, {drift_ppm} ppm, cut at {4 + n % 9} s: at {at_s} s")
    print(f"  left of the voice: {found:.0f} in {minutes:.0f} minutes")
    print("behind a canceller, over the voice, ms: median, 90th percentile")
    for gain_db in (0, -8, -20):
        delays = over_the_voice(gain_db)
        told = ", ".join(f"{np.percentile(delays, p, method='lower'):.0f}" for p in (50, 90))
        print(f"  its echo {gain_db} dB: {told}, {sum(map(np.isinf, delays))} of {len(delays)} not in 500 ms")


def main() -> None:
    print("first sample of speech to onset, ms: median, 95th percentile, worst")
    for name, scene in SPOKEN.items():
        delays = np.array(delays_ms(*scene))
        told = ", ".join(f"{np.percentile(delays, p, method='lower'):.0f}" for p in (50, 95, 100))
        print(f"  {name}: {told} ({len(delays)} sentences)")
    print("onsets in a minute")
    for name, noise in NOISES.items():
        print(f"  {name}: {len(onsets(noise()))}")
    if canceller() is not None:
        tell_cancelled()
    watch, chunk = OnsetWatch(), (white(CHUNK) * 3000).astype("<i2").tobytes()
    began_s = time.perf_counter()
    for _ in range(5000):
        watch.begins(chunk)
    print(f"a chunk of 20 ms takes {(time.perf_counter() - began_s) / 5000 * 1e6:.0f} µs")


if __name__ == "__main__":
    main()
