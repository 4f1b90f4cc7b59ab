"""Speaking over the assistant, in each mode: the whole client and the embedded server's engine, back to back
under virtual time. What sounded is compared sample by sample with what the server sent."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
import trio
from attrs import define, field
from numpy.typing import NDArray

from rtassist.audio.clocked import ClockedSpeaker
from rtassist.converse import converse
from rtassist.dialogue import effects, events
from rtassist.edges import Edges
from rtassist.protocol import BadFrame, ClientEvent, ServerEvent, Unknown, decode, encode
from rtassist.server.outside import ThoughtOver
from rtassist.server.parts import Say
from rtassist.settings import Settings
from rtassist.terms import terms_for
from tests.ring import NoTools
from tests.server.desk import Desk
from tests.server.sounds import silence, tone

Samples = NDArray[np.int16]

STORY = "Once upon a time there was a king who had three sons, and none of them would listen. " * 8
"""Nearly seven seconds: the desk makes 10 ms of tone of each character."""
ASKED_S = 1.8
"""The question is 0.6 s long and the silence that ends it 0.5 s; then the story begins."""
OVER_IT_S = 3.0
RAMP = 24 * 100
"""Samples in which a voice is surely as loud as before. The engine answers at once, so that the next voice
begins while the one before it is still being raised."""


class DeskLink:
    """A client's link to an engine that nobody else has. Both live on trio's clock."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.sent: list[ClientEvent] = []
        self._told = 0
        self._more, self._anything = trio.open_memory_channel[None](math.inf)

    async def send(self, event: ClientEvent) -> None:
        await trio.lowlevel.checkpoint()
        self.desk.now_us = round(trio.current_time() * 1_000_000)
        self.sent.append(event)
        self.desk.send_frame(encode(event))
        self.look()

    async def receive(self) -> tuple[str | bytes, ServerEvent | Unknown | BadFrame]:
        while self._told == len(self.desk.judge.frames):
            await self._anything.receive()
        frame = json.dumps(self.desk.judge.frames[self._told])
        self._told += 1
        return frame, decode(frame)

    def look(self) -> None:
        """There may be more from the engine."""
        self._more.send_nowait(None)


class Mouth:
    """A microphone whose sound a test puts in, at the pace of real time; silence otherwise."""

    live, clips = True, False

    def __init__(self) -> None:
        self._pcm = b""
        self._next_s = trio.current_time()

    def say(self, pcm: bytes) -> None:
        self._pcm += pcm

    async def read(self) -> bytes:
        self._next_s += 0.02
        await trio.sleep_until(self._next_s)
        chunk, self._pcm = self._pcm[:960], self._pcm[960:]
        return chunk.ljust(960, b"\0")


@define
class Scene:
    desk: Desk
    link: DeskLink
    mouth: Mouth
    commands: trio.MemorySendChannel[events.Event]
    sounded: list[bytes] = field(factory=list)
    asked_for: list[effects.Effect] = field(factory=list)

    def sent(self) -> list[str]:
        """The types of what the client sent since the session began, but for the microphone's sound."""
        kinds = [event.type for event in self.link.sent]
        return [kind for kind in kinds if kind not in ("input_audio_buffer.append", "session.update")]

    def voice(self, response: int) -> Samples:
        """All that the engine sent of the voice of one response."""
        created = [frame["response"]["id"] for frame in self.desk.judge.of("response.created")]
        deltas = self.desk.judge.of("response.output_audio.delta")
        pcm = [base64.b64decode(d["delta"]) for d in deltas if d["response_id"] == created[response]]
        return np.frombuffer(b"".join(pcm), "<i2")

    def heard(self) -> Samples:
        return np.frombuffer(b"".join(self.sounded), "<i2")

    def tell(self, *, over: bool) -> None:
        """The story; `over`: it is all that the server has to say."""
        self.desk.think(Say(text=STORY), over=over)
        self.link.look()

    def end_story(self) -> None:
        response = self.desk.judge.of("response.created")[0]["response"]["id"]
        self.desk.report(ThoughtOver(response_id=response))
        self.link.look()


@asynccontextmanager
async def story(barge_in: str, said_over_it: str, *, made: bool, sound_ms: int = 400) -> AsyncIterator[Scene]:
    """A story, over which something is said. `made`: the server has said all of it by then."""
    settings = Settings(barge_in=barge_in)  # type: ignore[arg-type]  # from a table
    terms = terms_for(
        settings, (), voiced=True, microphone=True, microphone_ends=False, keyboard=True, greeting=""
    )
    desk = Desk()
    desk.said = ["Tell me a story.", said_over_it]
    send, receive = trio.open_memory_channel[events.Event](math.inf)
    scene = Scene(desk, DeskLink(desk), Mouth(), send)
    edges = Edges(
        link=scene.link,
        microphone=scene.mouth,
        speaker=ClockedSpeaker(lambda position, pcm: scene.sounded.append(pcm)),
        commands=receive,
        tools=NoTools(),
        show=lambda shown: None,
        note=lambda us, what: scene.asked_for.append(what) if isinstance(what, effects.Effect) else None,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(converse, terms, edges)
        scene.mouth.say(silence(400) + tone(600))
        await trio.sleep(ASKED_S)
        scene.tell(over=made)
        desk.answers = [[Say(text="It was the king of the hill.")]]
        await trio.sleep(OVER_IT_S - ASKED_S)
        scene.mouth.say(tone(sound_ms))
        yield scene
        nursery.cancel_scope.cancel()
    assert not desk.judge.of("error"), "the server refuses nothing that is sent"


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("cough", ["", "Mm-hm.", "[coughs]"])
async def test_a_cough_costs_no_sample_and_leaves_no_trace(
    autojump_clock: object, cough: str, made: bool
) -> None:
    async with story("confirm", cough, made=made) as scene:
        await trio.sleep(0.3)
        softly = scene.heard()[-240:]
        await trio.sleep(3)
        if not made:
            scene.end_story()
        await trio.sleep(6)

    told, heard = scene.voice(0), scene.heard()
    assert len(heard) == len(told), "not one sample is lost, and none is said twice"
    changed = np.flatnonzero(heard != told)
    assert len(changed)
    assert np.abs(softly).max() < np.abs(told).max() / 4, "it is low while it is in doubt"
    begin_s, end_s = changed[0] / 24_000, changed[-1] / 24_000
    assert begin_s >= OVER_IT_S - ASKED_S, "and as ever before"
    # the sound, what the engine waits for its end, and the ramp
    assert end_s <= OVER_IT_S - ASKED_S + 0.4 + 0.6 + RAMP / 24_000, "and as ever behind it"
    assert scene.sent() == ["response.create", "conversation.item.delete"]
    committed = [frame["item_id"] for frame in scene.desk.judge.of("input_audio_buffer.committed")]
    kept = [held.id for held in scene.desk.engine.history]
    assert committed[0] in kept
    assert committed[1] not in kept, "the model never hears of it"
    assert len(scene.desk.thoughts) == 1, "and does not answer it"


@pytest.mark.parametrize("made", [True, False])
async def test_words_interrupt_and_are_answered(autojump_clock: object, made: bool) -> None:
    async with story("confirm", "Wait, which king?", made=made) as scene:
        await trio.sleep(6)

    truncate, *_ = (event for event in scene.link.sent if event.type == "conversation.item.truncate")
    told, answer = scene.voice(0), scene.voice(1)
    heard = scene.heard()
    cut = len(heard) - len(answer)
    assert 0 < cut < len(told) - 24_000
    assert np.array_equal(heard[cut + RAMP :], answer[RAMP:]), "the answer to it, whole and as loud as ever"
    assert truncate.audio_end_ms == cut // 24  # type: ignore[union-attr]  # it is a truncation
    assert scene.sent() == [
        "response.create",
        "conversation.item.truncate",
        *([] if made else ["response.cancel"]),
        "response.create",
    ]


@pytest.mark.parametrize("made", [True, False])
async def test_what_is_never_interrupted_is_answered_behind_it(autojump_clock: object, made: bool) -> None:
    async with story("off", "Wait, which king?", made=made) as scene:
        await trio.sleep(3)
        if not made:
            scene.end_story()
        await trio.sleep(8)

    assert np.array_equal(scene.heard(), np.concatenate([scene.voice(0), scene.voice(1)]))
    assert scene.sent() == ["response.create", "response.create"]
    assert not [e for e in scene.asked_for if isinstance(e, effects.Hush | effects.Duck)]


async def test_what_is_never_interrupted_by_voice_is_by_a_key(autojump_clock: object) -> None:
    async with story("off", "Wait, which king?", made=False) as scene:
        await trio.sleep(0.2)
        scene.commands.send_nowait(events.Interrupted())
        await trio.sleep(0.1)
        silent = len(scene.heard())
        await trio.sleep(0.2)
        assert len(scene.heard()) == silent
        await trio.sleep(3)

    assert scene.sent() == [
        "response.create",
        "conversation.item.truncate",
        "response.cancel",
        "response.create",
    ], "and what is being said is answered"


async def test_at_once_is_at_once(autojump_clock: object) -> None:
    async with story("instant", "Mm-hm.", made=False) as scene:
        await trio.sleep(0.5)
        assert len(scene.heard()) < len(scene.voice(0)) / 2
        await trio.sleep(3)
    assert scene.sent() == ["conversation.item.truncate"], "the server cancels and answers by itself"
