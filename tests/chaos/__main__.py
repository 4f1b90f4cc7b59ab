"""Many conversations over a bad network, each made of a seed.

python -m tests.chaos --runs 1000            seeds 0 to 999, and what came of them
python -m tests.chaos --seed 17              one of them, with all that its user was told
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import time
from collections import Counter

from tests.chaos import lasting
from tests.chaos.plan import plan_for
from tests.chaos.run import Broken, Outcomes, run

HUNG_S = 60
"""Real seconds for one run, which takes a tenth of one: behind it all stacks are printed, and it ends."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--seed", type=int, help="the first seed")
    parser.add_argument("--runs", type=int, help="how many seeds")
    parser.add_argument("--hours", type=float, help="of virtual time, instead")
    parser.add_argument("--turns", type=int, default=2000, help="in these hours")
    parser.add_argument("--real-minutes", type=float, help="of real time, instead")
    arguments = parser.parse_args()
    if arguments.hours:
        print(lasting.virtual(arguments.hours, arguments.turns).told())
        return 0
    if arguments.real_minutes:
        print(lasting.real(arguments.real_minutes).told())
        return 0
    first, runs = arguments.seed or 0, arguments.runs or (1 if arguments.seed is not None else 100)
    return several(first, runs, say=runs == 1)


def several(first: int, runs: int, *, say: bool) -> int:
    began_s = time.perf_counter()
    found: list[Outcomes] = []
    broken: list[str] = []
    took_s = []
    for seed in range(first, first + runs):
        faulthandler.dump_traceback_later(HUNG_S, exit=True)
        one_s = time.perf_counter()
        plan = plan_for(seed)
        if say:
            print(plan)
        try:
            found.append(run(plan, say=say))
        except Broken as wrong:
            broken.append(str(wrong))
            print(wrong, flush=True)
        took_s.append((time.perf_counter() - one_s, seed))
        faulthandler.cancel_dump_traceback_later()
    for line in told(found, broken, time.perf_counter() - began_s):
        print(line)
    print("slowest:", ", ".join(f"seed {seed} {s:.2f} s" for s, seed in sorted(took_s)[-3:]))
    return bool(broken)


def told(found: list[Outcomes], broken: list[str], took_s: float) -> list[str]:
    """What came of it, in lines."""
    checks: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for each in found:
        checks += each.checks
        faults += Counter(each.played)
        assert each.quit is not None
        ends[each.quit.outcome.value] += 1
    said, lost = (
        sum(len(each.said) for each in found),
        sum(len(each.lost) for each in found if each.quit and each.quit.outcome.value == "over"),
    )
    return [
        f"{len(found) + len(broken)} runs, {len(broken)} broken, in {took_s:.1f} s "
        f"for {sum(each.virtual_s for each in found) / 3600:.1f} h of conversations",
        f"connections: {sum(each.connections for each in found)}, of these before the first session stood "
        f"{sum(each.failed_starts for each in found)}; ends: {dict(ends)}",
        f"sentences of the user: {said}; lost, and told so: {lost}",
        f"checks of the floor: {checks.total()} ({dict(sorted(checks.items()))})",
        f"recordings replayed equal: {len(found)}, of {sum(each.lines for each in found)} lines",
        "requests that met a response that we had been told of: "
        f"{sum('response is asked for' in each or 'request is refused' in each for each in broken)}, one to "
        f"a turn that was told behind them: {sum(each.crossed for each in found)} "
        f"({', '.join(f'seed {each.seed}' for each in found if each.crossed) or 'none'})",
        f"faults: {dict(faults.most_common())}",
    ]


if __name__ == "__main__":
    sys.exit(main())
