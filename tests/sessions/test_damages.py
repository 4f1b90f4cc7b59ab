"""Recordings that were changed by hand, torn or spoilt: each has its exit code and its sentence."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rtassist.cli import main
from tests.recordings.make import FOLDER

Lines = list[bytes]
SPOKEN = (FOLDER / "spoken.jsonl").read_bytes().splitlines(keepends=True)


def where(*parts: str, after: int = 0) -> int:
    """The index of the first line, not before `after`, with these parts."""
    for index, line in enumerate(SPOKEN):
        if index >= after and all(part.encode() in line for part in parts):
            return index
    raise AssertionError(f"no line has {parts}")


HEARD_310 = where('"playback_ended"', '"heard":7440')
SPEECH = where("speech_started", '"U3"')
MIC = where('"mic"', after=20)
AUDIO = where("output_audio.delta", '"A2"')
HUSH = where('"hush"')
MIDDLE = len(SPOKEN) // 2


def replaced(index: int, old: str, new: str) -> Callable[[Lines], Lines]:
    assert old.encode() in SPOKEN[index], SPOKEN[index]
    return lambda lines: [
        *lines[:index],
        lines[index].replace(old.encode(), new.encode(), 1),
        *lines[index + 1 :],
    ]


def dropped(index: int) -> Callable[[Lines], Lines]:
    return lambda lines: lines[:index] + lines[index + 1 :]


def put(index: int, line: bytes) -> Callable[[Lines], Lines]:
    return lambda lines: [*lines[:index], line, *lines[index:]]


def swapped(index: int) -> Callable[[Lines], Lines]:
    return lambda lines: [*lines[:index], lines[index + 1], lines[index], *lines[index + 2 :]]


def flipped(index: int, byte: int, bit: int) -> Callable[[Lines], Lines]:
    def flip(lines: Lines) -> Lines:
        line = bytearray(lines[index])
        line[byte] ^= 1 << bit
        return [*lines[:index], bytes(line), *lines[index + 1 :]]

    return flip


def whole(text: bytes) -> Callable[[Lines], Lines]:
    return lambda lines: [text]


US = json.loads(SPOKEN[MIDDLE])["us"]
BOMB = b'{"us":%d,"server":%b}\n' % (US, b'{"type":"x","y":' + b"[" * 5000 + b"]" * 5000 + b"}")

DAMAGES: dict[str, tuple[Callable[[Lines], Lines], int, str]] = {
    # It can be read, and means something else.
    "a changed event": (
        replaced(where('"transcript":"And tomorrow?"'), "And tomorrow?", "And today?"),
        1,
        "-     line_ended item_id=U2",
    ),
    "a changed playback receipt": (replaced(HEARD_310, "7440", "7200"), 1, "audio_end_ms=300"),
    "a receipt of more than was played": (replaced(HEARD_310, "7440", "999999"), 1, "audio_end_ms=310"),
    "a changed effect": (replaced(HUSH, '"A2"', '"A1"'), 1, "-     hush item_id=A1"),
    "a dropped event": (dropped(SPEECH), 1, "hush item_id=A2"),
    "a dropped effect": (dropped(HUSH), 1, "+     hush item_id=A2"),
    "an effect twice": (lambda lines: put(HUSH, lines[HUSH])(lines), 1, "-     hush item_id=A2"),
    "two swapped effects": (swapped(where('"set_alarm"', '"answer"') - 1), 1, "different at line"),
    "a later time": (replaced(where('"text":"/quit"'), '"text":"/quit"', '"text":"x"'), 1, "-     quit"),
    "other terms": (replaced(1, '"transcribes":true', '"transcribes":false'), 1, "-     awaited item_id=U1"),
    "a bit flipped in a word": (
        flipped(where('"typed"', "never"), SPOKEN[where('"typed"', "never")].index(b"never"), 0),
        1,
        "+     send conversation.item.create",
    ),
    # Something is missing, and it is known what.
    "a torn tail": (lambda lines: [*lines[:-40], lines[-40][:-9]], 0, f"line {len(SPOKEN) - 39} is torn"),
    "zeros at its end, as a crash of the machine leaves them": (
        lambda lines: [*lines[:-1], bytes(4096)],
        0,
        f"line {len(SPOKEN)} is torn",
    ),
    "killed between two lines": (lambda lines: lines[:-40], 0, "not closed in order"),
    "killed within the effects of an event": (lambda lines: lines[: HUSH + 1], 0, "not closed in order"),
    "a gap": (
        lambda lines: [*lines[:MIDDLE], b'{"us":%d,"gap":{"lines":7}}\n' % US, *lines[MIDDLE + 7 :]],
        0,
        f"line {MIDDLE + 1}: here lines begin to be missing, 7 in all",
    ),
    "lines that end as on Windows": (
        lambda lines: [line.replace(b"\n", b"\r\n") for line in lines],
        0,
        "equal",
    ),
    "spaces, as another program writes them": (
        lambda lines: [json.dumps(json.loads(line)).encode() + b"\n" for line in lines],
        0,
        "equal",
    ),
    # It cannot be read, from some line on.
    "an empty file": (whole(b""), 2, "line 1: the file is empty"),
    "binary": (whole(bytes(range(256)) * 40), 2, "line 1: this is no recording"),
    "a text": (whole(b"Dear diary,\ntoday\n"), 2, "line 1: this is no recording"),
    "another object": (whole(b'{"name":"x"}\n'), 2, "line 1: this is no recording"),
    "another encoding": (
        lambda lines: [b"".join(lines).decode().encode("utf-16")],
        2,
        "line 1: this is no recording",
    ),
    "a wrong version": (replaced(0, '"version":1', '"version":2'), 2, "has version 2; this program reads 1"),
    "no header": (dropped(0), 2, "line 1: this is no recording"),
    "no beginning": (dropped(1), 2, "line 2: something happens before a conversation has begun"),
    "terms of the future": (
        replaced(1, '"terms":{', '"terms":{"magic":true,'),
        2,
        "line 2: the terms have magic",
    ),
    "two swapped moments": (swapped(MIC), 2, f"line {MIC + 2}: time runs backwards"),
    "dropped sound of the microphone": (dropped(MIC), 2, "the microphone goes on at sample"),
    "dropped sound of the voice": (
        lambda lines: lines[:AUDIO] + lines[AUDIO + 2 :],
        2,
        "the voice goes on at sample",
    ),
    "sound twice": (lambda lines: put(MIC, lines[MIC])(lines), 2, "the microphone goes on at sample"),
    "a bit flipped in the middle": (flipped(MIDDLE, 1, 4), 2, f"line {MIDDLE + 1}: no JSON"),
    "a bit flipped in a frame": (flipped(AUDIO, SPOKEN[AUDIO].index(b'"type"'), 1), 2, f"line {AUDIO + 1}:"),
    "zeros in the middle": (put(MIDDLE, bytes(512) + b"\n"), 2, f"line {MIDDLE + 1}: no JSON"),
    "an empty line": (put(MIDDLE, b"\n"), 2, f"line {MIDDLE + 1}: no JSON"),
    "two lines in one": (
        lambda lines: [*lines[:MIDDLE], lines[MIDDLE][:-1] + lines[MIDDLE + 1], *lines[MIDDLE + 2 :]],
        2,
        f"line {MIDDLE + 1}:",
    ),
    "an event that nobody knows": (
        put(MIDDLE, b'{"us":%d,"event":"danced"}\n' % US),
        2,
        f"line {MIDDLE + 1}: no event is called 'danced'",
    ),
    "a text in place of a number": (
        replaced(HEARD_310, "7440", '"7440"'),
        2,
        "playback_ended.heard is '7440'",
    ),
    "a number without end": (put(MIDDLE, b'{"us":' + b"9" * 5000 + b',"event":"typed"}\n'), 2, "line "),
    "sound for a year": (
        replaced(AUDIO, "4800]", "999999999999999]"),
        2,
        f"line {AUDIO + 1}: nothing is 999999999999999 samples long",
    ),
    "nested without end": (put(MIDDLE, BOMB), 2, f"line {MIDDLE + 1}:"),
    "nested deeper than Python reads, at once": (whole(b"[" * 200_000 + b"\n"), 2, "line 1: no JSON"),
    "nested deeper than Python reads": (
        put(MIDDLE, b'{"us":%d,"event":' % US + b"[" * 200_000 + b"\n"),
        2,
        f"line {MIDDLE + 1}: no JSON (nested too deeply)",
    ),
    "lines without end are missing": (
        put(MIDDLE, b'{"us":%d,"gap":{"lines":Infinity}}\n' % US),
        2,
        f"line {MIDDLE + 1}: gap is not as it should be",
    ),
    "a text was sent": (
        put(HUSH, b'{"us":%d,"client":"hello"}\n' % json.loads(SPOKEN[HUSH])["us"]),
        2,
        f"line {HUSH + 1}: nothing can have been asked for so",
    ),
    "a number with more digits than a float has, beside sound": (
        replaced(AUDIO, '"content_index":0', f'"content_index":1{"0" * 40}'),
        0,
        "equal",
    ),
    "a lone surrogate in another program's line": (
        put(MIDDLE, b'{ "us": %d, "event": "typed", "text": "\\ud800" }\n' % US),
        1,
        "different at line",
    ),
    "more behind the end": (lambda lines: [*lines, lines[-1]], 2, "something follows the end"),
    "other numbers at the end": (
        replaced(len(SPOKEN) - 1, '"mic_samples":', '"mic_samples":1'),
        2,
        "the microphone goes on at sample",
    ),
    "a number that JSON does not have": (
        replaced(MIC, '"chunks":[[0,480],[', '"chunks":[[0,480],[0'),
        2,
        "no JSON",
    ),
}


def replay(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """The program's exit code."""
    monkeypatch.setattr(sys, "argv", ["rtassist", "replay", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_has_its_exit_code_and_its_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, code, sentence = DAMAGES[name]
    path = tmp_path / "damaged.jsonl"
    path.write_bytes(b"".join(damage(list(SPOKEN))))

    assert replay(str(path), monkeypatch=monkeypatch) == code
    told = capsys.readouterr()
    assert sentence in (told.err if code == 2 else told.out)
    assert (told.out == "") == (code == 2)
    assert "Traceback" not in told.err
    assert "bug" not in told.err


def test_what_is_damaged_is_told_and_the_others_are_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, lines in (("a", SPOKEN), ("b", [b"garbage"]), ("c", dropped(HUSH)(SPOKEN)), ("d", SPOKEN)):
        (tmp_path / f"{name}.jsonl").write_bytes(b"".join(lines))
    assert replay("--json", str(tmp_path), monkeypatch=monkeypatch) == 2
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(Path(each["file"]).stem, each.get("result")) for each in told] == [
        *(("a", "equal"), ("b", "unreadable"), ("c", None), ("c", "different"), ("d", "equal"))
    ]
    assert told[0]["summary"]["interruptions"] == 3
    assert told[1]["problem"].startswith("line 1: this is no recording")
    difference, hush = told[2]["difference"], {"effect": "hush", "item_id": "A2"}
    assert (hush in difference["now"], hush in difference["recorded"]) == (True, False)
    assert difference["event"]["type"] == "input_audio_buffer.speech_started"
    assert difference["line"] == HUSH


def test_every_difference_can_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "damaged.jsonl"
    hushes = [index for index, line in enumerate(SPOKEN) if b'"hush"' in line]
    path.write_bytes(b"".join(line for index, line in enumerate(SPOKEN) if index not in hushes))
    assert replay("--all", str(path), monkeypatch=monkeypatch) == 1
    told = capsys.readouterr().out
    assert told.count("+     hush") == len(hushes) == 3
    assert "differences" in told


def test_what_is_not_there_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert replay(f"{tmp_path}/empty", f"{tmp_path}/nothing.jsonl", monkeypatch=monkeypatch) == 2
    told = capsys.readouterr().err
    assert "There is no recording (*.jsonl) in the folder" in told
    assert f"There is no file {tmp_path}/nothing.jsonl" in told
