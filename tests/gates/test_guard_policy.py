"""The check ``policy``: pull requests of ours and of people, judged by what they change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from promote_actions.rehearsal.github import Exchange
from tests.promotion.github_bench import GITOPS, Ended, GitHubBench
from tests.support.gitops import values

PROD = "helm/nexo-be/values-prod.yaml"
STAGING = "helm/nexo-be/values-staging.yaml"
BRANCH = "promote/nexo-be-prod-2026.02.10"
LOCKED = "{lock: audit, suffix: prod}"
RECORD = "audit-logs/2026-01-01-nexo-be-prod.json"
OLD, NEW = "2026.01.45", "2026.02.10"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[GitHubBench]:
    with GitHubBench(tmp_path, ["nexo-be", "nexo-web"]) as bench:
        yield bench


def judge(bench: GitHubBench, *flags: str, number: int = 1, **inputs: str) -> Ended:
    """One look at a pull request by the policy alone."""
    asked = {"environment": "staging", "check": "policy", "pull_request": str(number), **inputs}
    return bench.run("health-gate", "once", *flags, **asked)


def verdict(bench: GitHubBench, number: int = 1, **inputs: str) -> tuple[str, str]:
    """Result and reason."""
    (check,) = judge(bench, number=number, **inputs).outputs["checks"]
    return check["result"], check["reason"]


def by_hand(bench: GitHubBench, files: dict[str, str | None], title: str = "", branch: str = BRANCH) -> str:
    """A person's branch and pull request; returns the head."""
    head = bench.commit(files, branch=branch)
    bench.ask("POST", "pulls", "ben", title=title or "Change things", head=branch, base="main", body="")
    return head


# -- what may pass -------------------------------------------------------------------------------


def test_our_own_pull_request_passes(bench: GitHubBench) -> None:
    """What promote proposes obeys the policy."""
    bench.promote(service="nexo-be", to="production")
    assert verdict(bench) == ("passed", "nexo-be 2026.02.10 to production")


def test_a_train_passes(bench: GitHubBench) -> None:
    """Several services of one environment."""
    bench.promote(service="nexo-be,nexo-web", to="production")
    assert verdict(bench) == (
        "passed",
        "nexo-be 2026.02.10 to production, nexo-web 2026.02.10 to production",
    )


@pytest.mark.parametrize("quoted", ['"2026.02.10"', "2026.02.10", "'2026.02.10'"])
def test_a_person_s_edit_passes_in_any_quotes(bench: GitHubBench, quoted: str) -> None:
    """The strategy's manual promotion: no mark, somebody's own words, an editor's quotes."""
    content = values(OLD).replace(f'"{OLD}"', quoted)
    by_hand(bench, {PROD: content}, f"promote(nexo-be): production → {NEW}")
    assert verdict(bench) == ("passed", "nexo-be 2026.02.10 to production")


def test_what_changes_no_version_passes(bench: GitHubBench) -> None:
    """The status is required of every pull request, also of one about replicas or documents."""
    by_hand(bench, {PROD: values(OLD).replace("replicas: 1", "replicas: 2"), "README.md": "x"})
    assert verdict(bench) == ("passed", "no version is changed")


def test_a_new_service_is_no_promotion(bench: GitHubBench) -> None:
    """Its values files come with whatever they need."""
    by_hand(
        bench, {"helm/new/values-prod.yaml": values("1"), "helm/new/values-qa.yaml": values("1"), "x": "y"}
    )
    assert verdict(bench)[0] == "passed"
    assert "a new values file, not a promotion" in verdict(bench)[1]


def test_a_rollback_s_pull_request_passes(bench: GitHubBench) -> None:
    """Back to what ran there, with a hold on what is left; the audit log may grow."""
    stop = {"holds/stop-the-line": "incident 42"}  # no bar to a rollback
    bench.commit({PROD: values(NEW), **stop}, "promote(nexo-be): production → 2026.02.10")
    hold = json.dumps({"reason": "it burns"})
    record = {"audit-logs/2026-02-11-nexo-be-prod.json": "{}"}
    files = {PROD: values(OLD), f"holds/nexo-be/{NEW}.json": hold, **record}
    by_hand(bench, files, f"rollback(nexo-be): production → {OLD}", f"rollback/nexo-be-prod-{OLD}")
    assert verdict(bench) == ("passed", "nexo-be 2026.01.45 to production")


def test_github_s_revert_button_passes(bench: GitHubBench) -> None:
    """ "Revert this PR" is the first line of the strategy's rollback plan."""
    bench.promote(service="nexo-be", to="production")
    bench.merge(1)
    by_hand(bench, {PROD: values(OLD)}, 'Revert "promote(nexo-be): production → 2026.02.10"', "revert-1")
    assert verdict(bench, 2) == ("passed", "nexo-be 2026.01.45 to production")


# -- what may not --------------------------------------------------------------------------------

ONE_LINE = values(NEW)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({PROD: ONE_LINE.replace("replicas: 1", "replicas: 9")}, f"{PROD}:6: more than image.tag"),
        ({PROD: ONE_LINE.replace("\n\n", "\n")}, f"{PROD}:4: more than image.tag"),
        ({PROD: ONE_LINE.replace(" # here", "")}, "more than image.tag is changed"),
        ({PROD: ONE_LINE + "extra: 1\n"}, "more than image.tag is changed"),
        ({PROD: ONE_LINE.replace("\n", "\r\n")}, "more than image.tag is changed"),
        ({PROD: "\ufeff" + ONE_LINE}, "more than image.tag is changed"),
        ({PROD: ONE_LINE.replace("nexo-org/app", "evil/app")}, "more than image.tag is changed"),
        ({PROD: ONE_LINE, "README.md": "x"}, "README.md is changed beside a promotion"),
        ({PROD: ONE_LINE, "promotion.yaml": "version: 1\n"}, "promotion.yaml is changed beside"),
        ({PROD: ONE_LINE, ".github/CODEOWNERS": "* @ben\n"}, "CODEOWNERS is changed beside a promotion"),
        ({PROD: ONE_LINE, ".github/workflows/x.yml": "x"}, "x.yml is changed beside a promotion"),
        ({PROD: ONE_LINE, "holds/stop-the-line": None}, "stop-the-line is changed beside a promotion"),
        ({PROD: ONE_LINE, RECORD: "{}"}, "is a record, which never changes"),
        ({PROD: ONE_LINE, STAGING: values("2026.02.9")}, "production and staging are promoted at once"),
        ({PROD: ONE_LINE, "helm/new/values-prod.yaml": values("1")}, "is new beside a promotion"),
        ({PROD: ONE_LINE, "helm/nexo-web/values-qa.yaml": None}, "is added or removed beside a promotion"),
        ({PROD: values("2026.02.11")}, "staging has nexo-be 2026.02.10, not 2026.02.11"),
        ({PROD: values("2026.01.44")}, "staging has nexo-be 2026.02.10, not 2026.01.44"),
        ({PROD: values("2026.10").replace('"2026.10"', "2026.10")}, "2026.10 without quotes is read as"),
        ({PROD: values("../x")}, "is not a version"),
        ({PROD: "image: {\n"}, "not YAML"),
        ({PROD: "image:\n  repository: x\n"}, "there is no 'tag' there"),
        ({"helm/nexo-be/values-production.yaml": values(NEW)}, f"is another name of {PROD}"),
    ],
)  # fmt: skip
def test_what_a_promotion_may_not_do(bench: GitHubBench, files: dict[str, str | None], words: str) -> None:
    """It is failed, and the reason names the place."""
    bench.commit({"holds/stop-the-line": "x", RECORD: "[]"})
    by_hand(bench, files)
    bench.commit({"holds/stop-the-line": None})
    result, reason = verdict(bench)
    assert (result, words in reason) == ("failed", True), (result, reason)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        (
            "promote(nexo-web): production → 2026.02.10",
            "the title says service nexo-web, the change nexo-be",
        ),
        ("promote(nexo-be): staging → 2026.02.10", "the title says environment staging"),
        (
            "promote(nexo-be): production → 2026.02.9",
            "the title says version 2026.02.9, the change 2026.02.10",
        ),
    ],
)
def test_a_title_that_says_something_else(bench: GitHubBench, title: str, words: str) -> None:
    """People approve what they read."""
    by_hand(bench, {PROD: values(NEW)}, title)
    result, reason = verdict(bench)
    assert (result, words in reason) == ("failed", True), reason


def test_a_late_merge_of_an_older_promotion_fails(bench: GitHubBench) -> None:
    """Production has moved on since: the old pull request would put it back."""
    bench.promote(service="nexo-be", to="production")
    bench.commit({PROD: values("2026.02.12"), STAGING: values("2026.02.12")})
    result, reason = verdict(bench)
    assert result == "failed"
    assert "staging has nexo-be 2026.02.12, not 2026.02.10" in reason


def test_a_version_that_left_the_source_fails(bench: GitHubBench) -> None:
    """What staging runs now is what production may get."""
    bench.promote(service="nexo-be", to="production")
    assert verdict(bench)[0] == "passed"
    bench.commit({STAGING: values("2026.02.9")})
    assert verdict(bench)[0] == "failed"


def test_a_downgrade_that_calls_itself_a_promotion_fails(bench: GitHubBench) -> None:
    """Even to a version that ran there and is live in the source."""
    bench.commit({PROD: values(NEW), STAGING: values(OLD)})
    by_hand(bench, {PROD: values(OLD)}, f"promote(nexo-be): production → {OLD}")
    assert "production has nexo-be 2026.02.10, which is newer than 2026.01.45" in verdict(bench)[1]
    override = "policy:override=downgrade;reason=the new one burns"
    assert verdict(bench, check=override) == ("passed", "nexo-be 2026.01.45 to production")


def test_a_quarantined_version_fails(bench: GitHubBench) -> None:
    """Forward and back."""
    bench.promote(service="nexo-be", to="production")
    bench.commit({f"holds/nexo-be/{NEW}.json": '{"reason": "it burns"}'})
    assert "quarantined: it burns" in verdict(bench)[1]
    bench.commit({PROD: values("2026.02.12"), f"holds/nexo-be/{OLD}.json": '{"reason": "it burned"}'})
    by_hand(bench, {PROD: values(OLD)}, branch="rollback/x")
    assert "quarantined: it burned" in verdict(bench, 2)[1]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"holds/stop-the-line": "incident 42"}, "the line is stopped: incident 42"),
        (
            {"promotion.yaml": f"version: 1\nenvironments: {{staging: {{}}, production: {LOCKED}}}\n"},
            "production is locked: audit",
        ),
    ],
)
def test_what_ends_by_itself_keeps_it_waiting(
    bench: GitHubBench, files: dict[str, str | None], words: str
) -> None:
    """Stopped, frozen or locked is not wrong: the status is pending until it is over."""
    bench.promote(service="nexo-be", to="production")
    bench.commit(files)
    ended = judge(bench, "publish")
    assert (ended.status, ended.outputs["result"]) == (1, "inconclusive")
    assert words in ended.outputs["checks"][0]["reason"]
    (status,) = bench.github.repository(GITOPS).statuses
    assert (status.context, status.state) == ("promotion/policy", "pending")


def test_an_override_that_belongs_to_somebody_is_not_taken(bench: GitHubBench) -> None:
    """Nobody knows who configured the gate: whom a lock names must promote by themselves."""
    bench.promote(service="nexo-be", to="production")
    lock = "{suffix: prod, lock: {reason: audit, override: [alice]}}"
    bench.commit({"promotion.yaml": f"version: 1\nenvironments: {{staging: {{}}, production: {lock}}}\n"})
    assert verdict(bench, check="policy:override=lock;reason=x")[0] == "inconclusive"
    bench.commit({"promotion.yaml": f"version: 1\nenvironments: {{staging: {{}}, production: {LOCKED}}}\n"})
    assert verdict(bench, check="policy:override=lock;reason=x")[0] == "passed"


def test_a_pull_request_that_pins_another_image_fails(bench: GitHubBench) -> None:
    """The digest that came into staging is the one that may go on."""
    pins = "version: 1\nvalues: {image-digest: image.digest}\n"
    here, there = "sha256:" + "a" * 64, "sha256:" + "b" * 64

    def pinned(version: str, digest: str) -> str:
        return f'image:\n  tag: "{version}"\n  digest: "{digest}"\n'

    bench.commit({"promotion.yaml": pins, STAGING: pinned(NEW, here), PROD: pinned(OLD, "")})
    by_hand(bench, {PROD: pinned(NEW, there)})
    assert verdict(bench) == ("failed", f"{PROD} pins {there}, but staging runs {here}")
    by_hand(bench, {PROD: pinned(NEW, here)}, branch="promote/right")
    assert verdict(bench, 2)[0] == "passed"


def test_a_closed_pull_request_fails_and_gets_no_status(bench: GitHubBench) -> None:
    """There is nothing to allow."""
    bench.promote(service="nexo-be", to="production")
    bench.ask("PATCH", "pulls/1", "ana", state="closed")
    ended = judge(bench, "publish")
    assert ended.outputs["result"] == "failed"
    assert bench.github.repository(GITOPS).statuses == []


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("policy:override=nonsense;reason=x", "names 'nonsense'"),
        ("policy:override=freeze", "overrides a rule without a reason"),
        ("policy:pull-request=0", "has no pull request"),
        ("policy:depth=3", "has no option 'depth'"),
    ],
)
def test_wrong_options(bench: GitHubBench, check: str, words: str) -> None:
    """Bad input is said before anything is measured."""
    ended = judge(bench, check=check)
    assert ended.status == 2
    assert words in ended.error


# -- the head that was judged --------------------------------------------------------------------


def statuses(bench: GitHubBench) -> dict[tuple[str, str], str]:
    """State by commit and context."""
    found = bench.github.repository(GITOPS).statuses
    return {(status.sha, status.context): status.state for status in found}


def test_the_status_is_set_on_the_head_that_was_judged(bench: GitHubBench) -> None:
    """Somebody pushes while the gate publishes: the new head has earned nothing."""
    bench.promote(service="nexo-be", to="production")
    judged = bench.git("rev-parse", BRANCH)
    pushed: list[str] = []

    def push(exchange: Exchange) -> None:
        if exchange.template.endswith("/git/trees/{tree_sha}") and not pushed:
            pushed.append(bench.commit({PROD: values("6.6.6")}, branch=BRANCH))

    bench.github.subscribe(push)
    ended = judge(bench, "publish")
    assert ended.status == 0
    assert pushed
    assert statuses(bench)[judged, "promotion/policy"] == "success"
    assert {sha for sha, _ in statuses(bench)} == {judged}


def test_a_push_between_two_answers_is_noticed(bench: GitHubBench) -> None:
    """Files and head are of one moment: what was pushed in between is what is judged."""
    bench.promote(service="nexo-be", to="production")
    pushed: list[str] = []

    def push(exchange: Exchange) -> None:
        if exchange.template.endswith("/pulls/{pull_number}/files") and not pushed:
            pushed.append(bench.commit({PROD: values("6.6.6"), "README.md": "x"}, branch=BRANCH))

    bench.github.subscribe(push)
    ended = judge(bench, "publish")
    assert ended.status == 1
    assert statuses(bench) == {
        (pushed[0], "promotion/policy"): "failure", (bench_head(bench), "promotion/policy"): "failure",
    }  # fmt: skip


def bench_head(bench: GitHubBench) -> str:
    return bench.git("rev-parse", BRANCH)


def test_approvals_and_policy_are_published_together(bench: GitHubBench) -> None:
    """By default a pull request's gate looks at both."""
    bench.promote(service="nexo-be", to="production")
    head = bench_head(bench)
    bench.approve(1, "ana")
    bench.approve(1, "ben")
    ended = bench.run(
        "health-gate", "once", "publish", environment="staging", pull_request="1", skip="soak"
    )
    assert ended.status == 0, ended.stderr
    found = {context: state for (sha, context), state in statuses(bench).items() if sha == head}
    assert (found["promotion/approvals"], found["promotion/policy"]) == ("success", "success")
