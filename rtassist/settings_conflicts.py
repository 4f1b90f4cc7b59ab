"""What is wrong with settings that are each well by themselves."""

from pathlib import Path

import attrs

from rtassist.link.address import is_loopback, split_url
from rtassist.settings import KEYS, Settings, Trust


def contradictions(settings: Settings, folder: Path) -> list[str]:
    """A sentence for each, with the sources of the two; files are looked for in `folder`."""
    problems = _flags_at_odds(settings) + _brought_programs(settings)
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
    if settings.events == settings.speaker == "-":
        problems.append(
            f"{settings.source('events')} and {settings.source('speaker')} both want stdout. Name a file for "
            "one of the two, such as /dev/fd/3."
        )
    if settings.mic and settings.speaker and _same_file(folder, settings.mic, settings.speaker):
        problems.append(
            f"{settings.source('speaker')} would write over {settings.mic}, which is also what is heard "
            f"({settings.source('mic')}). Name another file."
        )
    return problems


def _brought_programs(settings: Settings) -> list[str]:
    """Programs that a folder's own `.env` would have run, or have run without a question."""
    return [
        f"{source} would run what comes with a folder that one only enters. Say "
        f"{getattr(attrs.fields(Settings), name).metadata['flag']}, or set it in the environment or the "
        "config file."
        for name in ("tools", "mcp", "hooks", "yes_to")
        if (source := settings.source(name)).trust is Trust.DOTENV
    ]


def _flags_at_odds(settings: Settings) -> list[str]:
    """Flags of one command that say opposite things. Over what lies in a file or in the environment a flag
    simply goes."""

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
    if settings.record is False and given("record") and given("record_audio") and settings.record_audio:
        problems.append("--no-record records nothing, and --record-audio does. Leave out one of the two.")
    if settings.vad == "off" and given("vad"):
        problems += [
            f"{settings.source(name)} is for --vad server, and --vad off listens for no voice."
            for name in ("vad_threshold", "vad_silence_ms")
            if given(name)
        ]
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
