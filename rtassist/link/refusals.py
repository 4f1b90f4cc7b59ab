"""Why a server did not let us in, in the user's words: from an HTTP answer, an `error` event or a close."""

import json
from collections.abc import Iterable, Mapping

from attrs import frozen

from rtassist.errors import CannotConnect, Failure, NoRealtime, Refused, foreign_text
from rtassist.link.closing import Close

_KEY = (
    "Set a key that is valid for this server, where it is set now: RTASSIST_API_KEY goes before "
    "OPENAI_API_KEY, both before api_key in the config file (rtassist talk --offline needs none)."
)
_MODEL = "Choose another model with --model."
_MONEY = "Look at the account's billing; rtassist talk --offline costs nothing."

ADVICE: Mapping[str, str] = {
    "invalid_api_key": _KEY,
    "account_deactivated": _KEY,
    "invalid_model": _MODEL,
    "model_not_found": _MODEL,
    "insufficient_quota": _MONEY,
    "billing_hard_limit_reached": _MONEY,
    "credit_balance_exhausted": _MONEY,
    "rate_limit_exceeded": "Wait a little and try again.",
    "beta_api_shape_disabled": "The server wants the interface that rtassist speaks; report this, please.",
}


@frozen(kw_only=True)
class HttpAnswer:
    """An HTTP response instead of the upgrade; `location` and `body` are the server's, unchecked."""

    status: int
    location: str = ""
    body: str = ""


def _refused(happened: str, code: str | None) -> Refused:
    return Refused(happened, code=code, advice=ADVICE.get(code or "", ""))


def refused_session(where: str, message: str, code: str | None, secrets: Iterable[str]) -> Refused:
    """An `error` event came where `session.created` was due."""
    words = foreign_text(message, secrets).rstrip(".") or "no reason given"
    named = f" ({foreign_text(code, secrets, 60)})" if code else ""
    return _refused(f"{where} refused the session: {words}{named}.", code)


def closed_early(where: str, close: Close) -> Failure:
    """The connection was closed after the upgrade and before `session.created`."""
    if close.code == 3000:
        return Refused(f"{where} refused the key. {close.sentence} {_KEY}", code="invalid_api_key")
    if close.code in (1008, 4000):
        return Refused(f"{where} refused the session. {close.sentence}")
    return CannotConnect(f"{where} closed the connection before the session began. {close.sentence}")


def _error_in(body: str) -> tuple[str, str | None]:
    """Message and code of OpenAI's error object in `body`; otherwise its text, if it is not a web page."""
    try:
        error = json.loads(body)["error"]
        if isinstance(error, str):
            return error, None
        code = error.get("code")
        return str(error["message"]), code if isinstance(code, str) else None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ("", None) if body.lstrip().startswith("<") else (body, None)


def rejected_upgrade(where: str, path: str, answer: HttpAnswer, secrets: Iterable[str]) -> Failure:
    """The server answered the WebSocket request with `answer` and not with 101."""
    secrets = tuple(secrets)
    status = answer.status
    message, code = _error_in(answer.body)
    words = foreign_text(message, secrets)
    said = f'HTTP {status}: "{words}"' if words else f"HTTP {status}"
    if status == 401 or code == "invalid_api_key":
        return Refused(f"{where} did not accept the key ({said}). {_KEY}", code=code or "invalid_api_key")
    if status == 429 and code is None:
        code = "rate_limit_exceeded"
    if status in (402, 403, 429) or code in ADVICE:
        return _refused(f"{where} refused the connection ({said}).", code)
    if 300 <= status < 400:
        target = foreign_text(answer.location, secrets, 100) or "nowhere"
        return CannotConnect(
            f"{where} sends us on to {target} (HTTP {status}).",
            advice="A key is not taken along to another address: if that address is right, give it with "
            "--url or RTASSIST_URL.",
        )
    if status in (404, 405, 410):
        return NoRealtime(
            f"{where} has no Realtime endpoint at {foreign_text(path, secrets, 100)} ({said}).",
            advice="Check the path in --url or RTASSIST_URL; OpenAI's is /v1/realtime.",
        )
    if status >= 500:
        return CannotConnect(
            f"{where}, or a proxy on the way to it, is in trouble ({said}).", advice="Try again later."
        )
    if status in (400, 426):
        return _refused(f"{where} did not accept the request ({said}).", code)
    page = "a web page" if answer.body.lstrip().startswith("<") else "plain HTTP"
    return NoRealtime(
        f"{where} answered with {page} and not as a Realtime server ({said}).",
        advice="Check --url or RTASSIST_URL.",
    )


def no_websocket(where: str, first_bytes: bytes) -> Failure:
    """What came, or did not come, instead of an HTTP response to the WebSocket request."""
    if not first_bytes:
        return CannotConnect(
            f"{where} took the connection and closed it without an answer.",
            advice="Is that a Realtime server? Check --url.",
        )
    words = foreign_text(first_bytes[:200].decode("latin-1"), (), 60)
    return NoRealtime(
        f'{where} does not speak WebSocket: it answered "{words}".',
        advice="Check --url or RTASSIST_URL.",
    )


def no_realtime(where: str, reason: str, secrets: Iterable[str]) -> NoRealtime:
    """A WebSocket message came that is no Realtime event."""
    words = foreign_text(reason, secrets, 120)
    return NoRealtime(
        f"{where} speaks WebSocket, but not the Realtime protocol: {words}.", advice="Check --url."
    )
