"""``promote`` by pull request: what it says, whom it asks, and that there is one for each environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from promote_actions.promotion import pull
from tests.promotion.github_bench import BOT, GITOPS, GitHubBench
from tests.support.gitops import values

PROD = "helm/nexo-be/values-prod.yaml"
STAGING = "helm/nexo-be/values-staging.yaml"
BRANCH = "promote/nexo-be-prod-2026.02.10"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[GitHubBench]:
    with GitHubBench(tmp_path, ["nexo-be", "nexo-web"]) as bench:
        yield bench


def propose(bench: GitHubBench, *flags: str, **inputs: str) -> dict[str, object]:
    return bench.promote(*flags, **{"service": "nexo-be", "to": "production", **inputs})


def newer(bench: GitHubBench, version: str = "2026.02.11", service: str = "nexo-be") -> None:
    """A newer version comes into staging."""
    bench.commit({f"helm/{service}/values-staging.yaml": values(version)})


def test_the_pull_request_is_as_in_the_strategy(bench: GitHubBench) -> None:
    """Branch, title, label, body, reviewers: users and teams apart."""
    out = propose(bench, validation_results='{"smoke_tests": "passed", "load_test": "failed"}')
    made = bench.pull(1)
    assert (out["changed"], out["mode"], out["pr-number"], out["branch"]) == (
        True,
        "pull-request",
        "1",
        BRANCH,
    )
    assert (made.title, made.head) == ("promote(nexo-be): production → 2026.02.10", BRANCH)
    assert made.labels == ["production-deploy"]
    assert (made.users_asked, made.teams_asked) == (["ana"], ["sre"])
    assert out["reviewers"] == "ana,nexo-org/sre"
    for words in (
        "| nexo-be | staging → production | `2026.01.45` | `2026.02.10` | – |",
        "## Changelog\n- nexo-be: 2026.01.45 → 2026.02.10",
        "- ✅ smoke_tests: passed\n- ❌ load_test: failed",
        f'1. Revert this PR\n2. OR: set image.tag = "2026.01.45" in {PROD} (previous version)',
        "```diff\n--- a/helm/nexo-be/values-prod.yaml",
        '-  tag: "2026.01.45" # here\n+  tag: "2026.02.10" # here',
    ):
        assert words in (made.body or "")
    assert bench.show(PROD) == values("2026.01.45").strip()
    assert bench.git("diff", "--name-only", "main", BRANCH) == PROD
    assert out["commit-sha"] == bench.git("rev-parse", BRANCH)


def test_the_label_that_is_there_already_is_used(bench: GitHubBench) -> None:
    """A label is made once."""
    propose(bench)
    newer(bench)
    propose(bench)
    assert bench.asked.count("POST /repos/{owner}/{repo}/labels") == 1
    assert bench.pull(2).labels == ["production-deploy"]


def test_again_changes_nothing_and_keeps_approvals(bench: GitHubBench) -> None:
    """The same promotion run again finds its pull request as it is: same head, nobody asked anew."""
    first = propose(bench)
    bench.approve(1, "ana")
    again = propose(bench)
    assert (again["changed"], again["pr-number"], again["commit-sha"]) == (False, "1", first["commit-sha"])
    assert bench.open_pulls == [1]
    assert [review.state for review in bench.pull(1).reviews] == ["APPROVED"]
    assert bench.asked.count("POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers") == 1
    assert again["reviewers"] == first["reviewers"]


def test_what_was_cut_off_is_finished_by_the_next_run(bench: GitHubBench) -> None:
    """A run that ended after opening it leaves no label and no reviewers; the next one sees to them."""
    fault = bench.github.fail("POST", "/labels|/requested_reviewers", 500, times=-1)
    first = bench.run("promote", service="nexo-be", to="production")
    assert (first.status, first.outputs["pr-number"]) == (0, "1")
    assert "it has no label" in first.warnings[0]
    assert "nobody was asked to review it" in first.warnings[1]
    bench.github.faults.remove(fault)
    again = propose(bench)
    assert (again["changed"], bench.pull(1).labels) == (False, ["production-deploy"])
    assert (bench.pull(1).users_asked, bench.pull(1).teams_asked) == (["ana"], ["sre"])


def test_an_unrelated_push_to_the_base_keeps_head_and_approvals(bench: GitHubBench) -> None:
    """Another service's promotion on main is no reason to lose what was approved."""
    first = propose(bench)
    bench.commit({"helm/nexo-web/values-qa.yaml": values("2026.02.16")})
    assert propose(bench)["commit-sha"] == first["commit-sha"]


def test_a_push_to_the_same_file_makes_it_anew(bench: GitHubBench) -> None:
    """When the file has changed on main, the change is made on what is there now."""
    first = propose(bench)
    bench.commit({PROD: values("2026.01.45").replace("replicas: 1", "replicas: 3")})
    again = propose(bench)
    assert (again["changed"], again["pr-number"]) == (True, "1")
    assert again["commit-sha"] != first["commit-sha"]
    assert "replicas: 3" in bench.show(PROD, BRANCH)
    assert bench.git("diff", "--numstat", "main", BRANCH, "--", PROD) == f"1\t1\t{PROD}"


def test_a_newer_version_supersedes_the_older(bench: GitHubBench) -> None:
    """The older pull request gets a comment, is closed, and its branch goes."""
    propose(bench)
    newer(bench)
    out = propose(bench)
    assert out["pr-number"] == "2"
    assert bench.open_pulls == [2]
    assert [comment.body for comment in bench.pull(1).comments] == [
        "Superseded by #2: promote(nexo-be): production → 2026.02.11"
    ]
    assert bench.branches() == ["main", "promote/nexo-be-prod-2026.02.11"]


def test_an_older_version_is_refused_while_a_newer_is_open(bench: GitHubBench) -> None:
    """Staging went back: production must not follow while the newer one is being reviewed."""
    newer(bench)
    propose(bench)
    bench.commit({STAGING: values("2026.02.10")})
    ended = bench.run("promote", service="nexo-be", to="production")
    assert ended.status == 1
    assert "#1 already proposes nexo-be 2026.02.11, which is newer than 2026.02.10" in ended.error
    assert bench.branches() == ["main", "promote/nexo-be-prod-2026.02.11"]
    out = propose(bench, "allow-downgrade")
    assert (out["pr-number"], bench.open_pulls) == ("2", [2])


def test_other_services_and_environments_stay_open(bench: GitHubBench) -> None:
    """One slot is a service in an environment."""
    propose(bench)
    propose(bench, service="nexo-web")
    propose(bench, to="staging")
    assert bench.open_pulls == [1, 2, 3]


def test_closed_without_merging_frees_the_slot(bench: GitHubBench) -> None:
    """Whoever closed it may change their mind: a new one is opened, whatever is left of the branch."""
    propose(bench)
    bench.ask("PATCH", "pulls/1", "ana", state="closed")
    out = propose(bench)
    assert (out["changed"], out["pr-number"], bench.open_pulls) == (True, "2", [2])


def test_merged_is_nothing_to_do(bench: GitHubBench) -> None:
    """The environment is there: no branch, no pull request."""
    propose(bench)
    bench.merge(1)
    out = propose(bench)
    assert (out["changed"], out["mode"], out["pr-number"]) == (False, "none", "")
    assert bench.open_pulls == []


def test_a_train_is_one_pull_request(bench: GitHubBench) -> None:
    """Several services: one branch with a name of its content, a row and a diff for each."""
    out = propose(bench, service="nexo-be,nexo-web")
    made = bench.pull(1)
    assert made.head.startswith("promote/train-prod-")
    assert made.title == "promote(nexo-be, nexo-web): production → 2026.02.10"
    assert (made.body or "").count("| staging → production |") == 2
    assert bench.git("diff", "--name-only", "main", made.head).split() == [
        PROD,
        "helm/nexo-web/values-prod.yaml",
    ]
    assert propose(bench, service="nexo-be,nexo-web")["commit-sha"] == out["commit-sha"]


def test_a_train_is_not_closed_for_one_of_its_services(bench: GitHubBench) -> None:
    """The other service's promotion would be lost; the train is told and stays."""
    propose(bench, service="nexo-be,nexo-web")
    newer(bench)
    assert propose(bench)["pr-number"] == "2"
    assert bench.open_pulls == [1, 2]
    assert "nexo-web would be left out" in bench.pull(1).comments[0].body
    propose(bench)
    assert len(bench.pull(1).comments) == 1


def test_a_train_supersedes_what_it_carries(bench: GitHubBench) -> None:
    """The single promotions of its services are closed."""
    propose(bench)
    propose(bench, service="nexo-web")
    newer(bench)
    newer(bench, service="nexo-web")
    assert propose(bench, service="nexo-be,nexo-web")["pr-number"] == "3"
    assert bench.open_pulls == [3]


# -- people's own pull requests ------------------------------------------------------------------


def by_hand(bench: GitHubBench, version: str = "2026.02.10", branch: str = BRANCH) -> None:
    """The strategy's manual promotion: a branch, one edit, a pull request without our mark."""
    bench.commit({PROD: values(version)}, f"promote(nexo-be): production → {version}", branch)
    bench.ask(
        "POST", "pulls", "ben", title=f"promote(nexo-be): production → {version}", head=branch, base="main",
        body="See commit message for details",
    )  # fmt: skip


def test_a_person_s_pull_request_for_the_same_is_taken_over_gently(bench: GitHubBench) -> None:
    """Same branch, same change: it gets label and reviewers, and keeps its author's words and commit."""
    by_hand(bench)
    head = bench.git("rev-parse", BRANCH)
    out = propose(bench)
    assert (out["changed"], out["pr-number"], out["commit-sha"]) == (False, "1", head)
    assert bench.pull(1).body == "See commit message for details"
    assert bench.pull(1).labels == ["production-deploy"]
    assert bench.pull(1).users_asked == ["ana"]


def test_a_person_s_older_pull_request_is_superseded(bench: GitHubBench) -> None:
    """Its title says what it promotes."""
    by_hand(bench)
    newer(bench)
    propose(bench)
    assert bench.open_pulls == [2]


@pytest.mark.parametrize(
    ("title", "branch"),
    [
        ("promote(nexo-be): production → 2026.02.9", "feature/other"),
        ("Tune replicas", "promote/nexo-be-prod-2026.02.9"),
        ("promote(nexo-be): staging → 2026.02.9", "promote/nexo-be-staging-2026.02.9"),
    ],
)
def test_pull_requests_that_are_not_ours_are_left_alone(
    bench: GitHubBench, title: str, branch: str
) -> None:
    """Only a branch of ours with a promotion of the same service and environment is superseded."""
    bench.commit({PROD: values("2026.02.9")}, branch=branch)
    bench.ask("POST", "pulls", "ben", title=title, head=branch, base="main")
    propose(bench)
    assert bench.open_pulls == [1, 2]


def test_a_branch_that_belongs_to_something_else_is_not_replaced(bench: GitHubBench) -> None:
    """Its pull request says that it promotes something else: somebody must look at it."""
    bench.commit({"helm/nexo-web/values-prod.yaml": values("2026.02.9")}, branch=BRANCH)
    bench.ask(
        "POST", "pulls", "ben", title="promote(nexo-web): production → 2026.02.9", head=BRANCH, base="main"
    )
    head = bench.git("rev-parse", BRANCH)
    ended = bench.run("promote", service="nexo-be", to="production")
    assert ended.status == 1
    assert f"branch {BRANCH} belongs to pull request #1" in ended.error
    assert bench.git("rev-parse", BRANCH) == head


# -- reviewers -----------------------------------------------------------------------------------


def test_the_author_is_left_out(tmp_path: Path) -> None:
    """An owner who opens it is not asked; the others are."""
    with GitHubBench(tmp_path, files={".github/CODEOWNERS": "*.yaml @Ana @ben @nexo-org/sre\n"}) as bench:
        bench.github.world.users[BOT].token = "nobody's"
        bench.github.world.users["ana"].token = "bot-token"
        ended = bench.run("promote", service="nexo-be", to="production")
        assert ended.status == 0
        assert (bench.pull(1).users_asked, bench.pull(1).teams_asked) == (["ben"], ["sre"])
        assert "@Ana can't be asked to review: is the author" in ended.warnings[0]


def test_one_who_cannot_be_asked_is_reported_and_the_rest_asked(tmp_path: Path) -> None:
    """A stranger, an unknown team, another organisation's team and an e-mail address, among good ones."""
    owners = "*.yaml @ana @nobody-here @nexo-org/ghosts @other/sre dev@nexo.com @nexo-org/sre\n"
    with GitHubBench(tmp_path, files={"CODEOWNERS": owners, ".github/CODEOWNERS": None}) as bench:
        ended = bench.run("promote", service="nexo-be", to="production")
        assert (ended.status, ended.outputs["reviewers"]) == (0, "ana,nexo-org/sre")
        assert (bench.pull(1).users_asked, bench.pull(1).teams_asked) == (["ana"], ["sre"])
        said = "\n".join(ended.warnings)
        for who in ("nobody-here", "nexo-org/ghosts", "@other/sre", "dev@nexo.com"):
            assert f"{who} can't be asked to review" in said


def test_a_token_that_may_not_read_teams_still_asks_people(bench: GitHubBench) -> None:
    """The job's own token can't ask a team; it says what to grant."""
    bench.github.world.users[BOT].lacks = frozenset({"members"})
    ended = bench.run("promote", service="nexo-be", to="production")
    assert (ended.status, bench.pull(1).users_asked, bench.pull(1).teams_asked) == (0, ["ana"], [])
    assert "nexo-org/sre can't be asked to review" in ended.warnings[0]
    assert "`members: read`" in ended.warnings[0]


def test_owners_whom_github_asked_itself_are_not_asked_again(bench: GitHubBench) -> None:
    """GitHub may request code owners by itself."""
    bench.github.repository(GITOPS).auto_request_owners = True
    out = propose(bench)
    assert out["reviewers"] == "ana,nexo-org/sre"
    assert "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers" not in bench.asked


def test_the_base_branch_s_owners_count(bench: GitHubBench) -> None:
    """Whoever a promotion branch names as owner is nobody."""
    propose(bench)
    bench.commit({".github/CODEOWNERS": "* @cid\n"}, branch=BRANCH)
    bench.pull(1).users_asked.clear()
    bench.pull(1).teams_asked.clear()
    propose(bench)
    assert bench.pull(1).users_asked == ["ana"]


def test_a_missing_label_permission_is_an_error_after_the_pull_request(bench: GitHubBench) -> None:
    """It stands, its outputs are there, the reviewers are asked, and the run says what to grant."""
    bench.github.world.users[BOT].lacks = frozenset({"issues:write"})
    ended = bench.run("promote", service="nexo-be", to="production")
    assert (ended.status, ended.outputs["pr-number"]) == (2, "1")
    assert "pull request #1 is open, but it has no label: the token may not make the label" in ended.error
    assert "`issues: write`" in ended.error
    assert bench.pull(1).users_asked == ["ana"]


# -- two at once ---------------------------------------------------------------------------------


def test_two_that_do_not_see_each_other_end_as_one(
    bench: GitHubBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer promotion that is opened between our look and our opening wins: ours gives way."""
    branch = pull._branch

    def overtaken(*arguments: Any) -> Any:
        newer(bench)
        by_hand(bench, "2026.02.11", "promote/nexo-be-prod-2026.02.11")
        return branch(*arguments)

    monkeypatch.setattr(pull, "_branch", overtaken)
    ended = bench.run("promote", service="nexo-be", to="production")
    assert ended.status == 1
    assert "already proposes nexo-be 2026.02.11" in ended.error
    assert bench.open_pulls == [1]
    assert bench.pull(2).comments[0].body.startswith("Superseded by #1")
    assert BRANCH not in bench.branches()


# -- looking first -------------------------------------------------------------------------------


def test_dry_run_shows_reviewers_and_messages_and_changes_nothing(bench: GitHubBench) -> None:
    """The exact diff, the texts and who would be asked; the repository is the same afterwards."""
    before = bench.git("for-each-ref")
    ended = bench.run("promote", "dry-run", format="text", service="nexo-be", to="production")
    assert ended.status == 0
    for words in (
        f"branch {BRANCH}",
        "would ask: ana, nexo-org/sre",
        "pull request: promote(nexo-be): production → 2026.02.10",
        "Promotion-Version: 2026.02.10",
        '+  tag: "2026.02.10" # here',
        "<!-- promote-actions:",
    ):
        assert words in ended.stdout
    assert bench.git("for-each-ref") == before
    assert bench.open_pulls == []
    assert all(each.method == "GET" or each.path == "/graphql" for each in bench.github.exchanges)
