"""What can happen to a conversation: frozen nouns in the past, each passed through one door.

`ServerSaid` carries what is in the Realtime API. All others are local to this program: they are types of
their own and none of them is ever sent.
"""

from __future__ import annotations

from attrs import field, frozen

from rtassist.protocol import BadFrame, ServerEvent, Unknown


@frozen
class ServerSaid:
    """An event came from the server. `frame` is the text it was read from, byte for byte."""

    event: ServerEvent | Unknown
    frame: str | bytes = field(default="", eq=False, repr=False)


@frozen
class FrameUnreadable:
    """A frame came that is no Realtime event; `reason` says where and why."""

    reason: str
    frame: str | bytes = field(default="", eq=False, repr=False)


@frozen
class LinkLost:
    """The connection ended without our doing. `sentence` says it in the user's words.

    `silent_ms`: nothing at all had come for so long, so that what went out since then may never have arrived.
    `chance`: a random number from 0 to 999, for the wait before the next attempt.
    """

    code: int
    sentence: str
    recoverable: bool = False
    silent_ms: int = 0
    chance: int = 0


@frozen
class LinkOpened:
    """A connection stands; of its session the server has not told yet. `unix_s`: the wall clock, for the
    session's end, which is told in its time.
    """

    unix_s: int


@frozen
class DialFailed:
    """The connection that was asked for did not come about. `outcome`: how the conversation ends by it, by
    the value of an `Outcome`; empty where another attempt may succeed. `chance` as for LinkLost.
    """

    sentence: str
    outcome: str = ""
    chance: int = 0


@frozen
class UplinkDropped:
    """This many samples of microphone audio, the oldest unsent, were dropped: the uplink was too slow, or
    there was no session (`in_gap`) for longer than they are kept.
    """

    samples: int
    in_gap: bool = False


@frozen
class UplinkLags:
    """This many samples of the microphone wait to be sent, more than the silence that ends a turn. Told once
    until fewer do, and once more after each `response.create` meanwhile. So where the user says stop
    while it is proven that the server has heard all (see `unread`), the next request on the slow line goes
    without such a proof.
    """

    samples: int


@frozen
class MicHeard:
    """One chunk of the microphone: PCM16, mono, 24 kHz."""

    pcm: bytes = field(repr=False)

    @property
    def samples(self) -> int:
        return len(self.pcm) // 2


@frozen
class MicEnded:
    """The file or pipe that is the microphone has ended; silence follows in its place."""


@frozen
class MicLost:
    """The microphone is gone; the conversation goes on with what there is. `reason` is half a sentence."""

    reason: str
    may_return: bool = False
    """It is waited for: without a keyboard the conversation does not end meanwhile."""


@frozen
class MicBack:
    """There is a microphone (again), called `name`.

    `instead`: why the one before it was left, when this one took its place at once and no loss was told.
    """

    name: str
    instead: str = ""


@frozen
class OnsetHeard:
    """Somebody seems to begin to speak: a guess of our own from the microphone, long before the server's."""


@frozen
class MicSilent:
    """A microphone that was opened gives nothing that could be speech. Told once for each opening."""


@frozen
class MicClips:
    """A microphone that was opened cuts off what is loud. Told once for each opening."""


@frozen
class SpeakerLost:
    """The loudspeaker is gone; answers are read, not heard. `reason` is half a sentence.

    Told before the end of the voice that it was sounding, the rest of that is read, too; else it is cut.
    """

    reason: str


@frozen
class SpeakerBack:
    """There is a loudspeaker (again). `instead` as for the microphone: what sounded goes on with this one."""

    name: str
    instead: str = ""


@frozen
class Typed:
    """The user typed a line: a message, a slash command, or nothing (the bare Enter key)."""

    text: str


@frozen
class TypingEnded:
    """Nothing more will be typed: the end of a pipe, or Ctrl-D."""


@frozen
class Interrupted:
    """The user wants silence, by a key."""


@frozen
class TalkPressed:
    """The push-to-talk key went down."""


@frozen
class TalkReleased:
    """The push-to-talk key came up."""


@frozen
class PlaybackAdvanced:
    """The loudspeaker has sounded `heard` samples of this item so far."""

    item_id: str
    heard: int


@frozen
class PlaybackEnded:
    """This item's voice is over: `heard` samples of it have sounded, and no more will. Reported once."""

    item_id: str
    heard: int


@frozen
class VoiceStarved:
    """The loudspeaker ran out of this item's voice, and more came `missing_ms` later: the network is uneven.

    From now on a voice waits for `waits_ms` of sound, where it does not come faster than it sounds.
    """

    item_id: str
    missing_ms: int
    waits_ms: int


@frozen
class ToolEnded:
    """A function call has its result, or an error told as text."""

    call_id: str
    output: str


@frozen
class ErrandEnded:
    """What came of an errand: `result` as each errand has it, or `problem`, a sentence why it is not done."""

    name: str
    argument: str
    result: str = field(default="", repr=False)
    problem: str = ""


@frozen
class TimerDue:
    """A timer that the model had set is due."""

    label: str


@frozen
class AlarmRang:
    """An alarm that was set by an effect is due."""

    name: str


LocalEvent = (
    FrameUnreadable
    | LinkLost
    | LinkOpened
    | DialFailed
    | UplinkDropped
    | UplinkLags
    | MicHeard
    | MicEnded
    | MicLost
    | MicBack
    | OnsetHeard
    | MicSilent
    | MicClips
    | SpeakerLost
    | SpeakerBack
    | Typed
    | TypingEnded
    | Interrupted
    | TalkPressed
    | TalkReleased
    | PlaybackAdvanced
    | PlaybackEnded
    | VoiceStarved
    | ToolEnded
    | ErrandEnded
    | TimerDue
    | AlarmRang
)
Event = ServerSaid | LocalEvent


def received(frame: str | bytes, event: ServerEvent | Unknown | BadFrame) -> ServerSaid | FrameUnreadable:
    """What a message of the server is to the conversation."""
    if isinstance(event, BadFrame):
        return FrameUnreadable(str(event), frame)
    return ServerSaid(event, frame)
