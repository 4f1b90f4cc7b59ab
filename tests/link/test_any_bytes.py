"""Whatever bytes a server sends, before or after the upgrade: a failure with a sentence, or a closed link."""

from contextlib import suppress

import pytest
import trio
import trio.testing
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtassist.errors import Failure
from rtassist.link.address import Address
from rtassist.link.closing import LinkClosed
from rtassist.link.websocket import over
from tests.link.servers import accept_by_hand

HERE = Address(host="127.0.0.1", port=9, secure=False, resource="/")

HEAD = st.sampled_from(
    [
        b"",
        b"HTTP/1.1 101 Switching Protocols\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 401\r\n",
        b"HTTP/",
        b"\r\n",
    ]
)
LINES = st.lists(
    st.sampled_from(
        [
            b"Upgrade: websocket\r\n",
            b"Connection: Upgrade\r\n",
            b"Sec-WebSocket-Accept: x\r\n",
            b"Sec-WebSocket-Extensions: permessage-deflate; x=\xff\r\n",
            b"Sec-WebSocket-Protocol: \xe9\r\n",
            b"Content-Length: 5\r\n",
            b"Content-Length: -1\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Location: \x00\r\n",
            b": \r\n",
            b"\r\n",
            b'{"error": {"message": ["\x1b"], "code": 7}}',
            b'{"error": null}',
        ]
    ),
    max_size=6,
).map(b"".join)
# A frame's first two bytes decide what it is; these are final and fragmented ones of every kind.
FRAMES = st.lists(
    st.tuples(
        st.sampled_from([0x01, 0x02, 0x00, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8A, 0x83, 0x8B, 0xF1, 0x08]),
        st.binary(max_size=20),
    ),
    max_size=8,
).map(lambda frames: b"".join(bytes([first, len(body)]) + body for first, body in frames))


@example(
    head=b"HTTP/1.1 101 Switching Protocols\r\n", lines=b"Sec-WebSocket-Protocol: \xe9\r\n\r\n", rest=b""
)
@given(head=HEAD, lines=LINES, rest=st.binary(max_size=50))
@settings(max_examples=150)
async def test_instead_of_an_upgrade(head: bytes, lines: bytes, rest: bytes) -> None:
    ours, theirs = trio.testing.memory_stream_pair()

    async def serve() -> None:
        await theirs.receive_some()
        await theirs.send_all(head + lines + rest)
        await theirs.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        with pytest.raises(Failure) as raised:
            async with over(ours, HERE, deadline=trio.current_time() + 60):
                pytest.fail("it connected")
    assert raised.value.message.isprintable()


@given(frames=st.one_of(FRAMES, st.binary(max_size=100)), cuts=st.lists(st.integers(0, 100), max_size=3))
@settings(max_examples=150)
async def test_instead_of_events(frames: bytes, cuts: list[int]) -> None:
    ours, theirs = trio.testing.memory_stream_pair()

    async def serve() -> None:
        await accept_by_hand(theirs)
        pieces = sorted(cut for cut in cuts if cut < len(frames))
        with suppress(trio.BrokenResourceError):  # the client may have had enough
            for start, end in zip([0, *pieces], [*pieces, len(frames)], strict=True):
                await theirs.send_all(frames[start:end])
        await theirs.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        async with over(ours, HERE, deadline=trio.current_time() + 60) as link:
            close = None
            while close is None:
                try:
                    await link.receive()
                except LinkClosed as closed:
                    close = closed.close
            assert close.sentence.isprintable()
