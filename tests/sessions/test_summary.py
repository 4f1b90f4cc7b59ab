"""What a recording amounts to."""

from rtassist.dialogue import events
from rtassist.protocol import InputTokenDetails, OutputTokenDetails, Response, ResponseDone, Usage
from rtassist.sessions.reading import Happened
from rtassist.sessions.summary import summarise


def test_the_program_s_own_server_costs_nothing() -> None:
    usage = Usage(
        input_tokens=100,
        output_tokens=50,
        input_token_details=InputTokenDetails(text_tokens=100),
        output_token_details=OutputTokenDetails(text_tokens=50),
    )
    done = Happened(3, 0, events.ServerSaid(ResponseDone(response=Response(id="R", usage=usage))))
    model = {"model": "gpt-realtime-2.1"}
    assert summarise([done], {**model, "url": None}).cost_usd == 0
    assert (summarise([done], {**model, "url": "wss://api.openai.com/v1/realtime"}).cost_usd or 0) > 0
