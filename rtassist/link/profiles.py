"""Servers that want to be asked in a way of their own: what is known of them, by the host of their URL."""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from attrs import frozen


@frozen(kw_only=True)
class Profile:
    """`hosts`: names, with all below them. `path` is for a URL without one. `key_header` carries the key, as
    it is or behind `Bearer`. `truncates`: it takes what was not heard out of an answer when it is told.
    """

    name: str
    hosts: tuple[str, ...] = ()
    path: str = ""
    key_header: str = "Authorization"
    bearer: bool = True
    truncates: bool = True


USUAL = Profile(name="a Realtime server")
"""What LocalAI, HF speech-to-speech, speaches and our own are content with."""
PROFILES = (
    Profile(name="OpenAI", hosts=("api.openai.com",), path="/v1/realtime"),
    # https://learn.microsoft.com/azure/ai-foundry/openai/how-to/realtime-audio-websockets: no api-version,
    # and the model is the deployment's name.
    Profile(
        name="Azure OpenAI",
        hosts=("openai.azure.com", "cognitiveservices.azure.com"),
        path="/openai/v1/realtime",
        key_header="api-key",
        bearer=False,
    ),
    # https://docs.x.ai/docs/guides/voice
    Profile(name="xAI", hosts=("api.x.ai",), path="/v1/realtime", truncates=False),
)
NO_MODEL_WITH = ("deployment", "call_id", "intent")
"""Parameters of a URL that say already what is talked to."""


def profile_for(url: str) -> Profile:
    host = (urlsplit(url).hostname or "").rstrip(".")
    for profile in PROFILES:
        if any(f".{host}".endswith(f".{known}") for known in profile.hosts):
            return profile
    return USUAL


def address(url: str, model: str, *, over: bool = False) -> str:
    """The URL to connect to. The model is chosen with it; one that stands there already is left alone, unless
    the new one goes `over` it."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not query.keys() & set(NO_MODEL_WITH):
        query["model"] = model if over else query.get("model", model)
    path = profile_for(url).path if parts.path in ("", "/") else ""
    return urlunsplit(parts._replace(path=path or parts.path, query=urlencode(query)))


def headers(url: str, key: str | None, given: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those of the request: the key's, unless one of the same name was given, and the given ones."""
    profile, given = profile_for(url), tuple(given)
    if key is None or profile.key_header.lower() in (name.lower() for name, _ in given):
        return given
    return ((profile.key_header, f"Bearer {key}" if profile.bearer else key), *given)
