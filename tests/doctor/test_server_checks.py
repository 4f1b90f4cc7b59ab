"""The key, the server at the other end, and our own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from rtassist import errors
from rtassist.doctor import server_checks
from rtassist.settings_loading import load

KEY = "a-key-that-nobody-may-see"


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "no key and no URL is set"),
        ({"OPENAI_API_KEY": KEY}, "Key: OPENAI_API_KEY (the environment)"),
        ({"OPENAI_API_KEY": KEY, "RTASSIST_OFFLINE": "1"}, "not needed"),
        ({"RTASSIST_URL": "ws://127.0.0.1:1/"}, "none is set"),
    ],
)
def test_the_key_is_told_by_its_place_and_never_shown(
    environ: dict[str, str], words: str, tmp_path: Path
) -> None:
    settings = load({}, environ | {"RTASSIST_CONFIG": ""}, tmp_path)
    told = server_checks.key(settings)
    assert words in told.summary
    assert KEY not in repr(told)
    assert told.values["set"] is bool("OPENAI_API_KEY" in environ)


def opening(
    seconds: float, failure: errors.Failure | None = None
) -> Callable[[], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def session() -> AsyncIterator[None]:
        await trio.sleep(seconds)
        if failure:
            raise failure
        yield

    return session


async def test_a_session_is_begun_and_its_time_told(autojump_clock: MockClock) -> None:
    said: list[str] = []
    told = await server_checks.endpoint("there:443", opening(0.25), said.append)
    assert (told.state, told.values) == ("ok", {"host": "there:443", "connected_ms": 250})
    assert said == ["Connecting to there:443: a session is begun and ended, nothing is said in it."]


@pytest.mark.parametrize(
    ("failure", "cure"),
    [
        (errors.Refused("It did not accept the key. Set another."), "Set another."),
        (errors.Refused("It refused the session."), "key"),
        (errors.NoRealtime("That is a web page."), "--url"),
        (errors.CannotConnect("There is no way."), "network"),
    ],
)
async def test_each_failure_has_its_line_and_a_cure(failure: errors.Failure, cure: str) -> None:
    told = await server_checks.endpoint("there", opening(0, failure), lambda text: None)
    assert told.state == "failed"
    assert told.summary.removeprefix("Server: ") == failure.message.split(" Set")[0]
    assert cure in told.cure


def test_what_our_own_server_lacks_is_told_with_its_cures() -> None:
    assert server_checks.embedded("", "").state == "ok"
    lacking = server_checks.embedded("It is deaf. Install ears.", "It is mute. Install a voice.")
    assert (lacking.state, lacking.summary) == ("warning", "Own server: It is deaf. It is mute.")
    assert lacking.cure == "Install ears. Install a voice."
    assert lacking.values == {"hears": False, "speaks": False}
