"""Text on its way to speech, and the real library in its real process."""

import importlib.machinery
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from rtassist.audio.pcm import level, samples_in, to_float
from rtassist.server.child import open_child
from rtassist.server.parts import PartFailed
from rtassist.server.synthesis import (
    DEFAULT_VOICE,
    MAX_PIECE_CHARACTERS,
    VOICES,
    EspeakSynthesiser,
    open_synthesiser,
    pieces,
    request_for,
    speakable,
    synthesiser_available,
    without_lead,
)

ROOT = Path(__file__).parents[2]
SENTENCE = "Seventeen times twenty three is three hundred and ninety one."

# What is given to the library.


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hello there.", "Hello there."),
        ("  two\n lines\tof \r\n text ", "two lines of text"),
        ("one paragraph\n\n \nand another", "one paragraph\n\nand another"),
        # espeak-ng's embedded commands begin with ^A: here, "150 % as loud".
        ("a \x01150A bell\x07 and a nul\x00", "a 150A bell and a nul"),
        ("co\u00adoperate\u200b now", "cooperate now"),
        ("half a pair: \ud83d", "half a pair:"),
        ("**bold** and `code` and __both__", "bold and code and both"),
        ("2 * 3 is 6", "2 * 3 is 6"),
        ("<break time='5s'/> [[h@loU]]", "<break time='5s'/> [[h@loU]]"),
        ("", ""),
        (" \n… — ?!", ""),
        ("🎉", "🎉"),
        ("€", "€"),
    ],
)
def test_text_is_made_harmless_and_stays_text(text: str, spoken: str) -> None:
    assert speakable(text) == spoken


@given(st.text())
def test_any_text_can_be_encoded_and_holds_no_control_character(text: str) -> None:
    kept = speakable(text)
    kept.encode()
    assert all(character.isprintable() or character in "\n " for character in kept if character.isascii())
    assert speakable(kept) == kept


@given(st.text(alphabet="ab .!\n", max_size=2000))
def test_pieces_are_short_and_lose_nothing_but_spaces(text: str) -> None:
    cut = list(pieces(text))
    assert all(0 < len(piece) <= MAX_PIECE_CHARACTERS for piece in cut if piece.strip())
    assert "".join("".join(cut).split()) == "".join(text.split())


def test_a_cut_is_made_after_a_sentence_or_else_between_words() -> None:
    assert list(pieces("Short enough.")) == ["Short enough."]
    assert list(pieces("")) == []

    sentence = "This one has forty characters in it, yes. "
    cut = list(pieces((sentence * 20).strip()))
    assert [piece.count(".") for piece in cut] == [7, 7, 6]
    assert all(piece.endswith("yes.") for piece in cut)

    words = list(pieces(("word " * 100).strip()))
    assert {word for piece in words for word in piece.split(" ")} == {"word"}

    assert [len(piece) for piece in pieces("a" * 700)] == [300, 300, 100]


@pytest.mark.parametrize(
    ("piece", "voice", "speed", "header"),
    [
        ("Hello.", "alloy", 1.0, b"en-us\n175\n0\n1"),
        ("Hello", "alloy", 1.0, b"en-us\n175\n0\n0"),
        ("He said: “Hello!”", "coral", 1.5, b"en-us+f3\n262\n0\n1"),
        ("Hello", "coral", 9.0, b"en-us+f3\n262\n0\n0"),
        ("Hello", "../../etc/passwd\n", 0.5, b"en-us\n88\n0\n0"),
        ("Hello", "no such voice", 0.25, b"en-us\n80\n19\n0"),
        ("Hello", "ash", 0.0, b"en-us+m3\n80\n19\n0"),
    ],
)
def test_a_request_names_a_known_voice_and_a_possible_speed(
    piece: str, voice: str, speed: float, header: bytes
) -> None:
    assert request_for(piece, voice, speed) == header + b"\n" + piece.encode()


def test_silence_before_the_first_sound_is_cut_to_20_ms() -> None:
    silence = np.zeros(10_000, dtype=np.float32)
    sound = np.full(500, 0.5, dtype=np.float32)

    assert len(without_lead(silence)) == 0
    assert len(without_lead(np.concatenate([silence, sound]))) == 441 + 500
    assert len(without_lead(np.concatenate([silence[:100], sound, silence]))) == 100 + 500 + 10_000


async def test_the_library_s_rate_becomes_ours_without_a_seam_or_a_loss() -> None:
    async with open_child("tests.server.children.tone", what="The tone", code="tone") as child:
        pcm = await spoken(EspeakSynthesiser(child), "a" * (MAX_PIECE_CHARACTERS + 1))

    samples = to_float(pcm)
    assert abs(len(samples) - 24_000) <= 1, "two pieces of half a second"
    expected = 0.5 * np.cos(2 * np.pi * 441 * np.arange(len(samples)) / 24_000)
    # Between the pieces the tone jumps by half a period.
    inside = [slice(200, 11_800), slice(12_200, 23_800)]
    assert np.max(np.abs(samples - expected)[inside[0]]) < 0.001
    assert np.max(np.abs(samples + expected)[inside[1]]) < 0.001


# What is there to speak with.


def test_a_missing_package_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "espeakng_loader", raising=False)
    sentence = synthesiser_available()
    assert "espeakng-loader, which is not installed" in sentence
    assert "pip install 'rtassist[offline]'" in sentence


@pytest.mark.parametrize(
    ("library", "missing"),
    [("libespeak-ng.so", False), ("libespeak-ng.dylib", False), ("espeak-ng.dll", False), (None, True)],
)
def test_a_package_without_a_library_for_this_machine_is_told(
    library: str | None, missing: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "espeakng_loader"
    (package / "espeak-ng-data").mkdir(parents=True)
    (package / "__init__.py").touch()
    if library is not None:
        (package / library).touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "espeakng_loader", raising=False)

    assert ("brings no speech library for this machine" in synthesiser_available()) == missing


# The real thing.


@pytest.fixture
async def synthesiser() -> AsyncIterator[EspeakSynthesiser]:
    async with open_synthesiser() as synthesiser:
        yield synthesiser


async def spoken(
    synthesiser: EspeakSynthesiser, text: str, *, voice: str = DEFAULT_VOICE, speed: float = 1.0
) -> bytes:
    async with aclosing(synthesiser.speak(text, voice=voice, speed=speed)) as chunks:
        return b"".join([chunk async for chunk in chunks])


def pitch_hz(pcm: bytes) -> float:
    """The median over the loud frames of what they repeat most strongly, within 70 to 400 Hz."""
    samples = to_float(pcm)
    found = []
    for start in range(0, len(samples) - 1200, 1200):
        frame = samples[start : start + 1200]
        if np.sqrt(np.mean(frame**2)) > 0.06:
            likeness = np.correlate(frame, frame, "full")[1199:]
            found.append(24_000 / (60 + int(likeness[60:343].argmax())))
    return float(np.median(found))


def alike(one: bytes, other: bytes) -> bool:
    """The same words in the same voice: espeak-ng's breath is random, and moves ends by milliseconds, so the
    loudness of each 20 ms is compared."""
    if abs(len(one) - len(other)) > 40 * 48:
        return False
    size = min(len(one), len(other)) // 960 * 480
    loudness = [np.sqrt(np.mean(to_float(pcm)[:size].reshape(-1, 480) ** 2, axis=1)) for pcm in (one, other)]
    return float(np.corrcoef(*loudness)[0, 1]) > 0.95


def test_where_the_tests_for_it_run_it_is_available() -> None:
    installed = importlib.util.find_spec("espeakng_loader") is not None
    assert (synthesiser_available() == "") == installed


@pytest.mark.offline
async def test_a_sentence_becomes_speech_in_small_chunks_with_a_pause_behind(
    synthesiser: EspeakSynthesiser,
) -> None:
    async with aclosing(synthesiser.speak(SENTENCE, voice="alloy", speed=1.0)) as stream:
        chunks = [chunk async for chunk in stream]

    assert all(0 < len(chunk) <= 100 * 48 and len(chunk) % 2 == 0 for chunk in chunks)
    speech = b"".join(chunks)
    assert 3.0 < samples_in(speech) / 24_000 < 5.0
    assert -30 < level(speech).rms_dbfs < -15
    assert level(speech[: 100 * 48]).peak_dbfs > -20, "it begins at once"
    assert level(speech[-250 * 48 :]).peak_dbfs < -60, "it ends with the pause of a sentence"


@pytest.mark.offline
async def test_a_sentence_sounds_the_same_whatever_was_before(synthesiser: EspeakSynthesiser) -> None:
    first = await spoken(synthesiser, SENTENCE)
    assert not alike(
        first, await spoken(synthesiser, "Not at all this one, and as long as the other one is.")
    )
    assert not alike(first, await spoken(synthesiser, SENTENCE, voice="coral", speed=0.3))
    async with aclosing(synthesiser.speak(SENTENCE * 5, voice="verse", speed=1.5)) as chunks:
        await anext(chunks)
    assert alike(await spoken(synthesiser, SENTENCE), first)


@pytest.mark.offline
async def test_every_voice_speaks_in_its_own_way_and_none_clips(synthesiser: EspeakSynthesiser) -> None:
    voices = {voice: await spoken(synthesiser, SENTENCE, voice=voice) for voice in VOICES}

    for voice, speech in voices.items():
        assert -9 < level(speech).peak_dbfs < -1, voice
        low = voice in ("alloy", "ash", "ballad", "cedar", "echo", "verse")
        assert (pitch_hz(speech) < 150) == low, voice
    assert alike(await spoken(synthesiser, SENTENCE, voice="nobody"), voices[DEFAULT_VOICE])


@pytest.mark.offline
@pytest.mark.parametrize("speed", [0.25, 0.4, 0.5, 0.75, 1.25, 1.5])
async def test_it_takes_the_time_that_the_speed_says(synthesiser: EspeakSynthesiser, speed: float) -> None:
    normal = len(await spoken(synthesiser, SENTENCE))
    assert normal / len(await spoken(synthesiser, SENTENCE, speed=speed)) == pytest.approx(speed, rel=0.1)


@pytest.mark.offline
async def test_markup_is_read_and_not_obeyed(synthesiser: EspeakSynthesiser) -> None:
    hello = samples_in(await spoken(synthesiser, "hello"))
    # As SSML this would be silence for 20 s; as phonemes the second would be as short as the word.
    assert hello < samples_in(await spoken(synthesiser, "<break time='20s'/>hello")) < 5 * 24_000
    assert samples_in(await spoken(synthesiser, "[[h@loU]]")) > 1.5 * hello


@pytest.mark.offline
async def test_what_begins_with_dots_begins_with_its_first_sound(synthesiser: EspeakSynthesiser) -> None:
    assert await spoken(synthesiser, "... \n\n hello") != b""
    for text in ("... hello", "— well", "hello"):
        loud = np.flatnonzero(np.abs(to_float(await spoken(synthesiser, text))) > 0.01)
        assert loud[0] < 60 * 24, text


@pytest.mark.offline
async def test_nothing_to_say_is_no_sound(synthesiser: EspeakSynthesiser) -> None:
    for text in ("", "  \n", "...", "?!"):
        assert await spoken(synthesiser, text) == b""


@pytest.mark.offline
@pytest.mark.parametrize(
    "text", ["9" * 900, "a" * 900, "😀" * 300, "[" * 900 + "a", "1/2 " * 200, "\ud800", "word\n" * 200]
)
async def test_odd_text_ends(synthesiser: EspeakSynthesiser, text: str) -> None:
    with trio.fail_after(30):
        assert len(await spoken(synthesiser, text)) < 180 * 48_000
        assert len(await spoken(synthesiser, "hello")) > 10_000


@pytest.mark.offline
async def test_several_speak_at_once_and_each_hears_its_own(synthesiser: EspeakSynthesiser) -> None:
    texts = ["One.", "Two, and more.", SENTENCE, f"{SENTENCE} And so on.", "The fifth of them.", "Enough!"]
    alone = [await spoken(synthesiser, text) for text in texts]
    together: dict[int, bytes] = {}

    async def speak(number: int) -> None:
        together[number] = await spoken(synthesiser, texts[number])

    async with trio.open_nursery() as nursery:
        for number in range(len(texts)):
            nursery.start_soon(speak, number)

    for number, speech in enumerate(alone):
        assert alike(together[number], speech), texts[number]


@pytest.mark.offline
async def test_abandoned_at_any_chunk_it_speaks_again_in_the_same_process(
    synthesiser: EspeakSynthesiser,
) -> None:
    await synthesiser.warm()
    pid = synthesiser._child.pid
    for taken in range(12):
        async with aclosing(synthesiser.speak(SENTENCE * 10, voice="alloy", speed=1.0)) as chunks:
            for _ in range(taken):
                await anext(chunks)
    assert await spoken(synthesiser, SENTENCE) != b""
    assert synthesiser._child.pid == pid


ABANDONED = """
from rtassist.server import synthesis_child

class Job:
    payload = b"en-us\\n80\\n0\\n0\\n" + b"a long text " * 20
    answers = 0

    @property
    def abandoned(self):
        return self.answers == 3

    def answer(self, chunk):
        self.answers += 1

job = Job()
synthesis_child.set_up()(job)
print(job.answers)
"""


@pytest.mark.offline
def test_the_library_stops_when_the_job_is_abandoned() -> None:
    run = subprocess.run(
        [sys.executable, "-c", ABANDONED], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (run.stdout, run.stderr) == ("3\n", "")


@pytest.mark.offline
@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
async def test_its_death_is_told_once_and_it_speaks_again(synthesiser: EspeakSynthesiser) -> None:
    async with aclosing(synthesiser.speak(SENTENCE * 100, voice="alloy", speed=1.0)) as chunks:
        await anext(chunks)
        pid = synthesiser._child.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(PartFailed, match="Speech synthesis stopped in the middle") as failed:
            async for _ in chunks:
                pass
    assert failed.value.code == "tts_died"
    assert await spoken(synthesiser, SENTENCE) != b""
