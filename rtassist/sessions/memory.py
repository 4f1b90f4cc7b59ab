"""Recordings kept in a dict, for as long as the program runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve

from rtassist.sessions import repository
from rtassist.sessions.repository import Described, Kept, Match, NotKept


class Memory:
    """A `Repository`. It keeps no audio."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[bytes, ...]] = {}

    def all(self) -> list[Kept]:
        return repository.newest_first(one.kept for one in self._described())

    def find(self, name: str) -> str:
        if name == repository.NEWEST and name not in self._lines:
            return repository.newest(self.all())
        return repository.found(name, self._lines)

    def load(self, id: str) -> Iterator[bytes]:
        if id not in self._lines:
            raise NotKept(f"There is no recording {id}.")
        return iter(self._lines[id])

    def search(self, words: str) -> list[Match]:
        wanted = repository.words_of(words)
        matches: list[Match] = []
        for one in sorted(self._described(), key=lambda one: (one.kept.started, one.kept.id), reverse=True):
            for match in one.matches:
                there = repository.words_of(match.text)
                if wanted and all(any(word.startswith(part) for word in there) for part in wanted):
                    matches.append(match)
        return matches

    def save(self, id: str, lines: Iterable[bytes]) -> None:
        self._lines[id] = tuple(lines)

    def drop_audio(self, id: str) -> None:
        self.load(id)

    def forget(self, id: str) -> None:
        self.load(id)
        del self._lines[id]

    def _described(self) -> Iterator[Described]:
        for id, lines in self._lines.items():
            one = repository.described(id, lines)
            yield evolve(one, kept=evolve(one.kept, size=sum(map(len, lines))))
