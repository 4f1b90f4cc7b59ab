"""Whether a device still runs."""

import time
from collections.abc import Callable

from rtassist.audio import DeviceLost

STALLED_S = 1.5
"""A running device takes or gives something every few ms; a suspended one, or a stopped server, nothing."""
STARTING_S = 3.0
"""A null sink or a Bluetooth device may need two seconds to begin."""
ASKED_S = 0.25
"""More than ten times as long as a thread waits between two looks. Where it was longer, the whole machine
stood still (3.2 s were seen, in a container that had used up its share), and the device is not to blame."""


class Progress:
    """Watches a count of what a device took or gave."""

    def __init__(self, device: str, now_s: Callable[[], float] = time.monotonic) -> None:
        self._device = device
        self._now_s = now_s
        self._still_s = 0.0
        self._asked_s = now_s()
        self._first: int | None = None
        self._last: int | None = None

    def check(self, count: int) -> None:
        """Raises DeviceLost when the count has stood still for too long."""
        now_s = self._now_s()
        since_s, self._asked_s = now_s - self._asked_s, now_s
        if self._first is None:
            self._first = count
        elif count == self._last:
            self._still_s += min(since_s, ASKED_S)
            allowed_s = STARTING_S if count == self._first else STALLED_S
            if self._still_s > allowed_s:
                raise DeviceLost(f"{self._device} stands still")
            return
        self._last, self._still_s = count, 0.0
