"""What the user says: turns by voice activity and by commit, transcripts, interruptions, silence."""

import base64
from typing import Any

import pytest

from rtassist.protocol import AssistantMessage, UserMessage
from rtassist.server.engine import MAX_APPEND_BYTES
from rtassist.server.formats import encoded
from rtassist.server.outside import Listened, Speak, SpeechOver, Spoke, Transcribed, TranscribeEnd
from rtassist.server.parts import Say, Transcript
from tests.server.desk import Desk
from tests.server.sounds import silence, tone

TRANSCRIBING = {"input": {"transcription": {"model": "whisper-1", "language": "en"}}}
PUSH_TO_TALK = {"input": {"turn_detection": None}}


def detection(**settings: Any) -> dict[str, Any]:
    return {"input": {"turn_detection": {"type": "server_vad", **settings}}}


def base64_of(pcm: bytes) -> str:
    return base64.b64encode(pcm).decode()


def test_a_turn_in_the_recorded_order() -> None:
    desk = Desk()
    desk.update(audio=TRANSCRIBING)
    desk.said = ["what time is it"]
    desk.answers = [[Say(text="Nine.")]]
    frames = desk.utter()
    names = [frame["type"] for frame in frames]
    assert names[:6] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    ids = {frames[i].get("item_id") or frames[i]["item"]["id"] for i in range(5)}
    assert len(ids) == 1
    assert frames[3]["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert frames[3]["item"]["status"] == "completed"
    deltas = desk.judge.of("conversation.item.input_audio_transcription.delta")
    assert [frame["delta"] for frame in deltas] == ["what", " time", " is", " it"]
    completed = desk.judge.only("conversation.item.input_audio_transcription.completed")
    assert completed["transcript"] == "what time is it"
    assert completed["usage"] == {"type": "duration", "seconds": 2}


def test_offsets_count_what_was_written_with_padding_and_trailing_silence() -> None:
    desk = Desk()
    # Frames of 32 ms: speech from 512 to 1120 ms is whole frames.
    for number in range(2):
        desk.hear(silence(512) + tone(608) + silence(704))
        started = desk.judge.of("input_audio_buffer.speech_started")[number]
        stopped = desk.judge.of("input_audio_buffer.speech_stopped")[number]
        assert started["audio_start_ms"] == number * 1824 + 512 - 300
        assert stopped["audio_end_ms"] == number * 1824 + 1120 + 500
        id = stopped["item_id"]
        assert desk.engine.history.find(id).ms == 300 + 608 + 500  # type: ignore[union-attr]


def test_settings_of_the_detection_are_kept_to() -> None:
    desk = Desk()
    desk.update(audio=detection(prefix_padding_ms=64, silence_duration_ms=200))
    seen = desk.hear(silence(512) + tone(608) + silence(320))
    assert (seen[0]["audio_start_ms"], seen[1]["audio_end_ms"]) == (448, 1320)
    desk.update(audio=detection(threshold=1.0))
    assert desk.hear(silence(512) + tone(608, level=0.004) + silence(640)) == []


def test_the_recogniser_hears_while_the_user_speaks() -> None:
    desk = Desk()
    desk.hear(silence(512) + tone(320))
    id = desk.judge.only("input_audio_buffer.speech_started")["item_id"]
    heard = len(desk.utterances[id])
    assert heard >= (300 + 288) * 48
    assert not any(isinstance(request, TranscribeEnd) for request in desk.asked)
    desk.hear(tone(320) + silence(704))
    assert desk.pending(TranscribeEnd).item_id == id
    held = desk.engine.history.find(id)
    assert held is not None
    assert desk.utterances[id] == bytes(held.pcm)


def test_a_burst_is_heard_like_speech_in_real_time() -> None:
    sound = (silence(512) + tone(608) + silence(704)) * 2
    paced, burst = Desk(), Desk()
    for desk in (paced, burst):
        desk.said, desk.answers = ["one", "two"], [[Say(text="A.")], [Say(text="B.")]]
    paced.hear(sound)
    burst.hear(sound, chunk_ms=60_000)
    turns = ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped")
    for name in turns:
        mine = [{k: v for k, v in f.items() if k.startswith("audio")} for f in paced.judge.of(name)]
        theirs = [{k: v for k, v in f.items() if k.startswith("audio")} for f in burst.judge.of(name)]
        assert mine == theirs
        assert len(mine) == 2


def test_speech_interrupts_the_answer() -> None:
    desk = Desk()
    desk.speech = False
    desk.answers = [[Say(text="A long story. It goes on and on.")]]
    desk.send("response.create")
    id = desk.pending(Speak).response_id
    desk.report(Spoke(response_id=id, pcm=tone(250)))
    frames = desk.hear(silence(512) + tone(320))
    assert [frame["type"] for frame in frames] == [
        "input_audio_buffer.speech_started",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    response = frames[-2]["response"]
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert response["output"][0]["status"] == "incomplete"


def test_speech_interrupts_only_the_conversation_s_answer() -> None:
    desk = Desk()
    desk.send("response.create", response={"conversation": "none"})
    desk.utter()
    assert desk.judge.of("response.done") == []


def test_speech_that_may_not_interrupt_is_answered_next() -> None:
    desk = Desk()
    desk.update(audio=detection(interrupt_response=False))
    desk.said = ["and you"]
    desk.send("response.create")
    desk.utter()
    assert desk.judge.of("response.done") == []
    desk.think(Say(text="First."))
    assert [frame["response"]["status"] for frame in desk.judge.of("response.done")] == ["completed"]
    assert len(desk.judge.of("response.created")) == 2
    desk.think(Say(text="Second."))
    assert len(desk.judge.of("response.done")) == 2


def test_no_answer_by_itself_where_the_client_says_when() -> None:
    desk = Desk()
    desk.update(audio=detection(create_response=False))
    desk.said = ["hello"]
    assert desk.utter()[-1]["type"] == "conversation.item.done"
    desk.send("response.create")
    assert desk.thoughts[-1].items[0].content[0].transcript == "hello"  # type: ignore[union-attr,index]


def test_thinking_waits_for_the_transcript() -> None:
    desk = Desk()
    desk.utter()
    assert desk.judge.only("response.created")
    assert desk.thoughts == []
    item_id = desk.pending(TranscribeEnd).item_id
    desk.report(Transcribed(item_id=item_id, transcript=Transcript(text="mumble", understood=False)))
    assert not desk.thoughts[-1].understood
    # Without a transcription in the session nobody is told.
    assert not any("transcription" in name for name in desk.judge.types())
    assert desk.report(Transcribed(item_id=item_id, transcript=Transcript(text="x", understood=True))) == []


def test_a_recogniser_that_fails_fails_the_answer_and_tells_why() -> None:
    desk = Desk()
    desk.update(audio=TRANSCRIBING)
    desk.said = [("It is deaf.", "stt_failed")]
    frames = desk.utter()
    failed = desk.judge.only("conversation.item.input_audio_transcription.failed")
    assert failed["error"] == {
        "type": "server_error",
        "code": "stt_failed",
        "message": "It is deaf.",
        "param": None,
    }
    response = desk.judge.only("response.done")["response"]
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["message"] == "It is deaf."
    assert frames[-1]["type"] == "rate_limits.updated"
    # Typing still works: the failure was of an older turn.
    desk.text("Can you read?")
    desk.answers = [[Say(text="Yes.")]]
    desk.send("response.create")
    assert desk.judge.of("response.done")[-1]["response"]["status"] == "completed"


def test_a_recogniser_that_fails_with_nobody_to_tell() -> None:
    desk = Desk()
    desk.update(audio=detection(create_response=False))
    desk.said = [("It is deaf.", "stt_failed")]
    assert desk.utter()[-1]["type"] == "conversation.item.done"
    assert not any("transcription" in name for name in desk.judge.types())


def test_a_deleted_turn_is_not_waited_for() -> None:
    desk = Desk()
    desk.text("Hello")
    desk.utter()
    item_id = desk.judge.only("input_audio_buffer.committed")["item_id"]
    assert desk.thoughts == []
    desk.send("conversation.item.delete", item_id=item_id)
    assert len(desk.thoughts) == 1
    assert desk.asked == [desk.thoughts[0]]


def test_late_transcripts_come_behind_the_answer() -> None:
    desk = Desk(late_transcripts=True)
    desk.update(audio=TRANSCRIBING)
    desk.said = ["what time is it"]
    desk.answers = [[Say(text="Nine.")]]
    names = [frame["type"] for frame in desk.utter()]
    done = names.index("response.done")
    assert names.index("conversation.item.input_audio_transcription.completed") > done
    assert names.index("conversation.item.input_audio_transcription.delta") > done


def test_push_to_talk() -> None:
    desk = Desk()
    desk.update(audio=PUSH_TO_TALK)
    desk.said = ["hello"]
    assert desk.hear(tone(300)) == []
    assert len(next(iter(desk.utterances.values()))) == 300 * 48
    frames = desk.send("input_audio_buffer.commit")
    assert [frame["type"] for frame in frames] == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert frames[0]["previous_item_id"] is None
    desk.answers = [[Say(text="Hi.")]]
    desk.send("response.create")
    assert desk.thoughts[-1].items[0].content[0].transcript == "hello"  # type: ignore[union-attr,index]
    desk.hear(tone(150))
    second = desk.send("input_audio_buffer.commit")[0]
    assert second["previous_item_id"] == desk.judge.of("response.done")[0]["response"]["output"][0]["id"]


@pytest.mark.parametrize(("ms", "told"), [(0, "0.00ms"), (99, "99.00ms")])
def test_a_commit_of_too_little(ms: int, told: str) -> None:
    desk = Desk()
    desk.update(audio=PUSH_TO_TALK)
    desk.hear(tone(ms))
    error = desk.error(desk.send("input_audio_buffer.commit", event_id="mine"))
    assert error["code"] == "input_audio_buffer_commit_empty"
    assert told in error["message"]
    assert error["event_id"] == "mine"
    desk.hear(tone(100 - ms))
    assert desk.send("input_audio_buffer.commit")[0]["type"] == "input_audio_buffer.committed"


def test_half_a_sample_waits_for_its_other_half() -> None:
    desk = Desk()
    desk.update(audio=PUSH_TO_TALK)
    pcm = tone(200)
    desk.send("input_audio_buffer.append", audio=base64_of(pcm[:4801]))
    desk.send("input_audio_buffer.append", audio="")
    desk.send("input_audio_buffer.append", audio=base64_of(pcm[4801:]))
    desk.send("input_audio_buffer.commit")
    assert bytes(desk.engine.history.last.pcm) == pcm  # type: ignore[union-attr]


def test_clear_forgets_what_was_said() -> None:
    desk = Desk()
    desk.update(audio=PUSH_TO_TALK)
    desk.hear(tone(300))
    assert desk.send("input_audio_buffer.clear")[0]["type"] == "input_audio_buffer.cleared"
    assert desk.asked == []
    assert desk.error(desk.send("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"
    desk.send("input_audio_buffer.clear")


def test_clear_and_commit_in_the_middle_of_a_detected_turn() -> None:
    desk = Desk()
    desk.said = ["first"]
    desk.hear(silence(512) + tone(320))
    desk.send("input_audio_buffer.clear")
    assert desk.asked == []
    desk.hear(tone(320))
    second = desk.judge.of("input_audio_buffer.speech_started")[1]
    assert second["audio_start_ms"] >= 512 + 320
    frames = desk.send("input_audio_buffer.commit")
    assert frames[0]["item_id"] == second["item_id"]
    assert desk.hear(silence(704)) == []


def test_a_commit_of_what_nobody_said() -> None:
    desk = Desk()
    desk.said = [""]
    desk.hear(silence(640))
    assert desk.send("input_audio_buffer.commit")[0]["type"] == "input_audio_buffer.committed"
    assert desk.engine.history.last.ms == 640  # type: ignore[union-attr]


def test_detection_can_be_switched_off_and_on() -> None:
    desk = Desk()
    desk.hear(silence(512) + tone(320))
    desk.update(audio=PUSH_TO_TALK)
    assert desk.hear(silence(1000)) == []
    desk.said = ["all of it"]
    id = desk.send("input_audio_buffer.commit")[0]["item_id"]
    assert id == desk.judge.only("input_audio_buffer.speech_started")["item_id"]
    desk.update(audio=detection())
    seen = desk.hear(silence(512) + tone(320))
    assert seen[0]["audio_start_ms"] == 1832 + 512 - 300


def test_what_was_begun_by_hand_is_left_to_the_detection() -> None:
    desk = Desk()
    desk.update(audio=PUSH_TO_TALK)
    desk.hear(tone(320))
    desk.update(audio=detection())
    desk.hear(silence(512) + tone(320) + silence(704))
    assert len(next(iter(desk.utterances.values()))) == 320 * 48
    # The first utterance is nobody's any more: one end is waited for.
    assert [request.item_id for request in desk.asked] == [
        desk.judge.only("input_audio_buffer.committed")["item_id"]
    ]


def test_probabilities_of_a_detection_that_is_off_are_ignored() -> None:
    desk = Desk()
    desk.update(audio=PUSH_TO_TALK)
    assert desk.report(Listened(probabilities=(1.0, 1.0, 1.0))) == []


def test_semantic_detection_waits_as_long_as_it_is_eager() -> None:
    ends = {}
    for eagerness in ("low", "medium", "high", "auto"):
        desk = Desk()
        desk.update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": eagerness}}})
        desk.hear(silence(512) + tone(608) + silence(2000))
        ends[eagerness] = desk.judge.only("input_audio_buffer.speech_stopped")["audio_end_ms"] - 1120
    assert ends == {"low": 1600, "medium": 800, "high": 400, "auto": 800}


def test_what_nobody_takes_is_forgotten() -> None:
    desk = Desk(max_input_ms=1000)
    desk.update(audio=PUSH_TO_TALK)
    desk.hear(tone(700) + tone(700, hertz=880))
    desk.send("input_audio_buffer.commit")
    assert bytes(desk.engine.history.last.pcm) == (tone(700) + tone(700, hertz=880))[-48_000:]  # type: ignore[union-attr]


def test_silence_is_kept_no_longer_than_anybody_may_ask_for_it() -> None:
    desk = Desk()
    desk.hear(silence(50_000), chunk_ms=1000)
    desk.said = [""]
    desk.send("input_audio_buffer.commit")
    assert 35_000 <= desk.engine.history.last.ms < 36_000  # type: ignore[union-attr]


def test_an_append_may_not_be_too_big() -> None:
    desk = Desk()
    audio = base64_of(bytes(MAX_APPEND_BYTES + 2))
    assert desk.error(desk.send("input_audio_buffer.append", audio=audio))["code"] == "invalid_value"


def test_g711_comes_in_at_a_byte_a_sample() -> None:
    desk = Desk()
    desk.update(audio={"input": {"format": {"type": "audio/pcmu"}}})
    desk.said = ["hello"]
    audio = encoded(silence(512) + tone(608) + silence(704), "audio/pcmu")
    assert len(audio) == 1824 * 8
    for start in range(0, len(audio), 160):
        desk.send("input_audio_buffer.append", audio=base64_of(audio[start : start + 160]))
    stopped = desk.judge.only("input_audio_buffer.speech_stopped")
    assert abs(stopped["audio_end_ms"] - 1620) <= 64
    retrieved = desk.send("conversation.item.retrieve", item_id=stopped["item_id"])[0]["item"]["content"][0]
    ms = desk.engine.history.find(stopped["item_id"]).ms  # type: ignore[union-attr]
    assert abs(len(base64.b64decode(retrieved["audio"])) - ms * 8) <= 8


def test_a_turn_can_be_listened_to_again() -> None:
    desk = Desk()
    desk.said = ["hello"]
    desk.utter()
    id = desk.judge.only("input_audio_buffer.committed")["item_id"]
    item = desk.send("conversation.item.retrieve", item_id=id)[0]["item"]
    assert item["content"][0]["transcript"] == "hello"
    assert base64.b64decode(item["content"][0]["audio"]) == desk.utterances[id]


def test_old_sound_goes_when_there_is_too_much() -> None:
    desk = Desk(max_sound_bytes=48 * 700)
    desk.update(audio=PUSH_TO_TALK)
    ids = []
    for _ in range(3):
        desk.said = ["hello"]
        desk.hear(tone(300))
        ids.append(desk.send("input_audio_buffer.commit")[0]["item_id"])
    items = [desk.send("conversation.item.retrieve", item_id=id)[0]["item"] for id in ids]
    assert ["audio" in item["content"][0] for item in items] == [False, True, True]
    assert items[0]["content"][0]["transcript"] == "hello"


def test_the_idle_clock_starts_when_the_answer_has_sounded() -> None:
    desk = Desk()
    desk.update(audio=detection(idle_timeout_ms=5000))
    desk.update(audio=TRANSCRIBING)
    desk.said = ["hello"]
    desk.answers = [[Say(text="A hundred characters would be a second; these are not as many.")]]
    desk.utter()
    sounded_ms = (
        desk.judge.only("response.done")["response"]["usage"]["output_token_details"]["audio_tokens"] * 50
    )
    desk.hear(silence(2000))
    rings = (desk.alarms["idle"] - desk.now_us) // 1000
    assert 0 <= sounded_ms + 5000 - 2000 - rings < 400
    frames = desk.wait(rings)
    assert [frame["type"] for frame in frames][:4] == [
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    fired = frames[0]
    assert fired["audio_end_ms"] - fired["audio_start_ms"] <= 5000
    assert frames[1]["item_id"] == fired["item_id"]
    # Nothing was said, and that is what the thinker reads.
    assert "response.created" in desk.judge.types()
    silent = desk.thoughts[-1].items[-1]
    assert isinstance(silent, UserMessage)
    assert silent.content[0].transcript == ""  # type: ignore[index]
    assert desk.judge.of("conversation.item.input_audio_transcription.completed")[-1]["transcript"] == ""


def test_the_idle_clock_stops_when_somebody_speaks_or_asks() -> None:
    desk = Desk()
    desk.update(audio=detection(idle_timeout_ms=5000, interrupt_response=False))
    desk.answers = [[Say(text="Hm.")]]
    desk.send("response.create")
    assert "idle" in desk.alarms
    desk.hear(silence(512) + tone(320))
    assert "idle" not in desk.alarms
    desk.answers = [[Say(text="Hm.")]]
    desk.send("response.create")
    assert "idle" in desk.alarms
    # It rings while the user speaks, at the same time as the last frame: nothing is triggered.
    assert desk.wait(20_000) == []
    desk.send("response.create")
    assert "idle" not in desk.alarms
    desk.think(Say(text="Hm."))
    assert "idle" in desk.alarms
    desk.update(audio=detection(idle_timeout_ms=None))
    assert "idle" not in desk.alarms


def test_nobody_is_prompted_where_the_client_creates_responses() -> None:
    desk = Desk()
    desk.update(audio=detection(idle_timeout_ms=5000, create_response=False))
    desk.answers = [[Say(text="Hm.")]]
    desk.send("response.create")
    frames = desk.wait(10_000)
    assert frames[0]["type"] == "input_audio_buffer.timeout_triggered"
    assert frames[-1]["type"] == "conversation.item.done"


def spoken(desk: Desk, text: str) -> str:
    desk.answers = [[Say(text=text)]]
    desk.send("response.create")
    id: str = desk.judge.of("response.done")[-1]["response"]["output"][0]["id"]
    return id


def test_a_truncated_item_keeps_what_was_heard() -> None:
    desk = Desk()
    # 10 ms for each character: "One two three." is 140 ms, then "Four five six." another 140.
    id = spoken(desk, "One two three. Four five six.")
    frame = desk.send("conversation.item.truncate", item_id=id, content_index=0, audio_end_ms=200)[0]
    assert (frame["type"], frame["audio_end_ms"]) == ("conversation.item.truncated", 200)
    item = desk.send("conversation.item.retrieve", item_id=id)[0]["item"]
    assert len(base64.b64decode(item["content"][0]["audio"])) == 200 * 48
    assert "transcript" not in item["content"][0]
    desk.text("Where were we?")
    desk.send("response.create")
    cut = desk.thoughts[-1].items[0]
    assert isinstance(cut, AssistantMessage)
    assert cut.content[0].transcript == "One two three. Four"  # type: ignore[index]


def test_all_limits_of_a_truncation() -> None:
    desk = Desk()
    id = spoken(desk, "One two three.")

    def truncate(**fields: Any) -> list[dict[str, Any]]:
        return desk.send(
            "conversation.item.truncate", **{"item_id": id, "content_index": 0, "audio_end_ms": 0} | fields
        )

    error = desk.error(truncate(audio_end_ms=141))
    assert error["code"] == "invalid_value"
    assert error["message"] == "Audio content of 140ms is already shorter than 141ms"
    assert desk.error(truncate(audio_end_ms=-1))["code"] == "invalid_value"
    assert desk.error(truncate(content_index=1))["param"] == "content_index"
    assert desk.error(truncate(item_id="item_0"))["code"] == "item_truncate_invalid_item_id"
    typed = desk.text("Hello")[0]["item"]["id"]
    error = desk.error(truncate(item_id=typed))
    assert error["message"] == "Only model output audio messages can be truncated"
    assert error["code"] is None
    assert truncate(audio_end_ms=140)[0]["type"] == "conversation.item.truncated"
    assert truncate(audio_end_ms=50)[0]["type"] == "conversation.item.truncated"
    assert desk.error(truncate(audio_end_ms=51))["code"] == "invalid_value"
    assert truncate(audio_end_ms=0)[0]["type"] == "conversation.item.truncated"
    desk.send("response.create")
    assert [item.id for item in desk.thoughts[-1].items] == [typed]  # type: ignore[union-attr]


def test_an_item_is_truncated_while_it_is_still_made() -> None:
    desk = Desk()
    desk.speech = False
    desk.answers = [[Say(text="A long story. It goes on.")]]
    desk.send("response.create")
    item_id = desk.judge.only("response.output_item.added")["item"]["id"]
    error = desk.error(
        desk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0)
    )
    assert error["message"] == "Only model output audio messages can be truncated"
    id = desk.pending(Speak).response_id
    desk.report(Spoke(response_id=id, pcm=tone(600)))
    desk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=300)
    # Its sound goes on until the response is cancelled, and none of it counts any more.
    assert desk.report(Spoke(response_id=id, pcm=tone(400)))
    desk.report(SpeechOver(response_id=id))
    desk.pending(Speak)
    frames = desk.send("response.cancel")
    assert frames[-2]["response"]["output"][0]["content"] == [{"type": "output_audio"}]
    item = desk.send("conversation.item.retrieve", item_id=item_id)[0]["item"]
    assert len(base64.b64decode(item["content"][0]["audio"])) == 300 * 48
    desk.send("response.create")
    cut = desk.thoughts[-1].items[0]
    assert isinstance(cut, AssistantMessage)
    # 13 characters at 15 a second; 300 ms of it.
    assert cut.content[0].transcript == "A"  # type: ignore[index]


def test_an_item_is_deleted_while_it_is_still_made() -> None:
    desk = Desk()
    desk.speech = False
    desk.answers = [[Say(text="A long story.")]]
    desk.send("response.create")
    item_id = desk.judge.only("response.output_item.added")["item"]["id"]
    desk.send("conversation.item.delete", item_id=item_id)
    frames = desk.send("response.cancel")
    names = [frame["type"] for frame in frames]
    assert "conversation.item.done" not in names
    assert "response.output_item.done" in names
    desk.send("response.create")
    assert desk.thoughts[-1].items == ()


def test_a_transcription_session() -> None:
    desk = Desk(kind="transcription")
    session = desk.judge.only("session.created")["session"]
    assert session["type"] == "transcription"
    desk.said = ["take this down", "and this"]
    frames = desk.utter()
    assert [frame["type"] for frame in frames] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        *["conversation.item.input_audio_transcription.delta"] * 3,
        "conversation.item.input_audio_transcription.completed",
    ]
    for type in ("response.create", "response.cancel", "output_audio_buffer.clear"):
        assert desk.error(desk.send(type))["code"] == "invalid_event"
    update = {
        "type": "transcription",
        "audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}},
    }
    told = desk.send("session.update", session=update)[0]["session"]["audio"]["input"]
    assert told["turn_detection"] is None
    assert told["transcription"] == {"model": "gpt-realtime-whisper", "language": None, "prompt": None}
    update["audio"]["input"]["turn_detection"] = {"type": "server_vad"}  # type: ignore[index]
    error = desk.error(desk.send("session.update", session=update))
    assert error["message"] == "Turn detection is not supported for this transcription model."
    desk.hear(tone(200))
    desk.send("input_audio_buffer.commit")
    assert (
        desk.judge.of("conversation.item.input_audio_transcription.completed")[1]["transcript"] == "and this"
    )


def test_a_language_is_passed_on() -> None:
    desk = Desk()
    desk.hear(silence(512) + tone(320))
    desk.update(audio=TRANSCRIBING)
    desk.update(audio=PUSH_TO_TALK)
    desk.hear(tone(320))
    desk.send("input_audio_buffer.commit")
    desk.hear(tone(320))
    content = [{"type": "input_audio", "audio": base64_of(tone(20))}]
    desk.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    assert desk.languages == [None, "en", "en"]
