"""What the user can tell the program itself: one table for slash commands and spoken phrases.

A command that is new: a name here, a line in the table, and what it does in `obeying`.
"""

from __future__ import annotations

import difflib
from enum import Enum

from attrs import frozen

from rtassist.dialogue import phrases
from rtassist.dialogue.terms import Terms


class Command(Enum):
    HELP = "help"
    QUIT = "quit"
    GOODBYE = "goodbye"
    INTERRUPT = "interrupt"
    PAUSE = "pause"
    RESUME = "resume"
    MUTE = "mute"
    RESTART = "restart"
    RESUME_SESSION = "resume-session"
    STATUS = "status"
    SAY = "say"
    IMAGE = "image"
    INSTRUCTIONS = "instructions"
    VOICE = "voice"
    MODEL = "model"
    VAD = "vad"
    DEVICES = "devices"
    MIC = "mic"
    SPEAKER = "speaker"
    TOOLS = "tools"
    SAVE = "save"
    TIMESTAMPS = "timestamps"
    COMPACT = "compact"
    COST = "cost"


@frozen
class Entry:
    """`argument`: what stands behind the command, in brackets where it may be left out."""

    command: Command
    help: str
    argument: str = ""
    choices: tuple[str, ...] = ()
    """What an argument may be; any text where there are none."""

    @property
    def usage(self) -> str:
        return f"/{self.command.value} {self.argument}".rstrip()


@frozen
class Order:
    """A command as it was given."""

    command: Command
    argument: str = ""


SWITCH = ("on", "off")
TABLE: tuple[Entry, ...] = (
    Entry(Command.HELP, "show these lines, or one of them", "[COMMAND]"),
    Entry(Command.QUIT, "leave at once"),
    Entry(Command.GOODBYE, "leave after a farewell"),
    Entry(Command.INTERRUPT, "silence the answer; the Enter key on an empty line does the same"),
    Entry(Command.PAUSE, "no talking and no listening; nothing is sent, so type /resume or press Enter"),
    Entry(Command.RESUME, "listen again"),
    Entry(Command.MUTE, "microphone off, or on again"),
    Entry(Command.RESTART, "begin a new conversation"),
    Entry(Command.RESUME_SESSION, "go on with a recorded conversation: its id, last, or its file", "ID"),
    Entry(Command.STATUS, "how things stand"),
    Entry(Command.SAY, "have the assistant say exactly this", "TEXT"),
    Entry(Command.IMAGE, "show the assistant a PNG or JPEG file, and ask about it", "FILE [QUESTION]"),
    Entry(Command.INSTRUCTIONS, "what the assistant is to be like; alone: what it is", "[TEXT|@FILE]"),
    Entry(Command.VOICE, "the assistant's voice, until it has spoken; alone: which it is", "[NAME]"),
    Entry(Command.MODEL, "go on with another model; alone: which it is", "[NAME]"),
    Entry(
        Command.VAD,
        "who finds the end of your turn; off: you, with the Enter key",
        "[server|semantic|off]",
        ("server", "semantic", "off"),
    ),
    Entry(Command.DEVICES, "list the microphones and loudspeakers"),
    Entry(Command.MIC, "use another microphone: its index or part of its name; alone: which it is", "[NAME]"),
    Entry(Command.SPEAKER, "use another loudspeaker, likewise", "[NAME]"),
    Entry(Command.TOOLS, "list the functions that the assistant may call"),
    Entry(
        Command.SAVE,
        "save a copy: .jsonl the recording; .md .txt .json .srt the conversation; alone: where it is",
        "[PATH]",
    ),
    Entry(Command.TIMESTAMPS, "show when each line was said, or not", "[on|off]", SWITCH),
    Entry(Command.COMPACT, "show as few lines as possible, or not", "[on|off]", SWITCH),
    Entry(Command.COST, "what was used until now, and what it cost"),
)
BY_NAME = {entry.command.value: entry for entry in TABLE}
ANSWERED = (None, Command.GOODBYE)
"""What the words of the user may mean, and are for the model all the same."""


def slash(line: str) -> Order | str:
    """The order of a line that begins with a slash, or a sentence that says what is wrong with it."""
    name, _, argument = line[1:].strip().partition(" ")
    entry, argument = BY_NAME.get(name.lower()), argument.strip()
    if entry is None:
        near = difflib.get_close_matches(name.lower(), BY_NAME, n=1, cutoff=0.5)
        hint = f" Did you mean /{near[0]}?" if near else ""
        return f"There is no command /{name}.{hint} /help lists them."
    if argument and not entry.argument:
        return f"{entry.usage} takes nothing behind it."
    if not argument and entry.argument and not entry.argument.startswith("["):
        return f"{entry.usage}: {entry.argument.split()[0]} is missing."
    if argument and entry.choices and argument.lower() not in entry.choices:
        return f"/{entry.command.value} {argument}: must be {_either(entry.choices)}."
    return Order(entry.command, argument.lower() if entry.choices else argument)


def phrase(utterance: str, terms: Terms) -> Command | None:
    """The command that a whole utterance means, or that a line means which was typed without a slash."""
    name = phrases.meant(utterance, terms)
    return BY_NAME[name].command if name in BY_NAME else None


def help_lines(terms: Terms) -> tuple[str, ...]:
    """A line for each command, in columns, with what can be said in its place."""
    width = max(len(entry.usage) for entry in TABLE)
    return tuple(f"{entry.usage:<{width}}  {_help(entry, terms)}" for entry in TABLE)


def help_line(name: str, terms: Terms) -> str:
    """Of one command, with or without its slash."""
    order = slash(f"/{name.removeprefix('/').split()[0]}")
    entry = BY_NAME.get(name.removeprefix("/").split()[0].lower())
    if entry is None:
        return str(order)
    return f"{entry.usage}  {_help(entry, terms)}"


def _help(entry: Entry, terms: Terms) -> str:
    language = terms.language.split("-")[0].lower() or "en"
    said = phrases.TABLE.get(language, {}).get(entry.command.value, "").split(",")[0]
    return f'{entry.help} (say "{said}")' if said and terms.spoken_commands else entry.help


def _either(choices: tuple[str, ...]) -> str:
    *most, last = choices
    return f"{', '.join(most)} or {last}"
