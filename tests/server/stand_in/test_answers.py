"""The stand-in's side of conversations: what it answers depends on what was said, now and before."""

import json
from datetime import datetime
from random import Random

import pytest

from rtassist.protocol import (
    AssistantContent,
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    FunctionTool,
    Item,
    SystemContent,
    SystemMessage,
    ToolChoiceFunction,
    UserContent,
    UserMessage,
)
from rtassist.server.parts import Ask, Call, Say
from rtassist.server.stand_in.answers import ANSWERS, answer
from rtassist.server.stand_in.phrases import GRAMMAR, INTENTS, understand
from rtassist.server.stand_in.thinker import StandIn

NOW = datetime(2026, 11, 22, 15, 4)
SET_TIMER = FunctionTool(type="function", name="set_timer", parameters={"type": "object"})


def user(text: str) -> UserMessage:
    return UserMessage(content=(UserContent(type="input_audio", transcript=text),))


def assistant(text: str) -> AssistantMessage:
    return AssistantMessage(content=(AssistantContent(type="output_audio", transcript=text),))


def asked(
    *items: Item,
    tools: tuple[FunctionTool, ...] = (),
    tool_choice: str | ToolChoiceFunction = "auto",
    understood: bool = True,
    now: datetime = NOW,
) -> list[Say | Call]:
    return answer(
        Ask(
            items=items,
            instructions="",
            tools=tools,
            tool_choice=tool_choice,
            now=now,
            understood=understood,
        )
    )


def said(pieces: list[Say | Call]) -> str:
    assert all(isinstance(piece, Say) for piece in pieces)
    return "".join(piece.text for piece in pieces if isinstance(piece, Say))


def conversation(*lines: str) -> list[str]:
    """The answers to these lines, each given with everything before it."""
    items: list[Item] = []
    answers = []
    for line in lines:
        items.append(user(line))
        answers.append(said(asked(*items)))
        items.append(assistant(answers[-1]))
    return answers


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("what is seventeen times twenty three", "Seventeen times twenty-three is 391."),
        ("What's 17 x 23?", "Seventeen times twenty-three is 391."),
        ("how much is nine hundred ninety nine plus one", "Nine hundred and ninety-nine plus one is 1,000."),
        ("calculate twelve minus twenty", "Twelve minus twenty is -8."),
        ("2 + 3 * 4", "Two plus three times four is 14."),
        ("what is seven divided by two", "Seven divided by two is 3.5."),
        ("what is 7 / 3", "Seven divided by three is about 2.333."),
        ("what is fifteen percent of two hundred", "Fifteen percent of two hundred is 30."),
        ("minus 5 plus 3", "Minus five plus three is -2."),
        ("three by four", "Three times four is 12."),
        ("five divided by zero", "Nothing can be divided by zero."),
        ("what time is it", "It is 3:04 in the afternoon."),
        ("what is the date today", "Today is Sunday, the twenty-second of November 2026."),
        ("count to five", "1, 2, 3, 4, 5."),
        ("count down from 3", "3, 2, 1, 0."),
        ("count from ten to thirteen", "10, 11, 12, 13."),
        ("count to 9999", "That is too far for me: I count 300 numbers at most."),
        ("how do you spell rhythm", "rhythm: R, H, Y, T, H, M."),
        ("say goodbye to my aunt in French", "goodbye to my aunt in French"),
        ("repeat after me: Hello, World!", "Hello, World!"),
        ("stop", "Okay."),
    ],
)
def test_a_question_and_its_answer(question: str, reply: str) -> None:
    assert said(asked(user(question))) == reply


def test_sums_build_on_the_one_before() -> None:
    answers = conversation(
        "what is 100 plus 20", "and times two", "divide that by 0", "halve it", "add 3 to that"
    )
    assert answers[0].endswith("is 120.")
    assert answers[1].endswith("is 240.")
    assert answers[2] == "Nothing can be divided by zero."
    assert answers[3].endswith("is 120.")
    assert answers[4] == "One hundred and twenty plus three is 123."
    assert conversation("plus five") == ["There is no result yet to go on from."]


def test_it_repeats_what_was_heard_of_its_answer_and_knows_what_was_asked() -> None:
    items = (user("read me a story"), assistant("Here is a long"), user("repeat that"))
    assert said(asked(*items)) == "Here is a long"
    assert said(asked(*items, assistant("x"), user("what did I ask before"))) == 'You said: "repeat that".'
    assert said(asked(user("repeat that"))) == "I have not said anything yet."
    assert "not said anything before" in said(asked(user("what did I ask")))


def test_what_it_does_not_understand_it_says_with_what_it_heard() -> None:
    assert "how tall is the Eiffel tower" in said(asked(user("how tall is the Eiffel tower")))
    heard_wrongly = said(asked(user("count to ten"), understood=False))
    assert "did not understand" in heard_wrongly
    assert "count to ten" in heard_wrongly
    assert "no" in said(asked(user(" ")))


def test_it_says_what_it_is() -> None:
    for question in ("who are you", "hello", "are you a language model"):
        assert "without a language model" in said(asked(user(question)))
    assert "without a language model" in said(asked())


def test_a_timer_is_set_by_the_client_and_only_there() -> None:
    (call,) = asked(user("set a tea timer for 3 minutes and 20 seconds"), tools=(SET_TIMER,))
    assert isinstance(call, Call)
    assert call.name == "set_timer"
    assert json.loads(call.arguments) == {"seconds": 200, "label": "tea"}

    for tools, choice in (((), "auto"), ((SET_TIMER,), "none")):
        refused = said(asked(user("set a timer for ten seconds"), tools=tools, tool_choice=choice))
        assert "cannot set a timer" in refused


def test_a_timer_without_a_length_is_asked_about() -> None:
    assert said(asked(user("set a timer"), tools=(SET_TIMER,))) == "For how long?"
    (call,) = asked(user("set a timer"), assistant("For how long?"), user("ten minutes"), tools=(SET_TIMER,))
    assert isinstance(call, Call)
    assert json.loads(call.arguments)["seconds"] == 600


@pytest.mark.parametrize(
    ("output", "reply"),
    [
        ('{"set": true, "seconds": 90, "label": "tea"}', "The tea timer is set for 1 minute and 30 seconds."),
        ('{"set": true, "seconds": 3600, "label": ""}', "The timer is set for 1 hour."),
        ('{"error": "seconds must be more than 0"}', "The timer was not set: seconds must be more than 0."),
        ("no", "The timer was not set: no."),
    ],
)
def test_it_tells_what_came_of_a_timer(output: str, reply: str) -> None:
    call = FunctionCall(call_id="c1", name="set_timer", arguments="{}")
    assert said(asked(user("x"), call, FunctionCallOutput(call_id="c1", output=output))) == reply


def test_it_tells_when_a_timer_is_due() -> None:
    for label, reply in (("tea", "Your tea timer is over."), ("", "Your timer is over.")):
        text = f"The timer '{label}' is due. Tell the user now, in one short sentence."
        notice = SystemMessage(content=(SystemContent(type="input_text", text=text),))
        assert said(asked(user("hello"), notice)) == reply


def test_a_call_that_the_client_insists_on_is_made_with_what_was_said() -> None:
    tool = FunctionTool(
        type="function",
        name="weather",
        parameters={
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "x": {"type": "string"}},
            "required": ["city"],
        },
    )
    choice = ToolChoiceFunction(type="function", name="weather")
    (call,) = asked(user("Paris for 3 days"), tools=(tool,), tool_choice=choice)
    assert call == Call(name="weather", arguments='{"city": "Paris for 3 days", "days": 3}')


def test_every_sentence_that_can_be_heard_has_an_answer() -> None:
    assert set(ANSWERS) == set(INTENTS)
    random = Random(7)
    for _ in range(150):
        sentence = " ".join(GRAMMAR.example("sentence", random)).replace("a_hundred", "a hundred")
        assert understand(sentence) is not None, sentence
        assert asked(user(sentence), tools=(SET_TIMER,)), sentence


def test_a_long_text_is_long_and_comes_in_sentences() -> None:
    pieces = asked(user("read me a story"))
    assert len(pieces) > 20
    words = said(pieces).split()
    assert 300 < len(words) < 600


async def test_the_thinker_gives_its_pieces_one_by_one() -> None:
    ask = Ask(items=(user("hello"),), instructions="", tools=(), tool_choice="auto", now=NOW, understood=True)
    assert [piece async for piece in StandIn().answer(ask)] == answer(ask)


def test_what_is_dictated_is_said_and_nothing_else() -> None:
    ask = Ask(
        items=(),
        instructions="Say exactly the following words, in their language, and nothing else: Guten Tag: ja.",
        tools=(),
        tool_choice="none",
        now=NOW,
        understood=True,
    )
    assert answer(ask) == [Say(text="Guten Tag: ja.")]
