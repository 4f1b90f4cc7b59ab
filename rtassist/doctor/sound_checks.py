"""What sound is like on this machine: the server, the devices, their latencies, the loop between them."""

import errno
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import TypeVar

import numpy as np
import trio
from attrs import define

from rtassist.audio import SAMPLE_RATE, DeviceLost, SoundUnavailable
from rtassist.audio.devices import Device, Kind, choose, of_kind
from rtassist.audio.echo import Canceller, Echo, canceller
from rtassist.audio.far_end import LOUD, Pcm
from rtassist.audio.files import file_meant
from rtassist.audio.microphone import devices, open_device_microphone
from rtassist.audio.pcm import samples_in_ms, to_pcm16
from rtassist.audio.speaker import DeviceSpeaker, open_device_speaker
from rtassist.doctor import chirp
from rtassist.doctor.checks import pulse_socket
from rtassist.doctor.duplex import Heard, listen, play, until_heard
from rtassist.doctor.examine import Found
from rtassist.doctor.loop import MARKS, Loop, loop_of, row
from rtassist.doctor.report import Check, first_sentence
from rtassist.doctor.verdicts import (
    LEAD_S,
    NOTHING_DBFS,
    RESTART,
    Measured,
    cancellation_check,
    cleared_by_the_system,
    drift_check,
    loopback_check,
    loudspeaker_check,
    microphone_check,
    not_opened,
)

LABELS: Mapping[Kind, str] = {"microphone": "Microphone", "speaker": "Loudspeaker"}
IDS: Mapping[Kind, str] = {"microphone": "microphone", "speaker": "loudspeaker"}
STOPPED_AFTER_S = 0.4
VOICE_S = 6.0

T = TypeVar("T")
Announce = Callable[[str], None]


def is_device(name: str | None) -> bool:
    return name not in ("none", "-") and file_meant(name) is None


async def system(found: Found, environ: Mapping[str, str]) -> Sequence[Device]:
    """The devices that there are; none where no sound system answers, which has been told."""
    path = pulse_socket(environ) if sys.platform == "linux" else None
    values: dict[str, object] = {"socket": str(path) if path else None}
    try:
        there = await devices()
    except SoundUnavailable as unavailable:
        what, cure = first_sentence(unavailable.message)
        refusal = await _socket_error(path) if path else None
        if path and refusal is not None:
            why, better = socket_trouble(path, refusal)
            what, cure = f"{what} {why}", better or cure
        elif path or "does not answer" in what:
            cure = RESTART
        found(Check(id="sound", state="failed", summary=f"Sound: {what}", cure=cure, values=values))
        return ()
    counts = {kind: len([d for d in of_kind(there, kind) if not d.monitor]) for kind in LABELS}
    values |= {"microphones": counts["microphone"], "loudspeakers": counts["speaker"]}
    told = [f"{n} {LABELS[kind].lower()}{'s' * (n != 1)}" for kind, n in counts.items()]
    summary = f"Sound: {' and '.join(told)}"
    found(Check(id="sound", state="ok", summary=summary, values=values))
    return there


async def _socket_error(path: Path) -> OSError | None:
    """Why nobody can be reached there; None: somebody takes the connection."""
    with trio.socket.socket(socket.AF_UNIX) as client, trio.move_on_after(1):
        try:
            await client.connect(str(path))
        except OSError as error:
            return error
    return None


def socket_trouble(path: Path, error: OSError) -> tuple[str, str]:
    """What is wrong with a sound server's socket, and a cure where it is a better one than to start it."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"The socket {path} may not be used (permission denied).",
            "run rtassist as the user who is logged in, without sudo; "
            "in a container, hand the socket in with rights for its user.",
        )
    if error.errno == errno.ENOENT:
        return f"There is no socket {path}.", ""
    if error.errno == errno.ECONNREFUSED:
        return f"The socket {path} is left over from a server that has ended.", ""
    return f"The socket {path}: {(error.strerror or str(error)).lower()}.", ""


async def sound(
    microphone: str | None,
    speaker: str | None,
    *,
    cancelling: bool,
    environ: Mapping[str, str],
    announce: Announce,
    found: Found,
) -> None:
    """Everything that is measured with sound. `cancelling`: the echo canceller too, where it is there."""
    there = await system(found, environ)
    # Its import would take the processor from the devices' threads in the middle of a measurement.
    installed = cancelling and await trio.to_thread.run_sync(canceller, abandon_on_cancel=True) is not None
    async with AsyncExitStack() as stack:
        mic = await _opened(stack, "microphone", microphone, there, open_device_microphone(microphone), found)
        loud = await _opened(stack, "speaker", speaker, there, open_device_speaker(speaker), found)
        heard, measured = Heard(), Measured()
        async with trio.open_nursery() as nursery:
            if mic:
                nursery.start_soon(listen, mic, heard)
                await until_heard(heard, round(LEAD_S * SAMPLE_RATE), LEAD_S + 4)
            if loud:
                with_what = "six times" if mic else "six times, which nobody listens to"
                announce(f"A short chirp is played {with_what} (9 s).")
                measured = await _measure(loud, heard)
            nursery.cancel_scope.cancel()
    silent = True
    if mic and mic.device:
        hearing = microphone_check(mic.device, heard, mic.dropped_chunks, _others(there, mic.device))
        silent = hearing.state == "failed" or hearing.values["peak_dbfs"] == NOTHING_DBFS
        found(hearing)
    if loud and loud.device:
        found(loudspeaker_check(loud.device, measured, _others(there, loud.device)))
        if mic and mic.device and not (silent or measured.lost):
            cleared = cleared_by_the_system(mic.device)
            loop = loop_of(heard, measured.sounded)
            found(loopback_check(loop, measured, cleared=cleared))
            found(drift_check(loop))
            unmeasurable = _unmeasurable(loop, cleared=cleared)
            if unmeasurable:
                found(Check(id="cancellation", state="skipped", summary=f"Echo: {unmeasurable}"))
            elif installed:
                announce(f"A voice without words is played ({VOICE_S:g} s).")
                found(await cancellation(microphone, speaker))


def _unmeasurable(loop: Loop, *, cleared: bool) -> str:
    """Why the canceller cannot be weighed here; empty where it can."""
    if cleared:
        return "the sound system takes it out by itself"
    if not loop.found:
        return "not measured, there is none"
    return "not measured, the microphone hears what has not sounded yet" if loop.capture_ms < 0 else ""


async def _opened(
    stack: AsyncExitStack,
    kind: Kind,
    name: str | None,
    there: Sequence[Device],
    opening: AbstractAsyncContextManager[T],
    found: Found,
) -> T | None:
    """The device, or None, and why has been told."""
    id, label = IDS[kind], LABELS[kind]
    if not is_device(name):
        found(Check(id=id, state="skipped", summary=f"{label}: {name} is no device, nothing is measured"))
        return None
    if not there:
        found(Check(id=id, state="skipped", summary=f"{label}: not tried without a sound system"))
        return None
    try:
        choose(there, kind, name)
        return await stack.enter_async_context(opening)
    except SoundUnavailable as unavailable:
        what, cure = not_opened(unavailable.message, kind, any_there=bool(of_kind(there, kind)))
        found(Check(id=id, state="failed", summary=f"{label}: {what}", cure=cure))
        return None


async def _measure(speaker: DeviceSpeaker, heard: Heard) -> Measured:
    """The chirps, and then a voice that is stopped."""
    measured = Measured(
        sounded=await play(speaker, to_pcm16(row()), MARKS),
        buffer_samples=speaker.buffer_samples,
        reserve_samples=speaker.reserve_samples,
        underruns=speaker.underruns,
    )
    if measured.lost:  # the microphone, too? It knows within two seconds
        await until_heard(heard, heard.count + SAMPLE_RATE, 2.5)
        return measured
    if heard.count and not heard.lost:
        await until_heard(heard, heard.count + samples_in_ms(300), 1.0)
    voice = to_pcm16(chirp.speechlike(2 * SAMPLE_RATE) * np.float32(0.3))
    with trio.move_on_after(STOPPED_AFTER_S):
        measured.sounded.lost = (await play(speaker, voice, ())).lost
    heard_then = speaker.heard()
    speaker.flush()
    try:
        with trio.move_on_after(1):
            await speaker.drain()
            measured.stop_left_ms = round((speaker.heard() - heard_then) * 1000 / SAMPLE_RATE, 1)
    except DeviceLost as lost:
        measured.sounded.lost = lost.reason
    return measured


@define
class Metered:
    """A canceller whose work is weighed: the power of each frame before and after, while a voice sounds."""

    inner: Canceller
    powers: list[tuple[bool, float, float]]

    def cancel(self, near: Pcm, far: Pcm) -> Pcm:
        left = self.inner.cancel(near, far)
        voiced = bool(np.max(np.abs(far)) > LOUD)
        self.powers.append((voiced, _power(near), _power(left)))
        return left


def _power(pcm: Pcm) -> float:
    return float(np.mean(np.square(pcm.astype(np.float64) / 32768)))


async def cancellation(microphone: str | None, speaker: str | None) -> Check:
    powers: list[tuple[bool, float, float]] = []

    def new() -> Canceller | None:
        inner = canceller()
        return Metered(inner, powers) if inner else None

    echo, heard = Echo(new), Heard()
    try:
        async with (
            open_device_microphone(microphone, echo) as mic,
            open_device_speaker(speaker, echo) as loud,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(listen, mic, heard)
            await until_heard(heard, SAMPLE_RATE // 2, 2)
            sounded = await play(loud, to_pcm16(chirp.speechlike(round(VOICE_S * SAMPLE_RATE))), ())
            nursery.cancel_scope.cancel()
    except SoundUnavailable as unavailable:
        return Check(id="cancellation", state="failed", summary=f"Echo: {unavailable.message}")
    if lost := heard.lost or sounded.lost:
        return Check(id="cancellation", state="failed", summary=f"Echo: {lost}", cure=RESTART)
    return cancellation_check(powers)


def _others(there: Sequence[Device], device: Device) -> list[str]:
    return [d.id for d in of_kind(there, device.kind) if not d.monitor and d.id != device.id]
