"""A small grammar notation that is read once and used twice: as an automaton that the recogniser searches,
and for understanding words. So what can be heard is what can be understood.

The notation is that of JSGF's right-hand sides (https://www.w3.org/TR/jsgf/): words, `( )` groups, `[ ]`
options, `|` alternatives, `+` repetition and `<name>` references, without weights and tags. For typed text
there is also `...`, which stands for one or more words whatever they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from attrs import frozen

from rtassist.server.stand_in.numbers import NUMERAL

Captures = tuple[tuple[str, tuple[str, ...]], ...]


@frozen
class Word:
    text: str


@frozen
class Series:
    parts: tuple[Node, ...]


@frozen
class Either:
    choices: tuple[Node, ...]


@frozen
class Maybe:
    part: Node


@frozen
class Many:
    part: Node


@frozen
class Ref:
    name: str


@frozen
class Anything:
    pass


Node = Word | Series | Either | Maybe | Many | Ref | Anything

_TOKEN = re.compile(r"\s*(?:(<\w+>)|(\.\.\.)|([\[\]()|+])|([\w']+))")


def read(notation: str) -> Node:
    """Raises ValueError where the notation is broken."""
    tokens: list[str] = []
    position = 0
    notation = notation.strip()
    while position < len(notation):
        found = _TOKEN.match(notation, position)
        if found is None:
            raise ValueError(f"cannot read {notation[position:]!r}")
        tokens.append(found.group().strip())
        position = found.end()
    node, rest = _alternatives(tokens)
    if rest:
        raise ValueError(f"cannot read {' '.join(rest)!r} in {notation!r}")
    return node


def _alternatives(tokens: list[str]) -> tuple[Node, list[str]]:
    choices = []
    while True:
        node, tokens = _series(tokens)
        choices.append(node)
        if not tokens or tokens[0] != "|":
            return (choices[0] if len(choices) == 1 else Either(tuple(choices))), tokens
        tokens = tokens[1:]


def _series(tokens: list[str]) -> tuple[Node, list[str]]:
    parts: list[Node] = []
    while tokens and tokens[0] not in ("|", ")", "]"):
        head, tokens = tokens[0], tokens[1:]
        node: Node
        if head in ("(", "["):
            node, tokens = _alternatives(tokens)
            if not tokens or tokens[0] != {"(": ")", "[": "]"}[head]:
                raise ValueError(f"{head!r} is not closed")
            tokens = tokens[1:]
            if head == "[":
                node = Maybe(node)
        elif head == "+":
            node = Many(parts.pop())
        elif head == "...":
            node = Anything()
        elif head.startswith("<"):
            node = Ref(head[1:-1])
        else:
            node = Word(head)
        parts.append(node)
    if not parts:
        raise ValueError("an empty alternative")
    return (parts[0] if len(parts) == 1 else Series(tuple(parts))), tokens


@frozen
class Grammar:
    """Rules by name. `spoken` is what the recogniser listens for; `typed` holds further alternatives that
    only typed text can take. `kept` names the rules whose words a match hands out; those in `numeric` also
    take a numeral."""

    spoken: Mapping[str, Node]
    typed: Mapping[str, Node]
    kept: frozenset[str]
    numeric: frozenset[str]

    def match(self, name: str, words: Sequence[str]) -> Captures | None:
        """What the whole of `words` is as the rule `name`, the words of the kept rules in it, in order; or
        None."""
        return self.match_node(Ref(name), words)

    def match_node(self, node: Node, words: Sequence[str]) -> Captures | None:
        """`match` for something that has no name."""
        for end, captures in self._match(node, tuple(words), 0):
            if end == len(words):
                return captures
        return None

    def _match(self, node: Node, words: tuple[str, ...], at: int) -> Iterator[tuple[int, Captures]]:
        match node:
            case Word(text):
                if at < len(words) and words[at] == text:
                    yield at + 1, ()
            case Series(parts):
                yield from self._match_series(parts, words, at)
            case Either(choices):
                for choice in choices:
                    yield from self._match(choice, words, at)
            case Maybe(part):
                yield from self._match(part, words, at)
                yield at, ()
            case Many(part):
                for middle, captures in self._match(part, words, at):
                    for end, more in self._match(Maybe(node), words, middle):
                        yield end, captures + more
            case Anything():
                for end in range(len(words), at, -1):
                    yield end, ()
            case Ref(name):
                yield from self._match_rule(name, words, at)

    def _match_series(
        self, parts: tuple[Node, ...], words: tuple[str, ...], at: int
    ) -> Iterator[tuple[int, Captures]]:
        if not parts:
            yield at, ()
            return
        for middle, captures in self._match(parts[0], words, at):
            for end, more in self._match_series(parts[1:], words, middle):
                yield end, captures + more

    def _match_rule(self, name: str, words: tuple[str, ...], at: int) -> Iterator[tuple[int, Captures]]:
        keep = name in self.kept
        if name in self.numeric and at < len(words) and NUMERAL.fullmatch(words[at]):
            yield at + 1, ((name, (words[at],)),) if keep else ()
        for rules in (self.spoken, self.typed):
            if name in rules:
                for end, captures in self._match(rules[name], words, at):
                    yield end, ((name, words[at:end]),) if keep else captures

    def example(self, name: str, random: Random) -> list[str]:
        """Some words that can be heard as the rule `name`."""
        return list(self._example(self.spoken[name], random))

    def _example(self, node: Node, random: Random) -> Iterator[str]:
        match node:
            case Word(text):
                yield text
            case Series(parts):
                for part in parts:
                    yield from self._example(part, random)
            case Either(choices):
                yield from self._example(random.choice(choices), random)
            case Maybe(part):
                if random.random() < 0.5:
                    yield from self._example(part, random)
            case Many(part):
                for _ in range(random.choice((1, 1, 2, 3))):
                    yield from self._example(part, random)
            case Ref(name):
                yield from self._example(self.spoken[name], random)
            case Anything():
                raise ValueError("'...' cannot be heard")
