"""A recording as long as one likes: a spoken conversation that the rules decide and the journal writes.

In each quarter of a minute the user speaks for six seconds and the assistant for four; every fifth answer is
of nine seconds, and the user speaks into its end. So the assistant speaks a third of the time. The microphone
gives 50 chunks a second, the server a delta of 100 ms every 40 ms and 2.5 words for a second of speech, the
loudspeaker reports ten times a second. Every twentieth answer calls a function first.
"""

import heapq
import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Final

from pybase64 import b64encode_as_string

from bench.minute import DELTA_BYTES, WORDS, Minute, usage
from rtassist.dialogue import events
from rtassist.dialogue.effects import CallTool, Effect, Hush, Play
from rtassist.dialogue.step import begin, step
from rtassist.dialogue.terms import Terms
from rtassist.protocol import Session, decode
from rtassist.sessions.journal import Journal

SECOND: Final = 1_000_000
TURN_US: Final = 15 * SECOND
CHUNK: Final = bytes(960)
WORD_EVERY: Final = 4
"""Audio deltas for one delta of the transcript."""


class Hour:
    """Feeds what happens, by its time, to `step` and to the journal, as the ring does."""

    def __init__(self, journal: Journal, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.server = Minute(seed)
        self.journal = journal
        self.number = count()
        self.due: list[tuple[int, int, Callable[[], events.Event | None]]] = []
        terms = Terms(session=Session(type="realtime"), keyboard=False)
        self.state = begin(terms)
        self.journal.begin(0, terms)
        self.now_us = 0
        self.sounding: dict[str, list[int]] = {}  # per item: when it began, samples handed, samples told
        self.free_us = 0  # when the loudspeaker has sounded all that it has

    def at(self, us: int, what: Callable[[], events.Event | None]) -> None:
        heapq.heappush(self.due, (us, next(self.number), what))

    def frame(self, us: int, name: str, **fields: Any) -> None:
        self.server.frames.clear()
        self.server.send(name, **fields)
        text = self.server.frames.pop()
        self.at(us, lambda: events.received(text, decode(text)))

    def feed(self, event: events.Event) -> None:
        self.journal.note(self.now_us, event)
        self.state, effects = step(self.state, self.now_us, event)
        for effect in effects:
            self.journal.note(self.now_us, effect)
            self.perform(effect)

    def perform(self, effect: Effect) -> None:
        match effect:
            case Play(item_id=item_id):
                if item_id not in self.sounding:
                    self.sounding[item_id] = [self.now_us + 40_000, 0, 0]
                    self.at(self.now_us + 140_000, lambda: self.advanced(item_id))
                self.sounding[item_id][1] += effect.samples
            case Hush(item_id=item_id):
                heard = self.heard(item_id)
                del self.sounding[item_id]
                self.at(self.now_us + 8_000, lambda: events.PlaybackEnded(item_id, heard))
            case CallTool(call_id=call_id):
                self.at(self.now_us + 200_000, lambda: events.ToolEnded(call_id, '{"time":"12:00"}'))

    def heard(self, item_id: str) -> int:
        began, handed, _ = self.sounding[item_id]
        return min(handed, (self.now_us - began) * 24 // 1000)

    def advanced(self, item_id: str) -> events.Event | None:
        if item_id not in self.sounding:
            return None
        heard = self.heard(item_id)
        if heard == self.sounding[item_id][1]:
            del self.sounding[item_id]
            return events.PlaybackEnded(item_id, heard)
        self.at(self.now_us + 100_000, lambda: self.advanced(item_id))
        return events.PlaybackAdvanced(item_id, heard)

    def run(self, minutes: int) -> Iterator[None]:
        """Yields after each turn, so that what was written can be taken away."""
        self.frame(10_000, "session.created", session=self.server.session())
        self.frame(40_000, "session.updated", session=self.server.session())
        end_us = minutes * 60 * SECOND
        mic_us = 60_000
        for turn in range(minutes * 4):
            self.turn(turn, turn * TURN_US)
            while self.due and self.due[0][0] < min((turn + 1) * TURN_US, end_us):
                at_us, _, what = self.due[0]
                while mic_us <= at_us:
                    self.now_us = mic_us + self.random.randrange(2000)
                    self.feed(events.MicHeard(CHUNK))
                    mic_us += 20_000
                heapq.heappop(self.due)
                self.now_us = max(self.now_us, at_us)
                if (event := what()) is not None:
                    self.feed(event)
            yield
        self.now_us = max(self.now_us, end_us)
        self.feed(events.LinkLost(1000, "It is over."))
        self.journal.end(self.now_us)

    def turn(self, number: int, start_us: int) -> None:
        server, at = self.server, start_us + 800_000
        user, response = server.id("item"), server.id("resp")
        said: dict[str, Any] = {
            "id": user,
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        self.frame(at, "input_audio_buffer.speech_started", audio_start_ms=at // 1000, item_id=user)
        at += 6 * SECOND
        self.frame(at, "input_audio_buffer.speech_stopped", audio_end_ms=at // 1000, item_id=user)
        self.frame(at, "input_audio_buffer.committed", previous_item_id=None, item_id=user)
        self.frame(at, "conversation.item.added", previous_item_id=None, item=said)
        self.frame(at, "conversation.item.done", previous_item_id=None, item=said)
        begun = server.response(response, "in_progress", [], None)
        self.frame(at + 30_000, "response.created", response=begun)
        words = " ".join(self.random.choices(WORDS, k=14))
        self.frame(
            at + 400_000,
            "conversation.item.input_audio_transcription.completed",
            item_id=user,
            content_index=0,
            transcript=words,
            usage={"type": "duration", "seconds": 6},
        )
        if number % 20 == 19:
            response = self.call(at + 200_000, response)
            at += 600_000
        self.answer(at + 200_000, user, response, 90 if number % 5 == 4 else 40)

    def call(self, at: int, response: str) -> str:
        """A response that asks for the time; gives the id of the one that tells it."""
        server, item, told = self.server, self.server.id("item"), self.server.id("resp")
        call = {
            "id": item,
            "type": "function_call",
            "status": "completed",
            "name": "current_time",
            "call_id": server.id("call"),
            "arguments": "{}",
        }
        self.frame(at, "response.output_item.added", response_id=response, output_index=0, item=call)
        self.frame(at, "response.output_item.done", response_id=response, output_index=0, item=call)
        done = server.response(response, "completed", [call], usage())
        self.frame(at + 20_000, "response.done", response=done)
        self.frame(at + 300_000, "response.created", response=server.response(told, "in_progress", [], None))
        return told

    def answer(self, at_us: int, user: str, response: str, deltas: int) -> None:
        server, item = self.server, self.server.id("item")
        at = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        empty = server.message(item, "in_progress", [])
        self.frame(at_us, "response.output_item.added", response_id=response, output_index=0, item=empty)
        self.frame(at_us, "conversation.item.added", previous_item_id=user, item=empty)
        self.frame(at_us, "response.content_part.added", **at, part={"type": "audio", "transcript": ""})
        text = ""
        for index in range(deltas):
            at_us += 40_000
            if index % WORD_EVERY == 0:
                word = self.random.choice(WORDS)
                text += f" {word}"
                padding = "x" * 12
                name = "response.output_audio_transcript.delta"
                self.frame(at_us, name, **at, delta=f" {word}", obfuscation=padding)
            pcm = b64encode_as_string(self.random.randbytes(DELTA_BYTES))
            self.frame(at_us, "response.output_audio.delta", **at, delta=pcm)
        full = server.message(item, "completed", [{"type": "output_audio", "transcript": text}])
        at_us += 20_000
        self.frame(at_us, "response.output_audio.done", **at)
        self.frame(at_us, "response.output_audio_transcript.done", **at, transcript=text)
        part = {"type": "audio", "transcript": text}
        self.frame(at_us, "response.content_part.done", **at, part=part)
        self.frame(at_us, "conversation.item.done", previous_item_id=user, item=full)
        self.frame(at_us, "response.output_item.done", response_id=response, output_index=0, item=full)
        done = server.response(response, "completed", [full], usage())
        self.frame(at_us + 10_000, "response.done", response=done)
        limit = {"name": "tokens", "limit": 40000, "remaining": 38211, "reset_seconds": 2.683}
        self.frame(at_us + 20_000, "rate_limits.updated", rate_limits=[limit])


def write(path: str, minutes: int) -> None:
    """A recording of so many minutes, without its sound."""
    with open(path, "wb", buffering=1 << 20) as file:
        lines: list[bytes] = []
        journal = Journal(line=lines.append, mic=lambda pcm: None, voice=lambda pcm: None)
        journal.header(id="bench", started="2026-08-01T12:00:00Z", program="bench")
        for _ in Hour(journal).run(minutes):
            file.writelines(lines)
            lines.clear()
        file.writelines(lines)
