"""The folder is the truth; what is known of it can be deleted, damaged, or written by two at once."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtassist.errors import Failure
from rtassist.sessions.disk import INDEX, Disk, write_private
from rtassist.sessions.index import Index
from rtassist.sessions.repository import Described, Kept, NotKept, State
from tests.sessions import making

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="rights as Unix has them")


@pytest.fixture
def shelf(tmp_path: Path) -> Disk:
    disk = Disk(tmp_path / "recordings")
    disk.save("a", making.spoken().lines)
    disk.save("b", making.called().lines)
    return disk


def index(shelf: Disk) -> Path:
    return shelf.folder / INDEX


def counted(folder: Path) -> tuple[Index, list[str]]:
    """An index, and the ids that it reads."""
    read: list[str] = []
    return Index(folder / "index"), read


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    index, read = counted(tmp_path)

    def describe(id: str) -> Described:
        read.append(id)
        return Described(Kept(id=id, state=State.WHOLE))

    stamps = {"a": (1, 1), "b": (1, 1)}
    assert {kept.id for kept in index.all(stamps, describe)} == {"a", "b"}
    assert read == ["a", "b"]
    index.all(stamps, describe)
    assert read == ["a", "b"]
    index.all({"a": (2, 1), "b": (1, 1)}, describe)
    index.all({"a": (2, 2), "c": (1, 1)}, describe)
    assert read == ["a", "b", "a", "a", "c"]
    assert {kept.id for kept in index.all({"c": (1, 1)}, describe)} == {"c"}


def test_notes_are_forgotten_with_their_recording_and_stay_with_its_words(shelf: Disk) -> None:
    notes = [shelf.folder / f"{id}.notes.txt" for id in "ab"]
    for path in notes:
        path.write_text("Buy milk.\n")
    shelf.drop_audio("a")
    assert [path.exists() for path in notes] == [True, True]
    shelf.forget("a")
    assert [path.exists() for path in notes] == [False, True]
    assert [kept.id for kept in shelf.all()] == ["b"]


def test_the_audio_beside_a_recording_belongs_to_it(shelf: Disk) -> None:
    text = shelf.path("a").stat().st_size
    for ending in (".mic.flac", ".voice.flac"):
        (shelf.folder / f"a{ending}").write_bytes(b"fLaC" * 10)
    kept = {one.id: one for one in shelf.all()}
    assert (kept["a"].audio, kept["a"].size) == (True, text + 80)
    assert not kept["b"].audio
    shelf.drop_audio("a")
    assert [path.name for path in sorted(shelf.folder.glob("[!.]*"))] == ["a.jsonl", "b.jsonl"]
    (shelf.folder / "a.mic.flac").write_bytes(b"fLaC")
    shelf.forget("a")
    assert [path.name for path in sorted(shelf.folder.glob("[!.]*"))] == ["b.jsonl"]


@posix
def test_files_are_private(shelf: Disk) -> None:
    shelf.all()
    assert shelf.folder.stat().st_mode & 0o777 == 0o700
    for path in shelf.folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_the_index_can_be_deleted(shelf: Disk) -> None:
    before = shelf.all()
    index(shelf).unlink()
    assert shelf.all() == before
    assert index(shelf).exists()


@pytest.mark.parametrize(
    "damage",
    [b"", b"not a database at all" * 400, b"SQLite format 3\x00" + b"\xff" * 5000],
    ids=["empty", "text", "half"],
)
def test_a_damaged_index_is_made_again(shelf: Disk, damage: bytes) -> None:
    before = shelf.all()
    index(shelf).write_bytes(damage)
    assert shelf.all() == before
    assert shelf.search("swordfish")


def test_an_index_with_a_page_overwritten_is_made_again(shelf: Disk) -> None:
    before = shelf.all()
    whole = index(shelf).read_bytes()
    for page in range(4096, len(whole), 4096):
        index(shelf).write_bytes(whole[:page] + b"\xa5" * 4096 + whole[page + 4096 :])
        shelf.search("swordfish")
        assert shelf.all() == before


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE line",
        "DROP TABLE session",
        "UPDATE session SET kept = 'nonsense'",
        "UPDATE session SET kept = '{}'",
        "PRAGMA user_version = 77",
    ],
)
def test_an_index_that_somebody_else_wrote_is_made_again(shelf: Disk, statement: str) -> None:
    before = shelf.all()
    database = sqlite3.connect(index(shelf), isolation_level=None)
    database.execute(statement)
    database.close()
    assert shelf.all() == before
    assert shelf.search("swordfish")


def test_an_index_with_full_text_is_of_no_use_without_it_and_the_other_way_round(shelf: Disk) -> None:
    plain = Disk(shelf.folder, full_text=False)
    for disk in (shelf, plain, shelf, plain):
        assert [match.id for match in disk.search("swordfish")] == ["b"]


def test_words_that_are_deleted_are_not_left_in_the_index(shelf: Disk) -> None:
    for disk in (shelf, Disk(shelf.folder, full_text=False)):
        disk.save("secret", making.restarted().lines)
        assert disk.search("hunter2")
        assert b"hunter2" in index(disk).read_bytes()
        disk.forget("secret")
        assert b"hunter2" not in index(disk).read_bytes()
        disk.save("secret", making.restarted().lines)
        assert disk.search("hunter2")
        disk.save("secret", making.spoken().lines)
        assert b"hunter2" not in index(disk).read_bytes()
        assert not disk.search("hunter2")


def test_beside_a_file_of_somebody_s_no_index_is_made(tmp_path: Path) -> None:
    Disk(tmp_path).save("a", making.typed().lines)
    Disk(tmp_path).forget("a")
    assert list(tmp_path.iterdir()) == []


def test_where_no_index_can_be_written_there_is_one_for_the_moment(shelf: Disk) -> None:
    before = shelf.all()
    index(shelf).unlink()
    index(shelf).mkdir()
    assert shelf.all() == before
    assert shelf.search("swordfish")


def test_while_another_process_writes_for_long_it_is_done_without(shelf: Disk) -> None:
    shelf.all()
    other = sqlite3.connect(index(shelf), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        impatient = Disk(shelf.folder, busy_s=0)
        assert {kept.id for kept in impatient.all()} == {"a", "b"}
        assert impatient.search("swordfish")
    finally:
        other.close()


def test_what_is_no_file_is_left_alone(shelf: Disk) -> None:
    (shelf.folder / "folder.jsonl").mkdir()
    (shelf.folder / "notes.txt").write_text("mine")
    (shelf.folder / ".hidden.jsonl").write_text("mine")
    if os.name == "posix":
        (shelf.folder / "nowhere.jsonl").symlink_to("nowhere")
        (shelf.folder / "circle.jsonl").symlink_to("circle.jsonl")
        (shelf.folder / "below.jsonl").symlink_to("notes.txt/below")
        (shelf.folder / "long.jsonl").symlink_to("x" * 300)
        os.mkfifo(shelf.folder / "pipe.jsonl")
        Path(os.fsdecode(bytes(shelf.folder) + b"/\xff.jsonl")).write_bytes(b"")
    assert {kept.id for kept in shelf.all()} == {"a", "b"}
    with pytest.raises(NotKept):
        shelf.forget("folder")


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="a file that nobody can read is of Linux")
def test_a_file_that_cannot_be_read_is_listed_with_the_reason(shelf: Disk) -> None:
    shelf.path("c").symlink_to("/proc/self/mem")
    kept = {one.id: one for one in shelf.all()}
    assert kept["c"].state is State.DAMAGED
    assert kept["c"].problem == "input/output error"
    with pytest.raises(Failure, match=r"c\.jsonl cannot be read: input/output error"):
        list(shelf.load("c"))


def test_a_recording_that_grows_is_read_again(shelf: Disk) -> None:
    lines = making.spoken().lines
    shelf.save("c", lines[:10])
    assert {kept.id: kept.state for kept in shelf.all()}["c"] is State.UNFINISHED
    with shelf.path("c").open("ab") as file:
        file.writelines(lines[10:])
    assert {kept.id: kept.state for kept in shelf.all()}["c"] is State.WHOLE


def test_what_cannot_be_written_whole_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"before")

    def lines() -> Iterator[bytes]:
        yield b"some"
        raise ValueError("halfway")

    with pytest.raises(ValueError, match="halfway"):
        write_private(path, lines())
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(Failure, match="cannot be written"):
        write_private(tmp_path / "nowhere" / "a.jsonl", [])


def test_two_processes_do_not_hurt_each_other(tmp_path: Path) -> None:
    """Both index, search, delete the index and damage it, in one folder at the same time."""
    folder = tmp_path / "recordings"
    disk = Disk(folder)
    for number in range(20):
        disk.save(f"s{number:02}", making.called().lines)
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from rtassist.sessions.disk import INDEX, Disk\n"
        "disk = Disk(Path(sys.argv[1]))\n"
        "for turn in range(15):\n"
        "    disk.path(f's{turn:02}').touch()\n"
        "    assert len(disk.all()) == 20, turn\n"
        "    assert len(disk.search('swordfish')) == 20, turn\n"
        "    if turn % 5 == 2:\n"
        "        (disk.folder / INDEX).unlink(missing_ok=True)\n"
        "    if turn % 5 == 4:\n"
        "        part = disk.folder / f'.{os.getpid()}'\n"
        "        part.write_bytes(b'nonsense' * 600)\n"
        "        part.replace(disk.folder / INDEX)\n"
    )
    command = [sys.executable, "-c", program, str(folder)]
    running = [
        subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        for _ in range(3)
    ]
    for process in running:
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
