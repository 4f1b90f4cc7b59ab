"""A server, a loudspeaker and a user, who may do anything that they may do.

`World` is one moment of all three, and the ghost history: it is kept from events and effects alone, so that
nothing in it can be wrong because the program is. `moves` says what can happen next.

The environment is as hostile as the protocol lets it be. Events of different items come in every order, audio
goes on after an interruption and after the end of its response, events come twice, reports of the loudspeaker
race with everything, a response is created before, while and after the user speaks or says stop, or refused.
What it does not do: make two responses at once, or answer a request after one that was sent later. Both run
through one ordered stream of bytes. Nor does it take a request of ours before its own answer to a turn whose
end it has told, for it had not read the one when it began the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from rtassist.dialogue import events
from rtassist.dialogue.events import Event
from rtassist.protocol import InputAudioBufferCleared
from tests import playbook

UNIX_S = 1_800_000_000


class Phase(IntEnum):
    COMING = 0
    ACTIVE = 1
    DONE = 2


class Cause(IntEnum):
    """What a response is the answer to, or how one that was asked for stands."""

    NONE = 0
    LIVE = 1
    DENIED = 2
    """The user took the floor after it was asked for."""


class Unread(IntEnum):
    """Whether the server has read all that was said, as far as we have been told."""

    NO = 0
    SOME = 1
    """Turns may be found that nothing was told of."""
    FENCED = 2
    """And an update is on its way behind it."""


class Voice(NamedTuple):
    """One assistant item as the world has it."""

    begun: bool = False
    chunks: int = 0
    """Chunks of audio that the server still has for it."""
    arrived: int = 0
    handed: int = 0
    complete: bool = False
    """All its audio has been sent, by the server's word."""
    hushed: bool = False
    ended: bool = False
    unheard: bool = False
    """To be deleted when its response is done."""
    told: bool = False
    """Truncated or deleted."""
    lost: bool = False
    """Its session is over: no server is to be told of it."""
    short: bool = False
    """Its end never came."""
    read: bool = False
    """It came while there was no loudspeaker, and is not heard from its middle on when there is one again."""

    @property
    def sounds(self) -> bool:
        return self.handed > 0 and not self.ended


class Doubt(IntEnum):
    """Whether a turn of the user that we ask an answer to may be no words."""

    NONE = 0
    DOUBTED = 1
    SETTLED = 2
    """The user took the floor meanwhile; it is still deleted if it was nothing."""


class Turn(NamedTuple):
    """What the user says, where the server answers nothing by itself."""

    number: int
    doubt: Doubt = Doubt.NONE
    over: bool = False
    committed: bool = False


class Answer(NamedTuple):
    phase: Phase = Phase.COMING
    silent: bool = False
    """The user took the floor from it, or before it came: nothing of it may be played any more."""
    cancel_due: bool = False
    cancelled: bool = False
    """By the server itself, or by us."""
    quiet: bool = False
    """The user said stop to it, or before it: what its functions find is not spoken about."""
    crossed: bool = False
    """Nobody asked for it, and our own request is still on its way to the server."""
    voices: tuple[Voice, ...] = ()


class Budget(NamedTuple):
    """How often each thing may still happen."""

    turns: int = 0
    stops: int = 0
    lines: int = 0
    timers: int = 0
    late: int = 0
    """Events that come after their time, or a second time."""
    losses: int = 0
    """A voice ends early, as when the loudspeaker is gone and another takes its place."""
    muteness: int = 0
    """The loudspeaker is gone, for good or until it is back."""
    returns: int = 0
    unasked: int = 0
    refusals: int = 0
    waits: int = 0
    """The answer's alarm rings."""
    presses: int = 0
    onsets: int = 0
    words: int = 0
    """Of the user, before the server has said that he speaks."""
    rests: int = 0
    """The alarm of a lowered voice rings, or that of the rest after it."""
    calls: int = 0
    """A response that is done calls a function."""
    drops: int = 0
    """The connection is lost."""
    breakdowns: int = 0
    """The server fails at a response."""
    failures: int = 0
    """Another one does not come about."""
    ends: int = 0
    """A session's end comes near."""
    lags: int = 0
    """What was said waits to be sent."""
    mutes: int = 0
    """The microphone goes off; what it gave before is taken back."""


class Line(IntEnum):
    UP = 0
    WAITING = 1
    DIALLING = 2
    OPENED = 3
    """Of its session nothing has been heard yet."""
    TOLD = 4
    """The server has our settings, and has not answered."""


class World(NamedTuple):
    answers: tuple[Answer, ...]
    budget: Budget
    chunk: int = 92
    """Samples in a chunk of audio. 3.8 ms, and half of it 1.9: what is rounded the wrong way is seen."""
    voiced: bool = True
    speaking: bool = False
    held: bool = False
    spoken: bool = False
    """More than 100 ms were said into the held microphone."""
    owed: bool = False
    """An answer is to be asked for as soon as that is allowed."""
    ours: Cause = Cause.NONE
    """The `response.create` that is on its way."""
    due: Cause = Cause.NONE
    """The response that the server owes to the user's turn."""
    alarm: bool = False
    lowered: bool = False
    """The voice is, since an onset; `sure`: it was the user, as far as anybody has said."""
    sure: bool = False
    resting: bool = False
    """It was nobody, and for a while onsets mean nothing."""
    duck_alarm: bool = False
    doubting: bool = False
    """It is low while the server hears speech, or waits for what was said to be written down."""
    mode: str = "instant"
    turns: tuple[Turn, ...] = ()
    """What the user said whose words are not known, where words alone interrupt or nothing does."""
    calls: tuple[tuple[int, bool], ...] = ()
    """Functions that run, by the number of their response, and whether what they find is spoken about."""
    line: Line = Line.UP
    spare: bool = False
    """A connection stands that may take over."""
    spare_coming: bool = False
    said: bool = False
    """The server hears, or has heard, what the user says, and has not told the words."""
    asked_again: bool = False
    """What is on its way was lost once before."""
    server_turns: bool = True
    unread: Unread = Unread.NO
    updates: tuple[bool, ...] = ()
    """Those on their way, oldest first; whether one is the fence that is waited for."""
    muted: bool = False
    clearing: bool = False
    """The server has not read yet that what was said is taken back."""
    found: bool = False
    """Meanwhile it has found the beginning of a turn, with the microphone off."""
    lines: tuple[str, ...] = ()
    """Lines of the assistant that are open on the screen, which holds back all others meanwhile."""
    create_id: str = ""
    """The id of `ours`. The last field, so that it is easily left out of a key."""

    @property
    def answers_by_itself(self) -> bool:
        """The server, what the user says."""
        return self.server_turns and not self.asks_itself

    @property
    def asks_itself(self) -> bool:
        return self.mode != "instant"

    @property
    def certain(self) -> bool:
        """The user speaks, and nobody else may."""
        if not self.asks_itself:
            return self.speaking
        return self.speaking and self.mode == "confirm" and not self.turns[-1].doubt

    @property
    def sounds(self) -> bool:
        return any(v.sounds and not v.hushed for answer in self.answers for v in answer.voices)


class Move(NamedTuple):
    kind: str
    response: int = 0
    item: int = 0
    heard: int = 0
    turn: int = 0
    """Of the user: its place in `turns`."""

    def __str__(self) -> str:
        return f"{self.kind} {item_id(self)} {self.heard or ''}".rstrip()


def world(
    responses: int,
    items: int,
    chunks: int,
    budget: Budget,
    mode: str = "instant",
    *,
    server_turns: bool = True,
) -> World:
    """Before anything has happened, in a session that stands."""
    answer = Answer(voices=(Voice(chunks=chunks),) * items)
    return World(answers=(answer,) * responses, budget=budget, mode=mode, server_turns=server_turns)


def response_id(response: int) -> str:
    return f"R{response}"


def item_id(move: Move) -> str:
    return f"A{move.response}{'abcdefgh'[move.item]}"


def user_id(turn: Turn) -> str:
    return f"U{turn.number}"


def moves(w: World) -> Iterator[Move]:
    """Everything that can happen next."""
    left = w.budget
    yield from _user_moves(w)
    yield from _link_moves(w)
    for response, _ in w.calls:
        yield Move("function ended", response)
    if w.line is not Line.UP:
        for response, answer in enumerate(w.answers):
            for item, voice in enumerate(answer.voices):
                yield from _reports(w, voice, Move("", response, item))
        return
    active = next((index for index, answer in enumerate(w.answers) if answer.phase is Phase.ACTIVE), None)
    if active is None:
        coming = next((i for i, answer in enumerate(w.answers) if answer.phase is Phase.COMING), None)
        if coming is not None:
            if w.due is Cause.LIVE or (w.due and not w.ours):
                yield Move("created due", coming)
            elif w.ours:
                yield Move("created", coming)
            if left.unasked and not w.due:
                yield Move("created unasked", coming)
        if w.ours and left.refusals:
            yield Move("refused")
    elif w.ours:
        yield Move("refused: already answering", active)
    if w.alarm and left.waits:
        yield Move("answer overdue")
    for response, answer in enumerate(w.answers):
        if answer.phase is Phase.COMING:
            continue
        if answer.phase is Phase.ACTIVE and not answer.crossed:
            yield Move("done", response)
            if left.breakdowns:
                yield Move("fails", response)
            if left.calls:
                yield Move("done and calls", response)
        if left.late and not any(voice.lost for voice in answer.voices):
            yield Move("created again" if answer.phase is Phase.ACTIVE else "done again", response)
        before = True
        for item, voice in enumerate(answer.voices):
            yield from _voice_moves(w, answer, before, voice, Move("", response, item))
            before = voice.begun


def _link_moves(w: World) -> Iterator[Move]:
    left = w.budget
    if left.drops and w.line in (Line.UP, Line.OPENED, Line.TOLD):
        yield Move("link lost")
    if w.line is Line.WAITING:
        yield Move("redial")
    if w.line is Line.DIALLING or w.spare_coming:
        yield Move("link opened")
        if left.failures:
            yield Move("dial failed")
    if w.line is Line.OPENED:
        yield Move("session created")
    if w.line is Line.TOLD:
        yield Move("session updated")
    if True in w.updates and not w.clearing:
        yield Move("update answered")
    if w.unread is Unread.FENCED and left.waits:
        yield Move("fence overdue")
    if left.lags and w.line is Line.UP:
        yield Move("uplink lags")
    if left.ends and w.line is Line.UP and not (w.spare or w.spare_coming):
        yield Move("end is near")


def _user_moves(w: World) -> Iterator[Move]:
    left = w.budget
    if w.line is not Line.UP:
        pass
    elif w.speaking or w.found:
        yield Move("speech stopped")
    elif (
        left.turns and not w.held and (not w.muted or w.clearing) and all(turn.committed for turn in w.turns)
    ):
        yield Move("speech started")
    if w.clearing:
        yield Move("cleared")
    if left.mutes and w.line is Line.UP and not w.muted:
        yield Move("muted")
    if w.muted:
        yield Move("unmuted")
    for index, turn in enumerate(w.turns):
        if turn.over and not turn.committed:
            yield Move("committed", turn=index)
        if turn.doubt is Doubt.DOUBTED:
            yield Move("words of it", turn=index)
        if turn.committed:
            yield Move("written down", turn=index)
            yield Move("no words", turn=index)
            yield Move("not written down", turn=index)
    if w.held:
        yield Move("released")
        if not w.spoken:
            yield Move("spoke")
    elif left.presses:
        yield Move("pressed")
    if left.stops:
        yield Move("stop")
    if left.lines:
        yield Move("typed")
    if left.timers:
        yield Move("timer")
    if left.onsets:
        yield Move("onset")
    if left.words and not w.speaking and not w.asks_itself and w.line is Line.UP:
        yield Move("words")
    if left.rests and w.duck_alarm:
        yield Move("duck alarm")
    if left.muteness:
        yield Move("speaker lost")
    if left.returns and not w.voiced:
        yield Move("speaker back")


def _voice_moves(w: World, answer: Answer, may_begin: bool, voice: Voice, move: Move) -> Iterator[Move]:
    if answer.phase is Phase.ACTIVE and (voice.begun or may_begin):
        if not voice.begun:
            yield move._replace(kind="added")
        if voice.chunks and not voice.complete:
            yield move._replace(kind="audio")
        if voice.begun and not voice.complete:
            yield move._replace(kind="audio done")
    if w.budget.late and not voice.lost:
        if voice.complete or answer.phase is Phase.DONE:
            yield move._replace(kind="late audio")
        if voice.ended:
            yield move._replace(kind="ended again", heard=w.chunk)
    yield from _reports(w, voice, move)


def _reports(w: World, voice: Voice, move: Move) -> Iterator[Move]:
    """Of the loudspeaker."""
    if voice.sounds and voice.hushed:
        for heard in sorted({0, voice.handed // 2, voice.handed}):
            yield move._replace(kind="ended", heard=heard)
    elif voice.sounds:
        if not voice.complete:
            yield move._replace(kind="starved")
        if voice.complete:
            yield move._replace(kind="ended", heard=voice.handed)
        if w.budget.losses or not w.voiced or voice.read:
            yield move._replace(kind="lost", heard=voice.handed // 2)


def event_of(w: World, move: Move) -> Event:
    response, item = response_id(move.response), item_id(move)
    match move.kind:
        case "created" | "created due" | "created unasked" | "created again":
            return playbook.created(response)
        case "done" | "done again":
            return playbook.done(response)
        case "fails":
            return playbook.broke_down(response)
        case "done and calls":
            return playbook.done(response, calls=[playbook.function_call(f"call_{move.response}")])
        case "function ended":
            return events.ToolEnded(f"call_{move.response}", "42")
        case "added":
            return playbook.added(item, of=response)
        case "audio" | "late audio":
            return playbook.audio(item, samples=w.chunk, of=response)
        case "audio done":
            return playbook.audio_done(item)
        case "ended" | "ended again" | "lost":
            return playbook.ended(item, samples=move.heard)
        case "starved":
            return events.VoiceStarved(item, missing_ms=30, waits_ms=80)
        case "speech started":
            return playbook.speech_started(f"U{w.budget.turns}" if w.asks_itself else "U")
        case "speech stopped":
            return playbook.speech_stopped(user_id(w.turns[-1]) if w.asks_itself else "U")
        case "committed":
            return playbook.committed(user_id(w.turns[move.turn]))
        case "words of it":
            return playbook.transcribing(user_id(w.turns[move.turn]), "wait")
        case "written down":
            return playbook.transcribed(user_id(w.turns[move.turn]), "wait")
        case "no words":
            return playbook.transcribed(user_id(w.turns[move.turn]), "Mm-hm.")
        case "not written down":
            return playbook.not_transcribed(user_id(w.turns[move.turn]))
        case "stop":
            return events.Interrupted()
        case "typed":
            return events.Typed("hello")
        case "onset":
            return events.OnsetHeard()
        case "words":
            return playbook.transcribing("W", "hello")
        case "duck alarm":
            return events.AlarmRang("duck")
        case "timer":
            return events.TimerDue("tea")
        case "speaker lost":
            return events.SpeakerLost("unplugged")
        case "speaker back":
            return events.SpeakerBack("USB")
        case "pressed":
            return events.TalkPressed()
        case "spoke":
            return playbook.heard(ms=100)
        case "released":
            return events.TalkReleased()
        case "refused":
            return playbook.error("invalid_value", event_id=w.create_id)
        case "refused: already answering":
            return playbook.error("conversation_already_has_active_response", event_id=w.create_id)
        case "answer overdue":
            return events.AlarmRang("answer")
        case "link lost":
            return events.LinkLost(1006, "gone", recoverable=True)
        case "redial":
            return events.AlarmRang("redial")
        case "link opened":
            return events.LinkOpened(UNIX_S)
        case "dial failed":
            return events.DialFailed("no network")
        case "session created":
            return playbook.session_created(expires_at=UNIX_S + 3600)
        case "session updated":
            return playbook.session_updated()
        case "end is near":
            return events.AlarmRang("handover")
        case "update answered":
            return playbook.session_updated()
        case "fence overdue":
            return events.AlarmRang("unread")
        case "uplink lags":
            return events.UplinkLags(12_000)
        case "muted" | "unmuted":
            return events.Typed("/mute")
        case "cleared":
            return playbook.said(InputAudioBufferCleared(event_id="e"))
    raise NotImplementedError(move.kind)
