"""A live screen on a real pseudo-terminal: what is drawn, what is typed, and how little is written for it."""

import os
import re
import signal
import sys
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from rtassist.dialogue import events
from rtassist.dialogue.doing import Doing, Standing
from rtassist.dialogue.effects import Awaited, Layout, LineEnded, Notice, Said
from tests.terminal.emulator import Emulator, terminal

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are of Unix", allow_module_level=True)

from rtassist.terminal.live import Live
from rtassist.terminal.sheet import Look
from rtassist.terminal.tty import Tty

TEXT = (
    "Once upon a time 很久很久以前 there was a village by a river, and in it lived an old man — naïve as a "
    "child — with a family of cafe\u0301 cats 🐈. שלום said the cats, and مرحبا, and the man said nothing at "
    "all, for he was asleep by the fire with his hat on his knees and his boots in the ashes."
)
STORY = TEXT.split(" ")


@asynccontextmanager
async def live(
    columns: int = 80, lines: int = 24, look: Look | None = None, *, talk_key: bool = False
) -> AsyncIterator[tuple[Emulator, Live]]:
    """A screen that is drawn on; given back on leaving."""
    with (
        terminal(columns, lines) as emulator,
        emulator.streams() as (out, typed),
    ):
        screen = Live(
            Tty(out, typed, None),
            look or Look(),
            clock=lambda: "12:00:00",
            commands=("/help", "/restart", "/resume"),
            talk_key=talk_key,
            reflows=False,
        )
        async with screen.opened():
            await emulator.until(lambda: emulator.lines()[-1:] == [">"])
            yield emulator, screen
        emulator.read()


async def pressed(screen: Live) -> events.Event:
    with trio.fail_after(30):
        return await screen.pressed.receive()


async def test_the_conversation_scrolls_and_below_it_stands_how_it_goes() -> None:
    async with live() as (emulator, screen):
        screen.stands(lambda: Standing(doing=Doing.SPEAKING, voice_dbfs=-6.0, elapsed_s=5))
        screen.show(LineEnded("U1", "user", "What time is it?"))
        screen.show(Said("A1", "assistant", "It is"))
        await emulator.until_shown("It is")
        assert emulator.lines() == [
            "you: What time is it?",
            "assistant: It is",
            "",
            "● speaking     voice █████  0:05",
            ">",
        ]
        screen.show(LineEnded("A1", "assistant", "It is noon."))
        for number in range(30):
            screen.notice(f"Notice {number}.")
        await emulator.until_shown("Notice 29.")
        everything = emulator.everything()
        assert [line for line in everything if "Notice" in line] == [f"· Notice {n}." for n in range(30)]
        assert sum("speaking" in line for line in everything) == 1
    assert emulator.everything()[-1] == "· Notice 29.", "how it stands is gone"
    assert emulator.everything()[:2] == ["you: What time is it?", "assistant: It is noon."]


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("resized", [40, 57, 120, 300])
async def test_no_word_is_lost_or_doubled_when_the_terminal_is_resized(columns: int, resized: int) -> None:
    async with live(columns) as (emulator, screen):
        screen.show(Awaited("U1", "user"))
        for index, word in enumerate(STORY):
            screen.show(Said("A1", "assistant", f" {word}"))
            if index == len(STORY) // 2:
                screen.show(LineEnded("U1", "user", "Tell me a story."))
                await emulator.until_shown(word)
                emulator.resize(resized, 12)
                os.kill(os.getpid(), signal.SIGWINCH)
                await emulator.until(lambda: screen.columns == resized)
        screen.show(LineEnded("A1", "assistant", TEXT))
        await emulator.until_shown("ashes.")
        shown = [line for line in emulator.everything() if line]
    if resized >= columns:  # else this terminal cuts off what was written before
        told = " ".join(shown[:-2])
        said = unicodedata.normalize("NFC", TEXT)  # as the emulator keeps it
        assert told == f"you: Tell me a story. assistant: {said}"
    assert sum("connecting" in line for line in shown) == 1
    assert shown[-2:] == ["● connecting   0:00", ">"]


async def test_what_was_not_heard_is_struck_at_once() -> None:
    async with live(40) as (emulator, screen):
        screen.show(Said("A1", "assistant", "Once upon a"))
        screen.show(LineEnded("A1", "assistant", "Once upon a", cut=True, unsaid=" time there was a fox"))
        await emulator.until_shown("fox")
        assert emulator.struck() == " — time there wasa fox"
        assert emulator.lines()[0] == "assistant: Once upon a — time there was"


async def test_what_is_typed_is_edited_completed_and_entered() -> None:
    async with live() as (emulator, screen):
        emulator.type("hallo 你".encode())
        emulator.type(b"\x1b[D\x1b[D\x1b[D\x1b[D\x7fe")
        await emulator.until_shown("> haelo 你")
        assert emulator.screen.cursor.x == len("> hae")
        emulator.type(b"\r")
        assert await pressed(screen) == events.Typed("haelo 你")
        emulator.type(b"/res")
        await emulator.until_shown("> /res   /restart  /resume")
        emulator.type(b"\t\r")
        assert await pressed(screen) == events.Typed("/restart")
        await emulator.until_shown("> /restart")
        emulator.type(b"\x1b[200~one\rtwo\x1b[201~")
        await emulator.until_shown("> one↵two")
        emulator.type(b"\r")
        assert await pressed(screen) == events.Typed("one\ntwo")
        emulator.type(b"\x1b[A\x1b[A\x1b[A")
        await emulator.until_shown("> haelo 你")


async def test_escape_interrupts_enter_is_enter_and_ctrl_d_leaves() -> None:
    async with live() as (emulator, screen):
        emulator.type(b"\x1b")
        assert await pressed(screen) == events.Interrupted()
        emulator.type(b"\r")
        assert await pressed(screen) == events.Typed("")
        emulator.type(b"abc\x04\x1b[D\x04\x15\x0b\x04")
        assert await pressed(screen) == events.Typed("/quit")


async def test_the_space_bar_is_held_where_the_terminal_says_when_it_comes_up() -> None:
    async with live(talk_key=True) as (emulator, screen):
        await emulator.until(lambda: b"\x1b[?u" in emulator.written)
        emulator.type(b"\x1b[?0u")
        await emulator.until(lambda: b"\x1b[>27u" in emulator.written)
        assert screen.holds
        emulator.type(b"\x1b[32;1:1;32u\x1b[32;1:2;32u\x1b[32;1:2;32u\x1b[32;1:3u")
        assert await pressed(screen) == events.TalkPressed()
        assert await pressed(screen) == events.TalkReleased()
        emulator.type(b"\x1b[97;;97u\x1b[97;1:3u\x1b[32;1:1;32u\x1b[32;1:3u\x1b[13u")
        assert await pressed(screen) == events.Typed("a ")
        os.kill(os.getpid(), signal.SIGCONT)  # as after a stop that nobody announced
        emulator.written.clear()
        await emulator.until(lambda: b"\x1b[?2004h" in emulator.written)
        assert b"\x1b[>27u" not in emulator.written, "it is popped once"
    assert emulator.written.endswith(b"\x1b[?2004l")
    assert b"\x1b[<u" in emulator.written


async def test_the_space_bar_is_tapped_elsewhere_and_held_down_it_is_one_tap() -> None:
    async with live(talk_key=True) as (emulator, screen):
        emulator.type(b" \x1b[D \x1b[D  ")  # three keys, and no time between them
        assert await pressed(screen) == events.Typed("")
        emulator.type(b"a b\r")
        assert await pressed(screen) == events.Typed("a b")
        assert not screen.holds


async def test_without_push_to_talk_a_space_is_a_space_and_nothing_is_asked() -> None:
    async with live() as (emulator, screen):
        emulator.type(b" a\r")
        assert await pressed(screen) == events.Typed(" a")
        assert b"\x1b[?u" not in emulator.written


async def test_how_it_looks_can_be_changed_from_now_on() -> None:
    async with live() as (emulator, screen):
        screen.show(LineEnded("U1", "user", "Hi."))
        screen.show(Layout("timestamps"))
        screen.show(Layout("compact", True))
        screen.show(LineEnded("A1", "assistant", "Hello."))
        screen.show(Layout("timestamps"))
        screen.show(Layout("compact", True))
        screen.show(LineEnded("U2", "user", "Bye."))
        await emulator.until_shown("Bye.")
        assert emulator.lines()[:3] == ["you: Hi.", "12:00:00 Hello.", "> Bye."]


async def test_nothing_is_written_while_nothing_changes_and_a_word_costs_little() -> None:
    async with live() as (emulator, screen):
        screen.show(Said("A1", "assistant", "Once"))
        await emulator.until_shown("Once")
        emulator.written.clear()
        for _ in range(4):  # a tick each; a machine that is late writes no more
            await trio.sleep(0.1)
            emulator.read()
        assert emulator.written == b""
        for word in STORY:
            screen.show(Said("A1", "assistant", f" {word}"))
        await emulator.until_shown("ashes")
        frames = emulator.written.count(b"\x1b[?2026h")
        assert frames == len(STORY)
        assert emulator.written.count(b"\x1b[?2026l") == frames
        assert len(emulator.written) < 350 * len(STORY)
        assert b"\x1b[2J" not in emulator.written, "the screen is never wiped"
        assert b"\x1b[J" not in emulator.written


async def test_a_level_redraws_its_row_alone() -> None:
    async with live() as (emulator, screen):
        screen.show(Said("A1", "assistant", "Once upon a time"))
        screen.stands(lambda: Standing(doing=Doing.LISTENING, microphone_on=True, mic_dbfs=-54.0))
        await emulator.until_shown("listening")
        emulator.written.clear()
        screen.stands(lambda: Standing(doing=Doing.LISTENING, microphone_on=True, mic_dbfs=-20.0))
        await emulator.until_shown("███▌")
        assert "Once" not in emulator.written.decode()
        assert emulator.written.count(b"\x1b[?2026h") == 1


async def test_a_terminal_that_takes_nothing_holds_nobody_up_and_loses_no_word() -> None:
    async with live() as (emulator, screen):
        for number in range(400):
            screen.notice(f"Notice {number}.")
        await emulator.until_shown("Notice 399.")
        shown = [line for line in emulator.everything() if "Notice" in line]
        expected = [f"· Notice {number}." for number in range(400)]
        assert shown == expected[-len(shown) :]
        assert re.findall(r"Notice \d+", emulator.written.decode()) == [each[2:-1] for each in expected]


@pytest.mark.parametrize(("colour", "unicode"), [(False, True), (True, False), (False, False)])
async def test_no_colour_and_no_unicode(colour: bool, unicode: bool) -> None:
    async with live(look=Look(colour=colour, unicode=unicode)) as (emulator, screen):
        screen.show(Notice("Oh.", "warning"))
        screen.show(LineEnded("A1", "assistant", "Once", cut=True, unsaid="upon"))
        await emulator.until_shown("upon")
        assert (re.search(rb"\x1b\[[\d;]*3\d", emulator.written) is not None) is colour
        assert emulator.written.isascii() is not unicode
        assert "upon" in emulator.struck()


async def test_nothing_a_server_says_is_obeyed() -> None:
    async with live() as (emulator, screen):
        screen.show(LineEnded("A1", "assistant", "\x1b[2J\x1b]52;c;cm0=\x07Hi\x9b2J"))
        await emulator.until_shown("Hi")
        assert emulator.lines()[0] == "assistant: �[2J�]52;c;cm0=�Hi�2J"


@pytest.mark.parametrize("end", ["returns", "raises", "is cancelled"])
async def test_the_terminal_is_given_back(end: str) -> None:
    def leave() -> None:
        if end == "raises":
            raise ZeroDivisionError
        scope.cancel()

    with terminal() as emulator:
        before = emulator.mode()
        with (
            emulator.streams() as (out, typed),
            trio.CancelScope() as scope,
        ):
            screen = Live(Tty(out, typed, None), Look(), clock=str)
            try:
                async with screen.opened():
                    screen.show(Said("A1", "assistant", "Once"))
                    await emulator.until_shown("Once")
                    assert emulator.mode() != before
                    if end != "returns":
                        leave()
                        await trio.sleep_forever()
            except* ZeroDivisionError:
                assert end == "raises"
        assert emulator.mode() == before
        emulator.read()
        assert emulator.lines() == ["assistant: Once"]
        assert (emulator.screen.cursor.x, emulator.screen.cursor.y) == (0, 1)
        assert not emulator.screen.cursor.hidden
        tail = emulator.written.decode()
        assert tail.rindex("\x1b[?2004l") > tail.rindex("\x1b[?2004h")
        assert tail.rindex("\x1b[?7h") > tail.rindex("\x1b[?7l")
