"""Results as Markdown: nothing is left out, and a missed limit is seen."""

from bench.figures import Figure, Measured
from bench.markdown import markdown
from bench.results import Results

DELAY = Figure(name="delay", unit="ms", limit=20)
SIZE = Figure(name="size", unit="MB", limit=1, of="worst")


def test_beside_others_alone_and_absent() -> None:
    measured = (
        Measured(row="barge-in", figure=DELAY, contender="rtassist", rounds=((4.0, 6.0, 11.0),)),
        Measured(row="barge-in", figure=DELAY, contender="slow", rounds=((500.0,),)),
        Measured(row="barge-in", figure=DELAY, contender="deaf", cannot="it has no ears"),
        Measured(row="memory", figure=SIZE, contender="rtassist", rounds=((1.0, 3.0),)),
    )
    machine = {"system": "Linux", "processor": "Z80", "cores": "2", "python": "3.11"}
    kept = Results(made="2026-11-22T10:00:00+00:00", machine=machine, measured=measured)
    assert list(markdown(kept)) == [
        "2026-11-22, Linux, Z80 × 2, Python 3.11.",
        "",
        "| median | rtassist (p99) | limit | slow | deaf |",
        "|---|--:|--:|--:|--:|",
        "| barge-in: delay, ms | 6 (11) | ≤ 20 | 500 |  |",
        "",
        "| median | rtassist (p99) | limit |",
        "|---|--:|--:|",
        "| memory: size, MB | 2 (3) | worst ≤ 1 **missed** |",
        "",
        "- deaf, barge-in: it has no ears",
    ]
