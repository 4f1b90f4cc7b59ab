"""What is told of what was measured."""

import numpy as np
import pytest

from rtassist.audio.devices import Device, Kind
from rtassist.audio.pcm import to_pcm16
from rtassist.doctor import verdicts
from rtassist.doctor.duplex import Heard, Sounded
from rtassist.doctor.loop import MARKS, Loop, loop_of, row
from rtassist.doctor.verdicts import Measured
from tests.audio.rooms import RATE, Sound, heard_back

MIC = Device(kind="microphone", id="usb", name="Studio", default=True)
SPEAKER = Device(kind="speaker", id="hdmi", name="Desk", default=True)
BEGAN_S = 500.0
OPENED = RATE
"""The microphone was open for a second when the first chirp sounded."""


def recorded(sound: Sound, *, late_s: float = 0.0) -> Heard:
    """As a microphone would give it, chunk by chunk, each `late_s` late or less."""
    heard, rng = Heard(), np.random.default_rng(4)
    for end in range(480, len(sound) + 1, 480):
        heard.chunks.append(to_pcm16(sound[end - 480 : end]))
        heard.arrivals.append((BEGAN_S + end / RATE + rng.uniform(0, late_s), end))
    return heard


def noise(dbfs: float, seconds: float = 2) -> Sound:
    return (np.random.default_rng(3).normal(size=round(seconds * RATE)) * 10 ** (dbfs / 20)).astype(
        np.float32
    )


def sounding(ahead_s: float = 0.06) -> Sounded:
    """Chirps that sound from one second on, each handed over so long before."""
    sounded_s = {mark: BEGAN_S + (OPENED + mark) / RATE for mark in MARKS}
    return Sounded(
        marks=MARKS, sounded_s=sounded_s, handed_s={mark: at - ahead_s for mark, at in sounded_s.items()}
    )


def in_a_room(delay_ms: int, gain_db: float, drift_ppm: float = 0.0) -> Heard:
    played = np.concatenate([np.zeros(OPENED, np.float32), row()])
    return recorded(heard_back(played, delay_ms=delay_ms, gain_db=gain_db, drift_ppm=drift_ppm), late_s=0.02)


@pytest.mark.parametrize(("delay_ms", "gain_db"), [(2, 0.0), (45, -25.0), (400, -40.0)])
def test_the_loop_is_measured_in_a_room(delay_ms: int, gain_db: float) -> None:
    loop = loop_of(in_a_room(delay_ms, gain_db), sounding())
    assert loop.found
    assert loop.played == tuple(MARKS)
    # The chunk that was least late tells when the first sample came.
    assert loop.capture_ms == pytest.approx(delay_ms, abs=2)
    assert loop.echo_db == pytest.approx(gain_db, abs=5)
    told = verdicts.loopback_check(loop, Measured(sounded=sounding(ahead_s=0.06)))
    assert (told.state, told.values["playback_ms"]) == ("ok", 60)
    assert told.values["total_ms"] == 60 + round(loop.capture_ms)


def test_drift_is_told_and_only_a_large_one_is_a_warning() -> None:
    far = verdicts.drift_check(loop_of(in_a_room(50, -20, drift_ppm=-500), sounding()))
    assert (far.state, far.values["ppm"]) == ("warning", pytest.approx(500, abs=5))
    adapting = verdicts.drift_check(loop_of(in_a_room(50, -20, drift_ppm=5000), sounding()))
    assert (adapting.state, adapting.values["ppm"]) == ("warning", None)
    near = verdicts.drift_check(loop_of(in_a_room(50, -20, drift_ppm=60), sounding()))
    assert (near.state, near.values["ppm"]) == ("ok", pytest.approx(-60, abs=5))


@pytest.mark.parametrize("dbfs", [-20.0, -60.0, -200.0])
def test_without_a_loop_no_chirp_is_heard(dbfs: float) -> None:
    loop = loop_of(recorded(noise(dbfs, 9)), sounding())
    assert not loop.found
    told = verdicts.loopback_check(loop, Measured(sounded=sounding()))
    assert (told.state, told.values["heard"]) == ("warning", False)
    assert "headphones" in told.cure
    torn = verdicts.loopback_check(loop, Measured(sounded=sounding(), underruns=5))
    assert ("torn" in torn.summary, "headphones" in torn.cure) == (True, False)
    assert verdicts.drift_check(loop).state == "skipped"
    cleared = verdicts.loopback_check(loop, Measured(sounded=sounding()), cleared=True)
    assert (cleared.state, cleared.values["heard"]) == ("ok", False)


def test_other_chirps_at_other_times_are_not_ours() -> None:
    """A bird, or somebody else's doctor."""
    delays = (100, 700, 300, 900, 500, 200)
    sound = noise(-60, 10)
    one = row()[:2880]
    for mark, delay_ms in zip(MARKS, delays, strict=True):
        at = OPENED + mark + delay_ms * RATE // 1000
        sound[at : at + len(one)] += one
    assert not loop_of(recorded(sound), sounding()).found


def test_a_loudspeaker_that_ran_dry_is_still_heard() -> None:
    """From the third chirp on everything sounds 200 ms later, and the device says so."""
    hole = RATE // 5
    played = np.concatenate([np.zeros(OPENED, np.float32), row()])
    at = OPENED + MARKS[2] - 480
    dry = np.concatenate([played[:at], np.zeros(hole, np.float32), played[at:]])
    sounded = sounding()
    for mark in MARKS[2:]:
        sounded.sounded_s[mark] += hole / RATE
    loop = loop_of(recorded(heard_back(dry, delay_ms=40, gain_db=-10)), sounded)
    assert loop.played == tuple(MARKS)
    told = verdicts.drift_check(loop)
    assert (told.values["tears"], told.values["ppm"]) == (1, pytest.approx(0, abs=3))


def test_a_loop_that_is_sooner_than_sound_is_called_so() -> None:
    loop = Loop(played=tuple(MARKS), heard=tuple(MARKS), capture_ms=-13.0, echo_db=0.0)
    assert (
        "a loop inside the sound system"
        in verdicts.loopback_check(loop, Measured(sounded=sounding())).summary
    )


def told_of(sound: Sound) -> tuple[str, str]:
    told = verdicts.microphone_check(MIC, recorded(sound), 0, [])
    return told.state, told.summary


def test_a_microphone_is_fine_silent_overdriven_or_lost() -> None:
    assert told_of(noise(-55)) == ("ok", "Microphone: Studio, -55 dBFS in quiet")
    assert told_of(np.zeros(RATE, np.float32)) == (
        "warning",
        "Microphone: Studio, it gives nothing but silence",
    )
    assert told_of(noise(0))[0] == "warning"
    assert "overdriven" in told_of(noise(0))[1]
    lost = Heard(lost="the sound server is gone")
    told = verdicts.microphone_check(MIC, lost, 0, [])
    assert (told.state, told.summary) == ("failed", "Microphone: the sound server is gone")


def test_a_microphone_that_the_system_clears_is_known_by_its_name() -> None:
    name = "Studio (echo cancelled with Desk)"
    assert verdicts.cleared_by_the_system(Device(kind="microphone", id="x", name=name, default=True))
    assert not verdicts.cleared_by_the_system(MIC)


def test_a_system_that_forbids_the_microphone_gives_silence_and_has_its_own_cure() -> None:
    assert "Privacy" in verdicts.silence_cure("darwin")
    assert "Privacy" in verdicts.silence_cure("win32")
    assert "--mic" in verdicts.silence_cure("linux")


def test_a_loudspeaker_is_fine_slow_dry_or_lost() -> None:
    fine = Measured(sounded=sounding(), stop_left_ms=4.5, buffer_samples=1104)
    told = verdicts.loudspeaker_check(SPEAKER, fine, [])
    assert (told.state, told.summary) == (
        "ok",
        "Loudspeaker: Desk, sounds within 60 ms; a stop leaves 4.5 ms",
    )
    assert told.values["buffer_ms"] == 46
    slow = verdicts.loudspeaker_check(SPEAKER, Measured(sounded=sounding(ahead_s=0.4)), [])
    assert slow.state == "warning"
    dry = verdicts.loudspeaker_check(SPEAKER, Measured(sounded=sounding(), underruns=2), [])
    assert (dry.state, "it ran dry 2 times" in dry.summary) == ("warning", True)
    gone = verdicts.loudspeaker_check(SPEAKER, Measured(sounded=Sounded(lost="it is gone")), [])
    assert (gone.state, gone.summary) == ("failed", "Loudspeaker: it is gone")
    mute = verdicts.loudspeaker_check(SPEAKER, Measured(), [])
    assert (mute.state, mute.summary) == ("failed", "Loudspeaker: Desk does not sound what is played")


@pytest.mark.parametrize(
    ("near", "left", "state", "erle"),
    [(1e-2, 1e-6, "ok", 40.0), (1e-2, 5e-3, "warning", 3.0), (2e-8, 1e-8, "ok", 3.0)],
)
def test_cancellation_is_weighed_against_the_room(near: float, left: float, state: str, erle: float) -> None:
    quiet = [(False, 1e-8, 1e-8)] * 50
    learning = [(True, near, near)] * 200
    told = verdicts.cancellation_check([*quiet, *learning, *[(True, near, left)] * 300])
    assert (told.state, told.values["erle_db"]) == (state, erle)


def test_without_a_voice_nothing_was_cancelled() -> None:
    assert verdicts.cancellation_check([(False, 1e-4, 1e-4)] * 600).state == "skipped"


@pytest.mark.parametrize(
    ("message", "kind", "any_there", "cure"),
    [
        ("There is no microphone called 'x'. There is:\n  0  a  (b)", "microphone", True, "--mic"),
        ("This machine has no speaker.", "speaker", False, "--speaker none"),
        ("The speaker x cannot be opened: it is suspended.", "speaker", True, "pactl suspend-sink"),
        ("The microphone cannot be opened: the sound system does not answer.", "microphone", True, "restart"),
        ("No sound server answers. Start one.", "speaker", True, "Start one."),
    ],
)
def test_a_device_that_does_not_open_has_a_cure(message: str, kind: Kind, any_there: bool, cure: str) -> None:
    what, told = verdicts.not_opened(message, kind, any_there=any_there)
    assert cure in told
    assert "\n" not in what
    assert message.startswith(what)
