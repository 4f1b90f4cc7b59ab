"""A conversation that outlives its sessions, with our own server, in virtual time."""

from __future__ import annotations

import trio
import trio.testing

from rtassist.dialogue import events
from rtassist.dialogue.effects import Switch
from rtassist.dialogue.state import Terms
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
