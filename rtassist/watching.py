"""What looks on while a conversation is held: the recorder, the latency of each turn, the log, spans."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect, Notice, Quit, Show
from rtassist.dialogue.events import Event
from rtassist.logs import LOG, EventLines, named
from rtassist.sessions.latency import Waiting
from rtassist.sessions.waterfall import lines

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from rtassist.dialogue.terms import Terms

_LEVELS: Final = {
    "info": logging.INFO,
    "reply": logging.INFO,
    "warning": logging.WARNING,
    "debug": logging.DEBUG,
}
_LOGGED: Final = frozenset(
    {
        *(Show, Quit, events.LinkLost),
        *(events.MicLost, events.MicBack, events.SpeakerLost, events.SpeakerBack),
    }
)


class Watch:
    """Of one conversation. `note`: the recorder. `tell`: shows a line, where `debug` wants events seen."""

    def __init__(
        self,
        terms: Terms,
        *,
        note: Callable[[int, Event | Effect], None],
        tell: Callable[[str], None],
        debug: bool,
        tracer: Tracer | None,
        server: str,
    ) -> None:
        self.waiting = Waiting()
        self._note = note
        self._tell = tell
        self._lines = EventLines() if debug else None
        self._logs_events = LOG.isEnabledFor(logging.DEBUG)
        self._spans = None
        if tracer is not None:
            from rtassist.tracing import Spans

            self._spans = Spans(tracer, terms, server=server, began_ns=time.time_ns())
        LOG.info("a conversation with %s at %s", terms.model, server)

    def saw(self, us: int, what: Event | Effect) -> None:
        """Each event before it is decided, then each effect; `us` since the conversation began."""
        self._note(us, what)
        self.waiting.saw(us, what)
        if self._spans is not None:
            self._spans.saw(us, what)
        if self._lines is not None:
            for line in self._lines.saw(us, what):
                self._tell(line)
        if self._logs_events and (name := named(what)):
            LOG.debug("%.3f s %s", us / 1_000_000, name)
        if type(what) in _LOGGED:
            _log(what)

    def over(self) -> None:
        if self._spans is not None:
            self._spans.over()
        if self._lines is not None:
            for line in (*self._lines.rest(), *lines(self.waiting.waits())):
                self._tell(line)


def _log(what: Event | Effect) -> None:
    if isinstance(what, Show):
        if isinstance(what.what, Notice):
            LOG.log(_LEVELS[what.what.level], "%s", what.what.text)
    elif isinstance(what, Quit):
        LOG.info("the conversation ended: %s %s", what.outcome.value, what.message)
    else:
        LOG.warning("%s", what)
