"""The least that asyncio needs: `websockets`, each frame parsed by orjson, no event with a meaning."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from pybase64 import b64decode, b64encode_as_string
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bench.clients.contract import BLOCK_S, age_us, asked, block, query, tell


async def append(connection: ClientConnection) -> None:
    loop = asyncio.get_running_loop()
    next_s = loop.time()
    while True:
        next_s += BLOCK_S
        await asyncio.sleep(next_s - loop.time())
        event = {"type": "input_audio_buffer.append", "audio": b64encode_as_string(block())}
        await connection.send(orjson.dumps(event).decode())


async def hold(url: str, scenario: dict[str, Any]) -> None:
    down_us: list[float] = []
    async with connect(query(url, scenario), compression=None, max_size=None) as connection:
        await connection.send('{"type":"session.update","session":{"type":"realtime"}}')
        appending = asyncio.create_task(append(connection)) if scenario["appends"] else None
        try:
            while True:
                event = orjson.loads(await connection.recv())
                if event["type"] == "response.output_audio.delta":
                    down_us.append(age_us(b64decode(event["delta"])) or 0.0)
        except ConnectionClosed:
            if appending is not None:
                appending.cancel()
    tell(scenario=scenario["name"], down_us=down_us)


async def main() -> None:
    url, scenarios = asked()
    for scenario in scenarios:
        await hold(url, scenario)


if __name__ == "__main__":
    asyncio.run(main())
