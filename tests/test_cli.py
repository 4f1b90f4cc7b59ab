"""The command line as a program: exit codes, and what goes to which stream."""

import errno
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rtassist import cli
from rtassist.settings import Settings
from rtassist.terms import DEFAULT_SILENCE_MS

CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("RTASSIST_", "OPENAI_")) and "proxy" not in name.lower()
} | {"RTASSIST_RECORD": "0"}  # what is recorded is told: tests/test_talk_recorded.py


def rtassist(
    *arguments: str, folder: Path, typed: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rtassist", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        env=CLEAN | {"HOME": str(folder), "PYTHONPATH": str(Path(__file__).parents[1])} | environ,
        check=False,
    )


def test_help_and_version_are_on_stdout(tmp_path: Path) -> None:
    shown = rtassist("--help", folder=tmp_path)
    assert shown.returncode == 0
    assert "talk" in shown.stdout
    assert "serve" in shown.stdout
    assert rtassist("--version", folder=tmp_path).stdout.startswith("rtassist ")
    assert shown.stderr == ""


def test_help_tells_the_defaults_that_count_and_the_exit_codes(tmp_path: Path) -> None:
    words = {
        name: " ".join(rtassist(name, "--help", folder=tmp_path).stdout.split()) for name in ("talk", "serve")
    }
    defaults = Settings()
    for name in ("model", "voice", "vad"):
        assert f"(default: {getattr(defaults, name)})" in words["talk"]
    assert f"the connection (default: {defaults.timeout_s:g})" in words["talk"]
    assert f"ends your turn (default: {DEFAULT_SILENCE_MS})" in words["talk"]
    for name in ("host", "port", "max_sessions", "expires_s", "latency_ms", "jitter_ms"):
        assert f"(default: {getattr(defaults, name)})" in words["serve"]
    assert "Exit codes: 0 ended" in words["talk"]
    assert "<" not in words["talk"] + words["serve"], "a type of the program's in place of a word"


ALL = ("talk", "diff", "serve", "devices", "doctor", "replay", "config", "tools", "sessions")
OF_SESSIONS = ("list", "show", "search", "export", "redact", "rm")


@pytest.mark.parametrize("width", [60, 100])
def test_every_command_explains_itself_within_the_terminals_width(width: int) -> None:
    """Examples that are whole lines, and what the exit codes mean."""
    runner = CliRunner(env={"COLUMNS": str(width), "TERMINAL_WIDTH": str(width)})
    paths = [(), *((name,) for name in ALL), *(("sessions", name) for name in OF_SESSIONS)]
    for path in paths:
        told = runner.invoke(cli.app, [*path, "--help"], prog_name="rtassist", terminal_width=width)
        assert told.exit_code == 0, path
        assert "Exit code" in told.output, path
        lines = told.output.splitlines()
        assert max(map(len, lines)) <= width, path
        first = lines.index("  Examples:") + 1
        shown = list(itertools.takewhile(str.strip, lines[first:]))
        assert shown, path
        assert all("rtassist " in line for line in shown), path
    commands = runner.invoke(cli.app, ["--help"], terminal_width=60).output.split("Commands:")[1]
    assert {line.split()[0] for line in commands.split("\n\n")[0].split("\n") if line.strip()} == {
        *ALL,
        "bench",  # its help is that of python -m bench
    }
    assert "..." not in commands


@pytest.mark.skipif(sys.platform == "win32", reason="completes as shells of Unix do")
def test_the_shell_completes_commands_and_flags(tmp_path: Path) -> None:
    for words, wanted in (
        ("rtassist ta", "talk"),
        ("rtassist talk --max-c", "--max-cost"),
        ("ra talk --max-c", "--max-cost"),  # by a link of another name
    ):
        name = words.split()[0]
        environ = {
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
            f"_{name.upper()}_COMPLETE": "complete_bash",
        }
        script = f"import sys; sys.argv = [{name!r}]; from rtassist.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=CLEAN | {"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])} | environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout.split() == [wanted], done.stderr


@pytest.mark.parametrize("arguments", [("bogus",), ("talk", "--bogus"), ("talk", "--timeout", "soon")])
def test_wrong_usage_is_told_and_exits_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    told = rtassist(*arguments, folder=tmp_path)
    assert told.returncode == 2
    assert told.stdout == ""
    assert "Traceback" not in told.stderr
    assert "Error" in told.stderr


def test_every_wrong_setting_is_told_at_once_with_its_source(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RTASSIST_LANGUAGE=english\n")
    told = rtassist("talk", "--vad", "maybe", folder=tmp_path, RTASSIST_TIMEOUT="-1")
    assert told.returncode == 2
    for name in ("--vad", "RTASSIST_TIMEOUT", "RTASSIST_LANGUAGE"):
        assert name in told.stderr
    assert told.stdout == ""


def test_a_server_that_is_not_there_exits_3(tmp_path: Path) -> None:
    told = rtassist("talk", "--text", "--url", "ws://127.0.0.1:9/v1/realtime", folder=tmp_path)
    assert told.returncode == 3
    assert "127.0.0.1" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_key_is_not_sent_in_the_clear(tmp_path: Path) -> None:
    key = "sk-proj-abcdefghijklmnop"
    told = rtassist(
        "talk", "--text", "--url", "ws://192.0.2.1/v1/realtime", folder=tmp_path, OPENAI_API_KEY=key
    )
    assert told.returncode == 2
    assert "unencrypted" in told.stderr
    assert key not in told.stderr + told.stdout


@pytest.mark.parametrize(
    ("flag", "name"), [("--mic", "nobody.wav"), ("--speaker", "/nowhere/out.wav"), ("--mic", ".")]
)
def test_sound_that_was_asked_for_and_is_not_there_exits_7(flag: str, name: str, tmp_path: Path) -> None:
    other = "--speaker" if flag == "--mic" else "--mic"
    told = rtassist("talk", "--offline", flag, name, other, "none", folder=tmp_path)
    assert told.returncode == 7
    assert told.stdout == ""
    assert "Traceback" not in told.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = rtassist("serve", "--port", str(taken.getsockname()[1]), folder=tmp_path)
    assert told.returncode == 3
    assert "--port" in told.stderr
    assert told.stdout == ""


def test_typed_lines_through_a_pipe_give_the_answers_and_nothing_else(tmp_path: Path) -> None:
    said = rtassist("talk", "--offline", "--text", folder=tmp_path, typed="what is 17 times 23\nand plus 9\n")
    assert said.returncode == 0, said.stderr
    first, second = said.stdout.splitlines()
    assert "391" in first
    assert "400" in second


def test_a_reader_that_leaves_ends_the_program_quietly(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "rtassist", "talk", "--offline", "--text"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=CLEAN | {"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])},
    ) as talking:
        assert talking.stdin
        assert talking.stdout
        assert talking.stderr
        talking.stdout.close()
        talking.stdin.write("hello\n")
        talking.stdin.close()
        assert talking.wait(30) == 141
        assert "Traceback" not in talking.stderr.read()


@pytest.mark.offline
def test_a_language_that_the_embedded_server_does_not_hear_is_told_before_one_speaks(tmp_path: Path) -> None:
    file = Path(__file__).parent / "speech" / "hello_slt.wav"
    told = rtassist(
        "talk", "--offline", "--language", "de", "--mic", str(file), "--speaker", "none", folder=tmp_path
    )
    assert told.returncode == 7
    assert "English only, and --language is de" in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_a_server_that_is_open_to_others_and_has_no_key_says_so(tmp_path: Path) -> None:
    for environ, warned in (({}, True), ({"RTASSIST_SERVER_KEY": "secret"}, False)):
        with subprocess.Popen(
            [sys.executable, "-m", "rtassist", "serve", "--host", "0.0.0.0", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=CLEAN | {"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])} | environ,
        ) as serving:
            assert serving.stdout
            assert serving.stderr
            assert serving.stdout.readline().startswith("ws://0.0.0.0:")
            serving.terminate()
            assert ("RTASSIST_SERVER_KEY" in serving.stderr.read()) is warned


@pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors as Unix shells do")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_nobody_and_no_bug(closed: str, tmp_path: Path) -> None:
    said = in_shell(f"echo hello | {{ $TALK {closed}; }}", tmp_path)
    assert said.returncode == 0, said.stderr
    assert said.stderr == ""
    assert bool(said.stdout) == (closed == "2>&-")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is of Linux")
def test_a_full_disk_is_told_and_exits_1(tmp_path: Path) -> None:
    for command in ("echo hello | $TALK >/dev/full", "$TALK --help >/dev/full"):
        told = in_shell(command, tmp_path)
        assert told.returncode == 1
        assert "no space left" in told.stderr
        assert len(told.stderr.splitlines()) == 1
    untold = in_shell("echo hello | $TALK 2>/dev/full", tmp_path)
    assert untold.returncode == 0
    assert "Hello" in untold.stdout


def test_what_the_output_cannot_spell_becomes_a_question_mark(tmp_path: Path) -> None:
    said = rtassist(
        "talk", "--offline", "--text", folder=tmp_path, typed="ünï 😀\n", PYTHONIOENCODING="ascii:strict"
    )
    assert said.returncode == 0, said.stderr
    assert '"?n? ?"' in said.stdout


def in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    talk = f"{sys.executable} -m rtassist talk --offline --text"
    return subprocess.run(
        ["sh", "-c", command.replace("$TALK", talk)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        env=CLEAN | {"HOME": str(folder), "PYTHONPATH": str(Path(__file__).parents[1])},
        check=False,
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 1),
        (OSError(errno.EBADF, "Bad file descriptor"), 1),
        (OSError(errno.EMFILE, "Too many open files"), 70),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), 70),
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/x"), 70),
        (OSError("out of the blue"), 70),
    ],
)
def test_only_what_writing_out_meets_is_told_as_that(
    error: OSError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli._explain(error) == code
    told = capsys.readouterr().err
    assert ("Nothing can be written out" in told) is (code == 1)
    assert ("Error" in told and "this is a bug" in told) is (code == 70)
