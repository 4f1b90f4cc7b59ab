"""Everything that the stand-in knows, as one table: the recogniser's automaton and the understanding of text
both come from it."""

from __future__ import annotations

import re

from attrs import frozen

from rtassist.server.stand_in.grammar import Captures, Grammar, Maybe, Node, Ref, Series, read
from rtassist.server.stand_in.numbers import TENS, UNITS

# Words that can be spelt and repeated by voice; typed text may hold any. Chosen to sound unlike one another
# and unlike the number words.
SPELLABLE = [
    "apple",
    "orange",
    "banana",
    "garden",
    "window",
    "computer",
    "telephone",
    "music",
    "winter",
    "summer",
    "morning",
    "evening",
    "water",
    "coffee",
    "mountain",
    "river",
    "yellow",
    "purple",
    "elephant",
    "tiger",
    "kitchen",
    "library",
    "holiday",
    "birthday",
    "hospital",
    "language",
    "python",
    "terminal",
    "microphone",
    "assistant",
    "conversation",
    "interruption",
    "beautiful",
    "necessary",
    "rhythm",
    "knowledge",
]

# intent: (what can be heard and typed, what can be typed only)
INTENTS: dict[str, tuple[str, str | None]] = {
    "arithmetic": (
        "[and] [<question>] [<number> | that] <operator> <number>",
        "[and] [<question>] [<number> | it | this | the result] (<operator> <number>)+"
        " | [and] (add | subtract | take away) <number> [(to | from) (that | it | this)]"
        " | [and] (multiply | divide) [that | it | this] by <number>"
        " | (double | square | halve) (that | it | this)",
    ),
    "time": (
        "what time is it [now] | <what_is> the time [now] | tell me the time | do you know what time it is",
        "time | the time | what time | what hour is it | how late is it",
    ),
    "date": (
        "<what_is> the date [today] | <what_is> today's date | what day is it [today] | what day is today"
        " | tell me the date | what year is it",
        "date | today | what day of the week is it | what month is it | <what_is> today",
    ),
    "greeting": (
        "hello [(there | assistant)] | hi there | hey there | good morning | good afternoon | good evening",
        "hi | hey | hiya | howdy | greetings | good day | hello world",
    ),
    "how_are_you": ("how are you [(today | doing)]", "how is it going | how do you do | how are things"),
    "identity": (
        "who are you | what are you | <what_is> your name | introduce yourself"
        " | are you a (robot | human | machine) | are you a language model",
        "what is this | who is this | tell me about yourself"
        " | are you (real | human | chatgpt | gpt | an ai | alive) | what model are you"
        " | which model are you | who made you",
    ),
    "abilities": (
        "help [me] | what can you do | what do you know | what can i say | what can i ask [you]"
        " | what can't you do",
        "what can you not do | what are you able to do | what else can you do | how does this work"
        " | commands",
    ),
    "thanks": (
        "thank you [very much] | thanks [a lot]",
        "thank you so much | cheers | many thanks | thx | ty",
    ),
    "stop": (
        "stop [(talking | reading | counting)] | be quiet | that's enough | never mind | shut up | silence",
        "stop it | quiet | enough | cancel | hush | shush | stop that | stop please | nevermind",
    ),
    "farewell": (
        "goodbye | bye bye | see you later | good night | farewell",
        "bye | good bye | see you | see you soon | see you tomorrow | exit | quit | ciao | that is all"
        " | so long",
    ),
    "again": (
        "repeat that | say that again | what did you say | can you repeat that | repeat your last answer",
        "again | once more | pardon | come again | repeat | what was that | say it again | what",
    ),
    "asked": (
        "what did i ask [you] [before] | what did i say [before] | what was my last question",
        "what was my question | what did i just say | what did i just ask [you]",
    ),
    "story": (
        "read me a [long] story | tell me a [long] story | read me something [long] | read something aloud"
        " | read me a long text",
        "story | a story | read [aloud] | tell me something [long] | read a [long] (story | text) [aloud]"
        " | read something [long] | tell a story | read it [to me] | read a text aloud",
    ),
    "joke": ("tell me a joke", "joke | a joke | another joke | tell me another joke | make me laugh"),
    "counting": (
        "count ([up] to | from <amount> [up] to | down from) <amount>",
        "count (backward | backwards) from <amount> | count from <amount> down to <amount>",
    ),
    "words": (
        "(spell [the word] | how do you spell | say | repeat after me) (<word> | <phrase>)",
        "(how do you | how do i | how to) write <word> | spell out <word> | how is <word> (spelt | spelled)"
        " | please say <phrase> | repeat <phrase> | echo <phrase>",
    ),
    "timer": (
        "(set | start) a timer for <duration> [called <label>] | (set | start) a timer [called <label>]"
        " | remind me in <duration>",
        "(set | start | make | create) [a | an] [new] [<label_before>] timer (for | of) <duration> [<named>]"
        " | (set | start) [a | an | the] <label_before> timer for <duration>"
        " | (set | start | make | create) (a | an) <duration> timer [<named>]"
        " | (set | start) (a | the) timer to <duration> [<named>]"
        " | timer [for] <duration> [<named>] | <duration> timer [<named>]"
        " | remind me in <duration> (to | about | of) <label> | remind me to <label> in <duration>"
        " | wake me [up] in <duration> | timer",
    ),
    "duration_alone": ("for <amount> <unit>", "[for] <duration>"),
    "affirmation": (
        "yes please | all right | no thank you",
        "yes | yeah | no | nope | ok | okay | sure | fine | good",
    ),
}

PARTS: dict[str, tuple[str, str | None]] = {
    "what_is": ("what is | what's", "whats"),
    "question": (
        "<what_is> | how much is | calculate",
        "how many is | what does | compute | what are | work out",
    ),
    "digit": (" | ".join(UNITS[1:10]), None),
    "teen": (" | ".join(UNITS[10:]), None),
    "tens": (" | ".join(TENS), None),
    "below_hundred": ("<digit> | <teen> | <tens> [<digit>]", None),
    "below_thousand": (
        "<below_hundred> | (a_hundred | <digit> hundred) [[and] <below_hundred>]",
        "a hundred [[and] <below_hundred>]",
    ),
    "number": (
        "zero | <below_thousand>",
        "<below_thousand> thousand [[and] <below_thousand>] | minus <number>",
    ),
    "operator": (
        "plus | minus | times | divided by | percent of",
        "multiplied by | over | add | added to | subtract | take away | less | by | modulo | per cent of",
    ),
    "unit": ("seconds | minutes | hours", "second | minute | hour"),
    "amount": ("<below_hundred> | a_hundred | one hundred", "<number> | a | an | half an | half a"),
    "duration": (
        "<amount> <unit> [and <amount> seconds] | one (minute | hour) | half an hour",
        "half an hour | <amount> <unit> [[and] <amount> <unit>] [[and] <amount> <unit>]",
    ),
    "label": ("tea | coffee | pasta | eggs | pizza | bread | laundry", "..."),
    "label_before": ("tea | coffee | pasta | eggs | pizza | bread | laundry", "..."),
    "named": ("called <label>", "(named | labelled | labeled | for) <label>"),
    "word": (" | ".join(SPELLABLE), "..."),
    "phrase": (
        "hello world | good morning everyone | nice to meet you | the quick brown fox | testing one two three"
        " | it is raining today | I am a robot",
        "...",
    ),
    "opening": ("please | can you | could you", "please <opening> | <filler>+ [<opening>]"),
    "filler": (
        "please",
        "can you please | could you please | would you | will you | hey | ok | okay | so | um | uh"
        " | well | now | then | and | hello | hi | assistant | computer | i said | tell me | yes | no | but"
        " | also | i want you to | just",
    ),
    "closing": (
        "please | now",
        "thanks | thank you | for me | then | today | again | assistant | to me | right now | make"
        " | exactly | in total",
    ),
}

KEPT = frozenset(
    {"number", "operator", "amount", "unit", "word", "phrase", "label", "label_before", "duration"}
)
NUMERIC = frozenset({"number", "amount"})


@frozen(kw_only=True)
class Meaning:
    """What a sentence means: the name of an intent, the words it was said in, and the kept parts of it in
    order."""

    intent: str
    words: tuple[str, ...]
    captures: Captures = ()

    def every(self, name: str) -> list[tuple[str, ...]]:
        return [words for kept, words in self.captures if kept == name]

    def first(self, name: str) -> tuple[str, ...]:
        return next(iter(self.every(name)), ())


def _grammar() -> Grammar:
    spoken: dict[str, Node] = {}
    typed: dict[str, Node] = {}
    for name, (heard, more) in (PARTS | INTENTS).items():
        spoken[name] = read(heard.lower())
        if more is not None:
            typed[name] = read(more.lower())
    intents = " | ".join(f"<{name}>" for name in INTENTS)
    spoken["sentence"] = read(f"[<opening>] ({intents}) [<closing>]")
    return Grammar(spoken=spoken, typed=typed, kept=KEPT, numeric=NUMERIC)


GRAMMAR = _grammar()

_SYMBOLS = (
    (re.compile(r"(?<=\d),(?=\d{3}\b)"), ""),
    (re.compile(r"[’‘`]"), "'"),
    (re.compile(r"(?<=\d)\s*%"), " percent "),
    (re.compile(r"(?<=[\d)])\s*[x×*·]\s*(?=[-\d(])|×"), " times "),
    (re.compile(r"(?<=\d)\s*[-−–]\s*(?=\d)|(?<=\d)\s+[-−–]\s+"), " minus "),
    (re.compile(r"−(?=\d)"), "-"),
    (re.compile(r"(?<=\d)\s*[/÷:]\s*(?=[-\d])|÷"), " divided by "),
    (re.compile(r"\*"), " times "),
    (re.compile(r"\+"), " plus "),
    (re.compile(r"(?<=\d)\s*(?:seconds?|secs?|s)\b"), " seconds "),
    (re.compile(r"(?<=\d)\s*(?:minutes?|mins?|m)\b"), " minutes "),
    (re.compile(r"(?<=\d)\s*(?:hours?|hrs?|h)\b"), " hours "),
)
_WORD = re.compile(r"-?\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*")
_ONE_WORD = {
    "whats": "what's",
    "thats": "that's",
    "cant": "can't",
    "youre": "you're",
    "im": "i'm",
    "minuses": "minus",
    "grey": "gray",
}
_TWO_WORDS = {
    "that's": ("that", "is"),
    "it's": ("it", "is"),
    "i'm": ("i", "am"),
    "who's": ("who", "is"),
    "how's": ("how", "is"),
    "you're": ("you", "are"),
    "i'd": ("i", "would"),
}
# Longer text is no sentence that the stand-in knows; matching is bounded by it.
LONGEST_WORDS = 60


def words_of(text: str) -> tuple[str, ...]:
    """Typed or recognised text as the grammar's words: lower case, symbols read out, no punctuation."""
    text = text.lower()
    for symbol, reading in _SYMBOLS:
        text = symbol.sub(reading, text)
    return tuple(_ONE_WORD.get(word, word) for word in _WORD.findall(text))


def understand(text: str) -> Meaning | None:
    """What a sentence means; None for one that is not in the table."""
    words = words_of(text)
    if not 0 < len(words) <= LONGEST_WORDS:
        return None
    expanded = tuple(part for word in words for part in _TWO_WORDS.get(word, (word,)))
    for said in dict.fromkeys((words, expanded)):
        for intent in INTENTS:
            captures = GRAMMAR.match_node(_AS_SENTENCE[intent], said)
            if captures is not None:
                return Meaning(intent=intent, words=said, captures=captures)
    return None


_AS_SENTENCE: dict[str, Node] = {
    intent: Series((Maybe(Ref("opening")), Ref(intent), Maybe(Ref("closing")))) for intent in INTENTS
}
