"""What the user said and the server may not have read: it answers turns by itself, and may be about to.

It makes one response at a time and refuses a second, so none is asked for while one is due. That one is due
is told with the end of a turn, and a turn is told when it begins, long before: its words and the silence
behind them come in between. In three cases that is not so, and whole turns may be on their way of which
nothing was told: what was kept over a gap is delivered at once; the network is slow, and what was said waits
to be sent; the microphone goes off, while the server may be finding the end of a turn. Then an update that
changes nothing goes first. Events are read and answered in their order, so behind its answer the server has
told of all turns that it found before it.

What is left is the network's own, and no client can exclude it: the server commits a turn while our request
travels, and so does the word of that turn's beginning. The turn has to fit into one round trip, with the
silence behind it (500 ms where nothing else is set); that takes a line which is slower than this, or has
stood still and swallowed more than it lets us see, or a server that finds turns behind what it answers. It
refuses such a request and answers the turn, and `asking.answer_in_the_way` asks once more behind that answer,
unless the turn has taken the floor.
"""

from __future__ import annotations

from rtassist.dialogue import events
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import ClearAlarm, Send, SetAlarm
from rtassist.dialogue.state import Conversation
from rtassist.protocol import InputAudioBufferClear

ALARM = "unread"
WAIT_US = 25_000_000
"""As long as an answer is waited for: a dead connection is noticed within 20 s, and what is kept over a gap,
1.9 MB on the line for half a minute, takes 15 s at 1 Mbit/s."""


def delivered(do: Draft) -> None:
    """What the microphone gave in a gap is on its way, in one piece."""
    if do.state.terms.microphone or do.state.terms.microphone_awaited:
        _doubt(do)


def lags(do: Draft, event: events.UplinkLags) -> None:
    """What was said waits to be sent. A proof that is under way is enough: else there were no end of it."""
    if do.state.unread is None:
        _doubt(do)


def take_back(do: Draft) -> None:
    """The server is to forget what it has not made a turn of."""
    do.ask(Send(InputAudioBufferClear(event_id=do.next_event_id())))
    _doubt(do)


def _doubt(do: Draft) -> None:
    if _answers_by_itself(do.state):
        do.change(unread="")


def _answers_by_itself(state: Conversation) -> bool:
    return state.server_turns and not state.terms.asks_itself


def is_to_be_proven(state: Conversation) -> bool:
    """A response is to be asked for, and nobody knows whether one is due."""
    return state.unread == "" and state.ready and bool(state.wanted or state.say)


def fenced(do: Draft, event_id: str) -> None:
    """The update is sent that proves it."""
    do.change(unread=event_id)
    do.ask(SetAlarm(ALARM, do.now_us + WAIT_US))


def answered(do: Draft, event_id: str) -> None:
    """The server has read an update; a refusal proves it as well."""
    if do.state.unread == event_id:
        do.change(unread=None)
        do.ask(ClearAlarm(ALARM))


def overdue(do: Draft) -> None:
    """A server that answers no such update is asked all the same. Should it answer late, that proves nothing
    of a later one: the update stays among those that wait (see `session.updated`).
    """
    if do.state.unread:
        do.change(unread=None)
