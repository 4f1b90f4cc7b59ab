"""The server of the latency rows: a process of its own, which plays a scenario to each client that comes.

    python -m bench.scripted

The first line on its standard output is its port. The query `model` of a connection names the scenario. When
a client has gone, or its scenario is over, a line of JSON says what was sent and what came, and when
(CLOCK_MONOTONIC, ns). It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import gc
import json
import struct
import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from attrs import define, field
from pybase64 import b64decode, b64encode_as_string
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bench.clients.contract import BLOCK_BYTES
from bench.scenarios import (
    DELTA_MS,
    LATE,
    MS,
    SCENARIOS,
    Audio,
    Created,
    Done,
    Dropped,
    ItemDone,
    Pause,
    Scenario,
    SpeechStarted,
    Step,
    voice,
)

RESPONSE = "resp_bench"
BEFORE_S = 0.15
"""A session that has just begun is let come to rest."""
LEAVING_S = 0.2
"""A `rate_limits.updated` says that the scenario is over, for clients that would connect again when they are
left: they may leave first.
"""
SESSION: dict[str, Any] = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_bench",
    "model": "gpt-realtime",
    "output_modalities": ["audio"],
    "instructions": "",
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "tracing": None,
    "truncation": "auto",
    "prompt": None,
    "expires_at": 1785000000,
    "include": None,
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 200,
                "idle_timeout_ms": None,
                "create_response": True,
                "interrupt_response": True,
            },
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin", "speed": 1.0},
    },
}


@define
class Show:
    """One scenario and one client."""

    socket: ServerConnection
    scenario: Scenario
    number: int
    begun: set[int] = field(factory=set)
    sent: list[tuple[int, str, int, int]] = field(factory=list)
    """When, what ("audio", "late", "speech_started"), which item, how many ms."""
    got: list[tuple[int, dict[str, Any]]] = field(factory=list)
    up: list[tuple[int, int]] = field(factory=list)
    """Of each block of microphone: when it came, and when it was heard."""
    told: dict[int, int] = field(factory=dict)  # samples of each voice that were sent
    updated: asyncio.Event = field(factory=asyncio.Event)
    events: int = 0
    returns: asyncio.Future[ServerConnection] | None = None
    """Another connection of the client whose own was dropped, while one is waited for."""

    async def say(self, type: str, **fields: Any) -> None:
        self.events += 1
        event = {"type": type, "event_id": f"event_{self.events}", **fields}
        await self.socket.send(orjson.dumps(event).decode())

    async def listen(self) -> None:
        """Each frame has its time from when `recv` returned it."""
        while True:
            try:
                frame = await self.socket.recv(decode=True)
            except ConnectionClosed:
                if self.returns is None or self.returns.done():
                    raise
                self.socket = await asyncio.shield(self.returns)
                continue
            now_ns = time.monotonic_ns()
            event = orjson.loads(frame)
            if event["type"] != "input_audio_buffer.append":
                self.got.append((now_ns, event))
                await self.answer(event)
            elif self.scenario.appends:
                for (stamp_ns,) in struct.iter_unpack(f"<q{BLOCK_BYTES - 8}x", b64decode(event["audio"])):
                    self.up.append((now_ns, stamp_ns))

    async def answer(self, event: dict[str, Any]) -> None:
        if event["type"] == "session.update":
            await self.say("session.updated", session={**SESSION, "model": self.scenario.name})
            self.updated.set()
        elif event["type"] == "conversation.item.truncate":
            place = {key: event[key] for key in ("item_id", "content_index", "audio_end_ms")}
            await self.say("conversation.item.truncated", **place)
        elif event["type"] == "conversation.item.delete":
            await self.say("conversation.item.deleted", item_id=event["item_id"])

    async def play(self) -> None:
        await self.say("session.created", session=SESSION)
        await self.updated.wait()
        await asyncio.sleep(BEFORE_S)
        for step in self.scenario.steps:
            await self.step(step)
        await self.say("rate_limits.updated", rate_limits=[])
        await asyncio.sleep(LEAVING_S)

    async def step(self, step: Step) -> None:
        match step:
            case Created():
                await self.say("response.created", response=response("in_progress"))
            case Audio():
                await self.audio(step)
            case ItemDone(item=item):
                await self.item_done(item)
            case Done(status=status):
                await self.say("response.done", response=response(status))
            case Pause():
                # 7 and 20 have no common divisor: a trial after the other is at another place.
                longer_ms = self.number * 7 % step.varied_ms if step.varied_ms else 0
                await asyncio.sleep((step.ms + longer_ms) / 1000)
            case SpeechStarted():
                self.sent.append((time.monotonic_ns(), "speech_started", 0, 0))
                await self.say("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_user")
            case Dropped():
                await self.drop(step)

    async def drop(self, step: Dropped) -> None:
        """Raises TimeoutError when the client does not come back."""
        self.returns = asyncio.get_running_loop().create_future()
        self.sent.append((time.monotonic_ns(), "dropped", 0, 0))
        self.updated.clear()
        self.socket.transport.abort()
        try:
            self.socket = await asyncio.wait_for(asyncio.shield(self.returns), step.return_ms / 1000)
        except TimeoutError:
            self.returns.cancel()  # who comes now is another client
            raise
        await self.say("session.created", session=SESSION)
        await self.updated.wait()

    async def audio(self, step: Audio) -> None:
        at = place(step.item)
        if step.item not in self.begun:
            await self.item_begins(step.item)
        which = LATE if step.late else step.item
        start = asyncio.get_running_loop().time()
        for index in range(step.ms // DELTA_MS):
            if step.every_ms:
                due = start + index // step.burst * step.burst * step.every_ms / 1000
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            count = DELTA_MS * MS
            pcm = voice(which, self.told.get(which, 0), count).tobytes()
            self.told[which] = self.told.get(which, 0) + count
            now_ns = time.monotonic_ns()
            self.sent.append((now_ns, "late" if step.late else "audio", step.item, DELTA_MS))
            if step.stamped:
                pcm = struct.pack("<q", now_ns) + pcm[8:]
            await self.say("response.output_audio.delta", **at, delta=b64encode_as_string(pcm))
            if step.words and index % 2:
                await self.say("response.output_audio_transcript.delta", **at, delta=" word")

    async def item_begins(self, item: int) -> None:
        self.begun.add(item)
        before = f"item_{item - 1}" if item else None
        empty = message(item, "in_progress", [])
        await self.say("response.output_item.added", response_id=RESPONSE, output_index=item, item=empty)
        await self.say("conversation.item.added", previous_item_id=before, item=empty)
        part = {"type": "audio", "transcript": ""}
        await self.say("response.content_part.added", **place(item), part=part)

    async def item_done(self, item: int) -> None:
        part = {"type": "audio", "transcript": "word"}
        full = message(item, "completed", [{"type": "output_audio", "transcript": "word"}])
        await self.say("response.output_audio.done", **place(item))
        await self.say("response.output_audio_transcript.done", **place(item), transcript="word")
        await self.say("response.content_part.done", **place(item), part=part)
        await self.say("conversation.item.done", previous_item_id=None, item=full)
        await self.say("response.output_item.done", response_id=RESPONSE, output_index=item, item=full)

    def report(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario.name,
            "sent": self.sent,
            "got": self.got,
            "up": self.up,
        }


def place(item: int) -> dict[str, Any]:
    return {"response_id": RESPONSE, "item_id": f"item_{item}", "output_index": item, "content_index": 0}


def message(item: int, status: str, content: list[Any]) -> dict[str, Any]:
    return {
        "id": f"item_{item}",
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def response(status: str) -> dict[str, Any]:
    details = {"type": "cancelled", "reason": "turn_detected"} if status == "cancelled" else None
    return {
        "object": "realtime.response",
        "id": RESPONSE,
        "status": status,
        "status_details": details,
        "output": [],
        "conversation_id": "conv_bench",
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"}},
        "usage": None,
        "metadata": None,
    }


async def main() -> None:
    number = 0
    show: Show | None = None

    async def welcome(socket: ServerConnection) -> None:
        nonlocal number, show
        if show is not None and show.returns is not None and not show.returns.done():
            show.returns.set_result(socket)
            await socket.wait_closed()
            return
        number += 1
        assert socket.request is not None
        name = parse_qs(urlsplit(socket.request.path).query)["model"][0]
        show = Show(socket, SCENARIOS[name], number)
        listening = asyncio.create_task(show.listen())
        playing = asyncio.create_task(show.play())
        await asyncio.wait((listening, playing), return_when=asyncio.FIRST_COMPLETED)
        await show.socket.close()
        for task in (listening, playing):
            task.cancel()
        for ended in await asyncio.gather(listening, playing, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, ConnectionClosed | TimeoutError):
                raise ended
        print(json.dumps(show.report()), flush=True)

    # No compression, as OpenAI's server; the collector must not pause it in the middle of a scenario.
    async with serve(welcome, "127.0.0.1", 0, compression=None, max_size=None) as server:
        gc.collect()
        gc.freeze()
        gc.disable()
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
