"""`rtassist config`: what counts and where it comes from, without a secret."""

import json
from pathlib import Path

from rtassist.cli_config import _line
from rtassist.settings import CONFIG_KEYS
from tests.test_cli import rtassist

KEY = "sk-proj-abcdefghijklmnop"
URL = "wss://api.example/v1?api_key=hunter2&model=m"


def test_each_value_is_shown_with_its_source_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('voice = "ash"\n[profiles.p]\nmic = "usb"\n[prices."m"]\nminute = 0.5\n')
    environ = {"RTASSIST_CONFIG": str(tmp_path / "x.toml"), "RTASSIST_API_KEY": KEY, "RTASSIST_URL": URL}

    told = rtassist("config", "--profile", "p", folder=tmp_path, **environ)

    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert [line.split(" = ")[0] for line in lines if " = " in line] == [*CONFIG_KEYS, "minute"]
    assert any(
        line.split() == ["voice", "=", '"ash"', "#", "voice", f"({tmp_path}/x.toml)"] for line in lines
    )
    assert any(line.startswith('mic = "usb"') and "profiles.p.mic" in line for line in lines)
    assert any(line.startswith('model = "gpt-realtime-2.1"') and "the default" in line for line in lines)
    assert any(line.startswith('api_key = "(hidden)"') and "RTASSIST_API_KEY" in line for line in lines)
    assert '[prices."m"]' in lines

    as_json = rtassist("config", "--profile", "p", "--json", folder=tmp_path, **environ)
    found = json.loads(as_json.stdout)
    assert found["profile"] == "p"
    assert found["settings"]["mic"] == {
        "value": "usb",
        "source": {"kind": "config", "name": "profiles.p.mic", "place": str(tmp_path / "x.toml")},
    }
    assert found["settings"]["url"]["value"] == "wss://api.example/v1?model=m"
    assert found["settings"]["duck"]["source"]["kind"] == "default"
    assert found["prices"] == {"m": {"minute": 0.5}}
    for secret in (KEY, "hunter2"):
        assert secret not in told.stdout + told.stderr + as_json.stdout


def test_the_file_is_named_and_written_once(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    environ = {"RTASSIST_CONFIG": str(file)}
    assert rtassist("config", "--path", folder=tmp_path, **environ).stdout == f"{file}\n"
    assert not file.exists()
    assert rtassist("config", "--init", folder=tmp_path, **environ).returncode == 0
    again = rtassist("config", "--init", folder=tmp_path, **environ)
    assert again.returncode == 1
    assert "not written over" in again.stderr
    assert rtassist("config", "--init", "--path", folder=tmp_path, **environ).returncode == 2
    assert rtassist("config", folder=tmp_path, RTASSIST_VAD="maybe").returncode == 2


def test_a_line_that_does_not_fit_is_cut_and_says_first_where_it_comes_from() -> None:
    assert _line("voice = 1", "the default", 80) == [f"{'voice = 1':<40}  # the default"]
    assert _line("voice = 1", "--voice", 30) == ["# --voice:", "voice = 1"]
    assert _line("x = " + "1" * 90, "--voice", 60) == ["# --voice:", "x = " + "1" * 55 + "…"]
