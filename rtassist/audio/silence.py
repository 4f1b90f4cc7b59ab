"""Whether a microphone gives nothing that could be speech. Pure."""

from rtassist.audio import SAMPLE_RATE

DIGITAL_PEAK = 1
"""Nothing at all, or a last bit that toggles: a muted or missing microphone. The noise of the cheapest room
and of the best preamplifier is above it."""
FAINT_PEAK = 16
"""-66 dBFS: speech at arm's length is 30 dB above it, a quiet room may be below."""
DIGITAL_SAMPLES = 5 * SAMPLE_RATE
FAINT_SAMPLES = 20 * SAMPLE_RATE
"""Longer, since a user in a very quiet room may listen for a while before saying a word."""


class SilenceWatch:
    """Listens to one microphone from its opening until there is something to hear; if not, says so once.

    Only the beginning counts: a microphone that suppresses noise gives digital silence between the words.
    """

    def __init__(self) -> None:
        self._digital = self._faint = 0
        self._over = False

    def is_silent(self, pcm: bytes) -> bool:
        """Given the next chunk of PCM16: True once, when it has been silent for too long."""
        if self._over:
            return False
        samples = memoryview(pcm).cast("h")
        peak = max(max(samples, default=0), -min(samples, default=0))
        self._over = peak > FAINT_PEAK
        self._faint += len(samples)
        self._digital = self._digital + len(samples) if peak <= DIGITAL_PEAK else 0
        silent = not self._over and (self._digital >= DIGITAL_SAMPLES or self._faint >= FAINT_SAMPLES)
        self._over = self._over or silent
        return silent
