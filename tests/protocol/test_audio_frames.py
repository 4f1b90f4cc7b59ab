"""That an audio frame read the short way is what it would be if it were parsed whole, in every dress."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtassist.protocol import (
    UNSET,
    BadFrame,
    InputAudioBufferAppend,
    ResponseFunctionCallArgumentsDelta,
    ResponseOutputAudioDelta,
    ResponseOutputTextDelta,
    TranslationSessionOutputAudioDelta,
    Unknown,
    audio_frames,
    catalogue,
    decode,
    decode_client,
    decode_translation,
    encode,
    wire,
)

PCM = bytes(range(256)) * 3
PAYLOAD = b64encode(PCM).decode()
AT = '"response_id":"r","item_id":"i","output_index":0,"content_index":0'
DELTA = '"type":"response.output_audio.delta"'


def whole(frame: str) -> Any:
    """What the frame says, by Python's own parser."""
    return json.loads(frame)


def assert_same_as_whole(frame: str) -> Any:
    event = decode(frame)
    assert json.loads(encode(event)) == whole(frame)
    assert decode(frame.encode()) == event
    return event


def short_way(*, payload: str = "delta") -> Any:
    """A reader of its own, that has seen no frame yet."""
    classes = {**catalogue.SERVER, **catalogue.CLIENT}
    hooks = {name: wire._converter.get_structure_hook(cls) for name, cls in classes.items()}
    return audio_frames.audio_frames(classes, hooks, payload)


class TestTakesTheShortWay:
    @pytest.mark.parametrize(
        "frame",
        [
            f'{{{DELTA},"event_id":"e",{AT},"delta":"{PAYLOAD}"}}',
            f'{{{DELTA}, "event_id": "e", {AT}, "delta": "{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"delta":"{PAYLOAD}"}}',
            f'{{"event_id":"e",{AT},{DELTA},"delta":"{PAYLOAD}"}}',
            f'{{{DELTA},"x":{{"y":[1]}},{AT},"delta":"{PAYLOAD}"}}',
            f'{{{DELTA},"x":"\\"\\\\",{AT},"delta":"{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"delta" : "AAAA","delta":"{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"delta":"{PAYLOAD}{b64encode(b"a").decode()}"}}',
        ],
    )
    def test_with_the_payload_last(self, frame: str) -> None:
        event = short_way()(frame)
        assert isinstance(event, ResponseOutputAudioDelta)
        assert event == assert_same_as_whole(frame)

    def test_the_second_frame_of_an_item_is_modelled_on_the_first(self) -> None:
        read = short_way()
        first = read(f'{{{DELTA},"event_id":"e1","z":1,{AT},"delta":"{PAYLOAD}"}}')
        frame = f'{{{DELTA},"event_id":"ée 2","z":1,{AT},"delta":"{b64encode(PCM[:600]).decode()}"}}'
        second = read(frame)
        assert (first.event_id, first.delta) == ("e1", PCM)
        assert (second.event_id, second.delta) == ("ée 2", PCM[:600])
        assert second.extras == {"z": 1}
        assert json.loads(encode(second)) == whole(frame)

    @pytest.mark.parametrize("spare", [1, 2])
    def test_the_last_character_of_a_modelled_frame_is_looked_at(self, spare: int) -> None:
        read = short_way()
        start = f'{{{DELTA},"event_id":"e",{AT},"delta":"'
        read(f'{start}{PAYLOAD}"}}')
        assert read(f'{start}{b64encode(PCM[:-spare]).decode()}"}}').delta == PCM[:-spare]
        assert read(f'{start}{PAYLOAD}{"AB==" if spare == 1 else "AAB="}"}}') is None

    @pytest.mark.parametrize("left", ["", PAYLOAD])
    def test_audio_of_ones_own_goes_over_what_is_left_in_the_frame(self, left: str) -> None:
        read = short_way()
        for event_id in "ab":
            event = read(f'{{{DELTA},"event_id":"{event_id}",{AT},"delta":"{left}"}}', b"own")
            assert (event.event_id, event.delta) == (event_id, b"own")

    def test_what_is_left_in_the_frame_is_looked_at_all_the_same(self) -> None:
        read = short_way()
        for _ in range(2):
            read(f'{{{DELTA},"event_id":"a",{AT},"delta":""}}', b"own")
            assert read(f'{{{DELTA},"event_id":"b",{AT},"delta":"!!!"}}', b"own") is None

    def test_no_audio_is_kept_for_the_next_frame(self) -> None:
        read = short_way()
        read(f'{{{DELTA},"event_id":"e1",{AT},"delta":"{PAYLOAD}"}}')
        _, _, model = next(c.cell_contents for c in read.__closure__ if isinstance(c.cell_contents, tuple))
        assert model.delta == b""

    def test_appends(self) -> None:
        frame = f'{{"event_id":"e","type":"input_audio_buffer.append","audio":"{PAYLOAD}"}}'
        event = short_way(payload="audio")(frame)
        assert event == InputAudioBufferAppend(event_id="e", audio=PCM)
        assert decode_client(frame) == event
        assert decode_client(f'{{"type":"input_audio_buffer.append","audio":"{PAYLOAD}"}}').event_id is UNSET

    def test_translation(self) -> None:
        frame = f'{{"type":"session.output_audio.delta","elapsed_ms":200,"delta":"{PAYLOAD}"}}'
        assert decode_translation(frame) == TranslationSessionOutputAudioDelta(delta=PCM, elapsed_ms=200)
        assert isinstance(decode(frame), Unknown)


class TestLeavesItToTheParser:
    @pytest.mark.parametrize(
        "frame",
        [
            f'{{{DELTA},{AT},"delta":"{PAYLOAD}","obfuscation":"x"}}',
            f'{{{DELTA},{AT},"delta":"{PAYLOAD}"\n}}',
            f'{{"delta":"{PAYLOAD}",{AT},{DELTA}}}',
            f'{{{DELTA},{AT},"delta":"{PAYLOAD}","delta":"AAAA"}}',
            f'{{{DELTA},{AT},"delta":"{PAYLOAD}","d\\u0065lta":"AAAA"}}',
            f'{{{DELTA},{AT},"delta":"","x":"{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"delta":"AAAA","x\\"delta":"{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"delta" : "AAAA","x\\"delta":"{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"delta" : "","x\\"delta":"{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"delta" : "AAAA","x":{{"delta":"{PAYLOAD}"}}}}',
            f'{{{DELTA},{AT},"delta":"AAAA","x":{{"y":"{PAYLOAD}"}}}}',
            f'{{{DELTA},{AT},"delta":"\\u0041AAA{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"delta":"////\\/\\/\\/\\/{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"x":"{"y" * 600}","delta":"{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"x":"\\"delta\\":\\"{PAYLOAD}\\"}}","delta":"AAAA"}}',
            f'{{{DELTA},{AT},"delta":"{PAYLOAD}","event_id":"e"}}',
        ],
    )
    def test_and_loses_nothing(self, frame: str) -> None:
        assert short_way()(frame) is None
        assert isinstance(assert_same_as_whole(frame), ResponseOutputAudioDelta)

    @pytest.mark.parametrize(
        "frame",
        [
            f'{{{DELTA},{AT},"delta":["{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"delta":["{PAYLOAD}"]}}',
            f'{{{DELTA},{AT},"delta":x"{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"x":{{"delta":"{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"delta":"{PAYLOAD}"}}}}',
            f'{{{DELTA},{AT},,"delta":"{PAYLOAD}"}}',
            f'{{{DELTA},{AT},"delta":"{PAYLOAD}*"}}',
            f'{{{DELTA},{AT},"delta":"{PAYLOAD}AB=="}}',
            f'{{{DELTA},"delta":"{PAYLOAD}"}}',
            f'["{DELTA[1:-1]}","delta":"{PAYLOAD}"}}',
            f'{{"type":{{}},{AT},"delta":"{PAYLOAD}"}}',
        ],
    )
    def test_and_lets_nothing_pass(self, frame: str) -> None:
        assert short_way()(frame) is None
        with pytest.raises(BadFrame):
            decode(frame)

    def test_long_text_in_a_field_of_the_same_name(self) -> None:
        event = decode(f'{{"type":"response.output_text.delta",{AT},"delta":"{PAYLOAD}"}}')
        assert isinstance(event, ResponseOutputTextDelta)
        assert event.delta == PAYLOAD
        call = '"response_id":"r","item_id":"i","output_index":0,"call_id":"c"'
        event = decode(f'{{"type":"response.function_call_arguments.delta",{call},"delta":"{PAYLOAD}"}}')
        assert isinstance(event, ResponseFunctionCallArgumentsDelta)

    def test_no_model_is_taken_of_a_frame_whose_id_is_not_sure(self) -> None:
        unsure = [
            f'{{{DELTA},"event_id":"a","event_id" : "a",{AT},"delta":"{PAYLOAD}"}}',
            f'{{{DELTA},"event_id":"a","event\\u005fid":"a",{AT},"delta":"{PAYLOAD}"}}',
            f'{{{DELTA},"x":{{"event_id":"a"}},{AT},"delta":"{PAYLOAD}"}}',
            f'{{{DELTA},"event_id": "a",{AT},"delta":"{PAYLOAD}"}}',
        ]
        for frame in unsure:
            read = short_way()
            for text in (frame, frame.replace('"a"', '"b"', 1), frame):
                assert json.loads(encode(read(text))) == whole(text)

    @pytest.mark.parametrize("event_id", ["a\\u0062", "a\\\\", "a\tb", "a\u2028b", ""])
    def test_ids_that_need_a_parser(self, event_id: str) -> None:
        read = short_way()
        read(f'{{{DELTA},"event_id":"e",{AT},"delta":"{PAYLOAD}"}}')
        frame = f'{{{DELTA},"event_id":"{event_id}",{AT},"delta":"{PAYLOAD}"}}'
        if "\t" in event_id:
            assert read(frame) is None
        else:
            assert json.loads(encode(read(frame))) == whole(frame)


KEYS = st.sampled_from(
    ["delta", "event_id", "type", "x", 'x\\"delta', "d\\u0065lta", "response_id", "item_id"]
)
VALUES = st.sampled_from(
    [
        f'"{PAYLOAD}"',
        f'"{PAYLOAD}AA=="',
        '"AAAA"',
        '""',
        '"AB=="',
        f'["{PAYLOAD}"]',
        f'{{"delta":"{PAYLOAD}"}}',
        f'"\\"delta\\":\\"{PAYLOAD}"',
        '"response.output_audio.delta"',
        '"response.audio.delta"',
        '"response.output_text.delta"',
        '"e"',
        '"\\u0065\\\\"',
        "0",
        "null",
    ]
)
COLONS = st.sampled_from([":", ": ", " : ", ":\n"])
COMMAS = st.sampled_from([",", ", ", ",\n"])
ENDS = st.sampled_from(["}", "}", "}", " }", "", "}}"])


@st.composite
def frames(draw: st.DrawFn) -> str:
    """JSON text made by hand from an audio delta and pieces that are there to mislead."""
    pairs = [("type", '"response.output_audio.delta"'), ("response_id", '"r"'), ("item_id", '"i"')]
    pairs += [("output_index", "0"), ("content_index", "0"), ("delta", f'"{PAYLOAD}"')]
    for _ in range(draw(st.integers(0, 3))):
        pairs.insert(draw(st.integers(0, len(pairs))), (draw(KEYS), draw(VALUES)))
    if draw(st.booleans()):
        pairs.insert(draw(st.integers(0, 3)), ("event_id", draw(st.sampled_from(['"e"', '"f"', '"g h"']))))
    colon, comma = draw(COLONS), draw(COMMAS)
    return "{" + comma.join(f'"{key}"{colon}{value}' for key, value in pairs) + draw(ENDS)


@settings(max_examples=300)
@given(st.lists(frames(), min_size=1, max_size=4))
def test_whatever_came_before_a_frame_it_is_read_as_if_parsed_whole(several: list[str]) -> None:
    for frame in several:
        try:
            event = decode(frame)
        except BadFrame as bad:
            reason = bad.reason
        else:
            assert json.loads(encode(event)) == whole(frame)
            continue
        if reason.startswith("is no JSON"):
            with pytest.raises(json.JSONDecodeError):
                json.loads(frame)
