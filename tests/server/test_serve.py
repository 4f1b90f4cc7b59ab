"""The listener over real sockets on loopback, with scripted parts."""



from rtassist.server.parts import Say
from rtassist.server.serve import Options, serve
from tests.server.clients import connected
from tests.server.scripted import Script
from tests.server.sounds import silence, tone

SPEECH = silence(400) + tone(600) + silence(700)


async def test_a_text_turn() -> None:
    script = Script()
    script.thinker.script = [[Say(text="Good morning."), Say(text=" It is half past nine.")]]
    async with serve(Options(), script.parts) as server, connected(server.url) as client:
        await client.receive()
        await client.send("session.update", session={"type": "realtime", "output_modalities": ["text"]})
        await client.send(
            "conversation.item.create",
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
        )
        await client.send("response.create")
        done = (await client.until("response.done"))[-1]
    (item,) = done["response"]["output"]
    assert item["content"] == [{"type": "output_text", "text": "Good morning. It is half past nine."}]
    assert script.thinker.asked[0].now.hour == 9


async def test_a_spoken_turn() -> None:
    script = Script()
    script.recogniser.script = ["what time is it"]
    script.thinker.script = [[Say(text="Nine."), Say(text=" Thirty.")]]
    async with serve(Options(), script.parts) as server, connected(server.url) as client:
        await client.hear(SPEECH)
        await client.until("response.done")
        assert client.judge.only("input_audio_buffer.speech_started")["audio_start_ms"] < 400
    assert script.synthesiser.spoken == ["Nine.", "Thirty."]
    assert len(script.recogniser.heard[0]) >= 600 * 48
