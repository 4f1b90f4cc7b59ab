import json
from collections import deque
from contextlib import suppress
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import (
    Choice,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
)

from rtassist.server.endpoints.failures import Peer
from rtassist.server.endpoints.stream import AnswerReader, Words
from rtassist.server.parts import Call, PartFailed, Say
from tests.server.endpoints.http_server import calls, fragment, says, sse

PEER = Peer(service="language model", code="llm", where="h:1", path="/v1/chat/completions", key="k3y-secret")


def read(*data: bytes) -> tuple[str, list[Call]]:
    """Text and calls; raises PartFailed with the text that came in its arguments."""
    reader, text, made = AnswerReader(PEER), "", []
    try:
        for piece in data:
            for say in reader.feed(piece):
                text += say.text
        for ending in reader.finish():
            if isinstance(ending, Say):
                text += ending.text
            else:
                made.append(ending)
    except PartFailed as failed:
        text += "".join(say.text for say in reader.rest())
        raise PartFailed(f"{text}|{failed.message}", failed.code) from failed
    return text, made


ANSWER = sse([*says("Grüß Gott", ", 3", ".5", " 🙂", "."), {"choices": [], "usage": {"total_tokens": 9}}])


@given(st.lists(st.integers(0, len(ANSWER)), max_size=6))
def test_bytes_may_be_cut_anywhere(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(ANSWER)]
    pieces = [ANSWER[a:b] for a, b in pairwise(edges)]
    assert read(*pieces) == ("Grüß Gott, 3.5 🙂.", [])


@pytest.mark.parametrize(
    "data",
    [
        sse(says("Yes.")).replace(b"\n", b"\r\n"),
        sse(says("Yes.")).replace(b"data: ", b"data:"),
        b": waiting\n\nevent: message\nid: 7\nretry: 100\n" + sse(says("Yes.")),
        sse(says("Yes."), done=False),
        sse(says("Yes.", reason=None)),
        sse(says("Yes.")).removesuffix(b"\n\n"),
        sse([{"choices": [{"delta": {"role": "assistant", "content": None}}]}, *says("Yes.")]),
        sse(
            [{"choices": [{"delta": {"content": [{"type": "thinking"}, {"type": "text", "text": "Yes."}]}}]}]
        ),
        sse([{"choices": [{"message": {"content": piece}}]} for piece in ("Ye", "s.")]),
        sse(says("Yes.")) + b"data: {what follows counts no more\n\n",
        json.dumps({"choices": [{"message": {"content": "Yes."}}]}, indent=2).encode(),
    ],
    ids=lambda data: data[:30].decode(),
)
def test_what_servers_write(data: bytes) -> None:
    assert read(data) == ("Yes.", [])


def test_chunks_of_the_openai_package() -> None:
    def chunk(delta: ChoiceDelta, reason: Literal["tool_calls"] | None = None) -> object:
        choice = Choice(index=0, delta=delta, finish_reason=reason)
        made = ChatCompletionChunk(
            id="c", created=1, model="m", object="chat.completion.chunk", choices=[choice]
        )
        return made.model_dump()

    def call(name: str | None, arguments: str) -> ChoiceDelta:
        function = ChoiceDeltaToolCallFunction(name=name, arguments=arguments)
        made = ChoiceDeltaToolCall(index=0, id=name, type="function" if name else None, function=function)
        return ChoiceDelta(tool_calls=[made])

    chunks = [
        chunk(ChoiceDelta(role="assistant", content="")),
        chunk(ChoiceDelta(content="Wait.")),
        chunk(call("f", "")),
        chunk(call(None, '{"x":1}')),
        chunk(ChoiceDelta(), "tool_calls"),
    ]
    assert read(sse(chunks)) == ("Wait.", [Call(name="f", arguments='{"x":1}')])


def test_the_first_words_do_not_wait() -> None:
    reader = AnswerReader(PEER)
    assert list(reader.feed(sse(says("Well", ", I", reason=None), done=False))) == [Say(text="Well, ")]


@pytest.mark.parametrize(
    ("taken", "pieces"),
    [
        (["Go to www", ".", "example", ".com", " now."], ["Go to ", "www.example.com ", "now."]),
        (["\n\n ", "Yes", " \n"], ["Yes \n"]),
        (["你好", "。我", "是"], ["你好。", "我是"]),
        (["a" * 201, "b c"], ["a" * 201, "b ", "c"]),
        (["a b" + "c" * 201], ["a ", "b" + "c" * 201]),
        (["<thi", "nk>Hm. Let me", " see.</th", "ink>\n\nSo", "."], ["So."]),
        (["<think>", "never ready"], []),
        (["<", "3 you"], ["<3 ", "you"]),
        (["<"], ["<"]),
        (["Say <think>x</think>."], ["Say ", "<think>x</think>."]),
    ],
)
def test_text_goes_on_in_whole_words(taken: list[str], pieces: list[str]) -> None:
    words = Words()
    came = [say.text for text in taken for say in words.take(text)] + [say.text for say in words.rest()]
    assert came == pieces


PARALLEL = [Call(name="a", arguments='{"x":1}'), Call(name="b", arguments='{"y":2}')]


@pytest.mark.parametrize(
    "fragments",
    [
        [
            fragment(0, name="a", id="1"),
            fragment(1, '{"y"', name="b", id="2"),
            fragment(0, '{"x"'),
            fragment(1, ":2}"),
            fragment(0, ":1}"),
        ],
        [fragment(0, '{"x":1}', name="a", id="1"), fragment(0, '{"y":2}', name="b", id="2")],
        [fragment(0, '{"x"', name="a", id="1"), fragment(0, ":1}"), fragment(0, '{"y":2}', name="b", id="2")],
        [fragment(None, '{"x":1}', name="a", id="1"), fragment(None, '{"y":2}', name="b", id="2")],
        [fragment(None, '{"x":1}', name="a"), fragment(None, '{"y":2}', name="b")],
        [
            fragment(None, '{"x":', name="a", id="1"),
            fragment(None, "1}"),
            fragment(None, '{"y":2}', name="b", id="2"),
        ],
        [
            fragment(0, '{"x":', name="a", id="1"),
            fragment(0, "1}", name="a", id="1"),
            fragment(1, '{"y":2}', name="b"),
        ],
        [fragment(0, {"x": 1}, name="a", id="1"), fragment(1, {"y": 2}, name="b", id="2")],
    ],
    ids=[
        "openai",
        "one index",
        "one index, pieces",
        "no index",
        "nothing",
        "no index, pieces",
        "repeats",
        "objects",
    ],
)
def test_function_calls_are_put_together(fragments: list[dict[str, object]]) -> None:
    assert read(sse(calls(*fragments))) == ("", PARALLEL)


def test_a_call_without_arguments_and_text_before_it() -> None:
    text, made = read(sse([*says("One moment.", reason=None), *calls(fragment(0, name="now", id="1"))]))
    assert (text, made) == ("One moment.", [Call(name="now", arguments="{}")])


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (sse(says("Half a sen", reason=None), done=False), "llm_broken_off", "Half a sen|"),
        (sse(says("Half", reason=None), done=False) + b'data: {"cho', "llm_broken_off", "Half|"),
        (b"", "llm_broken_off", "broke off"),
        (b'{"choices": [{"mess', "llm_broken_off", "broke off"),
        (
            sse([*says("So", reason=None), {"error": {"message": "out of memory"}}]),
            "llm_failed",
            'So|The language model at h:1 broke off: "out of memory"',
        ),
        (b'error: {"code": 500, "message": "slot gone"}\n\n', "llm_failed", "slot gone"),
        (b'{"error": "model is loading"}', "llm_failed", "model is loading"),
        (sse([{"error": {"message": "bad key k3y-secret\x1b[2J"}}]), "llm_failed", "bad key [secret] [2J"),
        (b"data: {nonsense\n\n", "llm_bad_answer", '"{nonsense"'),
        (b"data: 17\n\n", "llm_failed", "no reason given"),
        (b"\n <!doctype html>\n<p>Welcome</p>", "llm_bad_answer", "web page. Is RTASSIST_LLM_URL"),
        (sse(calls(fragment(0, '{"x":', name="a", id="1"))), "llm_bad_answer", "no JSON object"),
        (sse(calls(fragment(0, "[]", name="a", id="1"))), "llm_bad_answer", "no JSON object"),
        (sse(calls(fragment(0, "{}", id="1"))), "llm_bad_answer", "called a function"),
        (sse(says("<think>and so on", reason="length")), "llm_bad_answer", '"length"'),
        (sse(says(reason="content_filter")), "llm_bad_answer", '"content_filter"'),
    ],
)  # fmt: skip
def test_answers_that_are_none(data: bytes, code: str, words: str) -> None:
    with pytest.raises(PartFailed) as failed:
        read(data)
    assert failed.value.code == code
    assert words in failed.value.message


def test_an_empty_answer_is_an_answer() -> None:
    assert read(sse(says())) == ("", [])


@pytest.mark.parametrize(
    "piece",
    [
        sse(says("and so on " * 100, reason=None), done=False),
        sse(calls(fragment(0, "0" * 1000, name="a", id="1"))[:1], done=False),
        sse(says("<think>" + "hm " * 10_000, reason=None), done=False),
        b"data: " + b"x" * 50_000,
        b": still here" + b" " * 50_000 + b"\n",
    ],
    ids=["text", "arguments", "thoughts", "a line", "nothing"],
)
def test_no_answer_is_endless(piece: bytes) -> None:
    reader = AnswerReader(PEER)
    with pytest.raises(PartFailed, match="come to an end") as failed:
        deque(say for _ in range(2000) for say in reader.feed(piece))
    assert failed.value.code == "llm_too_long"


NAMES = ("choices", "delta", "message", "content", "tool_calls", "function", "arguments", "name", "error")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.lists(JSON, max_size=3), st.booleans())
def test_whatever_json_comes_nothing_but_part_failed_comes_out(chunks: list[object], stream: bool) -> None:
    with suppress(PartFailed):
        read(sse(chunks) if stream else json.dumps({"choices": chunks}).encode())
