"""The rows below the conversation, from 40 to 300 columns."""

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtassist.dialogue.doing import Doing, Standing
from rtassist.terminal.editor import Editor
from rtassist.terminal.footer import entry, status
from rtassist.terminal.sheet import Look
from rtassist.terminal.widths import width
from tests.terminal.seen import seen

FULL = Standing(
    doing=Doing.SPEAKING,
    microphone_on=True,
    mic_dbfs=-30.0,
    voice_dbfs=-12.0,
    elapsed_s=161,
    latency_ms=834,
    tokens=12_040,
    cost_usd=Decimal("0.0123"),
)
NAME = "2026-11-22_17-12-05_k3f9"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (40, "● speaking      █▌·  ██▋  2:41   $0.012"),
        (60, "● speaking      mic ██▌··  voice ████▍  2:41   834 ms  $0.012"),
        (80, "● speaking      mic ██▌··  voice ████▍  2:41   834 ms  12,040 tokens  $0.012"),
        (120, f"● speaking      mic ██▌··  voice ████▍  2:41   834 ms  12,040 tokens  $0.012  {NAME}"),
    ],
)
def test_how_it_stands_in_the_room_that_there_is(columns: int, expected: str) -> None:
    row = status(FULL, Look(), columns, session=NAME)
    assert " ".join(seen(row).split()) == " ".join(expected.split())


def test_a_context_that_is_half_full_is_worth_a_place() -> None:
    assert "context" not in seen(status(attrs.evolve(FULL, context=0.49), Look(), 120))
    assert "context 62%" in seen(status(attrs.evolve(FULL, context=0.62), Look(), 120))


@given(
    st.builds(
        Standing,
        doing=st.sampled_from(Doing),
        microphone_on=st.booleans(),
        mic_dbfs=st.none() | st.floats(-90, 0),
        voice_dbfs=st.none() | st.floats(-90, 0),
        elapsed_s=st.integers(0, 100_000),
        latency_ms=st.none() | st.integers(0, 100_000),
        tokens=st.none() | st.integers(0, 10**9),
        cost_usd=st.none() | st.decimals(0, 1000, places=4),
    ),
    st.booleans(),
    st.booleans(),
    st.integers(40, 300),
)
def test_it_is_never_wider_than_the_terminal(
    standing: Standing, unicode: bool, compact: bool, columns: int
) -> None:
    row = status(standing, Look(unicode=unicode, compact=compact), columns, session=NAME)
    assert width(seen(row)) <= row.width <= columns
    assert standing.doing.value in seen(row)
    assert unicode or row.text.isascii()


def test_a_level_does_not_move_what_stands_behind_it() -> None:
    places = set()
    for dbfs in range(-90, 1, 3):
        for doing in set(Doing) - {Doing.RECONNECTING}:
            standing = attrs.evolve(FULL, doing=doing, mic_dbfs=float(dbfs), voice_dbfs=float(-dbfs - 90))
            places.add(seen(status(standing, Look(), 80)).index("2:41"))
    assert len(places) == 1


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing(doing=Doing.READY), "● ready 0:00"),
        (Standing(doing=Doing.MUTED, mic_dbfs=-20.0, voice_dbfs=-90.0), "● muted mic off voice ····· 0:00"),
        (Standing(doing=Doing.LISTENING, microphone_on=True, mic_dbfs=0.0), "● listening mic █████ 0:00"),
        (Standing(doing=Doing.LISTENING, elapsed_s=3725, latency_ms=1250), "● listening 1:02:05 1.2 s"),
    ],
)
def test_what_is_not_there_is_not_shown(standing: Standing, expected: str) -> None:
    assert " ".join(seen(status(standing, Look(), 80)).split()) == expected


@pytest.mark.parametrize(
    ("text", "cursor", "columns", "expected", "column"),
    [
        ("", 0, 40, "> ", 2),
        ("hello", 5, 40, "> hello", 7),
        ("hello", 0, 40, "> hello", 2),
        ("a\nb\tc", 5, 40, "> a↵b c", 7),
        ("你好", 1, 40, "> 你好", 4),
        ("x" * 100, 100, 40, "> …" + "x" * 36, 39),
        ("x" * 100, 0, 40, "> " + "x" * 37, 2),
        ("你" * 100, 100, 40, "> …" + "你" * 18, 39),
        ("/re", 3, 40, "> /re   /restart  /resume", 5),
        ("/help", 5, 40, "> /help", 7),
    ],
)
def test_the_line_that_is_typed(text: str, cursor: int, columns: int, expected: str, column: int) -> None:
    typing = Editor(text=text, cursor=cursor, commands=("/help", "/restart", "/resume"))
    row, at = entry(typing, Look(), columns)
    assert seen(row) == expected
    assert at == column
    assert row.width == width(expected)


@given(st.text(st.sampled_from("ab你é/ \n👍"), max_size=80), st.integers(0, 80), st.integers(5, 60))
def test_the_cursor_is_in_the_row_and_the_row_in_the_terminal(text: str, cursor: int, columns: int) -> None:
    row, at = entry(Editor(text=text, cursor=min(cursor, len(text))), Look(), columns)
    assert at < columns
    assert width(seen(row)) == row.width <= columns
