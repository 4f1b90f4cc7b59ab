"""rtvoice: a RealtimeAgent with a microphone and a loudspeaker of ours, as its documentation makes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from rtvoice import RealtimeAgent
from rtvoice.agent.listener import AgentListener
from rtvoice.audio import AudioInput, AudioOutput
from rtvoice.realtime import RealtimeProvider

from bench.clients.contract import BLOCK_S, OVERHEAD, age_us, asked, block, loudspeaker, query, tell
from bench.clients.player import Player

AFTER_S = 0.5
"""The agent does not end when the server closes the connection: so long after the scenario it is stopped."""


class Microphone(AudioInput):
    """Says when each block was heard, where that is asked for; else nobody speaks and nothing is heard."""

    def __init__(self, *, appends: bool) -> None:
        self._appends = appends

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def stream_chunks(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        while self._appends:
            next_s += BLOCK_S
            await asyncio.sleep(next_s - loop.time())
            yield block()

    @property
    def is_active(self) -> bool:
        return True


class Output(AudioOutput):
    def __init__(self, player: Player | None) -> None:
        self.down_us: list[float] = []
        self._player = player

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def play_chunk(self, chunk: bytes) -> None:
        if self._player is not None:
            self._player.put("", chunk)
        else:
            self.down_us.append(age_us(chunk) or 0.0)

    async def clear_buffer(self) -> None:
        if self._player is not None:
            self._player.clear()

    @property
    def is_playing(self) -> bool:
        return self._player is not None and self._player.busy()


class Connected(AgentListener):
    def __init__(self) -> None:
        self.said = asyncio.Event()

    async def on_agent_session_connected(self) -> None:
        self.said.set()


class Provider(RealtimeProvider):
    def __init__(self, url: str) -> None:
        self._url = url

    def build_url(self, model: str) -> str:
        return self._url

    def build_headers(self) -> dict[str, str]:
        return {}


async def hold(url: str, scenario: dict[str, Any]) -> None:
    device = loudspeaker(scenario)
    player = None if scenario["name"] in OVERHEAD else Player(device, lambda item_id, pcm: None)
    output, connected = Output(player), Connected()
    agent = RealtimeAgent(
        system_prompt="Answer.",
        audio_input=Microphone(appends=scenario["appends"]),
        audio_output=output,
        listener=connected,
        provider=Provider(query(url, scenario)),
    )
    held = asyncio.create_task(agent.start())
    await connected.said.wait()
    await asyncio.sleep(scenario["lasts_s"] + AFTER_S)
    report = device.report()
    await agent.stop()
    await held
    if player is not None:
        player.close()
    tell(scenario=scenario["name"], down_us=output.down_us, device=report)


async def main() -> None:
    url, scenarios = asked()
    for scenario in scenarios:
        await hold(url, scenario)


if __name__ == "__main__":
    asyncio.run(main())
