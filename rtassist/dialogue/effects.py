"""What a conversation may ask for: frozen verbs, performed by the ring and by nothing else."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from attrs import field, frozen

from rtassist.protocol import ClientEvent, InputAudioBufferAppend

Role = Literal["user", "assistant"]


@frozen
class Send:
    """Send this event to the server."""

    event: ClientEvent

    @property
    def samples(self) -> int:
        """Microphone audio in it, PCM16; 0 for everything else. Only this may be dropped when it is late."""
        return len(self.event.audio) // 2 if isinstance(self.event, InputAudioBufferAppend) else 0


@frozen
class Listen:
    """The session stands: start to read the microphone and the keyboard."""


@frozen
class Play:
    """Hand this audio of an assistant item to the loudspeaker: PCM16, mono, 24 kHz."""

    item_id: str
    pcm: bytes = field(repr=False)

    @property
    def samples(self) -> int:
        return len(self.pcm) // 2


@frozen
class Finish:
    """No more audio will come for this item: let it sound to its end, then report."""

    item_id: str


@frozen
class Hush:
    """Silence this item now, forget what has not sounded, and report how much did."""

    item_id: str


@frozen
class Duck:
    """Lower what sounds, at once."""


@frozen
class Unduck:
    """What sounds is as loud as before."""


@frozen
class Announce:
    """Say this by a voice of our own, after what sounds now, and report its end as that of any other voice.
    At once where there is no such voice."""

    item_id: str
    text: str


@frozen
class CallTool:
    """Run a function that the model asked for. `arguments` is JSON text as the model wrote it."""

    call_id: str
    name: str
    arguments: str


@frozen
class CancelTool:
    """End a function call that runs; its end is reported as any other."""

    call_id: str


@frozen
class RunErrand:
    """Do what a command needs of the outside (`name` is the command's), and report what came of it."""

    name: str
    argument: str


@frozen
class Prefer:
    """The next conversation of this run begins with this value of the setting `name`."""

    name: str
    value: str


@frozen
class SetAlarm:
    """Ring at this time (µs on the conversation's clock); an alarm of the same name is replaced."""

    name: str
    at_us: int


@frozen
class ClearAlarm:
    name: str


@frozen
class Awaited:
    """A line of this speaker comes next; its words may come late."""

    item_id: str
    role: Role


@frozen
class Said:
    """These words go on at the end of a line: heard ones, for an assistant with a voice."""

    item_id: str
    role: Role
    words: str


@frozen
class LineEnded:
    """A line is over. `text` is all of it that was said; `unsaid` what the interruption cut off."""

    item_id: str
    role: Role
    text: str
    cut: bool = False
    unsaid: str = ""
    typed: bool = False


@frozen
class Notice:
    """Something to tell the user that is not part of the conversation."""

    text: str
    level: Literal["info", "reply", "warning", "debug"] = "info"
    """A reply is what a command was given for."""


@frozen
class Layout:
    """How the conversation is to be shown from now on: timestamps or compact, `on` or off; None: the other
    way than now."""

    name: Literal["timestamps", "compact"]
    on: bool | None = None


Shown = Awaited | Said | LineEnded | Notice | Layout


@frozen
class Show:
    what: Shown


@frozen
class Dial:
    """Open another connection, and tell whether it stands."""


@frozen
class Switch:
    """Go on over the connection that was opened last."""


@frozen
class Keep:
    """The session is over: hang up, and send nothing more that waits. But keep the microphone's audio, and
    its commits, for the next session: what has not left, and what left from this time (µs on the
    conversation's clock) on.
    """

    since_us: int
    said_ms: int | None = None
    """And from here on in the session's audio, as the server counts it: what the user says begins there."""
    heard_ms: int = 0
    """Likewise; what is before it was understood, as far as the server has told."""


@frozen
class Deliver:
    """The next session knows what went before: send what was kept, and from now on send at once."""


class Outcome(Enum):
    """How a conversation ended."""

    OVER = "over"
    RESTART = "restart"
    GO_ON = "go on"
    """Restarted, with what was said until now."""
    LINK_LOST = "link lost"
    REFUSED = "refused"
    NO_REALTIME = "no realtime"


@frozen
class Quit:
    """Leave the conversation. `message` is for the user; empty when there is nothing to explain."""

    outcome: Outcome = Outcome.OVER
    message: str = ""


Effect = (
    Send
    | Listen
    | Play
    | Finish
    | Hush
    | Duck
    | Unduck
    | Announce
    | CallTool
    | CancelTool
    | RunErrand
    | Prefer
    | SetAlarm
    | ClearAlarm
    | Show
    | Dial
    | Switch
    | Keep
    | Deliver
    | Quit
)
