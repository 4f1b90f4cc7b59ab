"""Two streams on one clock, which here is a number."""

import numpy as np
import pytest

from rtassist.audio.far_end import KEPT, TOLERATED, WINDOW, FarEnd, Line, NearEnd, Pcm

BLOCK = 480


def counting(start: int, count: int) -> Pcm:
    return (np.arange(start, start + count) % 30_000 + 100).astype(np.int16)


def written(far: FarEnd, blocks: int, *, at: int = 0, late: int = 0, ppm: float = 0.0) -> None:
    """Blocks one after the other, every second one told `late`, by a clock that is off by `ppm`."""
    for n in range(blocks):
        moment = at + round(n * BLOCK * (1 + ppm * 1e-6)) + (late if n % 2 else 0)
        far.write(moment, counting(n * BLOCK, BLOCK))


def test_what_was_written_is_read_at_its_place_and_elsewhere_is_silence() -> None:
    far = FarEnd()
    far.write(1000, counting(0, 480))
    assert far.read(900, 200).tolist() == [0] * 100 + counting(0, 100).tolist()
    assert far.read(1380, 200).tolist() == counting(380, 100).tolist() + [0] * 100


def test_reports_that_come_late_do_not_tear_neighbours_apart() -> None:
    far = FarEnd()
    written(far, 200, late=TOLERATED * 3)
    assert far.breaks == 1
    assert far.read(100 * BLOCK, 9_600).tolist() == counting(100 * BLOCK, 9_600).tolist()


def test_a_clock_that_is_off_by_100_ppm_is_followed_in_one_step_after_minutes() -> None:
    far = FarEnd()
    written(far, 6 * 60 * 50, ppm=100)
    assert far.breaks == 2, "the beginning, and once after five minutes"


def test_a_stream_that_stood_still_goes_on_later_with_silence_before() -> None:
    far = FarEnd()
    written(far, 100)
    stood = WINDOW // 2
    written(far, 120, at=100 * BLOCK + stood)
    assert far.breaks == 2
    end = 220 * BLOCK + stood
    assert far.read(end - 10, 20).tolist() == counting(120 * BLOCK - 10, 10).tolist() + [0] * 10


def test_what_a_flush_took_back_does_not_sound() -> None:
    far = FarEnd()
    far.write(0, counting(0, 2400))
    far.cut(1000)
    far.write(1200, counting(5000, 480))
    assert far.read(900, 400).tolist() == (
        counting(900, 100).tolist() + [0] * 200 + counting(5000, 100).tolist()
    )
    assert far.breaks == 2


def test_what_is_rewritten_sounds_in_place_of_what_was_there_and_moves_nothing() -> None:
    far = FarEnd()
    far.write(1000, counting(0, 480))
    far.rewrite(np.zeros(180, np.int16))
    far.write(1480, counting(480, 480))
    assert far.read(1000, 960).tolist() == (
        counting(0, 300).tolist() + [0] * 180 + counting(480, 480).tolist()
    )
    assert far.breaks == 1


def test_what_a_break_has_moved_is_not_rewritten() -> None:
    far = FarEnd()
    far.write(0, counting(0, 480))
    far.cut(480)
    far.write(2000, counting(480, 100))
    far.rewrite(np.zeros(300, np.int16))
    assert far.read(0, 480).tolist() == counting(0, 480).tolist()
    assert not far.read(2000, 100).any()


def test_a_voice_that_is_rewritten_as_silence_is_loud_until_there() -> None:
    far = FarEnd()
    far.write(0, counting(0, 960))
    far.rewrite(np.zeros(480, np.int16))
    assert far.loud_since(479)
    assert not far.loud_since(480)


def test_what_is_too_long_ago_is_silence() -> None:
    far = FarEnd()
    written(far, 2 * KEPT // BLOCK)
    assert not far.read(0, 480).any()


def test_a_voice_is_loud_until_its_last_sample_and_silence_never() -> None:
    far = FarEnd()
    far.write(0, np.zeros(480, np.int16))
    assert not far.loud_since(0)
    far.write(480, counting(0, 480))
    far.write(960, np.zeros(480, np.int16))
    assert far.loud_since(959)
    assert not far.loud_since(960)
    far.cut(500)
    assert not far.loud_since(500)


def test_the_origin_of_a_stream_is_its_least_late_report_and_forgets_an_old_one() -> None:
    line = Line()
    for n in range(300):
        line.report(1000 + n * BLOCK + (n * 7919 % 500), n * BLOCK)
    assert 1000 <= line.origin() < 1010
    for n in range(300, 500):
        line.report(9000 + n * BLOCK, n * BLOCK)
    assert line.origin() == 9000


def test_frames_of_the_microphone_follow_each_other_whatever_the_size_of_its_blocks() -> None:
    near, places = NearEnd(), []
    for n in range(100):
        near.arrived(5000 + (n + 1) * 512 + (n % 5) * 300, 512)
        places += [near.take(240) for _ in range(2)]
    assert np.diff(places).tolist() == [240] * 199
    assert places[0] == 5000
    assert near.breaks == 1


@pytest.mark.parametrize("lost", [TOLERATED * 2, WINDOW * 3])
def test_sound_that_the_microphone_lost_moves_its_frames_once(lost: int) -> None:
    near = NearEnd()
    for n in range(100):
        near.arrived((n + 1) * 240, 240)
        near.take(240)
    for n in range(100, 400):
        near.arrived(lost + (n + 1) * 240, 240)
        last = near.take(240)
    assert near.breaks == 2
    assert last == lost + 399 * 240
