"""What sound is like on this machine: the server, the devices, their latencies, the loop between them."""

import errno
import socket
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import TypeVar

import numpy as np
import trio
from attrs import define, field, frozen

from rtassist.audio import SAMPLE_RATE, SoundUnavailable
from rtassist.audio.devices import Device, Kind, choose, of_kind
from rtassist.audio.echo import FRAME, Canceller, Echo, canceller
from rtassist.audio.far_end import LOUD, Pcm
from rtassist.audio.files import file_meant
from rtassist.audio.microphone import DeviceMicrophone, devices, open_device_microphone
from rtassist.audio.pcm import samples_in_ms, silence, to_pcm16
from rtassist.audio.speaker import DeviceSpeaker, open_device_speaker
from rtassist.doctor import chirp
from rtassist.doctor.checks import pulse_socket
from rtassist.doctor.duplex import Heard, Sounded, dbfs, listen, play, until_heard
from rtassist.doctor.examine import Found
from rtassist.doctor.report import Check, State, first_sentence

LABELS: Mapping[Kind, str] = {"microphone": "Microphone", "speaker": "Loudspeaker"}
IDS: Mapping[Kind, str] = {"microphone": "microphone", "speaker": "loudspeaker"}
RESTART = {
    "linux": "restart it: `systemctl --user restart pipewire pipewire-pulse`, or `pulseaudio --kill`.",
}.get(sys.platform, "restart the machine's sound service.")

LEAD_S = 1.0
"""The room by itself; the devices settle in it."""
CHIRPS = 6
PERIOD = 60 * 480
"""1.2 s: a Bluetooth headset there and back needs 0.3 to 0.5."""
WINDOW = PERIOD - samples_in_ms(50)
EARLY = samples_in_ms(50)
"""Reports of what has sounded are off by up to 15 ms, and a device may sound before it says so."""
ALIKE = samples_in_ms(50)
ENOUGH_CHIRPS = 4
STOPPED_AFTER_S = 0.4
SILENT_DBFS = -90.0
"""Below the last bit of 16: no room and no card is so quiet, only a switch is."""
SLOW_MS = 250
DRIFTS_PPM = 300
"""Cards in order differ by up to 100 ppm; the canceller follows that by itself."""
VOICE_S = 6.0
LEARNING_S = 2.0
WEAK_DB = 10.0
AUDIBLE_DB = 6.0

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
    if mic:
        found(microphone_check(mic, heard, there))
    if loud:
        found(loudspeaker_check(loud, measured, there))
    if mic and loud and not (heard.lost or measured.lost):
        loop = loop_of(heard, measured.sounded)
        found(loopback_check(loop, measured.sounded))
        found(drift_check(loop, loud.underruns))
        if installed and loop.found:
            announce(f"A voice without words is played ({VOICE_S:g} s).")
            found(await _cancellation(microphone, speaker))


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
        message, _, listed = unavailable.message.partition(" There is:")
        what, cure = first_sentence(message)
        if not cure:
            option = "--mic" if kind == "microphone" else "--speaker"
            cure = (
                f"choose with {option} what `rtassist devices` lists."
                if listed or of_kind(there, kind)
                else f"plug one in, or say {option} none."
            )
        found(Check(id=id, state="failed", summary=f"{label}: {what}", cure=cure))
        return None


@define
class Measured:
    """How a loudspeaker did."""

    sounded: Sounded = field(factory=Sounded)
    stop_left_ms: float | None = None

    @property
    def lost(self) -> str:
        return self.sounded.lost


async def _measure(speaker: DeviceSpeaker, heard: Heard) -> Measured:
    """The chirps, and then a voice that is stopped."""
    one = chirp.chirp()
    row = np.zeros(CHIRPS * PERIOD, np.float32)
    for start in range(0, len(row), PERIOD):
        row[start : start + len(one)] = one
    marks = range(0, len(row), PERIOD)
    measured = Measured(sounded=await play(speaker, to_pcm16(row), marks))
    if measured.lost:
        return measured
    if heard.count and not heard.lost:
        await until_heard(heard, heard.count + samples_in_ms(300), 1.0)
    voice = to_pcm16(chirp.speechlike(2 * SAMPLE_RATE) * np.float32(0.3))
    with trio.move_on_after(STOPPED_AFTER_S):
        measured.sounded.lost = (await play(speaker, voice, ())).lost
    heard_then = speaker.heard()
    speaker.flush()
    with trio.move_on_after(1):
        await play(speaker, silence(0), ())  # it drains
        measured.stop_left_ms = round((speaker.heard() - heard_then) * 1000 / SAMPLE_RATE, 1)
    return measured


def microphone_check(microphone: DeviceMicrophone, heard: Heard, there: Sequence[Device]) -> Check:
    assert microphone.device is not None
    name = microphone.device.name
    room = heard.samples(0, round(LEAD_S * SAMPLE_RATE))
    everything = heard.samples()
    peak = float(np.max(np.abs(everything))) if len(everything) else 0.0
    level = dbfs(room - np.mean(room)) if len(room) else -120.0
    values: dict[str, object] = {
        "name": name,
        "id": microphone.device.id,
        "others": _others(there, microphone.device),
        "level_dbfs": level,
        "peak_dbfs": round(float(20 * np.log10(peak)), 1) if peak else -120.0,
        "worst_gap_ms": heard.worst_gap_ms(),
        "dropped_chunks": microphone.dropped_chunks,
    }
    state: State = "ok"
    what = f"{level:.0f} dBFS in quiet" if level > SILENT_DBFS else "without any noise of its own"
    cure = ""
    if heard.lost or not len(everything):
        state, what, cure = "failed", heard.lost or "it gives no sound", RESTART
    elif peak == 0 or (level < SILENT_DBFS and peak < 1e-4):
        state, what, cure = "warning", "it gives nothing but silence", silence_cure(sys.platform)
    elif peak >= 0.999:
        state, what = "warning", "it is overdriven"
        cure = "lower its level in the system's sound settings."
    return Check(
        id="microphone",
        state=state,
        summary=f"Microphone: {name}, {what}",
        cure=cure,
        values=values,
    )


def _others(there: Sequence[Device], device: Device) -> list[str]:
    return [d.id for d in of_kind(there, device.kind) if not d.monitor and d.id != device.id]


def silence_cure(system: str) -> str:
    """A system that forbids the microphone gives silence, and no error."""
    if system == "darwin":
        return (
            "allow the microphone to your terminal in System Settings, Privacy & Security, Microphone; "
            "else unmute it, or choose another with --mic."
        )
    if system == "win32":
        return "allow apps the microphone in Settings, Privacy; else unmute it, or choose another with --mic."
    return "unmute it in the system's sound settings, or choose another with --mic (`rtassist devices`)."


def loudspeaker_check(speaker: DeviceSpeaker, measured: Measured, there: Sequence[Device]) -> Check:
    assert speaker.device is not None
    name, sounded = speaker.device.name, measured.sounded
    latencies = latencies_ms(sounded)
    first = round(latencies[0]) if latencies else None
    values: dict[str, object] = {
        "name": name,
        "id": speaker.device.id,
        "others": _others(there, speaker.device),
        "first_ms": first,
        "ahead_ms": round(statistics.median(latencies[1:])) if len(latencies) > 1 else None,
        "buffer_ms": round(speaker.buffer_samples * 1000 / SAMPLE_RATE, 1),
        "reserve_ms": round(speaker.reserve_samples * 1000 / SAMPLE_RATE, 1),
        "stop_left_ms": measured.stop_left_ms,
        "underruns": speaker.underruns,
    }
    if measured.lost or first is None:
        what = measured.lost or "what is played does not sound"
        summary = f"Loudspeaker: {name}, {what}"
        return Check(id="loudspeaker", state="failed", summary=summary, cure=RESTART, values=values)
    what = f"sounds within {first} ms"
    if measured.stop_left_ms is not None:
        what += f"; a stop leaves {measured.stop_left_ms:g} ms"
    cure = ""
    if speaker.underruns:
        what += f"; it ran dry {speaker.underruns} times"
        cure = "close what keeps the machine busy"
        cure += ", or set PULSE_LATENCY_MSEC=120 for more in reserve." if sys.platform == "linux" else "."
    elif first > SLOW_MS:
        cure = "a wired loudspeaker or headset answers sooner (--speaker)."
    return Check(
        id="loudspeaker",
        state="warning" if cure else "ok",
        summary=f"Loudspeaker: {name}, {what}",
        cure=cure,
        values=values,
    )


def latencies_ms(sounded: Sounded) -> list[float]:
    """From handing over each mark until it sounds, by the device's own account."""
    return [
        (sounded.sounded_s[mark] - sounded.handed_s[mark]) * 1000
        for mark in sounded.marks
        if mark in sounded.sounded_s and mark in sounded.handed_s
    ]


@frozen(kw_only=True)
class Loop:
    """The chirps that the microphone heard: where each stood when it was played and when it was heard."""

    played: tuple[int, ...] = ()
    heard: tuple[float, ...] = ()
    capture_ms: float = 0.0
    echo_db: float = 0.0

    @property
    def found(self) -> bool:
        return len(self.played) >= ENOUGH_CHIRPS


def loop_of(heard: Heard, sounded: Sounded) -> Loop:
    """Chirps count that were heard about equally long after they sounded: another sound that resembles one
    does not keep the time."""
    sought = chirp.chirp()
    began_s, everything = heard.began_s(), heard.samples()
    rows = []
    for mark in sounded.marks:
        if mark not in sounded.sounded_s:
            continue
        start = max(0, heard.place(sounded.sounded_s[mark]) - EARLY)
        place = chirp.find(everything[start : start + EARLY + WINDOW], sought)
        if place:
            at = start + place.at
            late_ms = (began_s + at / SAMPLE_RATE - sounded.sounded_s[mark]) * 1000
            rows.append((mark, at, late_ms, place.gain_db))
    if not rows:
        return Loop()
    middle = statistics.median(at - mark for mark, at, _, _ in rows)
    kept = [row for row in rows if abs(row[1] - row[0] - middle) < ALIKE]
    if not kept:
        return Loop()
    return Loop(
        played=tuple(row[0] for row in kept),
        heard=tuple(row[1] for row in kept),
        capture_ms=statistics.median(row[2] for row in kept),
        echo_db=statistics.median(row[3] for row in kept),
    )


def loopback_check(loop: Loop, sounded: Sounded) -> Check:
    if not loop.found:
        return Check(
            id="loopback",
            state="warning",
            summary="Loop: the chirp was not heard by the microphone",
            cure="with headphones that is right, say --echo headphones; else turn the loudspeaker up, "
            "or choose the devices with --mic and --speaker.",
            values={"heard": False, "total_ms": None, "playback_ms": None, "capture_ms": None}
            | {"echo_db": None},
        )
    latencies = latencies_ms(sounded)
    playback = round(statistics.median(latencies[1:] or latencies))
    capture = round(loop.capture_ms)
    return Check(
        id="loopback",
        state="ok",
        summary=f"Loop: the chirp is back after {playback + capture} ms ({playback} until it sounds, "
        f"{capture} until it is heard), at {round(loop.echo_db)} dB",
        values={
            "heard": True,
            "total_ms": playback + capture,
            "playback_ms": playback,
            "capture_ms": capture,
            "echo_db": round(loop.echo_db, 1),
        },
    )


def drift_check(loop: Loop, underruns: int) -> Check:
    measured = chirp.drift(loop.played, loop.heard) if loop.found else None
    nothing = {"ppm": None, "within_ppm": None}
    if measured is None:
        summary = "Clocks of the two devices: not compared, the chirp was not heard"
        return Check(id="drift", state="skipped", summary=summary, values=nothing)
    if measured.torn or underruns:
        return Check(
            id="drift",
            state="warning",
            summary="Clocks of the two devices: not compared, the sound was torn",
            cure="close what keeps the machine busy, and look again.",
            values=nothing,
        )
    ppm, within = round(measured.ppm, 1), round(measured.within_ppm, 1)
    values = {"ppm": ppm, "within_ppm": within}
    if abs(ppm) <= within:
        summary = f"Clocks of the two devices: the same within {within:g} ppm"
    else:
        summary = f"Clocks of the two devices: {abs(ppm):g} ppm apart (within {within:g})"
    far = abs(ppm) > DRIFTS_PPM
    cure = "use the microphone and the loudspeaker of one card." if far else ""
    return Check(id="drift", state="warning" if far else "ok", summary=summary, cure=cure, values=values)


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


async def _cancellation(microphone: str | None, speaker: str | None) -> Check:
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


def cancellation_check(powers: Sequence[tuple[bool, float, float]]) -> Check:
    """`powers`: whether a voice sounded, the microphone's power, and what was left; a row each 10 ms."""
    quiet = [near for voiced, near, _ in powers if not voiced]
    voiced = [(near, left) for sounds, near, left in powers if sounds][
        round(LEARNING_S * SAMPLE_RATE / FRAME) :
    ]
    if not voiced:
        summary = "Echo: not measured, nothing sounded"
        return Check(id="cancellation", state="skipped", summary=summary)
    near_db = _db(statistics.fmean(near for near, _ in voiced))
    left_db = _db(statistics.fmean(left for _, left in voiced))
    room_db = _db(statistics.median(quiet)) if quiet else -120.0
    erle = round(near_db - left_db, 1)
    values = {"erle_db": erle, "echo_dbfs": round(near_db, 1), "left_dbfs": round(left_db, 1)}
    if near_db - room_db < AUDIBLE_DB:
        summary = "Echo: the voice is no louder than the room, there is nothing to cancel"
        return Check(id="cancellation", state="ok", summary=summary, values=values)
    summary = f"Echo: {erle:.0f} dB are cancelled, of {near_db:.0f} dBFS {left_db:.0f} are left"
    if erle >= WEAK_DB or left_db - room_db < AUDIBLE_DB:
        return Check(id="cancellation", state="ok", summary=summary, values=values)
    cure = "turn the loudspeaker down, or wear headphones (--echo headphones)."
    return Check(id="cancellation", state="warning", summary=summary, cure=cure, values=values)


def _db(power: float) -> float:
    return float(10 * np.log10(max(power, 1e-12)))
