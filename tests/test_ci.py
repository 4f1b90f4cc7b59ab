"""The README's commands are what is run: found by their headings, one each."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SAMPLE = """\
# rtassist

```
not under a heading
```

## Run it

Needs Python.

```sh
python3 -m venv .venv && \\
  .venv/bin/rtassist talk
```

Then `talk`.

## Test it

```
pytest
```

### More

text

## Empty

```
```

## Two

```
one
```

```
two
```

## None
## Twice
## Twice
"""


def extract(heading: str, readme: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / ".ci" / "readme-command"), heading]
    return subprocess.run(command, input=readme, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("heading", "command"),
    [("Test it", "pytest\n"), ("Run it", "python3 -m venv .venv && \\\n  .venv/bin/rtassist talk\n")],
)
def test_the_only_block_under_a_heading_is_the_command(heading: str, command: str) -> None:
    run = extract(heading, SAMPLE)
    assert (run.returncode, run.stdout) == (0, command)


@pytest.mark.parametrize(
    ("heading", "wrong"),
    [
        ("Empty", "there are 1 fenced blocks under '## Empty', not one and full"),
        ("Two", "there are 2 fenced blocks"),
        ("None", "there are 0 fenced blocks"),
        ("Twice", "there are 2 sections '## Twice' and not one"),
        ("More", "there are 0 sections"),
    ],
)
def test_anything_else_is_an_error(heading: str, wrong: str) -> None:
    run = extract(heading, SAMPLE)
    assert run.returncode == 1
    assert wrong in run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize("heading", ["Run it", "Test it"])
def test_the_readme_has_one_command_for_each(heading: str) -> None:
    run = extract(heading, (ROOT / "README.md").read_text("utf-8"))
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("python3 -m venv .venv && .venv/bin/pip install ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such bit")
@pytest.mark.parametrize("name", ["run", "readme-command"])
def test_the_scripts_can_be_executed(name: str) -> None:
    assert (ROOT / ".ci" / name).stat().st_mode & 0o111
