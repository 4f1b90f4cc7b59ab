"""Logs of other programs: recognised, folded, and held against the protocol's laws."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rtassist.sessions import checking
from rtassist.sessions.foreign import check, is_log
from rtassist.sessions.laws_of_logs import Break
from rtassist.sessions.reading import Damaged

FOLDER = Path(__file__).parent / "logs"
Frames = list[dict[str, Any]]
GA: Frames = [json.loads(line) for line in (FOLDER / "ga.jsonl").read_text("utf-8").splitlines()]


def lines(frames: Frames) -> list[bytes]:
    return [json.dumps(frame).encode() + b"\n" for frame in frames]


def breaks(frames: Frames) -> list[str]:
    return [f"{each.frame}: {each.reason}" for each in check(lines(frames)).breaks]


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
def test_a_log_is_read_and_breaks_nothing(path: Path) -> None:
    report = checking.check(path)
    assert (report.code, report.problem, report.breaks) == (0, "", ())
    assert report.log
    assert report.summary is not None
    assert report.summary.assistant_turns


def test_what_servers_do_in_their_own_way_is_a_note() -> None:
    notes = {path.stem: " ".join(checking.check(path).notes) for path in FOLDER.iterdir()}
    assert notes["ga"] == ""
    assert "response.audio.delta is a name of the beta" in notes["beta"]
    for words in (
        "session.created does not say the type",
        "ping is an event that this program does not know",
        "response.content_part.done comes without its part",
        "status_details is a plain text",
        "transcript of an item is completed more than once",
        "never says conversation.item.done",
    ):
        assert words in notes["xai"]
    assert "has its part a second time as content" in notes["azure"]


def test_what_was_said_and_used_is_summed_up() -> None:
    summary = check(lines(GA)).summary
    assert (summary.user_turns, summary.assistant_turns, summary.tool_calls) == (2, 2, 1)
    assert (summary.interruptions, summary.truncations) == (1, 1)
    assert (summary.tokens.input, summary.tokens.output) == (200, 80)
    assert summary.model == "gpt-realtime-2.1"
    assert summary.cost_usd


@pytest.mark.parametrize(
    ("key", "payload", "client", "server"),
    [
        ("dir", "event", "client", "server"),
        ("direction", "data", "sent", "received"),
        ("dir", "data", "out", "in"),
    ],
)
def test_every_wrapping_is_the_same(key: str, payload: str, client: str, server: str) -> None:
    sides = {"client": client, "server": server}
    wrapped = [{"ts": 1.5, key: sides[frame["dir"]], payload: frame["event"]} for frame in GA]
    as_text = [{key: sides[frame["dir"]], payload: json.dumps(frame["event"])} for frame in GA]
    bare = [frame["event"] for frame in GA]
    expected = check(lines(GA))
    assert check(lines(wrapped)) == check(lines(as_text)) == check(lines(bare)) == expected
    assert check([json.dumps(GA, indent=1).encode()]) == expected


@pytest.mark.parametrize(
    ("line", "log"),
    [
        (b'{"type":"session.created"}\n', True),
        (b'[{"type":"session.created"}]', True),
        (b"[\n", True),
        (b'{"dir":"client","event":{}}\n', True),
        (b'{"dir":"up","event":{}}\n', False),
        (b'{"dir":"client"}\n', False),
        (b'{"format":"rtassist session"}\n', False),
        (b"{}\n", False),
        (b"", False),
        (b"hello\n", False),
    ],
)
def test_a_log_is_told_from_other_files(line: bytes, log: bool) -> None:
    assert is_log(line) is log


def at(name: str, number: int = 0, **fields: object) -> int:
    """The index of a frame by the name of its event and by fields of it."""
    found = [
        index
        for index, frame in enumerate(GA)
        if frame["event"]["type"] == name
        and all(frame["event"].get(key) == value for key, value in fields.items())
    ]
    return found[number]


def without(name: str, number: int = 0) -> Frames:
    index = at(name, number)
    return GA[:index] + GA[index + 1 :]


def twice(name: str, number: int = 0) -> Frames:
    index = at(name, number)
    return [*GA[: index + 1], GA[index], *GA[index + 1 :]]


def with_changed(name: str, number: int, **fields: object) -> Frames:
    index = at(name, number)
    event = {**GA[index]["event"], **fields}
    return [*GA[:index], {**GA[index], "event": event}, *GA[index + 1 :]]


def moved(name: str, to: str) -> Frames:
    index, before = at(name), at(to)
    rest = GA[:index] + GA[index + 1 :]
    return [*rest[:before], GA[index], *rest[before:]]


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (without("response.created"), "is of response resp_1, never created"),
        (twice("response.created"), "response resp_1 is created a second time"),
        (twice("response.done"), "response resp_1 is done a second time"),
        (without("response.done"), "response resp_2 is created while resp_1 is being made"),
        (moved("response.output_audio.delta", "rate_limits.updated"), "which was done in frame"),
        (without("response.output_item.added"), "item item_2"),
        (without("response.output_item.done"), "response resp_1 is done, and its item item_2 of frame"),
        (twice("response.output_item.done"), "item item_2 is done and is not open"),
        (without("response.content_part.done"), "content part 0 of its item item_2"),
        (without("response.content_part.added"), "content part 0 of item item_2 is done and is not open"),
        (without("conversation.item.done"), "item item_1 was added in frame"),
        (
            with_changed("input_audio_buffer.speech_started", 1, audio_start_ms=1),
            "audio_start_ms runs backwards",
        ),
        (
            with_changed("input_audio_buffer.speech_stopped", 1, audio_end_ms=900),
            "audio_end_ms runs backwards",
        ),
        (with_changed("conversation.item.truncate", 0, item_id="nobody"), "about item nobody"),
        (with_changed("conversation.item.truncate", 0, audio_end_ms=0), "audio_end_ms is not above 0"),
        (with_changed("conversation.item.truncated", 0, item_id="nobody"), "about item nobody"),
        (with_changed("response.cancel", 0, response_id="nobody"), "there is no response nobody"),
        (
            with_changed(
                "conversation.item.create",
                0,
                item={"type": "function_call_output", "call_id": "nobody", "output": ""},
            ),
            "there was no call nobody",
        ),
        (with_changed("session.update", 0, session={"output_modalities": ["audio", "text"]}), "session.type"),
        (with_changed("response.created", 0, response=None), "is no Realtime event: response"),
        (with_changed("conversation.item.create", 0, item="x"), "is no Realtime event: item"),
    ],
)
def test_a_broken_law_is_told_with_its_frame(frames: Frames, reason: str) -> None:
    found = breaks(frames)
    assert [each for each in found if reason in each], found


def test_responses_beside_the_conversation_may_be_many() -> None:
    beside = [
        {"type": "response.created", "response": {"id": f"resp_x{n}", "conversation_id": None}}
        for n in (1, 2)
    ]
    done = [{"type": "response.done", "response": frame["response"]} for frame in beside]
    assert breaks([GA[0]["event"], *beside, *done]) == []


def test_ids_from_before_the_log_are_no_break() -> None:
    log = check(lines(GA[at("response.output_audio.delta") :]))
    assert not [each for each in log.breaks if "never" in each.reason]
    assert "does not begin with session.created" in log.notes[0]


def test_a_torn_log_is_noted_and_one_that_is_damaged_is_no_log() -> None:
    good = lines(GA)
    assert "is torn" in check([*good[:-1], good[-1][:-9]]).notes[-1]
    with pytest.raises(Damaged, match="line 3: no JSON"):
        check([*good[:2], b"garbage\n", *good[2:]])
    with pytest.raises(Damaged, match="line 3: neither a Realtime event"):
        check([*good[:2], b"[1]\n", *good[2:]])
    with pytest.raises(Damaged, match="line 1: no JSON"):
        check([b"[" + good[0]])


@pytest.mark.parametrize("spoil", [lambda e: {**e, "type": 5}, lambda e: {"type": e["type"]}, lambda e: {}])
def test_no_frame_is_a_crash(spoil: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    for index in range(len(GA)):
        frames = [*GA[:index], {**GA[index], "event": spoil(GA[index]["event"])}, *GA[index + 1 :]]
        assert all(isinstance(each, Break) for each in check(lines(frames)).breaks)
