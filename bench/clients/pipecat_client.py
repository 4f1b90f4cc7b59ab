"""pipecat-ai: its realtime pipeline, and a transport that plays on our device as its local one on PyAudio."""

from __future__ import annotations

import asyncio
from typing import Any

from loguru import logger
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    LLMRunFrame,
    OutputAudioRawFrame,
    StartFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.workers.runner import WorkerRunner

from bench.clients.contract import BLOCK_S, OVERHEAD, RATE, age_us, asked, block, loudspeaker, tell
from bench.device import Loudspeaker

POLL_S = 0.002
SPARE_S = 3.0
"""For connecting."""


class Input(BaseInputTransport):
    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)


class Output(BaseOutputTransport):
    def __init__(self, params: TransportParams, device: Loudspeaker) -> None:
        super().__init__(params)
        self._device = device

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Returns when the device has taken it, as PyAudio's write does."""
        pcm = frame.audio
        while pcm:
            taken = 2 * self._device.room()
            self._device.write(pcm[:taken])
            pcm = pcm[taken:]
            if pcm:
                await asyncio.sleep(POLL_S)
        return True


class Ears(FrameProcessor):
    """Between the service and the loudspeaker."""

    def __init__(self, down_us: list[float]) -> None:
        super().__init__()
        self._down_us = down_us

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, OutputAudioRawFrame):
            self._down_us.append(age_us(frame.audio) or 0.0)
            return
        await self.push_frame(frame, direction)


async def append(source: Input) -> None:
    loop = asyncio.get_running_loop()
    next_s = loop.time()
    while True:
        next_s += BLOCK_S
        await asyncio.sleep(next_s - loop.time())
        await source.push_audio_frame(InputAudioRawFrame(audio=block(), sample_rate=RATE, num_channels=1))


async def hold(url: str, scenario: dict[str, Any]) -> None:
    device = loudspeaker(scenario)
    down_us: list[float] = []
    params = TransportParams(
        audio_in_enabled=True,
        audio_in_sample_rate=RATE,
        audio_out_enabled=True,
        audio_out_sample_rate=RATE,
    )
    llm = OpenAIRealtimeLLMService(
        api_key="none",
        base_url=url,
        settings=OpenAIRealtimeLLMService.Settings(model=scenario["name"]),
    )
    user, assistant = LLMContextAggregatorPair(LLMContext())
    source, output = Input(params), Output(params, device)
    last = [Ears(down_us)] if scenario["name"] in OVERHEAD else [output]
    worker = PipelineWorker(Pipeline([source, user, llm, *last, assistant]))

    async def leave() -> None:
        """Of a connection that has ended it says nothing."""
        await asyncio.sleep(scenario["lasts_s"] + SPARE_S)
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await worker.queue_frames([LLMRunFrame()])
    appending = asyncio.create_task(append(source)) if scenario["appends"] else None
    leaving = asyncio.create_task(leave())
    await runner.run()
    await leaving
    if appending is not None:
        appending.cancel()
    tell(scenario=scenario["name"], down_us=down_us, device=device.report())


async def main() -> None:
    logger.remove()
    url, scenarios = asked()
    for scenario in scenarios:
        await hold(url, scenario)


if __name__ == "__main__":
    asyncio.run(main())
