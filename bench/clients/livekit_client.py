"""livekit-agents, its openai plugin: that alone for overhead, an AgentSession for interruptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.llm import GenerationCreatedEvent, RealtimeSession
from livekit.agents.voice import io
from livekit.plugins.openai.realtime import RealtimeModel

from bench.clients.contract import (
    BLOCK_S,
    OVERHEAD,
    RATE,
    age_us,
    asked,
    base_url,
    block,
    loudspeaker,
    tell,
)
from bench.clients.player import Player
from bench.device import Loudspeaker


def frame(pcm: bytes) -> rtc.AudioFrame:
    return rtc.AudioFrame(pcm, RATE, 1, len(pcm) // 2)


class Silence(io.AudioInput):
    """A microphone, without which a session takes itself for one of text."""

    async def __anext__(self) -> rtc.AudioFrame:
        await asyncio.sleep(BLOCK_S)
        return frame(bytes(960))


class Output(io.AudioOutput):
    """An audio sink as the documentation asks for one: it says where it was when a segment ended."""

    def __init__(self, device: Loudspeaker) -> None:
        super().__init__(
            label="bench",
            capabilities=io.AudioOutputCapabilities(pause=False),
            sample_rate=RATE,
        )
        self._player = Player(device, self._played)
        self._pushed = self._sounded = 0
        self._cleared = asyncio.Event()
        self._waiting: asyncio.Task[None] | None = None

    def _played(self, item_id: str, pcm: bytes) -> None:
        self._sounded += len(pcm) // 2

    async def capture_frame(self, captured: rtc.AudioFrame) -> None:
        await super().capture_frame(captured)
        self._pushed += captured.samples_per_channel
        self._player.put("", bytes(captured.data))

    def flush(self) -> None:
        super().flush()
        if self._pushed and self._waiting is None:
            self._waiting = asyncio.create_task(self._wait())

    def clear_buffer(self) -> None:
        if self._pushed:
            self._player.clear()
            self._cleared.set()

    async def _wait(self) -> None:
        while self._sounded < self._pushed and not self._cleared.is_set():  # noqa: ASYNC110 (a thread plays it)
            await asyncio.sleep(0.005)
        interrupted, position_s = self._cleared.is_set(), self._sounded / RATE
        self._pushed = self._sounded = 0
        self._cleared.clear()
        self._waiting = None
        self.on_playback_finished(playback_position=position_s, interrupted=interrupted)

    def close(self) -> None:
        self._player.close()


async def append(session: RealtimeSession) -> None:
    loop = asyncio.get_running_loop()
    next_s = loop.time()
    while True:
        next_s += BLOCK_S
        await asyncio.sleep(next_s - loop.time())
        session.push_audio(frame(block()))


async def frames(generation: GenerationCreatedEvent) -> AsyncIterator[rtc.AudioFrame]:
    async for message in generation.message_stream:
        async for each in message.audio_stream:
            yield each


def model(url: str, scenario: dict[str, Any]) -> RealtimeModel:
    return RealtimeModel(model=scenario["name"], base_url=base_url(url), api_key="none")


def over(session: RealtimeSession) -> asyncio.Event:
    """Set when the server has said that it is; the session would connect again to who closes it."""
    said = asyncio.Event()

    def hear(event: dict[str, Any]) -> None:
        if event["type"] == "rate_limits.updated":
            said.set()

    session.on("openai_server_event_received", hear)
    return said


async def hold(url: str, scenario: dict[str, Any]) -> None:
    device = loudspeaker(scenario)
    output = Output(device)
    session: AgentSession[None] = AgentSession(llm=model(url, scenario))
    session.input.audio = Silence(label="bench")
    session.output.audio = output
    agent = Agent(instructions="Answer.")
    await session.start(agent=agent)
    await over(agent.realtime_llm_session).wait()
    report = device.report()
    await session.aclose()
    output.close()
    tell(scenario=scenario["name"], device=report)


async def hold_plugin(url: str, scenario: dict[str, Any]) -> None:
    down_us: list[float] = []
    session = model(url, scenario).session()
    ended = over(session)
    generations: asyncio.Queue[GenerationCreatedEvent] = asyncio.Queue()
    session.on("generation_created", generations.put_nowait)
    appending = asyncio.create_task(append(session)) if scenario["appends"] else None
    async for each in frames(await generations.get()):
        pcm = bytes(each.data)
        down_us.append(age_us(pcm) or 0.0)
    await ended.wait()
    if appending is not None:
        appending.cancel()
    await session.aclose()
    tell(scenario=scenario["name"], down_us=down_us)


async def main() -> None:
    url, scenarios = asked()
    for scenario in scenarios:
        await (hold_plugin if scenario["name"] in OVERHEAD else hold)(url, scenario)


if __name__ == "__main__":
    asyncio.run(main())
