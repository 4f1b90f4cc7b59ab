import pytest

from rtassist.link.closing import SENTENCES, Close, LinkClosed
from rtassist.link.retry import may_come_back, worth_another_try


@pytest.mark.parametrize("code", [1001, 1005, 1006, 1011, 1012, 1013, 1015])
def test_a_lost_network_or_server_may_come_back(code: int) -> None:
    assert may_come_back(Close(code))


@pytest.mark.parametrize("code", [1000, 1002, 1003, 1007, 1008, 1009, 3000, 4000, 4999])
def test_an_end_that_was_meant_does_not(code: int) -> None:
    assert not may_come_back(Close(code))


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "server_is_overloaded"])
def test_a_server_that_is_busy_may_take_the_next_connection(code: str) -> None:
    assert worth_another_try(code)


@pytest.mark.parametrize("code", [None, "invalid_api_key", "insufficient_quota", "model_not_found"])
def test_a_server_that_does_not_want_us_will_not(code: str | None) -> None:
    assert not worth_another_try(code)


def test_each_close_has_a_sentence() -> None:
    sentences = {code: Close(code).sentence for code in SENTENCES}
    assert len(set(sentences.values())) == len(SENTENCES)
    assert Close(1000).sentence == "The server ended the conversation (close 1000)."
    assert (
        Close(4999, "bye").sentence
        == "The server closed the connection with a code of its own (close 4999: bye)."
    )
    assert (
        str(LinkClosed(Close(3000, "bad key"))) == "The server does not accept the key (close 3000: bad key)."
    )
