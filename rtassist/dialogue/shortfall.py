"""What the network does not take of the user's voice: told when it begins, now and then, and when it is over.

It comes in pieces of 20 ms, many times a second, for as long as the network is slow.
"""

from __future__ import annotations

import attrs

from rtassist.dialogue import events, link
from rtassist.dialogue.connection import Shortfall
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Notice, SetAlarm, Show
from rtassist.dialogue.state import SAMPLES_PER_MS

ALARM = "uplink"
OVER_AFTER_US = 5_000_000
"""What waits to be sent is five seconds long when the first of it is dropped: a network that was slow for a
moment has caught up by then, and one that is too slow has dropped more."""
TOLD_EVERY_US = 30_000_000


def dropped(do: Draft, event: events.UplinkDropped) -> None:
    if event.in_gap:
        kept_s = link.LONGEST_KEPT_US // 1_000_000
        text = (
            f"The connection was away for long: of what you said the last {kept_s} s were kept, "
            f"and {_seconds(event.samples)} before them are lost."
        )
        do.ask(Show(Notice(text, "warning")))
        return
    short = do.state.shortfall
    if short is None:
        short = Shortfall(told_us=do.now_us)
        do.ask(Show(Notice("The network is too slow: parts of what you say are lost.", "warning")))
        do.ask(SetAlarm(ALARM, do.now_us + OVER_AFTER_US))
    do.change(shortfall=attrs.evolve(short, samples=short.samples + event.samples, last_us=do.now_us))


def looked_again(do: Draft) -> None:
    """Tell the sum: all of it where nothing was dropped for a while, else now and then."""
    short = do.state.shortfall
    if short is None:
        return
    if do.now_us - short.last_us >= OVER_AFTER_US:
        text = f"The network was too slow for a while: {_seconds(short.samples)} of what you said are lost."
        do.ask(Show(Notice(text, "warning")))
        do.change(shortfall=None)
        return
    if do.now_us - short.told_us >= TOLD_EVERY_US:
        text = f"The network is still too slow: {_seconds(short.samples)} of what you said are lost."
        do.ask(Show(Notice(text, "warning")))
        do.change(shortfall=attrs.evolve(short, told_us=do.now_us))
    do.ask(SetAlarm(ALARM, do.now_us + OVER_AFTER_US))


def _seconds(samples: int) -> str:
    return f"{max(samples / SAMPLES_PER_MS / 1000, 0.1):.1f} s"
