"""The way from the loudspeaker to the microphone, by chirps in an even row."""

import statistics

import numpy as np
from attrs import frozen

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.pcm import Samples, samples_in_ms
from rtassist.doctor import chirp
from rtassist.doctor.duplex import Heard, Sounded

CHIRPS = 6
PERIOD = 60 * 480
"""1.2 s: a Bluetooth headset there and back needs 0.3 to 0.5."""
WINDOW = PERIOD - samples_in_ms(50)
EARLY = samples_in_ms(50)
"""Reports of what has sounded are off by up to 15 ms, and a device may sound before it says so."""
ALIKE_MS = 50
ENOUGH_CHIRPS = 4
MARKS = range(0, CHIRPS * PERIOD, PERIOD)


def row() -> Samples:
    """What is played: a chirp at each of MARKS."""
    one = chirp.chirp()
    samples = np.zeros(CHIRPS * PERIOD, np.float32)
    for start in MARKS:
        samples[start : start + len(one)] = one
    return samples


def latencies_ms(sounded: Sounded) -> list[float]:
    """From handing over each mark until it sounds, by the device's own account."""
    return [
        (sounded.sounded_s[mark] - sounded.handed_s[mark]) * 1000
        for mark in sounded.marks
        if mark in sounded.sounded_s and mark in sounded.handed_s
    ]


@frozen(kw_only=True)
class Loop:
    """The chirps that the microphone heard: where each stood when it was played and when it was heard."""

    played: tuple[int, ...] = ()
    heard: tuple[float, ...] = ()
    capture_ms: float = 0.0
    echo_db: float = 0.0

    @property
    def found(self) -> bool:
        return len(self.played) >= ENOUGH_CHIRPS


def loop_of(heard: Heard, sounded: Sounded) -> Loop:
    """Chirps count that were heard about equally long after they sounded: another sound that resembles one
    does not keep the time. (Their distance is no measure: a loudspeaker that runs dry goes on later.)"""
    sought = chirp.chirp()
    began_s, everything = heard.began_s(), heard.samples()
    rows = []
    for mark in sounded.marks:
        if mark not in sounded.sounded_s:
            continue
        start = max(0, heard.place(sounded.sounded_s[mark]) - EARLY)
        place = chirp.find(everything[start : start + EARLY + WINDOW], sought)
        if place:
            at = start + place.at
            late_ms = (began_s + at / SAMPLE_RATE - sounded.sounded_s[mark]) * 1000
            rows.append((mark, at, late_ms, place.gain_db))
    if not rows:
        return Loop()
    middle = statistics.median(late_ms for _, _, late_ms, _ in rows)
    kept = [row for row in rows if abs(row[2] - middle) < ALIKE_MS]
    if not kept:
        return Loop()
    return Loop(
        played=tuple(row[0] for row in kept),
        heard=tuple(row[1] for row in kept),
        capture_ms=statistics.median(row[2] for row in kept),
        echo_db=statistics.median(row[3] for row in kept),
    )
