"""The line that is typed, key by key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtassist.terminal import editor as editing
from rtassist.terminal.editor import Editor, matches, press
from rtassist.terminal.keys import Key

COMMANDS = ("/help", "/restart", "/resume", "/quit")
FAMILY = "👩\u200d👩\u200d👧\u200d👦"


def typed(*keys: str, start: Editor | None = None) -> Editor:
    """A line after these keys; `'text` is typed."""
    line = start or Editor(commands=COMMANDS)
    for name in keys:
        key = Key("text", name[1:]) if name.startswith("'") else Key(name)
        line, _ = press(line, key)
    return line


def with_cursor(line: Editor) -> str:
    return f"{line.text[: line.cursor]}|{line.text[line.cursor :]}"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("'ab left 'c", "ac|b"),
        ("'ab left left left 'c", "c|ab"),
        ("'ab home 'c end 'd", "cabd|"),
        ("'ab ctrl-a right 'c ctrl-e 'd", "acbd|"),
        ("'ab right backspace", "a|"),
        ("'ab home delete", "|b"),
        ("'ab home backspace", "|ab"),
        ("'ab delete", "ab|"),
        ("'ab left ctrl-d", "a|"),
        ("'a 'b ctrl-u", "|"),
        ("'ab left ctrl-u ctrl-y ctrl-y", "aa|b"),
        ("'ab home right ctrl-k", "a|"),
        ("ctrl-y", "|"),
        ("unknown", "|"),
    ],
)
def test_keys_of_a_line(keys: str, expected: str) -> None:
    assert with_cursor(typed(*keys.split())) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("'one two-three", "ctrl-left"), "one two-|three"),
        (("'one two-three", "alt-b", "alt-b", "alt-b"), "|one two-three"),
        (("'one two", "home", "ctrl-right"), "one| two"),
        (("'one two", "home", "alt-f", "alt-f", "alt-f"), "one two|"),
        (("'one two-three ", "ctrl-w"), "one |"),
        (("'one two-three", "alt-backspace"), "one two-|"),
        (("'one two", "home", "alt-d"), "| two"),
        (("'grüße an alle", "ctrl-left", "ctrl-left"), "grüße |an alle"),
        ((f"'a{FAMILY}b", "left", "left"), f"a|{FAMILY}b"),
        ((f"'a{FAMILY}", "backspace"), "a|"),
        (("'e\u0301", "backspace"), "|"),
        (("'你好", "left", "delete"), "你|"),
        (("'a", "alt-enter", "'b"), "a\nb|"),
    ],
)
def test_words_and_characters_are_what_a_person_takes_for_such(keys: tuple[str, ...], expected: str) -> None:
    assert with_cursor(typed(*keys)) == expected


def test_enter_gives_the_line_and_begins_a_new_one() -> None:
    line, entered = press(typed("'hello", "left"), Key("enter"))
    assert (entered, line.text, line.cursor) == ("hello", "", 0)
    assert press(line, Key("enter"))[1] == ""


def test_a_paste_is_text_with_its_lines_and_enters_nothing() -> None:
    line, entered = press(typed("'ab", "left"), Key("paste", "one\ntwo\x1b[2J"))
    assert entered is None
    assert with_cursor(line) == "aone\ntwo�[2J|b"


def test_the_past_is_gone_back_to_and_the_new_line_comes_back() -> None:
    line = typed("'one", "enter", "'two", "enter", "'two", "enter", "enter", "'new")
    assert line.past == ("one", "two")
    seen = []
    for name in ("up", "up", "up", "down", "down", "down"):
        line = typed(name, start=line)
        seen.append(line.text)
    assert seen == ["two", "one", "one", "two", "new", "new"]


def test_a_line_of_the_past_can_be_changed_and_entered_again() -> None:
    line = typed("'one", "enter", "up", "'!", "enter")
    assert line.past == ("one", "one!")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("'/h", "tab"), "/help"),
        (("'/re", "tab"), "/res"),
        (("'/re", "tab", "tab"), "/restart"),
        (("'/re", "tab", "tab", "tab"), "/resume"),
        (("'/re", "tab", "tab", "tab", "tab"), "/restart"),
        (("'/re", "tab", "tab", "'!"), "/restart!"),
        (("'/", "tab"), "/help"),
        (("'/x", "tab"), "/x"),
        (("'he", "tab"), "he"),
        (("'/help me", "tab"), "/help me"),
        (("tab",), ""),
    ],
)
def test_a_command_is_completed(keys: tuple[str, ...], expected: str) -> None:
    assert typed(*keys).text == expected


def test_what_may_be_meant_is_known() -> None:
    assert matches(typed("'/re")) == ("/restart", "/resume")
    assert matches(typed("'/res", "tab")) == ("/restart", "/resume")
    assert matches(typed("'re")) == ()


def test_a_key_that_comes_up_types_nothing() -> None:
    assert press(Editor(), Key("text", "a", "release")) == (Editor(), None)
    assert press(Editor(), Key("text", "a", "repeat"))[0].text == "a"


def test_a_line_has_an_end() -> None:
    line, _ = press(typed("'ab", "home"), Key("paste", "x" * (editing.LONGEST_LINE + 10)))
    assert len(line.text) == editing.LONGEST_LINE


@given(
    st.lists(st.sampled_from(["'a b", "'你e\u0301", "'/re", *editing._ACTIONS, "tab", "enter"]), max_size=30)
)
def test_the_cursor_stays_in_the_line(keys: list[str]) -> None:
    line = typed(*keys)
    assert 0 <= line.cursor <= len(line.text)
