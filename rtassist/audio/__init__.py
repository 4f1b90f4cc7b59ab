"""Sound in and out: PCM16 little-endian, mono, 24 kHz, as `bytes` (2 bytes a sample, 48 bytes a ms).

This file holds the two small interfaces that everything else talks to, and what can go wrong with
them. It imports neither numpy nor SoundCard, so that asking for a type costs nothing.
"""

from typing import Protocol

__all__ = ["SAMPLE_RATE", "DeviceLost", "Microphone", "SoundUnavailable", "Speaker"]

SAMPLE_RATE = 24_000


class DeviceLost(Exception):  # noqa: N818 (named for what happened)
    """An open device stopped working: unplugged, suspended, or its sound server is gone.

    The device is to be closed; a new one may be opened. `reason` is half a sentence for a person,
    such as "the sound server is gone". `moved_to`: the id of the device of its kind where the sound system
    has put the stream.
    """

    def __init__(self, reason: str, moved_to: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.moved_to = moved_to


class SoundUnavailable(Exception):  # noqa: N818 (named for what happened)
    """A device or file cannot be opened, or a file can no longer be written.

    `message` says to a user what happened, why, and what to do about it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def reason(self) -> str:
        """As of DeviceLost, for where a device is told to be gone, and why."""
        return self.message.removesuffix(".")


class Microphone(Protocol):
    """Sound coming in. One task reads."""

    live: bool
    """A device that never ends by itself. False: a file or a pipe, which does."""
    clips: bool
    """A device that has cut off, since it was opened, what was loud; as far as that is known."""
    urgent: bool
    """Set by who reads: a voice sounds that stops when somebody speaks. Else silence may come a little later,
    several chunks at once."""

    async def read(self) -> bytes:
        """The next chunk of PCM16, typically 20 ms, once it was heard.

        Raises trio.EndOfChannel at the end of a file or pipe, DeviceLost when the device is gone,
        SoundUnavailable when a file turns out to be damaged. A checkpoint; a cancelled call takes no
        sound away: the next one returns it.
        """
        ...


class Speaker(Protocol):
    """Sound going out. One task plays; all but `play` and `drain` may be called by any trio task."""

    async def play(self, pcm: bytes) -> None:
        """Hand over up to 100 ms of PCM16, waiting while the device has enough.

        Raises DeviceLost when the device is gone, SoundUnavailable when a file or pipe can no longer
        be written. A checkpoint; a cancelled call handed over nothing.
        """
        ...

    def heard(self) -> int:
        """Samples that have sounded, of those handed over since opening. Never goes down.

        Silence that the device filled in by itself, before, between or after them, does not count.
        """
        ...

    def handed(self) -> int:
        """Samples handed over since opening, less those that flushes took back."""
        ...

    async def drain(self) -> None:
        """Wait until everything handed over has sounded. Raises as `play`; cancelling stops nothing."""
        ...

    def flush(self) -> int:
        """Be silent now: take back what has not sounded yet, and return how many samples that were.

        Never waits. The device falls silent within 20 ms; afterwards `heard() == handed()`. What
        sounded until it did may still be added to both: after `await drain()`, which takes a few ms
        then, they are exact.
        """
        ...

    def fade_to(self, gain: float) -> None:
        """From now on what sounds has this gain (1: as it was handed over), reached by a ramp of a few ms;
        also what the device already holds, where that can be rewritten. Never waits; positions are not
        changed. The gain lasts until it is set again.
        """
        ...
