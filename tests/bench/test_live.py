"""A real endpoint is used only with a key, only when the user agrees, and he knows what it costs."""

import pytest

from bench.live import Live, about_usd, agreed, live

TO = Live(url="wss://example.com/v1/realtime", model="gpt-realtime-2.1", key="sk-1", place="OPENAI_API_KEY")


def test_without_a_key_there_is_none() -> None:
    assert "OPENAI_API_KEY" in str(live({"OPENAI_API_KEY": " "}))


def test_the_programs_own_key_goes_first_and_shows_nowhere() -> None:
    found = live({"OPENAI_API_KEY": "sk-1", "RTASSIST_API_KEY": "sk-2", "RTASSIST_URL": "ws://localhost/"})
    assert isinstance(found, Live)
    assert (found.key, found.place, found.url) == ("sk-2", "RTASSIST_API_KEY", "ws://localhost/")
    assert "sk-2" not in repr(found)


@pytest.mark.parametrize(("answer", "is_yes"), [("y", True), (" YES ", True), ("", False), ("n", False)])
def test_only_yes_is_yes(answer: str, is_yes: bool) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return answer

    assert agreed(TO, ask) is is_yes
    assert "about $0." in asked[0]
    assert "OPENAI_API_KEY" in asked[0]
    assert "sk-1" not in asked[0]


def test_nobody_there_to_ask_is_no() -> None:
    def nobody(question: str) -> str:
        raise EOFError

    assert not agreed(TO, nobody)


def test_more_turns_cost_more_and_an_unknown_model_costs_nobody_knows_what() -> None:
    few, many = about_usd("gpt-realtime-mini", 2), about_usd("gpt-realtime-mini", 5)
    assert few
    assert many
    assert many > 2.5 * float(few)  # each goes through the conversation before it once more
    assert about_usd("some-model") is None
