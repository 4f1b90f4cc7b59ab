"""What users read when an endpoint declines or cannot be reached."""

import errno

import pytest

from rtassist.server.endpoints.failures import Declined, Peer, why_no_connection
from tests.server.endpoints.http_server import Exchange
from tests.server.endpoints.test_endpoint import KEY, failure_of


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, "llm_refused", 'did not accept the request (HTTP 400: "No such luck.").'),
        (401, "llm_refused", "did not accept the key (HTTP 401"),
        (402, "llm_limited", "HTTP 402"),
        (403, "llm_refused", "Set RTASSIST_LLM_KEY"),
        (404, "llm_not_found", "has no such thing at /v1/chat/completions (HTTP 404"),
        (429, "llm_limited", "HTTP 429"),
        (500, "llm_failed", 'is in trouble (HTTP 500: "No such luck.")'),
        (503, "llm_failed", "HTTP 503"),
    ],
)
async def test_refusals(status: int, code: str, words: str) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer({"error": {"message": "No such luck."}}, status)

    failed = await failure_of(refuse)
    assert isinstance(failed, Declined)
    assert (failed.code, failed.status, failed.words) == (code, status, "No such luck.")
    assert words in failed.message


async def test_a_key_that_is_wanted() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(b"", 401)

    assert "wants a key (HTTP 401)" in (await failure_of(refuse, key=None)).message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "model 'x' not found"}, "HTTP 400: \"model 'x' not found\""),
        ({"detail": "Not Found"}, 'HTTP 400: "Not Found"'),
        ({"detail": {"error": "validation_error", "message": "Voice unknown"}}, '"Voice unknown"'),
        (
            {"detail": [{"loc": ["body", "a"], "msg": "is bad"}, {"loc": ["b"], "msg": "too"}]},
            '"a: is bad; b: too"',
        ),
        ({"error": {"message": f"Bad {KEY}\x1b[31m\nkey"}}, '"Bad [secret] [31m key"'),
        ({"error": {"error": {"error": {"error": {"error": "deep"}}}}}, "(HTTP 400)."),
        (b"<html>Welcome to nginx</html>", "(HTTP 400)."),
        (b"plain words", '"plain words"'),
        (b"\xff\xfe", "HTTP 400"),
        (b"x" * 100_000, "x…"),
        ([[[]]], "(HTTP 400)."),
    ],
)
async def test_a_refusal_in_the_servers_words(body: object, words: str) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(body, 400)

    failed = await failure_of(refuse)
    assert words in failed.message
    assert len(failed.message) < 400


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "Network is unreachable."),
        (ConnectionError(), "it closed the connection at once."),
    ],
)
def test_other_reasons_for_no_connection(error: OSError, words: str) -> None:
    outer = OSError("all attempts failed")
    outer.__cause__ = ExceptionGroup("attempts", [error])
    assert why_no_connection(outer) == words


def test_a_key_does_not_show() -> None:
    peer = Peer(service="language model", code="llm", where="h:1", path="/v1", key=KEY)
    assert KEY not in repr(peer)
