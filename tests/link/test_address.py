import pytest

from rtassist.errors import CannotConnect
from rtassist.link.address import Address, is_loopback, parse_address, proxy_for

OPENAI = Address(host="api.openai.com", port=443, secure=True, resource="/v1/realtime")


@pytest.mark.parametrize(
    ("url", "address", "host_header"),
    [
        ("wss://api.openai.com/v1/realtime", OPENAI, "api.openai.com"),
        ("WSS://API.OpenAI.com/v1/realtime", OPENAI, "api.openai.com"),
        ("ws://h", Address(host="h", port=80, secure=False, resource="/"), "h"),
        ("ws://h:443?a=b", Address(host="h", port=443, secure=False, resource="/?a=b"), "h:443"),
        ("wss://h:80/#x", Address(host="h", port=80, secure=True, resource="/"), "h:80"),
        ("ws://[::1]:9/x?y", Address(host="::1", port=9, secure=False, resource="/x?y"), "[::1]:9"),
        ("wss://[::1]/", Address(host="::1", port=443, secure=True, resource="/"), "[::1]"),
        (
            "wss://bücher.example/",
            Address(host="xn--bcher-kva.example", port=443, secure=True, resource="/"),
            None,
        ),
    ],
)
def test_an_address_is_read_from_a_url(url: str, address: Address, host_header: str | None) -> None:
    assert parse_address(url) == address
    assert address.host_header == (host_header or address.host)


def test_a_path_is_shown_without_its_query() -> None:
    assert parse_address("ws://h/a?key=hunter22").path == "/a"


@pytest.mark.parametrize(
    ("url", "must"),
    [
        ("https://api.openai.com", "must begin with wss:// or ws:// and name a host"),
        ("api.openai.com", "must begin with wss:// or ws:// and name a host"),
        ("wss://", "must begin with"),
        ("", "must begin with"),
        ("wss://user:hunter22@h", "must not hold a user name or password"),
        ("wss://h:hunter22", "must name host and port as a URL does"),
        ("wss://h:99999", "must name host and port as a URL does"),
        ("wss://[::1", "must name host and port as a URL does"),
        (f"wss://{'a' * 64}.example", "must name host and port as a URL does"),
        ("wss://h/a b", "must have a percent-encoded path"),
        ("wss://h/ä", "must have a percent-encoded path"),
    ],
)
def test_what_is_no_address_is_told_without_a_password(url: str, must: str) -> None:
    with pytest.raises(ValueError, match=must) as raised:
        parse_address(url)
    assert "hunter22" not in str(raised.value)


@pytest.mark.parametrize("host", ["localhost", "x.localhost", "127.0.0.1", "127.255.0.3", "::1"])
def test_these_are_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.example", "0.0.0.0", "10.0.0.1", "::", "127.0.0.1.nip.io", ""])
def test_these_are_not(host: str) -> None:
    assert not is_loopback(host)


def test_a_proxy_comes_from_the_variable_of_the_scheme_or_the_one_for_all() -> None:
    plain = Address(host="h.example", port=80, secure=False, resource="/")
    environ = {
        "https_proxy": "http://a:1",
        "HTTPS_PROXY": "http://b:2",
        "ALL_PROXY": "c:3",
        "HTTP_PROXY": "http://d:4",
    }

    proxy = proxy_for(OPENAI, environ)
    assert proxy is not None
    assert (proxy.name, proxy.secure, proxy.authorization) == ("a:1 (https_proxy)", False, None)
    # HTTP_PROXY in capitals is what a CGI client can set.
    assert getattr(proxy_for(plain, environ), "name", None) == "c:3 (ALL_PROXY)"
    assert getattr(proxy_for(plain, {"http_proxy": "e"}), "name", None) == "e:80 (http_proxy)"
    assert proxy_for(OPENAI, {"HTTPS_PROXY": "", "http_proxy": "http://a:1"}) is None


def test_a_proxys_password_is_sent_and_not_shown() -> None:
    proxy = proxy_for(OPENAI, {"HTTPS_PROXY": "https://me:p%40ss@proxy.example"})
    assert proxy is not None
    assert proxy.authorization == "Basic bWU6cEBzcw=="
    assert (proxy.secure, proxy.port) == (True, 443)
    assert "bWU6" not in repr(proxy)
    assert "p@ss" not in repr(proxy)


@pytest.mark.parametrize(
    "no_proxy",
    [
        "*",
        "api.openai.com",
        "openai.com",
        ".openai.com",
        "*.openai.com",
        "a.example, OPENAI.com",
        "a.example openai.com",
        "api.openai.com:443",
    ],
)
def test_a_host_is_spared(no_proxy: str) -> None:
    assert proxy_for(OPENAI, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": no_proxy}) is None
    assert proxy_for(OPENAI, {"HTTPS_PROXY": "http://p:1", "no_proxy": no_proxy}) is None


@pytest.mark.parametrize("no_proxy", ["", "ai.com", "api.openai.com:80", "x.api.openai.com", ","])
def test_another_is_not(no_proxy: str) -> None:
    assert proxy_for(OPENAI, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": no_proxy}) is not None


def test_a_spared_ipv6_address() -> None:
    address = Address(host="fd00::1", port=443, secure=True, resource="/")
    assert proxy_for(address, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "fd00::1"}) is None
    assert proxy_for(address, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "[fd00::1]:443"}) is None


def test_this_machine_is_never_behind_a_proxy() -> None:
    address = Address(host="127.0.0.1", port=1, secure=False, resource="/")
    assert proxy_for(address, {"ALL_PROXY": "http://p:1"}) is None


@pytest.mark.parametrize("url", ["socks5://me:hunter22@p:1", "http://p:hunter22", "http://me:hunt/er22@p"])
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(url: str) -> None:
    with pytest.raises(CannotConnect, match=r"The proxy in ALL_PROXY cannot be used: it must ") as raised:
        proxy_for(OPENAI, {"ALL_PROXY": url})
    assert "hunt" not in raised.value.message
