"""What keeps recordings: one suite for memory and for disk, with and without SQLite's full-text search."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rtassist.sessions.disk import Disk
from rtassist.sessions.memory import Memory
from rtassist.sessions.repository import Ambiguous, NotKept, Repository, State, words_of
from tests.playbook import typed
from tests.sessions import making
from tests.sessions.making import Recording

MAKERS: dict[str, Callable[[Path], Repository]] = {
    "memory": lambda folder: Memory(),
    "disk": lambda folder: Disk(folder / "recordings"),
    "disk without full text": lambda folder: Disk(folder / "recordings", full_text=False),
}


@pytest.fixture(params=MAKERS)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    return MAKERS[request.param](tmp_path)


def typed_line(text: str, started: str = making.STARTED) -> list[bytes]:
    return Recording(started=started).happen(typed(text)).end().lines


def test_what_is_saved_is_listed_and_loaded(shelf: Repository) -> None:
    lines = making.spoken().lines
    shelf.save("a1", lines)
    assert list(shelf.load("a1")) == lines
    (kept,) = shelf.all()
    assert (kept.id, kept.state, kept.started) == ("a1", State.WHOLE, making.STARTED)
    assert (kept.turns, kept.interruptions, kept.calls) == (3, 1, 0)
    assert kept.first == "What is seventeen times twenty three?"
    assert kept.duration_us == 4_800_000
    assert kept.size == sum(map(len, lines))
    assert not kept.audio


def test_there_may_be_nothing(shelf: Repository) -> None:
    assert shelf.all() == []
    assert shelf.search("anything") == []
    for name in ("last", "a", ""):
        with pytest.raises(NotKept):
            shelf.find(name)
    with pytest.raises(NotKept):
        shelf.load("a")
    with pytest.raises(NotKept):
        shelf.forget("a")
    with pytest.raises(NotKept):
        shelf.drop_audio("a")


def test_the_newest_is_first_and_last_is_its_name(shelf: Repository) -> None:
    for id, started in (
        ("b", "2026-03-01T10:00:00+02:00"),
        ("a", "2026-03-01T09:00:00Z"),
        ("c", "2025-01-01"),
    ):
        shelf.save(id, typed_line("hello", started))
    assert [kept.id for kept in shelf.all()] == ["a", "b", "c"], "eight o'clock at Greenwich is before nine"
    assert shelf.find("last") == "a"


def test_an_id_is_found_by_a_prefix_that_only_it_has(shelf: Repository) -> None:
    for id in ("2026-a", "2026-ab", "2025-c"):
        shelf.save(id, typed_line("hello"))
    shelf.save("2024-01-01_10-00-00_k3f9", typed_line("hello"))
    assert shelf.find("2025") == "2025-c"
    assert shelf.find("k3") == shelf.find("2024") == "2024-01-01_10-00-00_k3f9"
    assert shelf.find("2026-a") == "2026-a", "an id is itself, also when another begins with it"
    with pytest.raises(Ambiguous) as ambiguous:
        shelf.find("2026")
    assert ambiguous.value.candidates == ("2026-ab", "2026-a")
    assert ambiguous.value.exit_code == 2
    with pytest.raises(NotKept):
        shelf.find("2027")


def test_last_may_be_the_name_of_a_recording(shelf: Repository) -> None:
    shelf.save("last", typed_line("hello", "2020-01-01T00:00:00Z"))
    shelf.save("newer", typed_line("hello"))
    assert shelf.find("last") == "last"


def test_saving_again_takes_the_place_of_the_first(shelf: Repository) -> None:
    shelf.save("a", typed_line("the old words"))
    assert shelf.search("old")
    shelf.save("a", typed_line("new ones"))
    assert not shelf.search("old")
    assert [kept.first for kept in shelf.all()] == ["new ones"]


def test_what_is_forgotten_is_gone(shelf: Repository) -> None:
    shelf.save("a", typed_line("remember me"))
    shelf.save("b", typed_line("me too"))
    shelf.forget("a")
    assert [kept.id for kept in shelf.all()] == ["b"]
    assert [match.id for match in shelf.search("me")] == ["b"]
    with pytest.raises(NotKept):
        shelf.load("a")


def test_words_are_found_wherever_they_were_said(shelf: Repository) -> None:
    shelf.save("old", making.called().lines)
    shelf.save("new", making.spoken().lines)
    (match,) = shelf.search("SEVENTEEN twenty")
    assert (match.id, match.who, match.began_us) == ("new", "user", 300_000)
    assert {match.id for match in shelf.search("the")} == {"old", "new"}
    assert [match.text for match in shelf.search("keepers")] == [shelf.search("lighthouse")[0].text], "cut"
    assert [(match.id, match.who) for match in shelf.search("swordfish")] == [("old", "look_up")]
    assert shelf.search("seventeen cheese") == [], "all words of one line"
    assert shelf.search("ighthouse") == [], "words are found from their beginning"
    assert shelf.search("light")


def test_matches_come_newest_recording_first_and_in_order_within(shelf: Repository) -> None:
    shelf.save("a", typed_line("porridge", "2026-01-01T00:00:00Z"))
    shelf.save("b", making.called().lines)
    matches = shelf.search("porridge")
    assert [match.id for match in matches] == ["b", "b", "b", "a"]
    assert [match.began_us for match in matches[:3]] == sorted(match.began_us for match in matches[:3])


@pytest.mark.parametrize(
    "words", ["", " ", '"', "'; DROP TABLE line; --", "*", "NEAR", "a AND b", "(", "\x00", "%", "_"]
)
def test_anything_may_be_looked_for(shelf: Repository, words: str) -> None:
    shelf.save("a", typed_line("nothing of the kind"))
    assert shelf.search(words) == []


@pytest.mark.parametrize(
    ("said", "looked_for"),
    [
        ("Où est le café?", "cafe"),
        ("In der Straße", "strasse"),
        ("東京は今何時ですか", "東京"),
        ("東京は今何時ですか", "何時"),
        ("don't stop", "don't"),
        ("ΑΘΗΝΑ", "Αθήνα"),
        ("call 555-0199 now", "0199"),
    ],
)
def test_words_are_found_in_any_script(shelf: Repository, said: str, looked_for: str) -> None:
    shelf.save("a", typed_line(said))
    assert [match.text for match in shelf.search(looked_for)] == [said]


def test_what_is_no_recording_is_listed_as_what_it_is(shelf: Repository) -> None:
    whole = making.spoken().lines
    shelf.save("whole", whole)
    shelf.save("unfinished", whole[:-1])
    shelf.save("torn", [*whole[:-1], whole[-1][:9]])
    shelf.save("damaged", [*whole[:9], b"\x00\xff\n", *whole[9:]])
    shelf.save("effect", [*whole[:9], b'{"us":9,"effect":"said","item_id":1}\n', *whole[9:]])
    shelf.save("foreign", [b'{"type":"session.created"}\n'])
    shelf.save("future", [whole[0].replace(b'"version":1', b'"version":9'), *whole[1:]])
    shelf.save("empty", [])
    shelf.save("begun", [whole[0][:40]])
    shelf.save("binary", [bytes(range(256)) * 40])
    states = {kept.id: kept.state.value for kept in shelf.all()}
    assert states == {
        "whole": "whole",
        "unfinished": "unfinished",
        "torn": "unfinished",
        "damaged": "damaged",
        "effect": "damaged",
        "foreign": "foreign",
        "future": "foreign",
        "empty": "unfinished",
        "begun": "unfinished",
        "binary": "foreign",
    }
    problems = {kept.id: kept.problem for kept in shelf.all() if kept.problem}
    assert problems.keys() == {"damaged", "effect", "foreign", "future", "binary", "empty", "begun"}
    assert problems["damaged"].startswith("line 10: ")
    assert shelf.find("last") == "whole"


def test_what_cannot_be_stored_as_it_is_does_no_harm(shelf: Repository) -> None:
    recording = Recording(model="m", started="yesterday", redacted=5, resumed=["x"])
    recording.happen(typed("lone \ud800 surrogate"))
    recording.lines[0] = recording.lines[0].replace(b'"model":"m"', b'"model":"\\ud800"')
    recording.lines.append(recording.lines[-1].replace(b'{"us":300000', b'{"us":%d' % 10**17))
    shelf.save("odd", recording.lines)
    (kept,) = shelf.all()
    assert kept.first == "lone ? surrogate"
    assert [match.text for match in shelf.search("lone")] == ["lone ? surrogate"]


def test_every_golden_conversation_is_kept(shelf: Repository) -> None:
    for make in making.GOLDEN:
        shelf.save(make.__name__, make().lines)
    assert {kept.id for kept in shelf.all()} == {make.__name__ for make in making.GOLDEN}
    assert all(kept.state in (State.WHOLE, State.UNFINISHED) for kept in shelf.all())


def test_words_have_no_case_accents_or_punctuation() -> None:
    assert words_of("Déjà-vu, isn't it?  OK_go 東京X") == [
        "deja",
        "vu",
        "isn",
        "t",
        "it",
        "ok",
        "go",
        "東",
        "京",
        "x",
    ]
