"""Devices that come and go in the middle of a conversation, under virtual time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, TypeVar

import pytest
import trio
import trio.testing
from attrs import define, field

from rtassist.audio import DeviceLost, Microphone, Speaker
from rtassist.audio.clocked import ClockedSpeaker
from rtassist.dialogue import effects, events
from rtassist.dialogue.terms import Terms
from rtassist.playback import DUCKED_GAIN
from rtassist.protocol import (
    ConversationItemTruncate,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    Session,
    SessionUpdate,
)
from tests.ring import Call, answer, call, speech_started

D = TypeVar("D")
TEXT = "one two three four five six seven eight nine ten"
UNPLUGGED = DeviceLost("it was unplugged")


@define(eq=False, slots=False)
class Plugged:
    """A microphone or a loudspeaker that works until it is unplugged."""

    began_s: float = field(factory=trio.current_time)
    sounded: bytearray = field(factory=bytearray)
    live: bool = True
    clips: bool = False
    urgent: bool = False
    there: bool = True
    reads: int = 0
    faded_to: list[float] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self._clock = ClockedSpeaker(self._sound)

    def _sound(self, position: int, pcm: bytes) -> None:
        """Its clock goes on for whoever waits for room in it; nothing is heard of it any more."""
        if self.there:
            self.sounded.extend(pcm)

    def unplug(self) -> None:
        self._clock.heard()
        self._clock_at_end = (self._clock.heard(), self._clock.handed())
        self.there = False

    def check(self) -> None:
        if not self.there:
            raise UNPLUGGED

    async def read(self) -> bytes:
        await trio.sleep(0.02)
        self.check()
        self.reads += 1
        return self.reads.to_bytes(2, "little") * 480

    async def play(self, pcm: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.check()
        await self._clock.play(pcm)
        self.check()

    def heard(self) -> int:
        return self._clock.heard() if self.there else self._clock_at_end[0]

    def handed(self) -> int:
        return self._clock.handed() if self.there else self._clock_at_end[1]

    async def drain(self) -> None:
        await trio.lowlevel.checkpoint()
        self.check()
        while self.handed() > self.heard():
            await trio.sleep(0.005)
            self.check()

    def fade_to(self, gain: float) -> None:
        self.faded_to.append(gain)
        if self.there:
            self._clock.fade_to(gain)

    def flush(self) -> int:
        return self._clock.flush() if self.there else 0


@define(slots=False)
class Shelf(Generic[D]):
    """Where another device comes from: what is put on it, from then on."""

    asked: list[tuple[float, D | None, str | None]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self._put, self._taken = trio.open_memory_channel[D](math.inf)

    def put(self, device: D) -> D:
        self._put.send_nowait(device)
        return device

    async def another(self, lost: D | None, moved_to: str | None) -> tuple[D, str]:
        self.asked.append((trio.current_time(), lost, moved_to))
        return await self._taken.receive(), "USB"


def notices(held: Call) -> list[str]:
    return [shown.text for shown in held.shown if isinstance(shown, effects.Notice)]


def of_kind(held: Call, *kinds: type) -> list[object]:
    return [what for _, what in held.noted if isinstance(what, kinds)]


async def test_another_loudspeaker_says_the_rest_and_nothing_is_missing(autojump_clock: object) -> None:
    shelf: Shelf[Speaker] = Shelf()
    first = Plugged()
    async with call(speaker=first, another_speaker=shelf.another) as held:
        held.link.say(*answer("R1", "A1", seconds=3, words=TEXT))
        await trio.sleep(1)
        first.unplug()
        second = Plugged()
        shelf.put(second)
        await trio.sleep(5)

        assert len(first.sounded + second.sounded) == 3 * 48_000, "each sample once"
        assert notices(held) == ["The loudspeaker is now USB (it was unplugged)."]
        assert [end.heard for end in of_kind(held, events.PlaybackEnded)] == [72_000]
        assert not held.link.got(ConversationItemTruncate)
        assert held.text_shown() == TEXT
        assert len(held.link.got(SessionUpdate)) == 1


async def test_another_loudspeaker_is_as_low_as_the_one_before(autojump_clock: object) -> None:
    shelf: Shelf[Speaker] = Shelf()
    first = Plugged()
    async with call(speaker=first, another_speaker=shelf.another) as held:
        held.link.say(*answer("R1", "A1", seconds=3))
        await trio.sleep(1)
        await held.commands.send(events.OnsetHeard())
        await trio.sleep(0.1)
        first.unplug()
        second = Plugged()
        shelf.put(second)
        await trio.sleep(0.2)
        assert first.faded_to == [1.0, DUCKED_GAIN]
        assert second.faded_to == [DUCKED_GAIN]
        await trio.sleep(0.3)
        assert second.faded_to == [DUCKED_GAIN, 1.0]


async def test_a_voice_that_is_low_when_its_loudspeaker_goes_leaves_the_next_one_loud(
    autojump_clock: object,
) -> None:
    shelf: Shelf[Speaker] = Shelf()
    first = Plugged()
    async with call(speaker=first, another_speaker=shelf.another) as held:
        held.link.say(*answer("R1", "A1", seconds=3))
        await trio.sleep(1)
        await held.commands.send(events.OnsetHeard())
        await trio.sleep(0.1)
        first.unplug()
        await trio.sleep(1)
        second = Plugged()
        shelf.put(second)
        await trio.sleep(1)
        assert len(of_kind(held, effects.Duck)) == len(of_kind(held, effects.Unduck)) == 1
        assert second.faded_to == [1.0]


async def test_a_lost_loudspeaker_is_read_and_the_next_answer_is_heard_when_it_is_back(
    autojump_clock: object,
) -> None:
    shelf: Shelf[Speaker] = Shelf()
    first = Plugged()
    async with call(speaker=first, another_speaker=shelf.another) as held:
        held.link.say(*answer("R1", "A1", seconds=3, words=TEXT))
        await trio.sleep(1)
        first.unplug()
        await trio.sleep(0.5)
        assert held.text_shown() == TEXT, "half a second later all of it is there to be read"
        assert [type(e) for e in of_kind(held, events.SpeakerLost, events.PlaybackEnded)] == [
            events.SpeakerLost,
            events.PlaybackEnded,
        ]
        await trio.sleep(10)
        second = Plugged()
        shelf.put(second)
        await trio.testing.wait_all_tasks_blocked()
        held.link.say(*answer("R2", "A2", seconds=1))
        await trio.sleep(2)

        assert len(second.sounded) == 48_000
        assert not held.link.got(ConversationItemTruncate)
        modalities = [update.session.output_modalities for update in held.link.got(SessionUpdate)[1:]]
        assert modalities == [("text",), ("audio",)]
        assert notices(held) == [
            "The loudspeaker is gone (it was unplugged). Answers are written.",
            "The loudspeaker is there: USB. Answers are spoken.",
        ]


async def test_a_loudspeaker_is_missed_when_nothing_sounds(autojump_clock: object) -> None:
    first = Plugged()
    async with call(speaker=first, another_speaker=Shelf[Speaker]().another) as held:
        await trio.sleep(10)
        first.unplug()
        await trio.sleep(1)
        assert notices(held) == ["The loudspeaker is gone (it was unplugged). Answers are written."]


async def test_what_is_interrupted_while_another_is_looked_for_is_cut_where_it_was_heard(
    autojump_clock: object,
) -> None:
    shelf: Shelf[Speaker] = Shelf()
    first = Plugged()
    async with call(speaker=first, another_speaker=shelf.another) as held:
        held.link.say(*answer("R1", "A1", seconds=3))
        await trio.sleep(1)
        first.unplug()
        await trio.sleep(0.1)
        held.link.say(speech_started("U1"))
        await trio.testing.wait_all_tasks_blocked()
        (truncate,) = held.link.got(ConversationItemTruncate)
        assert truncate.audio_end_ms == len(first.sounded) // 48
        second = Plugged()
        shelf.put(second)
        await trio.sleep(5)
        assert not second.sounded
        assert notices(held) == ["The loudspeaker is now USB (it was unplugged)."]


async def test_voices_that_wait_behind_the_lost_one_are_never_heard_late(autojump_clock: object) -> None:
    """Another loudspeaker comes in the moment in which the loss has been told."""
    first, tries = Plugged(), []

    async def at_the_second_try(lost: Speaker | None, moved_to: str | None) -> tuple[Speaker, str]:
        tries.append(Plugged())
        if len(tries) == 1:
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        return tries[-1], "USB"

    async with call(speaker=first, another_speaker=at_the_second_try) as held:
        one, two = answer("R1", "A1", seconds=2, words="one "), answer("R1", "A2", seconds=2, words="two")
        held.link.say(*one[:-1], *two[1:])
        await trio.sleep(1)
        first.unplug()
        await trio.sleep(6)
        assert len(tries) == 2
        assert not tries[-1].sounded
        assert held.text_shown() == "one two"
        assert len(of_kind(held, events.PlaybackEnded)) == 2
        assert not held.link.got(ConversationItemTruncate)


async def test_another_microphone_goes_on(autojump_clock: object) -> None:
    shelf: Shelf[Microphone] = Shelf()
    first = Plugged()
    async with call(microphone=first, another_microphone=shelf.another) as held:
        await trio.sleep(1)
        first.unplug()
        shelf.put(Plugged())
        await trio.sleep(1)

        assert notices(held) == ["The microphone is now USB (it was unplugged)."]
        assert len(held.link.got(InputAudioBufferAppend)) >= 97, "of a hundred"
        assert not held.link.got(InputAudioBufferClear)


@pytest.mark.parametrize("command", ["", "/pause"])
async def test_a_lost_microphone_is_waited_for_also_in_a_pause(command: str, autojump_clock: object) -> None:
    shelf: Shelf[Microphone] = Shelf()
    first = Plugged()
    terms = Terms(session=Session(type="realtime"), keyboard=False)
    async with call(terms, microphone=first, another_microphone=shelf.another) as held:
        await trio.sleep(1)
        if command:
            await held.commands.send(events.Typed(command))
        first.unplug()
        await trio.sleep(60)
        assert held.quit is None
        before = len(held.link.got(InputAudioBufferAppend))
        shelf.put(Plugged())
        await trio.sleep(1)
        heard = len(held.link.got(InputAudioBufferAppend)) - before
        assert heard == 0 if command else heard >= 48
        if command:
            await held.commands.send(events.Typed("/resume"))
            await trio.sleep(1)
            assert len(held.link.got(InputAudioBufferAppend)) - before >= 48


async def test_a_loose_contact_ends_in_one_line_for_each_change(autojump_clock: object) -> None:
    shelf: Shelf[Microphone] = Shelf()
    first = Plugged()
    async with call(microphone=first, another_microphone=shelf.another) as held:
        device = first
        for away_s in (0.1, 0.1, 3, 3):
            await trio.sleep(1)
            device.unplug()
            await trio.sleep(away_s)
            device = Plugged()
            shelf.put(device)
        await trio.sleep(1)
        assert [text.split(" (")[0] for text in notices(held)] == [
            "The microphone is now USB",
            "The microphone is now USB",
            "The microphone is gone",
            "The microphone is there: USB.",
            "The microphone is gone",
            "The microphone is there: USB.",
        ]
        assert device.reads > 40


async def test_both_are_lost_at_once_and_come_back_one_by_one(autojump_clock: object) -> None:
    mics: Shelf[Microphone] = Shelf()
    speakers: Shelf[Speaker] = Shelf()
    mic, speaker = Plugged(), Plugged()
    async with call(
        microphone=mic, speaker=speaker, another_microphone=mics.another, another_speaker=speakers.another
    ) as held:
        held.link.say(*answer("R1", "A1", seconds=9, words=TEXT))
        await trio.sleep(1)
        mic.unplug()
        speaker.unplug()
        await trio.sleep(0.5)
        assert held.text_shown() == TEXT
        mic = Plugged()
        mics.put(mic)
        await trio.sleep(3)
        assert mic.reads > 100
        speaker = Plugged()
        speakers.put(speaker)
        await trio.testing.wait_all_tasks_blocked()
        held.link.say(*answer("R2", "A2", seconds=1))
        await trio.sleep(2)
        assert len(speaker.sounded) == 48_000
        assert len(notices(held)) == 4


async def test_a_conversation_without_sound_picks_it_up(autojump_clock: object) -> None:
    mics: Shelf[Microphone] = Shelf()
    speakers: Shelf[Speaker] = Shelf()
    terms = Terms(session=Session(type="realtime"), microphone=False, speaker=False)
    async with call(terms, another_microphone=mics.another, another_speaker=speakers.another) as held:
        await trio.sleep(60)
        assert notices(held) == []
        mic, speaker = Plugged(), Plugged()
        mics.put(mic)
        speakers.put(speaker)
        await trio.sleep(1)
        held.link.say(*answer("R1", "A1", seconds=1))
        await trio.sleep(2)
        assert len(speaker.sounded) == 48_000
        assert held.link.got(InputAudioBufferAppend)


async def test_where_the_system_moved_it_is_passed_on(autojump_clock: object) -> None:
    shelf: Shelf[Microphone] = Shelf()

    class Moved(Plugged):
        def check(self) -> None:
            raise DeviceLost("moved", moved_to="hdmi")

    first = Moved()
    async with call(microphone=first, another_microphone=shelf.another):
        await trio.sleep(0.1)
        assert [(lost, moved_to) for _, lost, moved_to in shelf.asked] == [(first, "hdmi")]


@define
class Muted:
    live: bool = True
    clips: bool = False
    urgent: bool = False
    loud: Callable[[float], bool] = lambda now_s: False

    async def read(self) -> bytes:
        await trio.sleep(0.02)
        return b"\x00\x10" * 480 if self.loud(trio.current_time()) else bytes(960)


async def test_a_silent_microphone_is_told_once(autojump_clock: object) -> None:
    async with call(microphone=Muted()) as held:
        await trio.sleep(4.9)
        assert notices(held) == []
        await trio.sleep(60)
        assert notices(held) == ["Your microphone is silent: muted? wrong device?"]


@pytest.mark.parametrize("microphone", [Muted(live=False), Muted(loud=lambda now_s: now_s < 1)])
async def test_a_silent_file_and_a_quiet_moment_are_not(microphone: Muted, autojump_clock: object) -> None:
    async with call(microphone=microphone) as held:
        await trio.sleep(60)
        assert notices(held) == []


async def test_a_microphone_that_clips_is_told_once(autojump_clock: object) -> None:
    microphone = Muted(loud=lambda now_s: True)
    async with call(microphone=microphone) as held:
        await trio.sleep(5)
        assert notices(held) == []
        microphone.clips = True
        await trio.sleep(60)
        assert notices(held) == ["Your microphone is too loud: it clips; turn its level down."]
