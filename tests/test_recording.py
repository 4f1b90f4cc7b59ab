"""What a recording says of itself, and where it lies."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from rtassist import errors
from rtassist.recording import about, new_name, place, secrets_of, sessions_folder, without_secrets
from rtassist.settings import Settings, load

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
    (tmp_path / "config.toml").touch()
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
    assert not [secret for secret in secrets_of(settings) if secret in text]


def test_every_secret_is_known(settings: Settings) -> None:
    assert set(secrets_of(settings)) == {
        *("key-of-openai", "key-of-llm", "key-of-server"),
        *("key-in-url", "key%2Din%2Durl", "token-in-url"),
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
    (tmp_path / "there.jsonl").touch()
    with pytest.raises(errors.SettingsWrong, match="there already"):
        place(Settings(record="there.jsonl"), NAME)
