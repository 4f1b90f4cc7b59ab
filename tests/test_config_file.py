"""Profiles, personas and prices in the config file, and the first one that is written."""

import re
import stat
import sys
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from rtassist.config_file import commented, write_first
from rtassist.costs import Price
from rtassist.errors import Failure, SettingsWrong
from rtassist.setting_values import PRICE_KEYS
from rtassist.settings import OPTIONS, Secret, Settings, Trust
from rtassist.settings_loading import load


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    (tmp_path / "personas").mkdir()
    return tmp_path / "config.toml"


def loaded(config: Path, flags: dict[str, object] | None = None, **environ: str) -> Settings:
    return load(flags or {}, {"RTASSIST_CONFIG": str(config)} | environ, config.parent / "here")


def problems(config: Path, flags: dict[str, object] | None = None, **environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsWrong) as raised:
        loaded(config, flags, **environ)
    return raised.value.problems


PROFILES = """
voice = "ash"
model = "top"
[profiles.work]
voice = "cedar"
mic = "headset"
[profiles.home]
voice = "coral"
"""


def test_a_profile_goes_over_the_lines_above_and_under_all_else(config: Path) -> None:
    config.write_text(PROFILES)
    (config.parent / "here" / ".env").write_text("RTASSIST_MIC=usb\n")

    settings = loaded(config, {"profile": "work"})

    assert (settings.voice, settings.model, settings.mic) == ("cedar", "top", "usb")
    assert str(settings.source("voice")) == f"profiles.work.voice ({config})"
    assert settings.source("voice").trust is Trust.CONFIG
    assert loaded(config).voice == "ash"


def test_a_profile_is_chosen_by_flag_variable_dotenv_or_the_file_itself(config: Path) -> None:
    config.write_text('profile = "home"\n' + PROFILES)
    assert loaded(config).voice == "coral"
    (config.parent / "here" / ".env").write_text("RTASSIST_PROFILE=work\n")
    assert loaded(config).voice == "cedar"
    assert loaded(config, RTASSIST_PROFILE="home").voice == "coral"
    settings = loaded(config, {"profile": "work"}, RTASSIST_PROFILE="home")
    assert (settings.profile, settings.voice) == ("work", "cedar")


def test_a_key_in_a_profile_goes_where_the_profile_says(config: Path) -> None:
    config.write_text('[profiles.other]\napi_key = "hunter22"\nurl = "wss://h.example"\n')
    assert loaded(config, {"profile": "other"}).api_key == Secret("hunter22")
    config.write_text('[profiles.other]\nurl = "wss://h.example"\n')
    assert "trusted less" in problems(config, {"profile": "other"}, OPENAI_API_KEY="hunter22")[0]


def test_what_is_wrong_with_profiles_and_prices_is_told(config: Path) -> None:
    config.write_text(PROFILES)
    assert problems(config, {"profile": "wrk"}) == (
        f"--profile is 'wrk': {config} has no such profile; it has work, home.",
    )
    config.write_text('prices = 1\n[profiles]\nwork = 2\n[profiles.home]\nvoyce = "x"\nprofile = "home"\n')
    wrong = problems(config, {"profile": "none"})
    assert f"profiles.work ({config}) must be a table: [profiles.work]" in str(wrong)
    assert f"prices.NAME ({config}) must be a table" in str(wrong)
    assert f"profiles.home.voyce ({config}) is no setting; did you mean voice?" in wrong
    assert f"profiles.home.profile ({config}) is no setting" in str(wrong)
    config.write_text('[prices."m"]\ntext_inn = 1\n[prices.n]\nminute = true\n[prices.o]\naudio_in = -1\n')
    told = problems(config)
    assert "prices.m" in told[0]
    assert "text_inn" in told[0]
    assert all("must be US dollars" in sentence for sentence in told[1:])
    assert len(told) == 3


def test_prices_are_read_exactly(config: Path) -> None:
    config.write_text('[prices."my-model"]\ntext_in = 0.1\nminute = "0.006"\naudio_in = 32\n')
    assert loaded(config).prices == {
        "my-model": {"text_in": Decimal("0.1"), "minute": Decimal("0.006"), "audio_in": Decimal(32)}
    }
    assert set(PRICE_KEYS) == set(Price().rates())


def test_a_persona_is_a_file_in_the_config_files_folder(config: Path) -> None:
    config.write_text("")
    folder = config.parent / "personas"
    assert problems(config, {"persona": "pirate"}) == (
        f"--persona is 'pirate': must be a file pirate.md in {folder}; there is none yet.",
    )
    (folder / "pirate.md").write_text("Arr.\n")
    (folder / "pirate.txt").write_text("not this one")
    (folder / "sea dog.txt").write_text("Wuff.")

    settings = loaded(config, {"persona": "pirate"})

    assert (settings.persona, settings.instructions) == ("pirate", "Arr.")
    assert str(settings.source("instructions")) == "--persona"
    assert loaded(config, RTASSIST_PERSONA="sea dog").instructions == "Wuff."
    assert "there are pirate, sea dog" in problems(config, {"persona": "pirat"})[0]


@pytest.mark.parametrize("name", ["../personas/pirate", "/etc/passwd", ".hidden", "a\\b", "x/../y", "*"])
def test_a_personas_name_is_no_path(name: str, config: Path) -> None:
    config.write_text("")
    (config.parent / "personas" / "pirate.md").write_text("Arr.")
    assert "must be a name of letters" in problems(config, {"persona": name})[0]


def test_of_persona_and_instructions_the_later_source_counts(config: Path) -> None:
    (config.parent / "personas" / "pirate.md").write_text("Arr.")
    config.write_text('persona = "pirate"\n')
    assert loaded(config).instructions == "Arr."
    plain = loaded(config, RTASSIST_INSTRUCTIONS="Be plain.")
    assert (plain.instructions, plain.persona) == ("Be plain.", None)
    assert loaded(config, {"persona": "pirate"}, RTASSIST_INSTRUCTIONS="Be plain.").instructions == "Arr."
    (told,) = problems(config, {"persona": "pirate", "instructions": "Be plain."})
    assert told == (
        "--persona and --instructions both say what the assistant is to be like. Leave out one of the two."
    )


def test_the_first_config_file_explains_every_setting_and_changes_none(config: Path) -> None:
    write_first(config)
    assert all(line.startswith("#") or not line for line in config.read_text().splitlines())
    assert loaded(config) == Settings()

    keys = re.findall(r"^#([a-z_]+) = ", commented().partition("#[profiles")[0], re.M)
    assert sorted(keys) == sorted(
        option.metadata["variables"][0].removeprefix("RTASSIST_").lower() for option in OPTIONS
    )
    assert "RTASSIST_CONFIG" not in commented()
    assert "OPENAI_API_KEY" not in commented()


def test_its_lines_without_their_sign_are_the_defaults_or_can_be_used(config: Path) -> None:
    text = re.sub(r"^#(\w+ = \"\"\n)", r"# \1", commented(), flags=re.M)
    config.write_text(re.sub(r"^#(\w+ = |\[)", r"\1", text, flags=re.M))
    tomllib.loads(config.read_text())

    settings = loaded(config)

    examples = {"language", "llm_url", "stt_url", "tts_url"}
    assert {o.name for o in OPTIONS if getattr(settings, o.name) != o.default} == examples
    assert set(settings.prices) == {"my-model", "my-transcriber"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps rights otherwise")
def test_the_first_config_file_is_private_and_nothing_is_written_over(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.toml"
    write_first(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("mine")
    with pytest.raises(Failure, match="there already"):
        write_first(file)
    assert file.read_text() == "mine"
    with pytest.raises(Failure, match="cannot be written"):
        write_first(file / "x.toml")


def test_a_wheel_has_the_example_that_it_is_made_from() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {".env.example": "rtassist/env.example"}
