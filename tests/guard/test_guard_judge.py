"""From measured checks to statuses: only those of this head, and only what is news."""

from __future__ import annotations

from promote_actions.adapters.forge import CommitStatus
from promote_actions.gates.model import CheckResult, CheckSpec, GateResult, Verdict
from promote_actions.guard.judge import Plan, news, verdicts

HEAD, OTHER = "a" * 40, "b" * 40
SETTLED = Plan((), {"promotion/approvals": ("success", "no"), "promotion/soak": ("success", "no")})


def result(kind: str, verdict: Verdict, commit: str = "") -> GateResult:
    check = CheckResult(CheckSpec(kind, kind), verdict, "why", 1, 0.1, commit=commit)
    return GateResult(verdict, (check,), 0.1)


def test_a_verdict_on_another_head_is_left_out() -> None:
    """A push between two answers gives no head the approvals of another."""
    assert "promotion/approvals" not in verdicts(SETTLED, result("approvals", "passed", OTHER), HEAD)
    found = verdicts(SETTLED, result("approvals", "failed", HEAD), HEAD)
    assert found == {"promotion/approvals": ("failure", "why"), "promotion/soak": ("success", "no")}
    assert verdicts(SETTLED, result("soak", "inconclusive"), HEAD)["promotion/soak"] == ("pending", "why")
    assert verdicts(SETTLED, None, HEAD) == SETTLED.settled


def test_only_what_is_new_is_published() -> None:
    """The same state with the same words is there already; other words are news."""
    there = {"promotion/soak": CommitStatus("promotion/soak", "success", "no")}
    assert list(news(SETTLED.settled, there)) == ["promotion/approvals"]
    assert "promotion/soak" in news({"promotion/soak": ("success", "since 10:00")}, there)
    long = {"promotion/soak": ("failure", "x" * 300)}
    published = {"promotion/soak": CommitStatus("promotion/soak", "failure", "x" * 140)}
    assert news(long, published) == {}  # type: ignore[arg-type]
