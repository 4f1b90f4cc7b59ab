"""A loudspeaker with a clock of its own, and all that ever left it. Of the standard library alone, so that
every contender can play on it.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any, Final

RATE: Final = 24_000


class Loudspeaker:
    """A push device: a buffer of the asked size, from which it takes a period at a time at its own rate.

    Nothing is taken back of a period that it has taken, as no real device gives that back. Samples are PCM16,
    mono. Positions are samples that were written, silence included. May be used by any thread.
    """

    def __init__(
        self,
        *,
        buffer_ms: int,
        period_ms: int,
        drift_ppm: int = 0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.buffer_samples = buffer_ms * RATE // 1000
        self.period_samples = period_ms * RATE // 1000
        self.rate = RATE * (1 + drift_ppm * 1e-6)
        self.written = 0
        self.left = bytearray()
        """What left it, from its first moment on, silence included where it had nothing."""
        self._now_s = now_s
        self._began_s = now_s()
        self._waiting = bytearray()
        self._silence = 0  # at the end of what left it, of which nothing was written
        self._dry_at: int | None = None
        self._lock = threading.Lock()

    def room(self) -> int:
        with self._lock:
            self._advance()
            return max(0, self.buffer_samples - len(self._waiting) // 2)

    def ahead(self) -> int:
        with self._lock:
            self._advance()
            return len(self._waiting) // 2

    def write(self, pcm: bytes) -> None:
        """At most `room` samples."""
        with self._lock:
            self._advance()
            self._waiting += pcm
            self.written += len(pcm) // 2

    def flush(self) -> int:
        """Drop what it has not taken; the position where it falls silent."""
        with self._lock:
            self._advance()
            position = self.written - len(self._waiting) // 2
            self._waiting.clear()
            return position

    def sounded(self) -> tuple[float, int]:
        """Now, and the position that sounds now."""
        with self._lock:
            now_s = self._advance()
            taken = len(self.left) // 2
            not_yet = max(0, taken - int((now_s - self._began_s) * self.rate) - self._silence)
            return now_s, self.written - len(self._waiting) // 2 - not_yet

    def ran_dry_at(self) -> int | None:
        with self._lock:
            position, self._dry_at = self._dry_at, None
            return position

    def report(self) -> dict[str, Any]:
        """All that left it until now, for the process that judges it: see `heard.Heard`."""
        with self._lock:
            self._advance()
            return {
                "began_s": self._began_s,
                "rate": self.rate,
                "left": base64.b64encode(self.left).decode(),
            }

    def _advance(self) -> float:
        now_s = self._now_s()
        due = (int((now_s - self._began_s) * self.rate) // self.period_samples + 1) * self.period_samples
        count = due - len(self.left) // 2
        if count > 0:
            piece = bytes(self._waiting[: 2 * count])
            del self._waiting[: 2 * count]
            missing = count - len(piece) // 2
            if missing and not (self._silence and not piece):
                self._dry_at = self.written - len(self._waiting) // 2
            self._silence = missing if piece else self._silence + missing
            self.left += piece + bytes(2 * missing)
        return now_s
