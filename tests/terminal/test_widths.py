"""Columns of text of many kinds, and where it breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtassist.terminal.widths import Paint, breaks, clipped, clusters, harmless, painted, rows, width

FAMILY = "👩\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("plain", 5),
        ("naïve — “yes” … €", 17),
        ("e\u0301", 1),
        ("你好", 4),
        ("한국", 4),
        ("ﾊﾝｶｸ", 4),
        (FAMILY, 2),
        ("👍🏽", 2),
        ("🇩🇪", 2),
        ("❤\ufe0f", 2),
        ("שלום", 4),
        ("مرحبا", 5),
        ("zero\u200bwidth", 9),
        ("soft\u00adhyphen", width("softhyphen") + width("\u00ad")),
        ("●▌█", 3),
    ],
)
def test_the_columns_of_a_text(text: str, columns: int) -> None:
    assert width(text) == columns


def test_what_a_person_takes_for_one_character() -> None:
    assert clusters(f"a{FAMILY}e\u0301你") == ["a", FAMILY, "e\u0301", "你"]
    assert clipped(f"{FAMILY}你a", 4) == f"{FAMILY}你"
    assert clipped(f"{FAMILY}你a", 3) == FAMILY
    assert clipped("abc", 0) == ""


@pytest.mark.parametrize(
    ("text", "columns", "indent", "expected"),
    [
        ("one two three", 80, 0, ["one two three"]),
        ("one two three", 8, 0, ["one two", "three"]),
        ("one two three", 7, 0, ["one two", "three"]),
        ("one two three", 6, 2, ["one", "  two", "  three"[:6], "  e"]),
        ("a\nb c", 3, 1, ["a", "b c"]),
        ("a\n\nb", 3, 0, ["a", "", "b"]),
        ("abcdefgh", 3, 0, ["abc", "def", "gh"]),
        ("你好 你好", 5, 0, ["你好", "你好"]),
        ("你好你好", 3, 0, ["你", "好", "你", "好"]),
        ("x", 1, 0, ["x"]),
        ("", 10, 0, [""]),
        ("end  ", 10, 0, ["end"]),
        ("a\tb", 10, 0, ["a    b"]),
    ],
)
def test_where_a_text_breaks(text: str, columns: int, indent: int, expected: list[str]) -> None:
    found = rows(text, columns, indent=indent)
    assert [row.text for row in found] == expected
    assert all(row.width == width(row.text) for row in found)


words = st.text(st.sampled_from("ab é你 \n👍"), max_size=60)


@given(words, st.integers(2, 30))
def test_no_row_is_too_wide_and_no_word_is_lost(text: str, columns: int) -> None:
    found = breaks(text, columns)
    assert all(width(text[start:end]) <= columns for start, end in found)
    assert "".join("".join(text[start:end].split()) for start, end in found) == "".join(text.split())


@given(words, words, st.integers(2, 30))
def test_more_text_leaves_all_rows_but_the_last(text: str, more: str, columns: int) -> None:
    """So they may scroll away while the rest of the sentence is still to come."""
    before, after = breaks(text, columns), breaks(text + " " + more, columns)
    assert after[: len(before) - 1] == before[:-1]


def test_paint_is_per_row_and_ends_with_it() -> None:
    paints = (Paint(0, 4, "1"), Paint(8, 20, "9"))
    assert painted("you: one two three", 0, 12, paints) == "\x1b[1myou:\x1b[0m one\x1b[9m two\x1b[0m"
    assert painted("you: one two three", 13, 18, paints) == "\x1b[9mthree\x1b[0m"


def test_a_terminal_is_given_nothing_to_obey() -> None:
    assert harmless("a\x1b[2Jb\x9bc\rd\te\n") == "a�[2Jb�cd\te\n"
