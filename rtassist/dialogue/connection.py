"""Where the connection stands, and what the server lets us have: values of a conversation's state."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from rtassist.costs import USUAL_RATE, TextRate


class Line(Enum):
    """Whether there is a session to talk to (see `link`)."""

    OPENING = "opening"
    """A connection stands, its session does not yet."""
    UP = "up"
    WAITING = "waiting"
    """Until the next attempt."""
    DIALLING = "dialling"


class Spare(Enum):
    """The connection that is to take over before the session's end."""

    NONE = "none"
    DIALLING = "dialling"
    READY = "ready"


@frozen(kw_only=True)
class Link:
    """The connection. Times are µs on the conversation's clock."""

    line: Line = Line.OPENING
    sessions: int = 0
    """So many have stood, this one included."""
    attempt: int = 0
    """The number of the attempt that is next, or under way."""
    lost_us: int | None = None
    """Since when there has been no session that lasted."""
    failure: str = ""
    """What the last attempt failed of."""
    redial_us: int = 0
    """When the next attempt is due."""
    stood_us: int = 0
    """When the session stood."""
    opened_us: int = 0
    opened_unix_s: int = 0
    """The same moment: when the last connection was opened."""
    lasts_us: int = 0
    expires_us: int | None = None
    """The session's end, and how long it was from its beginning; None: the server has not told."""
    spare: Spare = Spare.NONE


@frozen(kw_only=True)
class Shortfall:
    """What the network was too slow for, of the microphone. Times are µs on the conversation's clock."""

    samples: int = 0
    last_us: int = 0
    """When some of it was dropped last."""
    told_us: int = 0
    """When the user was told last."""


@frozen(kw_only=True)
class Rate:
    """One of the server's limits on what may be used in a while; `resets_us` on the conversation's clock."""

    name: str
    limit: int | None = None
    remaining: int | None = None
    resets_us: int | None = None


@frozen(kw_only=True)
class Limits:
    rates: tuple[Rate, ...] = ()
    context_tokens: int = 0
    """What the conversation took of the model's context when the last response was done."""
    retry_due: bool = False
    """A response failed of a limit, and is asked for again when that is reset."""
    retry_say: str = ""
    """The words of it, where they were given."""
    text_rate: TextRate = USUAL_RATE
