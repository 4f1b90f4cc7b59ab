"""What is typed for a command is converted where there is something to convert, and else loads nothing."""

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from rtassist import cli
from rtassist.flags import Command, Group, read_where_named
from tests.test_cli import ALL, CLEAN, OF_SESSIONS

ROOT = Path(__file__).parents[1]
TYPER_ASKS_PYDANTIC = any("pydantic" in needed for needed in requires("typer") or ())
FAR = ("talk", "--text", "--no-record", "--url", "ws://127.0.0.1:9/v1/realtime")


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (FAR, False),
        ((*FAR, "--yes-to", "a", "--yes-to", "b"), False),
        ((*FAR, "--timeout", "3"), True),
    ],
)
def test_only_what_is_converted_needs_pydantic(
    arguments: tuple[str, ...], loaded: bool, tmp_path: Path
) -> None:
    script = (
        "import sys\nfrom rtassist.cli import main\n"
        f"sys.argv = ['rtassist', *{arguments}]\n"
        "try: main()\nfinally: print('pydantic' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        env=CLEAN | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.returncode == 3, told.stderr
    assert told.stdout.split() == [str(loaded and TYPER_ASKS_PYDANTIC)]


PATHS = [(), *((name,) for name in ALL), *(("sessions", name) for name in OF_SESSIONS)]


@pytest.mark.parametrize("path", PATHS)
def test_what_is_read_of_the_commands_is_all_that_is_asked_for(path: tuple[str, ...]) -> None:
    runner = CliRunner()
    shown = runner.invoke(cli.app, [*path, "--help"], prog_name="rtassist").output
    read = read_where_named(cli.app, path)
    assert runner.invoke(read, [*path, "--help"], prog_name="rtassist").output == shown
    commands: dict[str, Any] = vars(get_command(read))["commands"]
    commands |= vars(commands["sessions"])["commands"]
    with_parameters = {name for name, command in commands.items() if command.params and name != "sessions"}
    assert with_parameters <= set(path)


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer(cls=Group)

    def shout(value: str | None) -> str:
        return (value or "nothing").upper()

    @made.callback()
    def root(kind: str = typer.Option("plain")) -> None:
        typer.echo(f"kind={kind}")

    @made.command(cls=Command)
    def say(
        word: str = typer.Option(None, callback=shout),
        times: int = typer.Option(1),
        names: list[str] = typer.Option([]),  # noqa: B008  # typer's own way, and never changed
        path: Path | None = None,
        quiet: bool = False,
    ) -> None:
        typer.echo(f"{word!r} {times!r} {names!r} {path!r} {quiet!r}")

    return made


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("say", "'NOTHING' 1 [] None False"),
        ("say --word a --times 3 --quiet", "'A' 3 [] None True"),
        ("say --names a --names b --path x", f"'NOTHING' 1 ['a', 'b'] {Path('x')!r} False"),
    ],
)
def test_functions_get_what_they_ask_for(app: typer.Typer, arguments: str, told: str) -> None:
    shown = CliRunner().invoke(app, arguments.split())
    assert shown.output == f"kind=plain\n{told}\n"


def test_a_wrong_value_is_refused(app: typer.Typer) -> None:
    assert CliRunner().invoke(app, ["say", "--times", "soon"]).exit_code == 2
