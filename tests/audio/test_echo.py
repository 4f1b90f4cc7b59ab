"""The loudspeaker's sound is taken out of the microphone's, and the user's stays in."""

import importlib.util

import numpy as np
import pytest
import trio

from rtassist.audio.devices import Device
from rtassist.audio.echo import FRAME, RECENT_BLOCKS, Canceller, Echo, canceller
from rtassist.audio.far_end import Pcm
from tests.audio.rooms import RATE, Sound, erle_db, power_db, spoken, story
from tests.audio.virtual_devices import (
    MICROPHONE,
    Clock,
    Room,
    VirtualMicrophone,
    VirtualSpeaker,
    conversation,
    listen,
    sounded,
)

MS = RATE // 1000
NOBODY = np.zeros(0, np.float32)


def no_canceller() -> Canceller | None:
    return None


class Subtraction:
    """Cancels an echo that is the far end itself."""

    def __init__(self) -> None:
        self.most_left = 0

    def cancel(self, near: Pcm, far: Pcm) -> Pcm:
        assert len(near) == len(far) == FRAME
        left = near - far
        self.most_left = max(self.most_left, int(np.abs(left).max()))
        return left


def frames_db(sound: Sound) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    return 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)  # type: ignore[no-any-return]


def longest_run(loud: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def test_without_a_canceller_the_microphone_is_silent_while_the_voice_sounds_and_a_while_after() -> None:
    quiet = np.zeros(RATE, np.float32)
    vowel = np.sin(np.arange(2 * RATE) / 20).astype(np.float32) / 10
    voice = np.concatenate([quiet, vowel, quiet, quiet])
    heard, cleared = conversation(voice, NOBODY, no_canceller)
    assert len(cleared) > len(voice) - RATE // 10, "the server's clock goes on"
    assert np.array_equal(cleared[: RATE - 50 * MS], heard[: RATE - 50 * MS]), "the user is heard before"
    assert not cleared[RATE : 3 * RATE + 250 * MS].any()
    after = slice(3 * RATE + 350 * MS, len(cleared))
    assert np.array_equal(cleared[after], heard[after]), "and after"


def test_where_no_loudspeaker_sounds_the_microphone_is_as_it_is() -> None:
    heard, cleared = conversation(story(2), NOBODY, no_canceller, speaker_open=False)
    assert np.array_equal(cleared, heard)


def test_who_speaks_by_a_key_has_no_gate() -> None:
    clock = Clock()
    stream = VirtualMicrophone(clock, story(1))
    echo = Echo(no_canceller, lambda: clock.now_s, gate=False)
    assert echo.capture(MICROPHONE, lambda _: stream) is stream
    assert echo.way == "none"


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("alsa_input.usb.echo-cancel", "USB (echo cancelled with USB)"),
        ("echo-cancel-source", "Echo-Cancel Source"),
        ("ecmic", "My microphone"),
    ],
)
def test_a_source_that_the_system_cancels_is_used_as_it_is(id: str, name: str) -> None:
    stream = VirtualMicrophone(Clock(), story(1))
    echo = Echo(no_canceller)
    device = Device(kind="microphone", id=id, name=name, default=False)
    assert echo.capture(device, lambda _: stream) is stream
    assert echo.way == "system"


def test_the_monitor_of_an_echo_cancelled_speaker_is_no_cancelled_source() -> None:
    device = Device(kind="microphone", id="ecspk.echo-cancel.monitor", name="x", default=False, monitor=True)
    echo = Echo(no_canceller)
    echo.capture(device, lambda _: VirtualMicrophone(Clock(), story(1)))
    assert echo.way == "gated"


def test_a_frame_meets_what_sounded_at_its_time_to_the_sample() -> None:
    """The room gives the loudspeaker's samples back at once and as they are: nothing is left of them."""
    clock, voice = Clock(), story(3)
    made = []

    def new() -> Canceller:
        made.append(Subtraction())
        return made[-1]

    echo = Echo(new, lambda: clock.now_s)
    device = VirtualSpeaker(clock, block=24)
    speaker = echo.playback(device)
    speaker.write(voice[:1104])
    microphone = echo.capture(MICROPHONE, lambda _: VirtualMicrophone(clock, voice))
    told = 1104
    for _ in range(2 * 100):
        clock.now_s += 0.010
        room = speaker.room()
        speaker.write(voice[told : told + room])
        told += room
        microphone.read()
    assert made[-1].most_left <= 1
    assert np.abs(voice[: 2 * RATE]).max() > 0.1


def test_what_the_device_is_given_another_way_is_what_the_canceller_hears() -> None:
    clock = Clock()
    echo = Echo(no_canceller, lambda: clock.now_s)
    device = VirtualSpeaker(clock)
    speaker = echo.playback(device)
    speaker.room()
    speaker.write(np.full(960, 0.5, np.float32))
    clock.now_s += 0.020
    assert speaker.rewritable() == device.rewritable() == 480
    speaker.rewrite(np.full(480, 0.125, np.float32))
    at = round(1000.0 * RATE)
    assert echo.far.read(at, 960).tolist() == [16384] * 480 + [4096] * 480
    assert device.waiting.tolist() == [0.125] * 480
    assert echo.far.breaks == 1


def test_a_latency_that_the_system_tells_is_known_before_any_echo() -> None:
    clock = Clock()
    echo = Echo(no_canceller, lambda: clock.now_s)
    speaker = echo.playback(VirtualSpeaker(clock, latency_ms=340))
    for _ in range(20):
        speaker.write(np.zeros(speaker.room(), np.float32))
        clock.now_s += 0.010
    speaker.room()
    speaker.sounded()
    assert echo.far.latency == pytest.approx(340 * MS, abs=10 * MS)


def test_a_flush_gets_a_canceller_that_has_learnt_nothing_yet() -> None:
    made = []

    def new() -> Canceller:
        made.append(Subtraction())
        return made[-1]

    conversation(story(4), NOBODY, new)
    undisturbed = len(made)
    made.clear()
    conversation(story(4), NOBODY, new, flush_at_s=2.0)
    assert len(made) == undisturbed + 1


needs_livekit = pytest.mark.aec
SPANS_S = [(1.0, 3.0), (3.0, 9.0)]


@needs_livekit
@pytest.mark.parametrize("drift_ppm", [0, 100, -100])
@pytest.mark.parametrize(("delay_ms", "gain_db"), [(30, 0), (120, -6), (250, 0), (80, -20)])
def test_the_echo_falls_by_30_db_and_what_is_left_of_it_is_short(
    delay_ms: int, gain_db: float, drift_ppm: float
) -> None:
    heard, cleared = conversation(
        story(9), NOBODY, canceller, delay_ms=delay_ms, gain_db=gain_db, drift_ppm=drift_ppm
    )
    wanted = min(30.0, power_db(heard) + 67)  # no deeper than the room's own noise at -70 dB
    assert min(erle_db(heard, cleared, SPANS_S)) > wanted
    left_db = frames_db(cleared)
    assert left_db.max() < -30
    assert longest_run(left_db[:120] > -50) <= 20
    assert longest_run(left_db[120:] > -50) <= 9


@needs_livekit
def test_after_a_flush_the_echo_of_the_next_voice_is_gone_as_well() -> None:
    heard, cleared = conversation(story(8), NOBODY, canceller, gain_db=-6, flush_at_s=4.0)
    assert min(erle_db(heard, cleared, [(1.0, 3.9), (4.5, 8.0)])) > 25
    assert longest_run(frames_db(cleared) > -50) <= 6


@needs_livekit
@pytest.mark.parametrize(
    ("gain_db", "at_s"), [(-3, 2.0), (-3, 4.0), (-8, 2.0), (-8, 4.0), (-20, 1.0), (-20, 2.0), (-20, 4.0)]
)
def test_a_user_who_speaks_over_the_voice_is_heard_within_300_ms(at_s: float, gain_db: float) -> None:
    """Over an echo as loud as he is, not in the first second of all: the canceller is careful then."""
    user = np.concatenate([np.zeros(round(at_s * RATE), np.float32), spoken("what_time_is_it_slt")])
    begins = int(np.flatnonzero(frames_db(user) > -30)[0]) * FRAME
    _, cleared = conversation(story(7), user, canceller, gain_db=gain_db)
    _, unspoken = conversation(story(7), NOBODY, canceller, gain_db=gain_db)
    onset = slice(begins, begins + 300 * MS)
    assert (frames_db(cleared[onset]) > -45).sum() >= 5
    assert (frames_db(unspoken[onset]) > -45).sum() == 0


@needs_livekit
def test_a_user_who_speaks_when_nobody_else_does_is_as_loud_as_before() -> None:
    user = np.concatenate([np.zeros(2 * RATE, np.float32), spoken("what_time_is_it_slt")])
    silence = np.zeros(5 * RATE, np.float32)
    heard, cleared = conversation(silence, user, canceller)
    assert power_db(cleared) == pytest.approx(power_db(heard), abs=1.0)


def test_the_missing_package_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "livekit", None)
    monkeypatch.setitem(__import__("sys").modules, "livekit.rtc", None)
    assert canceller() is None


@needs_livekit
async def test_it_needs_no_event_loop_and_runs_in_any_thread() -> None:
    assert importlib.util.find_spec("livekit.rtc")
    made = await trio.to_thread.run_sync(canceller)
    assert made is not None
    left = made.cancel(np.zeros(FRAME, np.int16), np.zeros(FRAME, np.int16))
    assert left.shape == (FRAME,)


class Counting:
    """Leaves everything; how often it was asked, and with what at first."""

    def __init__(self) -> None:
        self.frames: list[Pcm] = []

    def cancel(self, near: Pcm, far: Pcm) -> Pcm:
        self.frames.append(near)
        return near


def test_a_canceller_rests_while_the_filter_is_believed_and_a_fresh_one_is_told_what_it_missed() -> None:
    """After twelve seconds the room is another one."""
    made: list[Counting] = []

    def new() -> Counting:
        made.append(Counting())
        return made[-1]

    voice, room, louder = story(16), Room(gain_db=-6.0), Room(gain_db=6.0, seed=2)
    sounding = sounded(voice, room)
    heard = room.echo(sounding)
    heard[12 * RATE :] = louder.echo(-sounding)[12 * RATE :]
    listen(voice, heard, room, new)
    *_, first, fresh = made
    assert 5 <= len(first.frames) * FRAME / RATE < 9, "while the filter learns, and 5 s more"
    told = np.concatenate(fresh.frames[: 2 * RECENT_BLOCKS]).astype(np.float32) / 32768
    heard = heard.clip(-1, 1)
    ends = np.lib.stride_tricks.sliding_window_view(heard[12 * RATE : 13 * RATE], 50)
    until = 12 * RATE + int(np.abs(ends - told[-50:]).max(axis=1).argmin()) + 50  # when it was needed again
    assert np.allclose(told, heard[until - len(told) : until], atol=1e-4)
