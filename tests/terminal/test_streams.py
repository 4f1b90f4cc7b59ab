"""The standard streams as the program takes them."""

import io

import pytest

from rtassist.terminal.streams import coloured


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "colours"),
    [
        ({"TERM": "xterm"}, True),
        ({}, False),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "0"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colours_are_for_terminals_that_have_them(environment: dict[str, str], colours: bool) -> None:
    assert coloured(Terminal(), environment) is colours
    assert not coloured(io.StringIO(), environment)
