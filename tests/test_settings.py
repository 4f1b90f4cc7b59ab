import pickle
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from rtassist.config_file import config_path
from rtassist.errors import SettingsWrong
from rtassist.settings import (
    CONFIG_KEYS,
    DEFAULT_INSTRUCTIONS,
    KEYS,
    OPTIONS,
    Secret,
    Settings,
    Trust,
)
from rtassist.settings_loading import load

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The current folder, which is not the config file's."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment that names an empty config file."""
    config = tmp_path / "config.toml"
    config.touch()
    return {"RTASSIST_CONFIG": str(config)}


def problems(flags: dict[str, object], environ: dict[str, str], folder: Path) -> tuple[str, ...]:
    with pytest.raises(SettingsWrong) as raised:
        load(flags, environ, folder)
    assert raised.value.exit_code == 2
    return raised.value.problems


def test_with_nothing_set_the_conversation_is_with_the_embedded_server(
    folder: Path, environ: dict[str, str]
) -> None:
    settings = load({}, environ, folder)

    assert settings == Settings()
    assert settings.embedded
    assert settings.url == "wss://api.openai.com/v1/realtime"
    assert (settings.model, settings.voice) == ("gpt-realtime-2.1", "marin")
    assert settings.transcription_model == "gpt-realtime-whisper"
    assert settings.instructions == DEFAULT_INSTRUCTIONS
    assert str(settings.source("model")) == "model (the default)"


def test_each_source_goes_over_the_one_below(folder: Path, environ: dict[str, str]) -> None:
    config = Path(environ["RTASSIST_CONFIG"])
    names = ["voice", "model", "mic", "speaker"]
    config.write_text("".join(f'{name} = "config"\n' for name in names))
    (folder / ".env").write_text(
        "RTASSIST_MODEL=dotenv\nRTASSIST_MIC='dotenv'\nexport RTASSIST_SPEAKER=dotenv\n"
    )
    environ |= {"RTASSIST_MIC": "environment", "RTASSIST_SPEAKER": "environment"}

    settings = load({"speaker": "flag", "model": None}, environ, folder)

    assert [getattr(settings, name) for name in names] == ["config", "dotenv", "environment", "flag"]
    assert [str(settings.source(name)) for name in names] == [
        f"voice ({config})",
        f"RTASSIST_MODEL ({folder / '.env'})",
        "RTASSIST_MIC (the environment)",
        "--speaker",
    ]
    assert [settings.source(name).trust for name in names] == [
        Trust.CONFIG,
        Trust.DOTENV,
        Trust.ENVIRONMENT,
        Trust.FLAG,
    ]


def test_every_value_is_read_in_its_kind(folder: Path, environ: dict[str, str]) -> None:
    Path(environ["RTASSIST_CONFIG"]).write_text(
        'vad_threshold = 0.25\nmax_sessions = 3\nextras = true\norigins = ["https://a.example", "null"]\n'
    )
    environ |= {
        "RTASSIST_API_KEY": " ours ",
        "OPENAI_API_KEY": "openai's",
        "RTASSIST_TIMEOUT": "2.5",
        "RTASSIST_VAD": "OFF",
        "RTASSIST_TEXT": "Yes",
        "RTASSIST_LANGUAGE": "DE",
        "RTASSIST_LLM_URL": "http://localhost:11434/v1/",
        "RTASSIST_VOICE": "",
    }

    settings = load({"port": 0, "fast": True, "origins": ()}, environ, folder)

    assert settings.api_key == Secret("ours")
    assert (settings.vad_threshold, settings.max_sessions, settings.extras) == (0.25, 3, True)
    assert settings.origins == ("https://a.example", "null")
    assert (settings.timeout_s, settings.vad, settings.text, settings.language) == (2.5, "off", True, "de")
    assert settings.llm_url == "http://localhost:11434/v1"
    assert (settings.port, settings.fast) == (0, True)
    assert settings.voice == "marin"
    assert not settings.embedded


def test_the_config_files_names_are_the_variables_without_their_prefix(
    folder: Path, environ: dict[str, str]
) -> None:
    assert len(CONFIG_KEYS) == len(OPTIONS)
    Path(environ["RTASSIST_CONFIG"]).write_text("timeout = 3\nexpires = 60\nvad_silence_ms = 200\n")
    settings = load({}, environ, folder)
    assert (settings.timeout_s, settings.expires_s, settings.vad_silence_ms) == (3.0, 60, 200)


def test_every_problem_is_told_at_once_with_its_name_source_and_what_is_allowed(
    folder: Path, environ: dict[str, str]
) -> None:
    config = Path(environ["RTASSIST_CONFIG"])
    config.write_text('vice = "marin"\nmax_sessions = true\nqqq = 1\n')
    (folder / ".env").write_text("RTASSIST_TIMEOUT=soon\n")
    environ |= {
        "RTASSIST_VAD": "sometimes\x1b[2J",
        "OPENAI_API_KEY": "sk two words",
        "RTASSIST_URL": "api.x.ai",
    }

    told = problems({"port": 99999, "language": "english", "model": " "}, environ, folder)

    all_names = ", ".join(CONFIG_KEYS)
    assert sorted(told) == sorted(
        [
            f"vice ({config}) is no setting; did you mean voice?",
            f"qqq ({config}) is no setting; there are {all_names}.",
            f"max_sessions ({config}) is 'True': must be a whole number from 1 to 10000.",
            f"RTASSIST_TIMEOUT ({folder / '.env'}) is 'soon': must be a number from 0.1 to 600.",
            "RTASSIST_VAD (the environment) is 'sometimes [2J': must be one of server, semantic, off.",
            "OPENAI_API_KEY (the environment) must be one word of plain characters, as keys are.",
            "RTASSIST_URL (the environment) is 'api.x.ai': must begin with wss:// or ws:// and name a host.",
            "--port is '99999': must be a whole number from 0 to 65535.",
            "--language is 'english': must be a language's code of ISO 639, such as en or de.",
            "--model is '': must be text and not empty.",
        ]
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"vad": "semantic", "vad_threshold": 0.5}, "--vad-threshold is for --vad server"),
        ({"text": "perhaps"}, "--text is 'perhaps': must be one of 1, true, yes, on, 0, false, no, off"),
        ({"vad_silence_ms": "nan"}, "--vad-silence-ms is 'nan': must be a whole number from 0 to 10000"),
        ({"timeout_s": float("nan")}, "--timeout is 'nan': must be a number"),
        ({"server_key": ""}, "must be one word of plain characters, as keys are"),
        ({"origins": 7}, "--origin is '7': must be a list, or text with commas between"),
        ({"url": "wss://u:hunter22@h/"}, "must not hold a user name or password"),
        ({"url": "wss://h:port/"}, "must name host and port as a URL does"),
    ],
)
def test_what_a_flag_cannot_be(
    flags: dict[str, object], words: str, folder: Path, environ: dict[str, str]
) -> None:
    (told,) = problems(flags, environ, folder)
    assert words in told


@pytest.mark.parametrize(
    ("said", "means"),
    [("0", False), ("off", False), (False, False), ("Yes", True), ("./on", "./on"), (" ~/calls ", "~/calls")],
)
def test_recording_is_a_switch_or_a_place(
    said: object, means: object, folder: Path, environ: dict[str, str]
) -> None:
    assert load({"record": said}, environ, folder).record == means


def test_an_endpoints_url_is_http_and_without_password(folder: Path, environ: dict[str, str]) -> None:
    environ |= {"RTASSIST_LLM_URL": "ws://localhost", "RTASSIST_TTS_URL": "http://u:p@localhost"}
    told = problems({}, environ, folder)
    assert "must begin with http:// or https://" in told[0]
    assert "there is a variable for the key" in told[1]


@pytest.mark.parametrize("other", ["x.wav", "./x.wav", "symlink.wav", "hardlink.wav"])
def test_what_is_heard_is_not_written_over(other: str, folder: Path, environ: dict[str, str]) -> None:
    (folder / "x.wav").touch()
    (folder / "symlink.wav").symlink_to("x.wav")
    (folder / "hardlink.wav").hardlink_to(folder / "x.wav")
    (told,) = problems({"mic": "x.wav", "speaker": other}, environ, folder)
    assert "--speaker" in told
    assert "--mic" in told
    assert load({"mic": "x.wav", "speaker": "y.wav"}, environ, folder).speaker == "y.wav"
    assert load({"mic": "-", "speaker": "-"}, environ, folder).speaker == "-"


@pytest.mark.parametrize(
    "flags",
    [
        {"text": True, "mic": "x.wav"},
        {"text": True, "speaker": "-"},
        {"text": True, "ptt": True},
        {"offline": True, "url": "ws://localhost/"},
        {"ptt": True, "vad": "semantic"},
        {"vad": "off", "vad_threshold": 0.3},
        {"vad": "off", "vad_silence_ms": 300},
        {"record": False, "record_audio": True},
    ],
)
def test_flags_that_say_opposite_things_are_told(
    flags: dict[str, object], folder: Path, environ: dict[str, str]
) -> None:
    (told,) = problems(flags, environ, folder)
    first, second = (name.replace("_", "-") for name in flags)
    assert f"-{first}" in told
    assert f"--{second}" in told


def test_a_flag_goes_over_what_the_environment_says_otherwise(folder: Path, environ: dict[str, str]) -> None:
    set_there = environ | {
        "RTASSIST_MIC": "x.wav",
        "RTASSIST_PTT": "1",
        "RTASSIST_URL": "ws://localhost/",
        "RTASSIST_VAD": "server",
    }
    assert load({"text": True, "mic": "none"}, set_there, folder).text
    assert load({"text": True, "offline": True}, set_there, folder).embedded
    assert load({"ptt": True}, set_there, folder).ptt


def test_a_password_in_a_url_is_not_repeated(folder: Path, environ: dict[str, str]) -> None:
    environ["RTASSIST_LLM_URL"] = "http://me:hunter2@" + "x" * 80 + "@localhost/v1"
    told = problems({"url": "ws://me:hunter2@localhost/", "origins": ("",)}, environ, folder)
    assert len(told) == 3
    assert "hunter2" not in str(told)
    assert "'ws://…@localhost/'" in str(told)
    assert "--origin is '':" in str(told)


@pytest.mark.parametrize(
    "wrong",
    [
        "ws://me:hun/hunter2@localhost/",
        "me:hunter2@localhost",
        "//me:hunter2@localhost",
        "htp://localhost/?api_key=hunter2",
        "https://me:@x@y:hunter2@localhost/?hunter2",
        "localhost?key=hunter2&x=hunter2",
    ],
)
def test_what_a_url_that_is_none_holds_is_not_repeated(
    wrong: str, folder: Path, environ: dict[str, str]
) -> None:
    told = str(problems({"url": wrong}, environ | {"RTASSIST_LLM_URL": wrong}, folder))
    assert "--url is" in told
    assert "hunter2" not in told
    assert "localhost" in told


def test_a_config_file_that_cannot_be_used_is_told(folder: Path, environ: dict[str, str]) -> None:
    config = Path(environ["RTASSIST_CONFIG"])
    config.write_text("model = \n")
    assert problems({}, environ, folder)[0].startswith(f"{config} is not TOML: ")
    config.write_bytes(b"\xff\xfe")
    assert problems({}, environ, folder) == (f"{config} cannot be read: it is not UTF-8 text.",)
    config.unlink()
    assert problems({}, environ, folder) == (
        f"RTASSIST_CONFIG (the environment) names {config}, and there is no such file.",
    )
    config.mkdir()
    assert "cannot be read" in problems({}, environ, folder)[0]


def test_a_dotenv_that_is_no_text_is_told(folder: Path, environ: dict[str, str]) -> None:
    (folder / ".env").write_bytes(b"RTASSIST_MODEL=\xff\n")
    assert problems({}, environ, folder) == (f"{folder / '.env'} cannot be read: it is not UTF-8 text.",)


def test_without_the_variable_the_platforms_own_config_file_may_be_absent(tmp_path: Path) -> None:
    assert config_path({}).name == "config.toml"
    assert config_path({"RTASSIST_CONFIG": "~/x.toml"}) == Path.home() / "x.toml"


def test_instructions_may_come_from_a_file(folder: Path, environ: dict[str, str]) -> None:
    (folder / "pirate.txt").write_text("Talk like a pirate.\n", "utf-8")
    assert load({"instructions": "@pirate.txt"}, environ, folder).instructions == "Talk like a pirate."
    assert load({"instructions": ""}, environ, folder).instructions == ""
    (told,) = problems({"instructions": "@absent.txt"}, environ, folder)
    assert told.startswith("--instructions is '@absent.txt': must name a file that can be read (No such file")


def test_a_dotenv_cannot_have_other_files_of_the_user_sent(folder: Path, environ: dict[str, str]) -> None:
    outside = folder.parent / "private.txt"
    outside.write_text("a secret")
    (folder / "prompt.txt").write_text("hello")
    (folder / ".env").write_text("RTASSIST_INSTRUCTIONS=@prompt.txt\n")
    assert load({}, environ, folder).instructions == "hello"

    (folder / ".env").write_text("RTASSIST_INSTRUCTIONS=@../private.txt\n")
    assert "must name a file below the folder of that .env" in problems({}, environ, folder)[0]


def test_a_dotenv_cannot_send_the_environments_key_to_a_url_of_its_choosing(
    folder: Path, environ: dict[str, str]
) -> None:
    (folder / ".env").write_text("RTASSIST_URL=wss://evil.example/v1/realtime\n")
    environ["OPENAI_API_KEY"] = "sk-hunter22"

    (told,) = problems({}, environ, folder)

    assert told == (
        f"RTASSIST_URL ({folder / '.env'}) sends the key in OPENAI_API_KEY (the environment) to "
        "evil.example, but is trusted less than the key's own place. If you mean it, give both in one place, "
        "or say --url or RTASSIST_URL in the environment."
    )
    assert load({"url": "wss://fine.example"}, environ, folder).url == "wss://fine.example"
    assert load({"offline": True}, environ, folder).embedded


def test_a_dotenv_cannot_carry_the_key_away_inside_a_url(folder: Path, environ: dict[str, str]) -> None:
    (folder / ".env").write_text("RTASSIST_URL=wss://evil.example/?k=${OPENAI_API_KEY}\n")
    environ["OPENAI_API_KEY"] = "sk-hunter22"
    assert "hunter22" not in "".join(problems({}, environ, folder))
    del environ["OPENAI_API_KEY"]
    assert load({}, environ, folder).url.endswith("?k=${OPENAI_API_KEY}")


@pytest.mark.parametrize(
    ("key_in", "url_in", "sent"),
    [
        ("dotenv", "dotenv", True),
        ("dotenv", "config", True),
        ("dotenv", "environment", True),
        ("config", "dotenv", False),
        ("config", "config", True),
        ("config", "environment", True),
        ("environment", "dotenv", False),
        ("environment", "config", False),
        ("environment", "environment", True),
        ("environment", "default", True),
        ("dotenv", "default", True),
    ],
)
def test_a_key_goes_where_a_source_as_trusted_as_its_own_sends_it(
    key_in: str, url_in: str, sent: bool, folder: Path, environ: dict[str, str]
) -> None:
    places: dict[str, list[str]] = {"dotenv": [], "config": [], "environment": [], "default": []}
    places[key_in].append("key")
    places[url_in].append("url")
    values = {
        "key": ("RTASSIST_API_KEY", "api_key", "hunter22"),
        "url": ("RTASSIST_URL", "url", "wss://h.example"),
    }
    (folder / ".env").write_text("".join(f"{values[w][0]}={values[w][2]}\n" for w in places["dotenv"]))
    config = "".join(f'{values[w][1]} = "{values[w][2]}"\n' for w in places["config"])
    Path(environ["RTASSIST_CONFIG"]).write_text(config)
    environ |= {values[w][0]: values[w][2] for w in places["environment"]}

    if sent:
        assert load({}, environ, folder).api_key == Secret("hunter22")
    else:
        assert len(problems({}, environ, folder)) == 1


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_key_is_not_sent_unencrypted_to_another_machine_unless_told(
    key: str, folder: Path, environ: dict[str, str]
) -> None:
    url = KEYS[key]
    scheme = "ws" if url == "url" else "http"
    environ |= {
        f"RTASSIST_{key.upper()}": "hunter22",
        f"RTASSIST_{url.upper()}": f"{scheme}://box.local:80/v1",
    }

    (told,) = problems({}, environ, folder)
    assert f"to box.local unencrypted. Use {scheme}s://" in told

    (folder / ".env").write_text("RTASSIST_ALLOW_PLAINTEXT=1\n")
    assert problems({}, environ, folder) == (told,)
    environ["RTASSIST_ALLOW_PLAINTEXT"] = "1"
    assert getattr(load({}, environ, folder), key) == Secret("hunter22")


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1", "127.3.2.1:1", "[::1]:9", "a.localhost"])
def test_this_machine_may_have_the_key_unencrypted(host: str, folder: Path, environ: dict[str, str]) -> None:
    environ |= {"RTASSIST_API_KEY": "hunter22", "RTASSIST_URL": f"ws://{host}/"}
    assert load({}, environ, folder).url == f"ws://{host}/"


@pytest.mark.parametrize("host", ["localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "10.0.0.1"])
def test_what_only_looks_like_this_machine_may_not(host: str, folder: Path, environ: dict[str, str]) -> None:
    environ |= {"RTASSIST_API_KEY": "hunter22", "RTASSIST_URL": f"ws://{host}/"}
    assert "unencrypted" in problems({}, environ, folder)[0]


def test_a_named_server_without_a_key_is_not_the_embedded_one(folder: Path, environ: dict[str, str]) -> None:
    environ["RTASSIST_URL"] = "ws://127.0.0.1:8765"
    assert not load({}, environ, folder).embedded


def test_a_secret_shows_itself_nowhere(folder: Path, environ: dict[str, str]) -> None:
    secret = Secret("hunter22")
    environ["OPENAI_API_KEY"] = "hunter22"
    settings = load({}, environ, folder)
    for text in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!s:>20}",
        repr(settings),
        str(attrs.asdict(settings)),
    ):
        assert "hunter22" not in text
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(secret)
    assert secret.reveal() == "hunter22"
    assert secret == Secret("hunter22") != Secret("other")
    assert len({secret, Secret("hunter22")}) == 1


def test_the_example_names_every_variable_and_no_other() -> None:
    named = re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
    known = [variable for option in OPTIONS for variable in option.metadata["variables"]]
    assert sorted(named) == sorted([*known, "RTASSIST_CONFIG"])


def test_the_examples_values_are_the_defaults_or_can_be_used(folder: Path, environ: dict[str, str]) -> None:
    text = (ROOT / ".env.example").read_text()
    (folder / ".env").write_text(re.sub(r"^#([A-Z_]+=)", r"\1", text, flags=re.M))

    settings = load({}, environ, folder)

    examples = {"language", "llm_url", "stt_url", "tts_url"}
    changed = {option.name for option in OPTIONS if getattr(settings, option.name) != option.default}
    assert changed == examples


@pytest.mark.parametrize("name", ["TOOLS=a.py", "MCP=a=npx b", "EXEC=turn.done=b", "YES_TO=delete"])
def test_a_folders_dotenv_runs_no_program_and_allows_none(
    name: str, folder: Path, environ: dict[str, str]
) -> None:
    (folder / ".env").write_text(f"RTASSIST_{name}\n")
    (told,) = problems({}, environ, folder)
    variable = f"RTASSIST_{name.split('=')[0]}"
    assert told.startswith(f"{variable} ({folder / '.env'}) would run what comes with a folder")

    (folder / ".env").write_text("")
    load({}, environ | {variable: name.partition("=")[2]}, folder)


def test_a_servers_secrets_are_not_repeated_when_its_table_is_wrong(
    folder: Path, environ: dict[str, str]
) -> None:
    Path(environ["RTASSIST_CONFIG"]).write_text('[mcp.a]\nauthorization = "hunter22"\n[mcp.b]\nurl = "x"\n')
    (told,) = problems({}, environ, folder)
    assert told.endswith("must give a a command or a url, and one of the two.")
    assert "hunter22" not in told


def test_tools_servers_and_hooks_come_from_the_config_file(folder: Path, environ: dict[str, str]) -> None:
    Path(environ["RTASSIST_CONFIG"]).write_text(
        'tools = ["a.py"]\ntool_timeout = 5\nyes_to = ["files"]\n'
        '[mcp.files]\ncommand = "npx"\nargs = ["-y", "server"]\n[exec]\n"turn.done" = "logger"\n'
    )
    settings = load({}, environ, folder)
    assert (settings.tools, settings.tool_timeout_s, settings.yes_to) == (("a.py",), 5.0, ("files",))
    assert [server.command for server in settings.mcp] == [("npx", "-y", "server")]
    assert [(hook.event, hook.command) for hook in settings.hooks] == [("turn.done", ("logger",))]


def test_every_line_of_the_example_is_a_comment() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert all(line.startswith("#") or not line for line in lines)


def test_settings_load_no_machinery() -> None:
    program = "import sys, rtassist.settings; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"trio", "numpy", "httpx2", "cattrs", "orjson", "soundcard", "rtassist.protocol", "ssl"}
    assert not heavy & set(run.stdout.split())


def test_phrases_of_ones_own(folder: Path, environ: dict[str, str]) -> None:
    table = '[phrases]\ngoodbye = ["So long!", "see you"]\nmute = "Hush"\n'
    Path(environ["RTASSIST_CONFIG"]).write_text(table)
    wanted = (("so long", "goodbye"), ("see you", "goodbye"), ("hush", "mute"))
    assert load({}, environ, folder).phrases == wanted
    environ["RTASSIST_PHRASES"] = "goodbye=So long, see you; mute=hush"
    assert load({}, environ, folder).phrases == wanted


@pytest.mark.parametrize("value", ["goodbye", "sing=la la", "goodbye=", "goodbye=...", "goodbye=a,,b"])
def test_phrases_that_mean_nothing(value: str, folder: Path, environ: dict[str, str]) -> None:
    environ["RTASSIST_PHRASES"] = value
    with pytest.raises(SettingsWrong, match="must be commands with what means them"):
        load({}, environ, folder)


def test_the_key_may_be_in_a_variable_of_another_name(folder: Path, environ: dict[str, str]) -> None:
    environ |= {"AZURE_KEY": "k-from-azure", "OPENAI_API_KEY": "k-from-openai"}
    settings = load({"api_key_env": "AZURE_KEY", "url": "wss://mine.openai.azure.com"}, environ, folder)

    assert settings.api_key == Secret("k-from-azure")
    assert str(settings.source("api_key")) == "AZURE_KEY (the environment)"


def test_a_variable_that_is_named_and_not_set_is_told(folder: Path, environ: dict[str, str]) -> None:
    assert problems({"api_key_env": "AZURE_KEY"}, environ, folder) == (
        "--api-key-env names the variable AZURE_KEY, and that is not set.",
    )
    (told,) = problems({"api_key_env": "sk-proj-pasted-by-mistake"}, environ, folder)
    assert told == "--api-key-env must be the name of a variable, not a key."


def test_a_dotenv_cannot_have_another_secret_sent(folder: Path, environ: dict[str, str]) -> None:
    environ |= {"AWS_SECRET": "k-of-another-service"}
    (folder / ".env").write_text("RTASSIST_API_KEY_ENV=AWS_SECRET\nRTASSIST_URL=wss://evil.example/\n")
    (told,) = problems({}, environ, folder)
    assert told.endswith("names the variable AWS_SECRET, and that is not set.")

    (folder / ".env").write_text("RTASSIST_API_KEY_ENV=MINE\nMINE=k-of-this-folder\n")
    assert load({}, environ, folder).api_key == Secret("k-of-this-folder")


def test_a_config_file_may_name_server_and_variable(folder: Path, environ: dict[str, str]) -> None:
    Path(environ["RTASSIST_CONFIG"]).write_text('url = "wss://api.x.ai"\napi_key_env = "XAI_KEY"\n')
    settings = load({}, environ | {"XAI_KEY": "k-from-xai"}, folder)

    assert settings.api_key == Secret("k-from-xai")
    assert not settings.embedded


def test_headers_are_read_and_do_not_show_themselves(folder: Path, environ: dict[str, str]) -> None:
    url = {"url": "wss://one.example/"}
    settings = load(url | {"headers": ("X-One: a b", "api-key:hidden-value")}, environ, folder)
    assert [(name, value.reveal()) for name, value in settings.headers] == [
        ("X-One", "a b"),
        ("api-key", "hidden-value"),
    ]
    assert "hidden-value" not in repr(settings)
    from_variable = load(url, environ | {"RTASSIST_HEADERS": "X-One: a b\napi-key: hidden-value\n"}, folder)
    assert from_variable.headers == settings.headers


@pytest.mark.parametrize(
    ("header", "must"),
    [
        ("no colon at all", "must have the form Name: value"),
        ("X-Empty:", "must have the form Name: value"),
        ("Bad Name: hidden-value", "must have the form Name: value"),
        ("Host: hidden-value", "must not set Host, which belongs to the connection itself"),
        ("Sec-WebSocket-Key: x", "must not set Sec-WebSocket-Key, which belongs to the connection itself"),
        ("X-One: hidden\r\nX-Two: value", "must give X-One a value of plain characters"),
    ],
)
def test_a_header_that_cannot_be_sent_is_told_without_its_value(
    header: str, must: str, folder: Path, environ: dict[str, str]
) -> None:
    assert problems({"headers": (header,)}, environ, folder) == (f"--header {must}.",)


def test_headers_go_where_a_source_as_trusted_sends_them(folder: Path, environ: dict[str, str]) -> None:
    (folder / ".env").write_text("RTASSIST_URL=wss://evil.example/\n")
    (told,) = problems({}, environ | {"RTASSIST_HEADERS": "api-key: hidden-value"}, folder)
    assert "sends the headers in RTASSIST_HEADERS (the environment) to evil.example" in told
    assert "hidden-value" not in told
