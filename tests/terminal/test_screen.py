"""What reaches the two streams of a terminal, and what is done when one of them fails."""

import io

import pytest

from rtassist.dialogue.effects import Layout, LineEnded
from rtassist.errors import Failure
from rtassist.terminal.screen import OutputClosed, Screen
from rtassist.terminal.view import Style

PLAIN = Style(streams=False)
HELLO = LineEnded("A1", "assistant", "Hello.")


class Broken(io.StringIO):
    """A stream that takes nothing, and says so when it is flushed, as a pipe or a disk does."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def flush(self) -> None:
        raise self.error


def test_a_key_that_a_server_quotes_is_not_shown() -> None:
    err = io.StringIO()
    screen = Screen(io.StringIO(), err, PLAIN, secrets=["hunter2-hunter2"])
    screen.notice("The server said: no such key hunter2-hunter2, nor sk-proj-abcdefghijkl.")
    assert err.getvalue() == "The server said: no such key [secret], nor [secret].\n"


def test_an_output_that_nobody_reads_and_one_that_is_full_are_told_apart() -> None:
    with pytest.raises(OutputClosed):
        Screen(Broken(BrokenPipeError(32, "Broken pipe")), io.StringIO(), PLAIN).show(HELLO)
    with pytest.raises(Failure, match="no space left on device"):
        Screen(Broken(OSError(28, "No space left on device")), io.StringIO(), PLAIN).show(HELLO)


def test_a_conversation_goes_on_where_nobody_reads_the_notices() -> None:
    out = io.StringIO()
    screen = Screen(out, Broken(BrokenPipeError(32, "Broken pipe")), PLAIN)
    screen.notice("Nobody reads this.")
    screen.show(HELLO)
    assert out.getvalue() == "assistant: Hello.\n"


def test_how_it_looks_can_be_changed_from_now_on() -> None:
    out = io.StringIO()
    screen = Screen(out, io.StringIO(), PLAIN, clock=lambda: "12:00:00")
    screen.show(Layout("timestamps"))
    screen.show(HELLO)
    screen.show(Layout("timestamps", False))
    screen.show(Layout("compact", True))
    screen.show(HELLO)
    assert out.getvalue() == "12:00:00 assistant: Hello.\nHello.\n"
