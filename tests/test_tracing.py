"""Spans of a session, its responses and its tools, as OpenTelemetry's own exporter gets them."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from rtassist import tracing as module
from rtassist.dialogue.effects import CallTool, Effect
from rtassist.dialogue.events import Event, ServerSaid, ToolEnded, Typed
from rtassist.dialogue.terms import Terms
from rtassist.errors import SettingsWrong
from rtassist.protocol import (
    Response,
    ResponseCreate,
    ResponseDone,
    Session,
    StatusDetails,
    StatusError,
)
from rtassist.protocol.server_events import SessionCreated
from rtassist.tracing import Spans, tracing
from tests.playbook import Send, audio, created, done, said, speech_stopped, tokens
from tests.test_cli import rtassist

BEGAN_NS = 1_700_000_000_000_000_000
WORDS = "what somebody said"


def failed(response_id: str, code: str) -> ServerSaid:
    details = StatusDetails(type="failed", error=StatusError(code=code, message=WORDS))
    return said(ResponseDone(response=Response(id=response_id, status="failed", status_details=details)))


def spans_of(*passed: tuple[int, Event | Effect]) -> dict[str, ReadableSpan]:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    terms = Terms(session=Session(type="realtime"), model="gpt-realtime")
    spans = Spans(provider.get_tracer("test"), terms, server="api.example", began_ns=BEGAN_NS)
    for ms, what in passed:
        spans.saw(ms * 1000, what)
    spans.over()
    finished = kept.get_finished_spans()
    return {str((span.attributes or {}).get("gen_ai.response.id", span.name)): span for span in finished}


def times_ms(span: ReadableSpan) -> tuple[int, int]:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.start_time - BEGAN_NS) // 1_000_000, (span.end_time - BEGAN_NS) // 1_000_000


def test_a_session_holds_its_responses_and_tools() -> None:
    spans = spans_of(
        (5, said(SessionCreated(session=Session(type="realtime", id="sess_1")))),
        (100, speech_stopped("U1")),
        (150, created("R1")),
        (200, audio("A1", ms=20)),
        (220, audio("A1", ms=20)),
        (400, done("R1", usage=tokens(audio_in=10, audio_out=20))),
        (410, CallTool("C1", "clock", f'{{"x": "{WORDS}"}}')),
        (430, ToolEnded("C1", WORDS)),
        (440, Send(ResponseCreate())),
        (450, created("R2")),
        (500, failed("R2", "rate_limit_exceeded")),
        (510, created("R3")),
        (520, CallTool("C2", "timer", "{}")),
        (600, Typed(WORDS)),
    )

    session, tool = spans["invoke_agent rtassist"], spans["execute_tool clock"]
    assert set(spans) == {
        *("invoke_agent rtassist", "execute_tool clock", "execute_tool timer", "R1", "R2", "R3")
    }
    for span in spans.values():
        assert span is session or (span.parent and span.parent.span_id == session.context.span_id)
        assert WORDS not in span.to_json()
    assert times_ms(session) == (0, 600)
    assert session.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-realtime",
        "gen_ai.agent.name": "rtassist",
        "gen_ai.conversation.id": "sess_1",
        "server.address": "api.example",
    }
    assert (times_ms(spans["R1"]), times_ms(tool), times_ms(spans["R2"])) == (
        (100, 400),
        (410, 430),
        (440, 500),
    )
    assert spans["R1"].name == "chat gpt-realtime"
    assert spans["R1"].kind is SpanKind.CLIENT
    assert dict(spans["R1"].attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-realtime",
        "gen_ai.response.id": "R1",
        "gen_ai.output.type": "speech",
        "gen_ai.response.finish_reasons": ("completed",),
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 0,
    }
    (first,) = spans["R1"].events
    assert (first.name, first.timestamp) == ("first audio", BEGAN_NS + 200_000_000)
    assert (tool.attributes or {})["gen_ai.tool.call.id"] == "C1"
    assert tool.kind is SpanKind.INTERNAL
    assert spans["R2"].status.status_code is StatusCode.ERROR
    assert (spans["R2"].attributes or {})["error.type"] == "rate_limit_exceeded"
    assert times_ms(spans["R3"]) == (510, 600)


ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


def test_nobody_who_has_not_asked_is_traced() -> None:
    for environ in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, ENDPOINT | {"OTEL_SDK_DISABLED": "TRUE"}):
        with tracing(False, environ) as tracer:
            assert tracer is None


def test_an_exporter_that_is_not_installed_is_told_to_who_asked_for_spans(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_installed", lambda name: not name.startswith("opentelemetry.exporter"))
    with tracing(False, ENDPOINT) as tracer:
        assert tracer is None
    with pytest.raises(SettingsWrong, match=r"rtassist\[otel\]"), tracing(True, {}):
        pass


@pytest.mark.parametrize(("protocol", "kind"), [("grpc", "grpc"), ("http/protobuf", "http"), ("", "http")])
def test_spans_go_to_the_exporter_of_the_environment(
    protocol: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = InMemorySpanExporter()
    for each in ("http", "grpc"):
        fake = ModuleType(each)
        fake.OTLPSpanExporter = lambda each=each: kept if each == kind else None  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"opentelemetry.exporter.otlp.proto.{each}.trace_exporter", fake)
    monkeypatch.setattr(module, "_installed", lambda name: True)

    with tracing(False, ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol}) as tracer:
        assert tracer is not None
        tracer.start_span("one").end()

    (span,) = kept.get_finished_spans()
    assert span.resource.attributes["service.name"] == "rtassist"


def test_a_collector_that_does_not_answer_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    never = threading.Event()

    class Stuck(SpanExporter):
        def export(self, spans: object) -> object:  # type: ignore[override]
            never.wait(20)
            return None

    monkeypatch.setattr(module, "FLUSH_S", 0.05)
    monkeypatch.setattr(module, "_exporter", lambda wanted, environ: Stuck())
    with tracing(True, {}) as tracer:
        assert tracer is not None
        tracer.start_span("one").end()
    assert not never.is_set()
    never.set()


def test_talk_says_what_is_missing(tmp_path: Path) -> None:
    told = rtassist("talk", "--offline", "--text", "--otel", folder=tmp_path)
    assert told.returncode == 2
    assert "pip install 'rtassist[otel]'" in told.stderr
