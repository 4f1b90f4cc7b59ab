"""What waits to be sent: what is kept of it where nobody knows how much arrived, and what is told of it."""

from __future__ import annotations

from rtassist.dialogue.effects import Send
from rtassist.dialogue.events import UplinkDropped
from rtassist.protocol import InputAudioBufferAppend, InputAudioBufferCommit, ResponseCreate
from rtassist.uplink import Uplink

SECOND = 24_000


def say(uplink: Uplink, seconds: float) -> None:
    for _ in range(round(seconds * 50)):
        uplink.put(Send(InputAudioBufferAppend(audio=bytes(960))))


async def send_all(uplink: Uplink, at_us: int) -> None:
    while uplink.unsent:
        await uplink.next()
        uplink.sent(at_us)


async def test_kept_is_what_left_since_a_moment_however_long_it_had_waited() -> None:
    uplink = Uplink()
    say(uplink, 2)
    await send_all(uplink, 1_000_000)
    say(uplink, 3)
    await send_all(uplink, 9_000_000)
    uplink.keep(8_000_000)

    assert uplink.unsent == 3 * SECOND


async def test_a_chunk_that_was_being_sent_has_not_left() -> None:
    uplink = Uplink()
    say(uplink, 1)
    await send_all(uplink, 0)
    say(uplink, 0.02)
    await uplink.next()
    uplink.keep(1)

    assert uplink.unsent == 480


async def test_what_was_dropped_does_not_keep_what_was_said_behind_it() -> None:
    """The network stood still for a while, and all has been well since."""
    uplink = Uplink()
    say(uplink, 5.2)
    await send_all(uplink, 0)
    assert uplink.dropped() == [UplinkDropped(4800)]
    say(uplink, 20)
    await send_all(uplink, 1_000_000)
    say(uplink, 1)
    await send_all(uplink, 2_000_000)
    uplink.keep(2_000_000)
    assert uplink.unsent == SECOND
    uplink.deliver()
    await send_all(uplink, 3_000_000)

    assert uplink.dropped() == []


async def test_a_turn_that_we_ended_is_not_said_again() -> None:
    """However much did not leave behind it."""
    uplink = Uplink()
    say(uplink, 2)
    uplink.put(Send(InputAudioBufferCommit()))
    say(uplink, 1)
    for _ in range(101 + 10):
        await uplink.next()
        uplink.sent(0)
    uplink.keep(1)

    assert uplink.unsent == SECOND


async def test_what_waited_too_long_for_two_connections_is_told() -> None:
    uplink = Uplink()
    say(uplink, 30)
    uplink.keep(0)
    assert uplink.dropped() == []
    uplink.deliver()
    await uplink.next()
    say(uplink, 10)
    uplink.keep(0)

    assert uplink.unsent == 30 * SECOND
    assert uplink.dropped() == [UplinkDropped(10 * SECOND, in_gap=True)]


async def test_a_lag_is_told_once_and_again_for_each_request() -> None:
    uplink = Uplink()
    say(uplink, 0.2)
    assert uplink.lag() == 0
    say(uplink, 0.02)
    assert uplink.lag() == 0.22 * SECOND
    say(uplink, 1)
    assert uplink.lag() == 0
    uplink.put(Send(ResponseCreate()))
    assert uplink.lag() == 1.22 * SECOND
    await send_all(uplink, 0)
    assert uplink.lag() == 0
    say(uplink, 1)
    assert uplink.lag() == SECOND
    uplink.keep(0)
    assert uplink.lag() == 0
