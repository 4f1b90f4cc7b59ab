"""What the program says by itself is heard like any other voice, and costs nothing."""

from collections.abc import AsyncGenerator

import attrs
import pytest
import trio
import trio.testing

from rtassist.announcing import announcer
from rtassist.dialogue import events
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.terms import Terms
from rtassist.protocol import ConversationItemDelete, ConversationItemTruncate, ResponseCreate
from tests.playbook import done, tokens
from tests.ring import MS, TERMS, Call, answer, call, speech_started

SPENT = attrs.evolve(TERMS, max_cost_microusd=1, spent_microusd=1)


async def two_seconds(text: str) -> AsyncGenerator[bytes, None]:
    for _ in range(20):
        await trio.sleep(0.01)
        yield bytes([1, 2]) * (50 * MS)


def reports(held: Call) -> list[tuple[str, int]]:
    return [(e.item_id, e.heard) for _, e in held.noted if isinstance(e, events.PlaybackEnded)]


async def test_a_refusal_sounds_and_asks_the_server_for_nothing(autojump_clock: object) -> None:
    async with call(SPENT, announcer=two_seconds) as held:
        await held.commands.send(events.Typed("hello"))
        await held.commands.send(events.Typed("/goodbye"))
        await trio.sleep(1)
        assert not held.ended.is_set()
        await held.commands.send(events.TypingEnded())
        await held.ended.wait()

    assert not held.link.got(ResponseCreate)
    (first, heard), (second, rest) = reports(held)
    assert first != second
    assert heard < 48_000 == rest, "the farewell takes the floor from the refusal, and is refused itself"
    assert held.samples_sounded() == heard + rest


async def test_it_waits_for_what_sounds_and_is_silenced_by_the_user(autojump_clock: object) -> None:
    async with call(attrs.evolve(TERMS, max_length_ms=61_000), announcer=two_seconds) as held:
        held.link.say(*answer("R1", "A1", seconds=3))
        await trio.sleep(4)
        held.link.say(speech_started("U1"))
        await trio.sleep(5)

        (_, answered), (announced, heard) = reports(held)
        assert answered == 72_000
        assert 20_000 < heard < 28_000
        assert announced not in {getattr(e, "item_id", "") for e in held.link.got(ConversationItemTruncate)}
        assert not held.link.got(ConversationItemDelete)


@pytest.mark.parametrize(
    "terms",
    [SPENT, attrs.evolve(SPENT, speaker=False, voiced=False)],
    ids=["no voice of its own", "no sound"],
)
async def test_where_it_cannot_be_said_the_conversation_goes_on(terms: Terms, autojump_clock: object) -> None:
    async with call(terms) as held:
        await held.commands.send(events.Typed("hello"))
        await held.commands.send(events.Typed("/goodbye"))
        await held.ended.wait()
    assert held.samples_sounded() == 0


@pytest.mark.offline
async def test_the_offline_synthesiser_says_it() -> None:
    pcm = b"".join([chunk async for chunk in announcer("The budget is spent.")])
    assert 0.5 < len(pcm) / 48_000 < 5


async def test_without_the_extra_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtassist.server.synthesis.synthesiser_available", lambda: "no")
    assert [chunk async for chunk in announcer("The budget is spent.")] == []


async def test_the_state_at_the_end_is_handed_over(autojump_clock: object) -> None:
    left: list[Conversation] = []
    async with call(SPENT, ended=left.append) as held:
        held.link.say(done("R9", usage=tokens(audio_in=100)).event)
        await trio.testing.wait_all_tasks_blocked()
        await held.commands.send(events.Typed("/quit"))
        await held.ended.wait()
    assert [state.spending.responses for state in left] == [1]
