"""From what was measured of sound to what is told of it."""

import statistics
import sys
from collections.abc import Sequence

import numpy as np
from attrs import define, field

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.devices import Device, Kind
from rtassist.audio.echo import CANCELLED_BY_THE_SYSTEM, FRAME
from rtassist.doctor import chirp
from rtassist.doctor.duplex import Heard, Sounded, dbfs
from rtassist.doctor.loop import Loop, latencies_ms
from rtassist.doctor.report import Check, State, first_sentence, times

RESTART = {
    "linux": "restart it: `systemctl --user restart pipewire pipewire-pulse`, or `pulseaudio --kill`.",
}.get(sys.platform, "restart the machine's sound service.")

LEAD_S = 1.0
"""The room by itself; the devices settle in it."""
NOTHING_DBFS = -120.0
SILENT_DBFS = -90.0
"""Below the last bit of 16: no room and no card is so quiet, only a switch is."""
SLOW_MS = 250
DRIFTS_PPM = 300
"""Cards in order differ by up to 100 ppm; the canceller follows that by itself."""
TORN = 3
"""Underruns during the six chirps after which a chirp that was not heard says nothing of the devices."""
NO_CLOCK_PPM = 2000
"""No quartz is so far off: something on the way changed its delay meanwhile."""
LEARNING_S = 2.0
WEAK_DB = 10.0
AUDIBLE_DB = 6.0


def not_opened(message: str, kind: Kind, *, any_there: bool) -> tuple[str, str]:
    """What a SoundUnavailable says of a device, and what to do about it."""
    what, cure = first_sentence(message.partition(" There is:")[0])
    option = "--mic" if kind == "microphone" else "--speaker"
    if cure:
        return what, cure
    if "answer" in what:
        return what, RESTART
    if not any_there:
        return what, f"plug one in, or say {option} none."
    another = f"choose with {option} what `rtassist devices` lists."
    if "suspended" in what:
        pulse = "source" if kind == "microphone" else "sink"
        return what, f"wake it (`pactl suspend-{pulse} ID 0`), or {another}"
    return what, another


def microphone_check(device: Device, heard: Heard, dropped_chunks: int, others: Sequence[str]) -> Check:
    name = device.name
    room = heard.samples(0, round(LEAD_S * SAMPLE_RATE))
    everything = heard.samples()
    peak = float(np.max(np.abs(everything))) if len(everything) else 0.0
    level = dbfs(room - np.mean(room)) if len(room) else NOTHING_DBFS
    values: dict[str, object] = {
        "name": name,
        "id": device.id,
        "others": list(others),
        "level_dbfs": level,
        "peak_dbfs": round(float(20 * np.log10(peak)), 1) if peak else NOTHING_DBFS,
        "worst_gap_ms": heard.worst_gap_ms(),
        "dropped_chunks": dropped_chunks,
    }
    state: State = "ok"
    what = f"{level:.0f} dBFS in quiet" if level > SILENT_DBFS else "without any noise of its own"
    cure = ""
    if heard.lost or not len(everything):
        summary = f"Microphone: {heard.lost or f'{name} gives no sound'}"
        return Check(id="microphone", state="failed", summary=summary, cure=RESTART, values=values)
    if peak == 0 or (level < SILENT_DBFS and peak < 1e-4):
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


@define
class Measured:
    """How a loudspeaker did."""

    sounded: Sounded = field(factory=Sounded)
    stop_left_ms: float | None = None
    buffer_samples: int = 0
    reserve_samples: int = 0
    underruns: int = 0

    @property
    def lost(self) -> str:
        return self.sounded.lost


def loudspeaker_check(device: Device, measured: Measured, others: Sequence[str]) -> Check:
    name, sounded = device.name, measured.sounded
    latencies = latencies_ms(sounded)
    first = round(latencies[0]) if latencies else None
    values: dict[str, object] = {
        "name": name,
        "id": device.id,
        "others": list(others),
        "first_ms": first,
        "ahead_ms": round(statistics.median(latencies[1:])) if len(latencies) > 1 else None,
        "buffer_ms": round(measured.buffer_samples * 1000 / SAMPLE_RATE, 1),
        "reserve_ms": round(measured.reserve_samples * 1000 / SAMPLE_RATE, 1),
        "stop_left_ms": measured.stop_left_ms,
        "underruns": measured.underruns,
    }
    if measured.lost or first is None:
        summary = f"Loudspeaker: {measured.lost or f'{name} does not sound what is played'}"
        return Check(id="loudspeaker", state="failed", summary=summary, cure=RESTART, values=values)
    what = f"sounds within {first} ms"
    if measured.stop_left_ms is not None:
        what += f"; a stop leaves {measured.stop_left_ms:g} ms"
    cure = ""
    if measured.underruns:
        what += f"; it ran dry {times(measured.underruns)}"
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


def cleared_by_the_system(device: Device) -> bool:
    """Whether its microphone is free of echo before we hear it."""
    return bool(CANCELLED_BY_THE_SYSTEM.search(f"{device.id}\n{device.name}")) and not device.monitor


def loopback_check(loop: Loop, measured: Measured, *, cleared: bool = False) -> Check:
    """`cleared`: the sound system takes the loudspeaker's sound out of this microphone's."""
    nothing = {"heard": False, "total_ms": None, "playback_ms": None, "capture_ms": None, "echo_db": None}
    if not loop.found and cleared:
        summary = "Loop: the chirp was not heard; the sound system takes it out of the microphone's sound"
        return Check(id="loopback", state="ok", summary=summary, values=nothing)
    if not loop.found:
        torn = measured.underruns >= TORN
        return Check(
            id="loopback",
            state="warning",
            summary=f"Loop: the chirp was not heard by the microphone{', it was torn' if torn else ''}",
            cure="close what keeps the machine busy, and look again."
            if torn
            else "with headphones that is right, say --echo headphones; else turn the loudspeaker up, "
            "or choose the devices with --mic and --speaker.",
            values=nothing,
        )
    # Of a voice that begins: behind it stands more in the device, as far as it can be taken back again.
    playback = round(latencies_ms(measured.sounded)[0])
    capture = round(loop.capture_ms)
    parts = f"{playback} until it sounds, {capture} until it is heard"
    if capture < 0:  # a monitor gives what is still in the loudspeaker's buffer
        parts = "before it sounds: a loop inside the sound system"
    return Check(
        id="loopback",
        state="ok",
        summary=f"Loop: the chirp is back after {playback + capture} ms ({parts}), "
        f"at {round(loop.echo_db)} dB",
        values={
            "heard": True,
            "total_ms": playback + capture,
            "playback_ms": playback,
            "capture_ms": capture,
            "echo_db": round(loop.echo_db, 1),
        },
    )


def drift_check(loop: Loop) -> Check:
    measured = chirp.drift(loop.played, loop.heard) if loop.found else None
    if measured is None:
        summary = "Clocks of the two devices: not compared, the chirp was not heard"
        return Check(id="drift", state="skipped", summary=summary)
    ppm, within = measured.ppm, measured.within_ppm
    if ppm is None or within is None or abs(ppm) > NO_CLOCK_PPM:
        ppm, within, what = None, None, "not compared"
    elif abs(ppm) <= within:
        what = f"the same within {within:.0f} ppm"
    else:
        what = f"{abs(ppm):.0f} ppm apart (within {within:.0f})"
    values = {
        "ppm": None if ppm is None else round(ppm, 1),
        "within_ppm": None if within is None else round(within, 1),
        "tears": measured.tears,
    }
    cure = ""
    if measured.tears:
        what += f"; sound was lost or filled in {times(measured.tears)}"
        cure = "close what keeps the machine busy, and look again."
    elif ppm is None:
        cure = "look again while nothing else is played."
    elif abs(ppm) > DRIFTS_PPM:
        cure = "use the microphone and the loudspeaker of one card."
    return Check(
        id="drift",
        state="warning" if cure else "ok",
        summary=f"Clocks of the two devices: {what}",
        cure=cure,
        values=values,
    )


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
