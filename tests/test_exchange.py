"""The ring over several connections under virtual time: what is lost, kept, delivered, and how it is told."""

from __future__ import annotations

import attrs
import pytest
import trio
import trio.testing
from attrs import define
from wsproto.events import Ping, Pong, TextMessage

from rtassist.converse import converse
from rtassist.dialogue import effects, events
from rtassist.dialogue.effects import Outcome
from rtassist.dialogue.terms import Terms
from rtassist.edges import Edges
from rtassist.errors import CannotConnect, NoRealtime, Refused
from rtassist.link.address import Address
from rtassist.link.closing import Close
from rtassist.link.refusals import HttpAnswer, no_websocket, rejected_upgrade
from rtassist.link.websocket import over
from rtassist.protocol import (
    AssistantMessage,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemTruncate,
    FunctionCall,
    FunctionTool,
    InputAudioBufferAppend,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    Response,
    ResponseCancel,
    ResponseCreate,
    ResponseCreated,
    ResponseDone,
    Session,
    SessionUpdate,
    SessionUpdated,
    SystemMessage,
    UserMessage,
    encode,
)
from tests.link.servers import accept_by_hand
from tests.ring import Call, NoTools, ScriptedLink, answer, call, speech_started

TOOL = FunctionTool(name="look_up", description="looks up", parameters={"type": "object"})
TERMS = Terms(
    session=Session(type="realtime", instructions="Be kind.", tools=(TOOL,)), reconnects=True, ducks=False
)
GONE = Close(1006)


@define
class Talker:
    """A microphone that gives chunks of 20 ms, each with its own number."""

    live: bool = True
    clips: bool = False
    urgent: bool = False
    n: int = 0

    async def read(self) -> bytes:
        await trio.sleep(0.02)
        self.n += 1
        return self.n.to_bytes(2, "little") * 480


def chunks(link: ScriptedLink) -> list[int]:
    """The numbers of the chunks that the server got."""
    return [
        int.from_bytes(event.audio[:2], "little")
        for event in link.sent
        if isinstance(event, InputAudioBufferAppend)
    ]


def told(link: ScriptedLink) -> list[tuple[str, str]]:
    """Who said what, by the items that the server was given."""
    said = []
    for event in link.sent:
        if isinstance(event, ConversationItemCreate):
            item = event.item
            assert isinstance(item, UserMessage | AssistantMessage | SystemMessage)
            said.append((item.role, str(item.content[0].text)))
    return said


def kinds(link: ScriptedLink) -> list[str]:
    return [event.type for event in link.sent if not isinstance(event, InputAudioBufferAppend)]


def lines(held: Call) -> list[effects.LineEnded]:
    return [shown for shown in held.shown if isinstance(shown, effects.LineEnded)]


def user_said(item_id: str, text: str) -> list[object]:
    return [
        speech_started(item_id),
        InputAudioBufferSpeechStopped(event_id="s", item_id=item_id, audio_end_ms=0),
        InputAudioBufferCommitted(event_id="c", item_id=item_id),
        ConversationItemInputAudioTranscriptionCompleted(
            event_id="t", item_id=item_id, content_index=0, transcript=text
        ),
    ]


async def test_the_next_session_knows_the_settings_and_what_was_heard(autojump_clock: object) -> None:
    async with call(TERMS) as held:
        await held.commands.send(events.Typed("hello"))
        await trio.sleep(0.1)
        held.link.say(*answer("R1", "A1", seconds=2, words="Hello to you."))
        await trio.sleep(5)
        first = held.link
        first.break_off(GONE)
        await trio.sleep(2)

        assert len(held.links) == 2
        assert held.link.sent[0] == attrs.evolve(first.sent[0], event_id=held.link.sent[0].event_id)
        assert told(held.link) == [("user", "hello"), ("assistant", "Hello to you.")]
        assert kinds(held.link) == ["session.update", *["conversation.item.create"] * 2]
        lost, back = held.notices()
        assert lost == (
            "The connection broke off without a goodbye: the network, a proxy's time limit, or a crash "
            "(close 1006). Connecting again; what you say meanwhile is kept."
        )
        assert back == "Connected again. The conversation goes on."

        await held.commands.send(events.Typed("are you there?"))
        await trio.sleep(0.1)
        asked = ["conversation.item.create", "session.update", "response.create"]
        assert kinds(held.link)[-3:] == asked, "once the server has read what was kept"
        held.link.say(*answer("R2", "A2", seconds=1, words="Yes."))
        await trio.sleep(2)
        assert lines(held)[-1].text == "Yes."
        assert held.quit is None


async def test_an_answer_that_broke_off_sounds_to_its_end_and_is_asked_for_again(
    autojump_clock: object,
) -> None:
    async with call(TERMS) as held:
        await held.commands.send(events.Typed("tell me a story"))
        await trio.sleep(0.1)
        words = "once upon a time there was a very small dragon that could not sleep at night"
        held.link.say(*answer("R1", "A1", seconds=3, done=False, words=words))
        await trio.sleep(1)
        held.link.break_off(GONE)
        await trio.sleep(1)
        assert held.links.index(held.link) == 1, "it does not wait for the voice"
        assert held.samples_sounded() >= 1.9 * 24_000
        assert ResponseCreate not in map(type, held.link.sent)
        await trio.sleep(3)

        assert held.samples_sounded() == 3 * 24_000
        (line,) = [line for line in lines(held) if line.role == "assistant"]
        assert line.cut
        assert line.text
        assert line.text + line.unsaid == words
        said = told(held.link)
        assert said[0] == ("user", "tell me a story")
        assert ("assistant", line.text) in said
        assert [who for who, _ in said].count("system") == 1
        assert kinds(held.link)[-2:] == ["conversation.item.create", "response.create"]
        assert not held.link.got(ConversationItemTruncate), "the new server knows no such item"


async def test_what_is_said_in_the_gap_is_delivered_after_it(autojump_clock: object) -> None:
    async with call(TERMS, microphone=Talker()) as held:
        await trio.sleep(5)
        held.failures += [CannotConnect("No network.", advice="Is that a Realtime server?")] * 3
        first = held.link
        first.break_off(GONE)
        await trio.sleep(10)

        heard = chunks(held.link)
        assert heard == list(range(heard[0], heard[0] + len(heard)))
        before = 50  # the second that the lost server may not have understood
        assert heard[0] == pytest.approx(chunks(first)[-1] - before, abs=3)
        assert heard[-1] >= 15 * 50 - 3
        update, *rest = held.link.sent
        assert isinstance(update, SessionUpdate)
        assert all(isinstance(event, InputAudioBufferAppend) for event in rest)
        assert not [what for _, what in held.noted if isinstance(what, events.UplinkDropped)]
        waits = [b - a for a, b in zip(held.dialled_at_s, held.dialled_at_s[1:], strict=False)]
        assert waits == pytest.approx([0.5, 1, 2], abs=0.01)
        assert held.notices()[1:4] == [
            "No connection yet. No network. Trying again in 0.5 s.",
            "No connection yet. Trying again in 1 s.",
            "No connection yet. Trying again in 2 s.",
        ]


async def test_of_a_long_gap_half_a_minute_is_kept_and_the_rest_is_told(autojump_clock: object) -> None:
    async with call(TERMS, microphone=Talker()) as held:
        await trio.sleep(2)
        held.failures += [CannotConnect("No network.")] * 9
        held.link.break_off(GONE)
        while len(held.links) < 2:  # noqa: ASYNC110 (virtual time)
            await trio.sleep(0.1)
        await trio.sleep(0.2)

        heard = chunks(held.link)
        late = [n for n in heard if n <= round(trio.current_time() / 0.02)]
        assert len(late) * 20 == pytest.approx(30_000, abs=400)
        (dropped,) = [what for _, what in held.noted if isinstance(what, events.UplinkDropped)]
        assert dropped.in_gap
        gap_s = heard[-1] * 0.02 - 1
        assert dropped.samples / 24_000 == pytest.approx(gap_s - 30, abs=1)
        assert any("of what you said the last 30 s were kept" in text for text in held.notices())


async def test_a_sentence_that_only_the_dead_server_heard_is_said_again(autojump_clock: object) -> None:
    async with call(TERMS, microphone=Talker()) as held:
        await trio.sleep(10)
        held.link.say(speech_started("U1"))
        await trio.sleep(4)
        held.link.break_off(GONE)
        await trio.sleep(2)

        assert chunks(held.link)[0] == pytest.approx(9 * 50, abs=3), "from a second before it was noticed"
        assert ResponseCreate not in map(type, held.link.sent), "the server answers what it hears"
        held.link.say(*user_said("U2", "What is the weather?"))  # type: ignore[arg-type]  # all are events
        await trio.sleep(1)
        assert [(line.item_id, line.text) for line in lines(held)] == [
            ("U1", ""),
            ("U2", "What is the weather?"),
        ]


async def test_what_a_silent_network_swallowed_is_said_again(autojump_clock: object) -> None:
    async with call(TERMS, microphone=Talker()) as held:
        await trio.sleep(30)
        held.link.break_off(Close(1006, "no sign of life", silent_ms=18_000))
        await trio.sleep(2)

        assert chunks(held.link)[0] == pytest.approx(11 * 50, abs=3)


async def test_a_question_that_was_understood_is_asked_again_once(autojump_clock: object) -> None:
    async with call(TERMS, microphone=Talker()) as held:
        await trio.sleep(5)
        held.link.say(*user_said("U1", "What is the weather?"))  # type: ignore[arg-type]  # all are events
        await trio.sleep(1)
        held.link.break_off(GONE)
        await trio.sleep(2)

        assert told(held.link) == [("user", "What is the weather?")]
        assert len(held.link.got(ResponseCreate)) == 1
        held.link.say(ResponseCreated(event_id="c", response=Response(id="R1", status="in_progress")))
        await trio.sleep(0.1)
        held.link.break_off(GONE)
        await trio.sleep(3)
        assert len(held.links) == 3
        assert not held.link.got(ResponseCreate)
        assert "The answer was lost a second time and is not asked for again." in held.notices()


async def test_lines_typed_in_the_gap_are_asked_after_it(autojump_clock: object) -> None:
    async with call(TERMS) as held:
        held.failures.append(CannotConnect("No network."))
        held.link.break_off(GONE)
        await held.commands.send(events.Typed("one"))
        await held.commands.send(events.Typed("two"))
        await trio.sleep(3)

        assert told(held.link) == [("user", "one"), ("user", "two")]
        assert kinds(held.link)[-1] == "response.create"
        assert len(held.link.got(ResponseCreate)) == 1


@define
class SlowTool:
    async def run(self, name: str, arguments: str) -> str:
        await trio.sleep(3)
        return "42"


@pytest.mark.parametrize("failures", [0, 3], ids=["after the gap", "in the gap"])
async def test_the_result_of_a_function_reaches_the_next_session_as_text(
    failures: int, autojump_clock: object
) -> None:
    async with call(TERMS, tools=SlowTool()) as held:
        output = (FunctionCall(call_id="c1", name="look_up", arguments='{"q":1}', status="completed"),)
        held.link.say(
            ResponseCreated(event_id="c", response=Response(id="R1", status="in_progress")),
            ResponseDone(event_id="d", response=Response(id="R1", status="completed", output=output)),
        )
        await trio.sleep(1)
        held.failures += [CannotConnect("No network.")] * failures
        held.link.break_off(GONE)
        await trio.sleep(10)

        text = 'The function look_up that you called with {"q":1} returned: 42'
        assert told(held.link) == [("system", text)]
        assert len(held.link.got(ResponseCreate)) == 1


async def test_a_voice_of_the_lost_session_can_be_silenced(autojump_clock: object) -> None:
    async with call(TERMS) as held:
        held.link.say(*answer("R1", "A1", seconds=10, words="one two three four five six seven eight"))
        await trio.sleep(2)
        held.link.break_off(GONE)
        await trio.sleep(2)
        held.link.say(speech_started("U1"))
        await trio.sleep(1)

        assert held.samples_sounded() <= 4.1 * 24_000
        assert not held.link.got(ConversationItemTruncate)
        assert not held.link.got(ConversationItemDelete)
        assert not held.link.got(ResponseCancel)
        (line,) = [line for line in lines(held) if line.role == "assistant"]
        assert line.cut
        assert told(held.link) == [("assistant", line.text)]


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [(Refused("Bad key.", code="invalid_api_key"), Outcome.REFUSED)],
)
async def test_a_server_that_does_not_want_us_back_ends_it(
    failure: Refused, outcome: Outcome, autojump_clock: object
) -> None:
    async with call(TERMS) as held:
        held.failures.append(failure)
        held.link.break_off(GONE)
        await held.ended.wait()

        assert held.quit == effects.Quit(outcome, "Bad key.")


@pytest.mark.parametrize(
    "failure", [NoRealtime("A web page."), Refused("Busy.", code="rate_limit_exceeded")], ids=["page", "busy"]
)
async def test_a_page_in_the_way_may_go_away(failure: NoRealtime, autojump_clock: object) -> None:
    async with call(TERMS) as held:
        held.failures.append(failure)
        held.link.break_off(GONE)
        await trio.sleep(3)

        assert len(held.links) == 2


async def test_an_address_that_was_right_a_moment_ago_is_not_doubted(autojump_clock: object) -> None:
    async with call(TERMS) as held:
        held.failures += [
            no_websocket("here", b""),
            rejected_upgrade("here", "/", HttpAnswer(status=200, body="<html>"), ()),
            rejected_upgrade("here", "/", HttpAnswer(status=429), ()),
            rejected_upgrade("here", "/", HttpAnswer(status=401), ()),
        ]
        held.link.break_off(GONE)
        await held.ended.wait()

        assert held.notices()[1:] == [
            "No connection yet. here took the connection and closed it without an answer. "
            "Trying again in 0.5 s.",
            "No connection yet. here answered with a web page and not as a Realtime server (HTTP 200). "
            "Trying again in 1 s.",
            "No connection yet. here refused the connection (HTTP 429). Trying again in 2 s.",
        ]
        assert held.quit is not None
        assert "Set a key that is valid" in held.quit.message, "nobody tries again: what to do is to be told"


async def test_a_connection_that_is_lost_before_its_first_session_stands_is_dialled_again(
    autojump_clock: object,
) -> None:
    async with call(attrs.evolve(TERMS, greeting="Speak."), microphone=Talker(), accepts=False) as held:
        held.link.break_off(Close(1011))
        await held.commands.send(events.Typed("hello"))
        await trio.sleep(3)

        assert len(held.links) == 2
        assert held.notices() == [
            "The server failed, or missed the answers to its pings (close 1011). Connecting again.",
            "Connected again.",
            "Speak.",
        ]
        asked = ["session.update", "conversation.item.create", "session.update", "response.create"]
        assert kinds(held.link) == asked, "the second is answered when all before it was read"
        assert chunks(held.link)[:2] == [1, 2], "nobody was listened to before"
        assert held.quit is None


async def test_it_is_given_up_after_two_minutes(autojump_clock: object) -> None:
    async with call(TERMS) as held:
        await trio.sleep(20)
        began_s = trio.current_time()
        held.failures += [CannotConnect("No network.")] * 100
        held.link.break_off(GONE)
        await held.ended.wait()

        assert 110 <= trio.current_time() - began_s <= 120
        assert held.quit is not None
        assert held.quit.outcome is Outcome.LINK_LOST
        assert held.quit.message.endswith("s and is given up. No network.")
        assert 15 <= len(held.dialled_at_s) <= 20


async def test_a_server_that_takes_everyone_and_drops_them_is_given_up_too(autojump_clock: object) -> None:
    async with call(TERMS) as held:
        await trio.sleep(20)
        while not held.ended.is_set() and len(held.links) < 100:
            held.link.break_off(Close(1011))
            before = len(held.links)
            while len(held.links) == before and not held.ended.is_set():  # noqa: ASYNC110 (virtual time)
                await trio.sleep(0.05)
            await trio.sleep(0.5)

        assert held.quit is not None
        assert held.quit.outcome is Outcome.LINK_LOST
        assert len(held.links) < 30


@pytest.mark.parametrize(
    ("close", "outcome", "words"),
    [
        (Close(1000), Outcome.LINK_LOST, "The server ended the conversation"),
        (Close(1008, "no"), Outcome.LINK_LOST, "a rule of its own"),
        (Close(3000), Outcome.REFUSED, "Check the key"),
    ],
)
async def test_an_end_that_was_meant_is_one(
    close: Close, outcome: Outcome, words: str, autojump_clock: object
) -> None:
    async with call(TERMS) as held:
        held.link.break_off(close)
        await held.ended.wait()

        assert held.quit is not None
        assert held.quit.outcome is outcome
        assert words in held.quit.message
        assert not held.dialled_at_s


async def test_a_network_that_takes_nothing_for_thirty_seconds_is_left(autojump_clock: object) -> None:
    async with call(TERMS, microphone=Talker()) as held:
        first = held.link
        first.stall()
        await trio.sleep(33)

        assert len(held.links) == 2
        assert first.closed_by_us
        assert "the network has taken nothing for thirty seconds" in held.notices()[0]
        assert len(chunks(held.link)) * 20 >= 29_000


async def test_before_the_session_ends_the_next_one_takes_over_in_a_silence(autojump_clock: object) -> None:
    async with call(TERMS, microphone=Talker(), lasts_s=400) as held:
        held.link.say(*answer("R1", "A1", seconds=2, words="Hello."))
        await trio.sleep(290)
        first = held.link
        held.link.say(*answer("R2", "A2", seconds=30, words="A long answer."))
        await trio.sleep(20)
        assert len(held.links) == 2, "a quarter of its time before its end"
        assert not held.link.sent, "somebody speaks"
        sounded = held.samples_sounded()
        await trio.sleep(30)

        assert held.samples_sounded() - sounded == pytest.approx(10 * 24_000, abs=960)
        assert told(held.link) == [("assistant", "Hello."), ("assistant", "A long answer.")]
        assert first.closed_by_us
        assert held.notices() == []
        between = chunks(first)[-1] - chunks(held.link)[0]
        assert 0 <= between <= 30, "nothing that was said is missing"
        assert chunks(held.link) == list(range(chunks(held.link)[0], chunks(held.link)[-1] + 1))


async def test_without_a_silence_a_pause_between_turns_is_enough_at_last(autojump_clock: object) -> None:
    async with call(TERMS, tools=Endless(), lasts_s=3600) as held:
        output = (FunctionCall(call_id="c1", name="look_up", arguments="{}", status="completed"),)
        held.link.say(
            ResponseCreated(event_id="c", response=Response(id="R1", status="in_progress")),
            ResponseDone(event_id="d", response=Response(id="R1", status="completed", output=output)),
        )
        await trio.sleep(3530)
        assert len(held.links) == 2
        assert not held.link.sent, "a function runs"
        await trio.sleep(20)
        assert kinds(held.link) == ["session.update"]
        assert held.notices() == []


@define
class Endless:
    async def run(self, name: str, arguments: str) -> str:
        await trio.sleep_forever()


async def test_a_session_that_ends_in_a_monologue_is_followed_by_the_spare_one(
    autojump_clock: object,
) -> None:
    async with call(TERMS, microphone=Talker(), lasts_s=60) as held:
        await trio.sleep(40)
        held.link = held.links[0]
        held.link.say(speech_started("U1"))
        await trio.sleep(21)
        dials = len(held.dialled_at_s)
        held.links[0].break_off(Close(1001))
        await trio.sleep(0.1)

        assert dials == len(held.dialled_at_s) == 1, "it is there already"
        assert chunks(held.links[1])[0] == pytest.approx(39 * 50, abs=3)
        assert held.notices()[0].startswith("The server ended the session")


async def test_the_next_connection_is_asked_for_again_where_it_fails(autojump_clock: object) -> None:
    async with call(TERMS, lasts_s=3600) as held:
        held.failures += [CannotConnect("No network.")] * 2
        await trio.sleep(3330)

        assert len(held.dialled_at_s) == 3
        assert kinds(held.link) == ["session.update"]
        assert held.notices() == []


@define
class StuckSpeaker:
    """A loudspeaker that takes nothing, and does not say so."""

    async def play(self, pcm: bytes) -> None:
        await trio.sleep_forever()

    def heard(self) -> int:
        return 0

    def handed(self) -> int:
        return 0

    async def drain(self) -> None:
        await trio.sleep_forever()

    def flush(self) -> int:
        return 0

    def fade_to(self, gain: float) -> None:
        pass


async def test_a_loudspeaker_that_stands_still_holds_up_nothing_that_comes(autojump_clock: object) -> None:
    """Pings are answered by whoever reads, so what comes is read whatever else stands still."""
    async with call(TERMS, speaker=StuckSpeaker()) as held:
        held.link.say(*answer("R1", "A1", seconds=60))
        await trio.testing.wait_all_tasks_blocked()
        read = [what for _, what in held.noted if isinstance(what, events.ServerSaid)]
        assert len(read) == 600 + 6


async def test_pings_are_answered_while_the_loudspeaker_stands_still(autojump_clock: object) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    address = Address(host="127.0.0.1", port=9, secure=False, resource="/")
    _, commands = trio.open_memory_channel[events.Event](0)

    async def serve(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        protocol = await accept_by_hand(theirs)
        updated = SessionUpdated(event_id="u", session=Session(type="realtime"))
        frames = [encode(event) for event in (updated, *answer("R1", "A1", seconds=60))]
        for frame in frames:
            await theirs.send_all(protocol.send(TextMessage(data=frame)))
        await theirs.send_all(protocol.send(Ping(payload=b"still there?")))
        pongs: list[object] = []
        while not pongs:
            protocol.receive_data(await theirs.receive_some())
            pongs += [event for event in protocol.events() if isinstance(event, Pong)]
        nursery.cancel_scope.cancel()

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            await nursery.start(serve)
            async with over(ours, address, deadline=trio.current_time() + 10) as link:
                edges = Edges(
                    link=link,
                    microphone=None,
                    speaker=StuckSpeaker(),
                    commands=commands,
                    tools=NoTools(),
                    show=lambda shown: None,
                    note=lambda now_us, what: None,
                )
                await converse(attrs.evolve(TERMS, reconnects=False), edges)
    assert nursery.cancel_scope.cancelled_caught


async def test_a_question_whose_words_never_came_is_said_again(autojump_clock: object) -> None:
    """The network dies between the end of the user's turn and its words, and that is noticed late."""
    async with call(TERMS, microphone=Talker()) as held:
        await trio.sleep(10)
        started, stopped, committed, _ = user_said("U1", "")
        held.link.say(started)  # type: ignore[arg-type]  # all are events
        await trio.sleep(2)
        held.link.say(stopped, committed)  # type: ignore[arg-type]  # all are events
        await trio.sleep(17)
        held.link.break_off(Close(1006, "no sign of life", silent_ms=17_000))
        await trio.sleep(2)

        assert chunks(held.link)[0] == pytest.approx(9 * 50, abs=3)
        assert not held.link.got(ResponseCreate), "the server answers what it hears"


def slow(start_ms: int) -> InputAudioBufferSpeechStarted:
    return InputAudioBufferSpeechStarted(event_id="s", item_id="U1", audio_start_ms=start_ms)


def heard_until(end_ms: int) -> InputAudioBufferSpeechStopped:
    return InputAudioBufferSpeechStopped(event_id="s", item_id="U0", audio_end_ms=end_ms)


def drops(held: Call) -> list[events.UplinkDropped]:
    return [what for _, what in held.noted if isinstance(what, events.UplinkDropped)]


async def test_what_did_not_leave_is_kept_from_its_oldest_sample_on(autojump_clock: object) -> None:
    """The server talks all the time; only what we say does not get out."""
    async with call(TERMS, microphone=Talker()) as held:
        await trio.sleep(10)
        first = held.link
        first.say(heard_until(9_000))
        first.stall()
        await trio.sleep(4)
        first.break_off(GONE)
        await trio.sleep(2)

        assert chunks(first)[-1] == pytest.approx(10 * 50, abs=3)
        assert chunks(held.link)[0] == pytest.approx(9 * 50, abs=3), "behind what it has told to have heard"
        assert chunks(held.link) == list(range(chunks(held.link)[0], chunks(held.link)[-1] + 1))
        assert not drops(held)


async def test_what_the_user_says_is_kept_from_where_the_server_heard_it_begin(
    autojump_clock: object,
) -> None:
    """The network takes five seconds to bring it there, and the word of it back."""
    async with call(TERMS, microphone=Talker()) as held:
        await trio.sleep(8)
        held.link.say(slow(3_000))
        await trio.sleep(1)
        held.link.break_off(GONE)
        await trio.sleep(2)
        assert chunks(held.link)[0] == 3 * 50 + 1, "the chunks are counted from one"

        held.link.say(slow(2_000))
        await trio.sleep(3)
        held.link.break_off(GONE)
        await trio.sleep(2)
        assert len(held.links) == 3
        assert chunks(held.link)[0] == 5 * 50 + 1, "two seconds into what the second one was sent"


async def test_a_server_that_does_not_count_the_audio_is_not_believed(autojump_clock: object) -> None:
    async with call(TERMS, microphone=Talker()) as held:
        await trio.sleep(10)
        held.link.say(heard_until(9_000), slow(400))
        await trio.sleep(1)
        held.link.break_off(GONE)
        await trio.sleep(2)

        assert chunks(held.link)[0] == pytest.approx(9 * 50, abs=3), "from a second before it told"


async def test_what_was_dropped_for_being_late_stays_so(autojump_clock: object) -> None:
    async with call(TERMS, microphone=Talker()) as held:
        first = held.link
        await trio.sleep(2)
        first.stall()
        await trio.sleep(12)
        first.flow()
        await trio.sleep(0.01)
        late = set(range(1, chunks(first)[-1])) - set(chunks(first))
        assert len(late) * 20 == pytest.approx(7_000, abs=100)
        first.say(slow(1_000))
        await trio.sleep(0.1)
        first.break_off(GONE)
        await trio.sleep(2)

        assert chunks(held.link)[0] == 51
        assert late.isdisjoint(chunks(held.link))
        assert [dropped.samples for dropped in drops(held)] == [len(late) * 480]


async def test_behind_much_that_is_unsent_a_question_waits_to_be_asked(autojump_clock: object) -> None:
    """A turn may be in it that the server answers by itself."""
    async with call(TERMS, microphone=Talker()) as held:
        await trio.sleep(1)
        held.link.stall()
        await trio.sleep(2)
        await held.commands.send(events.Typed("hello"))
        await trio.sleep(0.1)
        assert len([what for _, what in held.noted if isinstance(what, events.UplinkLags)]) == 1
        held.link.flow()
        await trio.sleep(0.1)

        asked = ["session.update", "conversation.item.create", "session.update", "response.create"]
        assert kinds(held.link) == asked
        await trio.sleep(2)
        assert len([what for _, what in held.noted if isinstance(what, events.UplinkLags)]) == 1
