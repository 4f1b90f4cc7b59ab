"""OpenTelemetry spans of a session, its responses and its tools: when, how long, how many tokens; no words.

Names follow the semantic conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/). Where spans go is for the environment to say, as
OpenTelemetry's SDK reads it: OTEL_EXPORTER_OTLP_ENDPOINT and its like.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from rtassist.dialogue import events
from rtassist.dialogue.effects import CallTool, Effect, Send
from rtassist.dialogue.events import Event
from rtassist.errors import SettingsWrong
from rtassist.protocol import (
    InputAudioBufferSpeechStopped,
    ResponseCreate,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    SessionCreated,
    Usage,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

    from rtassist.dialogue.terms import Terms

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_EXPORTERS: Final = ("http", "grpc")
FLUSH_S: Final = 2.0
"""What the end of the program waits for a collector that does not answer."""


@contextmanager
def tracing(wanted: bool, environ: Mapping[str, str]) -> Iterator[Tracer | None]:
    """A tracer as long as this is open; None where nobody wants spans: neither `wanted` nor an endpoint.

    Raises SettingsWrong where they are wanted and a package is missing. Without its package an endpoint
    alone, which may be there for another program, changes nothing.
    """
    exporter = _exporter(wanted, environ)
    if exporter is None:
        yield None
        return
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = Resource.create({} if "OTEL_SERVICE_NAME" in environ else {"service.name": "rtassist"})
    provider = TracerProvider(resource=named, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield provider.get_tracer("rtassist")
    finally:
        last = threading.Thread(target=provider.shutdown, name="spans", daemon=True)
        last.start()
        last.join(FLUSH_S)


def _exporter(wanted: bool, environ: Mapping[str, str]) -> SpanExporter | None:
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if not wanted and not any(environ.get(name, "").strip() for name in ENDPOINTS):
        return None
    protocol = environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "").partition("/")[0]
    for kind in sorted(_EXPORTERS, key=lambda kind: kind != protocol):
        module = f"opentelemetry.exporter.otlp.proto.{kind}.trace_exporter"
        if _installed("opentelemetry.sdk") and _installed(module):
            exporter: SpanExporter = importlib.import_module(module).OTLPSpanExporter()
            return exporter
    if wanted:
        raise SettingsWrong(
            [
                "OpenTelemetry spans (--otel) need its packages. Install them with: "
                "pip install 'rtassist[otel]' opentelemetry-exporter-otlp-proto-http"
            ]
        )
    return None


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor what it is in
        return False


class Spans:
    """Of one conversation, from `began_ns` (since 1970) on. `saw` gets all that passes its door."""

    def __init__(self, tracer: Tracer, terms: Terms, *, server: str, began_ns: int) -> None:
        self._tracer = tracer
        self._began_ns = began_ns
        self._model = {"gen_ai.provider.name": "openai", "gen_ai.request.model": terms.model}
        self._session = self._begin("invoke_agent rtassist", 0, operation="invoke_agent")
        self._session.set_attributes({"gen_ai.agent.name": "rtassist", "server.address": server})
        self._asked_us: int | None = None
        self._responses: dict[str, Span] = {}
        self._sounding: set[str] = set()
        self._tools: dict[str, Span] = {}
        self._last_us = 0

    def saw(self, us: int, what: Event | Effect) -> None:
        """`us`: since the conversation began."""
        self._last_us = us
        inner: Any = what.event if isinstance(what, events.ServerSaid | Send) else what
        rule = _RULES.get(type(inner))
        if rule is not None:
            rule(self, us, inner)

    def over(self) -> None:
        """The conversation is; what has not ended by itself ends here."""
        for span in (*self._responses.values(), *self._tools.values(), self._session):
            span.end(self._ns(self._last_us))

    def _ns(self, us: int) -> int:
        return self._began_ns + us * 1000

    def _begin(self, name: str, us: int, *, operation: str) -> Span:
        from opentelemetry.trace import SpanKind, set_span_in_context

        session = getattr(self, "_session", None)
        return self._tracer.start_span(
            name,
            context=None if session is None else set_span_in_context(session),
            kind=SpanKind.INTERNAL if operation == "execute_tool" else SpanKind.CLIENT,
            attributes={"gen_ai.operation.name": operation, **self._model},
            start_time=self._ns(us),
        )

    def _session_created(self, us: int, event: SessionCreated) -> None:
        session_id = getattr(event.session, "id", None)
        if isinstance(session_id, str):
            self._session.set_attribute("gen_ai.conversation.id", session_id)

    def _answer_due(self, us: int, event: object) -> None:
        self._asked_us = us

    def _created(self, us: int, event: ResponseCreated) -> None:
        if isinstance(event.response.id, str):
            began_us = us if self._asked_us is None else self._asked_us
            span = self._begin(f"chat {self._model['gen_ai.request.model']}", began_us, operation="chat")
            span.set_attribute("gen_ai.response.id", event.response.id)
            self._responses[event.response.id] = span
        self._asked_us = None

    def _audio(self, us: int, event: ResponseOutputAudioDelta) -> None:
        span = self._responses.get(event.response_id)
        if span is not None and event.response_id not in self._sounding:
            self._sounding.add(event.response_id)
            span.set_attribute("gen_ai.output.type", "speech")
            span.add_event("first audio", timestamp=self._ns(us))

    def _done(self, us: int, event: ResponseDone) -> None:
        from opentelemetry.trace import StatusCode

        response = event.response
        span = self._responses.pop(str(response.id), None)
        if span is None:
            return
        if isinstance(response.status, str):
            span.set_attribute("gen_ai.response.finish_reasons", [response.status])
        if isinstance(usage := response.usage, Usage):
            cached = usage.input_token_details.cached_tokens if usage.input_token_details else 0
            span.set_attribute("gen_ai.usage.input_tokens", usage.input_tokens or 0)
            span.set_attribute("gen_ai.usage.output_tokens", usage.output_tokens or 0)
            span.set_attribute("gen_ai.usage.cache_read.input_tokens", cached or 0)
        if response.status == "failed":
            error = getattr(response.status_details, "error", None)
            span.set_attribute("error.type", str(getattr(error, "code", None) or "failed"))
            span.set_status(StatusCode.ERROR)
        span.end(self._ns(us))

    def _tool_called(self, us: int, call: CallTool) -> None:
        span = self._begin(f"execute_tool {call.name}", us, operation="execute_tool")
        span.set_attributes(
            {
                "gen_ai.tool.name": call.name,
                "gen_ai.tool.call.id": call.call_id,
                "gen_ai.tool.type": "function",
            }
        )
        self._tools[call.call_id] = span

    def _tool_ended(self, us: int, event: events.ToolEnded) -> None:
        span = self._tools.pop(event.call_id, None)
        if span is not None:
            span.end(self._ns(us))


_RULES: Final[dict[type, Callable[[Spans, int, Any], None]]] = {
    SessionCreated: Spans._session_created,
    InputAudioBufferSpeechStopped: Spans._answer_due,
    ResponseCreate: Spans._answer_due,
    ResponseCreated: Spans._created,
    ResponseOutputAudioDelta: Spans._audio,
    ResponseDone: Spans._done,
    CallTool: Spans._tool_called,
    events.ToolEnded: Spans._tool_ended,
}
