"""Flags, environment, .env and a config file, made into one frozen `Settings`; each value knows its source.

What counts, the later over the earlier: defaults, the config file, `.env` in the current folder, the
environment, flags. What is trusted, the later over the earlier: `.env` (it comes with any folder that one
enters), the config file, the environment, flags. A key goes only where a source at least as trusted as its
own sends it.
"""

import os
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from enum import IntEnum
from pathlib import Path
from typing import Literal

import attrs
from attrs import field, frozen

from rtassist.errors import SettingsWrong, foreign_text
from rtassist.link.address import is_loopback, split_url
from rtassist.setting_values import (
    Secret,
    a_language,
    a_secret,
    any_number,
    http_headers,
    http_url,
    one_of,
    place_or_switch,
    plain_text,
    socket_url,
    switch,
    variable_name,
    whole_number,
    words,
)

__all__ = ["Secret", "Settings", "Source", "Trust", "config_path", "load"]

DEFAULT_INSTRUCTIONS = """\
You are a voice assistant in a terminal. Talk as people talk: short sentences, plain words, one thought at a \
time, in the language that the user speaks. Answer first, explain when asked. Never read out markup, long \
numbers or addresses; say what they mean. If you did not hear something well, say so and ask. If you do not \
know, say so. When you are interrupted, drop what you were saying and listen. Use a tool when it helps, \
without announcing it at length.\
"""
CONFIG_VARIABLE = "RTASSIST_CONFIG"


class Trust(IntEnum):
    """How far a source may be believed when it says where a key goes."""

    DOTENV = 0
    CONFIG = 1
    ENVIRONMENT = 2
    FLAG = 3
    DEFAULT = 4


@frozen
class Source:
    """Where a value came from: `name` is its variable, flag or key there, `place` that place."""

    trust: Trust
    name: str
    place: str

    def __str__(self) -> str:
        return self.name if self.trust is Trust.FLAG else f"{self.name} ({self.place})"


def _from(parse: Callable[[object], object], *variables: str, flag: str = "") -> dict[str, object]:
    return {"parse": parse, "variables": variables, "flag": flag}


@frozen(kw_only=True)
class Settings:
    """All that can be set. None means: not set, the part concerned knows what to do without."""

    api_key: Secret | None = field(
        default=None, metadata=_from(a_secret, "RTASSIST_API_KEY", "OPENAI_API_KEY")
    )
    api_key_env: str | None = field(
        default=None, metadata=_from(variable_name, "RTASSIST_API_KEY_ENV", flag="--api-key-env")
    )
    """The variable that holds the key, where it is none of the usual ones."""
    headers: tuple[tuple[str, Secret], ...] = field(
        default=(), metadata=_from(http_headers, "RTASSIST_HEADERS", flag="--header")
    )
    """Sent with the request to the Realtime server; the values count as secrets."""
    url: str = field(
        default="wss://api.openai.com/v1/realtime",
        metadata=_from(socket_url, "RTASSIST_URL", flag="--url"),
    )
    allow_plaintext: bool = field(
        default=False, metadata=_from(switch, "RTASSIST_ALLOW_PLAINTEXT", flag="--allow-plaintext")
    )
    offline: bool = field(default=False, metadata=_from(switch, "RTASSIST_OFFLINE", flag="--offline"))
    model: str = field(
        default="gpt-realtime-2.1", metadata=_from(plain_text, "RTASSIST_MODEL", flag="--model")
    )
    voice: str = field(default="marin", metadata=_from(plain_text, "RTASSIST_VOICE", flag="--voice"))
    instructions: str = field(
        default=DEFAULT_INSTRUCTIONS,
        metadata=_from(lambda value: str(value), "RTASSIST_INSTRUCTIONS", flag="--instructions"),
    )
    transcription_model: str = field(
        default="gpt-realtime-whisper", metadata=_from(plain_text, "RTASSIST_TRANSCRIPTION_MODEL")
    )
    language: str | None = field(
        default=None, metadata=_from(a_language, "RTASSIST_LANGUAGE", flag="--language")
    )
    timeout_s: float = field(
        default=10.0, metadata=_from(any_number(0.1, 600), "RTASSIST_TIMEOUT", flag="--timeout")
    )
    mic: str | None = field(default=None, metadata=_from(plain_text, "RTASSIST_MIC", flag="--mic"))
    speaker: str | None = field(
        default=None, metadata=_from(plain_text, "RTASSIST_SPEAKER", flag="--speaker")
    )
    echo: Literal["auto", "on", "off", "headphones"] = field(
        default="auto",
        metadata=_from(one_of("auto", "on", "off", "headphones"), "RTASSIST_ECHO", flag="--echo"),
    )
    duck: bool = field(default=True, metadata=_from(switch, "RTASSIST_DUCK", flag="--duck/--no-duck"))
    gain: Literal["auto", "off"] = field(
        default="auto", metadata=_from(one_of("auto", "off"), "RTASSIST_GAIN", flag="--gain")
    )
    text: bool = field(default=False, metadata=_from(switch, "RTASSIST_TEXT", flag="--text"))
    ptt: bool = field(default=False, metadata=_from(switch, "RTASSIST_PTT", flag="--ptt"))
    plain: bool = field(default=False, metadata=_from(switch, "RTASSIST_PLAIN", flag="--plain"))
    fast: bool = field(default=False, metadata=_from(switch, "RTASSIST_FAST", flag="--fast"))
    vad: Literal["server", "semantic", "off"] = field(
        default="server",
        metadata=_from(one_of("server", "semantic", "off"), "RTASSIST_VAD", flag="--vad"),
    )
    vad_threshold: float | None = field(
        default=None, metadata=_from(any_number(0, 1), "RTASSIST_VAD_THRESHOLD", flag="--vad-threshold")
    )
    vad_silence_ms: int | None = field(
        default=None,
        metadata=_from(whole_number(0, 10_000), "RTASSIST_VAD_SILENCE_MS", flag="--vad-silence-ms"),
    )
    record: str | bool = field(
        default=True, metadata=_from(place_or_switch, "RTASSIST_RECORD", flag="--record")
    )
    """Whether, or where: a folder, or a file NAME.jsonl."""
    record_audio: bool = field(
        default=True, metadata=_from(switch, "RTASSIST_RECORD_AUDIO", flag="--record-audio")
    )
    resume: str | None = field(default=None, metadata=_from(plain_text, "RTASSIST_RESUME", flag="--resume"))
    """The recording to go on with: how its id begins, `last`, or its file."""
    llm_url: str | None = field(default=None, metadata=_from(http_url, "RTASSIST_LLM_URL"))
    llm_key: Secret | None = field(default=None, metadata=_from(a_secret, "RTASSIST_LLM_KEY"))
    llm_model: str | None = field(default=None, metadata=_from(plain_text, "RTASSIST_LLM_MODEL"))
    stt_url: str | None = field(default=None, metadata=_from(http_url, "RTASSIST_STT_URL"))
    stt_key: Secret | None = field(default=None, metadata=_from(a_secret, "RTASSIST_STT_KEY"))
    stt_model: str | None = field(default=None, metadata=_from(plain_text, "RTASSIST_STT_MODEL"))
    tts_url: str | None = field(default=None, metadata=_from(http_url, "RTASSIST_TTS_URL"))
    tts_key: Secret | None = field(default=None, metadata=_from(a_secret, "RTASSIST_TTS_KEY"))
    tts_model: str | None = field(default=None, metadata=_from(plain_text, "RTASSIST_TTS_MODEL"))
    host: str = field(default="127.0.0.1", metadata=_from(plain_text, "RTASSIST_HOST", flag="--host"))
    port: int = field(default=8765, metadata=_from(whole_number(0, 65_535), "RTASSIST_PORT", flag="--port"))
    server_key: Secret | None = field(default=None, metadata=_from(a_secret, "RTASSIST_SERVER_KEY"))
    origins: tuple[str, ...] = field(default=(), metadata=_from(words, "RTASSIST_ORIGINS", flag="--origin"))
    max_sessions: int = field(
        default=16, metadata=_from(whole_number(1, 10_000), "RTASSIST_MAX_SESSIONS", flag="--max-sessions")
    )
    # OpenAI ends a session after an hour.
    expires_s: int = field(
        default=3600, metadata=_from(whole_number(1, 86_400), "RTASSIST_EXPIRES", flag="--expires")
    )
    latency_ms: int = field(
        default=0, metadata=_from(whole_number(0, 60_000), "RTASSIST_LATENCY_MS", flag="--latency-ms")
    )
    jitter_ms: int = field(
        default=0, metadata=_from(whole_number(0, 60_000), "RTASSIST_JITTER_MS", flag="--jitter-ms")
    )
    extras: bool = field(default=False, metadata=_from(switch, "RTASSIST_EXTRAS", flag="--extras"))
    sources: Mapping[str, Source] = field(factory=dict, repr=False)

    def source(self, name: str) -> Source:
        """Where the value of the field `name` came from."""
        return self.sources.get(name, Source(Trust.DEFAULT, name, "the default"))

    @property
    def embedded(self) -> bool:
        """Whether the conversation is with our own server: asked for, or no key and no other server named."""
        return self.offline or (self.api_key is None and self.source("url").trust is Trust.DEFAULT)


OPTIONS = tuple(option for option in attrs.fields(Settings) if option.metadata)
# In the config file each option has its variable's name without the prefix.
CONFIG_KEYS = {
    option.metadata["variables"][0].removeprefix("RTASSIST_").lower(): option.name for option in OPTIONS
}
# Each key, and the URL that it is sent to.
KEYS = {"api_key": "url", "llm_key": "llm_url", "stt_key": "stt_url", "tts_key": "tts_url"}


def load_here(flags: Mapping[str, object]) -> Settings:
    """`load`, with this process' environment and working folder."""
    return load(flags, os.environ, Path.cwd())


def load(flags: Mapping[str, object], environ: Mapping[str, str], folder: Path) -> Settings:
    """The settings for a command started in `folder`.

    `flags` maps fields of `Settings` to what the command line gave, None for what it did not. Reads the
    config file, `.env` in `folder`, and a file that the instructions name. Raises SettingsWrong with every
    problem there is.
    """
    problems: list[str] = []
    given: dict[str, tuple[object, Source]] = {}
    _take_config(given, environ, problems)
    dotenv = _dotenv(folder / ".env", problems)
    _take_variables(given, dotenv, Trust.DOTENV, str(folder / ".env"))
    _take_variables(given, environ, Trust.ENVIRONMENT, "the environment")
    for option in OPTIONS:
        value = flags.get(option.name)
        if value is not None and value != ():
            given[option.name] = (value, Source(Trust.FLAG, option.metadata["flag"], "the command line"))

    _take_named_key(given, environ, dotenv, problems)

    values: dict[str, object] = {}
    for name, (value, source) in given.items():
        option = getattr(attrs.fields(Settings), name)
        try:
            values[name] = option.metadata["parse"](value)
            if name == "instructions":
                values[name] = _instructions(str(value), source, folder)
        except ValueError as must:
            secret = option.metadata["parse"] in (a_secret, http_headers, variable_name)
            shown = "" if secret else f" is {_shown(value)!r}:"
            problems.append(f"{source}{shown} {must}.")
    sources = {name: source for name, (_, source) in given.items()}
    settings = Settings(**values, sources=sources)  # type: ignore[arg-type] # each was made by its field's parser
    problems += _contradictions(settings, folder)
    if problems:
        raise SettingsWrong(problems)
    return settings


def _take_named_key(
    given: dict[str, tuple[object, Source]],
    environ: Mapping[str, str],
    dotenv: Mapping[str, str],
    problems: list[str],
) -> None:
    """The key out of the variable that a setting names. It is trusted as far as whoever named it: a folder's
    .env must not have one's other secrets sent, so it can name a variable of its own alone.
    """
    named = given.get("api_key_env")
    if named is None or not isinstance(named[0], str):
        return
    name, source = named[0].strip(), named[1]
    if source.trust is not Trust.DOTENV and environ.get(name, "").strip():
        key_source = Source(min(source.trust, Trust.ENVIRONMENT), name, "the environment")
        given["api_key"] = (environ[name], key_source)
    elif dotenv.get(name, "").strip():
        given["api_key"] = (dotenv[name], Source(Trust.DOTENV, name, ".env"))
    elif name.isidentifier():
        problems.append(f"{source} names the variable {name}, and that is not set.")


def _shown(value: object) -> str:
    """A wrong value, without the password that may stand in a URL."""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return foreign_text(re.sub(r"//[^/]*@", "//…@", text), (), 60)


def _take_variables(
    given: dict[str, tuple[object, Source]], variables: Mapping[str, str], trust: Trust, place: str
) -> None:
    """Empty means not set, as shells have no other way to take a variable back for one command."""
    for option in OPTIONS:
        for name in option.metadata["variables"]:
            if variables.get(name, "").strip():
                given[option.name] = (variables[name], Source(trust, name, place))
                break


def _dotenv(path: Path, problems: list[str]) -> Mapping[str, str]:
    """What `path` sets. Nothing in it is expanded: ${OPENAI_API_KEY} in a URL would carry the key away."""
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # most folders have none

    try:
        values = dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path} cannot be read: {_why(error)}.")
        return {}
    return {name: value for name, value in values.items() if value is not None}


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"


def config_path(environ: Mapping[str, str]) -> Path:
    """The config file: RTASSIST_CONFIG, or config.toml in the platform's folder for such files."""
    if chosen := environ.get(CONFIG_VARIABLE, "").strip():
        return Path(chosen).expanduser()
    from platformdirs import user_config_path

    return user_config_path("rtassist", appauthor=False) / "config.toml"


def _take_config(
    given: dict[str, tuple[object, Source]], environ: Mapping[str, str], problems: list[str]
) -> None:
    path = config_path(environ)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if environ.get(CONFIG_VARIABLE, "").strip():
            problems.append(f"{CONFIG_VARIABLE} (the environment) names {path}, and there is no such file.")
        return
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path} cannot be read: {_why(error)}.")
        return
    import tomllib  # as slow as all of this module, and needed only here

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path} is not TOML: {error}.")
        return
    for name, value in table.items():
        if name in CONFIG_KEYS:
            given[CONFIG_KEYS[name]] = (value, Source(Trust.CONFIG, name, str(path)))
        else:
            near = get_close_matches(name, CONFIG_KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CONFIG_KEYS)}."
            problems.append(f"{foreign_text(name, (), 60)} ({path}) is no setting; {hint}")


def _instructions(value: str, source: Source, folder: Path) -> str:
    """The text itself, or that of the file that `@FILE` names, relative to `folder`."""
    if not value.startswith("@"):
        return value
    path = (folder / Path(value[1:]).expanduser()).resolve()
    if source.trust is Trust.DOTENV and not path.is_relative_to(folder.resolve()):
        # What instructions name is sent to a server: a folder must not have one's other files sent.
        raise ValueError("must name a file below the folder of that .env")
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"must name a file that can be read ({_why(error)})") from None


def _contradictions(settings: Settings, folder: Path) -> list[str]:
    """What is wrong with settings that are each well by themselves."""
    problems = _flags_at_odds(settings)
    for key, url in KEYS.items():
        unused = key == "api_key" and settings.embedded
        if getattr(settings, key) is not None and getattr(settings, url) is not None and not unused:
            problems += _misplaced_key(settings, key, url)
    if settings.headers and not settings.embedded:
        problems += _misplaced_key(settings, "headers", "url")
    for name in ("vad_threshold", "vad_silence_ms"):
        if settings.vad == "semantic" and getattr(settings, name) is not None:
            problems.append(
                f"{settings.source(name)} is for --vad server; semantic detection knows no such thing."
            )
    if settings.mic and settings.speaker and _same_file(folder, settings.mic, settings.speaker):
        problems.append(
            f"{settings.source('speaker')} would write over {settings.mic}, which is also what is heard "
            f"({settings.source('mic')}). Name another file."
        )
    return problems


def _flags_at_odds(settings: Settings) -> list[str]:
    """Flags of one command of which one would be without effect. Over what lies in a file or in the
    environment a flag simply goes."""

    def given(name: str) -> bool:
        return settings.source(name).trust is Trust.FLAG

    problems = []
    if settings.text and given("text"):
        problems += [
            f"--text leaves out sound, and {settings.source(name)} asks for some. Leave out one of the two."
            for name in ("mic", "speaker", "ptt")
            if given(name) and getattr(settings, name) not in ("none", False)
        ]
    if settings.offline and given("offline") and given("url"):
        problems.append("--offline is the embedded server, and --url another one. Leave out one of the two.")
    if settings.ptt and given("ptt") and given("vad") and settings.vad != "off":
        problems.append(
            f"With --ptt you end your turn yourself, and nobody else, as --vad {settings.vad} says."
        )
    return problems


def _same_file(folder: Path, one: str, other: str) -> bool:
    """Whether two names are the same file by whatever path or link. Devices and pipes have none."""
    try:
        return (folder / Path(one).expanduser()).samefile(folder / Path(other).expanduser())
    except (OSError, ValueError, RuntimeError):
        return False


def _misplaced_key(settings: Settings, key: str, url: str) -> list[str]:
    """The key would go where nobody who may say so sent it, or where others can read it."""
    key_source, url_source = settings.source(key), settings.source(url)
    what = f"the headers in {key_source}" if key == "headers" else f"the key in {key_source}"
    own_place = "their own" if key == "headers" else "the key's own"
    parts, host, _ = split_url(getattr(settings, url), ("wss", "ws", "https", "http"))
    if url_source.trust < key_source.trust:
        return [
            f"{url_source} sends {what} to {host}, but is trusted less than {own_place} "
            f"place. If you mean it, give both in one place, or {_better_place(url)}."
        ]
    allowed = settings.allow_plaintext and settings.source("allow_plaintext").trust >= key_source.trust
    if parts.scheme in ("ws", "http") and not is_loopback(host) and not allowed:
        return [
            f"{url_source} would send {what} to {host} unencrypted. Use {parts.scheme}s://, "
            f"or if you trust every network in between, set RTASSIST_ALLOW_PLAINTEXT=1 where the key is set."
        ]
    return []


def _better_place(url: str) -> str:
    metadata = getattr(attrs.fields(Settings), url).metadata
    variable = f"{metadata['variables'][0]} in the environment"
    return f"say {metadata['flag']} or {variable}" if metadata["flag"] else f"set {variable}"
