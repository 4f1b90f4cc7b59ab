"""Bytes of terminals as keys, whole and in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtassist.terminal.keys import LONGEST_PASTE, Key, keys

WHOLE = [
    (b"a", [Key("text", "a")]),
    ("grüß 你👍".encode(), [Key("text", "grüß 你👍")]),
    (b"\r", [Key("enter")]),
    (b"one\rtwo\n", [Key("text", "one"), Key("enter"), Key("text", "two"), Key("enter")]),
    (b"\x7f\x08\t", [Key("backspace"), Key("backspace"), Key("tab")]),
    (b"\x01\x05\x0b\x15\x17\x04", [Key(f"ctrl-{letter}") for letter in "aekuwd"]),
    (b"\x1b[A\x1b[B\x1b[C\x1b[D", [Key(name) for name in ("up", "down", "right", "left")]),
    (b"\x1bOA\x1bOH\x1bOF", [Key("up"), Key("home"), Key("end")]),
    (b"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[3~", [Key(n) for n in ("home", "end", "home", "end", "delete")]),
    (b"\x1b[1;5D\x1b[1;3C\x1b[3;5~", [Key("ctrl-left"), Key("alt-right"), Key("ctrl-delete")]),
    (b"\x1bb\x1bf\x1b\x7f\x1b\r", [Key(f"alt-{n}") for n in ("b", "f", "backspace", "enter")]),
    (b"\x1b[200~one\rtwo\r\n\x1b[31mx\x1b[201~", [Key("paste", "one\ntwo\n\x1b[31mx")]),
    (b"\x1b\x1b[A", [Key("escape"), Key("up")]),
    (b"\x1b[?11u", [Key("reports")]),
    # The kitty protocol with all that we ask of it.
    (b"\x1b[97;;97u\x1b[97:65;2;65u", [Key("text", "a"), Key("text", "A")]),
    (b"\x1b[97;5u\x1b[99;5u\x1b[98;3u", [Key("ctrl-a"), Key("ctrl-c"), Key("alt-b")]),
    (b"\x1b[27u\x1b[13u\x1b[127;5u", [Key("escape"), Key("enter"), Key("ctrl-backspace")]),
    (
        b"\x1b[32;1:1;32u\x1b[32;1:2;32u\x1b[32;1:3u",
        [Key("text", " ", "press"), Key("text", " ", "repeat"), Key("text", " ", "release")],
    ),
    (b"\x1b[1;1:3D\x1b[3;1:2~", [Key("left", action="release"), Key("delete", action="repeat")]),
    (b"\x1b[97;129;97u", [Key("text", "a")]),  # with NumLock
    (b"\x1b[0;;20320:22909u", [Key("text", "你好")]),  # an input method
    # What means nothing here.
    (b"\x1b[57441;2u\x1b[I\x1b[O\x1b[<0;1;1M\x1b[>1;2c\x1b[?62;22c\x00\x1c\x1b[15~", []),
    (b"\x1b]11;rgb:0000/0000/0000\x1b\\\x1bP1+r\x07x", [Key("text", "x")]),
    (b"\x1b[1\x01a", [Key("ctrl-a"), Key("text", "a")]),
    (b"\xff\xfe", [Key("text", "��")]),
]


@pytest.mark.parametrize(("data", "expected"), WHOLE)
def test_what_is_pressed(data: bytes, expected: list[Key]) -> None:
    assert keys(data, over=True) == (expected, b"")


@pytest.mark.parametrize(("data", "expected"), WHOLE)
def test_it_may_come_in_pieces(data: bytes, expected: list[Key]) -> None:
    found: list[Key] = []
    pending = b""
    for index in range(len(data)):
        more, pending = keys(pending + data[index : index + 1])
        found += more
    more, pending = keys(pending, over=True)
    assert (text_joined(found + more), pending) == (text_joined(expected), b"")


def text_joined(found: list[Key]) -> list[Key]:
    """Letters that came one by one as if at once; such as are escape sequences stay what they are."""
    joined: list[Key] = []
    for key in found:
        last = joined[-1] if joined else None
        if key.name == "text" and key.action == "press" and last is not None and last.name == "text":
            joined[-1] = Key("text", last.text + key.text)
        else:
            joined.append(key)
    return joined


def test_an_escape_waits_for_what_may_follow_until_nothing_does() -> None:
    assert keys(b"\x1b") == ([], b"\x1b")
    assert keys(b"\x1b", over=True) == ([Key("escape")], b"")
    assert keys(b"\x1b[") == ([], b"\x1b[")
    assert keys(b"a\xc3") == ([Key("text", "a")], b"\xc3")


def test_a_paste_without_an_end_does_not_grow_for_ever() -> None:
    assert keys(b"\x1b[200~abc") == ([], b"\x1b[200~abc")
    found, rest = keys(b"\x1b[200~" + b"x" * (LONGEST_PASTE + 1))
    assert (len(found), rest) == (1, b"")


@given(st.binary(max_size=40))
def test_no_bytes_are_too_much(data: bytes) -> None:
    assert keys(data, over=True)[1] == b""
    _, rest = keys(data)
    assert data.endswith(rest)
