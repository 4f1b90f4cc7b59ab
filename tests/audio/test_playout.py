from hypothesis import given
from hypothesis import strategies as st

from rtassist.audio.playout import Playout


def test_silence_before_between_and_after_the_voice_is_not_heard() -> None:
    playout = Playout()
    playout.hand(bytes(20))
    assert playout.take(100, position=50) == bytes(20)
    playout.hand(bytes(10))
    assert playout.take(100, position=80) == bytes(10)
    heard = [playout.heard(p) for p in (0, 50, 55, 60, 70, 82, 85, 1000)]
    assert heard == [0, 0, 5, 10, 10, 12, 15, 15]
    assert playout.handed == 15


def test_a_flush_takes_back_what_is_queued_and_what_is_written() -> None:
    playout = Playout()
    playout.hand(bytes(40))
    playout.take(12, position=0)
    assert playout.flush(position=5) == 15
    assert playout.handed == playout.heard(1000) == 5
    playout.hand(bytes(6))
    playout.take(3, position=12)
    assert playout.heard(14) == 7
    assert playout.flush(14) == 1


def test_what_sounded_beyond_the_flush_is_heard_after_all() -> None:
    playout = Playout()
    playout.hand(bytes(60))
    playout.take(10, position=0)
    playout.take(10, position=20)
    assert playout.flush(position=5) == 25
    playout.hand(bytes(20))
    playout.settle(23)
    assert playout.heard(23) == 13
    assert playout.handed == 23
    playout.settle(100)  # told once
    assert playout.handed == 23
    playout.take(10, position=40)
    assert playout.heard(45) == 18
    assert playout.flush(45) == 5
    playout.settle(0)
    assert playout.handed == playout.heard(45) == 18


def test_a_position_that_goes_back_takes_nothing_back() -> None:
    playout = Playout()
    playout.hand(bytes(20))
    playout.take(10, position=0)
    assert [playout.heard(p) for p in (6, 4, 7)] == [6, 6, 7]
    playout.flush(3)
    assert playout.handed == playout.heard(3) == 7


def test_where_the_voice_speaks() -> None:
    playout = Playout()
    playout.hand(bytes(20))
    playout.take(10, position=50)
    assert [playout.speaks_at(p) for p in (49, 50, 51, 59, 60)] == [False, False, True, True, False]
    playout.hand(bytes(20))
    playout.take(10, position=60)
    assert playout.speaks_at(60)
    playout.heard(70)
    assert not playout.speaks_at(60)


@given(st.lists(st.tuples(st.sampled_from(["hand", "take", "skip", "sound", "flush"]), st.integers(0, 50))))
def test_the_account_agrees_with_a_stream_that_is_written_out(steps: list[tuple[str, int]]) -> None:
    """Against the plain model: the stream as a list of what stands in it."""
    playout = Playout()
    stream: list[bool] = []  # True: a sample of the voice
    sounded = 0
    heard_before_flushes = 0
    for step, n in steps:
        match step:
            case "hand":
                playout.hand(bytes(2 * n))
            case "take":
                stream += [True] * (len(playout.take(n, position=len(stream))) // 2)
            case "skip":
                stream += [False] * n
            case "sound":
                sounded = min(len(stream), sounded + n)
            case "flush":
                heard_before_flushes += sum(stream[:sounded])
                before = playout.handed
                assert playout.flush(sounded) == before - heard_before_flushes
                stream = [False] * len(stream)
        heard = heard_before_flushes + sum(stream[:sounded])
        assert playout.heard(sounded) == heard
        assert playout.handed == heard + sum(stream[sounded:]) + playout.queued
