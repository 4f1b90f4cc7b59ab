"""What was found, as lines and as JSON."""

import json

import pytest

from rtassist.doctor import report
from rtassist.doctor.report import Advice, Check

LONG = Check(
    id="loudspeaker",
    state="warning",
    summary="Loudspeaker: Built-in Audio Analogue Stereo, sounds within 31 ms; a stop leaves 4.5 ms; "
    "it ran dry once",
    cure="close what keeps the machine busy, or choose another with --speaker (`rtassist devices`).",
    values={"first_ms": 31},
)


@pytest.mark.parametrize("width", [45, 60, 80, 100])
def test_lines_keep_to_the_width_and_part_no_word(width: int) -> None:
    lines = report.lines(LONG, width, colour=False)
    assert max(map(len, lines)) <= width
    told = " ".join(line.removeprefix("warning").strip() for line in lines)
    assert told == f"{LONG.summary} Cure: {LONG.cure}"
    assert lines[0].startswith("warning  Loudspeaker: ")
    assert all(line.startswith(" " * report.MARK_COLUMNS) for line in lines[1:])
    assert sum(line.lstrip().startswith("Cure: ") for line in lines) == 1


def test_a_number_is_not_parted_from_its_unit() -> None:
    for width in range(40, 100):
        assert not any(line.lstrip().startswith("ms") for line in report.lines(LONG, width, colour=False))


def test_what_is_longer_than_the_line_is_left_whole() -> None:
    path = "/home/somebody/" + "x" * 80
    (first, *rest) = report.lines(
        Check(id="folders", state="ok", summary=f"Folder: {path}"), 60, colour=False
    )
    assert first == "ok       Folder:"
    assert rest == [" " * 9 + path]


def test_colour_is_only_where_it_is_wanted_and_moves_nothing() -> None:
    plain, coloured = (report.lines(LONG, 60, colour=colour) for colour in (False, True))
    assert "\x1b" not in "".join(plain)
    assert coloured[0] == plain[0].replace("warning", "\x1b[33mwarning\x1b[0m", 1)
    assert coloured[1:] == plain[1:]


def test_the_conclusion_counts_and_recommends() -> None:
    fine = Check(id="python", state="ok", summary="Python")
    bad = Check(id="sound", state="failed", summary="Sound")
    assert report.conclusion([fine], [], 60) == ["", "Nothing is wrong."]
    told = report.conclusion([fine, bad, LONG, LONG], [Advice(setting="--mic usb", why="it hears.")], 60)
    assert told == ["", "1 failure and 2 warnings.", "Recommended:", "  --mic usb: it hears."]
    assert report.failed([fine, bad])
    assert not report.failed([fine, LONG])


def test_json_says_all_of_it() -> None:
    told = json.loads(report.as_json("1.2", [LONG], [Advice(setting="a", why="b")]))
    assert told == {
        "format": 1,
        "version": "1.2",
        "ok": True,
        "checks": [
            {
                "id": "loudspeaker",
                "state": "warning",
                "summary": LONG.summary,
                "cure": LONG.cure,
                "values": {"first_ms": 31},
            }
        ],
        "advice": [{"setting": "a", "why": "b"}],
    }


@pytest.mark.parametrize(
    ("message", "what", "cure"),
    [
        ("It is gone. Plug it in. Again.", "It is gone.", "Plug it in. Again."),
        ('No (HTTP 401: "Bad key. Go."). Set a key.', 'No (HTTP 401: "Bad key. Go.").', "Set a key."),
        (
            "Nothing at 127.0.0.1:1 (refused). Is it there?",
            "Nothing at 127.0.0.1:1 (refused).",
            "Is it there?",
        ),
        ("No end", "No end", ""),
        ("", "", ""),
    ],
)
def test_the_first_sentence_is_what_happened(message: str, what: str, cure: str) -> None:
    assert report.first_sentence(message) == (what, cure)
