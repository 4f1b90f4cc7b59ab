"""What is known of a conversation at one moment: who has the floor, what sounds, what was said and heard."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import field, frozen

from rtassist.dialogue.connection import Limits, Link, Shortfall
from rtassist.dialogue.spending import NOTHING, Spending
from rtassist.dialogue.terms import Terms, Turn

SAMPLES_PER_MS = 24
HISTORY_TURNS = 400
"""Turns kept for a later session to be seeded from; older ones are in the recording."""


class Sound(Enum):
    """Where the voice of one item stands."""

    NONE = "none"
    SOUNDING = "sounding"
    HUSHED = "hushed"
    """Asked to be silent; its report is on its way."""
    ENDED = "ended"

    __hash__ = object.__hash__
    """That of Enum is written in Python, and each delta of audio looks up what becomes of its voice."""


class Ducking(Enum):
    """Whether the voice is lowered for what may be the user (see `duck`)."""

    LOUD = "loud"
    DUCKED = "ducked"
    """An onset was heard, and nobody has said yet what it was."""
    DOUBTED = "doubted"
    """The server hears speech, and whether it holds words is not known yet."""
    CONFIRMED = "confirmed"
    """The user has the floor: what is left of the voice stays low."""
    RELEASED = "released"
    """It was nothing. The voice is back, and onsets mean nothing for a while."""


class Fate(Enum):
    """What became of a voice, as the server is told."""

    OPEN = "open"
    WHOLE = "whole"
    """Heard to its end, or read: the server's idea is right."""
    TRUNCATED = "truncated"
    UNHEARD = "unheard"
    """To be deleted as soon as its response is done."""
    DELETED = "deleted"


@frozen(kw_only=True, slots=False)
class Utterance:
    """One assistant message: its audio in samples, its words in characters."""

    item_id: str
    response_id: str
    content_index: int = 0
    arrived: int = 0
    """Samples that came from the server, those that lost the floor included."""
    odd: bytes = b""
    """Half a sample, where a server cuts its audio between the two bytes of one."""
    handed: int = 0
    """Samples handed to the loudspeaker."""
    heard: int = 0
    """Samples that have sounded, by the loudspeaker's own report."""
    sound: Sound = Sound.NONE
    audio_done: bool = False
    fate: Fate = Fate.OPEN
    transcript: str = ""
    transcript_done: bool = False
    written: bool = False
    """It is read to its end: its content is text, or it came while there was no loudspeaker."""
    shown: int = 0
    """Characters of the transcript that were shown."""
    line_ended: bool = False
    lost: bool = False
    """Its session is over: no server is told what becomes of it, but the next one what was heard."""
    short: bool = False
    """It was lost before its end came."""

    @property
    def cut(self) -> bool:
        """Some of it was not heard and never will be."""
        return self.fate in (Fate.TRUNCATED, Fate.UNHEARD, Fate.DELETED)


class Cancel(Enum):
    """Whether a response is being cancelled."""

    NO = "no"
    DUE = "due"
    """By us, once what sounded of it is truncated."""
    UNDER_WAY = "under way"
    """We have asked for it, or the server does it by itself."""


@frozen(kw_only=True)
class Answer:
    """One response of the server that is not forgotten yet."""

    id: str
    done: bool = False
    cancel: Cancel = Cancel.NO
    quiet: bool = False
    """The user said stop to it: the results of its calls are not spoken about."""
    say: str = ""
    """The words that the request was for which it was taken."""
    event_id: str = ""
    """Of that request, where it was one of ours."""


@frozen
class Request:
    """A response that is on its way: asked for by us (`event_id`), or due from the server after a turn."""

    event_id: str | None
    denied: bool = False
    say: str = ""
    """The words of it, where they were given."""


class Purpose(Enum):
    """Why a `session.update` was sent."""

    BEGIN = "begin"
    FENCE = "fence"
    """Changes nothing: its answer proves that the server has read all audio before it."""
    PROOF = "heard"
    """Likewise, and a response waits for it to be asked for (see `unread`)."""
    READ_ONLY = "read only"
    ALOUD = "aloud"
    INSTRUCTIONS = "instructions"
    VOICE = "voice"
    VAD = "vad"
    BUDGET = "budget"
    """The server is no longer to answer by itself."""


@frozen
class Update:
    event_id: str
    purpose: Purpose
    value: str = ""
    """Of the setting that the user wants to change."""


@frozen
class Call:
    """A function call that runs, or waits for the user's word (see `Question`).

    `speak`: its result is to be spoken about, unless the user said stop.
    """

    response_id: str
    name: str
    speak: bool = True
    arguments: str = ""
    began_us: int = 0
    remote: bool = False
    """The server runs it, at an MCP server; its key is the item's id."""
    lost: bool = False
    """The session that asked for it is over, and the next one does not know its id."""


@frozen
class Question:
    """Whether a call may be made: `id` is the call's, or that of the item by which the server asks."""

    id: str
    name: str
    arguments: str
    approval: bool = False
    """The server asks, for a tool of an MCP server."""
    open: bool = False
    """The user has been asked; one question is open at a time, the first."""
    earlier: tuple[str, ...] = ()
    """The user's items from before it was asked, whose words may come late: they are no answer to it."""


class Verdict(Enum):
    """What is known of a turn of the user that is answered by our asking (see `barge_in`)."""

    SPOKEN = "spoken"
    """To be answered."""
    DOUBTED = "doubted"
    """It began while the assistant was at work, and may be a cough."""
    NOISE = "noise"
    """It holds no words: to be deleted."""
    SETTLED = "settled"
    """Meanwhile the user took the floor in another way: its words change nothing any more."""


@frozen
class OwnTurn:
    verdict: Verdict
    committed: bool = False
    """It is an item of the conversation."""


@frozen
class Image:
    """What the user showed: its line, and the file as a data URI."""

    line: Turn
    url: str = field(repr=False)


class Ending(Enum):
    """How the conversation comes to its end once nobody will say more."""

    NO = "no"
    TRAILING = "trailing"
    """The microphone file is over; silence is sent so that the server finds the end of the last words."""
    FENCED = "fenced"
    """A fence is on its way behind that silence."""
    WHEN_QUIET = "when quiet"


@frozen(kw_only=True, slots=False)
class Conversation:
    terms: Terms
    ready: bool = False
    link: Link = field(factory=Link)
    said_us: int | None = None
    """Since when the user has been saying what only the server has: no words of it are known yet."""
    said_ms: int | None = None
    """Likewise, where it begins in the audio of the session; None: the server has not told."""
    heard_ms: int = 0
    """How far in that audio the user's turns were found."""
    told: tuple[str, ...] = ()
    """What the model was told besides the lines, and has not answered: another session is told it again."""
    asked_again: bool = False
    """An answer was lost and has been asked for again; of that one nothing has come yet."""
    limits: Limits = field(factory=Limits)
    shortfall: Shortfall | None = None
    """What a slow network has taken nothing of, while it is slow."""
    updates: tuple[Update, ...] = ()
    """`session.update`s on their way, oldest first: their answers carry no id and are matched by order."""
    voiced: bool = True
    """Answers are heard; set from the terms, and taken back while there is no loudspeaker."""
    microphone: bool = True
    """There is a microphone that the user may still speak into; likewise."""
    microphone_awaited: bool = False
    """It was lost and may come back."""
    keyboard: bool = True
    """The user may still type; likewise, until the end of the typing."""
    told_wait_ms: int = 0
    """The longest wait of a voice for an uneven network that the user was told of."""
    sent: int = 0
    """Events sent with an id of ours; the ids are counted, so that two runs agree."""

    holder: str | None = None
    """The response that has the floor. Audio of any other is not played."""
    requests: tuple[Request, ...] = ()
    """Responses on their way, oldest first."""
    active: str | None = None
    """The response that the server is making now."""
    wanted: bool = False
    """A response is to be asked for as soon as that is allowed."""
    say: str = ""
    """A response of exactly these words is to be asked for likewise, and first."""
    unread: str | None = None
    """Sound is on its way in which the server may find a turn and answer it: the id of the update behind it
    that is not answered yet, "" where none was sent (see `unread`). None: it has told what it found."""
    spoke: bool = False
    """The assistant has spoken in this session: its voice is fixed."""
    changed: Mapping[str, str] = field(factory=dict)
    """Settings that the server has accepted since the session began: instructions, voice, vad."""
    postponed: tuple[Update, ...] = ()
    """Such settings that no server was told of yet, or none has answered: there is no session."""
    errands: int = 0
    """That are under way."""
    answers: Mapping[str, Answer] = field(factory=dict)
    utterances: Mapping[str, Utterance] = field(factory=dict)

    ducking: Ducking = Ducking.LOUD
    false_onsets: int = 0
    """Releases since the user last had the floor."""

    server_turns: bool = True
    """Who finds the user's turns: the server, or with `push_to_talk` he; set from the terms, until `/vad`."""
    push_to_talk: bool = False
    own_turns: Mapping[str, OwnTurn] = field(factory=dict)
    """Turns of the user that are answered by our asking and are not answered yet, by item."""
    user_item: str | None = None
    """The item that the user's speech will become, while the server hears it."""
    talk_held: bool = False
    paused: bool = False
    muted: bool = False
    uncommitted: int = 0
    """Samples appended since the last commit or clear of ours, as far as a commit needs them."""
    awaited: tuple[str, ...] = ()
    """User items that began and whose words are not complete."""
    heard_words: Mapping[str, str] = field(factory=dict)
    """Transcripts of the user that are still coming in, by item."""

    calls: Mapping[str, Call] = field(factory=dict)
    """Function calls that run or wait to be allowed, by call id."""
    questions: tuple[Question, ...] = ()
    """Calls that wait for the user's word, oldest first."""
    approvals: tuple[str, ...] = ()
    """The last items by which the server asked for one: each is told more than once."""

    spending: Spending = NOTHING
    announcement: str | None = None
    """The voice of our own that sounds, or is about to."""

    ending: Ending = Ending.NO
    trailed: int = 0
    """Samples of silence sent since the microphone file ended."""
    over: bool = False
    """`Quit` was asked for: nothing that happens now changes anything."""
    pace: int = 1600
    """Samples of speech for one unit of text, learnt from finished items (see `words`)."""
    history: tuple[Turn, ...] = ()
    images: tuple[Image, ...] = ()
    """The last that the user showed, as many as are kept for a later session (see `pictures`)."""

    @property
    def between(self) -> bool:
        """The conversation goes on, and there is no session to hold it with."""
        return not self.ready and (self.link.sessions > 0 or self.link.lost_us is not None)

    @property
    def user_speaks(self) -> bool:
        return self.user_item is not None

    @property
    def sounding(self) -> bool:
        return any(utterance.sound is Sound.SOUNDING for utterance in self.utterances.values())

    @property
    def turn_is_certain(self) -> bool:
        """The user speaks, and has the floor by that."""
        if self.user_item is None:
            return False
        turn = self.own_turns.get(self.user_item)
        return self.terms.interrupts or (
            self.terms.barge_in == "confirm" and turn is not None and turn.verdict is Verdict.SPOKEN
        )

    @property
    def lowered(self) -> bool:
        return self.ducking in (Ducking.DUCKED, Ducking.DOUBTED, Ducking.CONFIRMED)

    def quiet(self) -> bool:
        """Nobody speaks, nothing sounds, and nothing that was asked for is outstanding."""
        return not (
            self.wanted
            or self.say
            or self.errands
            or self.requests
            or self.active
            or self.user_speaks
            or self.talk_held
            or self.calls
            or self.questions
            or self.awaited
            or self.own_turns
            or self.announcement
            or self.between
            or self.limits.retry_due
            or any(u.sound in (Sound.SOUNDING, Sound.HUSHED) for u in self.utterances.values())
        )
