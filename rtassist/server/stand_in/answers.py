"""What the stand-in answers: from what was said, and from what was said before, to sentences and calls.

Pure: the time is in the question. It has no language model and says so; what it does not understand it says
as well, with what it heard.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction

from attrs import frozen

from rtassist.server.parts import Ask, Call, Say
from rtassist.server.stand_in.arithmetic import work_out
from rtassist.server.stand_in.calling import call_of
from rtassist.server.stand_in.history import Past, past_of
from rtassist.server.stand_in.numbers import ORDINALS, in_digits, value_of
from rtassist.server.stand_in.phrases import Meaning, understand
from rtassist.server.stand_in.story import STORY

TIMER = "set_timer"
FARTHEST_COUNT = 300
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_DICTATED = re.compile(r"Say exactly [^:]*: (.+)", re.DOTALL)
"""Instructions that leave nothing to think about."""
_FOR_HOW_LONG = "For how long?"
_INTRODUCTION = (
    "I am a stand-in without a language model. I run on this machine, and I understand only a few dozen "
    "kinds of sentences."
)
_ABILITIES = (
    "I can tell you the time and the date, work out sums such as seventeen times twenty-three, spell and "
    "repeat words, count, set a timer, and read you a long story that you can interrupt. ",
    "I cannot know anything, look anything up, or really talk; for that, connect me to a language model.",
)


@frozen(kw_only=True)
class Question:
    """What an answer is given to: the last thing said, and what it may refer to."""

    text: str
    meaning: Meaning
    past: Past
    now: datetime
    timer: bool
    """The client offers a timer."""


def answer(ask: Ask) -> list[Say | Call]:
    """The whole answer, a piece for each sentence."""
    past = past_of(ask.items)
    dictated = _DICTATED.fullmatch(ask.instructions)
    if dictated is not None and not ask.items:
        return [Say(text=dictated[1])]
    forced = _forced(ask, past)
    if forced is not None:
        return [forced]
    if past.call_output is not None:
        return _told(*past.call_output)
    if past.notice is not None:
        return [Say(text=_noticed(past.notice))]
    if past.said is None:
        return [Say(text=f"Hello. {_INTRODUCTION} "), Say(text="Ask me what I can do.")]
    meaning = understand(past.said) if ask.understood else None
    if meaning is None:
        by_name = call_of(past.said, ask.tools) if ask.understood and ask.tool_choice != "none" else None
        return _not_understood(past.said) if by_name is None else [by_name]
    timer = ask.tool_choice != "none" and any(getattr(tool, "name", None) == TIMER for tool in ask.tools)
    question = Question(text=past.said, meaning=meaning, past=past, now=ask.now, timer=timer)
    return _spaced(ANSWERS[meaning.intent](question))


def _spaced(pieces: list[Say | Call]) -> list[Say | Call]:
    """Sentences are put together as they are, so each but the last ends with a space."""
    last = len(pieces) - 1
    return [
        Say(text=piece.text.rstrip() + (" " if index < last else "")) if isinstance(piece, Say) else piece
        for index, piece in enumerate(pieces)
    ]


def _forced(ask: Ask, past: Past) -> Call | None:
    """The call that the client insists on, with arguments guessed from what was said."""
    name = getattr(ask.tool_choice, "name", None)
    tool = next(
        (tool for tool in ask.tools if name is not None and getattr(tool, "name", None) == name), None
    )
    if tool is None or past.call_output is not None:
        return None
    parameters = getattr(tool, "parameters", None)
    schema = parameters if isinstance(parameters, dict) else {}
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", past.said or "")]
    arguments: dict[str, object] = {}
    for field, of in schema.get("properties", {}).items():
        kind = of.get("type") if isinstance(of, dict) else None
        if kind in ("number", "integer"):
            number = numbers.pop(0) if numbers else 0.0
            arguments[field] = int(number) if kind == "integer" else number
        elif kind == "string" and field in schema.get("required", ()):
            arguments[field] = past.said or ""
        elif kind == "boolean" and field in schema.get("required", ()):
            arguments[field] = False
    return Call(name=str(name), arguments=json.dumps(arguments))


def _told(name: str, output: str) -> list[Say | Call]:
    """What came of a call."""
    try:
        result = json.loads(output)
    except ValueError:
        result = output
    if name == TIMER and isinstance(result, dict) and result.get("set") is True:
        label = result.get("label") or ""
        seconds = result.get("seconds")
        length = f" for {_length(Fraction(seconds))}" if isinstance(seconds, int | float) else ""
        return [Say(text=f"The {label + ' ' if label else ''}timer is set{length}.")]
    if name == TIMER:
        reason = result.get("error") if isinstance(result, dict) else result
        return [Say(text=f"The timer was not set: {reason}.")]
    if isinstance(result, dict) and isinstance(result.get("error"), str):
        return [Say(text=f"{name} gave no result: {result['error']}.")]
    return [Say(text=f"{name} answered: {output}")]


def _noticed(notice: str) -> str:
    due = re.search(r"timer '(.*?)' is due", notice)
    if due is None:
        return "All right."
    return f"Your {due[1]} timer is over." if due[1] else "Your timer is over."


def _not_understood(said: str) -> list[Say | Call]:
    if not said.strip():
        return [Say(text="I heard you, but I could not make out any words.")]
    return [
        Say(text=f'I did not understand that. I heard: "{said.strip()}". '),
        Say(text='Say "help" for help.'),
    ]


def _arithmetic(question: Question) -> list[Say | Call]:
    return [Say(text=work_out(question.meaning, question.past.result).said)]


def _time(question: Question) -> list[Say | Call]:
    now = question.now
    hour = now.hour % 12 or 12
    part = "in the morning" if now.hour < 12 else "in the afternoon" if now.hour < 18 else "in the evening"
    clock = f"{hour}:{now.minute:02}" if now.minute else f"{hour} o'clock"
    return [Say(text=f"It is {clock} {part}.")]


def _date(question: Question) -> list[Say | Call]:
    now = question.now
    day = ORDINALS[now.day - 1]
    return [Say(text=f"Today is {now:%A}, the {day} of {now:%B} {now.year}.")]


def _words(question: Question) -> list[Say | Call]:
    spell = {"spell", "spelt", "spelled", "write"} & set(question.meaning.words)
    if spell:
        word = "".join(question.meaning.first("word") or question.meaning.first("phrase"))
        return [Say(text=f"{word}: {', '.join(word.upper())}.")]
    found = re.search(
        r"\b(?:say|repeat after me|repeat|echo)\b[\s:,]*(.+)$", question.text, re.IGNORECASE | re.S
    )
    text = found[1].strip() if found else " ".join(question.meaning.first("word"))
    return [Say(text=text)]


def _counting(question: Question) -> list[Say | Call]:
    ends = [int(_amount(words)) for words in question.meaning.every("amount")]
    down = not {"down", "backward", "backwards"}.isdisjoint(question.meaning.words)
    if len(ends) == 1:
        ends = [ends[0], 0] if down else [1, ends[0]]
    first, last = ends
    step = -1 if last < first else 1
    numbers = list(range(first, last + step, step))
    if len(numbers) > FARTHEST_COUNT:
        return [Say(text=f"That is too far for me: I count {FARTHEST_COUNT} numbers at most.")]
    rows = [numbers[start : start + 10] for start in range(0, len(numbers), 10)]
    return [Say(text=", ".join(map(str, row)) + ("." if row is rows[-1] else ", ")) for row in rows]


def _amount(words: tuple[str, ...]) -> Fraction:
    if words[0] == "half":
        return Fraction(1, 2)
    return value_of(words)


def _timer(question: Question) -> list[Say | Call]:
    duration = question.meaning.first("duration")
    if not duration:
        return [Say(text=_FOR_HOW_LONG)]
    seconds = _seconds(duration)
    if not question.timer:
        return [Say(text="I cannot set a timer here: the program that you use offers me none.")]
    label = question.meaning.first("label") or question.meaning.first("label_before")
    arguments = {"seconds": int(seconds) if seconds.denominator == 1 else float(seconds)}
    return [Call(name=TIMER, arguments=json.dumps(arguments | {"label": " ".join(label)}))]


def _duration_alone(question: Question) -> list[Say | Call]:
    if question.past.answered.endswith(_FOR_HOW_LONG):
        return _timer(question)
    return [Say(text='What for? Say for instance "set a timer for ten minutes".')]


def _seconds(words: tuple[str, ...]) -> Fraction:
    """ "one hour and ten minutes" in seconds."""
    total = Fraction(0)
    amount: list[str] = []
    for word in words:
        unit = _SECONDS.get(word.rstrip("s"))
        if unit is None:
            if amount or word != "and":
                amount.append(word)
        else:
            total += _amount(tuple(w for w in amount if w not in ("a", "an")) or ("one",)) * unit
            amount = []
    return total


def _length(seconds: Fraction) -> str:
    parts = []
    for name, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        count = seconds / size if size == 1 else Fraction(seconds // size)
        seconds -= count * size
        if count:
            parts.append(f"{in_digits(count)} {name}{'' if count == 1 else 's'}")
    return " and ".join(parts)


def _again(question: Question) -> list[Say | Call]:
    if not question.past.answered:
        return [Say(text="I have not said anything yet.")]
    return [Say(text=question.past.answered)]


def _asked(question: Question) -> list[Say | Call]:
    before = question.past.said_before
    if before is None:
        return [Say(text="You have not said anything before that.")]
    return [Say(text=f'You said: "{before.strip()}".')]


def _sentences(*sentences: str) -> Callable[[Question], list[Say | Call]]:
    return lambda question: [Say(text=sentence) for sentence in sentences]


ANSWERS: dict[str, Callable[[Question], list[Say | Call]]] = {
    "arithmetic": _arithmetic,
    "time": _time,
    "date": _date,
    "greeting": _sentences("Hello. I am a stand-in without a language model.", "Ask me what I can do."),
    "how_are_you": _sentences("I am a small program, and I am running well. How can I help?"),
    "identity": _sentences(_INTRODUCTION),
    "abilities": _sentences(*_ABILITIES),
    "thanks": _sentences("You are welcome."),
    "stop": _sentences("Okay."),
    "farewell": _sentences("Goodbye. It was nice talking with you."),
    "again": _again,
    "asked": _asked,
    "story": _sentences(*STORY),
    "joke": _sentences(
        "I know only one.", "Why did the packet cross the network? To get to the other socket."
    ),
    "counting": _counting,
    "words": _words,
    "timer": _timer,
    "duration_alone": _duration_alone,
    "affirmation": _sentences("All right."),
}
"""An answer for every intent of the table of phrases."""
