"""What of a conversation is final, what still changes, and how both look."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtassist.dialogue.effects import Awaited, LineEnded, Notice, Said, Shown
from rtassist.terminal import sheet
from rtassist.terminal.sheet import Look, Sheet
from rtassist.terminal.widths import width
from tests.terminal.seen import seen

LOOK = Look()


class Paper:
    """What a terminal would show."""

    def __init__(self, look: Look = LOOK, columns: int = 40) -> None:
        self.look, self.columns = look, columns
        self.sheet = Sheet()
        self.final: list[str] = []
        self.live: list[str] = []
        self.painted: list[str] = []

    def show(self, *shown: Shown, clock: str = "12:00:00") -> "Paper":
        for each in shown:
            self.sheet = sheet.show(self.sheet, each, self.look, clock)
            self.lay()
        return self

    def lay(self) -> None:
        final, live, self.sheet = sheet.laid(self.sheet, self.look, self.columns)
        self.final += map(seen, final)
        self.live = [*map(seen, live)]
        self.painted += [row.text for row in final]
        assert all(width(seen(row)) == row.width <= self.columns for row in (*final, *live))

    def all(self) -> list[str]:
        return [*self.final, *self.live]


ASKED = (Awaited("U1", "user"), Awaited("A1", "assistant"))


def test_words_of_both_are_shown_as_they_come_and_in_the_order_in_which_they_were_said() -> None:
    paper = Paper().show(*ASKED, Said("A1", "assistant", "It is"))
    assert paper.all() == ["you: …", "assistant: It is"]
    paper.show(Said("U1", "user", "What"), Said("A1", "assistant", " noon."))
    assert (paper.final, paper.live) == ([], ["you: What", "assistant: It is noon."])
    paper.show(LineEnded("U1", "user", "What time is it?"), LineEnded("A1", "assistant", "It is noon."))
    assert (paper.final, paper.live) == (["you: What time is it?", "assistant: It is noon."], [])
    assert paper.sheet == Sheet(written=True)


def test_rows_that_are_full_scroll_away_while_their_sentence_goes_on() -> None:
    paper = Paper(columns=20).show(Awaited("A1", "assistant"))
    for word in ("Once", " upon", " a", " time", " there", " was", " a", " village"):
        paper.show(Said("A1", "assistant", word))
    assert paper.final == ["assistant: Once upon", "a time there was a"]
    assert paper.live == ["village"]


def test_what_was_not_heard_is_struck_behind_a_dash_at_once() -> None:
    words = " ".join(f"w{number}" for number in range(30))
    paper = Paper(columns=300).show(
        *ASKED[1:],
        Said("A1", "assistant", "Once upon"),
        LineEnded("A1", "assistant", "Once upon", cut=True, unsaid=f" {words}"),
    )
    heard, _, unheard = paper.painted[0].partition("\x1b[2;9m")
    assert heard.endswith("Once upon")
    assert unheard == " — " + " ".join(words.split()[:20]) + " …\x1b[0m"


def test_a_cut_of_which_the_rest_is_not_known_is_a_dash() -> None:
    paper = Paper().show(LineEnded("A1", "assistant", "Once", cut=True))
    assert paper.final == ["assistant: Once —"]


def test_a_cut_in_a_later_row_is_struck_there_too() -> None:
    paper = Paper(columns=20).show(Said("A1", "assistant", "Once upon a time there was"))
    paper.show(
        LineEnded("A1", "assistant", "Once upon a time there was", cut=True, unsaid=" a small village")
    )
    assert paper.final == ["assistant: Once upon", "a time there was — a", "small village"]
    assert paper.painted[2] == "\x1b[2;9msmall village\x1b[0m"


@pytest.mark.parametrize(
    "shown",
    [
        (Awaited("U1", "user"), LineEnded("U1", "user", "")),
        (Awaited("A1", "assistant"), LineEnded("A1", "assistant", "", cut=True, unsaid="Never heard.")),
        (Notice("noise", "debug"),),
    ],
)
def test_what_nobody_heard_and_what_nobody_said_leave_no_row(shown: Sequence[Shown]) -> None:
    paper = Paper().show(*shown)
    assert paper.all() == []
    assert paper.sheet == Sheet()


def test_a_notice_stands_above_what_still_changes() -> None:
    paper = Paper(columns=20).show(
        Said("A1", "assistant", "Once upon a time there"), Notice("The network is slow.", "warning")
    )
    assert paper.final == ["assistant: Once upon", "! The network is", "  slow."]
    assert paper.live == ["a time there"]
    paper.show(LineEnded("A1", "assistant", "Once upon a time there was."))
    assert paper.final[3:] == ["a time there was."]


def test_a_list_hangs_below_its_second_column_where_there_is_room() -> None:
    text = "/interrupt  silence the answer; the Enter key does the same"
    assert Paper(columns=44).show(Notice(text)).final == [
        "  /interrupt  silence the answer; the Enter",
        "              key does the same",
    ]
    assert Paper(columns=22).show(Notice(text)).final[1] == "  the answer; the"


def test_between_exchanges_there_is_room_unless_it_is_to_be_compact() -> None:
    said = (
        LineEnded("U1", "user", "Hi."),
        LineEnded("A1", "assistant", "Hello."),
        LineEnded("U2", "user", "Bye."),
    )
    assert Paper().show(*said).final == ["you: Hi.", "assistant: Hello.", "", "you: Bye."]
    assert Paper(Look(compact=True)).show(*said).final == ["> Hi.", "Hello.", "> Bye."]


def test_a_line_has_the_time_at_which_it_began() -> None:
    paper = Paper(Look(timestamps=True))
    paper.show(Awaited("A1", "assistant"), clock="09:05:00")
    paper.show(LineEnded("A1", "assistant", "Hello."), Notice("Psst."), clock="09:05:07")
    assert paper.final == ["09:05:00 assistant: Hello.", "· 09:05:07 Psst."]


def test_who_wants_it_quiet_is_told_warnings_and_what_he_asks_for() -> None:
    told = (Notice("Speak."), Notice("Too loud.", "warning"), Notice("/help", "reply"))
    assert Paper(Look(quiet=True)).show(*told).final == ["! Too loud.", "· /help"]


def test_without_colour_there_are_attributes_and_without_unicode_plain_signs() -> None:
    shown = (
        LineEnded("A1", "assistant", "Hi", cut=True, unsaid="there"),
        Notice("Psst."),
        Notice("Oh.", "warning"),
    )
    paper = Paper(Look(colour=False, unicode=False)).show(*shown)
    assert paper.final == ["assistant: Hi -- there", "- Psst.", "! Oh."]
    assert "\x1b[3" not in "".join(paper.painted)
    assert "\x1b[2;9m" in paper.painted[0]


def test_a_command_that_was_entered_is_shown_above_what_still_changes() -> None:
    paper = Paper().show(Said("A1", "assistant", "Once"))
    paper.sheet = sheet.entered(paper.sheet, "/pause")
    paper.lay()
    assert (paper.final, paper.live) == (["> /pause"], ["assistant: Once"])


def test_in_the_end_all_is_final() -> None:
    paper = Paper().show(*ASKED, Said("A1", "assistant", "It is"))
    paper.sheet = sheet.over(paper.sheet)
    paper.lay()
    assert (paper.final, paper.live) == (["assistant: It is"], [])


def test_another_width_changes_what_is_not_final_alone() -> None:
    paper = Paper(columns=20).show(Said("A1", "assistant", "Once upon a time there was a"))
    paper.columns = 40
    paper.show(Said("A1", "assistant", " village on a river"))
    assert paper.all() == ["assistant: Once upon", "a time there was a village on a river"]


@given(
    st.lists(st.text(st.sampled_from("ab é你\n"), min_size=1, max_size=12), min_size=1, max_size=20),
    st.integers(12, 60),
    st.sets(st.integers(0, 19)),
)
def test_however_words_come_the_rows_are_those_of_the_whole(
    pieces: list[str], columns: int, noticed: set[int]
) -> None:
    """But for the notices between them."""
    paper, whole = Paper(columns=columns), Paper(columns=columns)
    for index, piece in enumerate(pieces):
        paper.show(Said("A1", "assistant", piece))
        if index in noticed:
            paper.show(Notice("Psst."))
    text = "".join(pieces).strip()
    paper.show(LineEnded("A1", "assistant", text))
    whole.show(LineEnded("A1", "assistant", text))
    assert [row for row in paper.final if row != "· Psst."] == whole.final
