"""Command lines drawn by chance, run one after the other in this process; what is no right end is told.

    python -m tests.fuzz.command_line --seed 0 --runs 1000

Whatever is asked for talks to nobody: what is drawn is followed by a server that is not there.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import Any, Final

import typer

from rtassist import cli

CODES: Final = {0, 1, 2, 3, 4, 5, 6, 7}
"""The documented ones, without those of signals, closed pipes and bugs."""
SECRET: Final = "sk-proj-T0pSecret1234567890abcdef"
VALUES: Final = (
    *("", " ", "-", "--", "0", "1", "-1", "7", "65536", "1e400", "nan", "inf", "0.5", "1_000", "٣", "0x10"),
    *("none", "auto", "on", "off", "server", "semantic", "true", "last", "en", "xx", "de-DE", "@missing.txt"),
    *(
        "@.",
        "here.txt",
        "@here.txt",
        ".",
        "/",
        "/dev/null",
        "/proc/self/mem",
        "\x00",
        "a\x00b",
        "\x1b[2J",
        "\n",
    ),
    *(
        "\udcff\udcfe",
        "é" * 300,
        "x" * 70_000,
        "ws://",
        "ws://[::1",
        "wss://user:pw@host:99999/?key=" + SECRET,
    ),
    *("http://127.0.0.1:1", "ws://127.0.0.1:1/v1", "ws://127.0.0.1:0", "wss://x y", "file:///etc/passwd"),
    *(
        SECRET,
        "X-Key: " + SECRET,
        "no colon",
        ": nothing",
        "Näme: x",
        "A: b\r\nC: d",
        "OPENAI_API_KEY",
        "PATH",
    ),
    *(
        "broken.wav",
        "golden.jsonl",
        "broken.jsonl",
        "nowhere/file.wav",
        "new.wav",
        "{}",
        "[]",
        "$HOME",
        "~nobody",
    ),
)
NOWHERE: Final = {
    "talk": ["--url", "ws://127.0.0.1:1", "--timeout", "0.2", "--no-record"],
    "serve": ["--host", "192.0.2.1"],  # of RFC 5737: no machine has it
}
FITTING: Final = {
    "--url": ("ws://127.0.0.1:1", "ws://[::1]:1/v1?x=y"),
    "--mic": ("none", "hello.wav", "-", "broken.wav", "here.txt"),
    "--speaker": ("none", "new.wav", "-"),
    "--echo": ("auto", "off", "headphones", "on"),
    "--gain": ("auto", "off"),
    "--vad": ("server", "semantic", "off"),
    "--vad-threshold": ("0", "0.5", "1"),
    "--vad-silence-ms": ("0", "500", "10000"),
    "--language": ("en", "de", "pt-BR"),
    "--instructions": ("Be brief.", "@here.txt", "@missing.txt"),
    "--record": ("new.jsonl", "folder", "golden.jsonl"),
    "--resume": ("golden.jsonl", "last", "2026"),
    "--timeout": ("0.1", "0.3"),
}
FILES: Final = {
    "replay": ("golden.jsonl", "broken.jsonl", "here.txt", ".", "missing.jsonl", "hello.wav"),
    "diff": ("golden.jsonl", "broken.jsonl", "here.txt", "golden.jsonl"),
    "sessions": ("golden.jsonl", "last", "2026", "golden"),
}
GROUPS: Final = ("talk", "talk", "talk", "talk", "serve", "replay", "diff", "sessions")


def drawn(draw: random.Random, commands: dict[str, Any]) -> list[str]:
    """One command line, without the program's name."""
    if draw.random() < 0.05:
        return [draw.choice(VALUES) for _ in range(draw.randint(0, 3))]
    name = draw.choice(GROUPS)
    command, line = commands[name], [name]
    if name == "sessions":
        inner = draw.choice([*command.commands])
        command = command.commands[inner]
        line.append(inner)
    options = [option for option in command.params if option.opts[0].startswith("-")]
    odd = draw.choice((0.0, 0.2, 1.0))
    for _ in range(draw.randint(0, 5)):
        option = draw.choice(options)
        flag = draw.choice(option.opts)
        value = (
            draw.choice(VALUES) if draw.random() < odd else draw.choice(FITTING.get(flag, ("7", "here.txt")))
        )
        if getattr(option, "is_flag", False):
            line.append(flag if draw.random() > odd / 4 else f"{flag}={value}")
        else:
            line += [f"{flag}={value}"] if draw.random() < 0.3 else [flag, value]
    if name in FILES:
        line += [
            draw.choice(VALUES if draw.random() < odd else FILES[name]) for _ in range(draw.randint(0, 3))
        ]
    return line + NOWHERE.get(name, [])


def run(line: list[str]) -> tuple[int | str, str]:
    """The exit code, and all that was written; a code that is a text is what came out instead of one."""
    before = sys.argv, sys.stdin
    out, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    code: int | str
    with (
        open(os.devnull, encoding="utf-8") as nothing,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        try:
            sys.argv, sys.stdin = ["rtassist", *line], nothing
            cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else repr(end.code)
        except BaseException:
            code = traceback.format_exc()
        finally:
            sys.argv, sys.stdin = before
    written = b"".join(stream.buffer.getvalue() for stream in (out, errors))
    return code, written.decode(errors="replace")


def wrong_with(line: list[str], code: int | str, written: str) -> str:
    """What is not as it must be; empty if all is."""
    if code not in CODES:
        return f"code {code}: {written[-1500:]}"
    if "Traceback" in written:
        return f"a traceback: {written[-1500:]}"
    if "\x1b[2J" in written:
        return "it tells the terminal what to do"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.command_line")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=100)
    arguments = parser.parse_args()
    commands: dict[str, Any] = vars(typer.main.get_command(cli.app))["commands"]
    codes: Counter[int | str] = Counter()
    found = 0
    tests = Path(__file__).parents[1]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        clean = [name for name in os.environ if name.startswith(("RTASSIST_", "OPENAI_", "XDG_"))]
        for name in clean:
            del os.environ[name]
        os.environ |= {"HOME": folder, "PULSE_SERVER": f"unix:{folder}/none", "RTASSIST_RECORD": "0"}
        Path("here.txt").write_text("Be brief.", "utf-8")
        Path("broken.wav").write_bytes(b"RIFF\xff\xff\xff\xffWAVEfmt ")
        Path("broken.jsonl").write_bytes(b'{"format":"rtassist session","version":1}\n{"us":')
        Path("golden.jsonl").write_bytes((tests / "recordings" / "commands.jsonl").read_bytes())
        Path("hello.wav").write_bytes((tests / "speech" / "hello_slt.wav").read_bytes())
        for seed in range(arguments.seed, arguments.seed + arguments.runs):
            line = drawn(random.Random(seed), commands)
            code, written = run(line)
            codes[code if code in CODES else "wrong"] += 1
            if wrong := wrong_with(line, code, written):
                found += 1
                print(f"seed {seed}: {[text[:80] for text in line]}: {wrong}", flush=True)
        os.chdir("/")
    print(f"{arguments.runs} command lines, {found} wrong; exit codes {dict(codes.most_common())}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
