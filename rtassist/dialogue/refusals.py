"""What the server's errors mean for the conversation: a note, a reason to stop, or a turn asked for again."""

from __future__ import annotations

from rtassist.dialogue import asking, limits, link, session
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Notice, Outcome, Quit, Show
from rtassist.dialogue.state import Purpose
from rtassist.protocol import UNSET, ErrorEvent, Response, StatusDetails, StatusError, Unset

HARMLESS = frozenset(
    {
        "response_cancel_not_active",
        "input_audio_buffer_commit_empty",
        "item_truncate_invalid_item_id",
        "item_delete_invalid_item_id",
        "invalid_tool_call_id",
    }
)
"""A request of ours crossed with what the server did meanwhile; nothing is lost."""

FATAL = {
    "invalid_api_key": "Check the key that you set.",
    "invalid_model": "Choose another model with --model.",
    "model_not_found": "Choose another model with --model.",
    "beta_api_shape_disabled": "This server no longer speaks the beta protocol.",
    "insufficient_quota": "Check the plan and the billing of the account.",
    "billing_hard_limit_reached": "Check the plan and the billing of the account.",
    "credit_balance_exhausted": "Check the plan and the billing of the account.",
    "account_deactivated": "Ask the account's owner.",
    "session_expired": "Start again: a session cannot be prolonged.",
}
"""Codes after which no answer can come, with what the user can do."""
_EXPIRED = "session_expired"
_LIMIT = "rate_limit_exceeded"
_BROKEN = "server_error"
"""A code, or the type of an error without one. It passes, and the next answer may succeed."""

_INCOMPLETE = {
    "max_output_tokens": "it reached its limit of length",
    "content_filter": "it was filtered",
}
_NO_REASON = "the server gave no reason"
_ALREADY_ANSWERING = "conversation_already_has_active_response"


def error(do: Draft, event: ErrorEvent) -> None:
    detail = event.error
    code = _text(detail.code)
    event_id = _text(detail.event_id)
    if code == _EXPIRED and do.state.terms.reconnects and do.state.link.sessions:
        link.expired(do)
    elif code in FATAL:
        _stop(do, detail.message, FATAL[code])
    elif code == _ALREADY_ANSWERING:
        asking.answer_in_the_way(do, event_id)
    elif (purpose := session.refused(do, event_id)) is Purpose.BEGIN:
        _stop(do, detail.message, "The server did not accept these settings.")
    elif purpose not in (Purpose.FENCE, Purpose.PROOF):
        asking.answer_refused(do, event_id)
        notice = Notice(f"The server said: {detail.message}", "debug" if code in HARMLESS else "warning")
        do.ask(Show(notice))


def response_failed(do: Draft, response: Response) -> None:
    """Tell why a response is not whole. A cancelled one needs no words: the user did it."""
    details = response.status_details
    if not isinstance(details, StatusDetails):  # null, or plain words
        details = StatusDetails(reason=details, error=StatusError(message=details))
    if response.status == "incomplete":
        reason = _text(details.reason) or _NO_REASON
        do.ask(Show(Notice(f"The answer is incomplete: {_INCOMPLETE.get(reason, reason)}.", "warning")))
    elif response.status == "failed":
        error = details.error or StatusError()
        code = _text(error.code)
        message = _text(error.message) or code or _NO_REASON
        holder = do.state.holder if response.id == do.state.holder in do.state.answers else None
        if code in FATAL:
            _stop(do, message, FATAL[code])
        elif code == _LIMIT and holder is not None:
            limits.reached(do, holder, message)
        elif _BROKEN in (code, _text(error.type)) and holder is not None:
            limits.broke_down(do, holder, message)
        else:
            do.ask(Show(Notice(f"The answer failed: {message}", "warning")))


def _stop(do: Draft, message: str, advice: str) -> None:
    do.ask(Quit(Outcome.REFUSED, f"The server refused: {message.rstrip('.')}. {advice}"))


def _text(value: str | Unset | None) -> str:
    return "" if value is UNSET or value is None else value
