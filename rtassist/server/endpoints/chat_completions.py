"""Thinking by a server of chat completions: Ollama, llama.cpp, LM Studio, vLLM, OpenAI and their like."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson
import trio

from rtassist.server.endpoints.endpoint import Endpoint
from rtassist.server.endpoints.messages import request
from rtassist.server.endpoints.stream import AnswerReader
from rtassist.server.parts import Ask, Call, PartFailed, Say

_MODELS_BYTES = 4 * 1024 * 1024


class ChatCompletions:
    """A Thinker. With no `model` the server is asked once which ones it has, and the first is taken."""

    def __init__(self, endpoint: Endpoint, model: str | None) -> None:
        self._endpoint = endpoint
        self._model = model
        self._finding = trio.Lock()

    async def answer(self, ask: Ask) -> AsyncGenerator[Say | Call]:
        """Words as they come, never half of one, then the function calls. Raises PartFailed after all that
        was said; a call that is not whole by then is not made."""
        reader = AnswerReader(self._endpoint.peer)
        body = request(ask, await self._find_model())
        async with (
            self._endpoint.ask(json=body) as response,
            aclosing(self._endpoint.body(response)) as chunks,
        ):
            try:
                async for chunk in chunks:
                    for piece in reader.feed(chunk):
                        yield piece
                    if reader.done:
                        break
            except PartFailed:
                if not reader.complete:
                    for last in reader.rest():
                        yield last
                    raise
            for ending in reader.finish():
                yield ending
            await self._endpoint.drain(chunks)

    async def _find_model(self) -> str:
        async with self._finding:
            if self._model is None:
                self._model = await self._first_model()
            return self._model

    async def _first_model(self) -> str:
        peer = self._endpoint.peer
        async with self._endpoint.ask("GET", "/models") as response:
            body = await self._endpoint.whole(response, limit=_MODELS_BYTES)
        try:
            listed = orjson.loads(body)
        except orjson.JSONDecodeError:
            if body.lstrip().startswith(b"<"):
                raise peer.no_page() from None
            listed = None
        match listed:
            case {"data": [{"id": str(model)}, *_]} if model:
                return model
        raise peer.failed(
            "no_model", f"names no model at /models. Load one there, or name it in {peer.variable('MODEL')}."
        )
