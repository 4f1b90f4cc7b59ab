"""The official client against our server: a text turn, a spoken turn, a tool call and a barge-in. It runs
under asyncio in a process of its own, as its users run it; this side sees nothing of it but the wire."""

import json
import sys
from pathlib import Path

import trio

from rtassist.server.parts import Call, Say
from rtassist.server.serve import Options, serve
from tests.server.scripted import Script

CLIENT = Path(__file__).parent / "openai_client.py"


async def run(url: str) -> dict[str, list[str]]:
    """What the client saw, by scenario. It has judged every frame when it ends well."""
    command = [sys.executable, str(CLIENT), url]
    with trio.fail_after(60):
        done = await trio.run_process(
            command, capture_stdout=True, capture_stderr=True, check=False, cwd=Path(__file__).parents[2]
        )
    assert done.returncode == 0, done.stderr.decode()
    seen: dict[str, list[str]] = json.loads(done.stdout)
    return seen


async def test_the_official_client() -> None:
    script = Script()
    script.recogniser.script = ["what time is it", "stop"]
    script.thinker.script = [
        [Say(text="Good morning.")],
        [Say(text="Half past nine.")],
        [Call(name="clock", arguments='{"zone": "UTC"}')],
        [Say(text="It is half past nine.")],
        [Say(text="A long story. "), Say(text="It goes on and on. " * 40)],
        [Say(text="Yes?")],
    ]
    async with serve(Options(key="sk-local"), script.parts) as server:
        seen = await run(server.url)
    assert seen["text"][-1] == "Good morning."
    assert seen["spoken"][-1] == "Half past nine."
    assert seen["tool"] == ["clock", '{"zone": "UTC"}', "It is half past nine."]
    assert seen["barge-in"] == ["cancelled", "turn_detected", "500", "Yes?"]
    # What it truncated is all that the thinker believes was heard of the story: 500 ms are eight characters.
    heard = [item for item in script.thinker.asked[-1].items if getattr(item, "role", None) == "assistant"]
    assert heard[-1].content[0].transcript == "A long"  # type: ignore[union-attr,index]
