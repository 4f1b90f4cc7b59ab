"""Where to connect to, and through which proxy: read from a URL and from the environment."""

import base64
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import field, frozen

from rtassist.errors import CannotConnect

_DEFAULT_PORTS = {"ws": 80, "wss": 443, "http": 80, "https": 443}


@frozen(kw_only=True)
class Address:
    """The server's end. `host` is ASCII without brackets; `resource` is path and query, for the request."""

    host: str
    port: int
    secure: bool
    resource: str

    @property
    def authority(self) -> str:
        """`host:port` as HTTP writes it, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def host_header(self) -> str:
        """The authority without the scheme's own port, which some servers refuse to see."""
        default = _DEFAULT_PORTS["wss" if self.secure else "ws"]
        return self.authority.removesuffix(f":{default}") if self.port == default else self.authority

    @property
    def path(self) -> str:
        """The resource without its query, which may hold what is not for every eye."""
        return self.resource.partition("?")[0]


@frozen(kw_only=True)
class Proxy:
    """An HTTP proxy that opens tunnels with CONNECT. `variable` is where it was found."""

    host: str
    port: int
    secure: bool
    variable: str
    authorization: str | None = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port} ({self.variable})"


def split_url(url: str, schemes: tuple[str, ...]) -> tuple[SplitResult, str, int]:
    """The parts of `url`, its host in ASCII without brackets, and its port.

    Raises ValueError with what a URL has to be ("must begin with …"); it quotes nothing of this one, which
    may hold a password.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        raise ValueError("must name host and port as a URL does") from None
    if parts.scheme not in schemes or not host:
        raise ValueError(
            f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)} and name a host"
        )
    return parts, host, port


def parse_address(url: str) -> Address:
    """The address in a ws:// or wss:// URL; ValueError, as `split_url`, for what is none.

    A user and password in it are refused: they would be sent nowhere, and shown in many places.
    """
    parts, host, port = split_url(url, ("wss", "ws"))
    if parts.username is not None:
        raise ValueError("must not hold a user name or password")
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not resource.isascii() or not resource.isprintable() or " " in resource:
        raise ValueError("must have a percent-encoded path")
    return Address(host=host, port=port, secure=parts.scheme == "wss", resource=resource)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by definition: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _spared(address: Address, no_proxy: str) -> bool:
    """Whether NO_PROXY holds `address`: `*`, or names with all below them, each perhaps with a port."""
    for entry in no_proxy.lower().replace(",", " ").split():
        name, _, port = entry.rpartition(":")
        if not port.isdigit() or (":" in name and not name.endswith("]")):  # no port, or an IPv6 address
            name, port = entry, ""
        name = name.strip("[]").removeprefix("*").removeprefix(".")
        below = f".{address.host}".endswith(f".{name}")
        if entry == "*" or (below and port in ("", str(address.port))):
            return True
    return False


def proxy_for(address: Address, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy that the environment names for `address`, by curl's conventions; None for none.

    `https_proxy` or `http_proxy` by the scheme, then `all_proxy`, the lower-case name first, except where
    `no_proxy` spares the host. This machine is never reached through a proxy. HTTP_PROXY in capitals is
    not read: a CGI client can set it (CVE-2016-5385). Raises CannotConnect for a kind of proxy, such as
    SOCKS, that cannot be used.
    """
    if is_loopback(address.host) or _spared(
        address, environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    ):
        return None
    names = ("https_proxy", "HTTPS_PROXY") if address.secure else ("http_proxy",)
    variable = next((name for name in (*names, "all_proxy", "ALL_PROXY") if environ.get(name)), None)
    if variable is None:
        return None
    url = environ[variable]
    try:
        parts, host, port = split_url(url if "://" in url else f"http://{url}", ("http", "https"))
    except ValueError as must:
        raise CannotConnect(f"The proxy in {variable} cannot be used: it {must}.") from None
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode()
    secure = parts.scheme == "https"
    return Proxy(host=host, port=port, secure=secure, variable=variable, authorization=authorization)
