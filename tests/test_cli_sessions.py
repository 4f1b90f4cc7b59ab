"""The commands about recordings as a program: what is printed where, and exit codes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen
from rich.cells import cell_len

from rtassist.cli import main
from rtassist.dialogue import events
from rtassist.dialogue.terms import Terms
from rtassist.sessions.disk import INDEX, Disk
from rtassist.sessions.recorder import Recorder
from rtassist.sessions.replay import Equal, replay
from tests import playbook as p
from tests.sessions import making
from tests.sessions.making import Recording
from tests.test_cli import rtassist

Run = Callable[..., "Ran"]
NEW, OLD = "2026-03-02_10-00-00_ab3d", "2026-03-01_09-30-00_xy7z"


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """Two recordings, an old one and a new one with wide characters."""
    disk = Disk(tmp_path / "recordings")
    disk.save(OLD, making.spoken().lines)
    lines = making.typed().lines
    lines[0] = lines[0].replace(making.STARTED.encode(), b"2026-03-02T10:00:00Z")
    disk.save(NEW, lines)
    return disk


@frozen
class Ran:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """The console script's function in this process: loading it anew for each command would take seconds."""
    for name in os.environ:
        if name.startswith(("RTASSIST_", "OPENAI_")) or name == "COLUMNS":
            monkeypatch.delenv(name)
    (tmp_path / "config.toml").touch()
    monkeypatch.setenv("RTASSIST_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("RTASSIST_RECORD", str(tmp_path / "recordings"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **environ: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["rtassist", *arguments])
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err, err
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, out, err)

    return run


def test_the_list_has_a_line_for_each_the_newest_first(run: Run, disk: Disk) -> None:
    listed = run("sessions", "list")
    assert listed.returncode == 0
    assert listed.stdout.splitlines() == [
        f"{NEW}  0:02  3 turns  Wie spät ist es in 東京, my dear Watson?",
        f"{OLD}  0:04  3 turns  What is seventeen times twenty three?",
    ]
    assert listed.stderr == ""


@pytest.mark.parametrize("columns", [30, 45, 60, 61, 100])
def test_what_is_printed_fits_the_terminal(run: Run, disk: Disk, columns: int) -> None:
    for arguments in (("list",), ("show", NEW), ("show", OLD), ("search", "the")):
        told = run("sessions", *arguments, COLUMNS=str(columns)).stdout
        assert told
        for line in told.splitlines():
            assert cell_len(line) <= columns, line


def test_at_sixty_columns_a_line_is_cut_where_the_room_ends(run: Run, disk: Disk) -> None:
    first, second = run("sessions", "list", COLUMNS="60").stdout.splitlines()
    assert first == f"{NEW}  0:02  3 turns  Wie spät ist es in…"
    assert second == f"{OLD}  0:04  3 turns  What is seventeen …"


def test_an_empty_folder_says_what_to_do(run: Run, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    listed = run("sessions", "list", RTASSIST_RECORD=nowhere)
    assert listed.returncode == 0
    assert listed.stdout == ""
    assert "`rtassist talk` makes one" in listed.stderr
    assert run("sessions", "list", "--json", RTASSIST_RECORD=nowhere).stdout == "[]\n"
    none = run("sessions", "show", "last", RTASSIST_RECORD=nowhere)
    assert none.returncode == 2
    assert "no recording yet" in none.stderr


def test_what_is_no_recording_is_listed_and_not_shown(run: Run, disk: Disk) -> None:
    whole = making.called().lines
    disk.save("damaged", [*whole[:-4], b"\xff\n", *whole[-4:]])
    disk.save("foreign", [b'{"type":"session.created"}\n'])
    disk.save("unfinished", whole[:30])
    disk.save("empty", [])
    listed = run("sessions", "list").stdout
    assert "(damaged) line" in listed
    assert "(no recording) line 1: this is no recording of rtassist" in listed
    assert "(not ended) Where is the cheese" in listed
    assert "(not ended) it broke off before anything was recorded" in listed
    states = {one["id"]: one["state"] for one in json.loads(run("sessions", "list", "--json").stdout)}
    assert states == {
        NEW: "whole",
        OLD: "whole",
        "damaged": "damaged",
        "foreign": "foreign",
        "unfinished": "unfinished",
        "empty": "unfinished",
    }
    shown = run("sessions", "show", "damaged")
    assert shown.returncode == 2
    assert "Where is the cheese" in shown.stdout, "what can be read of it"
    assert f"damaged is damaged: line {len(whole) - 3}" in shown.stderr
    assert run("sessions", "show", "unfinished").returncode == 0
    for id in ("foreign", "empty"):
        told = run("sessions", "show", id)
        assert (told.returncode, told.stdout) == (2, "")


def test_one_hostile_file_hides_no_other(run: Run, disk: Disk) -> None:
    header, begin, *_ = making.typed().lines
    started = json.dumps({"started": "0001-01-01T00:00:00+05:00"})[1:-1].encode()
    hostile = {
        "deep": [b"[" * 200_000 + b"\n"],
        "deeper": [header, begin, b'{"us":9,"event":' + b"[" * 200_000 + b"\n"],
        "endless": [header, begin, b'{"us":9,"gap":{"lines":Infinity}}\n'],
        "surrogate": [header, begin, b'{ "us": 9, "event": "typed", "text": "\\ud800" }\n'],
        "early": [header.replace(b'"started":"%b"' % making.STARTED.encode(), started), begin],
    }
    for id, lines in hostile.items():
        disk.save(id, lines)
    listed = run("sessions", "list", "--json")
    states = {one["id"]: one["state"] for one in json.loads(listed.stdout)}
    assert states == {
        NEW: "whole",
        OLD: "whole",
        "deep": "foreign",
        "deeper": "damaged",
        "endless": "damaged",
        "surrogate": "unfinished",
        "early": "unfinished",
    }
    for id in hostile:
        assert run("sessions", "show", id).returncode == (0 if states[id] == "unfinished" else 2)


def test_a_conversation_is_shown_with_times_and_what_was_cut(run: Run, disk: Disk) -> None:
    shown = run("sessions", "show", OLD[:10])
    assert shown.stdout.splitlines()[:6] == [
        OLD,
        "2026-03-01 09:30:00 UTC, 0:04, 1 interrupted",
        "0:00  you        What is seventeen times twenty three?",
        "0:01  assistant  That is 391.",
        "0:02  you        Read me a story.",
        "0:03  assistant  Once upon [interrupted; not heard: a time, in 1912, there was a lighthouse with "
        "two keepers. The older one was called Ada.]",
    ]
    values = json.loads(run("sessions", "show", OLD, "--json").stdout)
    assert values["id"] == OLD
    assert [entry["kind"] for entry in values["entries"]] == ["line"] * 6
    assert values["entries"][3]["heard_ms"] == 600
    (disk.folder / f"{OLD}.mic.flac").write_bytes(b"fLaC")
    for name in (OLD, str(disk.path(OLD))):
        values = json.loads(run("sessions", "show", name, "--json").stdout)
        assert (values["audio"], values["size"]) == (True, disk.path(OLD).stat().st_size + 4)


def test_ids_are_found_by_prefix_tail_last_and_file(run: Run, disk: Disk) -> None:
    for name in (NEW, "2026-03-02", "ab3", "last", str(disk.path(NEW))):
        assert run("sessions", "show", name).stdout.startswith(f"{NEW}\n"), name
    several = run("sessions", "show", "2026")
    assert several.returncode == 2
    assert NEW in several.stderr
    assert OLD in several.stderr
    for nobody in ("1999", "~nobody-of-this-name/x.jsonl", f"{'x' * 300}.jsonl", "a" * 5000 + "/b.jsonl"):
        none = run("sessions", "show", nobody)
        assert none.returncode == 2
        assert "rtassist sessions list" in none.stderr
        assert run("sessions", "list", RTASSIST_RECORD=nobody).returncode in (0, 1)
    long = run("sessions", "redact", NEW, "--out", f"{'x' * 300}.jsonl")
    assert (long.returncode, "cannot be written: file name too long" in long.stderr) == (1, True)


def test_a_recording_is_replayed_by_its_id(run: Run, disk: Disk) -> None:
    for name in (OLD[:10], "xy7z", str(disk.path(OLD))):
        told = run("replay", name)
        assert (told.returncode, told.stdout.splitlines()[0]) == (0, f"{disk.path(OLD)}: equal")
    assert "my dear Watson" in run("replay", "last", "--show").stdout
    none = run("replay", "1999", "2026")
    assert (none.returncode, none.stdout) == (2, "")
    assert "2 recordings begin with '2026'" in none.stderr
    assert "There is no file 1999." in run("replay", "1999").stderr


def test_words_are_searched(run: Run, disk: Disk) -> None:
    found = run("sessions", "search", "LIGHTHOUSE", "keep")
    assert found.returncode == 0
    title, line = found.stdout.splitlines()
    assert title == OLD
    assert line.startswith("  0:03  assistant  Once upon a time")
    assert [match["id"] for match in json.loads(run("sessions", "search", "東京", "--json").stdout)] == [NEW]
    none = run("sessions", "search", "unicorn")
    assert (none.returncode, none.stdout) == (1, "")
    assert "unicorn" in none.stderr


def test_a_long_line_is_shown_from_near_what_was_found(run: Run, disk: Disk) -> None:
    _, line = run("sessions", "search", "Ada", COLUMNS="60").stdout.splitlines()
    assert "Ada" in line
    assert line.startswith("  0:03  assistant  …")


def test_a_conversation_is_exported(run: Run, disk: Disk) -> None:
    markdown = run("sessions", "export", OLD).stdout
    assert markdown.startswith(f"# {OLD.replace('_', chr(92) + '_')}\n")
    assert "**Assistant** (0:03): Once upon ~~a time, in 1912" in markdown
    text = run("sessions", "export", OLD, "--format", "txt").stdout
    assert "[0:01] Assistant: That is 391.\n" in text
    subtitles = run("sessions", "export", OLD, "-f", "srt").stdout
    assert subtitles.startswith(
        "1\n00:00:00,300 --> 00:00:01,800\nYou: What is seventeen times twenty three?\n\n2\n"
    )
    assert "Assistant: Once upon—" in subtitles
    values = json.loads(run("sessions", "export", OLD, "-f", "json").stdout)
    assert values["turns"] == 3
    out = disk.folder.parent / "story.md"
    assert run("sessions", "export", OLD, "-o", str(out)).returncode == 0
    assert out.read_text("utf-8") == markdown
    if os.name == "posix":
        assert out.stat().st_mode & 0o777 == 0o600
    again = run("sessions", "export", OLD, "-o", str(out))
    assert again.returncode == 2
    assert "not written over" in again.stderr
    assert run("sessions", "export", OLD, "-f", "pdf").returncode == 2


def test_a_recording_is_redacted_to_a_file_that_replays(run: Run, disk: Disk) -> None:
    (disk.folder / f"{OLD}.mic.flac").write_bytes(b"fLaC")
    done = run("sessions", "redact", OLD)
    out = disk.folder.parent / f"{OLD}-redacted.jsonl"
    assert done.returncode == 0, done.stderr
    assert str(out) in done.stderr
    lines = out.read_bytes().splitlines(keepends=True)
    assert isinstance(replay(lines), Equal)
    assert b"lighthouse" not in out.read_bytes()
    assert not out.with_name(f"{OLD}-redacted.mic.flac").exists()
    assert "Xxxx" not in run("sessions", "show", str(out)).stdout
    again = run("sessions", "redact", OLD)
    assert (again.returncode, "not written over" in again.stderr) == (2, True)
    loud = disk.folder.parent / "loud.jsonl"
    assert run("sessions", "redact", OLD, "--text", "--out", str(loud)).returncode == 0
    assert loud.with_name("loud.mic.flac").read_bytes() == b"fLaC"


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="a file that nobody can read is of Linux")
def test_what_cannot_be_redacted_whole_leaves_nothing(run: Run, disk: Disk) -> None:
    (disk.folder / f"{OLD}.mic.flac").write_bytes(b"fLaC")
    (disk.folder / f"{OLD}.voice.flac").symlink_to("/proc/self/mem")
    before = set(disk.folder.parent.iterdir())
    told = run("sessions", "redact", OLD, "--text", "--out", "loud.jsonl")
    assert (told.returncode, told.stdout) == (1, "")
    assert f"{OLD}.voice.flac cannot be read: input/output error." in told.stderr
    assert set(disk.folder.parent.iterdir()) == before


def test_a_recording_is_redacted_in_its_place(run: Run, disk: Disk) -> None:
    (disk.folder / f"{NEW}.voice.flac").write_bytes(b"fLaC")
    assert run("sessions", "search", "Watson").returncode == 0
    assert b"Watson" in (disk.folder / INDEX).read_bytes()
    before = disk.path(NEW).read_bytes()
    assert run("sessions", "redact", NEW, "--audio", "--in-place").returncode == 0
    assert disk.path(NEW).read_bytes().splitlines()[1:] == before.splitlines()[1:]
    assert not (disk.folder / f"{NEW}.voice.flac").exists()
    done = run("sessions", "redact", NEW, "--in-place")
    assert "commands: /help, stop!, Good bye" in done.stderr
    assert b"Watson" not in (disk.folder / INDEX).read_bytes()
    assert run("sessions", "search", "Watson").returncode == 1
    (one,) = [one for one in disk.all() if one.id == NEW]
    assert one.redacted == ("audio", "text")
    both = run("sessions", "redact", NEW, "--in-place", "--out", "x.jsonl")
    assert both.returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open is not replaced there at all")
def test_what_is_being_recorded_is_not_changed(run: Run, disk: Disk) -> None:
    live = disk.path("2027-live")
    recording = Recorder(live, about={"id": live.stem}, warn=pytest.fail)
    recording.begin(Terms(session=making.SESSION))
    recording.note(0, events.Typed("before"))
    for command in (("redact", "--in-place"), ("redact", "--audio", "--in-place"), ("rm", "--yes", OLD)):
        told = run("sessions", *command, "2027")
        assert (told.returncode, told.stdout) == (2, "")
        assert "2027-live is being recorded." in told.stderr
    assert disk.path(OLD).exists(), "all or none"
    recording.note(1, events.Typed("behind"))
    recording.close()
    assert [name in live.read_bytes() for name in (b"before", b"behind")] == [True, True]
    assert run("sessions", "rm", "--yes", "2027").returncode == 0


def test_what_does_not_replay_is_not_redacted(run: Run, disk: Disk) -> None:
    lines = making.spoken().lines
    at = next(i for i, line in enumerate(lines) if b'"effect":"hush"' in line)
    disk.save("changed", [*lines[:at], *lines[at + 1 :]])
    refused = run("sessions", "redact", "changed")
    assert refused.returncode == 1
    assert "does not replay equal" in refused.stderr
    assert list(disk.folder.parent.glob("changed*")) == []
    assert run("sessions", "redact", "changed", "--audio", "--in-place").returncode == 0, "no rule is asked"


def test_what_is_deleted_is_meant(run: Run, disk: Disk) -> None:
    for ending in (".mic.flac", ".voice.flac"):
        (disk.folder / f"{OLD}{ending}").write_bytes(b"fLaC")
    asked = run("sessions", "rm", OLD)
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert len(disk.all()) == 2
    wrong = run("sessions", "rm", OLD, "nobody", "--yes")
    assert wrong.returncode == 2
    assert len(disk.all()) == 2, "all or none"
    copy = disk.folder.parent / "copy.jsonl"
    copy.write_bytes(disk.path(OLD).read_bytes())
    assert run("sessions", "rm", "copy.jsonl", "./copy.jsonl", OLD, "last", "-y").returncode == 0
    assert not copy.exists()
    assert [path for path in disk.folder.iterdir() if not path.name.startswith(".")] == []


@pytest.mark.skipif(os.name != "posix", reason="a terminal as Unix has it")
@pytest.mark.parametrize(("answer", "left"), [("y\n", 1), ("n\n", 2), ("\n", 2)])
def test_on_a_terminal_deleting_is_asked_for(run: Run, disk: Disk, answer: str, left: int) -> None:
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "rtassist", "sessions", "rm", OLD],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        env=os.environ | {"RTASSIST_RECORD": str(disk.folder)},
    ) as removing:
        os.write(ours, answer.encode())
        _, told = removing.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert f"Delete {OLD}?".encode() in told
    assert len(disk.all()) == left


def test_two_recordings_are_compared(run: Run, disk: Disk) -> None:
    same = run("diff", OLD, OLD)
    assert (same.returncode, same.stdout) == (0, "Alike in all of their 3 turns.\n")
    other = run("diff", OLD, NEW, "--json")
    assert other.returncode == 1
    assert json.loads(other.stdout)["equal"] is False
    changed = (
        Recording()
        .happen(*making.asked("U1", "What is seventeen times twenty three?"))
        .happen(*making.answered("A1", "That is 400.", ms=1000))
        .end()
    )
    disk.save("changed", changed.lines)
    told = run("diff", OLD, "changed")
    assert told.returncode == 1
    first, *rest = told.stdout.splitlines()
    assert first == "turn 1 at 0:00 “What is seventeen times twenty three?”"
    assert [line.split() for line in rest[:2]] == [
        ["answer", "-", "That", "is", "391."],
        ["+", "That", "is", "400."],
    ]
    assert run("diff", OLD, "nobody").returncode == 2


def test_a_conversation_goes_on_with_an_old_one(run: Run, disk: Disk) -> None:
    lines = (
        Recording()
        .happen(p.typed("My name is Ada."), *making.answered("A1", "Hello, Ada.", ms=500))
        .end()
        .lines
    )
    disk.save("2027-old", [lines[0].replace(b"2026", b"2027", 1), *lines[1:]])
    fresh = disk.folder.parent / "new.jsonl"
    said = rtassist(
        *("talk", "--offline", "--text", "--resume", str(disk.path("2027-old")), "--record", str(fresh)),
        folder=disk.folder.parent,
        typed="hello\n",
    )
    assert said.returncode == 0, said.stderr
    assert "This goes on with 2027-old: 2 of its lines are known." in said.stderr
    told = fresh.read_bytes()
    assert json.loads(told.splitlines()[0])["resumed"] == "2027-old"
    sent = [json.loads(line)["client"] for line in told.splitlines() if b'"client"' in line]
    items = [event["item"] for event in sent if event["type"] == "conversation.item.create"]
    assert [(item["role"], item["content"]) for item in items] == [
        ("user", [{"type": "input_text", "text": "My name is Ada."}]),
        ("assistant", [{"type": "output_text", "text": "Hello, Ada."}]),
        ("user", [{"type": "input_text", "text": "hello"}]),
    ]
    assert b'"server":{"type":"error"' not in told
    assert isinstance(replay(told.splitlines(keepends=True)), Equal)
    shown = run("sessions", "show", str(fresh), "--json")
    assert [line["text"] for line in json.loads(shown.stdout)["earlier"]] == [
        "My name is Ada.",
        "Hello, Ada.",
    ]


def test_what_cannot_be_gone_on_with_is_told(run: Run, disk: Disk, tmp_path: Path) -> None:
    told = run("talk", "--offline", "--text", "--resume", "nobody")
    assert told.returncode == 2
    assert "nobody" in told.stderr
    nowhere = str(tmp_path / "nowhere")
    last = run("talk", "--offline", "--text", "--resume", "last", RTASSIST_RECORD=nowhere)
    assert last.returncode == 2
    by_default = rtassist(
        *("talk", "--offline", "--text"),
        folder=tmp_path,
        typed="hello\n",
        RTASSIST_RESUME="last",
        RTASSIST_RECORD=nowhere,
    )
    assert by_default.returncode == 0, "the first conversation has nothing to go on with"
    assert "goes on with" not in by_default.stderr
