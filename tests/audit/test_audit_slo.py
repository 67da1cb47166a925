"""Objectives: the statistics, what counts as what, and the gate."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.audit.dora import dora
from promote_actions.audit.events import events
from promote_actions.audit.gate import chosen_windows, refusal
from promote_actions.audit.record import Record, format_time
from promote_actions.audit.slo_document import slo_document
from promote_actions.audit.slo_picture import picture
from promote_actions.audit.slo_render import length, percent, render_markdown, render_text
from promote_actions.audit.slo_report import slo_report
from promote_actions.audit.statistics import as_share, interval, nearest_rank, verdict
from promote_actions.config.model import Config
from promote_actions.errors import InputError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
TEMPLATE = Record(
    "promotion", "nexo-be", "2026.02.1", "staging", "production", "", "alice", outcome="success"
)


@pytest.mark.parametrize(
    ("good", "total", "low", "high"),
    [
        (5, 5, 0.566, 1.0),
        (10, 10, 0.722, 1.0),
        (19, 20, 0.764, 0.991),
        (98, 100, 0.930, 0.995),
        (0, 10, 0.0, 0.278),
    ],
)
def test_wilson_intervals(good, total, low, high):
    """Known values of the interval at 95 %."""
    found = interval(good, total)
    assert found == (pytest.approx(low, abs=6e-4), pytest.approx(high, abs=6e-4))


@pytest.mark.parametrize(("percent_", "needed"), [(95, 73), (98, 189), (99, 381)])
def test_how_many_successes_prove_a_target(percent_, needed):
    """One all-success run fewer is not yet proof."""
    target = as_share(percent_)
    assert verdict(needed, needed, target) == "met"
    assert verdict(needed - 1, needed - 1, target) == "unproven"


@pytest.mark.parametrize(
    ("good", "total", "target", "expected"),
    [
        (0, 0, 99, "no data"),
        (1, 1, 99, "unproven"),
        (0, 1, 99, "missed"),
        (97, 100, 99.9, "missed"),
        (95, 100, 95, "unproven"),
        (100, 100, 100, "unproven"),
        (99, 100, 100, "missed"),
    ],
)
def test_verdicts(good, total, target, expected):
    """Three honest answers, and none without data."""
    assert verdict(good, total, as_share(target)) == expected


@given(st.integers(1, 500), st.data(), st.integers(1, 999))
@settings(max_examples=200, deadline=None)
def test_the_exact_verdict_is_the_intervals(total, data, permille):
    """The verdict in whole numbers says what the interval in floating point says."""
    good = data.draw(st.integers(0, total))
    low, high = interval(good, total)
    target = Fraction(permille, 1000)
    if min(abs(low - target), abs(high - target)) < 1e-9:
        return
    expected = "met" if low > target else "missed" if high < target else "unproven"
    assert verdict(good, total, target) == expected


@pytest.mark.parametrize(
    ("values", "percent_", "expected"),
    [([], 50, None), ([7], 95, 7), ([1, 2], 95, 2), ([3, 1, 2], 50, 2), (list(range(1, 101)), 95, 95)],
)
def test_percentiles_are_values_that_were_seen(values, percent_, expected):
    """Nearest rank never gives a value between or beyond the observed ones."""
    assert nearest_rank(values, percent_) == expected


def test_rates_are_exact():
    """99.9 % is 999 of 1000, not the nearest binary fraction."""
    assert as_share(99.9) == Fraction(999, 1000)


def chain(*facts):
    """Records of one chain: each a dictionary of changes, with `ago` in hours and `took` in minutes."""
    made = []
    for number, fact in enumerate(facts, 1):
        changes = dict(fact)
        end = NOW - timedelta(hours=changes.pop("ago", 48))
        took = changes.pop("took", 20)
        started = "" if took is None else format_time(end - timedelta(minutes=took))
        record = replace(
            TEMPLATE,
            sequence=number,
            record_id=f"r{number}",
            timestamp=format_time(end),
            started_at=started,
            finished_at=format_time(end),
        )
        made.append(replace(record, **changes))
    return made


def production(records, days=28):
    """The objectives of production in one window."""
    report = slo_report(records, Config(), NOW, [days], environments=["production"])
    return report.environments[0]


def test_refusals_and_cancellations_are_no_failures():
    """A gate that says no works; it is counted apart."""
    slo = production(
        chain(
            {},
            {"outcome": "failure"},
            {"outcome": "refused"},
            {"outcome": "cancelled"},
            {"outcome": "rolled_back"},
        )
    )
    assert (slo.success.good, slo.success.total) == (1, 3)
    assert (slo.refused, slo.cancelled) == (1, 1)


def test_a_rollback_is_no_deployment_and_undoes_one():
    """It counts against the promotion that it names, and in no denominator."""
    slo = production(
        chain(
            {"ago": 72},
            {"ago": 60},
            {"ago": 59, "event": "rollback", "rollback": True, "rollback_of": "r1"},
        )
    )
    assert (slo.success.good, slo.success.total) == (2, 2)
    assert (slo.rollback.total - slo.rollback.good, slo.rollback.total) == (1, 2)
    found = events(chain({"ago": 72}, {"ago": 60}, {"ago": 59, "rollback": True, "rollback_of": "r1"}))
    assert [event.undone is not None for event in found] == [True, False]


def test_a_rollback_without_a_name_undoes_the_last():
    """The strategy's own record has no `rollback_of`."""
    found = events(chain({"ago": 72}, {"ago": 60}, {"ago": 59, "rollback": True}))
    assert [event.undone is not None for event in found] == [False, True]
    failed = events(chain({"ago": 72}, {"ago": 59, "rollback": True, "outcome": "failure"}))
    assert failed[0].undone is None


def test_amendments_change_what_they_amend():
    """A late fact counts in its record's place, and is no event itself."""
    found = events(chain({}, {"amends": "r1", "event": "amendment", "outcome": "failure", "took": None}))
    assert [event.outcome for event in found] == ["failure"]


def test_waiting_for_people_does_not_count_against_the_time():
    """Production's hour is the machine's; both times are shown."""
    slo = production(chain({"took": 300, "waited_seconds": 15_000}, {"took": 90}))
    assert (slo.in_time.good, slo.in_time.total) == (1, 2)
    assert (slo.active.p50, slo.total.p95) == (3000, 18_000)
    assert slo.active.few


def test_what_was_not_timed_is_not_fast():
    """A record that begins and ends at one moment says nothing about time."""
    slo = production(chain({"took": 0}, {"took": None}, {"took": 20}))
    assert (slo.in_time.total, slo.success.total) == (1, 3)


def test_the_youngest_promotions_are_pending():
    """What may still be rolled back is not yet in the rollback rate."""
    slo = production(chain({"ago": 30}, {"ago": 2}))
    assert (slo.rollback.total, slo.pending, slo.success.total) == (1, 1, 2)


def test_windows_leave_out_what_is_older():
    """Seven days are seven days."""
    records = chain({"ago": 24 * 6}, {"ago": 24 * 8})
    assert production(records, 7).success.total == 1
    assert production(records, 28).success.total == 2


def test_the_budget_counts_events():
    """Of 200 promotions at 99.9 % a fifth of one may fail: one failure spends it five times over."""
    slo = production(chain(*[{}] * 199, {"outcome": "failure"}))
    assert slo.budget.allowed == Fraction(1, 5)
    assert slo.budget.spent
    assert slo.budget.burn == 5
    assert slo.budget.burning is None
    assert slo.success.verdict == "unproven"


def test_burning_needs_both_windows_and_enough_events():
    """A bad hour after a good week is not a trend; a bad week and day is."""
    bad = [{"ago": 3, "outcome": "failure"}] * 6
    assert production(chain(*[{"ago": 5}] * 6, *bad)).budget.burning is True
    assert production(chain(*[{"ago": 100}] * 60, *bad)).budget.burning is None
    assert production(chain(*[{"ago": 5}] * 12)).budget.burning is False


def test_no_data_is_no_percentage():
    """Nothing recorded is neither 0 % nor 100 %."""
    slo = production([])
    assert slo.success.verdict == "no data"
    assert slo.success.rate is None
    assert slo_document(slo_report([], Config(), NOW, [28]))["verdict"] == "no data"


def test_imported_history_proves_nothing():
    """Git's history has no failures, so it is no evidence of success; it is deployments."""
    records = [replace(each, imported_from="git-history") for each in chain(*[{}] * 400)]
    assert production(records).success.total == 0
    assert dora(events(records), "production", NOW, 28).deployments == 400


def test_dora_measures_from_records_alone():
    """Frequency, fail rate, recovery, lead time and rework, each with its counts."""
    lead = {"committed_at": format_time(NOW - timedelta(hours=100))}
    measures = dora(
        events(
            chain(
                {"ago": 96, **lead},
                {"ago": 90, "outcome": "failure"},
                {"ago": 80, "version": "2026.02.16-hotfix-auth"},
                {"ago": 70},
                {"ago": 69, "rollback": True, "rollback_of": "r4"},
            )
        ),
        "production",
        NOW,
        7,
    )
    assert measures.deployments == 3
    assert measures.per_day == Fraction(3, 7)
    assert measures.lead_time == 4 * 3600
    assert measures.change_fail_rate == Fraction(2, 4)
    assert (measures.recoveries, measures.recovery, measures.open_failures) == (2, 3600, 0)
    assert measures.rework == 1


def test_dora_says_when_it_does_not_know():
    """No commit times, no labels, nothing recovered: not available, and open failures as they stand."""
    measures = dora(events(chain({"ago": 30, "outcome": "failure"})), "production", NOW, 7)
    assert (measures.lead_time, measures.rework, measures.recovery) == (None, None, None)
    assert (measures.open_failures, measures.longest_open) == (1, 30 * 3600)


@pytest.mark.parametrize(
    ("texts", "expected"), [(["7d", "28d"], [7, 28]), (["90"], [90]), (["24h"], [1]), (["7d", "7d"], [7])]
)
def test_windows_are_whole_days(texts, expected):
    """However they are written."""
    assert chosen_windows(texts) == expected


@pytest.mark.parametrize("texts", [[], ["soon"], ["90m"], ["0"], ["99999d"]])
def test_other_windows_are_refused(texts):
    """Parts of days, none, and too long ones."""
    with pytest.raises(InputError, match="input 'window'"):
        chosen_windows(texts)


def judged(records, *reasons):
    """The gate's answer."""
    return refusal(slo_report(records, Config(), NOW, [7, 28, 90]), reasons)


def test_the_gate_refuses_for_the_reasons_chosen():
    """Missed, unproven, budget: each only when it was asked for; no data refuses nothing."""
    bad = chain(*[{}] * 8, *[{"outcome": "failure"}] * 8)
    assert "production: success rate" in str(judged(bad, "missed"))
    assert "the error budget is spent (8 bad of 0.0 allowed)" in str(judged(bad, "budget"))
    assert judged(bad, "burning") is None
    assert judged(bad) is None
    assert judged(chain({}), "missed") is None
    assert "? unproven" in str(judged(chain({}), "unproven"))
    assert judged([], "missed", "unproven", "budget", "burning") is None
    with pytest.raises(InputError, match="'fail-on' is 'x'"):
        judged([], "x")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, "n/a"), (45, "45s"), (720, "12min"), (12_600, "3.5h"), (181_440, "2.1d")],
)
def test_lengths_of_time(seconds, expected):
    """In the unit that a person would choose."""
    assert length(seconds) == expected


def test_shares_as_per_cent():
    """Two places at most."""
    assert [percent(Fraction(999, 1000)), percent(Fraction(1, 3)), percent(Fraction(1)), percent(None)] == [
        "99.9%",
        "33.33%",
        "100%",
        "n/a",
    ]


def test_every_form_says_the_same():
    """Text, Markdown, JSON and picture of one report; the picture is XML that runs nothing."""
    report = slo_report(chain(*[{}] * 30, {"outcome": "failure"}), Config(), NOW, [7, 28])
    text, page = render_text(report), render_markdown(report)
    document = json.loads(json.dumps(slo_document(report)))
    for rendered in (text, page):
        assert "96.77% (30/31), ≥ 99.9%" in rendered
    assert document["budget_window_days"] == 28
    production_28 = next(
        each
        for each in document["environments"]
        if (each["environment"], each["window_days"]) == ("production", 28)
    )
    assert production_28["success_rate"]["total"] == 31
    assert all(
        line.count("|") == page.splitlines()[2].count("|") for line in page.splitlines()[2:12] if line
    )
    drawing = ElementTree.fromstring(picture(report))
    words = "".join(drawing.itertext())
    assert "production: success rate" in words
    assert "✗ missed 96.77% of 31" in words
    assert not list(drawing.iter("{http://www.w3.org/2000/svg}script"))
