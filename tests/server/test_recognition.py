"""Recognition: the driving of its child processes, and what the real ones hear in recorded speech."""

import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import trio
import trio.testing

from rtassist.server import recognition
from rtassist.server.child import open_child
from rtassist.server.parts import PartFailed, Transcript
from rtassist.server.recognition import PocketsphinxRecogniser, judged, open_recogniser
from tests.server.children.listener import DEADLY

SPEECH = Path(__file__).parents[1] / "speech"


@asynccontextmanager
async def counting_recogniser(processes: int = 1) -> AsyncIterator[PocketsphinxRecogniser]:
    async with AsyncExitStack() as stack:
        children = [
            await stack.enter_async_context(
                open_child("tests.server.children.listener", what="Speech recognition", code="stt")
            )
            for _ in range(processes)
        ]
        yield PocketsphinxRecogniser(children)


async def heard(
    recogniser: PocketsphinxRecogniser, pcm: bytes, *, language: str | None = None, at_once: int = 960
) -> Transcript:
    send, receive = trio.open_memory_channel[bytes](math.inf)
    for start in range(0, len(pcm), at_once):
        send.send_nowait(pcm[start : start + at_once])
    send.close()
    return await recogniser.transcribe(receive, language=language)


def constant(sample: int, ms: int = 400) -> bytes:
    return np.full(ms * 24, sample, dtype="<i2").tobytes()


async def test_all_of_the_sound_arrives_at_16_khz() -> None:
    async with counting_recogniser() as recogniser:
        for at_once in (960, 2, 48_000):
            transcript = await heard(recogniser, bytes(48 * 1000), at_once=at_once)
            assert transcript.text.split()[0] == "16000"
            assert not transcript.understood


async def test_a_crash_costs_one_utterance() -> None:
    async with counting_recogniser() as recogniser:
        with pytest.raises(PartFailed) as failed:
            await heard(recogniser, constant(DEADLY))
        assert failed.value.code == "stt_died"
        assert "Speech recognition" in failed.value.message
        assert (await heard(recogniser, bytes(4800))).text.startswith("1600 ")


async def test_cancelled_in_the_middle_of_an_utterance_it_hears_the_next_one_alone() -> None:
    async with counting_recogniser() as recogniser:
        first = (await heard(recogniser, bytes(4800))).text
        send, receive = trio.open_memory_channel[bytes](math.inf)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: recogniser.transcribe(receive, language=None))
            send.send_nowait(bytes(9600))
            await trio.testing.wait_all_tasks_blocked(0.01)
            nursery.cancel_scope.cancel()
        assert (await heard(recogniser, bytes(4800))).text == first


async def test_two_speak_at_once_and_a_third_waits() -> None:
    async with counting_recogniser(processes=2) as recogniser, trio.open_nursery() as nursery:
        texts = {}

        async def listen(name: str, receive: trio.MemoryReceiveChannel[bytes]) -> None:
            texts[name] = (await recogniser.transcribe(receive, language=None)).text.split()

        channels = {}
        for name in ("one", "two", "three"):
            send, receive = trio.open_memory_channel[bytes](math.inf)
            channels[name] = send
            nursery.start_soon(listen, name, receive)
            await trio.testing.wait_all_tasks_blocked()
        for ms, name in ((100, "three"), (200, "two"), (300, "one")):
            channels[name].send_nowait(bytes(48 * ms))
        channels["three"].close()
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert texts == {}
        channels["two"].close()
        while set(texts) != {"two", "three"}:
            await trio.testing.wait_all_tasks_blocked(0.001)
        channels["one"].close()
        while len(texts) < 3:
            await trio.testing.wait_all_tasks_blocked(0.001)
        assert [texts[name][0] for name in ("one", "two", "three")] == ["4800", "3200", "1600"]
        assert texts["one"][1] != texts["two"][1] == texts["three"][1]


async def test_who_waits_too_long_for_a_turn_is_told(
    autojump_clock: trio.testing.MockClock,
) -> None:
    class Endless:
        """A child that never ends an answer."""

        @asynccontextmanager
        async def request(self) -> AsyncIterator[None]:
            await trio.sleep_forever()
            yield

    recogniser = PocketsphinxRecogniser([Endless()])  # type: ignore[list-item]  # a child without a process
    async with trio.open_nursery() as nursery:
        _, receive = trio.open_memory_channel[bytes](math.inf)
        nursery.start_soon(lambda: recogniser.transcribe(receive, language=None))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(PartFailed) as failed:
            await heard(recogniser, bytes(960))
        assert failed.value.code == "stt_busy"
        nursery.cancel_scope.cancel()


async def test_other_languages_are_refused_with_a_reason() -> None:
    async with counting_recogniser() as recogniser:
        with pytest.raises(PartFailed, match=r"knows English only.*'de'.*RTASSIST_STT_URL") as failed:
            await heard(recogniser, b"", language="de")
        assert failed.value.code == "stt_language_unsupported"
        for language in ("en", "en-GB", "EN_us", None, ""):
            assert not (await heard(recogniser, b"", language=language)).understood


@pytest.mark.parametrize(
    ("heard_freely", "known", "text", "understood"),
    [
        ("what is twelve", "what is twelve times two", "what is twelve times two", True),
        ("the train was late", "", "the train was late", False),
        # Heard freely, and a sentence all the same.
        ("how much is five plus nine", "", "how much is five plus nine", True),
        # Two words are too little to rely on.
        ("good morning", "", "good morning", False),
        ("", "", "", False),
    ],
)
def test_what_counts(heard_freely: str, known: str, text: str, understood: bool) -> None:
    assert judged(heard=heard_freely, known=known) == Transcript(text=text, understood=understood)


def test_a_missing_package_is_a_sentence_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition.importlib.util, "find_spec", lambda name: None)
    assert "pip install 'rtassist[offline]'" in recognition.recogniser_available()


def recorded(name: str) -> np.ndarray:
    samples, rate = soundfile.read(SPEECH / f"{name}.wav", dtype="float32")
    resampled: np.ndarray = soxr.resample(samples, rate, 24_000)
    return resampled


def in_a_room(
    samples: np.ndarray,
    *,
    before_ms: int = 300,
    after_ms: int = 500,
    noise_db: float | None = None,
    gain: float = 1,
) -> bytes:
    """As the server hands it over: with the silence around that its voice activity detection leaves. The
    noise is white, so many dB below the speech."""
    sound = np.concatenate([np.zeros(before_ms * 24), samples, np.zeros(after_ms * 24)])
    if noise_db is not None:
        level = np.sqrt(np.mean(samples**2)) * 10 ** (-noise_db / 20)
        sound = sound + np.random.default_rng(1).normal(size=len(sound)) * level
    return (np.clip(sound * gain, -1, 1) * 32767).astype("<i2").tobytes()


SAID = {
    "what_is_seventeen_times_twenty_three_rms": "what is seventeen times twenty three",
    "what_is_seventeen_times_twenty_three_slt": "what is seventeen times twenty three",
    "nine_hundred_ninety_nine_minus_one_rms": "calculate nine hundred ninety nine minus one",
    "and_plus_five_rms": "and plus five",
    "what_time_is_it_rms": "what time is it",
    "what_time_is_it_slt": "what time is it",
    "set_a_timer_slt": "set a timer for ten seconds",
    "set_a_tea_timer_rms": "set a timer for five minutes called tea",
    "read_me_a_story_rms": "read me a story",
    "read_me_a_story_slt": "read me a story",
    "count_to_twenty_rms": "count to twenty",
    "count_to_twenty_slt": "count to twenty",
    "spell_elephant_slt": "spell elephant",
    "hello_rms": "hello",
    "hello_slt": "hello",
    "what_can_you_do_rms": "what can you do",
    "stop_rms": "stop",
    "stop_slt": "stop",
    "goodbye_rms": "goodbye",
    "goodbye_slt": "goodbye",
}
FOREIGN = ("foreign_train_rms", "foreign_train_slt", "foreign_order_rms")


@pytest.mark.offline
async def test_every_recorded_sentence_is_heard_right_and_foreign_ones_are_not_taken_for_commands() -> None:
    transcripts = {}
    waiting = [*SAID, *FOREIGN]

    async def listen(recogniser: PocketsphinxRecogniser) -> None:
        while waiting:
            name = waiting.pop()
            transcripts[name] = await heard(recogniser, in_a_room(recorded(name)))

    async with open_recogniser(processes=2) as recogniser, trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(listen, recogniser)
    assert {name: transcripts[name] for name in SAID} == {
        name: Transcript(text=text, understood=True) for name, text in SAID.items()
    }
    assert [transcripts[name].understood for name in FOREIGN] == [False] * 3
    assert transcripts["foreign_train_rms"].text == "the train was late because of the snow"


@pytest.mark.offline
async def test_noise_level_and_silence_do_not_keep_it_from_hearing() -> None:
    name = "what_is_seventeen_times_twenty_three_rms"
    rooms = {
        "noise 20 dB below the speech": in_a_room(recorded(name), noise_db=20),
        "quiet": in_a_room(recorded(name), gain=0.03),
        "loud, clipped": in_a_room(recorded(name), gain=4),
        "long silence around": in_a_room(recorded(name), before_ms=2000, after_ms=2000),
        "hardly any silence": in_a_room(recorded(name), before_ms=60, after_ms=60),
    }
    async with open_recogniser(processes=1) as recogniser:
        texts = {room: (await heard(recogniser, pcm)).text for room, pcm in rooms.items()}
    assert texts == dict.fromkeys(rooms, SAID[name])


@pytest.mark.offline
async def test_what_was_heard_before_changes_nothing() -> None:
    first, second = (in_a_room(recorded(name)) for name in ("stop_slt", "foreign_order_rms"))
    async with open_recogniser(processes=1) as recogniser:
        alone = await heard(recogniser, first)
        await heard(recogniser, second)
        assert await heard(recogniser, first) == alone
        for nothing in (b"", bytes(48_000), in_a_room(np.zeros(24_000), noise_db=None)):
            assert await heard(recogniser, nothing) == Transcript(text="", understood=False)
