"""The notation, what it matches, and the automaton that the recogniser searches."""

from itertools import product
from random import Random

import pytest

from rtassist.server.stand_in.automaton import automaton
from rtassist.server.stand_in.grammar import Grammar, read
from rtassist.server.stand_in.phrases import GRAMMAR


def grammar(**spoken: str) -> Grammar:
    rules = {name: read(notation) for name, notation in spoken.items()}
    typed = {"any": read("...")}
    return Grammar(spoken=rules, typed=typed, kept=frozenset({"fruit", "any"}), numeric=frozenset({"count"}))


SMALL = grammar(
    top="[please] (take | give me) <count> <fruit>+ | stop [<any>]",
    count="one | two",
    fruit="red [and green] apple | pear",
)


@pytest.mark.parametrize(
    ("said", "captures"),
    [
        ("please take one pear", [("fruit", "pear")]),
        ("give me two red and green apple pear", [("fruit", "red and green apple"), ("fruit", "pear")]),
        ("take 17 pear", [("fruit", "pear")]),
        ("stop", []),
        # Only what is typed may be anything.
        ("stop all of it", [("any", "all of it")]),
        ("take one", None),
        ("please", None),
        ("take one pear please", None),
        ("take seventeen pear", None),
        ("", None),
    ],
)
def test_what_matches_and_what_is_kept(said: str, captures: list[tuple[str, str]] | None) -> None:
    found = SMALL.match("top", said.split())
    assert (None if found is None else [(name, " ".join(words)) for name, words in found]) == captures


@pytest.mark.parametrize("broken", ["(a", "a]", "[a)", "a | ", "", "a {tag}", "()"])
def test_broken_notation_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match=r"cannot read|not closed|empty"):
        read(broken)


def test_the_automaton_hears_what_the_grammar_means_and_nothing_else() -> None:
    small = grammar(top="[a] (b | c d)+ [[a] <rest>]", rest="c | a b")
    heard = automaton(small, "top")
    for length in range(6):
        for words in product("abcd", repeat=length):
            assert heard.accepts(words) == (small.match("top", words) is not None), words


def test_the_automaton_is_the_smallest() -> None:
    # Two ways to the same words, and two words with the same rest, cost no state.
    small = grammar(top="a b | a b | (c | d) b e | c b e")
    assert automaton(small, "top").states == 5
    assert len(automaton(small, "top").arcs) == 6


def test_what_can_be_heard_is_what_the_table_gives() -> None:
    heard = automaton(GRAMMAR, "sentence")
    random = Random(11)
    for _ in range(500):
        sentence = GRAMMAR.example("sentence", random)
        assert heard.accepts(sentence), sentence
        assert not heard.accepts([*sentence, "zero", "zero"])
    # The search takes time by their number.
    assert heard.states < 300
    assert len(heard.arcs) < 2000


@pytest.mark.offline
def test_every_word_that_can_be_heard_can_be_pronounced() -> None:
    import pocketsphinx

    decoder = pocketsphinx.Decoder(lm=None, loglevel="FATAL")
    words = {word for _, _, word in automaton(GRAMMAR, "sentence").arcs} - {"a_hundred"}
    assert [word for word in sorted(words) if decoder.lookup_word(word) is None] == []
