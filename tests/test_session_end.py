"""A conversation that outlives its sessions, with our own server, in virtual time."""

from __future__ import annotations

from contextlib import suppress

import trio
import trio.testing

from rtassist.dialogue import events
from rtassist.dialogue.effects import Switch
from rtassist.dialogue.terms import Terms
from rtassist.protocol import Session
from rtassist.server.serve import Options
from rtassist.sessions.replay import Equal, replay
from tests.far import Far, far

WRITTEN = Terms(
    session=Session(type="realtime", output_modalities=("text",)),
    voiced=False,
    speaker=False,
    microphone=False,
    server_turns=False,
    transcribes=False,
    ducks=False,
    reconnects=True,
)


def replays_equal(held: Far) -> bool:
    result = replay(held.journal)
    assert isinstance(result, Equal), result
    return True


async def test_three_hours_of_talk_and_nobody_hears_that_there_were_four_sessions(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with far(WRITTEN, Options(expires_after_s=3600)) as held:
        for number in range(90):
            await held.ask(f"what is {number} times 2")
            await trio.sleep(120)
        asked, answered = held.lines("user"), held.lines("assistant")
        await held.ask("/quit")
        await held.ended.wait()

    assert len(asked) == 90
    assert [f"{2 * number}" in answer for number, answer in enumerate(answered)] == [True] * 90
    assert held.notices() == []
    assert held.sessions() == 4
    assert sum(isinstance(what, Switch) for _, what in held.noted) == 3
    assert not [what for _, what in held.noted if isinstance(what, events.LinkLost)]
    assert held.server.sessions == 0
    assert replays_equal(held)


async def test_a_server_that_is_away_at_the_end_of_the_session_is_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with far(WRITTEN, Options(expires_after_s=600)) as held:
        await trio.sleep(440)
        held.unreachable = True
        await trio.sleep(170)
        await held.ask("what is 3 times 3")
        await trio.sleep(5)
        assert not held.lines("assistant")
        held.unreachable = False
        await trio.sleep(20)
        await held.ask("/quit")
        await held.ended.wait()

    assert "9" in held.lines("assistant")[0]
    first, *_, last = held.notices()
    assert first.startswith("The session reached its longest duration. Connecting again")
    assert last.startswith("Connected again after ")
    assert replays_equal(held)


class Wire:
    """Carries bytes both ways, until it is cut: then it takes all and brings nothing, and closes nothing."""

    def __init__(self) -> None:
        self.cut = False

    async def carry(self, near: trio.abc.Stream, away: trio.abc.Stream) -> None:
        async def pump(source: trio.abc.Stream, target: trio.abc.Stream) -> None:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                async for data in source:
                    if not self.cut:
                        await target.send_all(data)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(pump, near, away)
            nursery.start_soon(pump, away, near)


async def test_a_network_that_dies_without_a_word_is_noticed_within_twenty_seconds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    wire = Wire()
    async with far(WRITTEN, Options(), between=wire.carry) as held:
        await trio.sleep(33)
        wire.cut = True
        await held.ask("what is 4 times 4")
        await trio.sleep(20)
        (lost,) = [what for _, what in held.noted if isinstance(what, events.LinkLost)]
        assert lost.silent_ms >= 10_000
        wire.cut = False
        await trio.sleep(30)

        assert held.lines("assistant") == ["Four times four is 16."]
        assert held.notices()[0].startswith(
            "The connection broke off without a goodbye: the network, a proxy's time limit, or a crash "
            "(close 1006: no sign of life for 10 s after a ping)"
        )
    assert replays_equal(held)
