"""What is known of the recordings in a folder, in one SQLite file: derived from them, and made again at will.

The full-text search is SQLite's own (FTS5, https://sqlite.org/fts5.html); where SQLite was built without it,
the same lines are looked through one by one.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs
import orjson

from rtassist.sessions.repository import Described, Kept, Match, State, words_of

Stamp = tuple[int, int]
"""Of a file: nanoseconds when it was written last, and bytes. What has another one is read again."""

Answer = TypeVar("Answer")

VERSION: Final = 1
_PLAIN, _FTS5 = 2 * VERSION, 2 * VERSION + 1  # `user_version` of the database
_LINES: Final = 1 << 24
"""Row numbers for the lines of one recording: more than a session of an hour can have."""
BUSY_S: Final = 10
"""How long another process may take to write its share."""
_BATCH_BYTES: Final = 8_000_000
"""Recordings read between two commits: what an interrupted first indexing loses, about a second."""
_OF_NO_USE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""The file is damaged, is something else, or needs what this SQLite has not: it is made again."""


class Index:
    """The index in the file `path`. Only while a method runs is the file open.

    It never fails: a damaged file is deleted and made again, and where none can be written (a full disk,
    a folder that is read only) the index lives in memory, for one question.
    """

    def __init__(self, path: Path, *, full_text: bool = True, busy_s: float = BUSY_S) -> None:
        """Without `full_text` it is as where SQLite has no FTS5. Another process is waited for `busy_s`."""
        self._path = path
        self._full_text = full_text
        self._busy_s = busy_s

    def all(self, stamps: Mapping[str, Stamp], read: Callable[[str], Described]) -> list[Kept]:
        """What is known of the files in `stamps`. What has changed is read again with `read`."""

        def ask(database: sqlite3.Connection) -> list[Kept]:
            rows = database.execute("SELECT kept FROM session").fetchall()
            return [_kept(row) for (row,) in rows]

        return self._asked(ask, stamps, read)

    def search(
        self, words: str, stamps: Mapping[str, Stamp], read: Callable[[str], Described]
    ) -> list[Match]:
        """As `Repository.search`, in no order of recordings."""
        wanted = words_of(words)

        def ask(database: sqlite3.Connection) -> list[Match]:
            return [Match(*row) for row in _matching(database, wanted)] if wanted else []

        return self._asked(ask, stamps, read)

    def _asked(
        self,
        ask: Callable[[sqlite3.Connection], Answer],
        stamps: Mapping[str, Stamp],
        read: Callable[[str], Described],
    ) -> Answer:
        for _ in range(3):  # another process may make it anew at the same moment
            try:
                with _opened(self._path, self._full_text, self._busy_s) as database:
                    _refresh(database, stamps, read)
                    with _transaction(database, "DEFERRED"):
                        if _stamps(database) == stamps:
                            return ask(database)
                    continue
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _OF_NO_USE:
                    break
            except (ValueError, KeyError, TypeError):  # rows that we did not write
                pass
            except OSError:
                break
            self._delete()
        with _opened(None, self._full_text, 0) as database:
            _refresh(database, stamps, read)
            return ask(database)

    def _delete(self) -> None:
        for suffix in ("-journal", ""):  # one that is left behind would be played into the next
            with suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink()


@contextmanager
def _opened(path: Path | None, full_text: bool, busy_s: float) -> Iterator[sqlite3.Connection]:
    if path is not None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite's journal takes its rights from it
    database = sqlite3.connect(path or ":memory:", timeout=busy_s, isolation_level=None)
    with closing(database):
        database.execute("PRAGMA secure_delete = ON")  # what is deleted is not to be found in the file
        version = _FTS5 if full_text and _has_fts5(database) else _PLAIN
        if _version(database) != version:
            with _transaction(database):
                if _version(database) != version:  # nobody else has made it meanwhile
                    _make(database, version)
        yield database


def _has_fts5(database: sqlite3.Connection) -> bool:
    return ("ENABLE_FTS5",) in database.execute("PRAGMA compile_options").fetchall()


def _version(database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)


def _make(database: sqlite3.Connection, version: int) -> None:
    database.execute("DROP TABLE IF EXISTS session")
    database.execute("DROP TABLE IF EXISTS line")
    database.execute(
        "CREATE TABLE session (number INTEGER PRIMARY KEY, id TEXT UNIQUE, written INTEGER, bytes INTEGER, "
        "kept TEXT)"
    )
    if version == _FTS5:
        # Words are put in as they are looked for (`words_of`), so that both searches find the same.
        database.execute(
            "CREATE VIRTUAL TABLE line USING fts5(id UNINDEXED, began_us UNINDEXED, who UNINDEXED, "
            "text UNINDEXED, words, tokenize='unicode61 remove_diacritics 0')"
        )
    else:
        database.execute("CREATE TABLE line (id TEXT, began_us INTEGER, who TEXT, text TEXT, words TEXT)")
    database.execute(f"PRAGMA user_version = {version}")


@contextmanager
def _transaction(database: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    database.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        if database.in_transaction:  # SQLite ends it by itself at some errors
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _refresh(
    database: sqlite3.Connection, stamps: Mapping[str, Stamp], read: Callable[[str], Described]
) -> None:
    """Recordings are read before and not within a transaction: nobody waits for that."""
    known = _stamps(database)
    changed = [id for id, stamp in stamps.items() if known.get(id) != stamp]
    for batch in _batches(changed, stamps):
        described = [(read(id), stamps[id]) for id in batch]
        with _transaction(database):
            for one, stamp in described:
                _forget(database, one.kept.id)
                _put(database, one, stamp)
    old = known.keys() - stamps.keys()
    if old or not known.keys().isdisjoint(changed):
        with _transaction(database):
            for id in old:
                _forget(database, id)
            if _version(database) == _FTS5:  # it keeps the words of deleted lines until it merges
                database.execute("INSERT INTO line (line) VALUES ('optimize')")


def _stamps(database: sqlite3.Connection) -> dict[str, Stamp]:
    rows = database.execute("SELECT id, written, bytes FROM session").fetchall()
    return {id: (written, size) for id, written, size in rows}


def _batches(ids: Iterable[str], stamps: Mapping[str, Stamp]) -> Iterator[list[str]]:
    batch: list[str] = []
    for id in ids:
        batch.append(id)
        if sum(stamps[one][1] for one in batch) > _BATCH_BYTES or len(batch) == 100:
            yield batch
            batch = []
    if batch:
        yield batch


def _forget(database: sqlite3.Connection, id: str) -> None:
    for (number,) in database.execute("SELECT number FROM session WHERE id = ?", (id,)).fetchall():
        first = number * _LINES
        database.execute("DELETE FROM line WHERE rowid >= ? AND rowid < ?", (first, first + _LINES))
        database.execute("DELETE FROM session WHERE number = ?", (number,))


def _put(database: sqlite3.Connection, one: Described, stamp: Stamp) -> None:
    row = (
        one.kept.id,
        *stamp,
        orjson.dumps(attrs.asdict(one.kept) | {"state": one.kept.state.value}).decode(),
    )
    number = database.execute(
        "INSERT INTO session (id, written, bytes, kept) VALUES (?, ?, ?, ?)", row
    ).lastrowid
    assert number is not None
    database.executemany(
        "INSERT INTO line (rowid, id, began_us, who, text, words) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (number * _LINES + index, *attrs.astuple(match), " ".join(words_of(match.text)))
            for index, match in enumerate(one.matches)
        ),
    )


def _kept(row: str) -> Kept:
    fields: dict[str, Any] = orjson.loads(row)
    return Kept(**{**fields, "state": State(fields["state"]), "redacted": tuple(fields["redacted"])})


def _matching(database: sqlite3.Connection, wanted: list[str]) -> list[tuple[Any, ...]]:
    columns = "SELECT id, began_us, who, text FROM line WHERE"
    if _version(database) == _FTS5:
        query = " ".join(f'"{word}"*' for word in wanted)
        return database.execute(f"{columns} line MATCH ? ORDER BY rowid", (query,)).fetchall()
    each = " AND ".join(["' ' || words LIKE ?"] * len(wanted))
    parts = [f"% {word}%" for word in wanted]
    return database.execute(f"{columns} {each} ORDER BY rowid", parts).fetchall()
