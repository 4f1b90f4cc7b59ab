"""What the ring notes of a conversation, as it is asked for."""

import attrs
import numpy as np
import pytest
import trio

from rtassist.dialogue.doing import Doing, Standing
from rtassist.dialogue.state import Conversation, Sound, Utterance
from rtassist.dialogue.terms import Terms
from rtassist.gauge import FAINTEST_DBFS, Gauge
from rtassist.protocol import Session
from tests.ring import answer, call, speech_started

READY = Conversation(terms=Terms(session=Session(type="realtime")), ready=True)
SPEAKING = attrs.evolve(
    READY, utterances={"A1": Utterance(item_id="A1", response_id="R1", sound=Sound.SOUNDING)}
)


def tone(peak: float) -> bytes:
    wave = np.sin(np.arange(480) * 2 * np.pi * 400 / 24_000) * peak * 32767
    return wave.astype("<i2").tobytes()


async def test_a_level_is_the_peak_of_the_last_tenth_of_a_second() -> None:
    gauge = Gauge()
    gauge.follow(SPEAKING, 0)
    for peak in (1.0, 0.5, 0.01, 0.01, 0.01, 0.01):
        gauge.heard(tone(peak))
    gauge.sounded(tone(0.1))
    standing = gauge.standing()
    assert standing.mic_dbfs == pytest.approx(-6, abs=0.3)
    assert standing.voice_dbfs == pytest.approx(-20, abs=0.3)


async def test_silence_is_the_least_and_what_is_off_or_not_there_says_so() -> None:
    gauge = Gauge()
    gauge.heard(tone(1.0))
    gauge.sounded(tone(1.0))
    assert gauge.standing() == Standing(doing=Doing.CONNECTING)
    gauge.follow(READY, 0)
    assert gauge.standing().voice_dbfs == FAINTEST_DBFS, "what sounded before is over"
    gauge.follow(attrs.evolve(READY, muted=True), 0)
    assert gauge.standing().mic_dbfs == FAINTEST_DBFS
    assert not gauge.standing().microphone_on
    gauge.follow(attrs.evolve(READY, microphone=False, voiced=False), 0)
    assert (gauge.standing().mic_dbfs, gauge.standing().voice_dbfs) == (None, None)
    gauge.follow(READY, 0)
    gauge.heard(bytes(960))
    gauge.heard(b"\1")
    for _ in range(4):
        gauge.heard(b"")
    assert gauge.standing().mic_dbfs == FAINTEST_DBFS


async def test_whoever_draws_is_told_of_a_change_and_not_of_every_event(
    autojump_clock: trio.testing.MockClock,
) -> None:
    told: list[Standing] = []
    gauge = Gauge(lambda standing: told.append(standing()))
    async with call(gauge=gauge) as held:
        await trio.sleep(2)
        held.link.say(*answer("R1", "A1", seconds=1))
        await trio.sleep(0.5)
        held.link.say(speech_started("U1"))
        await trio.sleep(0.5)
    doing = [standing.doing for standing in told]
    assert doing == [Doing.CONNECTING, Doing.LISTENING, Doing.THINKING, Doing.SPEAKING, Doing.HEARING]
    assert [standing.elapsed_s for standing in told] == [0, 0, 2, 2, 2]
    speaking = told[3]
    assert speaking.latency_ms == 0
