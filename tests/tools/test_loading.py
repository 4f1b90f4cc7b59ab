import sys
from pathlib import Path

import pytest

from rtassist.errors import SettingsWrong
from rtassist.tools.loading import own_tools


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path / "mine.py"


def names(*files: Path) -> list[str]:
    return [tool.name for tool in own_tools([str(file) for file in files])]


def problems(*files: Path) -> tuple[str, ...]:
    with pytest.raises(SettingsWrong) as raised:
        own_tools([str(file) for file in files], ["calculate"])
    return raised.value.problems


def test_the_public_functions_of_a_file_are_tools(path: Path) -> None:
    (path.parent / "beside_it.py").write_text("def helper() -> int: return 6\n")
    path.write_text(
        "from dataclasses import dataclass\n"
        "from json import dumps\n"
        "from beside_it import helper\n"
        "@dataclass\n"
        "class Die:\n    sides: int = helper()\n"
        "def roll(die: Die) -> int:\n    'Roll.'\n    return die.sides\n"
        "async def wait(seconds: float) -> None: ...\n"
        "def _own() -> None: ...\n"
    )
    assert names(path) == ["roll", "wait"]


def test_or_those_that_all_names(path: Path) -> None:
    path.write_text("from json import dumps\n__all__ = ['b']\ndef a() -> None: ...\ndef b() -> None: ...\n")
    assert names(path) == ["b"]


def test_what_a_file_prints_is_not_part_of_the_conversation(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_text("print('loaded')\ndef a() -> None: ...\n")
    assert names(path) == ["a"]
    assert capsys.readouterr() == ("", "loaded\n")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def a(x): ...", "mine.py: a: the parameter x has no type hint."),
        ("def a(x: bytes): ...", "mine.py: a: a tool cannot take <class 'bytes'>: there is no JSON for it."),
        ("def a(*x: int): ...", "mine.py: a: a tool has named parameters, not *x: int."),
        ("\nimport nonsuch_package", "cannot be loaded: ModuleNotFoundError: No module named 'nonsuch_pack"),
        ("a = 1\n1 / 0", "mine.py cannot be loaded: ZeroDivisionError: division by zero (line 2)."),
        ("def a(:", "mine.py cannot be loaded: SyntaxError: "),
        ("raise SystemExit(3)", "mine.py cannot be loaded: SystemExit: 3 (line 1)."),
        ("x = 1", "mine.py: it defines no function; each public function of it would be a tool."),
        ("__all__ = ['x', 'y']\nx = 1", "mine.py: __all__ names x, which is no function."),
        ("def calculate() -> None: ...", "rtassist itself has a tool called calculate already. Rename it."),
    ],
)
def test_a_file_that_is_wrong_is_told(text: str, problem: str, path: Path) -> None:
    path.write_text(text + "\n")
    assert problem in problems(path)[0]


def test_all_that_is_wrong_is_told_at_once(path: Path) -> None:
    path.write_text("def a(x): ...\ndef b(y): ...\ndef c() -> None: ...\n")
    other = path.with_name("other.py")
    other.write_text("def c() -> None: ...\n")
    told = problems(path, other, path.with_name("nonsuch.py"))
    assert len(told) == 4
    assert told[2].endswith("nonsuch.py: there is no such file.")
    assert told[3] == f"{other}: {path} has a tool called c already. Rename it."


def test_an_installed_package_offers_functions_and_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dicepack.py").write_text("def roll() -> int:\n    return 4\ndef _no() -> None: ...\n")
    (tmp_path / "cardpack.py").write_text("def draw() -> int:\n    return 4\ndef shuffle() -> None: ...\n")
    info = tmp_path / "dicepack-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dicepack\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rtassist.tools]\ndice = dicepack\ndraw = cardpack:draw\ngone = nonsuch_pack\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingsWrong) as raised:
        own_tools([])
    assert "dicepack (rtassist.tools: gone) cannot be loaded: ModuleNotFoundError" in str(raised.value)

    (info / "entry_points.txt").write_text("[rtassist.tools]\ndice = dicepack\ndraw = cardpack:draw\n")
    assert sorted(names()) == ["draw", "roll"]
