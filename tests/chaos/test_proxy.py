"""The proxy itself: it passes on what it does not spoil, byte for byte, in memory and over TCP."""

from __future__ import annotations

import random

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from rtassist.link.closing import LinkClosed
from rtassist.link.websocket import Link, connect
from rtassist.protocol import Session, SessionUpdate, SessionUpdated
from tests.chaos import frames, pipes
from tests.chaos.faults import behind
from tests.chaos.plan import TIMED, Fault, Trouble, plan_for
from tests.chaos.proxy import Proxy

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


async def read_all(stream: trio.abc.ReceiveStream, into: bytearray) -> None:
    async for data in stream:
        into += data


async def until_closed(link: Link) -> None:
    while True:
        await link.receive()


@given(st.lists(st.binary(max_size=70_000), max_size=4), st.lists(st.integers(0, 1000), max_size=5))
def test_frames_are_cut_out_of_any_pieces(payloads: list[bytes], cuts: list[int]) -> None:
    whole = [HEAD, *(frames.frame(frames.BINARY, payload) for payload in payloads)]
    stream = b"".join(whole)
    cutter, found, at = frames.Cutter(), [], 0
    for cut in sorted(cuts):
        found += cutter.feed(stream[at:cut])
        at = max(at, cut)
    found += cutter.feed(stream[at:])

    assert found == whole
    assert cutter.rest() == b""
    assert [frames.payload(frame) for frame in found[1:]] == payloads


@given(st.text(max_size=400), st.integers(1, 5))
def test_fragments_are_the_message(said: str, pieces: int) -> None:
    made = frames.fragments(frames.text(said), pieces)

    texts = [frame for frame in made if frame[0] & 0xF != frames.PING]
    assert b"".join(map(frames.payload, texts)).decode() == said
    assert [frame[0] >> 7 for frame in texts] == [0] * (len(texts) - 1) + [1]


async def test_bytes_pass_as_they_are_and_end_where_it_is_cut(autojump_clock: trio.testing.MockClock) -> None:
    proxy = Proxy(Trouble(cut_up=250_000, latency_s=0.1, jitter_s=0.2, pieces=1000), random.Random(1))
    sent, got = random.Random(2).randbytes(300_000), bytearray()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(proxy.run)
        nursery.start_soon(pipes.pass_on, sent, proxy.near)
        with pytest.raises(trio.BrokenResourceError):
            await read_all(proxy.far, got)
        nursery.cancel_scope.cancel()
    assert sent.startswith(got)
    assert len(got) > 200_000
    assert proxy.played == ["cut"]


async def test_who_is_not_read_is_held_up(autojump_clock: trio.testing.MockClock) -> None:
    near, far = pipes.pair()
    with trio.move_on_after(60) as waiting:
        await near.send_all(bytes(pipes.BUFFER_BYTES + 1))
    assert waiting.cancelled_caught
    assert len(await far.receive_some(1 << 20)) == pipes.BUFFER_BYTES


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("reset", 1006),
        ("close recoverable", 1001),
        ("close final", 1000),
        ("not utf-8", 1007),
        ("noise", 1002),
    ],
)
async def test_over_tcp(kind: str, code: int) -> None:
    with trio.fail_after(30):
        async with (
            behind(Trouble(faults=(Fault(kind, 0.1),))) as port,
            connect(f"ws://127.0.0.1:{port}/v1/realtime?model=any") as link,
        ):
            with pytest.raises(LinkClosed) as closed:
                await until_closed(link)
            assert closed.value.close.code == code


async def test_over_tcp_without_trouble() -> None:
    with trio.fail_after(30):
        async with (
            behind(Trouble(pieces=7)) as port,
            connect(f"ws://127.0.0.1:{port}/v1/realtime?model=any") as link,
        ):
            await link.receive()
            await link.send(SessionUpdate(session=Session(type="realtime", instructions="Be brief.")))
            assert isinstance((await link.receive()).event, SessionUpdated)


def test_every_fault_is_drawn_somewhere() -> None:
    drawn = {fault.kind for seed in range(1000) for t in plan_for(seed).troubles for fault in t.faults}
    assert drawn == {*TIMED}
