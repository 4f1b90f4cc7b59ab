"""Which images the next session is shown, and with which lines."""

from __future__ import annotations

from rtassist.dialogue import pictures
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.events import ErrandEnded, LinkLost, LinkOpened
from rtassist.dialogue.state import Conversation, Image
from rtassist.dialogue.terms import Turn
from rtassist.protocol import UserMessage
from tests.playbook import after, listening, rang, session_created, session_updated

LOST = LinkLost(1006, "Gone.", recoverable=True)


def shown(state: Conversation, name: str, url: str = "data:image/png;base64,AA==") -> Conversation:
    return after(state, ErrandEnded("image", name, url))


def contents(state: Conversation) -> list[list[tuple[str, object]]]:
    return [
        [(part.type, part.text or part.image_url) for part in item.content or ()]
        for item in pictures.as_items(state.history, state.images)
        if isinstance(item, UserMessage)
    ]


def test_the_last_two_are_shown_again_and_of_the_others_their_names_are_known() -> None:
    state = listening()
    for number in range(4):
        state = shown(state, "same.png" if number > 1 else f"{number}.png", f"data:{number}")
    assert contents(state) == [
        [("input_text", "[0.png]")],
        [("input_text", "[1.png]")],
        [("input_image", "data:2"), ("input_text", "[same.png]")],
        [("input_image", "data:3"), ("input_text", "[same.png]")],
    ]


def test_what_is_kept_is_bounded_and_the_newest_stays() -> None:
    def kept(*characters: int) -> list[int]:
        do = Draft(listening(), 0)
        for number, length in enumerate(characters):
            pictures.keep(do, Turn("user", str(number)), "x" * length)
        return [len(image.url) for image in do.state.images]

    assert kept(1_000_000, 500_000) == [1_000_000, 500_000]
    assert kept(1_000_000, 500_001) == [500_001]
    assert kept(10, 1_600_000) == [1_600_000]
    assert kept(1, 2, 3) == [2, 3]


def test_an_image_whose_line_is_beyond_the_budget_is_not_shown() -> None:
    assert contents(listening(history=())) == []
    lost = Image(Turn("user", "[old.png]"), "data:0")
    assert len([*pictures.as_items([Turn("user", "new")], [lost])]) == 1


def test_an_image_that_may_have_ended_two_sessions_is_not_shown_to_a_third() -> None:
    state = shown(listening(reconnects=True), "bomb.png")
    back = (rang("redial"), LinkOpened(0), session_created(), session_updated())
    once = after(state, LOST, *back)
    assert once.images
    assert not after(once, LOST).images


def test_an_image_that_no_server_has_seen_is_shown_to_the_next() -> None:
    """It was shown in a gap, and a connection came and went meanwhile."""
    again = (LOST, rang("redial"), LinkOpened(0))
    state = shown(after(listening(reconnects=True), *again), "cat.png")
    assert contents(after(state, *again, session_created(), session_updated())) == contents(state) != []
