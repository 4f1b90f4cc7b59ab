"""Who may come in, and to what: decided by the handshake alone."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs, urlsplit

from attrs import field, frozen

_PATHS = ("/v1/realtime", "/realtime", "/openai/v1/realtime")
_TRANSLATIONS = tuple(f"{path}/translations" for path in _PATHS)
_KEY_PROTOCOL = "openai-insecure-api-key."


@frozen(kw_only=True)
class Doorkeeping:
    """`key` None: everybody. `models` empty: any model. `origins`: pages whose scripts may connect, as
    browsers name them (`https://example.org`); programs have no origin."""

    key: str | None = field(default=None, repr=False)
    origins: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    beta: bool = False
    """Whether a client may ask for the beta's interface."""


@frozen(kw_only=True)
class Admitted:
    """`kind` is `realtime` or `transcription`; a transcription session has no model here."""

    kind: str
    model: str


@frozen(kw_only=True)
class TurnedAway:
    """Before the handshake, with an HTTP status."""

    status: int
    message: str


@frozen(kw_only=True)
class Dismissed:
    """After the handshake, as OpenAI's server does: with an `error` event, and then a close."""

    code: str
    message: str
    close_code: int = 4000


def admit(
    target: str,
    headers: Iterable[tuple[bytes, bytes]],
    subprotocols: Sequence[str],
    door: Doorkeeping,
) -> Admitted | TurnedAway | Dismissed:
    """`target` is path and query of the request; header names are lower case."""
    named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    parts = urlsplit(target)
    path = parts.path.rstrip("/")
    if path not in _PATHS and path not in _TRANSLATIONS:
        return TurnedAway(status=404, message=f"Connect to {_PATHS[0]} instead.\n")
    origin = named.get("origin")
    if origin is not None and origin not in door.origins:
        return TurnedAway(
            status=403,
            message="Pages of this origin may not connect to this server. Allow it when starting it.\n",
        )
    refusal = (
        _key_refused(door, named, subprotocols)
        or _beta_refused(door, named)
        or (_NO_TRANSLATIONS if path in _TRANSLATIONS else None)
    )
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return refusal or _session(query, door)


def _key_refused(door: Doorkeeping, headers: dict[str, str], subprotocols: Sequence[str]) -> Dismissed | None:
    if door.key is None:
        return None
    scheme, _, token = headers.get("authorization", "").partition(" ")
    offered = [token.strip()] if scheme.lower() == "bearer" else []
    offered.append(headers.get("api-key", ""))
    offered += [name.removeprefix(_KEY_PROTOCOL) for name in subprotocols if name.startswith(_KEY_PROTOCOL)]
    # In a time that does not tell how much of it was right.
    if any(hmac.compare_digest(each.encode(), door.key.encode()) for each in offered):
        return None
    return Dismissed(
        code="invalid_api_key",
        message="Incorrect API key provided: this server wants the key that it was started with.",
        close_code=3000,
    )


def _beta_refused(door: Doorkeeping, headers: dict[str, str]) -> Dismissed | None:
    if door.beta or "openai-beta" not in headers:
        return None
    return Dismissed(
        code="beta_api_shape_disabled",
        message="The Realtime beta API is no longer supported. Leave out the header 'OpenAI-Beta'.",
    )


def _session(query: dict[str, str], door: Doorkeeping) -> Admitted | Dismissed:
    intent, model = query.get("intent", "realtime"), query.get("model", "")
    if "call_id" in query:
        return Dismissed(
            code="invalid_parameter", message="This server has no calls to join: leave out 'call_id'."
        )
    if intent not in ("realtime", "transcription"):
        return Dismissed(code="invalid_parameter", message="'intent' is 'realtime' or 'transcription'.")
    if intent == "transcription" and model:
        return Dismissed(
            code="invalid_model",
            message="You must not provide a model parameter for transcription sessions.",
        )
    if intent == "realtime" and not model:
        return Dismissed(code="invalid_model", message="You must provide a model parameter.")
    if model and door.models and model not in door.models:
        return Dismissed(
            code="model_not_found",
            message=f"The model '{model}' does not exist or you do not have access to it.",
        )
    return Admitted(kind=intent, model=model)


_NO_TRANSLATIONS = Dismissed(code="invalid_event", message="This server has no translation sessions.")


def subprotocol(offered: Sequence[str]) -> str | None:
    """The one to accept; a browser wants one of those that it offered."""
    return "realtime" if "realtime" in offered else None
