"""The other side of test_openai_client: `python tests/server/openai_client.py ws://host:port/v1/realtime`.
Prints what it saw as JSON; a frame that does not validate ends it with a traceback."""

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.server.conformance import Judge
from tests.server.sounds import silence, tone


class Talk:
    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.judge = Judge()

    async def until(self, type: str) -> Any:
        while True:
            frame = await self.connection.recv_bytes()
            self.judge.see(frame.decode())
            event = self.connection.parse_event(frame)
            assert event.type != "error", event
            if event.type == type:
                return event

    async def say(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content}
        )
        await self.connection.response.create()

    async def speak(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), 4800):
            chunk = base64.b64encode(pcm[start : start + 4800]).decode()
            await self.connection.input_audio_buffer.append(audio=chunk)

    async def set(self, **session: Any) -> None:
        await self.connection.session.update(session={"type": "realtime", **session})
        await self.until("session.updated")


async def text(talk: Talk) -> list[str]:
    await talk.set(output_modalities=["text"], instructions="Be kind.")
    await talk.say("Hello")
    await talk.until("response.output_text.delta")
    return [(await talk.until("response.output_text.done")).text]


async def spoken(talk: Talk) -> list[str]:
    await talk.set(output_modalities=["audio"])
    await talk.speak(silence(400) + tone(600) + silence(700))
    await talk.until("input_audio_buffer.speech_started")
    done = (await talk.until("response.done")).response
    assert done.usage.output_token_details.audio_tokens > 0
    return [done.output[0].content[0].transcript]


async def tool(talk: Talk) -> list[str]:
    await talk.set(output_modalities=["text"], tools=[{"type": "function", "name": "clock"}])
    await talk.say("What time is it?")
    call = await talk.until("response.function_call_arguments.done")
    await talk.until("response.done")
    await talk.connection.conversation.item.create(
        item={"type": "function_call_output", "call_id": call.call_id, "output": "9:30"}
    )
    await talk.connection.response.create()
    answer = await talk.until("response.output_text.done")
    return [call.name, call.arguments, answer.text]


async def barge_in(talk: Talk) -> list[str]:
    await talk.set(output_modalities=["audio"])
    await talk.say("Tell me a story")
    for _ in range(5):
        item_id = (await talk.until("response.output_audio.delta")).item_id
    await talk.speak(silence(400) + tone(300))
    await talk.until("input_audio_buffer.speech_started")
    done = (await talk.until("response.done")).response
    await talk.connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=500)
    truncated = await talk.until("conversation.item.truncated")
    await talk.speak(silence(700))
    answer = await talk.until("response.output_audio_transcript.done")
    return [done.status, done.status_details.reason, str(truncated.audio_end_ms), answer.transcript]


async def main(url: str) -> dict[str, list[str]]:
    base = url.removesuffix("/realtime")
    client = AsyncOpenAI(api_key="sk-local", base_url="http://127.0.0.1:9", websocket_base_url=base)
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        scenarios = {"text": text, "spoken": spoken, "tool": tool, "barge-in": barge_in}
        return {name: await scenario(talk) for name, scenario in scenarios.items()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1]))))
