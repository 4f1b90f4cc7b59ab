"""Lines for a terminal: cut and broken by the columns that characters take, and nothing in them is obeyed."""

import pytest
from rich.cells import cell_len

from rtassist.sessions import drawing, reading
from rtassist.sessions.repository import Kept, State
from rtassist.sessions.transcript import Line, ToolCall, Transcript, transcript
from tests.sessions import making


def line(text: str, **changes: object) -> Line:
    fields: dict[str, object] = {
        "item_id": "i",
        "role": "user",
        "began_us": 0,
        "ended_us": 0,
        "text": text,
        "over": True,
    }
    return Line(**(fields | changes))  # type: ignore[arg-type]  # named freely


def shown(*entries: Line | ToolCall, width: int = 60, colour: bool = False) -> list[str]:
    return drawing.show_lines(Transcript(entries=entries, duration_us=90_000_000), width, colour=colour)


def test_wide_characters_are_counted_as_wide() -> None:
    lines = shown(line("今日はとても良い天気ですね。散歩に行きましょうか。" * 3), width=40)
    assert len(lines) > 3
    assert all(cell_len(each) <= 40 for each in lines)
    assert all(each.startswith(" " * 11) for each in lines[1:])


def test_a_list_is_cut_before_half_a_character() -> None:
    kept = [
        Kept(id="a", state=State.WHOLE, first="天気" * 30),
        Kept(id="長い名前", state=State.WHOLE, first="x" * 80),
    ]
    for width in range(20, 60):
        lines = drawing.list_lines(kept, width)
        assert all(cell_len(each) <= width for each in lines), width
    first, second = drawing.list_lines(kept, 45)
    assert cell_len(first) in (44, 45)
    assert cell_len(second) == 45
    assert cell_len(first[: first.index("0:00")]) == cell_len(second[: second.index("0:00")])


def test_where_there_is_no_room_beside_an_id_words_stand_below_it() -> None:
    kept = [Kept(id="2026-03-02_10-00-00_ab3d", state=State.WHOLE, first="Hello there")]
    assert drawing.list_lines(kept, 40) == ["2026-03-02_10-00-00_ab3d  0:00  0 turns", "    Hello there"]


@pytest.mark.parametrize("colour", [False, True])
def test_nothing_that_was_said_is_obeyed(colour: bool) -> None:
    evil = "a\x1b[2J\x1b]52;c;ZXZpbA==\x07b\r\n[bold]c[/bold] :smile:"
    call = ToolCall(call_id="c", name=evil, began_us=0, ended_us=0, arguments=evil, output=evil)
    kept = [Kept(id=evil, state=State.DAMAGED, problem=evil, model=evil, started=evil)]
    lines = [
        *shown(line(evil, cut=True, unsaid=evil), call, width=0, colour=colour),
        *drawing.list_lines(kept, 0, colour=colour),
        *drawing.title_lines(kept[0], 0, colour=colour),
    ]
    told = "\n".join(lines)
    assert "\x1b[2J" not in told
    assert "\x1b]52" not in told
    assert "\x07" not in told
    assert "[bold]c[/bold] :smile:" in told
    assert ("\x1b[" in told) is colour


def test_what_was_cut_is_struck_in_colour_and_told_without() -> None:
    cut = line("Once upon", cut=True, unsaid=" a time.")
    assert shown(cut) == ["0:00  you  Once upon [interrupted; not heard: a time.]"]
    (painted,) = shown(cut, colour=True)
    assert "[interrupted" not in painted
    assert "\x1b[2;9ma time." in painted
    assert shown(line("Once", cut=True)) == ["0:00  you  Once [interrupted]"]


def test_a_line_that_is_not_over_ends_in_dots() -> None:
    told = transcript(reading.records(making.restarted().lines[1:]))
    lines = drawing.show_lines(told, 60)
    assert lines[-1].endswith("A …")
    assert "– a new conversation –" in lines[2]


def test_a_call_shows_what_it_was_asked_and_what_came_back() -> None:
    call = ToolCall(call_id="c", name="look_up", began_us=61_000_000, ended_us=0, arguments='{"a":1}')
    assert shown(call) == ['1:01  look_up  {"a":1} → …']
