"""What is held is recorded, where the user wants it, for nobody else, and without a key in it."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import trio
from trio_websocket import WebSocketConnection, WebSocketRequest

from rtassist.dialogue.events import PlaybackEnded
from rtassist.sessions import reading
from rtassist.sessions.reading import Asked, Begun, Ended, Happened, Heard, Record
from rtassist.sessions.sound import Sound
from tests.link.servers import SESSION, websocket_server
from tests.talking import environment, read_wav, silence, speech, write_wav


def talk(
    *arguments: str, folder: Path, typed: str = "hello\n", **more: str
) -> subprocess.CompletedProcess[str]:
    variables = environment(folder, **more)
    if "RTASSIST_RECORD" not in more:
        del variables["RTASSIST_RECORD"]
    return subprocess.run(
        [sys.executable, "-m", "rtassist", "talk", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        env=variables,
        check=False,
    )


def read(path: Path) -> tuple[dict[str, object], list[Record]]:
    with path.open("rb") as lines:
        return reading.header(next(lines)), list(reading.records(lines))


def test_by_default_it_lies_in_a_private_folder_of_the_users_data(tmp_path: Path) -> None:
    said = talk("--offline", "--text", folder=tmp_path, XDG_DATA_HOME=str(tmp_path / "data"))
    assert said.returncode == 0
    (path,) = tmp_path.rglob("*.jsonl")
    assert said.stderr.splitlines() == [
        f"This conversation is recorded: {path} (--no-record turns it off).",
        f"To run this conversation again: rtassist replay {path}",
    ]
    about, records = read(path)
    assert about["id"] == path.stem
    assert isinstance(records[0], Begun)
    assert isinstance(records[-1], Ended)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if sys.platform == "linux":
        assert path.parent == tmp_path / "data" / "rtassist" / "sessions"


@pytest.mark.parametrize("how", ["flag", "variable", "config"])
def test_one_word_turns_it_off(how: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("record = false\n" if how == "config" else "")
    said = talk(
        *("--offline", "--text", *(["--no-record"] if how == "flag" else [])),
        folder=tmp_path,
        RTASSIST_RECORD="no" if how == "variable" else "",
        RTASSIST_CONFIG=str(tmp_path / "config.toml"),
    )
    assert said.returncode == 0
    assert said.stderr == ""
    assert [path.name for path in tmp_path.rglob("*")] == ["config.toml"]


def test_a_recording_is_not_written_over(tmp_path: Path) -> None:
    first = talk("--offline", "--text", "--record", "call.jsonl", folder=tmp_path)
    assert first.returncode == 0
    before = (tmp_path / "call.jsonl").read_bytes()
    again = talk("--offline", "--text", folder=tmp_path, RTASSIST_RECORD="call.jsonl")
    assert again.returncode == 2
    assert again.stdout == ""
    assert again.stderr == (
        f"rtassist: RTASSIST_RECORD (the environment) is {tmp_path / 'call.jsonl'}, "
        f"but {tmp_path / 'call.jsonl'} is there already and is not written over. Name a new file.\n"
    )
    assert (tmp_path / "call.jsonl").read_bytes() == before


def test_yes_and_no_at_once_is_wrong_usage(tmp_path: Path) -> None:
    told = talk("--offline", "--text", "--record", "x", "--no-record", folder=tmp_path)
    assert told.returncode == 2
    assert "Leave out one of the two" in told.stderr


def test_a_folder_that_cannot_be_is_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = talk("--offline", "--text", "--record", "file/there", folder=tmp_path)
    assert said.returncode == 0
    assert "Hello" in said.stdout
    (warning,) = said.stderr.splitlines()
    assert warning.startswith(f"This conversation is not recorded: {tmp_path / 'file' / 'there'}")
    assert "(not a directory)" in warning


def test_a_conversation_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    told = talk("--text", "--url", "ws://127.0.0.1:9/", "--record", "here", folder=tmp_path)
    assert told.returncode == 3
    assert len(told.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_conversations_of_one_run_are_one_recording(tmp_path: Path) -> None:
    said = talk(
        *("--offline", "--text", "--record", "call.jsonl"), folder=tmp_path, typed="/restart\nhello\n"
    )
    assert said.returncode == 0
    _, records = read(tmp_path / "call.jsonl")
    assert sum(isinstance(record, Begun) for record in records) == 2
    assert isinstance(records[-1], Ended)


@pytest.mark.offline
def test_the_sound_is_kept_sample_by_sample(tmp_path: Path) -> None:
    mic = write_wav(tmp_path / "mic.wav", speech("what_is_seventeen_times_twenty_three_slt"), silence(1))
    said = talk(
        *("--offline", "--mic", "mic.wav", "--speaker", "out.wav", "--fast", "--record", "call.jsonl"),
        folder=tmp_path,
    )
    assert said.returncode == 0, said.stderr
    assert "recorded, with its sound:" in said.stderr
    _, records = read(tmp_path / "call.jsonl")
    heard = [record for record in records if isinstance(record, Heard)]
    voices: dict[str, bytes] = {}
    sounded = b""
    with Sound(tmp_path / "call.jsonl") as sound:
        recorded = np.frombuffer(b"".join(sound.mic(*record.run) for record in heard), "<i2")
        for record in records:
            if isinstance(record, Asked) and record.voice is not None:
                item_id = json.loads(b"{" + record.body)["item_id"]
                voices[item_id] = voices.get(item_id, b"") + sound.voice(*record.voice)
            elif isinstance(record, Happened) and isinstance(record.event, PlaybackEnded):
                sounded += voices[record.event.item_id][: 2 * record.event.heard]
        assert (sound.mic_missing, sound.voice_missing) == (0, 0)
    wav = read_wav(mic)
    assert np.array_equal(recorded[: len(wav)], wav)
    assert not recorded[len(wav) :].any()
    assert len(sounded) > 24_000
    assert np.array_equal(np.frombuffer(sounded, "<i2"), read_wav(tmp_path / "out.wav"))
    # For other programs they are sound files like any other.
    assert soundfile.info(tmp_path / "call.mic.flac").frames == len(recorded)

    silent = talk(
        *("--offline", "--mic", "mic.wav", "--speaker", "none", "--fast", "--no-record-audio"),
        folder=tmp_path,
        RTASSIST_RECORD=str(tmp_path / "silent"),
    )
    assert "This conversation is recorded: " in silent.stderr
    assert [path.suffix for path in (tmp_path / "silent").iterdir()] == [".jsonl"]


KEY = "0123456789abcdefXYZ-of-nobodys-cloud"
OPENAI_KEY = "sk-proj-abcDEF123456ghiJKL789"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that takes any key, and tells what was typed in its answer."""
    folder = tmp_path_factory.mktemp("server")
    with subprocess.Popen(
        [sys.executable, "-m", "rtassist", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        env=environment(folder),
    ) as serving:
        assert serving.stdout
        yield serving.stdout.readline().strip()
        serving.terminate()


@pytest.mark.parametrize("source", ["OPENAI_API_KEY", "RTASSIST_API_KEY", ".env", "config", "query", "llm"])
def test_no_key_is_in_it_wherever_it_came_from(source: str, server: str, tmp_path: Path) -> None:
    variables, url = {}, server
    if source == ".env":
        (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    elif source == "config":
        (tmp_path / "config.toml").write_text(f"api_key = '{KEY}'\n")
        variables["RTASSIST_CONFIG"] = str(tmp_path / "config.toml")
    elif source == "query":
        url += f"?api-key={KEY}&api-version=2026-11-22"
    elif source == "llm":
        variables = {"RTASSIST_LLM_URL": f"http://127.0.0.1:9/v1?key={KEY}", "RTASSIST_LLM_KEY": KEY}
    else:
        variables[source] = KEY
    said = talk(
        *("--text", "--url", url, "--record", "call.jsonl"),
        folder=tmp_path,
        typed=f"my key is {KEY}\nand {OPENAI_KEY}\n",
        **variables,
    )
    assert said.returncode == 0, said.stderr
    assert KEY in said.stdout, "the server has told it"
    text = (tmp_path / "call.jsonl").read_bytes()
    for secret in (KEY, OPENAI_KEY, KEY[:20], OPENAI_KEY[:15]):
        assert secret.encode() not in text
        assert secret not in said.stderr
    assert text.count(b"0000000000xxxxxxxxx-xx-xxxxxxx-xxxxx") > 2
    about = json.loads(text.splitlines()[0])
    assert about["url"].startswith(server)
    assert about["url"].endswith("?api-version=2026-11-22" if source == "query" else server[-9:])


def test_a_password_in_the_url_is_refused_and_recorded_nowhere(tmp_path: Path) -> None:
    told = talk("--text", "--url", f"wss://me:{KEY}@localhost/", folder=tmp_path)
    assert told.returncode == 2
    assert KEY not in told.stderr
    assert list(tmp_path.iterdir()) == []


def text_in(folder: Path) -> str:
    (recording,) = folder.glob("*.jsonl")
    return recording.read_text()


async def test_a_header_reaches_the_server_and_nothing_else(tmp_path: Path) -> None:
    requests: list[WebSocketRequest] = []

    async def tells(socket: WebSocketConnection) -> None:
        await socket.send_message(SESSION)
        while "session.update" not in await socket.get_message():
            pass
        detail = '{"type":"x","code":"model_not_found","message":"your api-key hidden-value has no model"}'
        await socket.send_message(f'{{"type":"error","event_id":"e","error":{detail}}}')
        await socket.get_message()

    async with websocket_server(tells, requests=requests) as port:
        arguments = ("--url", f"ws://127.0.0.1:{port}/", "--text", "--header", "api-key: hidden-value")
        run = await trio.to_thread.run_sync(
            partial(talk, *arguments, folder=tmp_path, RTASSIST_RECORD=str(tmp_path))
        )

    assert (b"api-key", b"hidden-value") in requests[0].headers
    assert run.returncode == 4
    assert "your api-key [secret] has no model" in run.stderr
    recorded = text_in(tmp_path)
    assert "has no model" in recorded
    assert "hidden-value" not in recorded + run.stdout + run.stderr
