"""Tools of MCP servers that the Realtime server calls: allowed by the user, and spoken about when done."""

from __future__ import annotations

import attrs
import pytest

from rtassist.dialogue.effects import Send, SetAlarm
from rtassist.dialogue.events import Interrupted, ServerSaid
from rtassist.dialogue.remote import REMOTE_ALARM
from rtassist.protocol import (
    UNSET,
    ConversationItemCreate,
    ConversationItemDone,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    McpListToolsFailed,
    McpTool,
    McpToolExecutionError,
    Response,
    ResponseDone,
    ResponseMcpCallCompleted,
    ResponseMcpCallFailed,
    ResponseMcpCallInProgress,
    ResponseOutputItemDone,
    Session,
)
from tests.playbook import (
    Playbook,
    Says,
    after,
    cancel,
    create,
    created,
    done,
    listening,
    message,
    rang,
    said,
    typed,
)

REQUEST = McpApprovalRequest(id="mcpr_1", server_label="files", name="remove", arguments='{"path":"/tmp/a"}')
CALL = McpCall(id="mcp_1", server_label="files", name="remove", arguments='{"path":"/tmp/a"}')


def requested() -> ServerSaid:
    return said(ConversationItemDone(item=REQUEST))


def began(item_id: str) -> ServerSaid:
    return said(ResponseMcpCallInProgress(item_id=item_id, output_index=0))


def completed(item_id: str) -> ServerSaid:
    return said(ResponseMcpCallCompleted(item_id=item_id, output_index=0))


def failed(item_id: str) -> ServerSaid:
    return said(ResponseMcpCallFailed(item_id=item_id, output_index=0))


def done_with(response_id: str, *items: McpCall | McpApprovalRequest) -> ServerSaid:
    return said(ResponseDone(response=Response(id=response_id, status="completed", output=items)))


def approval(number: int, reason: str = "") -> Send:
    item = McpApprovalResponse(
        id=f"approval_rta_{number}",
        approval_request_id="mcpr_1",
        approve=not reason,
        reason=reason or UNSET,
    )
    return Send(ConversationItemCreate(item=item))


@pytest.mark.parametrize(("line", "reason"), [("y", ""), ("n", "the user did not allow it")])
def test_the_user_is_asked_once_for_an_approval_that_is_told_three_times(line: str, reason: str) -> None:
    assert (
        Playbook(after(listening(), created("R1")))
        >> said(ResponseOutputItemDone(response_id="R1", output_index=0, item=REQUEST))
        >> requested()
        >> done_with("R1", REQUEST)
        >> typed(line)
        << approval(2, reason)
        >> requested()
        >> typed("y")
        << message("y")
        << create()
    )


def test_the_question_names_server_tool_and_arguments() -> None:
    assert (
        Playbook(listening(), blind_to=(SetAlarm,))
        >> requested()
        << Says('Allow files.remove(path="/tmp/a")? y/n')
    )


def test_what_ends_after_its_response_is_spoken_about_in_the_next() -> None:
    assert (
        Playbook(after(listening(), created("R1"), began("mcp_1"), began("mcp_2")))
        >> done("R1")
        >> completed("mcp_1")
        >> failed("mcp_2")
        << create()
    )


def test_what_ends_in_its_response_is_spoken_about_there_or_in_the_next() -> None:
    state = after(listening(), created("R1"), began("mcp_1"), completed("mcp_1"))
    assert Playbook(state) >> done("R1")
    finished = attrs.evolve(CALL, output="removed")
    assert Playbook(state) >> done_with("R1", finished) << create()
    broken = attrs.evolve(CALL, error=McpToolExecutionError(message="no"))
    assert Playbook(state) >> done_with("R1", broken) << create()


def test_a_call_that_began_while_nothing_was_made_is_spoken_about() -> None:
    assert Playbook(after(listening(), began("mcp_1"))) >> began("mcp_1") >> completed("mcp_1") << create()


def test_after_stop_nobody_speaks_about_it() -> None:
    assert (
        Playbook(after(listening(), created("R1"), began("mcp_1")))
        >> Interrupted()
        << cancel("R1")
        >> done("R1", "cancelled")
        >> completed("mcp_1")
        >> completed("mcp_1")
    )


def test_a_call_that_never_ends_is_not_waited_for() -> None:
    playbook = Playbook(after(listening(), began("mcp_1"))) >> rang(REMOTE_ALARM)
    assert playbook
    assert playbook.state.quiet()


def test_tools_that_cannot_be_listed_are_told() -> None:
    tool = McpTool(server_label="files", server_url="https://mcp.example.com")
    session = Session(type="realtime", tools=(tool,))
    assert (
        Playbook(listening(session=session), blind_to=())
        >> said(McpListToolsFailed(item_id="item_1"))
        << Says("tools of an MCP server (files)", level="warning")
    )


def test_a_call_and_its_result_are_shown() -> None:
    finished = attrs.evolve(CALL, output="removed")
    assert (
        Playbook(after(listening(shows_calls=True), created("R1")), blind_to=(SetAlarm,))
        >> done_with("R1", finished)
        << Says('← files.remove(path="/tmp/a"): removed')
        << create()
    )
