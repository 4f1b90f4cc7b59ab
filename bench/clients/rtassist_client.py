"""Ours: the ring of `rtassist talk`, its link over a socket, its loudspeaker over a device in memory."""

from __future__ import annotations

import gc
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import trio
from numpy.typing import NDArray

from bench.clients.contract import BLOCK_S, OVERHEAD, age_us, asked, block, loudspeaker, query, tell
from bench.device import Loudspeaker
from rtassist.audio import Speaker
from rtassist.audio.clocked import ClockedSpeaker
from rtassist.audio.devices import PlaybackStream
from rtassist.audio.owner import owning_thread
from rtassist.audio.patience import Patience
from rtassist.audio.pipes import PipeMicrophone
from rtassist.audio.speaker import DeviceSpeaker
from rtassist.converse import converse
from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect, Play
from rtassist.dialogue.terms import Terms
from rtassist.edges import Edges
from rtassist.link.websocket import connect
from rtassist.protocol import Session


class Stream:
    """rtassist.audio.devices.PlaybackStream on a Loudspeaker, which cannot be rewritten, but be flushed."""

    def __init__(self, device: Loudspeaker) -> None:
        self._device = device
        self._silent_at: int | None = None
        self.written = device.written
        self.buffer_samples = device.buffer_samples
        self.reserve_samples = max(device.period_samples, device.buffer_samples // 2)

    def room(self) -> int:
        return self._device.room()

    def ahead(self) -> int:
        return self._device.ahead()

    def write(self, samples: NDArray[np.float32]) -> None:
        self._device.write(np.rint(samples * 32768).astype("<i2").tobytes())
        self.written = self._device.written

    def sounded(self) -> tuple[float, int] | None:
        return self._device.sounded()

    def ran_dry_at(self) -> int | None:
        return self._device.ran_dry_at()

    def flush(self) -> None:
        self._silent_at = self._device.flush()

    def rewritable(self) -> int | None:
        return None

    def rewrite(self, samples: NDArray[np.float32]) -> None:
        raise AssertionError("it cannot be rewritten")

    def silent_at(self) -> int | None:
        return self._silent_at

    def close(self) -> None:
        self._device.flush()


def microphone() -> PipeMicrophone:
    """`--mic -`, with 20 ms in the pipe whenever 20 ms have passed."""
    next_s = trio.current_time()

    async def recorded() -> bytes:
        nonlocal next_s
        next_s += BLOCK_S
        await trio.sleep_until(next_s)
        pcm = block()
        while next_s + BLOCK_S <= trio.current_time():
            next_s += BLOCK_S
            pcm += block()
        return pcm

    return PipeMicrophone(recorded, fast=False, patience=Patience())


class NoTools:
    async def run(self, name: str, arguments: str) -> str:
        raise AssertionError("no tool was offered")


@asynccontextmanager
async def playing_on(device: Loudspeaker) -> AsyncIterator[DeviceSpeaker]:
    """`open_device_speaker`, with this device in the place of the sound system's."""
    speaker = DeviceSpeaker()

    def open_it() -> PlaybackStream:
        return Stream(device)

    async with owning_thread(
        speaker._owner,
        name="speaker",
        open=open_it,
        run=speaker._run,
        wake=speaker._wake,
    ):
        yield speaker


async def hold(url: str, scenario: dict[str, Any]) -> None:
    """One conversation, until the server closes it."""
    device = loudspeaker(scenario)
    down_us: list[float] = []
    async with playing_on(device) as speaker:
        await held(query(url, scenario), scenario, speaker, down_us)
    tell(scenario=scenario["name"], device=device.report(), down_us=down_us)


async def hold_fast(url: str, scenario: dict[str, Any]) -> None:
    """As `hold`, on `--speaker none --fast`: what a loudspeaker costs is no part of what frames cost."""
    down_us: list[float] = []
    speaker = ClockedSpeaker(lambda position, pcm: None, fast=True)
    await held(query(url, scenario), scenario, speaker, down_us)
    tell(scenario=scenario["name"], down_us=down_us)


async def held(url: str, scenario: dict[str, Any], speaker: Speaker, down_us: list[float]) -> None:
    def note(now_us: int, what: events.Event | Effect) -> None:
        """`Play` goes from here to the loudspeaker's task."""
        if isinstance(what, Play) and (old_us := age_us(what.pcm)) is not None:
            down_us.append(old_us)

    nothing, commands = trio.open_memory_channel[events.Event](math.inf)
    # Any other scenario is over when the server closes the connection.
    reconnects = scenario["name"] == "dropped"
    terms = Terms(
        session=Session(type="realtime"),
        microphone=scenario["appends"],
        keyboard=False,
        reconnects=reconnects,
    )
    async with connect(url) as link:
        with nothing:
            edges = Edges(
                link=link,
                another_link=lambda: connect(url),
                microphone=microphone() if scenario["appends"] else None,
                speaker=speaker,
                commands=commands,
                tools=NoTools(),
                show=lambda shown: None,
                note=note,
            )
            await converse(terms, edges)


async def main() -> None:
    url, scenarios = asked()
    for scenario in scenarios:
        await (hold_fast if scenario["name"] in OVERHEAD else hold)(url, scenario)


if __name__ == "__main__":
    gc.freeze()  # as `rtassist talk` does once all is loaded (cli_talk.loading)
    trio.run(main)
