"""`rtassist replay --show`, `--waterfall`, `--render` and `--listen` as a program."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtassist.cli import app
from rtassist.retelling import whole_lines
from rtassist.sessions.properties import Break
from rtassist.whole import Held
from tests.recordings.make import FOLDER
from tests.test_cli import CLEAN, rtassist

ROOT = Path(__file__).parents[1]
SPOKEN = FOLDER / "spoken.jsonl"


def test_the_conversation_and_the_waits_are_shown_as_narrow_as_the_terminal(tmp_path: Path) -> None:
    told = rtassist("replay", str(SPOKEN), "--show", "--waterfall", folder=tmp_path, COLUMNS="60")
    assert (told.returncode, told.stderr) == (0, "")
    assert "0:00  you        What is the weather?\n" in told.stdout
    assert "Tomorrow it rains [interrupted; not heard: from the" in " ".join(told.stdout.split())
    assert "   1    0:00    230    165     65  " in told.stdout
    assert max(map(len, told.stdout.splitlines())) <= 60
    assert "\x1b" not in told.stdout


def test_only_a_part_is_shown_where_that_is_wanted(tmp_path: Path) -> None:
    told = rtassist("replay", str(SPOKEN), "--show", "--until", "turn:1", folder=tmp_path)
    assert told.stdout.splitlines() == [
        "0:00  you        What is the weather?",
        "0:01  assistant  Sunny, they say.",
    ]
    wrong = rtassist("replay", str(SPOKEN), "--show", "--until", "noon", folder=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "--until is 'noon': must be a time such as 12.4s, or turn:3." in wrong.stderr


def test_of_a_damaged_one_is_shown_what_can_be_read(tmp_path: Path) -> None:
    *lines, _ = SPOKEN.read_bytes().splitlines(keepends=True)
    path = tmp_path / "damaged.jsonl"
    path.write_bytes(b"".join([*lines[:60], b"nonsense\n", *lines[60:]]))
    told = rtassist("replay", str(path), "--show", folder=tmp_path)
    assert told.returncode == 2
    assert "What is the weather?" in told.stdout
    assert "is damaged: line 61: " in told.stderr


def test_what_is_no_recording_has_nothing_to_show(tmp_path: Path) -> None:
    for way in (["--show"], ["--waterfall"], ["--render", "out.wav"], ["--listen", "--speaker", "none"]):
        told = rtassist("replay", str(ROOT / "README.md"), *way, folder=tmp_path)
        assert (told.returncode, told.stdout) == (2, "")
        assert "this is no recording of rtassist" in told.stderr
    assert not (tmp_path / "out.wav").exists()


def test_of_several_those_that_can_be_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, content in (("a", b"Dear diary\n"), ("b", SPOKEN.read_bytes()), ("c", b"")):
        (tmp_path / f"{name}.jsonl").write_bytes(content)
    for way, shown in (("--show", "What is the weather?"), ("--whole", "b.jsonl: every property holds")):
        code = app(["replay", str(tmp_path), way], standalone_mode=False)
        told = capsys.readouterr()
        assert code == 2
        assert shown in told.out
        assert "a.jsonl cannot be replayed so: this is no recording of rtassist." in told.err
        assert "c.jsonl cannot be replayed so: the file is empty." in told.err


def test_a_recording_is_written_as_sound_and_nothing_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(SPOKEN.read_bytes())
    soundfile.write(tmp_path / "s.mic.flac", np.full(60_000, 1000, np.int16), 24_000)
    soundfile.write(tmp_path / "s.voice.flac", np.full(96_000, 2000, np.int16), 24_000)
    told = rtassist("replay", "s.jsonl", "--render", "out.wav", folder=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    stereo, rate = soundfile.read(tmp_path / "out.wav", dtype="int16")
    assert (rate, stereo.shape[1]) == (24_000, 2)
    assert f"{len(stereo) / rate:.1f} s, microphone left, assistant right" in told.stdout
    assert (tmp_path / "out.wav").stat().st_mode & 0o777 == 0o600 or os.name == "nt"
    heard_ms = [600, 310, 220, 600, 300]  # as the loudspeaker reported of A1, A2, A7, A8 and A9
    assert np.count_nonzero(stereo[:, 1]) == sum(heard_ms) * 24
    assert np.count_nonzero(stereo[:, 0]) == 1800 * 24

    again = rtassist("replay", "s.jsonl", "--render", "out.wav", folder=tmp_path)
    assert (again.returncode, again.stdout) == (2, "")
    assert "out.wav is there already and is not written over" in again.stderr


def test_what_has_no_sound_is_silent_and_that_is_said(tmp_path: Path) -> None:
    told = rtassist("replay", str(SPOKEN), "--render", "out.flac", folder=tmp_path)
    assert told.returncode == 0
    assert (
        told.stderr
        == "Silent, for there is no sound of it: 1.8 s of the microphone and 2.0 s of the assistant.\n"
    )


def test_it_is_listened_to_at_another_speed(tmp_path: Path) -> None:
    options = ["--listen", "--speed", "4", "--speaker", "heard.wav"]
    told = rtassist("replay", str(SPOKEN), *options, folder=tmp_path)
    assert told.returncode == 0, told.stderr
    heard, rate = soundfile.read(tmp_path / "heard.wav")
    assert 2.5 < len(heard) / rate < 8, "a quarter of 11.2 s, and what a busy machine adds"
    too_fast = rtassist("replay", str(SPOKEN), "--listen", "--speed", "9", folder=tmp_path)
    assert too_fast.returncode == 2
    assert "--speed is 9: must be from 0.5 to 4." in too_fast.stderr


def test_without_a_loudspeaker_it_cannot_be_listened_to(tmp_path: Path) -> None:
    nowhere = f"unix:{tmp_path}/no-sound-server"
    told = rtassist("replay", str(SPOKEN), "--listen", folder=tmp_path, PULSE_SERVER=nowhere)
    assert (told.returncode, told.stdout) == (7, "")
    assert told.stderr.startswith("rtassist: ")


def test_ctrl_c_ends_listening_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rtassist", "replay", str(SPOKEN), "--listen", "--speed", "0.5"]
    command += ["--speaker", "-"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=CLEAN
    ) as running:
        assert running.stdout is not None
        assert running.stdout.read(9600)  # it is being heard: 22 s of it
        running.send_signal(signal.SIGINT)
        rest, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"Traceback" not in err
    assert len(rest) < 20 * 48_000


def test_one_way_to_look_at_a_time(tmp_path: Path) -> None:
    told = rtassist("replay", str(SPOKEN), "--show", "--listen", folder=tmp_path)
    assert told.returncode == 2
    assert "--show and --listen are done one at a time" in " ".join(told.stderr.split())
    told = rtassist("replay", str(SPOKEN), "--show", "--json", folder=tmp_path)
    assert told.returncode == 2
    assert "--json is of the exact replay alone" in " ".join(told.stderr.split())


def test_a_what_if_shows_what_would_change_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(SPOKEN.read_bytes())
    path.chmod(0o400)
    told = rtassist("replay", "s.jsonl", "--barge-at", "1.4s", folder=tmp_path, COLUMNS="96")
    assert (told.returncode, told.stderr) == (0, "")
    assert "+     hush item_id=A1\n" in told.stdout
    assert "+     send conversation.item.truncate" in told.stdout
    assert "s.jsonl, --barge-at 1.4s: 2 moments differ\n" in told.stdout
    assert "  asked for now: 1 × conversation.item.truncate, 1 × hush\n" in told.stdout
    assert path.read_bytes() == SPOKEN.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["s.jsonl"]


def test_a_what_if_that_changes_nothing_says_so(tmp_path: Path) -> None:
    told = rtassist("replay", str(SPOKEN), "--until", "turn:3", folder=tmp_path)
    assert (told.returncode, told.stdout) == (0, f"{SPOKEN}, --until turn:3: no moments differ\n")


def test_a_what_if_that_cannot_be_is_wrong_usage(tmp_path: Path) -> None:
    for options, why in (
        (["--barge-at", "1h"], "--barge-at is '1h': must be a time such as 12.4s or 300ms."),
        (["--rtt", "slow"], "--rtt is 'slow': must be a time"),
        (["--barge-at", "99s"], "--barge-at is behind the end of the recording, at 11.241 s."),
        (["--drop-playback", str(FOLDER)], "--drop-playback takes one recording; these are "),
    ):
        told = rtassist("replay", str(SPOKEN), *options, folder=tmp_path)
        assert told.returncode == 2
        assert why in told.stderr


def test_a_killed_recording_ends_with_the_last_sound_of_the_microphone(tmp_path: Path) -> None:
    path = tmp_path / "killed.jsonl"
    path.write_bytes(b"".join(SPOKEN.read_bytes().splitlines(keepends=True)[:54]))
    last = '{"us":1885000,"mic":[24000,14400],"chunks":[[0,480],'
    assert path.read_text("utf-8").splitlines()[-1].startswith(last)
    within = rtassist("replay", str(path), "--barge-at", "2.4s", folder=tmp_path)
    assert (within.returncode, within.stderr) == (0, "")
    behind = rtassist("replay", str(path), "--barge-at", "2.5s", folder=tmp_path)
    assert "--barge-at is behind the end of the recording, at 2.465 s." in behind.stderr


def test_the_whole_conversation_is_held_again(tmp_path: Path) -> None:
    told = rtassist("replay", str(SPOKEN), "--whole", folder=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(f"{SPOKEN}: every property holds; 0:11 held again in ")
    part = rtassist("replay", str(SPOKEN), "--whole", "--until", "turn:2", folder=tmp_path)
    assert "; 0:03 held again" in part.stdout
    assert "  P2 0  P3 0  " in part.stdout
    assert "  P2 3  P3 2  " in told.stdout


def test_a_broken_promise_is_told_with_its_time() -> None:
    held = Held(checks=Counter(P7=3), breaks=[Break("P7", 3_028_000, "A2 is truncated at 311")])
    lines = whole_lines("s.jsonl", held, 0.0)
    assert lines[0].startswith("s.jsonl: a property is broken")
    assert lines[2] == "  P7 is broken at 3.028 s: A2 is truncated at 311"


@pytest.mark.parametrize(
    "way",
    ["--show", "--waterfall", "--render=out.wav", "--until=9s", "--rtt=1s", "--barge-at=0.5s", "--whole"],
)
@pytest.mark.parametrize(
    ("line", "damage"),
    [
        (b'"effect":"play","item_id":"A2"', b'"effect":"play","item_id":["A2"]'),
        (b'"effect":"hush","item_id":"A2"', b'"effect":"hush"'),
        (b'"effect":"said","item_id":"A2"', b'"effect":"said"'),
        (b'"client":{"type":"conversation.item.truncate"', b'"client":[],"x":{"type":"y"'),
        (b'"effect":"set_alarm","name"', b'"effect":"set_alarm","x"'),
        (b'"event":"playback_ended"', b'"event":"playback_started"'),
    ],
)
def test_of_a_damaged_one_is_told_what_there_is_and_where_it_is_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str, line: bytes, damage: bytes
) -> None:
    """In this process: the command line and all behind it, without the time that it takes to start."""
    whole = SPOKEN.read_bytes()
    assert line in whole
    path = tmp_path / "damaged.jsonl"
    path.write_bytes(whole.replace(line, damage, 1))
    flag, _, value = way.partition("=")
    value = str(tmp_path / value) if flag == "--render" else value
    code = app(["replay", str(path), flag, *filter(None, [value])], standalone_mode=False)
    assert code == 2
    assert f"rtassist: {path} is damaged: line " in capsys.readouterr().err
