"""What can go wrong with an HTTP endpoint, in words for whoever set it up."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import orjson
from attrs import field, frozen

from rtassist.errors import foreign_text
from rtassist.server.parts import PartFailed


class Declined(PartFailed):
    """The endpoint answered with an HTTP status other than success. `words` are its own, unchecked."""

    def __init__(self, message: str, code: str, *, status: int, words: str) -> None:
        super().__init__(message, code)
        self.status = status
        self.words = words


@frozen(kw_only=True)
class Peer:
    """Whom a failure is about. `service` is what it does (`language model`), `code` its short name (`llm`),
    which begins the codes of its failures and names its variables; `where` is `host:port`."""

    service: str
    code: str
    where: str
    path: str
    key: str | None = field(default=None, repr=False)

    def variable(self, what: str) -> str:
        return f"RTASSIST_{self.code.upper()}_{what}"

    def quoted(self, text: str, limit: int = 200) -> str:
        """Words of the endpoint's, fit to be shown."""
        return foreign_text(text, [self.key or ""], limit)

    def failed(self, code: str, sentence: str) -> PartFailed:
        """`sentence` goes on after the endpoint's name."""
        return PartFailed(self._about(sentence), f"{self.code}_{code}")

    def unreachable(self, sentence: str) -> PartFailed:
        return self.failed(
            "unreachable", f"cannot be reached: {sentence} Check {self.variable('URL')} and the network."
        )

    def declined(self, status: int, location: str, body: bytes) -> Declined:
        """An HTTP answer that is no success. `location` is where a redirect leads, `body` its beginning."""
        words = words_in(body)
        said = f'HTTP {status}: "{self.quoted(words)}"' if words else f"HTTP {status}"
        url, key = self.variable("URL"), self.variable("KEY")
        if 300 <= status < 400:
            code, sentence = (
                "moved",
                f"sends us on to {self.quoted(location, 100) or 'nowhere'} ({said}). A key is not taken "
                f"along to another address: if that one is right, set {url} to it.",
            )
        elif status in (401, 403):
            wants = "did not accept the key" if self.key else "wants a key"
            code, sentence = "refused", f"{wants} ({said}). Set {key} to one that is valid there."
        elif status in (404, 405, 410):
            code, sentence = (
                "not_found",
                f"has no such thing at {self.quoted(self.path, 100)} ({said}). Check the path in {url} (most "
                f"end in /v1), and the model in {self.variable('MODEL')}.",
            )
        elif status in (402, 429):
            code, sentence = (
                "limited",
                f"does not answer for now ({said}). Wait a little, or look at the account's limits.",
            )
        elif status >= 500:
            code, sentence = "failed", f"is in trouble ({said}). Look at its own log, or try again later."
        else:
            code, sentence = "refused", f"did not accept the request ({said})."
        return Declined(self._about(sentence), f"{self.code}_{code}", status=status, words=words)

    def no_page(self) -> PartFailed:
        return self.failed(
            "bad_answer",
            f"answered with a web page. Is {self.variable('URL')} its API's address? Most end in /v1.",
        )

    def _about(self, sentence: str) -> str:
        return f"The {self.service} at {self.where} {sentence}"


def words_in(body: bytes) -> str:
    """What an error says for people: in OpenAI's shape, in FastAPI's (`detail`), or as plain text; "" if it
    is a web page."""
    try:
        return _words(orjson.loads(body), depth=4)
    except orjson.JSONDecodeError:
        text = body.decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text


def _words(found: object, depth: int) -> str:
    if depth == 0:
        return ""
    match found:
        case str():
            return found
        case {"loc": [*_, place], "msg": str(reason)}:
            return f"{place}: {reason}"
        case {"message": inner} | {"error": inner} | {"detail": inner}:
            return _words(inner, depth - 1)
        case [*several]:
            return "; ".join(filter(None, (_words(one, depth - 1) for one in several)))
    return ""


def why_no_connection(error: BaseException) -> str:
    """A sentence for what kept a connection from coming about: name, TCP or TLS."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            if cause.errno == socket.EAI_AGAIN:
                return "its name could not be looked up, no name server answers."
            return "there is no host of that name."
        if isinstance(cause, ConnectionRefusedError):
            return "nothing listens there (connection refused). Is it running?"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate cannot be trusted, {cause.verify_message.rstrip('.')}."
        if isinstance(cause, ssl.SSLError):
            return "it does not speak TLS; a plain server's URL begins with http://."
    systems = [cause for cause in causes if isinstance(cause, OSError) and cause.strerror]
    return f"{systems[-1].strerror}." if systems else "it closed the connection at once."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it came from (httpcore2 keeps that as context), and the members of groups."""
    yield error
    below = [
        error.__cause__ or error.__context__,
        *(error.exceptions if isinstance(error, BaseExceptionGroup) else ()),
    ]
    for cause in below:
        if cause is not None:
            yield from _causes(cause)
