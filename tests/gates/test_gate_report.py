"""What a gate tells people."""

from __future__ import annotations

import io
import time
import unicodedata
from datetime import datetime, timedelta, timezone

import pytest

from promote_actions.gates import report
from promote_actions.gates.engine import Watch
from promote_actions.gates.model import (
    Check,
    CheckResult,
    CheckSpec,
    CheckState,
    GateResult,
    Link,
    Reading,
)
from promote_actions.gates.progress import Progress
from promote_actions.gates.publish import statuses
from promote_actions.runner import Runner

T0 = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)
BAD = CheckResult(
    CheckSpec("prometheus", "error-rate"),
    "failed",
    "0.02, wanted <= 0.01",
    readings=3,
    seconds=4.5,
    value=0.02,
    threshold="<= 0.01",
    samples=tuple((T0 + timedelta(seconds=n), value) for n, value in enumerate((0.0, 0.01, 0.02))),
    links=(Link("the query", "https://prometheus/graph?x=(1)"),),
    details=("a detail",),
)
GOOD = CheckResult(CheckSpec("argocd", "argocd"), "passed", "Synced and Healthy", details=("not shown",))
RESULT = GateResult("failed", (GOOD, BAD), 75.0)


def test_the_summary_is_a_table_with_charts_thresholds_and_links() -> None:
    """For the job's page."""
    text = report.summary(RESULT, "nexo-be 2026.02.2 in develop")
    row = (
        r"| error-rate | ❌ failed | 0.02 | &lt;= 0.01 | ▁▅█ 0 to 0.02 | 0.02, wanted &lt;= 0.01 "
        r"| [the query](https://prometheus/graph?x=(1%29) |"
    )
    assert row in text.splitlines()
    assert "- **error-rate** a detail" in text
    assert "not shown" not in text
    assert "**failed** after 75 s" in text


def test_the_refusal_says_which_check_and_why() -> None:
    """One sentence, the worst first; what passed is left out."""
    assert report.refusal(RESULT, "x") == (
        "the gate for x did not pass: error-rate failed: 0.02, wanted <= 0.01"
    )
    assert report.refusal(GateResult("inconclusive", ()), "x").endswith("nothing was measured")


def test_text_for_a_terminal() -> None:
    """A line a check, with its chart."""
    assert report.text(RESULT, "x").splitlines() == [
        "❌ x: failed after 75 s",
        "  ✅ argocd: Synced and Healthy",
        "  ❌ error-rate: 0.02, wanted <= 0.01  ▁▅█",
        "       a detail",
    ]


HOSTILE = "a|b\n# c <img> @team `x` [l](javascript:1) *b* &lt; ::error::"


def test_strangers_text_is_no_markup() -> None:
    """Neither a row's end, nor a mention, nor a link, nor HTML."""
    bad = CheckResult(
        CheckSpec("http", "h"),
        "failed",
        HOSTILE,
        links=(Link("evil", "javascript:alert(1)"),),
        details=(HOSTILE,),
    )
    text = report.summary(GateResult("failed", (bad,)), HOSTILE)
    for piece in ("<img", "@team", "\n#  c", "[l](javascript", "javascript:alert", "a|b"):
        assert piece not in text
    rows = [line for line in text.splitlines() if line.startswith("| h ")]
    assert len(rows) == 1
    assert rows[0].count("|") == 8


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([1.0], ""),
        ([1.0, 1.0], "▁▁"),
        ([0.0, 7.0], "▁█"),
        ([3.0, 0.0, 7.0], "▄▁█"),
        ([0.0] * 99, "▁" * 24),
    ],
)
def test_sparklines(values: list[float], bars: str) -> None:
    """The last values between their least and greatest."""
    assert report.sparkline([(T0, value) for value in values]) == bars


def test_the_json_of_a_check() -> None:
    """For the output `checks`."""
    found = report.as_json(BAD)
    assert (found["name"], found["key"], found["result"], found["value"]) == (
        "error-rate",
        "error_rate",
        "failed",
        0.02,
    )
    assert found["links"] == [{"text": "the query", "url": "https://prometheus/graph?x=(1)"}]


def test_explain_says_what_would_be_asked_of_whom() -> None:
    """And from where each check comes."""
    spec = CheckSpec("http", "http", interval=5.0, timeout=60.0, source="gates of qa in promotion.yaml")
    check = Check(
        spec,
        lambda moment: Reading("passed", "", T0),
        after_rollout=True,
        explain=("GET https://x/health",),
    )
    text = report.explain([check], "nexo-be")
    assert "- http (http), from gates of qa in promotion.yaml; result `http`" in text
    assert "GET https://x/health" in text
    assert "then every 5 s for at most 60 s" in text
    assert "after the rollout" in text


# -- progress --------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def watch(name: str, *readings: Reading) -> Watch:
    found = Watch(Check(CheckSpec("x", name), lambda moment: readings[0]), None, 60.0, 0.0)
    if readings:
        found.state = CheckState(reading=readings[-1])
    return found


def test_a_log_has_one_line_for_each_change() -> None:
    """Numbers alone are no news; a check that was not measured says nothing."""
    err = io.StringIO()
    progress = Progress(Runner(env={}, stdout=io.StringIO(), stderr=err))
    progress([watch("soak", Reading("waiting", "29 min left", T0)), watch("other")], 0.1)
    progress([watch("soak", Reading("waiting", "28 min left", T0)), watch("other")], 60.0)
    progress([watch("soak", Reading("inconclusive", "superseded", T0)), watch("other")], 61.0)
    progress.end()
    assert err.getvalue().splitlines() == [
        "   0.1 s  ⏳ soak waiting: 29 min left",
        "  61.0 s  ❔ soak inconclusive: superseded",
    ]


def test_a_terminal_has_one_line_that_changes() -> None:
    """With what is passed, what is missing, and when it gives up; no secret in it."""
    err = Terminal()
    runner = Runner(env={}, stdout=io.StringIO(), stderr=err)
    runner.mask("hunter22")
    progress = Progress(runner)
    done = watch("argocd", Reading("passed", "fine", T0))
    done.state = CheckState(verdict="passed", reading=done.state.reading)
    open_one = watch("http", Reading("waiting", "token hunter22", T0))
    open_one.deadline, open_one.ready = time.monotonic() + 55.4, time.monotonic() + 8.4
    progress([done, open_one], 5.0)
    progress.end()
    said = "5 s, 8 s to 55 s left  ✅ argocd  ⏳ http: token ***"
    assert err.getvalue() == f"\r\x1b[K{said}\r\x1b[K"


def test_a_secret_is_hidden_before_the_line_is_cut() -> None:
    """The part of it that fits would not be known for one."""
    err = Terminal()
    runner = Runner(env={}, stdout=io.StringIO(), stderr=err)
    runner.mask("hunter22" * 20)
    Progress(runner)([watch("http", Reading("waiting", "hunter22" * 20, T0))], 5.0)
    assert "hunter" not in err.getvalue()


@pytest.mark.parametrize("width", [30, 79, 80, 200])
@pytest.mark.parametrize("name", ["a", "✅", "日本"])
def test_a_line_fits_its_terminal(width: int, name: str) -> None:
    """Or the terminal would scroll. An emoji takes two columns, and the last one stays free."""
    state = CheckState(reading=Reading("waiting", "", T0))
    done = CheckState(verdict="passed")
    items = [(f"{name}{n}", done, "") for n in range(20)] + [("last", state, "x" * 500)]
    line = report.status_line(items, 1.0, 3.0, 2.0, width)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in line)
    assert width - 3 <= len(line) + wide <= width - 1


# -- commit statuses -------------------------------------------------------------------------------


def test_commit_statuses_by_subject() -> None:
    """Soak and approvals have their own, so that branch protection can ask for each."""
    soak = CheckResult(CheckSpec("soak", "soak"), "timed-out", "12 min of 30 min left")
    people = CheckResult(CheckSpec("approvals", "approvals"), "passed", "approved by ana, ben")
    found = statuses(GateResult("failed", (GOOD, BAD, soak, people)))
    assert found == [
        ("promotion/health", "failure", "argocd passed, error-rate failed"),
        ("promotion/soak", "pending", "12 min of 30 min left"),
        ("promotion/approvals", "success", "approved by ana, ben"),
    ]


def test_a_description_is_not_longer_than_github_takes() -> None:
    """140 characters."""
    long = CheckResult(CheckSpec("soak", "soak"), "errored", "x" * 500)
    assert statuses(GateResult("errored", (long,))) == [("promotion/soak", "error", "x" * 140)]
