"""The link in virtual time, over streams in memory: signs of life, cancellation, and leaving."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from wsproto import WSConnection
from wsproto.events import CloseConnection, Ping, TextMessage

from rtassist.link.address import Address
from rtassist.link.closing import Close, LinkClosed
from rtassist.link.websocket import Link, over
from rtassist.protocol import InputAudioBufferAppend, InputAudioBufferClear
from tests.link.servers import accept_by_hand

HERE = Address(host="127.0.0.1", port=9, secure=False, resource="/")
Peer = tuple[WSConnection, trio.abc.Stream]


@asynccontextmanager
async def linked(
    streams: tuple[trio.abc.Stream, trio.abc.Stream],
) -> AsyncIterator[tuple[Link, Peer]]:
    """A link over the first stream, and at the second a server that began the session and waits."""
    ours, theirs = streams
    peers: list[Peer] = []

    async def serve() -> None:
        peers.append((await accept_by_hand(theirs), theirs))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        async with over(ours, HERE, deadline=trio.current_time() + 10) as link:
            await link.receive()
            while not peers:
                await trio.lowlevel.checkpoint()
            yield link, peers[0]


async def until_lost(link: Link) -> Close:
    with pytest.raises(LinkClosed) as closed:
        await link.receive()
    return closed.value.close


async def answer_pings(protocol: WSConnection, stream: trio.abc.Stream, *, for_s: float) -> list[float]:
    """A living server's pongs until it freezes; the times at which it was asked."""
    asked = []
    with trio.move_on_after(for_s):
        while True:
            protocol.receive_data(await stream.receive_some())
            for event in protocol.events():
                if isinstance(event, Ping):
                    asked.append(trio.current_time())
                    await stream.send_all(protocol.send(event.response()))
    return asked


async def test_a_living_server_is_asked_every_ten_seconds(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(trio.testing.memory_stream_pair()) as (link, peer):
        asked = await answer_pings(*peer, for_s=3600)
        assert asked == [10.0 * number for number in range(1, 360)]
        assert (await until_lost(link)).code == 1006


async def test_a_server_that_froze_is_lost_within_twenty_seconds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with linked(trio.testing.memory_stream_pair()) as (link, _):
        assert await until_lost(link) == Close(1006, "no sign of life for 10 s after a ping")
        assert trio.current_time() == 20
        with pytest.raises(LinkClosed, match="no sign of life"):
            await link.send(InputAudioBufferClear())


@pytest.mark.parametrize("last_s", [0.01, 5, 9.99, 10.01, 15, 19.99, 20.01])
async def test_at_whatever_moment_it_froze(last_s: float, autojump_clock: trio.testing.MockClock) -> None:
    async with linked(trio.testing.memory_stream_pair()) as (link, (protocol, stream)):
        await trio.sleep(last_s / 2)
        await stream.send_all(protocol.send(TextMessage(data='{"type":"x","event_id":"e"}')))
        await trio.sleep(last_s / 2)
        await stream.send_all(protocol.send(TextMessage(data='{"type":"x","event_id":"e"}')))
        for _ in range(2):
            await link.receive()
        close = await until_lost(link)
        assert close.code == 1006
        assert trio.current_time() - last_s <= 20.001
        assert close.silent_ms == pytest.approx(1000 * (trio.current_time() - last_s), abs=2)


async def test_whatever_comes_is_a_sign_of_life(autojump_clock: trio.testing.MockClock) -> None:
    """On a slow line a pong waits behind audio; a link that brings audio is not dead."""
    async with linked(trio.testing.memory_stream_pair()) as (link, (protocol, stream)):

        async def receive() -> None:
            while True:
                await link.receive()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            for _ in range(200):
                await trio.sleep(9)
                await stream.send_all(protocol.send(TextMessage(data='{"type":"x","event_id":"e"}')))
            assert trio.current_time() == 1800
            nursery.cancel_scope.cancel()
        protocol.receive_data(await stream.receive_some())
        assert len(list(protocol.events())) == 1  # unanswered pings do not pile up


@pytest.mark.parametrize("repeat", range(8))  # trio wakes tasks of one moment in any order
async def test_a_program_that_was_suspended_finds_its_link_alive(
    repeat: int, mock_clock: trio.testing.MockClock
) -> None:
    async with linked(trio.testing.memory_stream_pair()) as (link, (protocol, stream)):
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(10)
        await trio.testing.wait_all_tasks_blocked()
        protocol.receive_data(await stream.receive_some())
        (ping,) = protocol.events()
        await stream.send_all(protocol.send(ping.response()))  # it came while the program slept
        mock_clock.jump(3600)
        await trio.testing.wait_all_tasks_blocked()
        await stream.send_all(protocol.send(TextMessage(data='{"type":"still.here","event_id":"e"}')))
        assert (await link.receive()).event.type == "still.here"  # type: ignore[union-attr] # no BadFrame here
        mock_clock.autojump_threshold = 0  # the goodbye is not answered


async def read_frames(protocol: WSConnection, stream: trio.abc.Stream, count: int) -> list[int]:
    """The lengths of the next `count` messages. A damaged frame would raise or never end."""
    lengths, length = [], 0
    while len(lengths) < count:
        protocol.receive_data(await stream.receive_some(1000))
        for event in protocol.events():
            assert isinstance(event, TextMessage), event
            length += len(event.data)
            if event.message_finished:
                lengths.append(length)
                length = 0
    return lengths


async def test_cancelling_a_send_in_the_middle_leaves_the_link_whole(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A frame that is on its way goes out whole, though nobody waits for it; one that is not never goes."""
    async with linked(trio.testing.lockstep_stream_pair()) as (link, peer):
        with trio.move_on_after(1) as first:
            await link.send(InputAudioBufferAppend(audio=bytes(30_000)))
        with trio.move_on_after(1) as second:
            await link.send(InputAudioBufferAppend(audio=bytes(60_000)))
        assert first.cancelled_caught
        assert second.cancelled_caught
        assert trio.current_time() == 2

        lengths: list[int] = []

        async def read() -> None:
            lengths.extend(await read_frames(*peer, 2))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await link.send(InputAudioBufferClear())

    assert lengths == [40_000 + len('{"type":"input_audio_buffer.append","audio":""}'), 35]


async def test_cancelling_a_receive_loses_nothing(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(trio.testing.memory_stream_pair()) as (link, (protocol, stream)):
        with trio.move_on_after(1) as scope:
            await link.receive()
        assert scope.cancelled_caught
        await stream.send_all(protocol.send(TextMessage(data='{"type":"x","event_id":"e"}')))
        assert (await link.receive()).event.type == "x"  # type: ignore[union-attr] # no BadFrame here


async def test_a_send_into_a_dead_network_ends_with_the_link(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(trio.testing.lockstep_stream_pair()) as (link, _):
        with pytest.raises(LinkClosed, match="no sign of life"):
            await link.send(InputAudioBufferAppend(audio=bytes(30_000)))
        assert trio.current_time() == 20


async def test_leaving_a_dead_network_takes_two_seconds_at_most(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with linked(trio.testing.lockstep_stream_pair()) as (link, _):
        with trio.move_on_after(1):
            await link.send(InputAudioBufferAppend(audio=bytes(30_000)))
    assert trio.current_time() == 3


@pytest.mark.parametrize("streams", [trio.testing.memory_stream_pair, trio.testing.lockstep_stream_pair])
async def test_an_interrupted_program_does_not_wait_for_a_goodbye(
    streams: object, autojump_clock: trio.testing.MockClock
) -> None:
    assert callable(streams)
    with trio.CancelScope() as scope:
        async with linked(streams()) as (link, _), trio.open_nursery() as nursery:
            nursery.start_soon(link.send, InputAudioBufferAppend(audio=bytes(30_000)))
            await trio.sleep(1)
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert trio.current_time() == pytest.approx(1.2)


async def test_a_frame_on_its_way_is_finished_before_the_goodbye(
    autojump_clock: trio.testing.MockClock,
) -> None:
    ours, theirs = trio.testing.lockstep_stream_pair()
    seen: list[object] = []

    async def read(protocol: WSConnection, stream: trio.abc.Stream) -> None:
        await trio.sleep(0.1)
        while not any(isinstance(event, CloseConnection) for event in seen):
            protocol.receive_data(await stream.receive_some(1000))
            seen.extend(protocol.events())

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as outside, linked((ours, theirs)) as (link, peer):
            outside.start_soon(read, *peer)
            outside.cancel_scope.shield = True
            scope.cancel()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(link.send, InputAudioBufferAppend(audio=bytes(30_000)))
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
    texts = [event for event in seen if isinstance(event, TextMessage)]
    assert texts[-1].message_finished
    assert sum(len(text.data) for text in texts) > 40_000
    assert isinstance(seen[-1], CloseConnection)
    assert seen[-1].code == 1000
