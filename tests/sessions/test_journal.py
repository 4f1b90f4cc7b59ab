"""What is written down is read back, and costs no secret."""

import json

import pytest

from rtassist.dialogue import effects, events
from rtassist.dialogue.terms import Terms, Turn
from rtassist.protocol import InputAudioBufferAppend, ResponseCancel, Session, encode
from rtassist.protocol import ResponseOutputAudioDelta as AudioDelta
from rtassist.sessions import notation, reading
from rtassist.sessions.in_time import in_time
from rtassist.sessions.journal import RUN_US, Journal, Note, blotted
from rtassist.sessions.reading import Asked, Begun, Damaged, Ended, Happened, Heard, Torn

TERMS = Terms(session=Session(type="realtime"), push_to_talk=True)
CHUNK = bytes(range(240)) * 4


class Written:
    def __init__(self, *secrets: str) -> None:
        self.lines: list[bytes] = []
        self.mic, self.voice = bytearray(), bytearray()
        self.journal = Journal(
            line=self.lines.append, mic=self.mic.extend, voice=self.voice.extend, secrets=secrets
        )
        self.journal.begin(0, TERMS)

    def note(self, *notes: Note) -> list[reading.Record]:
        for number, note in enumerate(notes):
            self.journal.note(number, note)
        self.journal.end(10_000_000)
        return list(reading.records(self.lines))[1:-1]


def heard(pcm: bytes = CHUNK) -> events.MicHeard:
    return events.MicHeard(pcm)


def appended(pcm: bytes = CHUNK) -> effects.Send:
    return effects.Send(InputAudioBufferAppend(audio=pcm))


def said(event: AudioDelta) -> events.ServerSaid:
    return events.ServerSaid(event, encode(event))


AUDIO = AudioDelta(response_id="r", item_id="i", output_index=0, content_index=0, delta=CHUNK)


def test_the_terms_come_back() -> None:
    written = Written()
    written.note()
    begun, ended = reading.records(written.lines)
    assert begun == Begun(2, 0, TERMS)
    assert isinstance(ended, Ended)


def test_the_history_in_the_terms_comes_back() -> None:
    history = (Turn("user", "I am Ada."), Turn("assistant", "Hello", cut=True, unsaid=", Ada \ud800"))
    terms = Terms(session=Session(type="realtime"), history=history)
    written = Written()
    written.journal.begin(0, terms)
    assert list(reading.records(written.lines))[1] == Begun(3, 0, terms)


@pytest.mark.parametrize(
    "event",
    [
        events.Typed("a \ud800 lone surrogate, “quotes” and\nlines"),
        events.MicLost("it is unplugged", may_return=True),
        events.PlaybackEnded("item", 4800),
        events.LinkLost(1006, "gone"),
        events.Interrupted(),
    ],
)
def test_what_happens_here_comes_back(event: events.Event) -> None:
    (record,) = Written().note(event)
    assert record == Happened(3, 0, event)


def test_what_the_server_says_comes_back_byte_for_byte() -> None:
    frame = '{ "type":"what.is.this", "umlaut":"ä", "nested":{"n":1.50} }'
    written = Written()
    (record,) = written.note(notation.read_frame(frame))
    assert isinstance(record, Happened)
    assert record.event == notation.read_frame(frame)
    assert frame.encode() in written.lines[1]


@pytest.mark.parametrize("frame", ["no JSON", '{"type":5}', '{\n"type":"x"}', b"\xff\x00"])
def test_what_is_no_event_comes_back(frame: str | bytes) -> None:
    said = notation.read_frame(frame)
    (record,) = Written().note(said)
    assert isinstance(record, Happened)
    assert record.event == said


def test_audio_stands_beside_the_text() -> None:
    written = Written()
    first, played, second = written.note(said(AUDIO), effects.Play("i", CHUNK), said(AUDIO))
    assert isinstance(first, Happened)
    assert isinstance(first.event, events.ServerSaid)
    assert isinstance(first.event.event, AudioDelta)
    assert len(first.event.event.delta) == len(CHUNK)
    assert first.voice == (0, 480)
    assert played == Asked(4, 1, notation.effect_body(effects.Play("i", CHUNK)), (0, 480))
    assert isinstance(second, Happened)
    assert bytes(written.voice) == CHUNK or second.voice == (480, 480)


def test_chunks_of_the_microphone_are_one_line() -> None:
    written = Written()
    chunks: list[Note] = [heard(), appended()] * 3
    run, key = written.note(*chunks, events.Interrupted())
    assert run == Heard(3, 0, (0, 1440), b"[0,480],[2,480],[4,480]", appended=True, each=480)
    assert run.chunks == ((0, 480), (2, 480), (4, 480))
    assert isinstance(key, Happened)
    assert bytes(written.mic) == CHUNK * 3


def test_a_run_is_all_sent_or_not_at_all() -> None:
    runs = Written().note(heard(), heard(), appended(), heard(), appended(), heard())
    assert [(len(r.chunks), r.appended) for r in runs if isinstance(r, Heard)] == [
        (1, False),
        (2, True),
        (1, False),
    ]


def test_what_a_chunk_asked_for_besides_stands_behind_it() -> None:
    cancel = effects.Send(ResponseCancel())
    run, asked = Written().note(heard(), appended(), cancel)
    assert isinstance(run, Heard)
    assert run.appended
    assert asked == Asked(4, 2, notation.effect_body(cancel))


def test_a_run_goes_on_past_what_means_nothing_to_it() -> None:
    """Deltas and reports stand where they came, before the run; what they asked for, right behind them."""
    written = Written()
    report, played = events.PlaybackAdvanced("i", 240), effects.Play("i", CHUNK)
    shown = effects.Show(effects.Said("i", "assistant", " word"))
    chunks: list[Note] = [heard(), appended()]
    notes = (*chunks, said(AUDIO), played, *chunks, report, shown, *chunks, events.Interrupted())
    records = written.note(*notes)
    assert [type(record) for record in records] == [Happened, Asked, Happened, Asked, Heard, Happened]
    run = records[4]
    assert run == Heard(7, 7, (0, 1440), b"[-7,480],[-3,480],[1,480]", appended=True, each=480, first_us=-7)
    assert [record.us for record in records] == [2, 3, 6, 7, 7, 10]
    assert [(type(r), r.us) for r in in_time(records) if not isinstance(r, Torn)] == [
        *((Heard, 0), (Happened, 2), (Asked, 3), (Heard, 4), (Happened, 6), (Asked, 7)),
        *((Heard, 8), (Happened, 10)),
    ]


def test_a_run_in_its_place_names_the_same_samples() -> None:
    records = Written().note(heard(), appended(), said(AUDIO), heard(), appended(), said(AUDIO))
    runs = [(r.run, r.us, r.chunks) for r in in_time(records) if isinstance(r, Heard)]
    assert runs == [((0, 480), 0, ((0, 480),)), ((480, 480), 3, ((0, 480),))]


def test_a_run_is_written_after_a_second_though_no_chunk_comes() -> None:
    """As many reports as may come: a crash costs no more."""
    written = Written()
    written.journal.note(0, heard())
    for us in range(100_000, RUN_US + 1, 100_000):
        assert not any(b'"mic"' in line for line in written.lines)
        written.journal.note(us, events.PlaybackAdvanced("i", us))
    assert b'"us":900000,"mic":[0,480],"chunks":[[-900000,480]]' in written.lines[-2]


def test_a_run_that_goes_on_past_nothing_begins_at_zero() -> None:
    (_, run) = Written().note(said(AUDIO), heard())
    assert isinstance(run, Heard)
    assert (run.us, run.chunks) == (1, ((0, 480),))


def test_an_effect_as_foreseen_is_known_behind_its_event_alone() -> None:
    """There it is taken out and gives no record; anywhere else it is read as any other line."""
    written = Written()
    play = notation.effect_body(effects.Play("i", CHUNK))
    for us, note in ((0, said(AUDIO)), (0, effects.Play("i", CHUNK)), (2, heard())):
        written.journal.note(us, note)
    written.journal.end(9)
    foreseen = [play, b"something else"]
    kinds = [type(record) for record in reading.records(written.lines, foreseen)]
    assert kinds == [Begun, Happened, Heard, Ended]
    assert foreseen == [b"something else"]

    begin, audio, played, *others = written.lines
    kinds = [type(record) for record in reading.records([begin, audio, played, played, *others], [play])]
    assert kinds == [Begun, Happened, Asked, Heard, Ended]
    with pytest.raises(Damaged, match="line 5: time runs backwards, from 2 to 0"):
        list(reading.records([begin, audio, others[0], played, others[1]], [play]))
    later = b'{"us":7,"effect":"unduck"}\n'
    with pytest.raises(Damaged, match="line 5: time runs backwards, from 7 to 0"):
        list(reading.records([begin, audio, later, played, *others], [play]))


@pytest.mark.parametrize("offset", ["-01", "+1", "-", "1.e3", "--1"])
def test_an_offset_that_is_no_number_is_no_json(offset: str) -> None:
    line = f'{{"us":9,"mic":[0,960],"chunks":[[-5,480],[{offset},480]],"appended":true}}\n'
    with pytest.raises(Damaged, match="line 3: no JSON"):
        list(reading.records([*Written().lines, line.encode()]))


def test_a_torn_line_is_told_apart() -> None:
    written = Written()
    written.note(events.Interrupted())
    *_, torn = reading.records([*written.lines[:-1], written.lines[-1][:-1]])
    assert torn == Torn(4)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"\x00\xff",
        b'{"us":1,"event":"dancing"}',
        b'{"us":1,"event":"typed"}',
        b'{"us":1,"event":"playback_ended","item_id":"i","heard":"much"}',
        b'{"us":1,"server":{"type":"response.created"}',
        b'{"us":1,"effect":"hush","item_id":}',
        b'{"us":1,"mic":[0,480],"chunks":[[0,100]],"appended":true}',
        b'{"us":1,"voice":[0,4],"server":{"type":"x"}}',
        b'{"us":1,"begin":{"session":{"type":"session.update","session":{}},"terms":{"magic":1}}}',
        b'{"us":1,"begin":{"session":{"type":"session.update","session":{}},"terms":{"history":[5]}}}',
        b'{"us":1,"begin":{"session":{"type":"session.update","session":{}},"terms":{"history":7}}}',
        b'{"us":1,"end":[]}',
    ],
)
def test_a_damaged_line_is_named(line: bytes) -> None:
    written = Written()
    with pytest.raises(Damaged) as damaged:
        list(reading.records([*written.lines, line + b"\n", b"{}\n"]))
    assert damaged.value.line == 3


def test_another_program_s_spaces_and_order_of_keys_are_read() -> None:
    line = json.dumps({"text": "hello", "event": "typed", "us": 7}).encode() + b"\n"
    *_, record = reading.records([*Written().lines, line])
    assert record == Happened(3, 7, events.Typed("hello"))


def test_time_does_not_run_backwards() -> None:
    written = Written()
    written.journal.note(5, events.Interrupted())
    written.journal.note(4, events.Interrupted())
    with pytest.raises(Damaged, match="backwards"):
        list(reading.records(written.lines))


def test_a_key_is_blotted_out() -> None:
    secret = "correct horse/“battery” 9"
    written = Written(secret)
    written.note(
        events.Typed(f"my key is {secret}"),
        events.ToolEnded("call", json.dumps({"key": "sk-proj-abc123DEF456ghi789"})),
        events.Typed("the desk-lamp-by-the-window-there"),
    )
    text = b"".join(written.lines)
    assert b"horse" not in text
    assert b"DEF456" not in text
    assert b"desk-lamp-by-the-window-there" in text
    assert len(blotted(b"sk-proj-abc123DEF456ghi789")) == 26


def test_a_client_secret_is_blotted_out() -> None:
    assert blotted(b'{"value":"ek_68af296e8e408191a1120ab6383263c2"}') == (
        b'{"value":"ek_00xx000x0x000000x0000xx0000000x0"}'
    )


def test_what_is_too_short_to_guard_anything_destroys_nothing() -> None:
    """Servers without keys are given `x`, `1`, `none`: parts of half of all lines."""
    written = Written("1", "us", "none")
    (record,) = written.note(events.Typed("none of us, 11"))
    assert record == Happened(3, 0, events.Typed("none of us, 11"))


@pytest.mark.parametrize(
    "word",
    [
        *(
            "realtime",
            "server",
            "client",
            "conversation",
            "assistant",
            "response",
            "output_audio",
            "completed",
        ),
        *("effect", "interrupted", "item_id", "transcribes", "rtassist", "server_vad"),
    ],
)
def test_a_secret_that_is_a_word_of_the_format_destroys_nothing(word: str) -> None:
    """A parameter of a URL may be anything."""
    notes: list[Note] = [
        *(heard(), appended(), events.Interrupted(), said(AUDIO), effects.Play("i", CHUNK)),
        notation.read_frame(
            '{"type":"conversation.item.added","item":{"type":"message","role":"assistant",'
            '"status":"completed","content":[{"type":"output_audio"}]}}'
        ),
    ]
    plain, guarded = Written(), Written(word, "hunter22")
    for written in (plain, guarded):
        written.note(*notes)
        written.journal.header(id="call")
    assert guarded.lines == plain.lines


def test_a_secret_of_digits_is_no_time_and_no_sample() -> None:
    written = Written("123456")
    written.journal.note(123456, events.Typed('"123456" is my pin'))
    written.journal.note(123456, events.PlaybackEnded("item", 1234567))
    assert list(reading.records(written.lines))[1:] == [
        Happened(3, 123456, events.Typed('"000000" is my pin')),
        Happened(4, 123456, events.PlaybackEnded("item", 1234567)),
    ]


def test_a_secret_that_holds_another_leaves_nothing_behind() -> None:
    written = Written("hunter22", "hunter22-and-more")
    written.note(events.Typed("hunter22-and-more"))
    assert b"more" not in b"".join(written.lines[1:])


@pytest.mark.parametrize("key", ['my "quoted" key/9', "sk-proj-abc123DEF456ghi789"])
def test_no_key_is_in_the_arguments_of_a_function(key: str) -> None:
    arguments = json.dumps({"authorization": f"Bearer {key}"})
    called = {"type": "response.function_call_arguments.done", "event_id": "e", "arguments": arguments}
    written = Written('my "quoted" key/9')
    frame = json.dumps({**called, "response_id": "r", "item_id": "i", "output_index": 0, "call_id": "c"})
    (said, called_for) = written.note(notation.read_frame(frame), effects.CallTool("c", "fetch", arguments))
    text = b"".join(written.lines)
    assert b"quoted" not in text
    assert b"DEF456" not in text
    assert isinstance(said, Happened)
    assert isinstance(called_for, Asked)
