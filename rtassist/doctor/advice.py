"""From what was found to what is recommended. Pure."""

from collections.abc import Mapping, Sequence

from rtassist.doctor.report import Advice, Check

LOUD_DB = -40.0
"""An echo this far below what was played is heard by a server's voice detection."""

SILENT_DBFS = -80.0


def advise(checks: Sequence[Check], *, echo: str) -> list[Advice]:
    """What to say, set or install. `echo`: what --echo is now."""
    by_id: Mapping[str, Check] = {check.id: check for check in checks}
    return [*_packages(by_id), *_echo(by_id, echo), *_devices(by_id), *_buffer(by_id)]


def _packages(by_id: Mapping[str, Check]) -> list[Advice]:
    told = []
    if _state(by_id, "offline") == "warning":
        told.append(
            Advice(
                setting="pip install 'rtassist[offline]'",
                why="without it and without a key you can only type.",
            )
        )
    if _state(by_id, "aec") == "warning":
        why = "until then you are not heard while the assistant speaks."
        told.append(Advice(setting="pip install 'rtassist[aec]'", why=why))
    return told


def _echo(by_id: Mapping[str, Check], echo: str) -> list[Advice]:
    loop = _values(by_id, "loopback")
    apart = _state(by_id, "loopback") == "warning" and not _values(by_id, "loudspeaker").get("underruns")
    if apart and echo == "auto" and _state(by_id, "microphone") == "ok":
        why = (
            "the microphone does not hear the loudspeaker: if that is a headset, nothing is to be cancelled."
        )
        return [Advice(setting="--echo headphones", why=why)]
    gain = loop.get("echo_db")
    if echo in ("off", "headphones") and isinstance(gain, float) and gain > LOUD_DB:
        why = f"the microphone hears the loudspeaker ({gain:+.0f} dB): the assistant would hear itself."
        return [Advice(setting="--echo auto", why=why)]
    if _state(by_id, "cancellation") == "warning":
        why = "the canceller leaves enough of the voice to interrupt it; with a headset there is no echo."
        return [Advice(setting="--echo headphones", why=why)]
    return []


def _devices(by_id: Mapping[str, Check]) -> list[Advice]:
    """Another microphone in place of one that is silent."""
    values = _values(by_id, "microphone")
    peak, others = values.get("peak_dbfs"), values.get("others")
    silent = _state(by_id, "microphone") == "warning" and isinstance(peak, float) and peak < SILENT_DBFS
    if silent and isinstance(others, Sequence) and others:
        return [Advice(setting=f"--mic {others[0]}", why="the microphone in use gives nothing but silence.")]
    return []


def _buffer(by_id: Mapping[str, Check]) -> list[Advice]:
    worn = [id for id in ("loudspeaker", "stress") if _state(by_id, id) == "warning"]
    if any(_values(by_id, id).get("underruns") for id in worn):
        why = "the loudspeaker ran dry; with more in reserve a busy machine is in time (Linux)."
        return [Advice(setting="PULSE_LATENCY_MSEC=120", why=why)]
    return []


def _state(by_id: Mapping[str, Check], id: str) -> str:
    return by_id[id].state if id in by_id else "skipped"


def _values(by_id: Mapping[str, Check], id: str) -> Mapping[str, object]:
    return by_id[id].values if id in by_id else {}
