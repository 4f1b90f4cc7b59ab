"""The microphone and the loudspeaker that the settings mean, or none, told in one line."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from attrs import define, evolve

from rtassist import STARTED_S, errors
from rtassist.audio import Microphone, SoundUnavailable, Speaker
from rtassist.settings import Settings

if TYPE_CHECKING:
    from rtassist.audio.devices import Kind
    from rtassist.audio.echo import Echo
    from rtassist.audio.held import Held

T = TypeVar("T")
NONE = "none"


@define
class Missing:
    """Why there is no microphone or no loudspeaker, where nobody asked to be without."""

    microphone: str = ""
    speaker: str = ""

    def sentences(self) -> list[str]:
        """What to tell the user: one line where one reason takes away both."""
        if self.microphone and self.microphone == self.speaker:
            return [f"{self.microphone} Until then you type, and answers are written."]
        told = []
        if self.microphone:
            told.append(f"{self.microphone} Until then you type.")
        if self.speaker:
            told.append(f"{self.speaker} Until then answers are written.")
        return told


def put_to_use(settings: Settings, missing: Missing, *, deaf: str, mute: str) -> Settings:
    """The settings without the devices that a server has no use for: `deaf` and `mute` say why, or are empty.

    Raises errors.SoundUnavailable when such a one was asked for by name.
    """
    if deaf and not settings.text and settings.mic != NONE:
        if settings.mic is not None:
            raise errors.SoundUnavailable(deaf)
        settings, missing.microphone = evolve(settings, mic=NONE), deaf
    if mute and not settings.text and settings.speaker != NONE:
        if settings.speaker is not None:
            raise errors.SoundUnavailable(mute)
        settings, missing.speaker = evolve(settings, speaker=NONE), mute
    return settings


def echo_for(settings: Settings) -> Echo | None:
    """What stands between the loudspeaker and the microphone; None: nothing. Only between two devices.

    Whoever says by a key when it is his turn needs no gate: the voice has stopped by then.
    """
    devices = _is_device(settings, settings.mic) and _is_device(settings, settings.speaker)
    if not devices or settings.echo not in ("auto", "on"):
        return None
    from rtassist.audio.echo import Echo

    return Echo(gate=settings.echo == "on" or not (settings.ptt or settings.vad == "off"))


NOT_INSTALLED = "Echo cancellation is not installed"
CURES = "pip install 'rtassist[aec]', or --echo headphones if you wear some"


def echo_sentences(settings: Settings, echo: Echo | None) -> list[str]:
    """What to tell of it, once both devices are open.

    Raises errors.SoundUnavailable when cancelling was asked for and cannot be had.
    """
    if echo is None or not echo.far.open or echo.way in ("none", "cancelled"):
        return []
    if echo.way == "system":
        assert echo.microphone is not None
        return [f"{echo.microphone.name} is already free of echo, by the sound system; it is used as it is."]
    if settings.echo == "on":
        raise errors.SoundUnavailable(f"{NOT_INSTALLED}, or cannot run here: {CURES}.")
    return [
        f"{NOT_INSTALLED}: you are not heard while the assistant speaks (Enter interrupts). Cure: {CURES}."
    ]


@asynccontextmanager
async def open_microphone(
    settings: Settings, missing: Missing, echo: Echo | None = None
) -> AsyncIterator[Microphone | None]:
    """What is to be heard; None where there is nothing.

    Raises errors.SoundUnavailable when what was asked for by name cannot be had.
    """
    name = settings.mic
    if settings.text or name == NONE:
        yield None
        return
    from rtassist.audio.levels import Gain
    from rtassist.audio.microphone import open_microphone as opened_by_name  # and numpy with it
    from rtassist.audio.patience import Patience

    async with AsyncExitStack() as stack:
        gain = Gain() if settings.gain == "auto" else None
        # Where a key ends a turn, all that was heard by then belongs to it.
        patience = None if settings.ptt or settings.vad == "off" else Patience()
        opening = opened_by_name(
            name,
            fast=settings.fast,
            echo=echo,
            gain=gain,
            patience=patience,
            recording_s=time.perf_counter() - STARTED_S,
        )
        microphone, missing.microphone = await _opened(stack, opening, name)
        yield microphone


@asynccontextmanager
async def open_speaker(
    settings: Settings, missing: Missing, echo: Echo | None = None
) -> AsyncIterator[Speaker | None]:
    """As `open_microphone`, for what the assistant says."""
    name = settings.speaker
    if settings.text or name == NONE:
        yield None
        return
    from rtassist.audio.speaker import open_speaker as opened_by_name

    async with AsyncExitStack() as stack:
        opening = opened_by_name(name, fast=settings.fast, echo=echo)
        speaker, missing.speaker = await _opened(stack, opening, name)
        yield speaker


async def _opened(
    stack: AsyncExitStack, opening: AbstractAsyncContextManager[T], name: str | None
) -> tuple[T | None, str]:
    try:
        return await stack.enter_async_context(opening), ""
    except SoundUnavailable as unavailable:
        if name is not None:
            raise errors.SoundUnavailable(unavailable.message) from None
        return None, unavailable.message


def held_microphone(
    settings: Settings, missing: Missing, echo: Echo | None
) -> AbstractAsyncContextManager[Held[Microphone]]:
    """`open_microphone`, and again after it was lost. A file or pipe is never opened again."""

    def open_named(name: str | None) -> AbstractAsyncContextManager[Microphone | None]:
        return open_microphone(evolve(settings, mic=name), Missing(), echo)

    first = open_microphone(settings, missing, echo)
    return _held(settings, "microphone", settings.mic, first, open_named)


def held_speaker(
    settings: Settings, missing: Missing, echo: Echo | None
) -> AbstractAsyncContextManager[Held[Speaker]]:
    """As `held_microphone`."""

    def open_named(name: str | None) -> AbstractAsyncContextManager[Speaker | None]:
        return open_speaker(evolve(settings, speaker=name), Missing(), echo)

    first = open_speaker(settings, missing, echo)
    return _held(settings, "speaker", settings.speaker, first, open_named)


def _held(
    settings: Settings,
    kind: Kind,
    name: str | None,
    first: AbstractAsyncContextManager[T | None],
    open_named: Callable[[str | None], AbstractAsyncContextManager[T | None]],
) -> AbstractAsyncContextManager[Held[T]]:
    from rtassist.audio.held import held

    if not _is_device(settings, name):
        return held(first, None, name)

    meant = name

    @asynccontextmanager
    async def noted() -> AsyncIterator[T | None]:
        """Once it is gone, an index or a part of its name may mean another one."""
        nonlocal meant
        async with first as opened:
            if name is not None:
                meant = _id(opened) or name
            yield opened

    @asynccontextmanager
    async def open_any(wanted: str | None) -> AsyncIterator[T | None]:
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(open_named(meant if wanted == name else wanted))
            for id in await _others(kind) if opened is None else ():
                with suppress(errors.SoundUnavailable):
                    opened = await stack.enter_async_context(open_named(id))
                    break
            yield opened

    return held(noted(), open_any, name, lambda in_its_place: _found(kind, meant, _id(in_its_place)))


def _id(opened: object) -> str | None:
    return getattr(getattr(opened, "device", None), "id", None)


async def _others(kind: Kind) -> list[str]:
    """The ids of all real devices but the default one, which cannot be used."""
    from rtassist.audio.devices import of_kind
    from rtassist.audio.microphone import devices

    try:
        return [d.id for d in of_kind(await devices(), kind) if not d.monitor and not d.default]
    except SoundUnavailable:
        return []


async def _found(kind: Kind, wanted: str | None, in_its_place: str | None) -> bool | None:
    """See `Held`; both are ids. It is opened to see whether it works: one that is suspended does not."""
    from rtassist.audio.devices import choose, of_kind
    from rtassist.audio.microphone import devices, open_device_microphone
    from rtassist.audio.speaker import open_device_speaker

    try:
        there = of_kind(await devices(), kind)
        if wanted is None:
            wanted = choose(there, kind, None).id
        elif wanted not in [device.id for device in there]:
            return False
        if wanted == in_its_place:
            return None
        async with (open_device_microphone if kind == "microphone" else open_device_speaker)(wanted):
            return True
    except SoundUnavailable:
        return False


def _is_device(settings: Settings, name: str | None) -> bool:
    if settings.text or name in (NONE, "-"):
        return False
    if name is None:
        return True
    from rtassist.audio.files import file_meant  # and numpy with it

    return file_meant(name) is None


async def next_device(holding: Held[T], lost: T | None, moved_to: str | None) -> tuple[T, str]:
    """`Held.after`, with the device's name."""
    opened = await holding.after(lost, moved_to)
    return opened, device_name(opened)


def device_name(opened: object) -> str:
    """What the sound system calls an open microphone or loudspeaker."""
    return str(getattr(getattr(opened, "device", None), "name", "")) or "another one"
