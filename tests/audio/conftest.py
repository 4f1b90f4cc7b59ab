from collections.abc import Iterator

import pytest

from tests.pulse import PrivatePulse, private_pulse


@pytest.fixture(scope="module")
def pulse() -> Iterator[PrivatePulse]:
    """A server that a module's tests share. Tests that break it start their own."""
    with private_pulse() as server:
        yield server
