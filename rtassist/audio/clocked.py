"""A speaker that is only a clock: it sounds sample n of its stream n/24000 s after it was opened."""

import math
from collections.abc import Callable

import trio

from rtassist.audio import SAMPLE_RATE, SoundUnavailable
from rtassist.audio.envelope import Gain
from rtassist.audio.pcm import samples_in
from rtassist.audio.playout import Playout

ENOUGH = 480
"""Samples (20 ms) that wait their turn before `play` waits: with what is being handed over, a voice is never
more than 120 ms ahead of what sounds, all of which a flush takes back."""


class ClockedSpeaker:
    """Paced by trio's clock; `fast`: everything sounds at the moment it is handed over, without silence.

    `sound(position, pcm)` gets each piece of the voice once it has sounded, with its place in the
    stream (samples since opening); between pieces there is silence. When it raises SoundUnavailable,
    the next `play` or `drain` does, and nothing sounds any more.
    """

    def __init__(self, sound: Callable[[int, bytes], None], *, fast: bool = False) -> None:
        self._sound = sound
        self._fast = fast
        self._opened_s = trio.current_time()
        self._position = 0
        self._playout = Playout()
        self._gain = Gain()
        self._failure: SoundUnavailable | None = None

    async def play(self, pcm: bytes) -> None:
        await trio.lowlevel.checkpoint()
        while self._advance() and self._playout.queued > ENOUGH:
            await self._sleep_until_position(self._position + self._playout.queued - ENOUGH)
        if self._failure:
            raise self._failure
        self._playout.hand(pcm)
        if self._fast:
            self._sound_next(samples_in(pcm))

    def heard(self) -> int:
        self._advance()
        return self._playout.heard(self._position)

    def handed(self) -> int:
        return self._playout.handed

    async def drain(self) -> None:
        await trio.lowlevel.checkpoint()
        while self._advance() and self._playout.queued:
            await self._sleep_until_position(self._position + self._playout.queued)
        if self._failure:
            raise self._failure

    def flush(self) -> int:
        self._advance()
        return self._playout.flush(self._position)

    def fade_to(self, gain: float) -> None:
        self._advance()
        self._gain.target = gain

    def position(self) -> int:
        """Samples of the stream that have sounded, voice and silence."""
        self._advance()
        return self._position

    def _advance(self) -> bool:
        """Let sound what is due. False: it cannot."""
        if not self._fast:
            # A millionth of a sample: the clock's floats must not hide a sample that is just due.
            elapsed = (trio.current_time() - self._opened_s) * SAMPLE_RATE + 1e-6
            self._sound_next(math.floor(elapsed) - self._position)
        return self._failure is None

    def _sound_next(self, samples: int) -> None:
        if self._failure:
            return
        start = self._position
        voice = self._playout.take(samples, start)
        if voice:
            try:
                self._sound(start, self._gain.of(voice))
            except SoundUnavailable as failure:
                self._failure = failure
                self._playout.flush(start)
                return
        self._position += samples

    async def _sleep_until_position(self, position: int) -> None:
        await trio.sleep_until(self._opened_s + position / SAMPLE_RATE)
