"""The server as it is without a network: Silero, pocketsphinx, the stand-in and espeak-ng, with recorded
speech."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import trio

from rtassist.server.hearing import (
    FRAME_MS,
    Listening,
    SileroEar,
    SpeechStarted,
    SpeechStopped,
    TurnDetector,
    open_ear,
)
from rtassist.server.recognition import open_recogniser
from rtassist.server.serve import Options, Parts, Server, serve
from rtassist.server.stand_in.thinker import StandIn
from rtassist.server.synthesis import open_synthesiser
from tests.server.clients import connected
from tests.server.sounds import silence

pytestmark = pytest.mark.offline

SPEECH = Path(__file__).parents[1] / "speech"
USUAL = Listening(threshold=0.5, prefix_padding_ms=300, silence_duration_ms=500)


def speech(name: str) -> bytes:
    """A recorded sentence as PCM16 at 24 kHz."""
    samples, rate = soundfile.read(SPEECH / f"{name}.wav", dtype="float32")
    resampled = soxr.resample(samples, rate, 24_000)
    return (np.clip(resampled, -1, 1) * 32767).astype("<i2").tobytes()


@asynccontextmanager
async def offline_server() -> AsyncIterator[Server]:
    async with open_recogniser() as recogniser, open_synthesiser() as synthesiser:
        parts = Parts(thinker=StandIn(), recogniser=recogniser, synthesiser=synthesiser)
        async with serve(Options(), parts) as server:
            yield server


async def test_arithmetic_by_ear_and_by_mouth() -> None:
    async with offline_server() as server, connected(server.url) as client:
        await client.send(
            "session.update",
            session={"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}},
        )
        sentence = speech("what_is_seventeen_times_twenty_three_slt")
        await client.hear(silence(500) + sentence + silence(800))
        done = (await client.until("response.done"))[-1]["response"]
    heard = client.judge.only("conversation.item.input_audio_transcription.completed")["transcript"]
    assert heard == "what is seventeen times twenty three"
    assert "391" in done["output"][0]["content"][0]["transcript"]
    assert done["usage"]["output_token_details"]["audio_tokens"] >= 20


async def test_a_story_is_stopped_by_a_word() -> None:
    async with offline_server() as server, connected(server.url) as client:
        await client.hear(silence(500) + speech("read_me_a_story_rms") + silence(800))
        for _ in range(5):
            await client.until("response.output_audio.delta")
        await client.hear(silence(300) + speech("stop_slt") + silence(800))
        done = (await client.until("response.done"))[-1]["response"]
        assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        item_id = done["output"][0]["id"]
        await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=300)
        await client.until("conversation.item.truncated")
        with trio.fail_after(30):
            assert (await client.until("response.done"))[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize("wav", sorted(path.stem for path in SPEECH.glob("*.wav")))
def test_silero_hears_each_sentence_as_one_turn(wav: str) -> None:
    samples = np.frombuffer(speech(wav), "<i2")
    loud = np.nonzero(np.abs(samples) > np.abs(samples).max() * 0.05)[0]
    begin_ms, end_ms = 1000 + loud[0] / 24, 1000 + loud[-1] / 24
    ear, detector = SileroEar(), TurnDetector(USUAL)
    pcm = silence(1000) + samples.tobytes() + silence(1500)
    chunks = [pcm[start : start + 960] for start in range(0, len(pcm), 960)]
    frames = [probability for chunk in chunks for probability in ear.hear(chunk)]
    turns = [(detector.frame(probability), detector.heard_ms) for probability in frames]
    told = [(turn, at_ms) for turn, at_ms in turns if turn is not None]
    (started, told_start_ms), (stopped, told_end_ms) = told
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    # The first sound is in the turn, and it is told within 0.35 s; its end is told soon after the silence.
    assert started.start_ms <= begin_ms
    assert told_start_ms - begin_ms < 350
    assert end_ms < stopped.end_ms
    assert told_end_ms - end_ms - 500 < 250


def test_silero_is_what_listens_where_it_is_installed() -> None:
    ear = open_ear()
    assert isinstance(ear, SileroEar)
    assert ear.hear(silence(FRAME_MS * 10 + 1)) == (0.0,) * 10
    noise = (np.random.default_rng(3).normal(0, 0.02, 24_000) * 32767).astype("<i2").tobytes()
    assert max(ear.hear(noise)) < 0.5
    ear.restart()
    assert len(ear.hear(silence(FRAME_MS * 4))) == 3
