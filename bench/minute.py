"""A minute of a spoken conversation as a server sends it: 406 frames, 2 MB, the same for the same seed."""

import json
import random
from typing import Any, Final

from pybase64 import b64encode_as_string

TURNS: Final = 4
AUDIO_DELTAS: Final = 75
"""Of 100 ms each and per turn: the assistant speaks for half of the minute."""

DELTA_BYTES: Final = 4800
WORDS: Final = (
    "three",
    "hundred",
    "and",
    "ninety",
    "one",
    "if",
    "I",
    "am",
    "not",
    "mistaken",
    "you",
    "asked",
)
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Minute:
    """Builds frames the way OpenAI's server writes them: compact, `type` first, ids of 21 characters."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.frames: list[str] = []

    def id(self, kind: str) -> str:
        return f"{kind}_{''.join(self.random.choices(ALPHABET, k=21))}"

    def send(self, name: str, **fields: Any) -> None:
        event = {"type": name, "event_id": self.id("event"), **fields}
        self.frames.append(json.dumps(event, separators=(",", ":"), ensure_ascii=False))

    def turn(self, start_ms: int) -> None:
        user, assistant, response = self.id("item"), self.id("item"), self.id("resp")
        spoken = " ".join(self.random.choices(WORDS, k=18))
        said: dict[str, Any] = {
            "id": user,
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        self.send("input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=user)
        self.send("input_audio_buffer.speech_stopped", audio_end_ms=start_ms + 6000, item_id=user)
        self.send("input_audio_buffer.committed", previous_item_id=self.id("item"), item_id=user)
        self.send("conversation.item.added", previous_item_id=self.id("item"), item=said)
        self.send("conversation.item.done", previous_item_id=self.id("item"), item=said)
        self.send("response.created", response=self.response(response, "in_progress", [], None))
        empty = self.message(assistant, "in_progress", [])
        self.send("response.output_item.added", response_id=response, output_index=0, item=empty)
        self.send("conversation.item.added", previous_item_id=user, item=empty)
        at = {"response_id": response, "item_id": assistant, "output_index": 0, "content_index": 0}
        self.send("response.content_part.added", **at, part={"type": "audio", "transcript": ""})
        for index in range(AUDIO_DELTAS):
            if index % 8 == 0 and index < 72:
                self.send(
                    "response.output_audio_transcript.delta",
                    **at,
                    delta=" " + self.random.choice(WORDS),
                    obfuscation="".join(self.random.choices(ALPHABET, k=12)),
                )
            pcm = self.random.randbytes(DELTA_BYTES)
            self.send("response.output_audio.delta", **at, delta=b64encode_as_string(pcm))
        self.send(
            "conversation.item.input_audio_transcription.completed",
            item_id=user,
            content_index=0,
            transcript=spoken,
            usage={"type": "duration", "seconds": 6},
        )
        self.send("response.output_audio.done", **at)
        self.send("response.output_audio_transcript.done", **at, transcript=spoken)
        self.send("response.content_part.done", **at, part={"type": "audio", "transcript": spoken})
        full = self.message(assistant, "completed", [{"type": "output_audio", "transcript": spoken}])
        self.send("conversation.item.done", previous_item_id=user, item=full)
        self.send("response.output_item.done", response_id=response, output_index=0, item=full)
        self.send("response.done", response=self.response(response, "completed", [full], usage()))
        limit = {"name": "tokens", "limit": 40000, "remaining": 38211, "reset_seconds": 2.683}
        self.send("rate_limits.updated", rate_limits=[limit])

    def message(self, item: str, status: str, content: list[Any]) -> dict[str, Any]:
        return {"id": item, "type": "message", "status": status, "role": "assistant", "content": content}

    def response(self, name: str, status: str, output: list[Any], usage: Any) -> dict[str, Any]:
        return {
            "object": "realtime.response",
            "id": name,
            "status": status,
            "status_details": None,
            "output": output,
            "conversation_id": self.id("conv"),
            "output_modalities": ["audio"],
            "max_output_tokens": "inf",
            "audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"}},
            "usage": usage,
            "metadata": None,
        }

    def session(self) -> dict[str, Any]:
        pcm = {"type": "audio/pcm", "rate": 24000}
        vad = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200}
        heard = {
            "format": pcm,
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": {
                **vad,
                "idle_timeout_ms": None,
                "create_response": True,
                "interrupt_response": True,
            },
        }
        return {
            "type": "realtime",
            "object": "realtime.session",
            "id": self.id("sess"),
            "model": "gpt-realtime-2.1",
            "output_modalities": ["audio"],
            "instructions": " ".join(self.random.choices(WORDS, k=150)),
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "expires_at": 1785000000,
            "audio": {"input": heard, "output": {"format": pcm, "voice": "marin", "speed": 1.0}},
            "include": None,
        }


def usage() -> dict[str, Any]:
    cached = {"text_tokens": 128, "audio_tokens": 64, "image_tokens": 0}
    heard = {"text_tokens": 119, "audio_tokens": 60, "image_tokens": 0, "cached_tokens": 192}
    return {
        "total_tokens": 343,
        "input_tokens": 179,
        "output_tokens": 164,
        "input_token_details": {**heard, "cached_tokens_details": cached},
        "output_token_details": {"text_tokens": 28, "audio_tokens": 136},
    }


def minute(seed: int = 1) -> list[str]:
    """The frames, in the order in which they are sent."""
    made = Minute(seed)
    made.send("session.created", session=made.session())
    made.send("session.updated", session=made.session())
    for turn in range(TURNS):
        made.turn(turn * 15000 + 800)
    return made.frames
