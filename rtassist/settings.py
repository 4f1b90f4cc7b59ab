"""All that can be set, as one frozen `Settings`; each value knows its source.

What counts, the later over the earlier: defaults, the config file, the chosen profile in it, `.env` in the
current folder, the environment, flags. What is trusted, the later over the earlier: `.env` (it comes with any
folder that one enters), the config file, the environment, flags. A key goes only where a source at least as
trusted as its own sends it.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import IntEnum
from typing import Literal

import attrs
from attrs import field, frozen

from rtassist.setting_tools import Hook, McpServer, hooks, mcp_servers
from rtassist.setting_values import (
    Secret,
    a_language,
    a_secret,
    any_number,
    http_headers,
    http_url,
    one_of,
    phrases,
    place_or_switch,
    plain_text,
    socket_url,
    switch,
    truncation,
    variable_name,
    whole_number,
    words,
)

__all__ = ["CONFIG_KEYS", "KEYS", "OPTIONS", "Secret", "Settings", "Source", "Trust"]

DEFAULT_INSTRUCTIONS = """\
You are a voice assistant in a terminal. What you say is heard, not read.

Talk as people talk: short sentences, plain words, one thought at a time, in the language that the user \
speaks. Answer first, in one or two sentences; explain when asked. No lists, no markup, no emoji. Do not \
read out code, addresses, file names or long numbers: say what they mean, and offer the detail.

If you did not hear something well, say what you understood and ask; never guess a name or a number. If you \
do not know, say so. When you are interrupted, drop what you were saying and answer what was said; do not \
begin again.

Use a tool when it helps, without announcing it. Say its result in a few words, and only what was asked; \
when it failed, say what failed and what the user can do. You cannot see the screen, and know of files and \
programs only what a tool tells you.\
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
    profile: str | None = field(
        default=None, metadata=_from(plain_text, "RTASSIST_PROFILE", flag="--profile")
    )
    """The table [profiles.NAME] of the config file that goes over what stands above it there."""
    offline: bool = field(default=False, metadata=_from(switch, "RTASSIST_OFFLINE", flag="--offline"))
    model: str = field(
        default="gpt-realtime-2.1", metadata=_from(plain_text, "RTASSIST_MODEL", flag="--model")
    )
    voice: str = field(default="marin", metadata=_from(plain_text, "RTASSIST_VOICE", flag="--voice"))
    instructions: str = field(
        default=DEFAULT_INSTRUCTIONS,
        metadata=_from(lambda value: str(value), "RTASSIST_INSTRUCTIONS", flag="--instructions"),
    )
    persona: str | None = field(
        default=None, metadata=_from(plain_text, "RTASSIST_PERSONA", flag="--persona")
    )
    """The file in the config file's folder, `personas/NAME.md`, that `instructions` were read from."""
    transcription_model: str = field(
        default="gpt-realtime-whisper", metadata=_from(plain_text, "RTASSIST_TRANSCRIPTION_MODEL")
    )
    language: str | None = field(
        default=None, metadata=_from(a_language, "RTASSIST_LANGUAGE", flag="--language")
    )
    truncation: str | None = field(
        default=None, metadata=_from(truncation, "RTASSIST_TRUNCATION", flag="--truncation")
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
    barge_in: Literal["instant", "confirm", "off"] = field(
        default="instant",
        metadata=_from(one_of("instant", "confirm", "off"), "RTASSIST_BARGE_IN", flag="--barge-in"),
    )
    spoken_commands: bool = field(
        default=True,
        metadata=_from(switch, "RTASSIST_SPOKEN_COMMANDS", flag="--spoken-commands/--no-spoken-commands"),
    )
    phrases: tuple[tuple[str, str], ...] = field(default=(), metadata=_from(phrases, "RTASSIST_PHRASES"))
    """What else means a command when it is said: phrase and command."""
    gain: Literal["auto", "off"] = field(
        default="auto", metadata=_from(one_of("auto", "off"), "RTASSIST_GAIN", flag="--gain")
    )
    text: bool = field(default=False, metadata=_from(switch, "RTASSIST_TEXT", flag="--text"))
    ptt: bool = field(default=False, metadata=_from(switch, "RTASSIST_PTT", flag="--ptt"))
    plain: bool = field(default=False, metadata=_from(switch, "RTASSIST_PLAIN", flag="--plain"))
    timestamps: bool = field(
        default=False, metadata=_from(switch, "RTASSIST_TIMESTAMPS", flag="--timestamps")
    )
    compact: bool = field(default=False, metadata=_from(switch, "RTASSIST_COMPACT", flag="--compact"))
    quiet: bool = field(default=False, metadata=_from(switch, "RTASSIST_QUIET", flag="--quiet"))
    events: str | None = field(default=None, metadata=_from(plain_text, "RTASSIST_EVENTS", flag="--events"))
    """Where the conversation goes as JSON, a line each: a file, or `-` for stdout."""
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
    max_cost: float | None = field(
        default=None, metadata=_from(any_number(0.0001, 100_000), "RTASSIST_MAX_COST", flag="--max-cost")
    )
    """US dollars that the conversations of one run may cost."""
    max_minutes: float | None = field(
        default=None, metadata=_from(any_number(0.1, 1440), "RTASSIST_MAX_MINUTES", flag="--max-minutes")
    )
    log_level: Literal["error", "warning", "info", "debug"] = field(
        default="warning",
        metadata=_from(one_of("error", "warning", "info", "debug"), "RTASSIST_LOG_LEVEL", flag="--log-level"),
    )
    debug: bool = field(default=False, metadata=_from(switch, "RTASSIST_DEBUG", flag="--debug"))
    otel: bool = field(default=False, metadata=_from(switch, "RTASSIST_OTEL", flag="--otel"))
    tools: tuple[str, ...] = field(default=(), metadata=_from(words, "RTASSIST_TOOLS", flag="--tools"))
    """Python files whose functions the model may call."""
    tool_timeout_s: float = field(
        default=30.0, metadata=_from(any_number(0.1, 3600), "RTASSIST_TOOL_TIMEOUT", flag="--tool-timeout")
    )
    yes_to: tuple[str, ...] = field(default=(), metadata=_from(words, "RTASSIST_YES_TO", flag="--yes-to"))
    """Tools that would ask before each call and need not, or MCP servers of which none needs to."""
    mcp: tuple[McpServer, ...] = field(default=(), metadata=_from(mcp_servers, "RTASSIST_MCP", flag="--mcp"))
    hooks: tuple[Hook, ...] = field(default=(), metadata=_from(hooks, "RTASSIST_EXEC", flag="--exec"))
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
    prices: Mapping[str, Mapping[str, Decimal]] = field(factory=dict)
    """From the config file's tables [prices."MODEL"], over the list prices: `setting_values.PRICE_KEYS`."""
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
KEY_VARIABLES = frozenset(
    name
    for option in OPTIONS
    if option.metadata["parse"] is a_secret
    for name in option.metadata["variables"]
)
"""What no program that is started from here gets to see."""
# Each key, and the URL that it is sent to.
KEYS = {"api_key": "url", "llm_key": "llm_url", "stt_key": "stt_url", "tts_key": "tts_url"}
