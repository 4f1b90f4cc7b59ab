"""When the sound in a pipe is due: a file's at its own speed, a recorder's when it came. Pure.

Which of both it is shows in how it comes. A file's pipe is full whenever it is read. A program that records
leaves it empty, and who has waited for a chunk has the newest sound there is: so the clock is set anew with
each wait, and a recorder's own clock, its pauses and the size of its pieces make nothing late.
"""

import math

from rtassist.audio import SAMPLE_RATE

CHUNK_SAMPLES = 480
WAITED_S = 0.010
"""Who got sound after less may have been late himself, with a pipe that was not empty."""
RECENT_SAMPLES = SAMPLE_RATE // 4
"""What comes at once after a wait may all be new: programs record in pieces of 10 to 125 ms. More is speech
that was made faster than it is spoken, and has its own speed."""
LEAD_S = 2.0
"""A recorder's pipe and its own buffer hold no more, while the program starts and connects."""
EARLY_S = 0.005
"""What comes from a program that records is early as often as late: to wait for that costs a wake-up."""


class PipeClock:
    """Sample n is due `due_s(n)`, with the whole chunk that begins there. Times are on one clock, in seconds.

    `since_s`: when what is in the pipe at first may have been recorded; infinity where it is a file's, whose
    sound is never due before real time.
    """

    def __init__(self, since_s: float = math.inf) -> None:
        self._since_s = since_s
        self._began_s: float | None = None
        self._waited = False

    def came(self, read: int, there: int, asked_s: float, now_s: float) -> None:
        """Asked for at `asked_s`, sound has come: `there` samples wait behind those that were read."""
        if self._began_s is None:
            self._began_s = now_s
            self._since_s = max(self._since_s, now_s - LEAD_S)
        recent = min(there, RECENT_SAMPLES)
        waited = now_s - asked_s >= WAITED_S
        self._waited = self._waited or waited
        if not self._waited:
            self._began_s = min(self._began_s, max(self._since_s, _began_s(read + there, now_s)))
        elif there == recent:
            began_s = _began_s(read + there, now_s)
            self._began_s = began_s if waited else min(self._began_s, began_s)
        elif waited:
            self._began_s = max(self._began_s, _began_s(read + recent, now_s))
        # What is not there is not due, though a slow clock, or a stall, would have it so: half a chunk later.
        self._began_s = max(self._began_s, _began_s(read + there + CHUNK_SAMPLES // 2, now_s))

    def due_s(self, sample: int) -> float:
        """Only when something has come."""
        assert self._began_s is not None
        return self._began_s + sample / SAMPLE_RATE

    def due_by(self, now_s: float) -> int:
        """Samples from the first one on, in whole chunks."""
        assert self._began_s is not None
        return math.floor((now_s + EARLY_S - self._began_s) * SAMPLE_RATE / CHUNK_SAMPLES + 1) * CHUNK_SAMPLES


def _began_s(samples: int, now_s: float) -> float:
    """If the last chunk of so many samples is due now."""
    return now_s - (samples - CHUNK_SAMPLES) / SAMPLE_RATE
