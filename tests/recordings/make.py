"""Makes the recordings beside it: sessions that go through every event, every effect and every rule.

    python -m tests.recordings.make

They are made by the rules as they are now. Make them again when a rule is meant to change, and read what
changes in them; a new event or effect wants a place in one of the scenarios.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import attrs
from attrs import frozen

from rtassist.costs import price_of
from rtassist.dialogue import events
from rtassist.dialogue.step import begin, step
from rtassist.dialogue.terms import Terms
from rtassist.protocol import (
    AudioConfig,
    AudioInput,
    AudioOutput,
    ConversationItemDone,
    FunctionTool,
    InputAudioBufferCleared,
    InputAudioBufferSpeechStarted,
    McpApprovalRequest,
    McpListToolsFailed,
    McpTool,
    RateLimit,
    RateLimitsUpdated,
    Response,
    ResponseDone,
    ResponseMcpCallCompleted,
    ResponseMcpCallFailed,
    ResponseMcpCallInProgress,
    ResponseOutputAudioDelta,
    ResponseOutputItemDone,
    ServerVad,
    Session,
    StatusDetails,
    StatusError,
    Unknown,
    encode,
)
from rtassist.sessions import notation
from rtassist.sessions.journal import Journal
from tests.playbook import (
    added,
    advanced,
    audio,
    audio_done,
    committed,
    created,
    done,
    ended,
    error,
    function_call,
    heard,
    not_transcribed,
    rang,
    said,
    session_created,
    session_updated,
    speech_started,
    speech_stopped,
    text,
    text_done,
    tokens,
    transcribed,
    transcribing,
    typed,
    words,
    words_done,
)

FOLDER = Path(__file__).parent

Happening: TypeAlias = events.Event | int
"""What happens, or how many milliseconds pass."""


@frozen
class Talk:
    """One conversation of a recording."""

    terms: Terms
    happenings: Sequence[Happening]


def terms(**changes: object) -> Terms:
    return Terms(**{"session": Session(type="realtime"), **changes})  # type: ignore[arg-type]  # named freely


OPEN: Sequence[Happening] = (5, session_created(), 30, session_updated())


def mic(ms: int) -> Iterator[Happening]:
    for _ in range(ms // 20):
        yield 20
        yield heard(ms=20)


def asks(item: str, question: str) -> Iterator[Happening]:
    """The user speaks a second, and the server hears it."""
    yield from mic(200)
    yield speech_started(item)
    yield from mic(600)
    yield from (speech_stopped(item), committed(item), 40, transcribing(item, question[:4]), 20)
    yield transcribed(item, question)


def answers(item: str, told: str, *, ms: int = 600) -> Iterator[Happening]:
    """A response of one item, its sound in pieces of 200 ms, not played to its end yet."""
    yield from (80, created(f"R{item[1:]}"), 5, added(item))
    pieces = told.split()
    for index in range(ms // 200):
        yield from (20, words(item, pieces[index] + " "), audio(item, ms=200))
    yield from (20, audio_done(item), words_done(item, told))


def sounds(item: str, ms: int) -> Iterator[Happening]:
    for at in range(100, ms + 1, 100):
        yield from (100, advanced(item, ms=at))


def finished(response: str, status: str, code: str | None = None, reason: str = "") -> Happening:
    details = StatusDetails(type=status, reason=reason, error=StatusError(code=code, message="it went wrong"))
    return said(ResponseDone(response=Response(id=response, status=status, status_details=details)))


SPOKEN = Talk(
    terms(greeting="Speak."),
    [
        *OPEN,
        *asks("U1", "What is the weather?"),
        *answers("A1", "Sunny, they say.", ms=600),
        *(5, done("R1")),
        *sounds("A1", 500),
        *(100, ended("A1", ms=600)),
        # the user speaks over the answer: something of it was heard, and audio comes late
        *asks("U2", "And tomorrow?"),
        *answers("A2", "Tomorrow it rains from the morning to the night.", ms=800),
        *sounds("A2", 300),
        *(10, speech_started("U3"), audio("A2", ms=200), 8, ended("A2", ms=310), done("R2", "cancelled")),
        *mic(200),
        *(speech_stopped("U3"), committed("U3"), 50, transcribed("U3", "Read me the news.")),
        # nothing of the next one is heard
        *(40, created("R3"), added("A3"), audio("A3", ms=100), speech_started("U4"), 6, ended("A3")),
        *(done("R3", "cancelled"), speech_stopped("U4"), committed("U4"), transcribed("U4", "")),
        # of the one behind it not even a sample came, and one more comes while the user speaks
        *(40, created("R4"), added("A4"), speech_started("U5"), done("R4", "cancelled")),
        *(created("R5"), added("A5"), audio("A5", ms=40), done("R5", "cancelled")),
        *(speech_stopped("U5"), committed("U5"), transcribed("U5", "Set a timer.")),
        # a function; the user types while it is spoken about
        *(40, created("R6"), done("R6", calls=[function_call("call_1", "timer", '{"minutes":1}')])),
        *(300, events.ToolEnded("call_1", '{"set":true}')),
        *answers("A7", "It is set.", ms=600),
        *sounds("A7", 200),
        *(10, typed("never mind"), 7, ended("A7", ms=220), done("R7", "cancelled")),
        *answers("A8", "As you wish.", ms=600),
        *(done("R8"), 600, ended("A8", ms=600), 5000, events.TimerDue("tea")),
        *(90, created("R9"), added("A9"), audio("A9", pcm=bytes(9601)), audio("A9", pcm=bytes(4799))),
        *(words("A9", "The tea!"), words_done("A9", "The tea!"), audio_done("A9"), done("R9")),
        *(300, ended("A9", ms=300), typed("/quit")),
    ],
)
COMMANDS = Talk(
    terms(),
    [
        *OPEN,
        *(100, typed("/help"), typed("/hlep"), typed("/nothing of the kind")),
        *answers("A1", "Shall I go on?", ms=600),
        *(100, typed(""), 9, ended("A1", ms=90), done("R1", "cancelled")),
        *(created("R2"), added("A2"), audio("A2", ms=300), 100, events.Interrupted(), 9, ended("A2", ms=100)),
        *(done("R2", "cancelled"), typed("/pause"), *mic(60), typed("/resume"), *mic(60)),
        *(typed("/mute"), *mic(60), typed("/mute"), *mic(60)),
        *asks("U3", "Stop."),
        *(created("R3"), done("R3", "cancelled")),
        *asks("U4", "pause listening"),
        *(created("R4"), done("R4", "cancelled"), typed("resume")),
        *(speech_started("U5"), 100, typed("/mute")),
        *(said(InputAudioBufferCleared(event_id="e")), typed("/resume")),
        *(done("R0"), typed("/interrupt"), typed("/restart")),
    ],
)
FAREWELL = Talk(
    terms(),
    [
        *OPEN,
        *asks("U1", "Goodbye!"),
        *answers("A1", "Until next time!"),
        done("R1"),
        600,
        ended("A1", ms=600),
    ],
)
PUSHED = Talk(
    terms(push_to_talk=True, server_turns=False),
    [
        *OPEN,
        *(*mic(60), events.TalkPressed(), *mic(200), events.TalkReleased(), committed("U1")),
        *(transcribed("U1", "Hello"), *answers("A1", "Hello to you.")),
        *(100, events.TalkPressed(), 8, ended("A1", ms=100), done("R1", "cancelled")),
        *(*mic(40), events.TalkReleased()),
        *(typed(""), *mic(140), typed(""), committed("U2"), transcribed("U2", "Tell me more")),
        *(error("input_audio_buffer_commit_empty"), events.LinkLost(1006, "The connection was lost.")),
    ],
)
FROM_FILE = Talk(
    terms(microphone_ends=True, keyboard=False, trailing_silence_ms=100),
    [
        *OPEN,
        *(*mic(100), speech_started("U1"), *mic(100), events.MicEnded(), *mic(100), 20, session_updated()),
        *(speech_stopped("U1"), committed("U1"), transcribed("U1", "Hello")),
        *(*answers("A1", "Hello to you."), done("R1"), 600, ended("A1", ms=600)),
        *(400, rang("settle")),
    ],
)
FROM_SILENT_FILE = Talk(
    terms(microphone_ends=True, keyboard=False, trailing_silence_ms=40),
    [
        *OPEN,
        *(*mic(60), events.MicEnded(), *mic(40), 20, session_updated(), 1000, rang("settle")),
    ],
)
FROM_PUSHED_FILE = Talk(
    terms(push_to_talk=True, server_turns=False, microphone_ends=True, keyboard=False),
    [
        *OPEN,
        *(*mic(160), events.MicEnded(), committed("U1"), transcribed("U1", "Hello")),
        *(*answers("A1", "Hello to you."), done("R1"), 600, ended("A1", ms=600)),
    ],
)
DEVICES = Talk(
    terms(),
    [
        *OPEN,
        *(*mic(40), events.MicSilent(), events.MicBack("Another one", instead="it was unplugged"), *mic(40)),
        *(speech_started("U1"), 100, events.MicLost("It was unplugged.", may_return=True)),
        *(1000, events.MicBack("Built-in"), *mic(40)),
        *answers("A1", "One two three four five six.", ms=800),
        *(300, events.SpeakerBack("Headphones", instead="it was unplugged")),
        *(100, events.SpeakerLost("It stands still."), ended("A1", ms=400), session_updated(), done("R1")),
        *(created("R2"), added("A2"), text("A2", "Now it "), text("A2", "is written.")),
        *(text_done("A2", "Now it is written."), done("R2")),
        *(created("R3"), added("A3"), text("A3", "And this "), 100, events.SpeakerBack("Built-in")),
        *(text("A3", "to its end."), text_done("A3", "And this to its end."), done("R3")),
        *(
            session_updated(),
            *answers("A4", "Now aloud again.", ms=400),
            done("R4"),
            500,
            ended("A4", ms=400),
        ),
        *(events.MicLost("It is gone."), events.TypingEnded()),
    ],
)
WRITTEN = Talk(
    terms(voiced=False, speaker=False, microphone=False, server_turns=False, transcribes=False),
    [
        *OPEN,
        *(typed("what is 17 times 23"), 300, created("R1"), added("A1"), text("A1", "It is ")),
        *(text("A1", "391."), text_done("A1", "It is 391."), done("R1"), typed("and times 2?"), 200),
        *(created("R2"), added("A2"), text("A2", "It would "), typed("never mind"), text("A2", "be 782.")),
        *(done("R2", "cancelled"), 100, created("R3"), added("A3"), text("A3", "Good."), done("R3")),
        events.TypingEnded(),
    ],
)


def rates(resets_s: float) -> Happening:
    limit = RateLimit(name="tokens", limit=40_000, remaining=0, reset_seconds=resets_s)
    return said(RateLimitsUpdated(rate_limits=(limit,)))


TROUBLE = Talk(
    terms(),
    [
        *OPEN,
        *(events.FrameUnreadable("", "garbage"), events.FrameUnreadable("", b"\xff\xfe")),
        *(said(Unknown("ping", {"type": "ping", "timestamp": 1.5})), events.UplinkDropped(24_000)),
        *(speech_started("U1"), 300, speech_stopped("U1"), committed("U1"), not_transcribed("U1")),
        *(created("R1"), finished("R1", "failed", "rate_limit_exceeded"), 100),
        *(speech_started("U2"), speech_stopped("U2"), 6000, rang("transcript"), 9000, rang("answer")),
        *(created("R2"), finished("R2", "incomplete", reason="max_output_tokens")),
        *(typed("hello"), error("conversation_already_has_active_response", event_id="rta_4")),
        *(15_000, rang("answer"), error("response_cancel_not_active"), error("server_error", "try again")),
        *(created("R3"), typed("wait"), typed("more"), done("R3", "cancelled")),
        *(error(None, "odd", event_id="rta_10"), created("R4"), done("R4"), 15_000, rang("answer")),
        error("session_expired", "The session has reached its end."),
    ],
)
REFUSED = Talk(terms(), [5, session_created(), error("invalid_value", "no such voice", event_id="rta_1")])
RATES = Talk(
    terms(),
    [
        *(*OPEN, typed("hello"), created("R1"), rates(3.5), finished("R1", "failed", "rate_limit_exceeded")),
        *(3500, rang("limit"), created("R2"), finished("R2", "failed", "rate_limit_exceeded")),
        *(
            typed("again"),
            created("R3"),
            finished("R3", "failed", "rate_limit_exceeded"),
            typed("never mind"),
        ),
        *(created("R4"), done("R4"), 10_000, rang("limit"), typed("/say One two."), created("R5")),
        *(finished("R5", "failed", "server_error"), created("R6"), finished("R6", "failed", "server_error")),
        *(typed("and now?"), created("R7"), added("A7"), audio("A7", ms=200)),
        *(finished("R7", "failed", "server_error"), 200, ended("A7", ms=200), typed("/status")),
        # a network that takes too little for a while
        *(events.UplinkDropped(480), 20, events.UplinkDropped(480), 4980, rang("uplink"), 5000),
        *(rang("uplink"), typed("/quit")),
    ],
)
SILENT_SERVER = Talk(terms(), [5, session_created(), 15_000, rang("begin")])

LOWERED = Talk(
    terms(),
    [
        *(*OPEN, *mic(40), events.OnsetHeard(), *asks("U1", "Tell me a story.")),
        # it was the user
        *(*answers("A1", "Once upon a time.", ms=800), *sounds("A1", 200), *mic(40), events.OnsetHeard()),
        *(
            events.OnsetHeard(),
            *mic(60),
            speech_started("U2"),
            8,
            ended("A1", ms=280),
            done("R1", "cancelled"),
        ),
        *(*mic(200), speech_stopped("U2"), committed("U2"), 40, transcribed("U2", "Another one.")),
        # a cough; right behind it an onset that means nothing yet, and then the user
        *(*answers("A2", "In a land far, far away.", ms=1200), *sounds("A2", 100), events.OnsetHeard()),
        *(450, rang("duck"), 100, events.OnsetHeard(), 900, rang("duck"), events.OnsetHeard(), 450),
        *(rang("duck"), 50, speech_started("U3"), 8, ended("A2", ms=1150), done("R2", "cancelled")),
        *(*mic(200), speech_stopped("U3"), committed("U3"), 40, transcribed("U3", "And?")),
        # the voice ends by itself while it is low; the network and the microphone have their own troubles
        *(*answers("A3", "The end.", ms=400), 20, events.VoiceStarved("A3", missing_ms=70, waits_ms=80)),
        *(*sounds("A3", 300), events.OnsetHeard(), events.MicClips(), done("R3"), 100, ended("A3", ms=400)),
        typed("/quit"),
    ],
)

SPOKEN_TO = Session(
    type="realtime",
    instructions="Be brief.",
    audio=AudioConfig(
        input=AudioInput(turn_detection=ServerVad(create_response=True, interrupt_response=True)),
        output=AudioOutput(voice="marin"),
    ),
    tools=(FunctionTool(name="clock", description="The time."), FunctionTool(name="timer")),
)
ORDERS = Talk(
    terms(session=SPOKEN_TO, model="gpt-realtime-2.1", phrases=(("pst", "interrupt"),)),
    [
        *OPEN,
        *(typed("/status"), typed("/tools"), typed("/help say"), typed("/voice"), typed("/voice cedar")),
        *(session_updated(), typed("/instructions"), typed("/instructions Talk like a pirate."), 50),
        *(session_updated(), typed("/instructions @persona.txt"), 5),
        *(events.ErrandEnded("instructions", "@persona.txt", "Be kind."), 50, session_updated()),
        *(typed("/devices"), 20, events.ErrandEnded("devices", "", "Microphones\n  0  Built-in")),
        *(typed("/mic"), events.ErrandEnded("mic", "", "The microphone is Built-in."), typed("/mic usb"), 40),
        *(events.MicBack("USB", instead="as you chose"), events.ErrandEnded("mic", "usb")),
        *(typed("/speaker none"), 9, events.ErrandEnded("speaker", "none", problem="There is none.")),
        *(typed("/image"), typed('/image "a b.png"'), 30),
        events.ErrandEnded("image", '"a b.png"', "data:image/png;base64,iVBORw0KGgo="),
        *(typed("/image cat.jpg what is this"), typed("/say A cat."), 30),
        events.ErrandEnded("image", "cat.jpg what is this", "data:image/jpeg;base64,/9j/"),
        *answers("A1", "A cat.", ms=200),
        *(done("R1"), 200, ended("A1", ms=200), 50, created("R2"), added("A2"), audio("A2", ms=400)),
        *(200, transcribed("U0", "Pst!"), 9, ended("A2", ms=190), done("R2", "cancelled")),
        *(
            typed("/voice alloy"),
            typed("/timestamps"),
            typed("/compact on"),
            typed("/vad"),
            typed("/vad odd"),
        ),
        *(typed("/vad off"), 40, session_updated(), typed(""), *mic(160), typed(""), committed("U3")),
        *(created("R3"), done("R3"), transcribed("U3", "Pause."), typed("/vad semantic"), session_updated()),
        *(typed("/vad server"), session_updated(), typed("/save"), events.ErrandEnded("save", "", "Saved.")),
        *(typed("/pause"), typed(""), typed("/model"), typed("/model gpt-realtime-mini")),
    ],
)
RESUMED = Talk(
    terms(keyboard=False),
    [
        *(*OPEN, *asks("U1", "Pause."), typed("/resume-session last"), 30),
        events.ErrandEnded("resume-session", "last", "2026-01-01_00-00-00_abcd"),
    ],
)
CONFIRMED = Talk(
    terms(interrupts=False, barge_in="confirm", language=""),
    [
        *(*OPEN, *asks("U1", "Tell me a story."), *answers("A1", "Once upon a time, long ago.", ms=1200)),
        # a cough: the voice goes on, and it leaves no trace
        *(*sounds("A1", 200), *mic(40), events.OnsetHeard(), *mic(60), speech_started("U2"), *mic(300)),
        *(transcribing("U2", "M"), speech_stopped("U2"), committed("U2"), 200, transcribed("U2", "Mm-hm.")),
        # words
        *(100, done("R1"), speech_started("U3"), *mic(100), transcribing("U3", "Wa"), 9, ended("A1", ms=700)),
        *(transcribing("U3", "it!"), *mic(100), speech_stopped("U3"), committed("U3")),
        *(transcribed("U3", "Wait!"), *answers("A4", "I wait.", ms=400)),
        # nobody says what it was, and then a command
        *(100, speech_started("U5"), 200, speech_stopped("U5"), committed("U5"), 2000, rang("duck"), 300),
        *(not_transcribed("U5"), done("R4"), created("R6"), added("A6"), audio("A6", ms=200), 100),
        *(speech_started("U7"), 200, ended("A4", ms=400), speech_stopped("U7"), 300, committed("U7")),
        *(transcribed("U7", "Stop."), 9, ended("A6", ms=100), done("R6", "cancelled")),
        # a cough before a key, and one whose words come late
        *(typed("hello"), created("R8"), added("A8"), audio("A8", ms=400), 90, speech_started("U9"), 100),
        *(speech_stopped("U9"), committed("U9"), typed("/interrupt"), 9, ended("A8", ms=100)),
        *(done("R8", "cancelled"), transcribed("U9", "Ähm"), typed("and now?"), created("R10"), added("A10")),
        *(audio("A10", ms=400), 90, speech_started("U11"), transcribed("U11", "(coughs)"), 50),
        *(speech_stopped("U11"), committed("U11"), speech_started("U12"), typed("/pause"), 9),
        *(ended("A10", ms=100), done("R10", "cancelled"), typed("/quit")),
    ],
)
NEVER_INTERRUPTED = Talk(
    terms(interrupts=False, barge_in="off", ducks=False),
    [
        *(*OPEN, *asks("U1", "Tell me a story."), *answers("A1", "Once upon a time.", ms=600)),
        *(*sounds("A1", 200), *asks("U2", "And the end?"), done("R1"), 50, created("R3"), added("A3")),
        *(audio("A3", ms=200), done("R3"), 300, ended("A1", ms=600), 200, ended("A3", ms=200)),
        typed("/quit"),
    ],
)
UNIX_S = 1_800_000_000


def opened(at_s: int) -> Iterator[Happening]:
    """A connection and its session, of an hour."""
    yield from (events.LinkOpened(UNIX_S + at_s), 5, session_created(expires_at=UNIX_S + at_s + 3600))
    yield from (30, session_updated())


def lost(code: int, *, silent_ms: int = 0) -> events.LinkLost:
    return events.LinkLost(code, "The connection is lost.", recoverable=True, silent_ms=silent_ms, chance=500)


SPEECH = InputAudioBufferSpeechStarted(event_id="e", item_id="U4", audio_start_ms=120)

CUT_OFF = Talk(
    terms(reconnects=True, greeting="Speak."),
    [
        *(*opened(0), *asks("U1", "What is the weather?")),
        # half an answer, and a function that runs; then a line that is typed without a connection
        *(*answers("A1", "Sunny, they say, until the evening.", ms=600), *sounds("A1", 200)),
        *(lost(1006, silent_ms=4000), *mic(100), 400, rang("redial"), events.DialFailed("No.", chance=999)),
        *(typed("and tomorrow?"), 7, ended("A1", ms=380), *mic(100), 1000, rang("redial"), *opened(4)),
        *(events.UplinkDropped(24_000, in_gap=True), session_updated()),
        *(
            *answers("A2", "I was saying: sunny.", ms=400),
            *sounds("A2", 300),
            done("R2"),
            ended("A2", ms=400),
        ),
        *(created("R3"), done("R3", calls=[function_call("call_1", "timer", '{"minutes":1}')]), 100),
        # the server has only half of a sentence; the result comes when there is no session
        *(*mic(200), said(SPEECH), *mic(100), 20_000, lost(1011), 400, rang("redial")),
        *(events.ToolEnded("call_1", '{"set":true}'), *opened(30), *mic(100), speech_started("U5")),
        *(speech_stopped("U5"), committed("U5"), transcribed("U5", "And at night?"), session_updated()),
        *(created("R5"), added("A5"), words("A5", "Stars"), audio("A5", ms=200), words_done("A5", "Stars")),
        *(audio_done("A5"), done("R5"), 200, ended("A5", ms=200)),
        # on a network that is slow, what is typed waits for what is said to be read
        *(events.UplinkLags(12_000), typed("And then?"), 900, session_updated(), created("R6"), done("R6")),
        # handed over in a silence; then one that does not accept its settings, and one that has expired
        *(3_200_000, rang("handover"), 300, events.DialFailed("Not yet."), 8000, rang("handover"), 300),
        *opened(3300),
        *(12_000, lost(1001), 500, rang("redial"), events.LinkOpened(UNIX_S), session_created(), 15_000),
        *(
            rang("begin"),
            1000,
            rang("redial"),
            *opened(3330),
            12_000,
            error("session_expired"),
            *opened(3400),
        ),
        events.DialFailed("of nothing that was asked for"),
        *(lost(1012), 500, rang("redial"), events.DialFailed("The key is no longer valid.", "refused")),
    ],
)
EARLY = Talk(
    terms(reconnects=True, greeting="Speak."),
    [
        *(events.LinkOpened(UNIX_S), 5, session_created(), 20, lost(1011), 500, rang("redial")),
        *(*opened(1), typed("hello"), created("R1"), done("R1"), typed("/quit")),
    ],
)
SHOWN = Talk(
    terms(reconnects=True),
    [
        *(*opened(0), typed("/image cat.jpg what is this"), 30),
        events.ErrandEnded("image", "cat.jpg what is this", "data:image/jpeg;base64,/9j/"),
        *(*answers("A1", "That is a cat.", ms=600), done("R1", usage=tokens(text_in=90, text_out=6))),
        *(600, ended("A1", ms=600), 20_000, lost(1006), typed("/image dog.png and this"), 30),
        events.ErrandEnded("image", "dog.png and this", "data:image/png;base64,iVBORw0KGgo="),
        *(470, rang("redial"), *opened(22), created("R2"), done("R2"), typed("/status"), typed("/quit")),
    ],
)
GIVEN_UP = Talk(
    terms(reconnects=True, microphone=False, server_turns=False),
    [
        *(*opened(0), typed("hello"), 10, created("R1"), 10, lost(1006), 500, rang("redial")),
        *(119_000, events.DialFailed("No network.")),
    ],
)


LIMITED = Talk(
    terms(
        session=Session(
            type="realtime",
            audio=AudioConfig(input=AudioInput(turn_detection=ServerVad(create_response=True))),
        ),
        model="gpt-realtime",
        price=price_of("gpt-realtime"),
        transcription_price=price_of("gpt-realtime-whisper"),
        max_cost_microusd=50_000,
        spent_microusd=10_000,
        max_length_ms=90_000,
    ),
    [
        *OPEN,
        *(*asks("U1", "Say much."), *answers("A1", "So be it.", ms=600), typed("/cost")),
        *(done("R1", usage=tokens(audio_in=100, audio_out=600, text_in=500)), *sounds("A1", 500)),
        *(100, ended("A1", ms=600), typed("/cost")),
        # the budget is spent: what is typed and said then is refused, and the microphone goes off
        *(session_updated(), typed("And more?"), 2500, ended("rta_4", ms=2400), typed("/mute")),
        *(*asks("U2", "More?"), 200, speech_started("U3"), ended("rta_5", ms=200), 24_000),
        *(rang("last minute"), 2000, ended("rta_6", ms=1200), typed("/resume"), 57_000),
        *(speech_started("U4"), 1000, rang("time"), 20_000, rang("out")),
    ],
)

REQUEST = McpApprovalRequest(id="mcpr_1", server_label="files", name="remove", arguments='{"path":"/tmp/a"}')
FILES = McpTool(server_label="files", server_url="https://mcp.example.com/")


def mcp(kind: type, item_id: str) -> Happening:
    return said(kind(item_id=item_id, output_index=0))


TOOLS = Talk(
    terms(
        session=Session(type="realtime", tools=(FILES,)),
        asks=("delete", "send"),
        cancels=("search",),
        shows_calls=True,
    ),
    [
        *(*OPEN, said(McpListToolsFailed(item_id="item_1")), *asks("U1", "Delete it.")),
        # two that ask, and one that does not; the first is allowed by a line, the second expires
        *(created("R1"), done("R1", calls=[function_call("c1", "delete", '{"file":"a"}')])),
        *(900, typed("y"), 250, events.ToolEnded("c1", "deleted"), *answers("A2", "It is gone."), done("R2")),
        *(600, ended("A2", ms=600), typed("search and send"), created("R3")),
        *(done("R3", calls=[function_call("c2", "send"), function_call("c3", "search", '{"for":"x"}')]),),
        *(60_000, rang("question"), 100, events.Interrupted(), 3, events.ToolEnded("c3", "cancelled")),
        # what the Realtime server calls by itself: allowed aloud, denied, never ended
        *(typed("remove it"), created("R4"), said(ConversationItemDone(item=REQUEST)), done("R4")),
        *asks("U5", "Yes."),
        *(mcp(ResponseMcpCallInProgress, "m1"), created("R5"), done("R5"), 800),
        *(mcp(ResponseMcpCallCompleted, "m1"), created("R6"), done("R6")),
        said(ResponseOutputItemDone(response_id="R6", output_index=0, item=attrs.evolve(REQUEST, id="q2"))),
        *(typed("n"), mcp(ResponseMcpCallInProgress, "m2"), mcp(ResponseMcpCallFailed, "m2")),
        *(created("R7"), done("R7"), mcp(ResponseMcpCallInProgress, "m3"), 120_000, rang("remote call")),
        typed("/quit"),
    ],
)

RECORDINGS: dict[str, Sequence[Talk]] = {
    "spoken": [SPOKEN],
    "lowered": [LOWERED],
    "commands": [COMMANDS, FAREWELL],
    "orders": [ORDERS, RESUMED],
    "confirmed": [CONFIRMED, NEVER_INTERRUPTED],
    "push_to_talk": [PUSHED],
    "files": [FROM_FILE, FROM_SILENT_FILE, FROM_PUSHED_FILE],
    "devices": [DEVICES],
    "written": [WRITTEN],
    "cut_off": [CUT_OFF, EARLY, SHOWN, GIVEN_UP],
    "limits": [LIMITED],
    "trouble": [TROUBLE, REFUSED, RATES, SILENT_SERVER],
    "tools": [TOOLS],
}


def recording(name: str) -> bytes:
    """The text of a recording. The same for the same rules."""
    lines: list[bytes] = []
    journal = Journal(line=lines.append, mic=lambda pcm: None, voice=lambda pcm: None)
    journal.header(id=name, started="2026-01-01T00:00:00Z", program="golden")
    us = 0
    for talk in RECORDINGS[name]:
        journal.begin(us, talk.terms)
        began_us, state = us, begin(talk.terms)
        for happening in talk.happenings:
            if isinstance(happening, int):
                us += happening * 1000
                continue
            event = _as_received(happening, len(lines))
            journal.note(us - began_us, event)
            state, effects = step(state, us - began_us, event)
            for effect in effects:
                journal.note(us - began_us, effect)
        us += 1_000_000
    journal.end(us)
    return b"".join(lines)


def _as_received(event: events.Event, number: int) -> events.Event:
    """From its frame, as a server's is. No two sounds are the same: each stands in a place of its own."""
    match event:
        case events.FrameUnreadable(frame=frame):
            return notation.read_frame(frame)
        case events.ServerSaid(event=ResponseOutputAudioDelta() as sound):
            pcm = (number.to_bytes(2, "little") * len(sound.delta))[: len(sound.delta)]
            return notation.read_frame(encode(attrs.evolve(sound, delta=pcm)))
        case events.ServerSaid():
            return notation.read_frame(encode(event.event))
    return event


def main() -> None:
    for name in RECORDINGS:
        text = recording(name)
        (FOLDER / f"{name}.jsonl").write_bytes(text)
        print(f"{name}: {len(text)} bytes")


if __name__ == "__main__":
    main()
