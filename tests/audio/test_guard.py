"""Echo goes out as silence, and of a user nothing is lost."""

import numpy as np

from rtassist.audio.guard import HELD_BLOCKS, Hold, Judge
from rtassist.audio.linear import BLOCK
from tests.audio.rooms import RATE, Sound, spoken, story

LEAK = np.float32(0.05)
"""-26 dB: what a filter leaves."""


def block(number: int) -> Sound:
    return np.full(BLOCK, number, np.float32)


def numbers(blocks: list[Sound]) -> list[int]:
    return [int(there[0]) for there in blocks]


def test_what_passes_is_not_held_up() -> None:
    hold = Hold()
    assert [numbers(hold.put(block(n), block(-n), passes=True)) for n in (1, 2, 3)] == [[1], [2], [3]]


def test_what_waits_goes_on_whole_when_it_was_a_user() -> None:
    hold = Hold()
    assert [hold.put(block(n), block(-n), passes=False) for n in (1, 2, 3)] == [[], [], []]
    assert numbers(hold.put(block(4), block(-4), passes=True)) == [1, 2, 3, 4]


def test_where_there_is_no_echo_it_is_the_microphone_that_goes_on() -> None:
    hold = Hold()
    for n in (1, 2):
        hold.put(block(n), block(-n), passes=False)
    assert numbers(hold.put(block(3), block(-3), passes=True, over=True)) == [-1, -2, -3]


def test_echo_goes_on_as_silence_after_a_bounded_time_and_the_clock_runs_on() -> None:
    hold = Hold()
    sent = [hold.put(block(n + 1), block(-n), passes=False) for n in range(30)]
    assert [len(blocks) for blocks in sent] == [0] * HELD_BLOCKS + [1] * (30 - HELD_BLOCKS)
    assert not np.concatenate([there for blocks in sent for there in blocks]).any()
    last = numbers(hold.put(block(31), block(-31), passes=True))
    assert last == list(range(31 - HELD_BLOCKS, 32))


def judged(echo: Sound, user: Sound, *, leak: Sound, believed: bool = True) -> list[bool]:
    """By a filter that leaves `leak` of the echo, and a canceller that lets nothing through."""
    judge, nothing = Judge(), np.zeros(BLOCK, np.float32)
    heard = []
    for at in range(0, len(echo) // BLOCK * BLOCK, BLOCK):
        cut = slice(at, at + BLOCK)
        left = leak[cut] + user[cut] if believed else echo[cut] + user[cut]
        taken_out = echo[cut] - leak[cut] if believed else nothing
        heard.append(judge.hear(echo[cut] + user[cut], echo[cut], left, taken_out, nothing))
    return heard


def leaked(echo: Sound) -> Sound:
    """A part of it, and not in step with it."""
    return np.roll(echo, 37) * LEAK


def test_an_echo_that_a_filter_leaves_is_no_user_and_a_user_12_db_under_the_echo_is() -> None:
    echo = story(8)
    user = np.zeros_like(echo)
    assert not any(judged(echo, user, leak=leaked(echo))[50:])
    words = spoken("what_time_is_it_slt") * np.float32(0.25)
    user[5 * RATE : 5 * RATE + len(words)] = words
    heard = judged(echo, user, leak=leaked(echo))
    assert not any(heard[50:250])
    assert any(heard[250:265]), "within 300 ms"


def test_a_room_that_becomes_another_one_is_no_user() -> None:
    """All of a sudden the echo comes 10 ms earlier than the filter expects."""
    echo = story(8)
    leak = leaked(echo)
    leak[5 * RATE :] = (echo - np.roll(echo, RATE // 100))[5 * RATE :]
    assert not any(judged(echo, np.zeros_like(echo), leak=leak)[50:])


def test_a_filter_that_has_learnt_nothing_is_not_believed() -> None:
    echo = story(8)
    assert not any(judged(echo, np.zeros_like(echo), leak=echo, believed=False))


def test_noise_that_is_passed_over_is_known_as_if_it_was_heard() -> None:
    """It falls and rises again meanwhile; what is then said over an echo is judged the same."""
    echo, nothing = story(3), np.zeros(BLOCK, np.float32)
    noise = np.random.default_rng(1).normal(0, 1e-2, 200 * BLOCK).astype(np.float32)
    noise *= np.repeat(np.array([1, 0.3, 1, 3], np.float32), 50 * BLOCK)
    blocks = list(noise.reshape(-1, BLOCK))
    scores = []
    for passed_over in (0, 25, 160):
        judge = Judge()
        if passed_over:
            judge.pass_over_noise(blocks[:7])
            judge.pass_over_noise(blocks[7:passed_over])
        for near in blocks[passed_over:]:
            judge.hear(near, nothing, near, nothing, near)
        for at in range(0, len(echo) // BLOCK * BLOCK, BLOCK):
            cut = slice(at, at + BLOCK)
            near = echo[cut] + noise[at % len(noise) :][:BLOCK]
            judge.hear(near, echo[cut], near * np.float32(0.2), echo[cut], nothing)
            scores.append(judge.score)
    heard, some, most = np.array(scores).reshape(3, -1)
    assert heard.max() > 1
    assert np.allclose(some, heard, atol=1e-3)
    assert np.allclose(most, heard, atol=1e-3)
