import pytest

from rtassist.link.closing import SENTENCES, Close, LinkClosed
from rtassist.link.retry import delay_ms, may_come_back


@pytest.mark.parametrize("code", [1001, 1005, 1006, 1011, 1012, 1013, 1015])
def test_a_lost_network_or_server_may_come_back(code: int) -> None:
    assert may_come_back(Close(code))


@pytest.mark.parametrize("code", [1000, 1002, 1003, 1007, 1008, 1009, 3000, 4000, 4999])
def test_an_end_that_was_meant_does_not(code: int) -> None:
    assert not may_come_back(Close(code))


def test_the_delay_doubles_to_a_limit_and_is_shortened_by_chance() -> None:
    assert [delay_ms(attempt, 0.0) for attempt in (1, 2, 3, 4, 5, 6, 10_000)] == [
        500,
        1000,
        2000,
        4000,
        8000,
        8000,
        8000,
    ]
    assert delay_ms(2, 0.5) == 875
    assert delay_ms(1, 0.99) == 376


def test_each_close_has_a_sentence() -> None:
    sentences = {code: Close(code).sentence for code in SENTENCES}
    assert len(set(sentences.values())) == len(SENTENCES)
    assert Close(1000).sentence == "The server ended the conversation. (close 1000)"
    assert (
        Close(4999, "bye").sentence
        == "The server closed the connection with a code of its own. (close 4999: bye)"
    )
    assert (
        str(LinkClosed(Close(3000, "bad key"))) == "The server does not accept the key. (close 3000: bad key)"
    )
