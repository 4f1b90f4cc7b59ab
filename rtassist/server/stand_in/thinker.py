"""The stand-in as a Thinker: its answers, one sentence after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import trio

from rtassist.server.parts import Ask, Call, Say


class StandIn:
    """A Thinker. It keeps nothing between answers, so any number of sessions may share it."""

    async def answer(self, ask: Ask) -> AsyncIterator[Say | Call]:
        """Sentence by sentence, so that speaking can begin with the first."""
        # The table of sentences takes a moment to read, and not every server needs it.
        from rtassist.server.stand_in.answers import answer

        for piece in answer(ask):
            await trio.lowlevel.checkpoint()
            yield piece
