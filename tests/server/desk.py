"""An engine with a hand on each of its sides: frames in as a client writes them, reports as the parts would
send them, virtual time, and a judge of everything that comes out. No task, no clock."""

import base64
import json
from collections.abc import Iterable
from itertools import count
from typing import Any

from rtassist.protocol import BadFrame, decode_client, encode
from rtassist.server.engine import Engine
from rtassist.server.hearing import EnergyEar
from rtassist.server.opening import Opening
from rtassist.server.outside import (
    Abandon,
    Broke,
    Close,
    Listen,
    Listened,
    Malformed,
    NotTranscribed,
    Rang,
    SetAlarm,
    Speak,
    SpeechOver,
    Spoke,
    Think,
    Thought,
    ThoughtOver,
    Transcribe,
    Transcribed,
    TranscribeEnd,
    TranscribeMore,
)
from rtassist.server.parts import Call, Say, Transcript
from tests.server.conformance import Judge
from tests.server.sounds import silence, tone


class Desk:
    """`said` gives transcripts and `answers` thoughts of their own accord, each for one request, as long as
    there are any; speech is 10 ms of tone for each character. What there is no script for waits in `asked`.
    """

    def __init__(self, *, kind: str = "realtime", **opening: Any) -> None:
        counter = count(1)
        self.judge = Judge()
        self.engine = Engine(
            Opening(
                kind=kind, model="gpt-realtime-2.1", instructions="Be brief.", unix_s=1_800_000_000, **opening
            ),
            lambda kind: f"{kind}_{next(counter)}",
        )
        self.now_us = 0
        self.alarms: dict[str, int] = {}
        self.asked: list[Any] = []
        self.closed: Close | None = None
        self.utterances: dict[str, bytes] = {}
        self.languages: list[str | None] = []
        self.thoughts: list[Think] = []
        self.said: list[str | Transcript | tuple[str, str]] = []
        self.answers: list[Iterable[Say | Call]] = []
        self.speech: bool = True
        self._ear = EnergyEar()
        self._todo: list[Any] = []
        self._do(self.engine.open(0))

    def send(self, type: str, **fields: Any) -> list[dict[str, Any]]:
        """A client event as a dict would be written; returns the frames that it caused."""
        return self.send_frame(json.dumps({"type": type, **fields}))

    def send_frame(self, frame: str) -> list[dict[str, Any]]:
        try:
            return self.report(decode_client(frame))
        except BadFrame as bad:
            try:
                event_id = json.loads(frame).get("event_id")
            except (ValueError, AttributeError):
                event_id = None
            return self.report(Malformed(path=bad.path, reason=bad.reason, event_id=event_id))

    def report(self, what: Any) -> list[dict[str, Any]]:
        seen = len(self.judge.frames)
        self._do(self.engine.receive(what, self.now_us))
        return self.judge.frames[seen:]

    def update(self, **session: Any) -> list[dict[str, Any]]:
        return self.send("session.update", session={"type": "realtime", **session})

    def text(self, text: str) -> list[dict[str, Any]]:
        content = [{"type": "input_text", "text": text}]
        return self.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )

    def hear(self, pcm: bytes, *, chunk_ms: int = 20) -> list[dict[str, Any]]:
        """Appends at the pace of real time."""
        seen = len(self.judge.frames)
        for start in range(0, len(pcm), chunk_ms * 48):
            chunk = pcm[start : start + chunk_ms * 48]
            self.send("input_audio_buffer.append", audio=base64.b64encode(chunk).decode())
            self.now_us += len(chunk) // 48 * 1000
        return self.judge.frames[seen:]

    def utter(self, ms: int = 600, *, pause_ms: int = 700) -> list[dict[str, Any]]:
        """Somebody speaks, and stops."""
        return self.hear(silence(400) + tone(ms) + silence(pause_ms))

    def wait(self, ms: int) -> list[dict[str, Any]]:
        """Time passes; alarms ring when they are due."""
        seen = len(self.judge.frames)
        until = self.now_us + ms * 1000
        while due := sorted((at, name) for name, at in self.alarms.items() if at <= until):
            self.now_us, name = due[0]
            del self.alarms[name]
            self.report(Rang(name=name))
        self.now_us = until
        return self.judge.frames[seen:]

    def pending(self, kind: type) -> Any:
        """The oldest request of a kind that no script answered; taken."""
        request = next(request for request in self.asked if isinstance(request, kind))
        self.asked.remove(request)
        return request

    def think(self, *pieces: Say | Call, over: bool = True) -> list[dict[str, Any]]:
        """Answer the oldest open `Think` by hand."""
        seen = len(self.judge.frames)
        id = self.pending(Think).response_id
        for piece in pieces:
            self.report(Thought(response_id=id, piece=piece))
        if over:
            self.report(ThoughtOver(response_id=id))
        return self.judge.frames[seen:]

    def error(self, frames: list[dict[str, Any]]) -> dict[str, Any]:
        """The one frame is an error; its detail."""
        (frame,) = frames
        assert frame["type"] == "error"
        detail: dict[str, Any] = frame["error"]
        return detail

    def _do(self, outputs: list[Any]) -> None:
        """Events are judged in order; then requests are answered, which may cause more of both."""
        for output in outputs:
            match output:
                case Listen():
                    if output.afresh:
                        self._ear.restart()
                    self._todo.append(Listened(probabilities=self._ear.hear(output.pcm)))
                case SetAlarm(name=name, at_us=None):
                    self.alarms.pop(name, None)
                case SetAlarm(name=name, at_us=at_us):
                    assert at_us is not None
                    self.alarms[name] = at_us
                case Close():
                    self.closed = output
                case Abandon(id=id):
                    names = ("item_id", "response_id")
                    self.asked = [
                        r for r in self.asked if id not in [getattr(r, name, None) for name in names]
                    ]
                case Transcribe() | TranscribeMore() | TranscribeEnd():
                    self._recognise(output)
                case Think():
                    self.thoughts.append(output)
                    self._think(output)
                case Speak():
                    self._speak(output)
                case _:
                    assert self.closed is None, "an event behind the close"
                    self.judge.see(encode(output))
        while self._todo:
            self._do(self.engine.receive(self._todo.pop(0), self.now_us))

    def _recognise(self, request: Any) -> None:
        if isinstance(request, TranscribeMore):
            self.utterances[request.item_id] += request.pcm
        elif isinstance(request, Transcribe):
            assert request.item_id not in self.utterances
            self.utterances[request.item_id] = b""
            self.languages.append(request.language)
        elif not self.said:
            self.asked.append(request)
        else:
            match self.said.pop(0):
                case (message, code):
                    self._todo.append(NotTranscribed(item_id=request.item_id, message=message, code=code))
                case Transcript() as transcript:
                    self._todo.append(Transcribed(item_id=request.item_id, transcript=transcript))
                case text:
                    transcript = Transcript(text=str(text), understood=True)
                    self._todo.append(Transcribed(item_id=request.item_id, transcript=transcript))

    def _think(self, request: Think) -> None:
        if not self.answers:
            self.asked.append(request)
            return
        id = request.response_id
        self._todo += [Thought(response_id=id, piece=piece) for piece in self.answers.pop(0)]
        self._todo.append(ThoughtOver(response_id=id))

    def _speak(self, request: Speak) -> None:
        if not self.speech:
            self.asked.append(request)
            return
        pcm = tone(10 * len(request.text))
        id = request.response_id
        self._todo += [
            Spoke(response_id=id, pcm=pcm[start : start + 4800]) for start in range(0, len(pcm), 4800)
        ]
        self._todo.append(SpeechOver(response_id=id))


def broke(response_id: str, message: str = "The voice is lost.", code: str = "tts_failed") -> Broke:
    return Broke(response_id=response_id, message=message, code=code)
