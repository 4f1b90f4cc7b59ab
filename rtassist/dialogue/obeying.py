"""What each command does. What needs the outside is an errand, and goes on in `errands` when that is back."""

from __future__ import annotations

import re
from collections.abc import Callable

from rtassist.dialogue import (
    asking,
    barge_in,
    budget,
    calls,
    changes,
    commands,
    floor,
    limits,
    present,
    questions,
    session,
    turns,
    unread,
)
from rtassist.dialogue.commands import Command, Order
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Layout, Notice, Outcome, Prefer, Quit, RunErrand, Show
from rtassist.dialogue.floor import Taker
from rtassist.dialogue.state import Ending
from rtassist.protocol import FunctionTool


def obey(do: Draft, order: Order) -> None:
    """Do what a command says. `GOODBYE` leaves the farewell to the answer that is due anyway."""
    RULES[order.command](do, order.argument)


def obey_phrase(do: Draft, command: Command) -> None:
    """What was said aloud. Who cannot type could never take back that he is not heard any more."""
    if command in (Command.PAUSE, Command.MUTE) and not do.state.keyboard:
        told = f"Heard, and not done: without a keyboard /{command.value} could not be ended."
        do.ask(Show(Notice(told, "warning")))
    else:
        obey(do, Order(command))


def interrupt(do: Draft) -> None:
    """Silence, and nothing more of what was asked for until now."""
    do.change(wanted=False, say="")
    calls.keep_quiet(do)
    questions.stopped(do)
    floor.take(do, Taker.USER_ACTED)


def drop_half_turn(do: Draft) -> None:
    """The microphone goes off within a sentence: the server must not wait for its end."""
    barge_in.broke_off(do)
    if do.state.uncommitted:
        unread.take_back(do)
    do.change(uncommitted=0, talk_held=False)


def _tell(do: Draft, *sentences: str) -> None:
    for sentence in sentences:
        do.ask(Show(Notice(sentence, "reply")))


def _microphone(do: Draft) -> bool:
    """There is one, or one may come: it was lost, or was not there at the beginning."""
    state = do.state
    return state.microphone or state.microphone_awaited or state.terms.microphone_awaited


def _help(do: Draft, name: str) -> None:
    terms = do.state.terms
    _tell(do, *((commands.help_line(name, terms),) if name else commands.help_lines(terms)))


def _quit(do: Draft, _: str) -> None:
    do.ask(Quit())


def _goodbye(do: Draft, _: str) -> None:
    do.change(ending=Ending.WHEN_QUIET)


def _interrupt(do: Draft, _: str) -> None:
    interrupt(do)


def _pause(do: Draft, _: str) -> None:
    interrupt(do)
    do.change(paused=True)
    drop_half_turn(do)
    off = ": the microphone is off" if _microphone(do) else ""
    _tell(do, f"Paused{off}. /resume goes on.")


def _resume(do: Draft, _: str) -> None:
    do.change(paused=False, muted=False)
    _tell(do, "Listening." if _microphone(do) else "Going on.")


def _mute(do: Draft, _: str) -> None:
    if do.state.paused or do.state.muted:
        _resume(do, "")
    elif not _microphone(do):
        _tell(do, "There is no microphone.")
    else:
        do.change(muted=True)
        drop_half_turn(do)
        _tell(do, "Microphone off. /mute again turns it on.")


def _restart(do: Draft, _: str) -> None:
    floor.take(do, Taker.USER_ACTED)
    do.ask(Quit(Outcome.RESTART))


def _status(do: Draft, _: str) -> None:
    state = do.state
    minutes, seconds = divmod(do.now_us // 1_000_000, 60)
    said = sum(turn.role == "user" for turn in state.history)
    voice, who = present.voice(state), present.vad(state)
    facts = [
        f"{_condition(do)}, {minutes}:{seconds:02} since the beginning, {said} turns of yours.",
        f"Model: {state.terms.model}." if state.terms.model else "",
        f"Voice: {voice}." if voice and state.voiced else "Answers are written.",
        f"End of your turns: {who}. Speaking over the voice: {state.terms.barge_in}." if who else "",
        *limits.told(state, do.now_us),
    ]
    _tell(do, " ".join(filter(None, facts)))


def _condition(do: Draft) -> str:
    state = do.state
    if state.paused:
        return "Paused"
    if not state.microphone:
        return "The microphone is awaited" if _microphone(do) else "No microphone"
    if state.muted:
        return "Muted"
    if state.push_to_talk:
        return "You talk" if state.talk_held else "Push to talk"
    return "Listening"


def _say(do: Draft, text: str) -> None:
    interrupt(do)
    do.change(say=text)
    asking.ask_anew(do)


def _image(do: Draft, argument: str) -> None:
    _send_out(do, Command.IMAGE, argument)


def split_path(argument: str) -> tuple[str, str]:
    """The path at its beginning, in quotes if there are spaces in it, and what stands behind."""
    quoted = re.match(r"""(["'])(.+?)\1\s*(.*)$""", argument, re.DOTALL)
    if quoted:
        return quoted[2], quoted[3]
    path, _, rest = argument.partition(" ")
    return path, rest.strip()


def _instructions(do: Draft, text: str) -> None:
    if not text:
        _tell(do, f"Instructions: {present.instructions(do.state) or 'none'}")
    elif text.startswith("@"):
        _send_out(do, Command.INSTRUCTIONS, text)
    else:
        session.update(do, *changes.instructions(do, text), text)


def _voice(do: Draft, name: str) -> None:
    now = present.voice(do.state)
    if not now:
        _tell(do, "Answers are written in this conversation: there is no voice.")
    elif not name or name == now:
        _tell(do, f"The assistant's voice is {now}.")
    elif do.state.spoke:
        do.ask(Prefer("voice", name))
        _tell(
            do,
            "A voice that has spoken in a conversation cannot change in it. "
            f"/restart begins a new one with {name}; /model {do.state.terms.model} goes on with this one.",
        )
    else:
        session.update(do, *changes.voice(do, name), name)


def _model(do: Draft, name: str) -> None:
    if not name:
        _tell(do, f"The model is {do.state.terms.model or 'not known'}.")
        return
    do.ask(Prefer("model", name))
    floor.take(do, Taker.USER_ACTED)
    do.ask(Quit(Outcome.GO_ON))


def _vad(do: Draft, who: str) -> None:
    now = present.vad(do.state)
    if not now:
        _tell(do, "There is no microphone in this conversation.")
    elif not who or who == now:
        _tell(do, f"The end of your turns: {now}.")
    else:
        session.update(do, *changes.vad(do, who), who)


def _tools(do: Draft, _: str) -> None:
    tools = do.state.terms.session.tools or ()
    told = [tool for tool in tools if isinstance(tool, FunctionTool)]
    if not told:
        _tell(do, "There are no functions that the assistant may call.")
    for tool in told:
        about = tool.description if isinstance(tool.description, str) else ""
        _tell(do, f"{tool.name}  {turns.shortened(about)}".rstrip())


def _cost(do: Draft, _: str) -> None:
    _tell(do, *budget.told(do.state))


def _timestamps(do: Draft, switch: str) -> None:
    do.ask(Show(Layout("timestamps", SWITCH[switch])))


def _compact(do: Draft, switch: str) -> None:
    do.ask(Show(Layout("compact", SWITCH[switch])))


def _send_out(do: Draft, command: Command, argument: str) -> None:
    do.change(errands=do.state.errands + 1)
    do.ask(RunErrand(command.value, argument))


def _errand(command: Command) -> Callable[[Draft, str], None]:
    return lambda do, argument: _send_out(do, command, argument)


SWITCH = {"on": True, "off": False, "": None}
RULES: dict[Command, Callable[[Draft, str], None]] = {
    Command.HELP: _help,
    Command.QUIT: _quit,
    Command.GOODBYE: _goodbye,
    Command.INTERRUPT: _interrupt,
    Command.PAUSE: _pause,
    Command.RESUME: _resume,
    Command.MUTE: _mute,
    Command.RESTART: _restart,
    Command.RESUME_SESSION: _errand(Command.RESUME_SESSION),
    Command.STATUS: _status,
    Command.SAY: _say,
    Command.IMAGE: _image,
    Command.INSTRUCTIONS: _instructions,
    Command.VOICE: _voice,
    Command.MODEL: _model,
    Command.VAD: _vad,
    Command.DEVICES: _errand(Command.DEVICES),
    Command.MIC: _errand(Command.MIC),
    Command.SPEAKER: _errand(Command.SPEAKER),
    Command.TOOLS: _tools,
    Command.SAVE: _errand(Command.SAVE),
    Command.TIMESTAMPS: _timestamps,
    Command.COMPACT: _compact,
    Command.COST: _cost,
}
