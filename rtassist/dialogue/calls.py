"""Functions that the model calls: asked, running, answered."""

from __future__ import annotations

import attrs

from rtassist.dialogue import turns
from rtassist.dialogue.effects import CallTool
from rtassist.dialogue.state import Call, Draft
from rtassist.protocol import UNSET, FunctionCall, FunctionCallOutput, Response


def asked(do: Draft, response: Response) -> None:
    """Run the calls of a finished response. Calls of a cancelled one may be cut short and are not run."""
    if response.status not in ("completed", UNSET):
        return
    quiet = do.state.answers[str(response.id)].quiet
    for item in response.output or ():
        if not isinstance(item, FunctionCall) or item.status not in ("completed", UNSET):
            continue
        call_id = item.call_id
        if not isinstance(call_id, str) or call_id in do.state.calls:
            continue
        call = Call(str(response.id), item.name, speak=not quiet, arguments=item.arguments or "{}")
        do.change(calls={**do.state.calls, call_id: call})
        do.ask(CallTool(call_id, item.name, item.arguments or "{}"))


def ended(do: Draft, call_id: str, output: str) -> None:
    """Give the model a result; after the last one of a response ask for one answer to all of them."""
    call = do.state.calls.get(call_id)
    if call is None:
        return
    left = {key: value for key, value in do.state.calls.items() if key != call_id}
    do.change(calls=left)
    text = f"The function {call.name} that you called with {call.arguments} returned: {output}"
    if call.lost:
        turns.tell(do, text)
    else:
        turns.remember(do, text)
        turns.send_item(do, FunctionCallOutput(call_id=call_id, output=output))
    if call.speak and not any(other.response_id == call.response_id for other in left.values()):
        turns.want_answer(do)


def keep_quiet(do: Draft) -> None:
    """The user said stop: what still runs is reported to the model, and not spoken about.

    So are the calls of the response that is being made: it may be done before its cancellation arrives.
    """
    do.change(calls={key: attrs.evolve(call, speak=False) for key, call in do.state.calls.items()})
    if do.state.active is not None:
        do.change_answer(do.state.active, quiet=True)


def timer_due(do: Draft, label: str) -> None:
    """Let the model say that a timer is due."""
    turns.tell(do, f"The timer '{label}' is due. Tell the user now, in one short sentence.")
    turns.want_answer(do)
