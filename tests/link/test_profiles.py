import pytest

from rtassist.link.profiles import PROFILES, USUAL, address, headers, profile_for


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("wss://api.openai.com/v1/realtime", "OpenAI"),
        ("wss://mine.openai.azure.com", "Azure OpenAI"),
        ("wss://mine.cognitiveservices.azure.com/openai/v1/realtime", "Azure OpenAI"),
        ("wss://api.x.ai/v1/realtime", "xAI"),
        ("wss://eu.api.openai.com/v1/realtime", "OpenAI"),
        ("ws://127.0.0.1:8080/v1/realtime", "a Realtime server"),
        ("wss://openai.azure.com.evil.example", "a Realtime server"),
        ("wss://notapi.x.ai", "a Realtime server"),
    ],
)
def test_a_server_is_known_by_its_host(url: str, name: str) -> None:
    assert profile_for(url).name == name


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("wss://api.openai.com/v1/realtime", "wss://api.openai.com/v1/realtime?model=m"),
        ("wss://mine.openai.azure.com", "wss://mine.openai.azure.com/openai/v1/realtime?model=m"),
        ("wss://mine.openai.azure.com/", "wss://mine.openai.azure.com/openai/v1/realtime?model=m"),
        ("wss://api.x.ai", "wss://api.x.ai/v1/realtime?model=m"),
        ("wss://api.openai.com/v1/realtime?model=other", "wss://api.openai.com/v1/realtime?model=other"),
        (
            "wss://mine.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=d",
            "wss://mine.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=d",
        ),
        ("wss://api.openai.com/v1/realtime?call_id=rtc_1", "wss://api.openai.com/v1/realtime?call_id=rtc_1"),
        ("ws://127.0.0.1:8080", "ws://127.0.0.1:8080?model=m"),
    ],
)
def test_the_model_and_a_path_that_is_missing_are_added(url: str, asked: str) -> None:
    assert address(url, "m") == asked


def test_the_key_goes_where_the_server_looks_for_it() -> None:
    assert headers("wss://api.openai.com/v1", "k", ()) == (("Authorization", "Bearer k"),)
    assert headers("ws://127.0.0.1/", "k", ()) == (("Authorization", "Bearer k"),)
    assert headers("wss://mine.openai.azure.com", "k", ()) == (("api-key", "k"),)
    assert headers("wss://mine.openai.azure.com", None, ()) == ()


def test_a_header_that_was_given_goes_before_the_keys_own() -> None:
    given = [("authorization", "Bearer entra"), ("X-More", "1")]
    assert headers("wss://api.openai.com/v1", "k", given) == tuple(given)
    assert headers("wss://mine.openai.azure.com", "k", given) == (("api-key", "k"), *given)


def test_no_host_is_in_two_profiles() -> None:
    hosts = [host for profile in PROFILES for host in profile.hosts]
    assert len(set(hosts)) == len(hosts)
    assert USUAL not in PROFILES
