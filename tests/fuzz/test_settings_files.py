"""Configuration files, .env files and variables of any content: settings, or every problem in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtassist.errors import SettingsWrong
from rtassist.settings import CONFIG_KEYS, OPTIONS, Settings
from rtassist.settings_loading import load
from tests.fuzz.mutations import MORE

SECRET = "sk-proj-T0pSecret1234567890abcdef"
VARIABLES = sorted({variable for option in OPTIONS for variable in option.metadata["variables"]})

value = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *(
                "",
                " ",
                "0",
                "-1",
                "7",
                "1e400",
                "nan",
                "0.5",
                "true",
                "maybe",
                "none",
                "en",
                "auto",
                "server",
            ),
            *(
                "ws://h/v1",
                "wss://user:pw@host/?key=" + SECRET,
                "ws://[::1",
                "http://127.0.0.1:1",
                "ws://h:0",
            ),
            *("@missing", "@.", "~nobody/x", "\x00", "a\nb", SECRET, "${HOME}", "x" * 5000, "٣", "\x1b[2J"),
        ]
    ),
)
toml_value = st.one_of(
    value.map(lambda text: '"' + text.encode("unicode_escape").decode().replace('"', "") + '"'),
    st.sampled_from(
        ["7", "-1", "0.5", "inf", "nan", "true", "[]", '["a", 1]', "{}", "1979-05-27", "0x10", "9" * 400]
    ),
)
key = st.one_of(st.sampled_from([*CONFIG_KEYS]), st.text("abc_-.", min_size=1, max_size=6))
toml = st.one_of(
    st.binary(max_size=60),
    st.lists(st.tuples(key, toml_value), max_size=6).map(
        lambda pairs: "\n".join(f"{name} = {written}" for name, written in pairs).encode()
    ),
)
dotenv = st.one_of(
    st.binary(max_size=60),
    st.lists(st.tuples(st.sampled_from(VARIABLES), value), max_size=6).map(
        lambda pairs: "\n".join(f"{name}={written}" for name, written in pairs).encode()
    ),
)
without_nul = value.filter(lambda text: "\x00" not in text)
environment = st.dictionaries(st.sampled_from(VARIABLES), without_nul, max_size=5)


@contextmanager
def folder_with(config: bytes, env: bytes) -> Iterator[Path]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.toml").write_bytes(config)
        (folder / ".env").write_bytes(env)
        yield folder


def well_told(wrong: SettingsWrong) -> None:
    assert wrong.problems
    for problem in wrong.problems:
        assert problem.replace("\n", "").isprintable(), problem
        assert SECRET not in problem
        assert "user:pw" not in problem


# python-dotenv warns of lines that it cannot read, by a logger of its own.
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=150 * MORE)
@given(config=toml, env=dotenv, environ=environment)
def test_whatever_they_hold(config: bytes, env: bytes, environ: dict[str, str]) -> None:
    with folder_with(config, env) as folder:
        try:
            loaded = load({}, {"RTASSIST_CONFIG": str(folder / "config.toml"), **environ}, folder)
        except SettingsWrong as wrong:
            well_told(wrong)
            return
    assert isinstance(loaded, Settings)
