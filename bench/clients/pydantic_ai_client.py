"""pydantic-ai: a realtime session of an agent, told at an interruption how much has been played."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import RealtimeInputSpeechStartEvent
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.realtime import RealtimeError, RealtimeSession
from pydantic_ai.realtime.openai import OpenAIRealtimeModel

from bench.clients.contract import BLOCK_S, OVERHEAD, age_us, asked, base_url, block, loudspeaker, tell
from bench.clients.player import Player


async def append(session: RealtimeSession) -> None:
    loop = asyncio.get_running_loop()
    next_s = loop.time()
    while True:
        next_s += BLOCK_S
        await asyncio.sleep(next_s - loop.time())
        await session.send_audio(block())


async def hold(url: str, scenario: dict[str, Any]) -> None:
    device = loudspeaker(scenario)
    played = 0

    def count(item_id: str, pcm: bytes) -> None:
        nonlocal played
        played += len(pcm)

    player = Player(device, count)
    down_us: list[float] = []
    model = OpenAIRealtimeModel(
        scenario["name"], provider=OpenAIProvider(base_url=base_url(url), api_key="none")
    )

    async def hear(session: RealtimeSession) -> None:
        async for pcm in session.stream_audio():
            if scenario["name"] in OVERHEAD:
                down_us.append(age_us(pcm) or 0.0)
            else:
                player.put("", pcm)

    tasks: list[asyncio.Task[None]] = []
    try:
        async with Agent().realtime(model).session() as session:
            tasks.append(asyncio.create_task(hear(session)))
            if scenario["appends"]:
                tasks.append(asyncio.create_task(append(session)))
            async for event in session:
                if isinstance(event, RealtimeInputSpeechStartEvent):
                    player.clear()
                    await session.interrupt(played_bytes=played)
    except RealtimeError:
        pass  # the server has closed the connection
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    player.close()
    tell(scenario=scenario["name"], down_us=down_us, device=device.report())


async def main() -> None:
    url, scenarios = asked()
    for scenario in scenarios:
        await hold(url, scenario)


if __name__ == "__main__":
    asyncio.run(main())
