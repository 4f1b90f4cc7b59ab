"""Whether a device still runs."""

import time
from collections.abc import Callable

from rtassist.audio import DeviceLost

STALLED_S = 1.5
"""A running device takes or gives something every few ms; a suspended one, or a stopped server, nothing."""
STARTING_S = 3.0
"""A null sink or a Bluetooth device may need two seconds to begin."""
LOOKED_AGAIN_S = 0.1
"""A thread looks every 20 ms. When it was kept from looking for longer, so was perhaps the device."""


class Progress:
    """Watches a count of what a device took or gave."""

    def __init__(self, device: str, now_s: Callable[[], float] = time.monotonic) -> None:
        self._device = device
        self._now_s = now_s
        self._stood_s = 0.0
        self._looked_s = now_s()
        self._first: int | None = None
        self._last: int | None = None

    def check(self, count: int) -> None:
        """Raises DeviceLost when the count has stood still for too long."""
        now_s = self._now_s()
        self._stood_s += min(now_s - self._looked_s, LOOKED_AGAIN_S)
        self._looked_s = now_s
        if self._first is None:
            self._first = count
        elif count == self._last:
            if self._stood_s > (STARTING_S if count == self._first else STALLED_S):
                raise DeviceLost(f"{self._device} stands still")
            return
        self._last, self._stood_s = count, 0.0
