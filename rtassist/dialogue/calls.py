"""Functions that the model calls: asked, allowed, running, answered."""

from __future__ import annotations

import attrs

from rtassist.dialogue import asking, turns, wording
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import CallTool, CancelTool, Notice, Show
from rtassist.dialogue.state import Call, Question
from rtassist.protocol import UNSET, FunctionCall, FunctionCallOutput, Response


def asked(do: Draft, response: Response) -> None:
    """Run the calls of a finished response, those that need the user's word once they have it.

    Calls of a cancelled response may be cut short and are not run.
    """
    if response.status not in ("completed", UNSET):
        return
    quiet = do.state.answers[str(response.id)].quiet
    for item in response.output or ():
        if not isinstance(item, FunctionCall) or item.status not in ("completed", UNSET):
            continue
        call_id = item.call_id
        if not isinstance(call_id, str) or call_id in do.state.calls:
            continue
        arguments = item.arguments or "{}"
        call = Call(str(response.id), item.name, speak=not quiet, arguments=arguments, began_us=do.now_us)
        do.change(calls={**do.state.calls, call_id: call})
        do.given_ids.append(call_id)
        arguments = item.arguments or "{}"
        if item.name not in do.state.terms.asks:
            run(do, call_id, arguments)
        elif quiet:
            refuse(do, call_id, "the user said stop before it was allowed")
        else:
            do.change(questions=(*do.state.questions, Question(call_id, item.name, arguments)))


def run(do: Draft, call_id: str, arguments: str) -> None:
    call = attrs.evolve(do.state.calls[call_id], began_us=do.now_us)
    do.change(calls={**do.state.calls, call_id: call})
    _tell(do, f"→ {wording.call(call.name, arguments)}")
    do.ask(CallTool(call_id, call.name, arguments))


def refuse(do: Draft, call_id: str, reason: str) -> None:
    """The call is not made, and the model is told so."""
    _answer(do, call_id, wording.error(reason))


def ended(do: Draft, call_id: str, output: str) -> None:
    """Give the model a result; after the last one of a response ask for one answer to all of them.

    A call that nobody has allowed has no result.
    """
    call = do.state.calls.get(call_id)
    if call is None or call.remote or any(question.id == call_id for question in do.state.questions):
        return
    seconds = (do.now_us - call.began_us) / 1_000_000
    _tell(do, f"← {wording.clear(call.name)}, {seconds:.1f} s: {wording.short(output)}")
    _answer(do, call_id, output)


def _tell(do: Draft, text: str) -> None:
    if do.state.terms.shows_calls:
        do.ask(Show(Notice(text)))


def _answer(do: Draft, call_id: str, output: str) -> None:
    """The result, by the call's id; as a text where the session that asked for it is over."""
    call = do.state.calls[call_id]
    text = f"The function {call.name} that you called with {call.arguments} returned: {output}"
    if call.lost:
        turns.tell(do, text)
    else:
        turns.remember(do, text)
        turns.send_item(do, FunctionCallOutput(call_id=call_id, output=output))
    over(do, call_id)


def over(do: Draft, call_id: str) -> None:
    """A call has its result: after the last one of its response the model is to speak about them."""
    left = {key: value for key, value in do.state.calls.items() if key != call_id}
    call = do.state.calls[call_id]
    do.change(calls=left)
    if call.speak and not any(other.response_id == call.response_id for other in left.values()):
        asking.want_answer(do)


def keep_quiet(do: Draft) -> None:
    """The user said stop: what still runs is reported to the model, and not spoken about.

    So are the calls of the response that is being made: it may be done before its cancellation arrives.
    """
    calls = do.state.calls
    waiting = {question.id for question in do.state.questions}
    do.change(calls={key: attrs.evolve(call, speak=False) for key, call in calls.items()})
    for call_id, call in calls.items():
        if call.name in do.state.terms.cancels and call_id not in waiting:
            do.ask(CancelTool(call_id))
    if do.state.active is not None:
        do.change_answer(do.state.active, quiet=True)


def timer_due(do: Draft, label: str) -> None:
    """Let the model say that a timer is due."""
    turns.tell(do, f"The timer '{label}' is due. Tell the user now, in one short sentence.")
    asking.want_answer(do)
