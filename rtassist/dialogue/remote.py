"""Tools of MCP servers that the Realtime server calls itself: listed, allowed, and spoken about.

A response ends with such a call, or before it; then the server says nothing about the result by itself, and
the next response is to be asked for (OpenAI's guide "Realtime with MCP").
"""

from __future__ import annotations

from rtassist.dialogue import asking, calls, wording
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import ClearAlarm, Notice, SetAlarm, Show
from rtassist.dialogue.questions import QUESTION_ALARM
from rtassist.dialogue.state import Call, Question
from rtassist.protocol import (
    Item,
    McpApprovalRequest,
    McpCall,
    McpTool,
    Response,
)

REMOTE_ALARM = "remote call"
REMOTE_WAIT_US = 120_000_000
"""A call that the server has not ended by then is no longer waited for."""
_REMEMBERED = 50


def item_done(do: Draft, item: Item) -> None:
    """An item is whole. It is told for the response and for the conversation, in either order."""
    if isinstance(item, McpApprovalRequest):
        _approval_asked(do, item)


def _approval_asked(do: Draft, item: McpApprovalRequest) -> None:
    state = do.state
    if item.id in state.approvals:
        return
    question = Question(item.id, f"{item.server_label}.{item.name}", item.arguments, approval=True)
    do.change(approvals=(*state.approvals, item.id)[-_REMEMBERED:], questions=(*state.questions, question))


def call_began(do: Draft, item_id: str) -> None:
    state = do.state
    if item_id in state.calls:
        return
    answer = state.answers.get(state.active or "")
    call = Call(
        state.active or "",
        "",
        speak=answer is None or not answer.quiet,
        began_us=do.now_us,
        remote=True,
    )
    do.change(calls={**state.calls, item_id: call})
    do.ask(SetAlarm(REMOTE_ALARM, do.now_us + REMOTE_WAIT_US))


def call_ended(do: Draft, item_id: str) -> None:
    """While its response is being made, that one may still speak about it; else the next has to."""
    call = do.state.calls.get(item_id)
    if call is None or not call.remote:
        return
    if call.response_id and call.response_id == do.state.active:
        do.change(calls={key: other for key, other in do.state.calls.items() if key != item_id})
    else:
        calls.over(do, item_id)
    if not any(other.remote for other in do.state.calls.values()):
        do.ask(ClearAlarm(REMOTE_ALARM))


def overdue(do: Draft) -> None:
    do.change(calls={key: call for key, call in do.state.calls.items() if not call.remote})
    do.ask(Show(Notice("An MCP server's tool has not answered; it is no longer waited for.", "warning")))


def lost(do: Draft) -> None:
    """The session is over: what its server called is gone with it, and what it asked for."""
    kept = tuple(question for question in do.state.questions if not question.approval)
    if any(question.open for question in do.state.questions if question.approval):
        do.ask(ClearAlarm(QUESTION_ALARM))
    calls_ = {key: call for key, call in do.state.calls.items() if not call.remote}
    if len(calls_) < len(do.state.calls):
        do.ask(ClearAlarm(REMOTE_ALARM))
    do.change(questions=kept, calls=calls_, approvals=())


def response_done(do: Draft, response: Response) -> None:
    """What was called is shown; a response that ended with such a call has not spoken about it."""
    output = response.output or ()
    for item in output:
        item_done(do, item)
        if isinstance(item, McpCall) and do.state.terms.shows_calls:
            told = wording.call(f"{item.server_label}.{item.name}", item.arguments)
            result = f": {wording.short(item.output)}" if isinstance(item.output, str) else ""
            do.ask(Show(Notice(f"← {told}{' failed' if item.error else ''}{result}")))
    last = output[-1] if output else None
    answer = do.state.answers.get(str(response.id))
    finished = isinstance(last, McpCall) and bool(last.output or last.error)
    runs = any(call.response_id == response.id for call in do.state.calls.values())
    if finished and not runs and answer is not None and not answer.quiet:
        asking.want_answer(do)


def listing_failed(do: Draft) -> None:
    labels = [tool.server_label for tool in do.state.terms.session.tools or () if isinstance(tool, McpTool)]
    which = labels[0] if len(labels) == 1 else f"one of {', '.join(labels)}" if labels else "unknown"
    do.ask(
        Show(
            Notice(
                f"The server cannot list the tools of an MCP server ({wording.clear(which)}); "
                "the conversation goes on without them.",
                "warning",
            )
        )
    )
