"""openai-agents: a RealtimeSession, played with the playback tracker that its documentation recommends."""

from __future__ import annotations

import asyncio
from typing import Any

from agents.realtime import RealtimeAgent, RealtimePlaybackTracker, RealtimeRunner, RealtimeSession
from websockets.exceptions import ConnectionClosed

from bench.clients.contract import BLOCK_S, OVERHEAD, age_us, asked, block, loudspeaker, query, tell
from bench.clients.player import Player


async def append(session: RealtimeSession) -> None:
    loop = asyncio.get_running_loop()
    next_s = loop.time()
    while True:
        next_s += BLOCK_S
        await asyncio.sleep(next_s - loop.time())
        await session.send_audio(block())


async def hold(url: str, scenario: dict[str, Any]) -> None:
    tracker, device = RealtimePlaybackTracker(), loudspeaker(scenario)
    player = Player(device, lambda item_id, pcm: tracker.on_play_bytes(item_id, 0, pcm))
    runner = RealtimeRunner(RealtimeAgent(name="Assistant"))
    down_us: list[float] = []
    async with await runner.run(
        model_config={"api_key": "none", "url": query(url, scenario), "playback_tracker": tracker}
    ) as session:
        appending = asyncio.create_task(append(session)) if scenario["appends"] else None
        try:
            async for event in session:
                if event.type == "audio" and scenario["name"] in OVERHEAD:
                    down_us.append(age_us(event.audio.data) or 0.0)
                elif event.type == "audio":
                    player.put(event.item_id, event.audio.data)
                elif event.type == "audio_interrupted":
                    player.clear()
                elif event.type == "raw_model_event" and event.data.type == "connection_status":
                    if event.data.status == "disconnected":
                        break
                elif event.type == "error":
                    break
        except ConnectionClosed:
            pass  # it was broken off
        if appending is not None:
            appending.cancel()
            await asyncio.gather(appending, return_exceptions=True)
    player.close()
    tell(scenario=scenario["name"], down_us=down_us, device=device.report())


async def main() -> None:
    url, scenarios = asked()
    for scenario in scenarios:
        await hold(url, scenario)


if __name__ == "__main__":
    asyncio.run(main())
