"""How alike two sentences are."""

import pytest

from rtassist.server.likeness import sounds_alike, words_alike


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("count to twenty", "count to twenty", 1.0),
        ("count to twenty", "county plenty", 0.0),
        ("what is nine times eight", "what is mine", 0.4),
        # In the same order: what is turned round is not alike.
        ("one two", "two one", 0.5),
        ("", "", 0.0),
        ("stop", "", 0.0),
    ],
)
def test_words(one: str, other: str, alike: float) -> None:
    assert words_alike(one, other) == pytest.approx(alike)
    assert words_alike(other, one) == pytest.approx(alike)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("S T AA P", "S T AA P", 1.0),
        # A sound missing, a sound of the same kind, a sound of another kind: 1, 1/2 and 1 of four.
        ("S T AA P", "S T AA", 0.75),
        ("S T AA P", "S T AO P", 0.875),
        ("S T AA P", "S T AA M", 0.75),
        ("S T AA P", "N IY", 0.125),
        ("", "", 0.0),
        ("S", "", 0.0),
    ],
)
def test_sounds(one: str, other: str, alike: float) -> None:
    assert sounds_alike(one.split(), other.split()) == pytest.approx(alike)
    assert sounds_alike(other.split(), one.split()) == pytest.approx(alike)
