"""Lines of a conversation: order, cuts, and the two ways to write them."""

import pytest

from rtassist.dialogue.effects import Awaited, LineEnded, Notice, Said, Shown
from rtassist.terminal.view import Page, Style, flow, line_typed, rest, show

FILE = Style(streams=False)
TERMINAL = Style(streams=True, typed=False, width=80)


def written(style: Style, *shown: Shown) -> tuple[str, str, Page]:
    page, out, err = Page(), "", ""
    for what in shown:
        page, more_out, more_err = show(page, what, style)
        out, err = out + more_out, err + more_err
    return out, err, page


@pytest.mark.parametrize("style", [FILE, TERMINAL])
def test_the_question_stands_before_its_answer_however_late_its_words_come(style: Style) -> None:
    out, _, page = written(
        style,
        Awaited("U1", "user"),
        Awaited("A1", "assistant"),
        Said("A1", "assistant", "It is"),
        Said("A1", "assistant", " noon."),
        LineEnded("A1", "assistant", "It is noon."),
        LineEnded("U1", "user", "What time is it?"),
    )
    assert out == "you: What time is it?\nassistant: It is noon.\n"
    assert page == Page()


def test_a_terminal_gets_words_as_they_come_and_a_file_gets_whole_lines() -> None:
    begun = (Awaited("A1", "assistant"), Said("A1", "assistant", "Once"), Said("A1", "assistant", " upon"))
    assert written(TERMINAL, *begun)[0] == "assistant: Once upon"
    assert written(FILE, *begun)[0] == ""


def test_an_interrupted_line_shows_where_it_was_cut() -> None:
    out, _, _ = written(
        TERMINAL,
        Said("A1", "assistant", "Once upon"),
        LineEnded(
            "A1", "assistant", "Once upon", cut=True, unsaid=" a time there was a very old fox who slept"
        ),
    )
    assert out == "assistant: Once upon [interrupted; not heard: a time there was a very old fox …]\n"


def test_a_line_that_is_cut_before_its_end_is_known_says_so_too() -> None:
    out, _, _ = written(FILE, LineEnded("A1", "assistant", "Once upon", cut=True))
    assert out == "assistant: Once upon [interrupted]\n"


@pytest.mark.parametrize("style", [FILE, TERMINAL])
def test_what_nobody_heard_and_what_nobody_said_leave_no_line(style: Style) -> None:
    out, _, page = written(
        style,
        Awaited("U1", "user"),
        LineEnded("U1", "user", ""),
        Awaited("A1", "assistant"),
        LineEnded("A1", "assistant", "", cut=True, unsaid="Never heard."),
    )
    assert out == ""
    assert page == Page()


def test_a_terminal_has_shown_what_was_typed() -> None:
    typed = LineEnded("T1", "user", "hello", typed=True)
    assert written(TERMINAL, typed)[0] == ""
    assert written(FILE, typed)[0] == "you: hello\n"


def test_without_names_only_answers_are_written() -> None:
    out, _, _ = written(
        Style(streams=False, names=False),
        LineEnded("T1", "user", "17 times 23", typed=True),
        LineEnded("A1", "assistant", "391."),
    )
    assert out == "391.\n"


def test_a_notice_goes_to_stderr_and_not_into_the_middle_of_a_line() -> None:
    out, err, _ = written(
        TERMINAL,
        Said("A1", "assistant", "Once upon"),
        Notice("The network is slow.", "warning"),
        Notice("It is.", "warning"),
        Said("A1", "assistant", " a time"),
    )
    assert out == "assistant: Once upon\na time"
    assert err == "The network is slow.\nIt is.\n"
    assert written(TERMINAL, Notice("noise", "debug"))[:2] == ("", "")


def test_what_was_held_back_is_written_at_the_end() -> None:
    _, _, page = written(FILE, Awaited("U1", "user"), Said("A1", "assistant", "It is"))
    assert rest(page, FILE) == "assistant: It is\n"
    assert rest(Page(), FILE) == ""


def test_colour_is_only_paint() -> None:
    shown = (Said("A1", "assistant", "Hi."), LineEnded("A1", "assistant", "Hi.", cut=True))
    painted = written(Style(streams=True, colour=True), *shown)[0]
    assert "\x1b[" in painted
    for code in ("\x1b[36m", "\x1b[2m", "\x1b[0m"):
        painted = painted.replace(code, "")
    assert painted == written(Style(streams=True), *shown)[0]


def test_a_narrow_terminal_breaks_lines_between_words() -> None:
    narrow = Style(streams=True, width=24)
    pieces = (Said("A1", "assistant", word) for word in ["Once upon a time", " there", " was a", " village."])
    out, _, _ = written(
        narrow, *pieces, LineEnded("A1", "assistant", "Once upon a time there was a village.")
    )
    assert out == "assistant: Once upon a\ntime there was a\nvillage.\n"
    assert all(len(line) <= 24 for line in out.splitlines())


@pytest.mark.parametrize(
    ("text", "column", "flowing", "end"),
    [
        ("one two", 0, "one two", 7),
        (" three", 7, "\nthree", 5),
        ("tail of a word", 9, "tail of\na word", 6),
        ("two\nlines", 0, "two\nlines", 5),
        ("averyveryverylongword", 0, "averyveryverylongword", 21),
        (" 你好 你好", 0, "你好 你好", 9),
        ("你好 你好 你好", 0, "你好 你好\n你好", 4),
        ("", 3, "", 3),
    ],
)
def test_where_text_flows(text: str, column: int, flowing: str, end: int) -> None:
    width = 16 if text.startswith("tail") else 12
    assert flow(text, column, width) == (flowing, end)


def test_after_the_enter_key_a_line_goes_on_at_the_left() -> None:
    narrow = Style(streams=True, width=60)
    page, _, _ = show(Page(), Said("A1", "assistant", "Once upon"), narrow)
    page, out, _ = show(line_typed(page), LineEnded("A1", "assistant", "Once upon", cut=True), narrow)
    assert out == "[interrupted]\n"
    assert page == Page()


@pytest.mark.parametrize("style", [FILE, TERMINAL])
def test_a_terminal_is_given_nothing_to_obey(style: Style) -> None:
    out, err, _ = written(
        style,
        Said("A1", "assistant", "One \x1b"),
        Said("A1", "assistant", "]52;c;cm0=\x07 two\tthree\x9b2J\r\nfour"),
        LineEnded(
            "A1", "assistant", "One \x1b]52;c;cm0=\x07 two\tthree\x9b2J\r\nfour", cut=True, unsaid="\x1bc"
        ),
        Notice("The server refused: \x1b[8m"),
    )
    feed = "\n" if style.streams else " "
    assert out == f"assistant: One �]52;c;cm0=� two\tthree�2J{feed}four [interrupted; not heard: �c]\n"
    assert err == "The server refused: �[8m\n"


def test_a_line_has_the_time_at_which_it_began_and_a_notice_its_own() -> None:
    style = Style(streams=False, timestamps=True)
    page, _, _ = show(Page(), Awaited("A1", "assistant"), style, "09:05:00")
    page, out, _ = show(page, LineEnded("A1", "assistant", "Hello."), style, "09:05:07")
    assert out == "09:05:00 assistant: Hello.\n"
    assert show(page, Notice("Psst."), style, "09:05:08")[2] == "09:05:08 Psst.\n"


def test_compact_lines_name_the_user_with_a_sign_and_the_assistant_not_at_all() -> None:
    said = (LineEnded("U1", "user", "Hi."), LineEnded("A1", "assistant", "Hello."))
    assert written(Style(streams=False, compact=True), *said)[0] == "> Hi.\nHello.\n"


def test_quiet_lines_are_warnings_and_replies_and_without_lines_there_are_notices_alone() -> None:
    said = (Notice("Psst."), Notice("Oh.", "warning"), Notice("/help", "reply"))
    said_too = (*said, LineEnded("A1", "assistant", "Hello."))
    assert written(Style(streams=False, quiet=True), *said_too)[:2] == ("assistant: Hello.\n", "Oh.\n/help\n")
    assert written(Style(streams=False, lines=False), *said_too) == ("", "Psst.\nOh.\n/help\n", Page())


def test_an_utterance_of_several_paragraphs_is_one_line_of_a_file() -> None:
    assert written(FILE, LineEnded("A1", "assistant", "One.\n\nTwo.\n"))[0] == "assistant: One. Two.\n"
