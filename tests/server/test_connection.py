"""One session in virtual time, over a stream in memory: pace, deadlines, failures, slow clients, and the
ends."""

import base64
import json
import math
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from rtassist.protocol import ResponseOutputAudioDelta, decode
from rtassist.server.connection import Parts
from rtassist.server.parts import Ask, PartFailed, Say, Transcript
from rtassist.server.serve import Options, Server
from tests.server.clients import Client, beside
from tests.server.scripted import Script, ScriptedThinker
from tests.server.sounds import silence, tone

SPEECH = silence(400) + tone(600) + silence(700)
TEXT = {"type": "realtime", "output_modalities": ["text"]}


def server_of(script: Script, **options: Any) -> Server:
    return Server(Options(**options), script.parts, port=0)


async def respond(client: Client, text: str = "Hello") -> dict[str, Any]:
    """Say something and wait for the end of the answer."""
    await client.say(text)
    response: dict[str, Any] = (await client.until("response.done"))[-1]["response"]
    return response


async def test_speech_leaves_faster_than_it_sounds_and_not_all_at_once(autojump_clock: MockClock) -> None:
    script = Script()
    script.thinker.script = [[Say(text="x" * 100 + ".")]] * 2
    async with beside(server_of(script, faster_than_real_time=4)) as client:
        await respond(client)
        kinds = zip(client.arrived, client.judge.types(), strict=True)
        times = [at for at, kind in kinds if kind == "response.output_audio.delta"]
        # 6.06 s of sound: the first second at once, the rest in a quarter of its time.
        assert times[0] == pytest.approx(0, abs=0.01)
        assert times[-1] - times[0] == pytest.approx(5.06 / 4, abs=0.1)
        assert sum(at == times[0] for at in times) * 0.2 == pytest.approx(1, abs=0.3)
        assert max(after - before for before, after in pairwise(times)) < 0.1


async def test_speech_over_a_long_answer_cuts_it(autojump_clock: MockClock) -> None:
    script = Script()
    script.recogniser.script = ["stop"]
    script.thinker.script = [[Say(text="A long story. "), Say(text="y" * 400 + ".")], [Say(text="Yes?")]]
    async with beside(server_of(script)) as client:
        await client.say("Tell me a story")
        while len(client.judge.of("response.output_audio.delta")) < 10:
            await client.receive()
        await client.hear(silence(400) + tone(300))
        frames = await client.until("response.done")
        response = frames[-1]["response"]
        assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        item_id = response["output"][0]["id"]
        await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=900)
        await client.hear(silence(700))
        await client.until("response.done")
        assert client.judge.only("conversation.item.truncated")["audio_end_ms"] == 900
    assert script.synthesiser.spoken == ["A long story.", "y" * 400 + ".", "Yes?"]
    # 900 ms are 15 characters of 60 ms.
    heard = script.thinker.asked[1].items[1].content[0].transcript  # type: ignore[union-attr,index]
    assert heard == "A long story."
    after = client.judge.types()[client.judge.types().index("response.done") :]
    late = [f for f in client.judge.of("response.output_audio.delta") if f["response_id"] == response["id"]]
    assert len(late) * 200 < 5000
    assert "conversation.item.truncated" in after


async def test_a_cancel_closes_what_was_asked_of_the_parts(autojump_clock: MockClock) -> None:
    script = Script()
    script.thinker.script = [[Say(text="One moment."), None]]
    async with beside(server_of(script)) as client:
        await client.say("Hello")
        await client.until("response.output_audio.delta")
        await client.send("response.cancel")
        await client.until("response.done")
        await trio.testing.wait_all_tasks_blocked()
        assert script.thinker.abandoned == 1


@pytest.mark.parametrize(
    ("trouble", "code", "message"),
    [
        (PartFailed("The model is out for lunch.", "llm_unreachable"), "llm_unreachable", "out for lunch"),
        (ValueError("oops"), "internal_error", "ValueError"),
        (None, "timeout", "did not come within 60 s"),
    ],
)
async def test_a_thinker_in_trouble_fails_its_response_and_nothing_else(
    autojump_clock: MockClock, trouble: Exception | None, code: str, message: str
) -> None:
    script = Script()
    script.thinker.script = [[Say(text="Well,"), trouble], [Say(text="Yes.")]]
    async with beside(server_of(script)) as client:
        await client.send("session.update", session=TEXT)
        failed = await respond(client)
        assert failed["status"] == "failed"
        assert failed["status_details"]["error"]["code"] == code
        assert message in failed["status_details"]["error"]["message"]
        assert failed["output"][0]["content"][0]["text"] == "Well,"
        assert (await respond(client))["status"] == "completed"


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (PartFailed("No voice.", "tts_failed"), "tts_failed"),
        (OSError("broken pipe"), "internal_error"),
    ],
)
async def test_a_synthesiser_in_trouble(autojump_clock: MockClock, trouble: Exception, code: str) -> None:
    script = Script()
    script.synthesiser.trouble = {"Bad.": trouble}
    script.thinker.script = [[Say(text="Good. Bad. Never.")], [Say(text="Good.")]]
    async with beside(server_of(script)) as client:
        failed = await respond(client)
        assert failed["status_details"]["error"]["code"] == code
        assert (await respond(client))["status"] == "completed"
    assert script.synthesiser.spoken == ["Good.", "Good."]


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (PartFailed("Deaf.", "stt_failed"), "stt_failed"),
        (RuntimeError("child died"), "internal_error"),
        (None, "timeout"),
    ],
)
async def test_a_recogniser_in_trouble(
    autojump_clock: MockClock, trouble: Exception | None, code: str
) -> None:
    script = Script()
    script.recogniser.script = [trouble, "hello"]
    script.thinker.script = [[Say(text="Hi.")]]
    async with beside(server_of(script)) as client:
        transcription = {"input": {"transcription": {"model": "whisper-1"}}}
        await client.send("session.update", session={"type": "realtime", "audio": transcription})
        await client.hear(SPEECH)
        failed = (await client.until("response.done"))[-1]["response"]
        assert failed["status_details"]["error"]["code"] == code
        error = client.judge.only("conversation.item.input_audio_transcription.failed")["error"]
        assert error["code"] == code
        await client.hear(SPEECH)
        assert (await client.until("response.done"))[-1]["response"]["status"] == "completed"


async def test_without_speech_parts_there_is_text_and_a_word_of_what_to_install(
    autojump_clock: MockClock,
) -> None:
    thinker = ScriptedThinker(script=[[Say(text="Hi.")]] * 2)
    parts = Parts(thinker=thinker, open_ear=Script().parts.open_ear)
    async with beside(Server(Options(), parts, port=0)) as client:
        failed = await respond(client)
        assert failed["status_details"]["error"]["code"] == "tts_unavailable"
        assert "pip install" in failed["status_details"]["error"]["message"]
        await client.hear(SPEECH)
        failed = (await client.until("response.done"))[-1]["response"]
        assert failed["status_details"]["error"]["code"] == "stt_unavailable"
        assert "pip install" in failed["status_details"]["error"]["message"]
        await client.send("session.update", session=TEXT)
        assert (await respond(client))["status"] == "completed"


async def test_a_recogniser_may_know_before_the_user_is_done(autojump_clock: MockClock) -> None:
    class Hasty:
        async def transcribe(
            self, chunks: trio.MemoryReceiveChannel[bytes], *, language: str | None
        ) -> Transcript:
            await chunks.receive()
            return Transcript(text="I know", understood=True)

    script = Script()
    script.thinker.script = [[Say(text="Good.")]]
    parts = Parts(
        thinker=script.thinker,
        recogniser=Hasty(),
        synthesiser=script.synthesiser,
        open_ear=script.parts.open_ear,
    )
    async with beside(Server(Options(), parts, port=0)) as client:
        await client.hear(SPEECH)
        await client.until("response.done")
    assert script.thinker.asked[0].items[0].content[0].transcript == "I know"  # type: ignore[union-attr,index]


async def test_an_utterance_that_is_cleared_is_not_recognised(autojump_clock: MockClock) -> None:
    script = Script()
    script.recogniser.script = ["second"]
    async with beside(server_of(script)) as client:
        off = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        await client.send("session.update", session=off)
        await client.hear(tone(300))
        await client.send("input_audio_buffer.clear")
        await client.until("input_audio_buffer.cleared")
        await client.hear(tone(200))
        await client.send("input_audio_buffer.commit")
        await client.until("conversation.item.done")
        await trio.testing.wait_all_tasks_blocked()
    assert [len(pcm) // 48 for pcm in script.recogniser.heard] == [200]


async def test_the_detection_can_be_restarted(autojump_clock: MockClock) -> None:
    script = Script()
    script.recogniser.script = ["one"]
    script.thinker.script = [[Say(text="Hm.")]]
    async with beside(server_of(script)) as client:
        for detection in ({"type": "server_vad"}, None, {"type": "server_vad"}):
            audio = {"input": {"turn_detection": detection}}
            await client.send("session.update", session={"type": "realtime", "audio": audio})
            await client.hear(silence(100))
        await client.hear(SPEECH)
        await client.until("response.done")
        assert client.judge.only("input_audio_buffer.speech_started")["audio_start_ms"] > 300


async def test_the_user_who_says_nothing_is_asked(autojump_clock: MockClock) -> None:
    script = Script()
    script.thinker.script = [[Say(text="Hello.")], [Say(text="Are you there?")]]
    async with beside(server_of(script)) as client:
        detection = {"type": "server_vad", "idle_timeout_ms": 6000}
        audio = {"input": {"turn_detection": detection}}
        await client.send("session.update", session={"type": "realtime", "audio": audio})
        await respond(client)
        done = trio.current_time()
        await client.until("input_audio_buffer.timeout_triggered")
        # "Hello." is 360 ms of sound.
        assert trio.current_time() - done == pytest.approx(6.36, abs=0.01)
        await client.until("response.done")


async def test_the_session_ends_after_an_hour(autojump_clock: MockClock) -> None:
    async with beside(server_of(Script())) as client:
        await client.receive()
        error = await client.receive()
        assert error["error"]["code"] == "session_expired"
        assert trio.current_time() == pytest.approx(3600, abs=1)
        assert await client.closed() == (1001, "Your session hit the maximum duration of 60 minutes.")


async def test_latency_and_jitter_delay_every_frame_and_keep_the_order(autojump_clock: MockClock) -> None:
    script = Script()
    script.thinker.script = [[Say(text="One two three four five six seven.")]]
    async with beside(server_of(script, latency_ms=200, jitter_ms=100, seed=1)) as client:
        await client.receive()
        assert 0.2 <= client.arrived[0] <= 0.301
        await client.send("session.update", session=TEXT)
        begin = trio.current_time()
        await respond(client)
        assert all(begin + 0.2 <= at <= begin + 0.301 for at in client.arrived[1:])
        assert len(set(client.arrived[1:])) > 1


async def test_a_connection_can_be_dropped_without_a_word(autojump_clock: MockClock) -> None:
    async with beside(server_of(Script(), drop_after_frames=2)) as client:
        await client.receive()
        await client.send("session.update", session=TEXT)
        await client.receive()
        assert await client.closed() == (1006, None)


async def test_extras_of_the_wire(autojump_clock: MockClock) -> None:
    script = Script()
    script.thinker.script = [[Say(text="One two.")]]
    async with beside(server_of(script, wire_extras=True)) as client:
        await client.send("session.update", session=TEXT)
        response = await respond(client)
    deltas = client.judge.of("response.output_text.delta")
    assert all(4 <= len(frame["obfuscation"]) <= 16 for frame in deltas)
    assert response["output"][0]["phase"] == "final_answer"
    assert client.judge.of("conversation.item.added")[1]["item"]["phase"] == "final_answer"
    assert "phase" not in client.judge.of("conversation.item.added")[0]["item"]


async def test_names_of_the_beta(autojump_clock: MockClock) -> None:
    script = Script()
    script.thinker.script = [[Say(text="One two.")], [Say(text="Three.")]]
    async with beside(server_of(script, beta_names=True), judged=False) as client:
        await client.say("Hello")
        spoken = await client.until("response.done")
        await client.send("session.update", session=TEXT)
        await client.say("Hello")
        written = await client.until("response.done")
    kinds = {frame["type"] for frame in spoken + written}
    assert {
        "response.audio.delta",
        "response.audio.done",
        "response.audio_transcript.delta",
        "response.audio_transcript.done",
        "response.text.delta",
        "response.text.done",
        "conversation.item.created",
    } <= kinds
    assert not any(
        ("output_" in kind and "item" not in kind) or kind.startswith("conversation.item.added")
        for kind in kinds
    )
    assert spoken[-1]["response"]["output"][0]["content"][0]["type"] == "audio"
    # What reads the beta's names takes them for today's.
    (delta,) = [frame for frame in spoken if frame["type"] == "response.audio.delta"][:1]
    assert isinstance(decode(json.dumps(delta)), ResponseOutputAudioDelta)


async def test_many_minutes_in_one_frame_do_not_stop_the_others(autojump_clock: MockClock) -> None:
    script = Script()
    script.thinker.script = [[Say(text="Yes.")]]
    server = server_of(script)
    async with beside(server) as loud, beside(server) as quick:
        await loud.receive()
        await quick.send("session.update", session=TEXT)
        await quick.until("session.updated")
        minutes = base64.b64encode(silence(180_000)).decode()
        await loud.send("input_audio_buffer.append", audio=minutes)
        await loud.send("input_audio_buffer.clear")
        assert (await respond(quick))["status"] == "completed"
        assert len(loud.judge.frames) == 1
        await loud.until("input_audio_buffer.cleared")


async def test_speech_waits_for_a_client_that_reads_slowly(autojump_clock: MockClock) -> None:
    script = Script()
    # 144 s of sound, 9 MB of frames, as fast as they are taken.
    script.thinker.script = [[Say(text="x" * 2400 + ".")]]
    server = server_of(script, faster_than_real_time=math.inf)
    async with beside(server, streams=trio.testing.lockstep_stream_pair) as client:
        await client.say("Hello")
        await trio.testing.wait_all_tasks_blocked(0.01)
        (connection,) = server._connections
        waiting = connection._outgoing._bytes
        assert 1_000_000 < waiting < 1_100_000
        await client.until("response.done")
    sound = b"".join(base64.b64decode(f["delta"]) for f in client.judge.of("response.output_audio.delta"))
    assert len(sound) == 2401 * 60 * 48


async def test_a_client_that_reads_nothing_is_let_go(autojump_clock: MockClock) -> None:
    script = Script()
    server = server_of(script, max_backlog_bytes=20_000, close_within_s=1)
    async with beside(server, streams=trio.testing.lockstep_stream_pair) as client:
        for _ in range(100):
            await client.send("response.cancel", event_id="x" * 500)
        assert server.sessions == 1
        await trio.sleep(1.5)
        assert server.sessions == 0


async def test_a_frame_that_nobody_takes_ends_the_session(autojump_clock: MockClock) -> None:
    server = server_of(Script())
    async with beside(server, streams=trio.testing.lockstep_stream_pair) as client:
        # The client's library takes one frame and the beginning of another without being asked.
        for _ in range(20):
            await client.send("response.cancel", event_id="x" * 500)
        await trio.sleep(29)
        assert server.sessions == 1
        await trio.sleep(5)
        assert server.sessions == 0


async def test_closing_does_not_wait_for_a_client_that_reads_nothing(autojump_clock: MockClock) -> None:
    server = server_of(Script(), close_within_s=1)
    async with beside(server, streams=trio.testing.lockstep_stream_pair) as client:
        for _ in range(20):
            await client.send("response.cancel", event_id="x" * 500)
        began = trio.current_time()
        await server.close()
        await trio.testing.wait_all_tasks_blocked()
        assert server.sessions == 0
        assert trio.current_time() - began <= 2


async def test_a_client_that_goes_away_takes_its_session_with_it(autojump_clock: MockClock) -> None:
    script = Script()
    script.thinker.script = [[None]]
    server = server_of(script)
    async with beside(server) as client:
        await client.say("Hello")
        await client.until("response.created")
        await trio.testing.wait_all_tasks_blocked()
    await trio.testing.wait_all_tasks_blocked()
    assert server.sessions == 0
    assert script.thinker.abandoned == 1


async def test_a_client_that_says_goodbye_is_answered(autojump_clock: MockClock) -> None:
    server = server_of(Script())
    async with beside(server) as client:
        await client.receive()
        await client.websocket.aclose(1000, "bye")
        await trio.testing.wait_all_tasks_blocked()
        assert server.sessions == 0


async def test_a_peer_that_says_nothing_is_not_waited_for(autojump_clock: MockClock) -> None:
    server = server_of(Script())
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.accept, theirs)
        with trio.fail_after(10):
            assert await ours.receive_some() == b""
    assert trio.current_time() == 5


async def test_a_thinker_that_never_pauses_can_be_cancelled(autojump_clock: MockClock) -> None:
    class Torrent:
        async def answer(self, ask: Ask) -> AsyncIterator[Say]:
            while True:
                yield Say(text="and ")

    parts = Parts(thinker=Torrent())
    async with beside(Server(Options(), parts, port=0)) as client:
        await client.send("session.update", session=TEXT)
        await client.say("Go")
        await client.until("response.output_text.delta")
        await client.send("response.cancel")
        assert (await client.until("response.done"))[-1]["response"]["status"] == "cancelled"
