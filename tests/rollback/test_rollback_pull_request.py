"""Production goes back by an urgent pull request, with a shorter policy than a promotion's."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from promote_actions.invoke import invoke
from promote_actions.rehearsal.github import Protection
from promote_actions.runner import Runner
from tests.adapters.scripted_server import fixed, serving
from tests.promotion.github_bench import BOT, GITOPS, Ended, GitHubBench
from tests.support.gitops import values

PROD = "helm/nexo-be/values-prod.yaml"
BAD, GOOD = "2026.02.10", "2026.01.45"
HOLD = f"holds/nexo-be/{BAD}.json"
BRANCH = f"rollback/nexo-be-prod-{GOOD}"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[GitHubBench]:
    """Production got a bad version a while ago."""
    with GitHubBench(tmp_path) as bench:
        bench.commit({PROD: values(BAD)}, f"promote(nexo-be): production → {BAD}")
        yield bench
        assert bench.github.crashes == []


def roll_back(bench: GitHubBench, *flags: str, **inputs: str) -> Ended:
    given = {"service": "nexo-be", "environment": "production", "reason": "login fails", **inputs}
    ended = bench.run("rollback", *flags, **given)
    assert ended.status == 0, ended.stderr
    return ended


def states(bench: GitHubBench, number: int) -> dict[str, str]:
    """What the guard says of the pull request."""
    ended = bench.run("guard", pull_request=str(number))
    assert ended.status == 0, ended.stderr
    said = ended.outputs["statuses"][str(number)]
    return {name.removeprefix("promotion/"): state for name, state in said.items()}


def test_it_is_urgent_and_has_reviewers(bench: GitHubBench) -> None:
    """Branch, title, labels, reviewers, and the first words of its text."""
    told = roll_back(bench).outputs
    pull = bench.pull(int(told["pr-number"]))
    assert (told["mode"], told["branch"], told["restored-version"]) == ("pull-request", BRANCH, GOOD)
    assert pull.title == f"rollback(nexo-be): production → {GOOD}"
    assert sorted(pull.labels) == ["production-deploy", "rollback"]
    assert told["reviewers"] == "ana,nexo-org/sre"
    assert f"- URGENT: nexo-be {BAD} is being taken out of production\n" in pull.body
    assert "a rollback needs 1 approval of an owner, no soak and no gate" in pull.body
    assert "| nexo-be | rollback → production |" in pull.body
    assert "login fails" in pull.body
    assert bench.git("diff", "--name-only", "main", BRANCH).splitlines() == [PROD, HOLD]
    assert bench.git("diff", "--numstat", "main", BRANCH, "--", PROD).split()[:2] == ["1", "1"]


def test_one_approval_and_then_it_may_be_merged(bench: GitHubBench) -> None:
    """The whole way: guard, one owner's review, merge, and the record that says it was a rollback."""
    required = ("promotion/approvals", "promotion/soak", "promotion/policy")
    bench.github.protect(GITOPS, "main", Protection(required, bypass=frozenset({BOT})))
    number = int(roll_back(bench).outputs["pr-number"])
    assert states(bench, number) == {"approvals": "pending", "soak": "success", "policy": "success"}
    with pytest.raises(AssertionError, match="Required status check"):
        bench.merge(number)
    bench.approve(number, "ben")
    assert states(bench, number) == {"approvals": "success", "soak": "success", "policy": "success"}
    bench.merge(number)
    assert GOOD in bench.show(PROD)
    recorded = bench.run("audit-log", operation="record", pr=str(number))
    assert recorded.status == 0, recorded.stderr
    record = recorded.outputs["record"]
    assert (record["event"], record["rollback"], record["version"]) == ("rollback", True, GOOD)
    assert (record["to_environment"], record["approvers"]) == ("production", ["ben"])
    assert record["pr_url"].endswith(f"/pull/{number}")
    promoted = bench.run("promote", "automatic", service="nexo-be", to="production", version=BAD)
    assert promoted.status == 1
    assert f"nexo-be {BAD} is quarantined: login fails" in promoted.error


CLOSED = """\
version: 1
environments:
  develop:
  production:
    {trigger: pull-request, approvals: 2, rollback: pull-request, suffix: prod, from: develop, %s}
"""


@pytest.mark.parametrize("closed", ["lock: audit", "freeze: [{cron: '* * * * *', duration: 2h}]"])
def test_a_closed_environment_is_no_reason_to_keep_a_bad_version(bench: GitHubBench, closed: str) -> None:
    """Locks, freezes and the stop-the-line file hold promotions up, not this."""
    bench.commit({"promotion.yaml": CLOSED % closed, "holds/stop-the-line": "fire\n"})
    number = int(roll_back(bench).outputs["pr-number"])
    assert states(bench, number)["policy"] == "success"


def test_a_pull_request_that_does_more_is_no_rollback(bench: GitHubBench) -> None:
    """Another change smuggled into the branch breaks the policy, whoever approves."""
    number = int(roll_back(bench).outputs["pr-number"])
    bench.github.commit(GITOPS, {"README.md": "x"}, "more", branch=BRANCH, login="cid")
    assert states(bench, number)["policy"] == "failure"


def test_the_same_again_changes_nothing(bench: GitHubBench) -> None:
    """A second run leaves the head alone, and with it the approvals that were given."""
    first = roll_back(bench).outputs
    bench.approve(int(first["pr-number"]), "ben")
    again = roll_back(bench).outputs
    assert (again["changed"], again["pr-number"], again["commit-sha"]) == (
        False,
        first["pr-number"],
        first["commit-sha"],
    )
    assert states(bench, int(first["pr-number"]))["approvals"] == "success"


def test_one_that_was_closed_by_hand_frees_the_way(bench: GitHubBench) -> None:
    """Closed without merging, it is proposed anew when somebody asks again."""
    first = int(roll_back(bench).outputs["pr-number"])
    bench.ask("PATCH", f"pulls/{first}", "ana", state="closed")
    second = int(roll_back(bench).outputs["pr-number"])
    assert (bench.open_pulls, second != first) == ([second], True)


def propose(bench: GitHubBench, version: str) -> int:
    """Somebody's promotion to production, by hand."""
    branch = f"promote/nexo-be-prod-{version}"
    bench.github.commit(GITOPS, {PROD: values(version)}, branch=branch, login="ana")
    title = f"promote(nexo-be): production → {version}"
    return int(bench.ask("POST", "pulls", "ana", title=title, head=branch, base="main")["number"])


def test_an_older_promotion_can_not_be_merged_late(bench: GitHubBench) -> None:
    """An open promotion of an older version gives way; one that goes forward stays."""
    older, newer = propose(bench, "2026.02.9"), propose(bench, "2026.02.11")
    number = int(roll_back(bench).outputs["pr-number"])
    assert older not in bench.open_pulls
    assert {newer, number} <= set(bench.open_pulls)


def test_a_look_first(bench: GitHubBench) -> None:
    """``--dry-run`` shows branch, diff, words and reviewers, and changes nothing."""
    before = bench.git("for-each-ref")
    ended = roll_back(bench, "dry-run", format="text")
    assert f"would roll back nexo-be to {GOOD} in production by pull request" in ended.stdout
    for words in (
        f"branch {BRANCH}",
        f'+  tag: "{GOOD}" # here',
        "would ask: ana, nexo-org/sre",
        "URGENT: nexo-be",
    ):
        assert words in ended.stdout
    assert bench.git("for-each-ref") == before
    assert bench.open_pulls == []


def test_people_are_asked_in_the_chat(bench: GitHubBench) -> None:
    """A pull request that nobody sees restores nothing."""
    with serving(fixed(body=b"ok")) as chat:
        url = f"{chat.url}/services/T0/B0/abcdefghijklmnop"
        roll_back(bench, slack_webhook=url, webhook=f"{chat.url}/hook")
        roll_back(bench, slack_webhook=url)
    assert len(chat.asked) == 2
    slack, other = (json.loads(asked.body) for asked in chat.asked)
    assert slack["text"] == f"⏪ Urgent, needs a review: roll back nexo-be in production to {GOOD}"
    assert (other["outcome"], other["actor"], other["previous-version"]) == ("proposed", "ana", BAD)
    assert other["links"]["Pull request"].endswith("/pull/1")


def test_slack_can_be_switched_off(bench: GitHubBench) -> None:
    """``notify: {slack: false}`` silences Slack and nothing else."""
    bench.commit({"promotion.yaml": "version: 1\nnotify: {slack: false}\n"})
    with serving(fixed(body=b"ok")) as chat:
        roll_back(bench, slack_webhook=f"{chat.url}/services/x", webhook=f"{chat.url}/hook")
    assert [asked.path for asked in chat.asked] == ["/hook"]


def test_by_direct_commit_when_a_person_says_so(bench: GitHubBench) -> None:
    """Break glass: a reason is needed, and the record keeps it."""
    refused = bench.run("rollback", service="nexo-be", environment="production", mode="direct")
    assert refused.status == 2
    assert "say why not with --reason" in refused.error
    told = roll_back(bench, mode="direct", reason="GitHub reviews are down").outputs
    assert (told["mode"], told["changed"]) == ("direct", True)
    record = json.loads(
        bench.show(bench.git("ls-tree", "-r", "--name-only", "main", "audit-logs").splitlines()[-1])
    )
    assert (record["reason"], record["rollback"]) == ("GitHub reviews are down", True)


class Terminal(io.StringIO):
    """Where a person watches."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("flags", "done"), [({}, False), ({"yes": "true"}, True)])
def test_on_a_terminal_production_is_looked_at_first(
    bench: GitHubBench, flags: dict[str, str], done: bool
) -> None:
    """Without ``--yes`` the plan is shown and nothing is done; a runner asks nobody."""
    said = Terminal()
    runner = Runner(env={"GITHUB_API_URL": bench.github.url}, stdout=io.StringIO(), stderr=said)
    given = {"gitops": GITOPS, "token": "bot-token", "service": "nexo-be", "environment": "production"}
    assert invoke("rollback", {**given, **flags}, runner) == 0
    assert bool(bench.open_pulls) is done
    assert ("run it again with --yes to do it" in said.getvalue()) is not done
