"""What came of an errand that a command needed: a file that was read, a device that was changed, a copy."""

from __future__ import annotations

from rtassist.dialogue import asking, changes, events, floor, obeying, pictures, session, turns
from rtassist.dialogue.commands import Command
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import LineEnded, Notice, Outcome, Quit, Send, Show
from rtassist.dialogue.floor import Taker
from rtassist.dialogue.terms import Turn
from rtassist.protocol import ConversationItemCreate, UserContent, UserMessage


def ended(do: Draft, event: events.ErrandEnded) -> None:
    do.change(errands=max(do.state.errands - 1, 0))
    if event.problem:
        do.ask(Show(Notice(event.problem, "warning")))
    elif event.name == Command.IMAGE.value:
        _image(do, event)
    elif event.name == Command.INSTRUCTIONS.value:
        session.update(do, *changes.instructions(do, event.result), event.result)
    elif event.name == Command.RESUME_SESSION.value:
        floor.take(do, Taker.USER_ACTED)
        do.ask(Quit(Outcome.RESTART))
    else:
        for line in event.result.splitlines():
            do.ask(Show(Notice(line, "reply")))


def _image(do: Draft, event: events.ErrandEnded) -> None:
    """`result` is the data URI. The question with it is answered; without one, the next turn may be it.

    Where there is no session, the next one is shown it with all that was said.
    """
    path, question = obeying.split_path(event.argument)
    content = [UserContent(type="input_image", image_url=event.result)]
    if question:
        floor.take(do, Taker.USER_ACTED)
        content.append(UserContent(type="input_text", text=question))
    event_id = do.next_event_id()
    line = f"[{path}] {question}".rstrip()
    do.ask(Show(LineEnded(event_id, "user", line, typed=True)))
    turn = Turn("user", line)
    turns.keep(do, turn)
    pictures.keep(do, turn, event.result)
    item = UserMessage(content=tuple(content))
    do.ask(Send(ConversationItemCreate(event_id=event_id, item=item)))
    if question:
        asking.want_answer(do)
    else:
        sees = "will see" if do.state.between else "sees"
        do.ask(Show(Notice(f"The assistant {sees} {path}. Ask about it.", "reply")))
