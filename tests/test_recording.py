"""What a recording says of itself, and where it lies."""

import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from rtassist import errors
from rtassist.dialogue.effects import Notice
from rtassist.dialogue.events import Interrupted
from rtassist.dialogue.terms import Terms
from rtassist.protocol import Session
from rtassist.recording import (
    about,
    new_name,
    place,
    recorded,
    secrets_of,
    sessions_folder,
    without_secrets,
)
from rtassist.sessions import reading
from rtassist.settings import Settings
from rtassist.settings_loading import load

NOW = datetime(2026, 11, 22, 17, 12, 5, 250_000, tzinfo=timezone(timedelta(hours=1)))
NAME = "2026-11-22_17-12-05_k3f9"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Keys and addresses of every kind."""
    environ = {
        "RTASSIST_CONFIG": str(tmp_path / "config.toml"),
        "OPENAI_API_KEY": "key-of-openai",
        "RTASSIST_URL": "wss://cloud.example/v1/realtime?model=m&api-key=key%2Din%2Durl&api-version=2026-11-22",
        "RTASSIST_LLM_URL": "https://llm.example/v1?token=token-in-url",
        "RTASSIST_LLM_KEY": "key-of-llm",
        "RTASSIST_SERVER_KEY": "key-of-server",
        "RTASSIST_VAD": "semantic",
    }
    (tmp_path / "config.toml").write_text(
        '[mcp.net]\nurl = "https://mcp.example/?key=key-of-mcp"\nauthorization = "token-of-mcp"\n'
        '[mcp.here]\ncommand = "x"\nenv = { TOKEN = "token-for-mcp" }\n'
        '[exec]\n"turn.done" = "curl -H token-of-hook"\n'
    )
    return load({"voice": "cedar"}, environ, tmp_path)


def test_the_name_sorts_by_time() -> None:
    assert new_name(NOW, "k3f9") == NAME


def test_the_first_line_says_what_was_set_and_no_secret(settings: Settings) -> None:
    said = about(settings, NAME, NOW)
    assert said["id"] == NAME
    assert said["started"] == "2026-11-22T16:12:05.250+00:00"
    assert said["url"] == "wss://cloud.example/v1/realtime?model=m&api-version=2026-11-22"
    assert said["settings"] == {"voice": "cedar", "vad": "semantic", "llm_url": "https://llm.example/v1"}
    assert datetime.fromisoformat(str(said["started"])).tzinfo == UTC
    text = json.dumps(said)
    assert not [secret for secret in (*secrets_of(settings), "token-of-hook") if secret in text]


def test_every_secret_is_known(settings: Settings) -> None:
    assert set(secrets_of(settings)) == {
        *("key-of-openai", "key-of-llm", "key-of-server"),
        *("key-in-url", "key%2Din%2Durl", "token-in-url"),
        *("key-of-mcp", "token-of-mcp", "token-for-mcp"),
    }


def test_a_url_keeps_what_is_no_secret() -> None:
    assert without_secrets("wss://me:hunter22@h:1/p?sig=x#y") == "wss://h:1/p"
    assert without_secrets("ws://127.0.0.1:8765/v1/realtime") == "ws://127.0.0.1:8765/v1/realtime"


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.jsonl").mkdir()
    assert place(Settings(record=False), NAME) is None
    assert place(Settings(), NAME) == sessions_folder() / f"{NAME}.jsonl"
    assert place(Settings(record="calls"), NAME) == tmp_path / "calls" / f"{NAME}.jsonl"
    assert place(Settings(record="folder.jsonl"), NAME) == tmp_path / "folder.jsonl" / f"{NAME}.jsonl"
    assert place(Settings(record="calls/one.jsonl"), NAME) == tmp_path / "calls" / "one.jsonl"
    assert place(Settings(record="~/one.jsonl"), NAME) == Path.home() / "one.jsonl"
    assert place(Settings(record="~nobody-of-this-name/x"), NAME) is not None


@pytest.mark.parametrize("there", ["call.jsonl", "call.mic.flac", "call.voice.flac"])
def test_nothing_is_written_over(there: str, tmp_path: Path) -> None:
    """Not the sound either: it would be taken for that of the new recording."""
    (tmp_path / there).touch()
    with pytest.raises(errors.SettingsWrong, match=f"{there} is there already"):
        place(Settings(record=str(tmp_path / "call.jsonl")), NAME)


def test_a_path_that_can_be_none_is_a_warning(tmp_path: Path) -> None:
    told: list[Notice] = []
    for path in (f"{tmp_path}/{'x' * 300}.jsonl", f"{tmp_path}/a\0b"):
        with recorded(Settings(record=path), told.append, pytest.fail) as recording:
            recording.begin(Terms(session=Session(type="realtime")))(0, Interrupted())
    assert len(told) == 2
    assert all("not recorded" in notice.text for notice in told)


@pytest.mark.skipif(sys.platform != "linux", reason="macOS and Windows have no such names")
def test_a_name_that_is_no_utf_8_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.jsonl"
    told: list[Notice] = []
    with recorded(Settings(record=str(path)), told.append, lambda line: None) as recording:
        recording.begin(Terms(session=Session(type="realtime")))
    with path.open("rb") as lines:
        assert reading.header(next(lines))["id"] == "caf\udce9"
