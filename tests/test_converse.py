"""The ring under virtual time: what the tasks promise whatever the network and the devices do."""

from __future__ import annotations

import numpy as np
import pytest
import trio
import trio.testing
from attrs import define, field

from rtassist.audio import DeviceLost
from rtassist.audio.clocked import ClockedSpeaker
from rtassist.dialogue import effects, events
from rtassist.dialogue.effects import Outcome
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.terms import Terms, Turn
from rtassist.link.closing import Close
from rtassist.protocol import (
    ConversationItemCreate,
    ConversationItemTruncate,
    FunctionCall,
    FunctionCallOutput,
    InputAudioBufferAppend,
    InputAudioBufferSpeechStopped,
    Response,
    ResponseCancel,
    ResponseCreate,
    ResponseCreated,
    ResponseDone,
    Session,
    SessionUpdate,
)
from tests.audio.onsets import at_dbfs, sentences, white
from tests.ring import MS, TERMS, Call, answer, call, delta, finished, speech_started

CHUNK_MS = 20


@pytest.mark.parametrize("spoken_ms", [137, 1000, 3456, 9990])
async def test_ten_seconds_of_speech_stop_within_a_chunk(autojump_clock: object, spoken_ms: int) -> None:
    async with call() as held:
        held.link.say(*answer("R1", "A1", seconds=10, done=False))
        await trio.sleep(spoken_ms / 1000)
        held.link.say(speech_started("U1"))
        await trio.testing.wait_all_tasks_blocked()
        stopped_after = held.samples_sounded()
        held.link.say(delta("R1", "A1", 500), *finished("R1", "A1", "cancelled"))
        await trio.sleep(5)

        assert held.samples_sounded() == stopped_after
        assert abs(held.last_sample_at_s() * 1000 - spoken_ms) <= CHUNK_MS
        (truncate,) = held.link.got(ConversationItemTruncate)
        assert truncate.item_id == "A1"
        assert truncate.audio_end_ms == stopped_after // 24
        assert not held.link.got(ResponseCancel), "the server cancels by itself"


async def test_a_key_truncates_before_it_cancels(autojump_clock: object) -> None:
    async with call() as held:
        held.link.say(*answer("R1", "A1", seconds=10, done=False))
        await trio.sleep(2)
        await held.commands.send(events.Interrupted())
        await trio.testing.wait_all_tasks_blocked()

        kinds = [type(event) for event in held.link.sent if not isinstance(event, SessionUpdate)]
        assert kinds == [ConversationItemTruncate, ResponseCancel]


async def test_after_a_stall_only_what_sounded_counts(autojump_clock: object) -> None:
    """700 ms come, then the network stalls for two seconds: arrival time is never the position."""
    async with call() as held:
        held.link.say(*answer("R1", "A1", seconds=0.7, done=False))
        await trio.sleep(2.7)
        held.link.say(delta("R1", "A1", 3000))
        await trio.sleep(0.1)
        held.link.say(speech_started("U1"))
        await trio.testing.wait_all_tasks_blocked()

        (truncate,) = held.link.got(ConversationItemTruncate)
        assert truncate.audio_end_ms == held.samples_sounded() // 24
        assert 780 <= truncate.audio_end_ms <= 820


async def test_two_items_sound_one_after_the_other_and_both_are_settled(autojump_clock: object) -> None:
    async with call() as held:
        first, second = answer("R1", "A1", seconds=1), answer("R1", "A2", seconds=5)
        held.link.say(*first[:-1], *second[1:-2])
        await trio.sleep(2.5)
        held.link.say(speech_started("U1"))
        await trio.testing.wait_all_tasks_blocked()

        (truncate,) = held.link.got(ConversationItemTruncate)
        assert truncate.item_id == "A2"
        assert abs(truncate.audio_end_ms - 1480) <= 2 * CHUNK_MS
        ended = [what for _, what in held.noted if isinstance(what, events.PlaybackEnded)]
        assert [(end.item_id, end.heard) for end in ended] == [("A1", 24_000), ("A2", ended[1].heard)]


async def test_the_words_appear_as_they_are_heard(autojump_clock: object) -> None:
    text = "one two three four five six seven eight nine ten"
    async with call() as held:
        held.link.say(*answer("R1", "A1", seconds=10, done=False, words=text))
        await trio.sleep(5)
        half = held.text_shown()
        await held.commands.send(events.Interrupted())
        await trio.testing.wait_all_tasks_blocked()

        assert text.startswith(half)
        assert 3 <= len(half.split()) <= 6
        (line,) = [shown for shown in held.shown if isinstance(shown, effects.LineEnded)]
        assert line.cut
        assert line.text + line.unsaid == text


async def test_a_lost_link_is_reported_once_and_ends_the_conversation(autojump_clock: object) -> None:
    async with call() as held:
        held.link.say(*answer("R1", "A1", seconds=10))
        await trio.sleep(1)
        held.link.break_off(Close(1006))
        await held.ended.wait()

        assert held.quit is not None
        assert held.quit.outcome is Outcome.LINK_LOST
        assert len([1 for _, what in held.noted if isinstance(what, events.LinkLost)]) == 1
        assert trio.current_time() <= 1.1


@define
class Talker:
    """A microphone that somebody talks into without end, 20 ms at a time."""

    live: bool = True
    clips: bool = False
    urgent: bool = False
    n: int = 0

    async def read(self) -> bytes:
        await trio.sleep(0.02)
        self.n += 1
        return self.n.to_bytes(2, "little") * 480


async def test_a_slow_uplink_drops_the_oldest_words_and_never_an_order(autojump_clock: object) -> None:
    async with call(microphone=Talker()) as held:
        await trio.sleep(1)
        held.link.stall()
        await held.commands.send(events.Typed("a line typed into the stall"))
        await trio.sleep(12)
        before = len(held.link.got(InputAudioBufferAppend))
        held.link.flow()
        await trio.sleep(0.01)

        sent = [event.audio for event in held.link.got(InputAudioBufferAppend)[before:]]
        kept_ms = sum(map(len, sent)) / MS
        assert kept_ms == pytest.approx(5000, abs=3 * CHUNK_MS)
        newest = [what for _, what in held.noted if isinstance(what, events.MicHeard)][-1].pcm
        assert sent[-1] == newest
        assert held.link.got(ConversationItemCreate)
        (dropped,) = [what for _, what in held.noted if isinstance(what, events.UplinkDropped)]
        assert dropped.samples / 24 == pytest.approx(12_000 - 5000, abs=4 * CHUNK_MS)
        assert any("too slow" in getattr(shown, "text", "") for shown in held.shown)


@define
class FastRecording:
    """A microphone file that is read as fast as it goes."""

    chunks: int
    live: bool = False
    clips: bool = False
    urgent: bool = False

    async def read(self) -> bytes:
        await trio.lowlevel.checkpoint()
        if not self.chunks:
            raise trio.EndOfChannel
        self.chunks -= 1
        return self.chunks.to_bytes(2, "little") * 480


async def test_a_file_waits_for_a_slow_network_and_loses_nothing(autojump_clock: object) -> None:
    terms = Terms(session=Session(type="realtime"), microphone_ends=True, keyboard=False)
    async with call(terms, microphone=FastRecording(1000)) as held:
        held.link.stall()
        await trio.sleep(20)
        held.link.flow()
        await held.ended.wait()

        spoken = [event.audio for event in held.link.got(InputAudioBufferAppend)][:1000]
        assert [int.from_bytes(pcm[:2], "little") for pcm in spoken] == list(range(999, -1, -1))
        assert not [what for _, what in held.noted if isinstance(what, events.UplinkDropped)]


async def test_thirty_seconds_of_backlog_are_a_lost_link(autojump_clock: object) -> None:
    async with call(microphone=Talker()) as held:
        held.link.stall()
        await held.ended.wait()

        assert held.quit is not None
        assert held.quit.outcome is Outcome.LINK_LOST
        assert trio.current_time() == pytest.approx(30, abs=0.2)


@define
class BreakingSpeaker:
    """A loudspeaker that sounds at once what it gets, and is unplugged after so many samples."""

    breaks_after: int
    sounded: int = 0

    async def play(self, pcm: bytes) -> None:
        await trio.sleep(len(pcm) / 48_000)
        if self.sounded >= self.breaks_after:
            raise DeviceLost("it was unplugged")
        self.sounded += len(pcm) // 2

    def heard(self) -> int:
        return self.sounded

    def handed(self) -> int:
        return self.sounded

    async def drain(self) -> None:
        await trio.lowlevel.checkpoint()

    def fade_to(self, gain: float) -> None:
        pass

    def flush(self) -> int:
        return 0


async def test_an_unplugged_loudspeaker_leaves_a_written_conversation(autojump_clock: object) -> None:
    async with call(speaker=BreakingSpeaker(24_000)) as held:
        text = "one two three four five six seven eight nine ten"
        held.link.say(*answer("R1", "A1", seconds=3, words=text))
        await trio.sleep(4)

        assert held.text_shown() == text, "what is not heard is read"
        assert not held.link.got(ConversationItemTruncate)
        assert held.link.sent[-1].session.output_modalities == ("text",)
        assert any("it was unplugged" in getattr(shown, "text", "") for shown in held.shown)
        assert held.quit is None


class Dice:
    async def run(self, name: str, arguments: str) -> str:
        await trio.sleep(1)
        return f"{name} {arguments}: six"


async def test_two_calls_are_answered_by_one_response(autojump_clock: object) -> None:
    calls = tuple(
        FunctionCall(id=f"F{n}", call_id=f"call_{n}", name="roll", arguments="{}", status="completed")
        for n in (1, 2)
    )
    async with call(tools=Dice()) as held:
        held.link.say(
            ResponseCreated(event_id="c", response=Response(id="R1")),
            ResponseDone(event_id="d", response=Response(id="R1", status="completed", output=calls)),
        )
        await trio.sleep(2)

        outputs = [event.item for event in held.link.got(ConversationItemCreate)]
        assert [type(item) for item in outputs] == [FunctionCallOutput] * 2
        assert {item.output for item in outputs} == {"roll {}: six"}
        assert len(held.link.got(ResponseCreate)) == 1
        assert isinstance(held.link.sent[-1], ResponseCreate)


async def test_stop_cancels_a_call_that_may_be_and_its_end_is_told_once(autojump_clock: object) -> None:
    calls = tuple(
        FunctionCall(id=f"F{name}", call_id=f"call_{name}", name=name, arguments="{}", status="completed")
        for name in ("search", "order")
    )
    terms = Terms(session=Session(type="realtime"), cancels=("search",))
    async with call(terms, tools=Dice()) as held:
        held.link.say(
            ResponseCreated(event_id="c", response=Response(id="R1")),
            ResponseDone(event_id="d", response=Response(id="R1", status="completed", output=calls)),
        )
        await trio.sleep(0.5)
        held.commands.send_nowait(events.Interrupted())
        await trio.sleep(0.1)
        (output,) = [event.item for event in held.link.got(ConversationItemCreate)]
        assert (output.call_id, output.output) == (
            "call_search",
            '{"error": "the user said stop, and it was cancelled"}',
        )
        await trio.sleep(1)
        outputs = [event.item for event in held.link.got(ConversationItemCreate)]
        assert [item.call_id for item in outputs] == ["call_search", "call_order"]
        assert outputs[1].output == "order {}: six"
        assert not held.link.got(ResponseCreate), "nobody speaks about what was stopped"


async def test_a_piped_line_answers_the_question_that_holds_the_conversation_up(
    autojump_clock: object,
) -> None:
    wanted = FunctionCall(id="F1", call_id="call_1", name="delete", arguments="{}", status="completed")
    terms = Terms(session=Session(type="realtime"), microphone=False, asks=("delete",))
    async with call(terms, tools=Dice(), in_turn=True) as held:
        for line in ("delete it", "y", "thank you"):
            held.commands.send_nowait(events.Typed(line))
        await trio.sleep(1)
        held.link.say(
            ResponseCreated(event_id="c", response=Response(id="R1")),
            ResponseDone(event_id="d", response=Response(id="R1", status="completed", output=(wanted,))),
        )
        await trio.sleep(3)
        items = [event.item for event in held.link.got(ConversationItemCreate)]
        assert [type(item).__name__ for item in items] == ["UserMessage", "FunctionCallOutput"]
        assert items[1].output == "delete {}: six"


@define
class Recording:
    """A microphone file: this many chunks of speech, then its end."""

    chunks: int
    live: bool = False
    clips: bool = False
    urgent: bool = False

    async def read(self) -> bytes:
        await trio.sleep(0.02)
        if not self.chunks:
            raise trio.EndOfChannel
        self.chunks -= 1
        return b"\x05\x00" * 480


async def test_a_microphone_file_ends_the_conversation_after_the_last_answer(autojump_clock: object) -> None:
    terms = Terms(session=Session(type="realtime"), microphone_ends=True, keyboard=False)
    async with call(terms, microphone=Recording(50)) as held:
        await trio.sleep(0.9)
        held.link.say(*answer("R1", "A1", seconds=8))
        await held.ended.wait()

        silence = b"".join(event.audio for event in held.link.got(InputAudioBufferAppend)[50:])
        assert not any(silence)
        assert len(silence) / MS >= terms.trailing_silence_ms
        assert held.quit is not None
        assert held.quit.outcome is Outcome.OVER
        assert held.samples_sounded() == 8 * 24_000


async def test_push_to_talk_with_a_file_commits_at_its_end(autojump_clock: object) -> None:
    terms = Terms(
        session=Session(type="realtime"), server_turns=False, push_to_talk=True, microphone_ends=True
    )
    async with call(terms, microphone=Recording(50)) as held:
        await trio.sleep(2)
        kinds = [type(event).__name__ for event in held.link.sent[-2:]]
        assert kinds == ["InputAudioBufferCommit", "ResponseCreate"]
        held.link.say(*answer("R1", "A1", seconds=1))
        await held.ended.wait()
        assert held.samples_sounded() == 24_000


async def test_leaving_in_the_middle_of_everything_joins_everything(autojump_clock: object) -> None:
    with trio.move_on_after(1.5):
        async with call(TERMS, microphone=Talker(), tools=Dice()) as held:
            held.link.say(*answer("R1", "A1", seconds=10))
            await trio.sleep_forever()
    assert trio.current_time() == pytest.approx(1.5)


async def test_every_event_is_noted_before_what_follows_from_it(autojump_clock: object) -> None:
    async with call() as held:
        held.link.say(*answer("R1", "A1", seconds=0.1))
        await trio.sleep(1)
        names = [type(what).__name__ for _, what in held.noted]
        assert names.index("ServerSaid") < names.index("Send") < names.index("Listen") < names.index("Play")
        times = [at_us for at_us, _ in held.noted]
        assert times == sorted(times)


async def test_lines_from_a_pipe_wait_for_the_answer_to_the_one_before(autojump_clock: object) -> None:
    typed = Terms(session=Session(type="realtime"), microphone=False)
    async with call(typed, in_turn=True) as held:
        for event in (events.Typed("one"), events.Typed("two"), events.TypingEnded()):
            held.commands.send_nowait(event)
        for n in (1, 2):
            await trio.sleep(4)
            assert len(held.link.got(ConversationItemCreate)) == n
            held.link.say(*answer(f"R{n}", f"A{n}", seconds=3))
        await held.ended.wait()

        assert held.samples_sounded() == 2 * 3 * 24_000
        assert not held.link.got(ConversationItemTruncate)


@define
class Room:
    """A microphone in a quiet room, in which somebody says a sentence from its sample `at` on."""

    at: int
    live: bool = True
    clips: bool = False
    urgent: bool = False
    given: int = 0
    pcm: bytes = field(init=False)

    def __attrs_post_init__(self) -> None:
        sentence, first = next(sentences(-26))
        sound = np.concatenate(
            [np.zeros(self.at, np.float32), sentence[first:], np.zeros(48_000, np.float32)]
        )
        sound += at_dbfs(white(len(sound)), -65)
        self.pcm = (sound * 32767).astype("<i2").tobytes()

    async def read(self) -> bytes:
        await trio.sleep(0.02)
        chunk = self.pcm[self.given : self.given + 960]
        self.given += 960
        return chunk or bytes(960)


def when(held: Call, kind: type) -> list[int]:
    """Milliseconds at which these were noted."""
    return [at_us // 1000 for at_us, what in held.noted if isinstance(what, kind)]


LOUD = int.from_bytes(b"\x01\x02", "little")


def loudness(held: Call, from_s: float, to_s: float) -> tuple[int, int]:
    """The least and the greatest sample that sounded then, of a voice whose samples are all the same."""
    samples = [
        sample
        for position, pcm in held.sounded
        for offset, sample in enumerate(memoryview(pcm).cast("h"))
        if from_s * 24_000 <= position + offset < to_s * 24_000
    ]
    return min(samples), max(samples)


SPEAKS_AT_S = 3.0
FAINT = LOUD / 4
"""12 dB down."""


async def test_the_voice_is_lowered_at_once_and_back_within_half_a_second(autojump_clock: object) -> None:
    async with call(microphone=Room(round(SPEAKS_AT_S * 24_000))) as held:
        held.link.say(*answer("R1", "A1", seconds=6))
        await trio.sleep(8)

        onset, *_ = when(held, events.OnsetHeard)
        assert 0 <= onset - SPEAKS_AT_S * 1000 <= 100
        assert when(held, effects.Duck)[0] == onset
        assert onset < when(held, effects.Unduck)[0] <= onset + 450
        at_s = onset / 1000
        assert loudness(held, 0, at_s - 0.025) == (LOUD, LOUD)
        assert loudness(held, at_s + 0.03, at_s + 0.4)[1] <= FAINT
        assert loudness(held, at_s + 0.5, at_s + 1.4) == (LOUD, LOUD)
        assert held.samples_sounded() == 6 * 24_000, "nothing is skipped"
        (ended,) = [what for _, what in held.noted if isinstance(what, events.PlaybackEnded)]
        assert ended.heard == 6 * 24_000
        assert held.last_sample_at_s() == pytest.approx(6, abs=0.03)


async def test_the_servers_word_stops_a_lowered_voice_and_the_next_is_loud(autojump_clock: object) -> None:
    async with call(microphone=Room(round(SPEAKS_AT_S * 24_000))) as held:
        held.link.say(*answer("R1", "A1", seconds=10, done=False))
        await trio.sleep(SPEAKS_AT_S + 0.3)
        assert when(held, effects.Duck)
        held.link.say(speech_started("U1"))
        await trio.testing.wait_all_tasks_blocked()
        stopped_at_s = held.last_sample_at_s()
        assert stopped_at_s == pytest.approx(SPEAKS_AT_S + 0.3, abs=0.025)
        assert loudness(held, SPEAKS_AT_S + 0.2, stopped_at_s)[1] <= FAINT
        (truncate,) = held.link.got(ConversationItemTruncate)
        assert truncate.audio_end_ms == held.samples_sounded() // 24

        held.link.say(
            *finished("R1", "A1", "cancelled"),
            InputAudioBufferSpeechStopped(event_id="s", item_id="U1", audio_end_ms=0),
            *answer("R2", "A2", seconds=1),
        )
        await trio.sleep(2)
        assert loudness(held, stopped_at_s + 0.05, 9) == (LOUD, LOUD)


async def test_who_speaks_while_nothing_sounds_lowers_nothing(autojump_clock: object) -> None:
    """And is no news when a voice begins behind it."""
    async with call(microphone=Room(round(SPEAKS_AT_S * 24_000))) as held:
        await trio.sleep(SPEAKS_AT_S + 0.5)
        held.link.say(*answer("R1", "A1", seconds=2))
        await trio.sleep(3)
        assert not when(held, events.OnsetHeard)


async def test_a_voice_that_is_not_to_be_lowered_is_not(autojump_clock: object) -> None:
    terms = Terms(session=Session(type="realtime"), ducks=False)
    async with call(terms, microphone=Room(round(SPEAKS_AT_S * 24_000))) as held:
        held.link.say(*answer("R1", "A1", seconds=6))
        await trio.sleep(7)
        assert loudness(held, 0, 7) == (LOUD, LOUD)
        assert not when(held, events.OnsetHeard)


async def test_a_loudspeaker_that_was_left_low_begins_loud(autojump_clock: object) -> None:
    """A conversation may end while its voice is low; the loudspeaker serves the next one, too."""
    sounded: list[bytes] = []
    speaker = ClockedSpeaker(lambda position, pcm: sounded.append(pcm))
    speaker.fade_to(0.2)
    async with call(speaker=speaker) as held:
        held.link.say(*answer("R1", "A1", seconds=1))
        await trio.sleep(2)
    assert max(memoryview(b"".join(sounded)).cast("h")) == LOUD
    assert memoryview(sounded[-1]).cast("h")[0] == LOUD


async def test_an_errand_is_run_beside_the_conversation_and_reported(autojump_clock: object) -> None:
    ran: list[tuple[str, str]] = []

    async def errand(name: str, argument: str) -> events.ErrandEnded:
        ran.append((name, argument))
        await trio.sleep(60)
        return events.ErrandEnded(name, argument, result="here\nthere")

    async with call(errand=errand) as held:
        held.commands.send_nowait(events.Typed("/devices"))
        held.link.say(*answer("R1", "A1", seconds=1))
        await trio.sleep(2)
        assert held.samples_sounded() == 24_000, "nothing waits for it"
        await trio.sleep(60)
    assert ran == [("devices", "")]
    assert [shown.text for shown in held.shown if isinstance(shown, effects.Notice)] == ["here", "there"]


async def test_what_is_preferred_and_what_was_said_is_handed_on(autojump_clock: object) -> None:
    preferred: list[tuple[str, str]] = []
    left: list[Conversation] = []
    terms = Terms(session=Session(type="realtime"))
    async with call(terms, prefer=lambda *change: preferred.append(change), ended=left.append) as held:
        held.commands.send_nowait(events.Typed("and now?"))
        held.commands.send_nowait(events.Typed("/model other"))
        await held.ended.wait()
    assert preferred == [("model", "other")]
    assert [state.history for state in left] == [(Turn("user", "and now?"),)]
    assert held.quit == effects.Quit(Outcome.GO_ON)
