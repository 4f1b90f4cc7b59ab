"""What each alarm means."""

from __future__ import annotations

from collections.abc import Callable

from rtassist.dialogue import (
    asking,
    barge_in,
    duck,
    events,
    limits,
    link,
    questions,
    remote,
    session,
    shortfall,
    turns,
    unread,
)
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Outcome, Quit


def rang(do: Draft, event: events.AlarmRang) -> None:
    rule = RULES.get(event.name)
    if rule is not None:
        rule(do)


def _not_begun(do: Draft) -> None:
    if do.state.between:
        link.not_opened(do)
    elif not do.state.ready:
        do.ask(Quit(Outcome.NO_REALTIME, "The server opened a session and then did not accept its settings."))


RULES: dict[str, Callable[[Draft], None]] = {
    asking.ANSWER_ALARM: lambda do: asking.answer_overdue(do),
    unread.ALARM: lambda do: unread.overdue(do),
    turns.TRANSCRIPT_ALARM: lambda do: barge_in.overdue(do),
    questions.QUESTION_ALARM: lambda do: questions.overdue(do),
    remote.REMOTE_ALARM: lambda do: remote.overdue(do),
    duck.DUCK_ALARM: lambda do: duck.alarm_rang(do),
    session.SETTLE_ALARM: lambda do: session.settled(do),
    session.LAST_MINUTE_ALARM: lambda do: session.last_minute(do),
    session.TIME_ALARM: lambda do: session.time_over(do),
    session.OUT_ALARM: lambda do: do.ask(Quit()),
    session.BEGIN_ALARM: _not_begun,
    limits.LIMIT_ALARM: lambda do: limits.reset(do),
    link.REDIAL_ALARM: lambda do: link.redial(do),
    link.HANDOVER_ALARM: lambda do: link.handover_due(do),
    shortfall.ALARM: lambda do: shortfall.looked_again(do),
}
