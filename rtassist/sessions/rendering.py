"""A recording as it sounded to the user: the microphone left, the assistant right, on one timeline.

Where a sound stands follows from when it was reported. A chunk of the microphone has just ended when it is
noted. Of the assistant's voice the loudspeaker says ten times a second how much has sounded by then: what it
does not say has not sounded, so an interruption is cut where it was heard. A report may be early or late by a
little, and a cut for it in the middle of a voice would be heard: so sound goes on without a gap as long as it
is less than a tolerance off. What comes faster than it sounds, as from a file read at once, stands one
behind the other, later than it came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from rtassist.audio.envelope import Gain
from rtassist.dialogue import events
from rtassist.sessions import notation
from rtassist.sessions.reading import Asked, Begun, Happened, Heard, Record, Run, Torn

SAMPLE_RATE: Final = 24_000
BLOCK: Final = SAMPLE_RATE
"""Samples that are given at a time."""
TOLERANCE: Final = SAMPLE_RATE // 10
"""100 ms of the microphone: a busy machine may notice a chunk so late, with others behind it."""
VOICE_TOLERANCE: Final = SAMPLE_RATE * 3 // 100
"""30 ms: positions of a loudspeaker are estimates that are up to 15 ms off."""
WAIT: Final = 5 * SAMPLE_RATE
"""Nothing that is noted later than this has sounded before: reports come ten times a second."""

Stereo = NDArray[np.int16]


class Tracks(Protocol):
    """What `rtassist.sessions.sound.Sound` gives."""

    def mic(self, first: int, samples: int) -> bytes: ...

    def voice(self, first: int, samples: int) -> bytes: ...


def rendered(records: Iterable[Record], sound: Tracks, *, ducked: float = 1.0) -> Iterator[Stereo]:
    """The whole recording in blocks of up to a second: samples × 2, 24 kHz, microphone left.

    `ducked`: the gain of the voice while it was lowered; 1 leaves it as it was handed over. What `sound` does
    not have is silent. Memory does not grow with the recording. Raises what reading the records raises.
    """
    scene = _Scene(ducked)
    at = 0
    for record in records:
        scene.take(record)
        while at + BLOCK <= scene.now - WAIT:
            yield _block(scene, sound, at, BLOCK)
            at += BLOCK
    end = max(scene.now, scene.mic.end, scene.voice.end)
    while at < end:
        yield _block(scene, sound, at, min(BLOCK, end - at))
        at += BLOCK


def _block(scene: _Scene, sound: Tracks, at: int, samples: int) -> Stereo:
    left = scene.mic.read(at, samples, sound.mic)
    right = scene.voice.read(at, samples, sound.voice)
    return np.stack([left, scene.loudness.applied(at, right)], axis=1)


@define
class _Lane:
    """Runs of samples and where on the timeline they stand, those that have not been read yet."""

    tolerance: int
    end: int = 0
    """Behind the last sample."""
    _runs: deque[tuple[int, Run]] = field(factory=deque)

    def put(self, start: int, run: Run) -> None:
        """About at `start`, and behind what is there."""
        at = start if start - self.end > self.tolerance else self.end
        self._runs.append((at, run))
        self.end = at + run[1]

    def read(self, at: int, samples: int, track: _Track) -> NDArray[np.int16]:
        """What stands in this piece of the timeline, which follows the one before."""
        block = np.zeros(samples, np.int16)
        while self._runs and self._runs[0][0] < at + samples:
            start, (first, count) = self._runs.popleft()
            fits = min(count, at + samples - start)
            pcm = track(first, fits)
            block[start - at : start - at + fits] = np.frombuffer(pcm, "<i2")
            if fits < count:
                self._runs.appendleft((at + samples, (first + fits, count - fits)))
        self.end = max(self.end, at + samples)  # what has been given is not to be changed
        return block


class _Track(Protocol):
    def __call__(self, first: int, samples: int) -> bytes: ...


class _Loudness:
    """The gain of the voice, as it was lowered and raised."""

    def __init__(self, ducked: float) -> None:
        self._ducked = ducked
        self._gain = Gain()
        self._changes: deque[tuple[int, float]] = deque()

    def change(self, at: int, *, lowered: bool) -> None:
        self._changes.append((at, self._ducked if lowered else 1.0))

    def applied(self, at: int, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        pieces = []
        done = 0
        while done < len(samples):
            while self._changes and self._changes[0][0] <= at + done:
                self._gain.target = self._changes.popleft()[1]
            until = min(len(samples), self._changes[0][0] - at) if self._changes else len(samples)
            pcm = self._gain.of(samples[done:until].astype("<i2").tobytes())
            pieces.append(np.frombuffer(pcm, "<i2"))
            done = until
        return np.concatenate(pieces)


@define
class _Voice:
    """An item's sound as it was handed over, in runs of the recorded voice that have not sounded yet."""

    runs: deque[Run] = field(factory=deque)
    handed: int = 0
    handed_at: deque[tuple[int, int]] = field(factory=deque)
    """When (samples of the timeline) how much had been handed over, since the last report."""
    sounded: int = 0
    told_at: int | None = None
    """The time of the last report, from which on it went on."""

    def hand(self, at: int, run: Run) -> None:
        self.runs.append(run)
        self.handed += run[1]
        self.handed_at.append((at, self.handed))

    def handed_before(self, at: int) -> int:
        return max((handed for when, handed in self.handed_at if when <= at), default=0)

    def sound(self, heard: int) -> Iterator[Run]:
        """The runs that have sounded since the last report."""
        left = min(heard, self.handed) - self.sounded
        while left > 0:
            first, samples = self.runs.popleft()
            taken = min(samples, left)
            if taken < samples:
                self.runs.appendleft((first + taken, samples - taken))
            yield first, taken
            left -= taken
            self.sounded += taken
        while len(self.handed_at) > 1 and self.handed_at[0][1] <= self.sounded:
            self.handed_at.popleft()


class _Scene:
    """All that is known of the sound until now."""

    def __init__(self, ducked: float) -> None:
        self.now = 0
        """Samples since the recording began."""
        self.mic = _Lane(TOLERANCE)
        self.voice = _Lane(VOICE_TOLERANCE)
        self.loudness = _Loudness(ducked)
        self._voices: dict[str, _Voice] = {}

    def take(self, record: Record) -> None:
        if isinstance(record, Torn):
            return
        self.now = _samples(record.us)
        match record:
            case Heard():
                self._heard(record)
            case Happened(event=events.PlaybackAdvanced(item_id=item_id, heard=heard)):
                self._sounded(self.now, item_id, heard)
            case Happened(event=events.PlaybackEnded(item_id=item_id, heard=heard)):
                self._sounded(self.now, item_id, heard)
                self._voices.pop(item_id, None)
            case Happened(event=events.VoiceStarved(item_id=item_id, missing_ms=missing_ms)):
                ran_dry = self.now - missing_ms * SAMPLE_RATE // 1000
                if (voice := self._voices.get(item_id)) is not None:
                    self._sounded(ran_dry, item_id, voice.handed_before(ran_dry))
                    voice.told_at = None  # it goes on when enough of it is there
            case Asked(body=body, voice=run):
                self._asked(body, run)
            case Begun():
                self._voices.clear()
                self.loudness.change(self.now, lowered=False)
            case _:
                pass

    def _heard(self, heard: Heard) -> None:
        began = self.now
        samples = 0
        for at_us, chunk in heard.chunks:
            samples += chunk
            self.now = _samples(heard.us + at_us)
            began = min(
                began, self.now - samples
            )  # one that came late had begun before, as the next ones say
        self.mic.put(began, heard.run)

    def _sounded(self, at: int, item_id: str, heard: int) -> None:
        voice = self._voices.get(item_id)
        if voice is None:
            return
        start = at - (min(heard, voice.handed) - voice.sounded)
        if voice.told_at is not None:
            # A report is late because the device fell silent behind what it tells, or for no reason. Both
            # reports must say so for a hole, which is between the two: measured with a device that ran dry.
            start = min(start, voice.told_at)
        voice.told_at = at
        for run in voice.sound(heard):
            self.voice.put(start, run)
            start += run[1]

    def _asked(self, body: bytes, run: Run | None) -> None:
        if run is not None and body.startswith(b'"effect":"play"'):
            item_id = notation.parse(b"{" + body)["item_id"]
            self._voices.setdefault(item_id, _Voice()).hand(self.now, run)
        elif body.startswith((b'"effect":"duck"', b'"effect":"unduck"')):
            self.loudness.change(self.now, lowered=body.startswith(b'"effect":"duck"'))


def _samples(us: int) -> int:
    return us * SAMPLE_RATE // 1_000_000
