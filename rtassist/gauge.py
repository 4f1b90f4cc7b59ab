"""What a conversation shows of itself while it goes on: the ring notes it, and who draws it asks."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable

import trio

from rtassist.dialogue import limits
from rtassist.dialogue.doing import Course, Standing, follow, microphone_on
from rtassist.dialogue.state import Conversation

CHUNKS = 5
"""Of 20 ms: what is new when a screen asks ten times a second."""
EVERY = 4
"""Every fourth sample is looked at: the level of a voice, which is below 3 kHz, is all in these."""
FAINTEST_DBFS = -90.0


class Gauge:
    """`changed` is called when the conversation does something else, with the way to ask how it stands.

    What comes with every chunk costs less than a microsecond; a level is measured when somebody asks for it.
    """

    def __init__(self, changed: Callable[[Callable[[], Standing]], None] | None = None) -> None:
        self._changed = changed
        self._mic: deque[bytes] = deque(maxlen=CHUNKS)
        self._voice: deque[bytes] = deque(maxlen=CHUNKS)
        self._state: Conversation | None = None
        self._course = Course()
        self._began_s = trio.current_time()

    def heard(self, pcm: bytes) -> None:
        """The next chunk of the microphone: PCM16."""
        self._mic.append(pcm)

    def sounded(self, pcm: bytes) -> None:
        """The next chunk that was handed to the loudspeaker."""
        self._voice.append(pcm)

    def follow(self, state: Conversation, now_us: int) -> None:
        """The conversation's state after an event."""
        if state is self._state:
            return
        began = self._state is None
        self._state, before = state, self._course
        self._course = follow(before, state, now_us)
        if self._changed is not None and (began or self._course.doing is not before.doing):
            self._changed(self.standing)

    def standing(self) -> Standing:
        state = self._state
        on = state is not None and microphone_on(state)
        return Standing(
            doing=self._course.doing,
            microphone_on=on,
            mic_dbfs=None if state is None or not state.microphone else _peak_dbfs(self._mic if on else ()),
            voice_dbfs=None
            if state is None or not state.voiced
            else _peak_dbfs(self._voice if state.sounding else ()),
            elapsed_s=int(trio.current_time() - self._began_s),
            latency_ms=self._course.latency_ms,
            tokens=state.spending.total_tokens or None if state is not None else None,
            cost_usd=state.spending.usd or None if state is not None else None,
            context=None if state is None else limits.fill(state),
        )


def _peak_dbfs(chunks: Iterable[bytes]) -> float:
    peak = 0
    for pcm in chunks:
        samples = memoryview(pcm)[: len(pcm) // 2 * 2].cast("h")[::EVERY].tolist()
        if samples:
            peak = max(peak, max(samples), -min(samples))
    return max(FAINTEST_DBFS, 20 * math.log10(peak / 32768)) if peak else FAINTEST_DBFS
