"""The chart of a metric over its window."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest

from promote_actions.gates import chart, report
from promote_actions.gates.engine import Gate
from promote_actions.gates.model import Check, CheckSpec, Reading

T0 = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)


class Source:
    def __init__(self) -> None:
        self.asked: list[tuple[str, float, float, float]] = []

    def course(self, text: str, begin: datetime, end: datetime, step: float) -> chart.Course:
        self.asked.append(
            (text, begin.timestamp() - T0.timestamp(), end.timestamp() - T0.timestamp(), step)
        )
        return ((begin, 1.0), (end, 2.0))


@pytest.mark.parametrize("seconds", [0.5, 2.0, 30.0, 60.0, 61.5, 300.0, 86400.0])
def test_no_point_looks_back_before_the_window(seconds: float) -> None:
    """There the old version was live. The last point is the window's end."""
    source = Source()
    found = chart.drawn(source, lambda back: f"{back!r}", T0, T0 + timedelta(seconds=seconds))
    ((text, begin, end, step),) = source.asked
    assert begin - float(text) == pytest.approx(0, abs=1e-5)
    assert begin + step * (chart.POINTS - 1) == pytest.approx(end, abs=1e-3)
    assert end == pytest.approx(seconds)
    assert len(found) == 2


@pytest.mark.parametrize(("seconds", "back"), [(20.0, 10.0), (60.0, 30.0), (120.0, 30.0), (300.0, 60.0)])
def test_a_point_looks_back_over_two_scrapes_at_least(seconds: float, back: float) -> None:
    """Where the window is long enough for that; else over half of it."""
    source = Source()
    chart.drawn(source, str, T0, T0 + timedelta(seconds=seconds))
    assert float(source.asked[0][0]) == back


def test_no_time_has_no_chart() -> None:
    """Nothing is asked."""
    source = Source()
    assert chart.drawn(source, str, T0, T0) == ()
    assert source.asked == []


def test_a_single_reading_has_the_windows_chart() -> None:
    """A gate that passes at once would have nothing to show otherwise."""
    course = tuple((T0 + timedelta(seconds=n), value) for n, value in enumerate((0.0, 0.005, 0.01)))
    measured = Reading("passed", "fine", T0, value=0.01, course=course)
    result = Gate([Check(CheckSpec("prometheus", "errors"), lambda moment: measured)]).run()
    assert all(one < two for one, two in pairwise(value for _, value in result.checks[0].samples))
    assert "| ▁▅█ 0 to 0.01 |" in report.summary(result, "nexo-be")
