"""Which screen a terminal gets, and what it is told to press."""

import os
import sys

import pytest

from rtassist.front import front_for, reflows
from rtassist.settings import Settings
from rtassist.terminal.screen import Screen

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are of Unix", allow_module_level=True)

from tests.terminal.emulator import terminal

UTF8 = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("settings", "environ", "live"),
    [
        (Settings(), UTF8, True),
        (Settings(text=True), UTF8, True),
        (Settings(), UTF8 | {"NO_COLOR": "1"}, True),
        (Settings(plain=True), UTF8, False),
        (Settings(mic="-"), UTF8, False),
        (Settings(events="-"), UTF8, False),
        (Settings(), {"TERM": "dumb"}, False),
        (Settings(), {"TERM": ""}, False),
        (Settings(), {}, False),
    ],
)
def test_what_a_terminal_gets(
    settings: Settings, environ: dict[str, str], live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "XDG_STATE_HOME", os.path.join(os.devnull, "nowhere")
    )  # and without a log file all goes on
    with terminal() as emulator, emulator.streams() as (out, typed):
        monkeypatch.setattr(sys, "stdin", typed)
        monkeypatch.setattr(sys, "stdout", out)
        with front_for(settings, environ) as front:
            assert isinstance(front.screen, Screen) is not live
            assert front.typed is (settings.mic != "-")


def test_a_pipe_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal() as emulator, emulator.streams() as (out, _):
        monkeypatch.setattr(sys, "stdout", out)
        with open(os.devnull) as typed:
            monkeypatch.setattr(sys, "stdin", typed)
            with front_for(Settings(), UTF8) as front:
                assert isinstance(front.screen, Screen)


@pytest.mark.parametrize(
    ("environ", "does"),
    [
        ({"TERM": "xterm-256color", "VTE_VERSION": "7000"}, True),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-256color", "XTERM_VERSION": "XTerm(379)"}, False),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/x", "XTERM_VERSION": "XTerm(379)"}, True),
        ({"TERM": "screen", "TMUX": "/tmp/x"}, True),
        ({"TERM": "screen"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "rxvt-unicode-256color"}, False),
    ],
)
def test_who_breaks_rows_anew(environ: dict[str, str], does: bool) -> None:
    assert reflows(environ) is does
