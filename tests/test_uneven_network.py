"""A voice that comes unevenly, under virtual time: when it waits, when it does not, and what is told."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import pytest
import trio

from rtassist.audio.jitter import LEAST_MS, LONGEST_MS
from rtassist.dialogue import events
from rtassist.protocol import ConversationItemDelete, ConversationItemTruncate
from tests.ring import Call, answer, call, delta, finished, speech_started

DELTA_MS = 100


async def speak(held: Call, item_id: str, gaps_ms: Iterable[float]) -> None:
    """An item whose chunks of 100 ms come so long after each other, from its first one on."""
    response_id = f"R{item_id}"
    held.link.say(*answer(response_id, item_id, seconds=0.1, done=False))
    for gap_ms in gaps_ms:
        await trio.sleep(gap_ms / 1000)
        held.link.say(delta(response_id, item_id, DELTA_MS))
    held.link.say(*finished(response_id, item_id))
    await heard_out(held, item_id)


async def heard_out(held: Call, item_id: str) -> None:
    with trio.fail_after(60):
        while not any(end.item_id == item_id for end in ended(held)):  # noqa: ASYNC110 (a list tells it)
            await trio.sleep(0.01)


def ended(held: Call) -> list[events.PlaybackEnded]:
    return [what for _, what in held.noted if isinstance(what, events.PlaybackEnded)]


def starved(held: Call) -> list[events.VoiceStarved]:
    return [what for _, what in held.noted if isinstance(what, events.VoiceStarved)]


def told(held: Call) -> list[str]:
    texts = [getattr(shown, "text", "") for shown in held.shown]
    return [text for text in texts if "uneven" in text]


def gaps(held: Call, since: int = 0) -> list[float]:
    """The silences between pieces of sound, in ms."""
    pieces = held.sounded[since:]
    ends = [position + len(pcm) // 2 for position, pcm in pieces]
    between = [later[0] - end for end, later in zip(ends, pieces[1:], strict=False)]
    return [gap / 24 for gap in between if gap]


async def began_after_ms(held: Call, item_id: str, gaps_ms: Iterable[float]) -> int:
    """From the arrival of an item's first chunk to its first sample."""
    before, asked_s = len(held.sounded), trio.current_time()
    await speak(held, item_id, gaps_ms)
    return round(held.sounded[before][0] / 24 - asked_s * 1000)


STEADY = [DELTA_MS] * 30
FAST = [DELTA_MS / 5] * 30


@pytest.mark.parametrize("gaps_ms", [STEADY, FAST, [0.0] * 300], ids=["real time", "fast", "at once"])
async def test_what_comes_in_time_is_never_delayed(autojump_clock: object, gaps_ms: list[float]) -> None:
    async with call() as held:
        for n in range(3):
            assert await began_after_ms(held, f"A{n}", gaps_ms) == 0
        assert not gaps(held)[2:], "between the items, and nowhere else"
        assert not starved(held)
        assert not told(held)


async def test_after_a_stall_the_next_voice_outlasts_another_like_it(autojump_clock: object) -> None:
    stalled = [DELTA_MS] * 10 + [DELTA_MS + 230] + [DELTA_MS] * 10
    async with call() as held:
        await speak(held, "A1", stalled)
        (gap,) = starved(held)
        assert gap.item_id == "A1"
        assert gap.missing_ms == pytest.approx(230, abs=1)
        assert gap.waits_ms == 230
        assert told(held) == ["The network is uneven: the voice now starts 230 ms later."]
        assert gaps(held) == [pytest.approx(230 + 230, abs=21)], "and enough for the rest is waited for"

        since = len(held.sounded)
        assert await began_after_ms(held, "A2", stalled) == 230
        assert len(starved(held)) == 1
        assert not gaps(held, since)


async def test_a_wait_costs_nothing_where_the_voice_is_there(autojump_clock: object) -> None:
    async with call() as held:
        await speak(held, "A1", [DELTA_MS] * 5 + [DELTA_MS * 5] * 2)
        assert starved(held)
        assert await began_after_ms(held, "A2", [0.0] * 30) == 0


async def test_the_wait_eases_while_the_link_is_good(autojump_clock: object) -> None:
    async with call() as held:
        await speak(held, "A1", [DELTA_MS] * 5 + [DELTA_MS + 120] + [DELTA_MS] * 5)
        waits = [await began_after_ms(held, f"B{n}", STEADY) for n in range(6)]
        assert waits == sorted(waits, reverse=True)
        assert waits[0] == 120
        assert waits[-1] == 0
        assert len(told(held)) == 1


def bursts(seed: int) -> Iterator[float]:
    """Real time on average; as Wi-Fi does, three chunks come together, up to 250 ms late."""
    draw = random.Random(seed)
    late = 0.0
    for n in range(90):
        if n % 3:
            yield 0.0
        else:
            before, late = late, draw.uniform(0, 250)
            yield max(0.0, 3 * DELTA_MS + late - before)


async def test_a_bursty_link_is_learnt_in_a_few_gaps(autojump_clock: object) -> None:
    async with call() as held:
        for n in range(4):
            await speak(held, f"A{n}", bursts(n))
        assert 1 <= len(starved(held)) <= 6
        assert not [gap for gap in starved(held) if gap.item_id == "A3"]
        assert all(LEAST_MS <= gap.waits_ms <= LONGEST_MS for gap in starved(held))


async def test_a_link_that_is_too_slow_stops_seldom_instead_of_at_every_chunk(autojump_clock: object) -> None:
    """At 0.95 of real time a minute lacks three seconds, whatever is done about it."""
    async with call() as held:
        await speak(held, "A1", [DELTA_MS / 0.95] * 600)
        assert len(gaps(held)) <= 12
        assert max(gaps(held)) <= LONGEST_MS + DELTA_MS
        assert held.samples_sounded() == 601 * DELTA_MS * 24
        assert len(told(held)) <= 4


async def test_who_speaks_into_the_wait_cuts_what_was_heard_and_no_more(autojump_clock: object) -> None:
    async with call() as held:
        held.link.say(*answer("R1", "A1", seconds=0.5, done=False))
        await trio.sleep(0.9)
        held.link.say(delta("R1", "A1", DELTA_MS))
        await trio.sleep(0.1)
        assert starved(held), "the next 400 ms are waited for"
        held.link.say(speech_started("U1"), *finished("R1", "A1", "cancelled"))
        await trio.sleep(1)

        assert held.samples_sounded() == 500 * 24
        (truncate,) = held.link.got(ConversationItemTruncate)
        assert truncate.audio_end_ms == 500
        assert [end.heard for end in ended(held)] == [500 * 24]


async def test_a_voice_that_was_silenced_before_it_began_is_deleted(autojump_clock: object) -> None:
    async with call() as held:
        await speak(held, "A1", [DELTA_MS] * 5 + [DELTA_MS + 400] + [DELTA_MS] * 5)
        sounded = held.samples_sounded()
        held.link.say(*answer("R2", "A2", seconds=0.1, done=False))
        await trio.sleep(0.2)
        held.link.say(speech_started("U1"), *finished("R2", "A2", "cancelled"))
        await trio.sleep(1)

        assert held.samples_sounded() == sounded
        assert [event.item_id for event in held.link.got(ConversationItemDelete)] == ["A2"]
        assert [end.heard for end in ended(held)][1:] == [0]


async def test_a_short_voice_does_not_wait_for_more_than_there_is(autojump_clock: object) -> None:
    async with call() as held:
        await speak(held, "A1", [DELTA_MS] * 5 + [DELTA_MS + 400] + [DELTA_MS] * 5)
        assert await began_after_ms(held, "A2", [DELTA_MS]) <= DELTA_MS + 1
