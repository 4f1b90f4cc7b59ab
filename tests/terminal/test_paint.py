"""What is written makes the screen what is meant, whatever was on it."""

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtassist.terminal.paint import Shown, repaint, wiped
from rtassist.terminal.widths import Row, width

COLUMNS, LINES = 20, 8

texts = st.sampled_from(["", "one", "two words", "x" * COLUMNS, "y" * (COLUMNS - 1), "你好", "é e\u0301"])
frames = st.lists(
    st.tuples(
        st.lists(texts, max_size=3),
        st.lists(texts, min_size=1, max_size=LINES - 1),
        st.integers(0, COLUMNS - 1),
    ),
    max_size=12,
)


def rows(given_: list[str]) -> list[Row]:
    return [Row(text, width(text)) for text in given_]


def shown(screen: pyte.HistoryScreen) -> list[str]:
    gone = ["".join(row[x].data for x in range(COLUMNS)).rstrip() for row in screen.history.top]
    return [*gone, *(line.rstrip() for line in screen.display)]


@given(frames)
def test_the_screen_shows_the_rows_and_the_cursor_whatever_was_there(
    given_frames: list[tuple[list[str], list[str], int]],
) -> None:
    screen = pyte.HistoryScreen(COLUMNS, LINES, history=500)
    stream = pyte.Stream(screen)
    before, scrolled = Shown(), list[str]()
    for final, live, column in given_frames:
        stream.feed(repaint(before, rows([*final, *live]), len(final) + len(live) - 1, column, COLUMNS))
        scrolled += final
        before = Shown(tuple(rows(live)), len(live) - 1, column)
        expected = [*scrolled, *live]
        found = shown(screen)
        assert [line.encode() for line in found[: len(expected)]] == [
            "".join(_seen(text)).encode() for text in expected
        ]
        assert not any(found[len(expected) :])
        assert screen.cursor.x == column
        assert screen.cursor.y + len(screen.history.top) == len(expected) - 1


def _seen(text: str) -> str:
    """As the emulator keeps it: composed."""
    import unicodedata

    return unicodedata.normalize("NFC", text)


def test_what_is_the_same_costs_nothing_and_a_row_that_changed_only_itself() -> None:
    before = Shown(tuple(rows(["one", "two", "> "])), 2, 2)
    assert repaint(before, before.rows, 2, 2, COLUMNS) == ""
    out = repaint(before, rows(["one", "tow", "> "]), 2, 2, COLUMNS)
    assert "tow" in out
    assert "one" not in out
    assert ">" not in out


def test_all_of_a_change_is_one_frame() -> None:
    out = repaint(Shown(), rows(["one", "two"]), 1, 0, COLUMNS)
    assert out.startswith("\x1b[?2026h")
    assert out.endswith("\x1b[?2026l")
    assert out.index("\x1b[?25l") < out.index("one") < out.index("\x1b[?25h")


def test_a_full_row_is_not_wiped_behind_its_end() -> None:
    """Without breaking the cursor stays on the last letter, and that would go."""
    full, less = Row("x" * COLUMNS, COLUMNS), Row("y", 1)
    for before in (Shown(), Shown((less,), 0, 0), Shown((full,), 0, 0)):
        out = repaint(before, [Row("z" * COLUMNS, COLUMNS)], 0, 0, COLUMNS)
        assert "z" in out
        assert "\x1b[K" not in out
    assert "y\x1b[K" in repaint(Shown((full,), 0, 0), [less], 0, 0, COLUMNS)


@pytest.mark.parametrize(
    ("widths", "row", "column", "columns", "reflows", "above"),
    [
        ([30, 10, 2], 2, 2, 40, True, 2),
        ([30, 10, 2], 2, 2, 20, True, 3),
        ([30, 10, 2], 2, 2, 20, False, 2),
        ([41, 0, 2], 2, 2, 20, True, 4),
        ([10, 35], 1, 34, 20, True, 2),
        ([10, 35], 1, 34, 20, False, 1),
        ([], 0, 0, 20, True, 0),
        ([60, 60, 60], 2, 5, 20, True, 6),
        ([90, 90, 90], 2, 5, 20, True, 7),  # no further up than the screen goes
    ],
)
def test_how_far_up_a_resized_terminal_is_wiped(
    widths: list[int], row: int, column: int, columns: int, reflows: bool, above: int
) -> None:
    before = Shown(tuple(Row("x" * each, each) for each in widths), row, column)
    up = f"\x1b[{above}A" if above else ""
    assert wiped(before, columns, LINES, reflows=reflows) == f"\r{up}\x1b[J"
