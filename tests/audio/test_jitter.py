from rtassist.audio.jitter import EASED_MS_PER_S, LEAST_MS, LONGEST_MS, Jitter


def test_a_good_link_is_never_waited_for() -> None:
    jitter = Jitter()
    for _ in range(100):
        jitter.began()
        jitter.arrived(40)
        jitter.ended(5000)
    assert jitter.wait_ms == 0


def test_the_wait_grows_with_what_was_missing_and_doubles_where_that_is_little() -> None:
    jitter = Jitter()
    waits = []
    for missing_ms in (5, 5, 33, 90):
        jitter.starved(missing_ms)
        waits.append(jitter.wait_ms)
    assert waits == [LEAST_MS, 2 * LEAST_MS, 4 * LEAST_MS, LONGEST_MS]
    jitter = Jitter()
    jitter.starved(123)
    assert jitter.wait_ms == 130


def test_the_wait_is_bounded() -> None:
    jitter = Jitter()
    jitter.starved(60_000)
    assert jitter.wait_ms == LONGEST_MS


def test_it_eases_slowly_and_by_no_more_than_there_was_to_spare() -> None:
    jitter = Jitter()
    jitter.starved(200)
    jitter.ended(10_000)
    assert jitter.wait_ms == 200, "not at the end of the voice that had the gap"
    jitter.began()
    jitter.arrived(30)
    jitter.arrived(70)
    jitter.ended(20_000)
    assert jitter.wait_ms == 170
    jitter.began()
    jitter.ended(2_000)
    assert jitter.wait_ms == 170 - 2 * EASED_MS_PER_S
    for _ in range(100):
        jitter.began()
        jitter.ended(2_000)
    assert jitter.wait_ms == 0
