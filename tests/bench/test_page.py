"""The page and its plots: all of what was measured is in them, in its place."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from bench import page, plots, results
from bench.figures import Figure, Measured
from tests.talking import ROOT

DELAY = Figure(name="delay", unit="ms", limit=30)
MEMORY = Figure(name="memory", unit="MB")


def measured(*samples: float, figure: Figure = DELAY, contender: str = "rtassist") -> Measured:
    return Measured(row="row", figure=figure, contender=contender, rounds=(samples,))


def kept(*all_measured: Measured) -> results.Results:
    made = results.results(datetime(2026, 11, 22, tzinfo=UTC), all_measured)
    return results.from_json(results.to_json(made))


def places(path: str) -> list[float]:
    """Where the steps of a distribution are."""
    return [float(x) for x in re.findall(r"[MH]([\d.]+)", path)]


def line(drawn: plots.Drawing, kind: str) -> str:
    found = re.search(rf'class="{kind}" (?:d|points)="([^"]+)"', drawn.body)
    assert found is not None
    return found[1]


def test_a_distribution_goes_from_none_to_all() -> None:
    path = line(plots.ecdf([measured(10, 20, 40)], "ms"), "line c0")
    heights = [float(y) for y in re.findall(r"[V ]([\d.]+)", path)]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] == plots.HEIGHT - plots.BOTTOM
    assert heights[-1] == plots.TOP
    assert places(path) == sorted(places(path))


def test_slower_lies_to_the_right_and_the_limit_between() -> None:
    drawn = plots.ecdf([measured(10, 12, 14), measured(40, 50, 60, contender="theirs")], "ms")
    limit = places(line(drawn, "limit"))[0]
    assert max(places(line(drawn, "line c0"))) < limit < min(places(line(drawn, "line c1")))


@pytest.mark.parametrize("samples", [(0.0, 0.0, 0.0), (5.0,), (-3.0, 0.0, 4.0), (1e-3, 1e6), (450.0, 450.0)])
def test_any_samples_lie_within_the_plot(samples: tuple[float, ...]) -> None:
    drawn = plots.ecdf([measured(*samples)], "ms")
    assert all(plots.LEFT - 1 <= x <= plots.WIDTH - plots.RIGHT + 1 for x in places(line(drawn, "line c0")))


def test_stages_begin_where_the_one_before_ends() -> None:
    drawn = plots.waterfall([measured(10), measured(30), measured(20)], [0, 1, 0], "ms")
    bars = [
        (float(x), float(w)) for x, w in re.findall(r'c\d" x="([\d.]+)" y="\d+" width="([\d.]+)"', drawn.body)
    ]
    assert [round(w / bars[0][1]) for _, w in bars] == [1, 3, 2]
    for (x, wide), (after, _) in pairwise(bars):
        assert after == pytest.approx(x + wide, abs=0.2)


def test_memory_is_shown_over_time() -> None:
    growing = measured(*(50 + n for n in range(30)), figure=MEMORY)
    text = page.html(kept(growing), {"row": "What it is."}, {})
    points = re.search(r'points="([^"]+)"', text)
    assert points is not None
    heights = [float(point.split(",")[1]) for point in points[1].split()]
    assert heights == sorted(heights, reverse=True)
    assert len(heights) == 30


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    unable = Measured(row="row", figure=DELAY, contender="<b>", cannot="no ears & no mouth")
    text = page.html(kept(measured(10, 50, 60, 70), unable), {"row": "From a → to b."}, {})
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    assert "missed" in text
    assert "From a → to b." in text
    assert "&lt;b&gt;" in text
    assert "no ears &amp; no mouth" in text
    assert not re.search(r"<script|<link|@import|url\(|src=|href=", text)


def test_a_file_of_results_becomes_a_page(tmp_path: Path) -> None:
    file, out = tmp_path / "a.json", tmp_path / "a.html"
    file.write_bytes(results.to_json(kept(measured(10, 20, 25))))
    command = [sys.executable, "-m", "bench", "--from", str(file), "--html", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    assert "<svg" in out.read_text()


def test_a_picture_holds_all_plots() -> None:
    drawn = page.picture(kept(measured(1, 2, 3), measured(4, 5, 6, contender="theirs")), {})
    assert drawn.count("<svg") == 2
    assert "theirs" in drawn
    assert "var(" not in drawn
