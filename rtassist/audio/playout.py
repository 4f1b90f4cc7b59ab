"""Which samples of the voice have sounded, on a device that fills every gap with silence. Pure."""

from collections import deque


class Playout:
    """The account of one speaker: what was handed over, where it stands in the device's stream, what sounded.

    A device plays one endless stream of samples, numbered from 0, and the voice stands in it in runs,
    with silence in between. Positions and lengths are samples.
    """

    def __init__(self) -> None:
        self.handed = 0
        self.queued = 0
        """Handed over and not yet written to the device."""
        self._queue: deque[bytes] = deque()
        self._runs: deque[tuple[int, int]] = deque()  # (where in the stream it starts, how long it is)
        self._sounded = 0  # of runs that ended
        self._heard = 0
        self._cut: tuple[int, tuple[tuple[int, int], ...]] = (0, ())  # what a flush cut: `_sounded`, `_runs`

    def hand(self, pcm: bytes) -> None:
        self._queue.append(pcm)
        self.queued += len(pcm) // 2
        self.handed += len(pcm) // 2

    def take(self, samples: int, position: int) -> bytes:
        """Up to `samples` of the voice, which are going to stand at `position` of the stream."""
        pieces = []
        wanted = min(samples, self.queued) * 2
        while wanted:
            piece = self._queue.popleft()
            if len(piece) > wanted:
                self._queue.appendleft(piece[wanted:])
                piece = piece[:wanted]
            pieces.append(piece)
            wanted -= len(piece)
        taken = b"".join(pieces)
        if taken:
            self.queued -= len(taken) // 2
            self._stands_at(position, len(taken) // 2)
        return taken

    def _stands_at(self, position: int, length: int) -> None:
        if self._runs:
            start, before = self._runs[-1]
            if start + before == position:
                self._runs[-1] = (start, before + length)
                return
        self._runs.append((position, length))

    def heard(self, position: int) -> int:
        """Samples of the voice that have sounded, when the stream has sounded up to `position`.

        A position that goes back, as an estimate may, takes nothing back.
        """
        while self._runs and sum(self._runs[0]) <= position:
            self._sounded += self._runs.popleft()[1]
        into = max(0, position - self._runs[0][0]) if self._runs else 0
        self._heard = max(self._heard, self._sounded + into)
        return self._heard

    def speaks_at(self, position: int) -> bool:
        """Whether the voice goes on from the sample before this position, and has not all sounded."""
        return any(start < position < start + length for start, length in self._runs)

    def flush(self, position: int) -> int:
        """Forget what has not sounded at `position`; how many samples of the voice that was."""
        heard = self.heard(position)
        taken_back = self.handed - heard
        self._cut = (self._sounded, tuple(self._runs))
        self._queue.clear()
        self._runs.clear()
        self.queued = 0
        self.handed = self._sounded = heard
        return taken_back

    def settle(self, position: int) -> None:
        """After a flush: the device fell silent at `position`. What sounded beyond the position that the
        flush was given was handed over and heard after all.
        """
        sounded, runs = self._cut
        self._cut = (0, ())
        for start, length in runs:
            sounded += min(max(0, position - start), length)
        more = max(0, sounded - self._sounded)
        self.handed += more
        self._sounded += more
        self._heard += more
