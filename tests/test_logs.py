"""The log file: private, without secrets and words, and never in anybody's way."""

import logging
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rtassist import logs
from rtassist.dialogue import effects, events
from rtassist.errors import Failure
from rtassist.logs import EventLines, logged, named
from rtassist.protocol import SessionUpdate, Unknown
from tests.playbook import audio, created, said, session_created
from tests.test_cli import rtassist

KEY = "sk-proj-abcdefghijklmnop"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "OPENED_AFTER_S", 0.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "rtassist.log"


def test_what_is_logged_is_in_a_file_of_the_owners_and_no_secret_is(file: Path) -> None:
    with logged("info", ["hunter2", ""], file):
        logs.LOG.info("the server said hunter2 and %s", KEY)
        logs.LOG.debug("not this")
        logging.getLogger("somebody").warning("theirs")
        logging.getLogger("somebody").info("nor this")
    text = file.read_text()
    assert "the server said [secret] and [secret]" in text
    assert "WARNING somebody: theirs" in text
    assert "this" not in text
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    logs.LOG.warning("behind it")
    assert "behind it" not in file.read_text()


def test_what_ends_the_program_is_logged_with_what_it_takes_to_find_it(file: Path) -> None:
    with pytest.raises(ZeroDivisionError), logged("error", [KEY], file):
        raise ZeroDivisionError(KEY)
    with pytest.raises(Failure), logged("info", [], file):
        raise Failure("No connection.")
    text = file.read_text()
    assert "Traceback" in text.split("No connection")[0]
    assert "ZeroDivisionError: [secret]" in text
    assert text.endswith("ended: No connection.\n")


def test_nothing_logged_is_no_file(file: Path) -> None:
    with logged("error", [], file):
        logs.LOG.info("not worth it")
    assert not file.parent.exists()


def test_a_log_that_cannot_be_written_is_missed_by_nobody(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.parent.write_text("no folder")
    with logged("info", [], file):
        logs.LOG.info("lost")
    assert capsys.readouterr() == ("", "")


def test_it_is_rotated_and_as_private_then(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 1000)
    with logged("info", [], file):
        for number in range(100):
            logs.LOG.info("line %d", number)
    written = sorted(path.name for path in file.parent.iterdir())
    assert written == ["rtassist.log", "rtassist.log.1", "rtassist.log.2"]
    assert "line 99" in file.read_text()
    if sys.platform != "win32":
        assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}


def test_an_event_is_named_by_its_type_and_nothing_in_it() -> None:
    secret = Unknown(f"x\x1b[2J {KEY}", {"text": "hello"})
    assert named(said(secret)) == "← x [2J [secret]"
    assert named(effects.Send(SessionUpdate(session=None))) == "→ session.update"  # type: ignore[arg-type]  # unread
    assert named(events.Typed("hello")) == "· Typed"
    assert named(events.MicHeard(b"")) == named(events.PlaybackAdvanced("A", 1)) == ""
    assert named(effects.Hush("A")) == named(effects.Show(effects.Notice("hello"))) == ""


def test_what_comes_again_and_again_is_two_lines() -> None:
    shown = EventLines()
    happened = [session_created(), created("R1"), *[audio("A1", ms=20)] * 5, events.Typed("x")]
    told = [line for us, event in enumerate(happened) for line in shown.saw(us * 1_500_000, event)]
    assert told == [
        "    0.000 s  ← session.created",
        "    1.500 s  ← response.created",
        "    3.000 s  ← response.output_audio.delta",
        "             ← response.output_audio.delta ×5",
        "   10.500 s  · Typed",
    ]
    assert shown.rest() == []


def test_debug_shows_the_events_on_stderr_and_the_answers_alone_on_stdout(tmp_path: Path) -> None:
    said_ = rtassist(
        *("talk", "--offline", "--text", "--debug", "--log-level", "debug"),
        folder=tmp_path,
        typed="what is 17 times 23\n",
        XDG_STATE_HOME=str(tmp_path / "state"),
    )
    assert said_.stdout == "Seventeen times twenty-three is 391.\n"
    for line in ("← session.created", "→ response.create", "· Typed", "until · committed"):
        assert line in said_.stderr
    assert "17 times" not in said_.stderr
    if sys.platform == "linux":
        log = (tmp_path / "state" / "rtassist" / "rtassist.log").read_text()
        assert "→ response.create" in log
        assert "17 times" not in log
        assert "is 391" not in log  # its digits alone are those of some millisecond


def test_the_files_own_machinery_is_not_loaded_to_start() -> None:
    program = (
        "import sys, rtassist.app; print('logging.handlers' in sys.modules, 'opentelemetry' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["False", "False"]
