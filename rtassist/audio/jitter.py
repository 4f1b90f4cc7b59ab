"""How long a voice waits before it sounds, so that it need not stop in the middle. Pure."""

from attrs import define

LEAST_MS = 80
"""Where WebRTC's NetEq begins (delay_manager.cc, kStartDelayMs)."""
LONGEST_MS = 500
"""A longer silence before each answer is worse than a gap in some."""
EASED_MS_PER_S = 10
"""Of a voice that comes in time: a wait that was doubled by one bad moment is halved in some answers."""


@define
class Jitter:
    """What one link has taught. `wait_ms`: how much sound a voice waits for at its beginning and after a gap.

    It waits at most for so long; what comes faster than it sounds is there before. Nothing is waited for
    until a voice has run dry.
    """

    wait_ms: int = 0
    _spare_ms: int = LONGEST_MS

    def began(self) -> None:
        """A voice."""
        self._spare_ms = LONGEST_MS

    def arrived(self, left_ms: int) -> None:
        """More of it came when so much was left to sound."""
        self._spare_ms = min(self._spare_ms, left_ms)

    def starved(self, missing_ms: int) -> None:
        """Nothing was left, and more came so much later."""
        longer_ms = -10 * (-(self.wait_ms + missing_ms) // 10)
        self.wait_ms = min(LONGEST_MS, max(LEAST_MS, 2 * self.wait_ms, longer_ms))
        self._spare_ms = 0

    def ended(self, voice_ms: int) -> None:
        """It was so long. The wait never eases by more than there was to spare."""
        self.wait_ms -= min(self.wait_ms, self._spare_ms, voice_ms * EASED_MS_PER_S // 1000)
