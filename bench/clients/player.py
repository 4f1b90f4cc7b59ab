"""The player that whoever uses a peer writes around a device: a queue, a thread, and what has been played."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from bench.device import Loudspeaker

Played = Callable[[str, bytes], None]
"""Gets an item's id, and its samples that have just sounded."""
POLL_S = 0.005


class Player:
    """Fills the device as soon as it has room; `clear` drops all and flushes it. To be closed."""

    def __init__(self, device: Loudspeaker, played: Played) -> None:
        self._device = device
        self._played = played
        self._queue: deque[tuple[str, bytes]] = deque()
        self._inside: deque[tuple[int, str, bytes]] = deque()  # where it begins in the device's stream
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def put(self, item_id: str, pcm: bytes) -> None:
        with self._lock:
            self._queue.append((item_id, pcm))

    def clear(self) -> None:
        with self._lock:
            self._queue.clear()
            self._tell(self._device.flush())
            self._inside.clear()

    def busy(self) -> bool:
        """Something waits to be played, or is in the device."""
        with self._lock:
            return bool(self._queue or self._inside)

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _feed(self) -> None:
        while not self._over.is_set():
            with self._lock:
                self._tell(self._device.sounded()[1])
                while (room := self._device.room()) and self._queue:
                    item_id, pcm = self._queue.popleft()
                    if len(pcm) > 2 * room:
                        self._queue.appendleft((item_id, pcm[2 * room :]))
                        pcm = pcm[: 2 * room]
                    self._inside.append((self._device.written, item_id, pcm))
                    self._device.write(pcm)
            time.sleep(POLL_S)

    def _tell(self, position: int) -> None:
        """Locked. All has sounded that stands before this position."""
        while self._inside and (sounded := position - self._inside[0][0]) > 0:
            start, item_id, pcm = self._inside.popleft()
            if 2 * sounded < len(pcm):
                self._inside.appendleft((start + sounded, item_id, pcm[2 * sounded :]))
            self._played(item_id, pcm[: 2 * sounded])
