"""The openai package: its realtime connection, as its README uses it."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.exceptions import ConnectionClosed

from bench.clients.contract import BLOCK_S, age_us, asked, base_url, block, only_overhead, tell


async def append(connection: AsyncRealtimeConnection) -> None:
    loop = asyncio.get_running_loop()
    next_s = loop.time()
    while True:
        next_s += BLOCK_S
        await asyncio.sleep(next_s - loop.time())
        await connection.input_audio_buffer.append(audio=base64.b64encode(block()).decode())


async def hold(url: str, scenario: dict[str, Any]) -> None:
    client = AsyncOpenAI(api_key="none", base_url=base_url(url))
    down_us: list[float] = []
    async with client.realtime.connect(model=scenario["name"]) as connection:
        await connection.session.update(session={"type": "realtime"})
        appending = asyncio.create_task(append(connection)) if scenario["appends"] else None
        try:
            async for event in connection:
                if event.type == "response.output_audio.delta":
                    pcm = base64.b64decode(event.delta)
                    down_us.append(age_us(pcm) or 0.0)
        except ConnectionClosed:
            pass
        if appending is not None:
            appending.cancel()
            await asyncio.gather(appending, return_exceptions=True)
    tell(scenario=scenario["name"], down_us=down_us)


async def main() -> None:
    url, scenarios = asked()
    only_overhead(scenarios, "it leaves playing, and being interrupted, to its user")
    for scenario in scenarios:
        await hold(url, scenario)


if __name__ == "__main__":
    asyncio.run(main())
