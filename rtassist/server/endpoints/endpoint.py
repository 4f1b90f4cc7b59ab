"""One OpenAI-compatible HTTP endpoint: a client of its own, deadlines, and failures in words."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress

import httpx2
import trio
from attrs import frozen

from rtassist.errors import SettingsWrong
from rtassist.link.address import Address, Proxy, proxy_for, split_url
from rtassist.server.endpoints.failures import Peer, why_no_connection
from rtassist.server.parts import PartFailed

_BEGINNING_BYTES = 16_384
_DRAIN_S = 0.5


@frozen(kw_only=True)
class Deadlines:
    """`connect_s` for TCP, and again for TLS; `first_byte_s` from the end of the request to the beginning of
    the answer, which is also the longest silence later; `between_bytes_s` for silence in the answer."""

    connect_s: float = 5.0
    first_byte_s: float = 30.0
    between_bytes_s: float = 30.0


class Endpoint:
    """Safe for several requests at once. A request that is cancelled closes its connection and no other."""

    def __init__(
        self, client: httpx2.AsyncClient, url: httpx2.URL, path: str, peer: Peer, deadlines: Deadlines
    ) -> None:
        self.peer = peer
        self._client = client
        self._url = url
        self._path = path
        self._deadlines = deadlines

    @asynccontextmanager
    async def ask(
        self,
        method: str = "POST",
        path: str | None = None,
        *,
        json: object = None,
        data: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> AsyncIterator[httpx2.Response]:
        """The answer to a request, its body not read yet; None as `path` is the endpoint's own.

        Raises Declined for a status other than success, PartFailed where no answer came.
        """
        url = self._url.copy_with(path=self._url.path + (self._path if path is None else path))
        request = self._client.build_request(method, url, json=json, data=data, files=files)
        with self._failures("answered nothing", self._deadlines.first_byte_s):
            response = await self._client.send(request, stream=True)
        try:
            if not response.is_success:
                body = await self.beginning(response)
                raise self.peer.declined(response.status_code, response.headers.get("location", ""), body)
            if packed := response.headers.get("content-encoding", "").replace("identity", ""):
                packed = self.peer.quoted(packed, 60)
                raise self.peer.failed("bad_answer", f"packs its answers ({packed}), and was asked not to.")
            yield response
        finally:
            await response.aclose()

    async def body(self, response: httpx2.Response) -> AsyncGenerator[bytes]:
        """The body as it comes, to be closed (`aclosing`). Raises PartFailed when it breaks off."""
        silence_s = self._deadlines.between_bytes_s
        chunks = response.aiter_raw()
        try:
            while True:
                with self._failures("fell silent in the middle of the answer", silence_s):
                    with trio.fail_after(silence_s):
                        chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield chunk
        finally:
            await _let_go(chunks)

    async def whole(self, response: httpx2.Response, *, limit: int) -> bytes:
        """The whole body. Raises PartFailed, also for one of more than `limit` bytes."""
        body = bytearray()
        async with aclosing(self.body(response)) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > limit:
                    raise self.peer.failed("too_long", f"answered with more than {limit} bytes.")
        return bytes(body)

    async def drain(self, chunks: AsyncGenerator[bytes]) -> None:
        """Read on to an end that is near, so that the connection can be used again."""
        with trio.move_on_after(_DRAIN_S), suppress(PartFailed):
            async for _ in chunks:
                pass

    async def beginning(self, response: httpx2.Response) -> bytes:
        """As much as an error message may have, or as much as came. Does not fail."""
        body = bytearray()
        with suppress(PartFailed):
            async with aclosing(self.body(response)) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > _BEGINNING_BYTES:
                        break
        return bytes(body[:_BEGINNING_BYTES])

    @contextmanager
    def _failures(self, silent: str, silence_s: float) -> Iterator[None]:
        try:
            yield
        except httpx2.ConnectTimeout:
            raise self.peer.unreachable(f"no answer within {self._deadlines.connect_s:g} s.") from None
        except (httpx2.ReadTimeout, httpx2.WriteTimeout, trio.TooSlowError):
            raise self.peer.failed("timeout", f"{silent} for {silence_s:g} s.") from None
        except (httpx2.ConnectError, httpx2.ProxyError) as error:
            raise self.peer.unreachable(why_no_connection(error)) from error
        except httpx2.NetworkError as error:
            raise self.peer.failed("broken_off", "broke the connection off.") from error
        except httpx2.RemoteProtocolError as error:
            words = self.peer.quoted(str(error), 100)
            raise self.peer.failed("broken_off", f"broke off, or does not speak HTTP ({words}).") from error
        except httpx2.HTTPError as error:
            # Without its words: what the request itself has wrong may quote the key.
            raise self.peer.failed(
                "failed", f"could not be asked, or understood ({type(error).__name__})."
            ) from error


async def _let_go(chunks: AsyncGenerator[bytes]) -> None:
    """Take what is here already and stop where more would have to be waited for.

    Merely closed in mid-stream, the generators inside httpx2 2.16 leave one of theirs to the garbage
    collector, which trio warns of; an exception from within, as a cancellation is, ends them all.
    """
    with trio.CancelScope(shield=True) as scope, suppress(httpx2.HTTPError):
        scope.cancel()
        async for _ in chunks:
            pass


@asynccontextmanager
async def open_endpoint(
    service: str,
    code: str,
    path: str,
    *,
    url: str,
    key: str | None,
    deadlines: Deadlines,
    environ: Mapping[str, str],
    ssl_context: ssl.SSLContext | None,
) -> AsyncIterator[Endpoint]:
    """The endpoint below the base `url`, which may also end in `path` itself.

    `service` and `code` name it in failures. The key goes to that address alone: redirects are not followed,
    and nothing but the proxy is read from `environ`, which loopback is never reached through. `ssl_context`
    is what an https server is checked with, Python's default where it is None. Raises SettingsWrong for a
    URL that is none, CannotConnect for a proxy that cannot be used.
    """
    variable = f"RTASSIST_{code.upper()}_URL"
    try:
        parts, host, port = split_url(url, ("http", "https"))
        base = httpx2.URL(url)
        base = base.copy_with(path=base.path.rstrip("/").removesuffix(path))
    except ValueError as must:
        raise SettingsWrong([f"{variable} {must}."]) from None
    except httpx2.InvalidURL:
        raise SettingsWrong([f"{variable} must be a URL such as http://127.0.0.1:8000/v1."]) from None
    address = Address(host=host, port=port, secure=parts.scheme == "https", resource=parts.path)
    proxy = proxy_for(address, environ)
    peer = Peer(service=service, code=code, where=address.authority, path=base.path + path, key=key)
    headers = {"User-Agent": "rtassist", "Accept-Encoding": "identity"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    async with httpx2.AsyncClient(
        headers=headers,
        timeout=httpx2.Timeout(
            connect=deadlines.connect_s,
            read=deadlines.first_byte_s,
            write=deadlines.between_bytes_s,
            pool=None,
        ),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=4, keepalive_expiry=30),
        follow_redirects=False,
        trust_env=False,
        verify=ssl_context or _trust(secure=address.secure),
        proxy=None if proxy is None else _through(proxy),
    ) as client:
        yield Endpoint(client, base, path, peer, deadlines)


def _trust(*, secure: bool) -> ssl.SSLContext:
    """Reading the authorities takes tens of milliseconds, which a plain address can do without."""
    return ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _through(proxy: Proxy) -> httpx2.Proxy:
    url = httpx2.URL(scheme="https" if proxy.secure else "http", host=proxy.host, port=proxy.port)
    return httpx2.Proxy(
        url, headers={"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
    )
