"""A bad network, and a server that misbehaves: it sits between a client and a server and passes frames on."""

from __future__ import annotations

import random
from contextlib import suppress
from heapq import heappop, heappush
from typing import Final

import trio
from attrs import define, field

from rtassist.link.websocket import LARGEST_MESSAGE
from tests.chaos import frames
from tests.chaos.pipes import End, pair
from tests.chaos.plan import FINAL_CODES, LARGEST_EVENT, RECOVERABLE_CODES, Fault, Trouble

SLOW_BYTES_S: Final = 24_000
"""A third of what the microphone needs in base64, half of what the voice does."""
_WAITING: Final = 64
"""Frames under way; behind them the server is not read."""
_GONE: Final = (trio.BrokenResourceError, trio.ClosedResourceError)
_WRONG: Final = (
    '{"type":"response.output_audio.delta","event_id":"x","response_id":"R","item_id":"I",'
    '"output_index":0,"content_index":0,"delta":"*** no base64 ***"}',
    '{"type":"response.done","event_id":"x","response":null}',
    '{"type":"response.created","event_id":"x","response":[]}',
    '{"type":"session.created","event_id":"x","session":7}',
    '{"type":"error","event_id":"x","error":"plain words"}',
    '{"type":"conversation.item.input_audio_transcription.delta","event_id":"x","item_id":9}',
    '{"type":null}',
    '{"event_id":"x"}',
    "[]",
    "null",
    "{" * 300,
    '{"type":"response.output_text.delta","event_id":"x","response_id":"R","item_id":"I",'
    '"output_index":0,"content_index":0,"delta":"\\ud800"}',
    '{"type":"rate_limits.updated","event_id":"x","rate_limits":[{"name":"tokens","limit":1e400}]}',
)
_ERRORS: Final = (
    '{"type":"error","event_id":"x","error":{"type":"server_error","code":null,'
    '"message":"The server had an error while processing your request."}}',
    '{"type":"error","event_id":"x","error":{"type":"invalid_request_error","code":"invalid_value",'
    '"message":"Something was wrong.","param":null,"event_id":"nobody\'s"}}',
    '{"type":"error","event_id":"x","error":{"type":"invalid_request_error",'
    '"code":"response_cancel_not_active","message":"Cancellation failed"}}',
)
_FINAL_ERROR: Final = (
    '{"type":"error","event_id":"x","error":{"type":"invalid_request_error","code":"insufficient_quota",'
    '"message":"You exceeded your current quota"}}'
)


@define
class _Way:
    """One direction: how it flows, what of it has passed, and where it is cut."""

    cut: int | None
    flows: trio.Event = field(factory=trio.Event)
    bytes_s: float | None = None
    passed: int = 0


class Proxy:
    """One connection. `near` is for the client, `far` for the server, and `run` is between them.

    `played`: the faults that happened, in their order.
    """

    def __init__(self, trouble: Trouble, chance: random.Random) -> None:
        self.near, self._client = pair()
        self.far, self._server = pair()
        self.played: list[str] = []
        self._trouble = trouble
        self._chance = chance
        self._up, self._down = _Way(trouble.cut_up), _Way(trouble.cut_down)
        self._up.flows.set()
        self._down.flows.set()
        self._under_way: list[tuple[float, int, bytes]] = []  # a heap by the time at which each is due
        self._counted = 0
        self._changed = trio.Event()
        self._server_over = False
        self._upgraded = trio.Event()
        self._twice = self._in_fragments = 0
        self._late_s = 0.0

    async def run(self) -> None:
        """Until both sides are gone. Raises nothing."""
        async with trio.open_nursery() as faults:
            for fault in self._trouble.faults:
                faults.start_soon(self._play, fault)
            async with trio.open_nursery() as ways:
                ways.start_soon(self._carry_up)
                ways.start_soon(self._read_down)
                ways.start_soon(self._carry_down)
            faults.cancel_scope.cancel()
        self._reset()

    def _reset(self) -> None:
        self._client.reset()
        self._server.reset()

    async def _carry_up(self) -> None:
        """The client's bytes, as they are; those under way are bounded, as a network's are."""
        to_pass, passing = trio.open_memory_channel[tuple[float, bytes]](_WAITING)
        async with trio.open_nursery() as both:
            both.start_soon(self._read_up, to_pass)
            with suppress(*_GONE):
                async for due_s, data in passing:
                    await trio.sleep_until(due_s)
                    await self._pass(self._up, data, self._server)
                await self._server.send_eof()
            both.cancel_scope.cancel()

    async def _read_up(self, to_pass: trio.MemorySendChannel[tuple[float, bytes]]) -> None:
        due_s = 0.0
        with to_pass, suppress(*_GONE):
            await self._up.flows.wait()
            while data := await self._client.receive_some(16_384):
                due_s = max(due_s, trio.current_time() + self._delay_s())
                await to_pass.send((due_s, data))
                await self._up.flows.wait()

    async def _read_down(self) -> None:
        """The server's frames: each is under way for a time, and none overtakes another."""
        cutter, due_s = frames.Cutter(), 0.0
        with suppress(*_GONE):
            while data := await self._server.receive_some(65_536):
                for piece in cutter.feed(data):
                    due_s = max(due_s, trio.current_time() + self._delay_s())
                    late_s = self._later_by(piece)
                    for each in self._spoilt(piece):
                        self._put(due_s + late_s, each)
                while len(self._under_way) > _WAITING:
                    await self._changed.wait()
        if cutter.rest():
            self._put(due_s, cutter.rest())
        self._server_over = True
        self._change()

    async def _carry_down(self) -> None:
        with suppress(*_GONE):
            while self._under_way or not self._server_over:
                changed = self._changed
                due_s = self._under_way[0][0] if self._under_way else float("inf")
                if due_s > trio.current_time():
                    with trio.move_on_at(due_s):
                        await changed.wait()
                    continue
                _, _, piece = heappop(self._under_way)
                self._change()
                await self._pass(self._down, piece, self._client)
            await self._client.send_eof()

    def _put(self, due_s: float, piece: bytes) -> None:
        self._counted += 1
        heappush(self._under_way, (due_s, self._counted, piece))
        self._change()

    def _change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _later_by(self, piece: bytes) -> float:
        """Transcripts of the user may come at any time, between any other events."""
        if self._late_s and b"input_audio_transcription." in piece[:80]:
            late_s, self._late_s = self._late_s, 0.0
            return late_s
        return 0.0

    def _spoilt(self, piece: bytes) -> list[bytes]:
        if not frames.is_text(piece):
            return [piece]
        if self._twice:
            self._twice -= 1
            return [piece, piece]
        if self._in_fragments:
            self._in_fragments -= 1
            return [b"".join(frames.fragments(piece, 3))]
        return [piece]

    async def _pass(self, way: _Way, data: bytes, to: End) -> None:
        size = self._trouble.pieces or len(data)
        size = max(size, -(-len(data) // 4))  # more pieces take their time and prove nothing more
        for start in range(0, len(data), size):
            await way.flows.wait()
            piece = data[start : start + size]
            if way.cut is not None and way.passed + len(piece) >= way.cut:
                await to.send_all(piece[: way.cut - way.passed])
                await trio.sleep(0.001)
                self._hang_up("cut")
                raise trio.BrokenResourceError
            await to.send_all(piece)
            way.passed += len(piece)
            if way is self._down:
                self._upgraded.set()
            if way.bytes_s:
                await trio.sleep(len(piece) / way.bytes_s)

    def _hang_up(self, why: str) -> None:
        self.played.append(why)
        self._reset()

    def _delay_s(self) -> float:
        if not self._trouble.latency_s:
            return 0.0
        return self._trouble.latency_s + self._chance.random() * self._trouble.jitter_s

    async def _play(self, fault: Fault) -> None:
        await trio.sleep(fault.at_s)
        await self._upgraded.wait()  # nothing of this is meant for the upgrade; that is for `cut_down`
        self.played.append(fault.kind)
        match fault.kind:
            case "reset":
                self._reset()
            case "half-close down":
                await self._client.send_eof()
            case "half-close up":
                with suppress(*_GONE):
                    await self._server.send_eof()
            case "vanish":
                self._stop(self._up, self._down)
            case "stall down" | "stall up" | "stall":
                ways = {"stall down": [self._down], "stall up": [self._up]}
                await self._stall(fault.lasts_s, *ways.get(fault.kind, [self._up, self._down]))
            case "slow down" | "slow up":
                way = self._down if fault.kind == "slow down" else self._up
                way.bytes_s = SLOW_BYTES_S
                await trio.sleep(fault.lasts_s)
                way.bytes_s = None
            case "twice":
                self._twice = 1 + fault.number % 20
            case "fragments":
                self._in_fragments = 1 + fault.number % 20
            case "late transcript":
                self._late_s = fault.lasts_s / 4
            case _:
                await self._say(fault)

    async def _say(self, fault: Fault) -> None:
        """What the server never said, between two of its frames."""
        for piece in _said(fault):
            self._put(trio.current_time(), piece)
        if fault.kind.startswith("close"):
            await trio.sleep(0.05)
            self._server.close()
            await self._client.send_eof()

    def _stop(self, *ways: _Way) -> None:
        for way in ways:
            way.flows = trio.Event()

    async def _stall(self, seconds: float, *ways: _Way) -> None:
        before = [way.flows for way in ways]
        self._stop(*ways)
        ours = [way.flows for way in ways]
        await trio.sleep(seconds)
        for old, new in zip(before, ours, strict=True):
            if old.is_set():
                new.set()


def _said(fault: Fault) -> list[bytes]:
    number = fault.number
    match fault.kind:
        case "close recoverable":
            return [frames.close(RECOVERABLE_CODES[number % len(RECOVERABLE_CODES)], "Going away.")]
        case "close final":
            return [frames.close(FINAL_CODES[number % len(FINAL_CODES)])]
        case "close without code":
            return [frames.frame(frames.CLOSE, b"")]
        case "garbage text":
            return [frames.text(random.Random(number).randbytes(40).decode("latin-1"))]
        case "wrong json":
            return [frames.text(_WRONG[number % len(_WRONG)])]
        case "not a string":
            return [frames.text('"' + "x" * number + '"')]
        case "binary":
            return [frames.frame(frames.BINARY, random.Random(number).randbytes(number))]
        case "unknown event":
            return [frames.text('{"type":"conversation.mood.updated","event_id":"x","mood":[1,{"a":null}]}')]
        case "large event":
            filled = '{"type":"conversation.filled","event_id":"x","filler":"%s"}'
            return [frames.text(filled % ("x" * LARGEST_EVENT))]
        case "too large" if number % 4 == 3:
            return [frames.text("x" * (LARGEST_MESSAGE + 1))]
        case "too large":
            return [frames.frame(frames.TEXT, b'{"type":"x"', claims=1 << 40)]
        case "not utf-8":
            return [frames.frame(frames.TEXT, b'{"type":"\xff\xfe"}')]
        case "reserved bits":
            return [bytes([0xF1, 2]) + b"{}"]
        case "noise":
            return [b"\xff" * 40]
        case "pings":
            return [frames.frame(frames.PING, b"%d" % index) for index in range(number // 5)]
        case "pongs":
            return [frames.frame(0xA, b"of nothing")] * 20
        case "error":
            return [frames.text(_ERRORS[number % len(_ERRORS)])]
        case "error final":
            return [frames.text(_FINAL_ERROR)]
    raise AssertionError(f"no such fault: {fault.kind}")
