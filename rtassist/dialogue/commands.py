"""What the user can tell the program itself: slash commands and spoken phrases, one table for both."""

from __future__ import annotations

import difflib
import re
from enum import Enum

from attrs import frozen

from rtassist.dialogue import budget, calls, floor, questions, turns
from rtassist.dialogue.effects import Notice, Outcome, Quit, Send, Show
from rtassist.dialogue.floor import Taker
from rtassist.dialogue.state import Draft, Ending
from rtassist.protocol import InputAudioBufferClear


class Command(Enum):
    HELP = "help"
    QUIT = "quit"
    GOODBYE = "goodbye"
    INTERRUPT = "interrupt"
    PAUSE = "pause"
    RESUME = "resume"
    MUTE = "mute"
    RESTART = "restart"
    COST = "cost"


@frozen
class Entry:
    command: Command
    help: str
    phrases: tuple[str, ...] = ()
    """What means it when it is all that was said (or typed), by lower-case words without punctuation."""


TABLE: tuple[Entry, ...] = (
    Entry(Command.HELP, "show these lines"),
    Entry(Command.QUIT, "leave at once"),
    Entry(
        Command.GOODBYE,
        "leave after a farewell",
        ("goodbye", "good bye", "bye", "bye bye", "goodbye for now", "see you later"),
    ),
    Entry(
        Command.INTERRUPT,
        "silence the answer; the Enter key on an empty line does the same",
        ("stop", "stop it", "stop talking", "be quiet", "quiet", "silence", "shut up", "enough"),
    ),
    Entry(
        Command.PAUSE,
        "stop talking and stop listening",
        ("pause", "pause listening", "stop listening"),
    ),
    Entry(Command.RESUME, "listen again", ("resume", "resume listening", "continue listening")),
    Entry(Command.MUTE, "microphone off, or on again", ("mute", "mute the microphone", "mute yourself")),
    Entry(Command.RESTART, "begin a new conversation", ("start over", "restart", "begin again")),
    Entry(Command.COST, "what was used until now, and what it cost"),
)
_BY_NAME = {entry.command.value: entry.command for entry in TABLE}
_BY_PHRASE = {phrase: entry.command for entry in TABLE for phrase in entry.phrases}


def slash(line: str) -> Command | str:
    """The command of a line that begins with a slash, or a sentence that says what is wrong with it."""
    name = line[1:].strip().lower()
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.5)
    hint = f" Did you mean /{near[0]}?" if near else ""
    return f"There is no command /{name}.{hint} /help lists them."


def phrase(utterance: str, language: str = "en") -> Command | None:
    """The command that a whole utterance means. A phrase inside a longer sentence means nothing."""
    if language.split("-")[0].lower() != "en":
        return None
    return _BY_PHRASE.get(" ".join(re.findall(r"[\w']+", utterance.lower())))


def obey(do: Draft, command: Command) -> None:
    """Do what a command says. `GOODBYE` leaves the farewell to the answer that is due anyway."""
    match command:
        case Command.HELP:
            _help(do)
        case Command.QUIT:
            do.ask(Quit())
        case Command.GOODBYE:
            do.change(ending=Ending.WHEN_QUIET)
        case Command.INTERRUPT:
            interrupt(do)
        case Command.PAUSE:
            interrupt(do)
            do.change(paused=True)
            drop_half_turn(do)
            off = ": the microphone is off" if _microphone(do) else ""
            do.ask(Show(Notice(f"Paused{off}. /resume goes on.")))
        case Command.RESUME:
            do.change(paused=False, muted=False)
            do.ask(Show(Notice("Listening." if _microphone(do) else "Going on.")))
        case Command.MUTE if do.state.paused or do.state.muted:
            obey(do, Command.RESUME)
        case Command.MUTE if not _microphone(do):
            do.ask(Show(Notice("There is no microphone.")))
        case Command.MUTE:
            do.change(muted=True)
            drop_half_turn(do)
            do.ask(Show(Notice("Microphone off. /mute again turns it on.")))
        case Command.COST:
            for told in budget.told(do.state):
                do.ask(Show(Notice(told)))
        case Command.RESTART:  # pragma: no branch (there is no other)
            floor.take(do, Taker.USER_ACTED)
            do.ask(Quit(Outcome.RESTART))


def _microphone(do: Draft) -> bool:
    """There is one, or it is going to be back."""
    return do.state.microphone or do.state.microphone_awaited


def interrupt(do: Draft) -> None:
    """Silence, and nothing more of what was asked for until now."""
    do.change(wanted=False)
    calls.keep_quiet(do)
    questions.stopped(do)
    floor.take(do, Taker.USER_ACTED)


def drop_half_turn(do: Draft) -> None:
    """The microphone goes off within a sentence: the server must not wait for its end."""
    turns.user_broke_off(do)
    if do.state.uncommitted:
        do.ask(Send(InputAudioBufferClear(event_id=do.next_event_id())))
    do.change(uncommitted=0, talk_held=False)


def _help(do: Draft) -> None:
    width = max(len(entry.command.value) for entry in TABLE) + 1
    for entry in TABLE:
        said = f'  (say "{entry.phrases[0]}")' if entry.phrases else ""
        do.ask(Show(Notice(f"/{entry.command.value:<{width}} {entry.help}{said}")))
