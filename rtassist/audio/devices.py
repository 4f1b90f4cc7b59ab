"""The microphones and speakers of this machine, and which one a name means."""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from rtassist.audio import SoundUnavailable

Kind = Literal["microphone", "speaker"]


@frozen(kw_only=True)
class Device:
    """`id`: what the sound system calls it. `monitor`: a microphone that hears what a speaker plays."""

    kind: Kind
    id: str
    name: str
    default: bool
    monitor: bool = False
    channels: int | None = None
    rate_hz: int | None = None


def choose(devices: Sequence[Device], kind: Kind, wanted: str | None) -> Device:
    """The device of this kind that is meant by an id, an index in `of_kind`, or a unique part of a name.

    None: the system's default, but never a monitor, since an assistant that listens to one hears
    nothing but itself; where that is the default, the first real microphone.
    Raises SoundUnavailable, which lists what there is.
    """
    there = of_kind(devices, kind)
    real = [d for d in there if not d.monitor]
    if wanted is None:
        if not real:
            raise SoundUnavailable(f"This machine has no {kind}.{_list(there)}")
        return next((d for d in real if d.default), real[0])
    for device in there:
        if device.id == wanted:
            return device
    if wanted.isdecimal() and int(wanted) < len(there):
        return there[int(wanted)]
    for candidates in (real, there):
        named = [d for d in candidates if wanted.casefold() in f"{d.name}\n{d.id}".casefold()]
        if len(named) == 1:
            return named[0]
        if named:
            raise SoundUnavailable(f"More than one {kind} is called {wanted!r}.{_list(there)}")
    raise SoundUnavailable(f"There is no {kind} called {wanted!r}.{_list(there)}")


def of_kind(devices: Sequence[Device], kind: Kind) -> tuple[Device, ...]:
    """In the order of their indices: real ones first, then monitors."""
    return tuple(sorted((d for d in devices if d.kind == kind), key=lambda d: d.monitor))


def _list(devices: Sequence[Device]) -> str:
    if not devices:
        return ""
    lines = [
        f"\n  {index}  {d.name}  ({d.id}){', default' if d.default else ''}{', monitor' if d.monitor else ''}"
        for index, d in enumerate(devices)
    ]
    return " There is:" + "".join(lines)


class CaptureStream(Protocol):
    """An open microphone, used by one thread alone."""

    def read(self) -> NDArray[np.float32]:
        """The mono samples that came since the last call, perhaps none. Never waits. Raises DeviceLost."""
        ...

    def close(self) -> None: ...


class PlaybackStream(Protocol):
    """An open speaker, used by one thread alone. Positions are samples since opening, silence included."""

    written: int
    """Where the next sample is going to stand."""
    buffer_samples: int
    """How much it holds."""

    @property
    def reserve_samples(self) -> int:
        """With this much ahead it is time to write: the device takes it at once, or before a thread is back.
        As of the last `room`."""
        ...

    def room(self) -> int:
        """Samples that it takes now. Raises DeviceLost."""
        ...

    def ahead(self) -> int:
        """Samples written that the device has not taken yet, as of the last `room`."""
        ...

    def write(self, samples: NDArray[np.float32]) -> None:
        """At most `room` samples. Never waits. Raises DeviceLost."""
        ...

    def sounded(self) -> tuple[float, int] | None:
        """A moment (time.monotonic) and the position that sounded then; None when nothing new is known."""
        ...

    def ran_dry_at(self) -> int | None:
        """The position where the device last had nothing to play, if it had since the last call."""
        ...

    def flush(self) -> None:
        """Silence: drop what was written and has not sounded. Positions go on counting."""
        ...

    def rewritable(self) -> int | None:
        """How many of the samples written last the device has surely not taken yet, nor is taking now.
        None: what is written stands, as the device cannot do better or its place is not known.
        """
        ...

    def rewrite(self, samples: NDArray[np.float32]) -> None:
        """In place of as many samples written last: at most `rewritable`, and at once. Raises DeviceLost."""
        ...

    def silent_at(self) -> int | None:
        """The position where the last flush fell, when the device has told it; nothing may be written
        meanwhile.
        """
        ...

    def close(self) -> None:
        """Stop at once, without playing what is left."""
        ...


class SoundSystem(Protocol):
    """What one operating system offers. Each call may block: for threads that may be left behind."""

    def devices(self) -> tuple[Device, ...]: ...

    def open_microphone(self, device: Device) -> CaptureStream: ...

    def open_speaker(self, device: Device, buffer_samples: int) -> PlaybackStream: ...
