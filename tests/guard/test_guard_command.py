"""``guard`` against an emulated GitHub: what pull requests promote, and the statuses they get."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from promote_actions.__main__ import run
from promote_actions.rehearsal.github import GitHubEmulator
from tests.support.gitops import make_bare, standard_files, values

NAME = "nexo-org/nexo-gitops"
PROD = "helm/app/values-prod.yaml"
STAGING = "helm/app/values-staging.yaml"
CODEOWNERS = "helm/*/values-prod.yaml @nexo-org/sre\nhelm/*/values-staging.yaml @paula\n"
CONFIG = "version: 1\nenvironments:\n  develop:\n  qa:\n  staging:\n  production: {soak: 0}\n"


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubEmulator]:
    with GitHubEmulator(tmp_path / "github") as emulator:
        emulator.add_user("robot", "robot-token", role="maintain")
        for login in ("dora", "alice", "carlos", "paula"):
            emulator.add_user(login)
        emulator.add_team("nexo-org", "sre", ["alice", "carlos"])
        emulator.add_repository(NAME)
        files = {**standard_files(["app", "web"]), ".github/CODEOWNERS": CODEOWNERS}
        emulator.commit(NAME, {**files, "promotion.yaml": CONFIG}, "Start")
        monkeypatch.setenv("GITHUB_API_URL", emulator.url)
        monkeypatch.setenv("GITHUB_TOKEN", "robot-token")
        yield emulator


def call(github: GitHubEmulator, method: str, path: str, login: str, body: Any = None) -> Any:
    answer = requests.request(
        method,
        f"{github.url}/repos/{NAME}/{path}",
        headers={"Authorization": f"Bearer {login}-token"},
        json=body,
        timeout=10,
    )
    assert answer.ok, answer.text
    return answer.json()


def propose(
    github: GitHubEmulator, files: dict[str, str], branch: str = "change", title: str = "Tidy up"
) -> int:
    """A pull request by a developer, under a name that says nothing."""
    github.commit(NAME, files, title, branch=branch, login="dora")
    body = {"title": title, "head": branch, "base": "main"}
    return int(call(github, "POST", "pulls", "dora", body)["number"])


def promotion(version: str = "2026.02.10", path: str = PROD) -> dict[str, str]:
    """The values file at ``path`` with another version."""
    return {path: values(version)}


Guard = Callable[..., dict[str, Any]]


@pytest.fixture
def guard(capsys: pytest.CaptureFixture[str]) -> Guard:
    """Runs the command; returns its outputs and its exit status."""

    def guard(*words: str) -> dict[str, Any]:
        status = run(["guard", "--gitops", NAME, "--format", "json", *words])
        said = capsys.readouterr()
        return {**json.loads(said.out or "{}"), "status": status, "said": said.err}

    return guard


def states(found: dict[str, Any], number: int) -> dict[str, str]:
    """The states of approvals and soak."""
    return {name: state for name, state in every(found, number).items() if name != "policy"}


def every(found: dict[str, Any], number: int) -> dict[str, str]:
    """The states of all three."""
    said = found["statuses"][str(number)]
    return {name.removeprefix("promotion/"): state for name, state in said.items()}


def test_a_promotion_by_any_name_is_guarded(github: GitHubEmulator, guard: Guard) -> None:
    """Neither branch nor title nor text says that it promotes; what it changes does."""
    number = propose(github, promotion())
    found = guard()
    assert found["status"] == 0, found["said"]
    assert found["promotions"] == [
        {
            "pull-request": number,
            "service": "app",
            "from": "staging",
            "to": "production",
            "version": "2026.02.10",
            "previous-version": "2026.01.45",
            "merged": False,
            "commit": call(github, "GET", f"pulls/{number}", "dora")["head"]["sha"],
        }
    ]
    assert every(found, number) == {"approvals": "pending", "soak": "success", "policy": "success"}
    assert not found["passed"]


def test_approvals_arrive_one_by_one(github: GitHubEmulator, guard: Guard) -> None:
    """Two owners must approve the head; a third person's approval counts for nothing."""
    number = propose(github, promotion())
    seen = []
    for login in ("paula", "alice", "carlos"):
        call(github, "POST", f"pulls/{number}/reviews", login, {"event": "APPROVE"})
        seen.append(states(guard("--pull-request", str(number)), number)["approvals"])
    assert seen == ["pending", "pending", "success"]
    published = call(github, "GET", f"commits/{guard()['promotions'][0]['commit']}/status", "dora")
    said = {each["context"]: each["state"] for each in published["statuses"]}
    assert said["promotion/approvals"] == "success"


def test_a_version_that_is_live_nowhere_breaks_the_policy(github: GitHubEmulator, guard: Guard) -> None:
    """What staging doesn't run can't be promoted to production, by whatever hand."""
    number = propose(github, promotion("2026.09.9"))
    assert every(guard(), number)["policy"] == "failure"


def test_a_soak_that_has_not_ended_is_pending(github: GitHubEmulator, guard: Guard) -> None:
    """The version came to staging a moment ago, and production asks for half an hour."""
    github.commit(NAME, {"promotion.yaml": "version: 1\n"}, "Ask for the strategy's soak")
    github.commit(NAME, promotion("2026.02.11", STAGING), "promote(app): staging → 2026.02.11")
    number = propose(github, promotion("2026.02.11"))
    assert states(guard(), number)["soak"] == "pending"


def test_a_rollback_needs_no_soak(github: GitHubEmulator, guard: Guard) -> None:
    """What ran there before may come back at once; its approvals are still asked for."""
    github.commit(NAME, {"promotion.yaml": "version: 1\n"}, "Ask for the strategy's soak")
    github.commit(NAME, promotion("2026.02.9"), "promote(app): production → 2026.02.9")
    back = propose(github, promotion("2026.01.45"), "back")
    elsewhere = propose(github, promotion("2026.01.44"), "elsewhere")
    found = guard()
    assert states(found, back) == {"approvals": "pending", "soak": "success"}
    assert states(found, elsewhere)["soak"] != "success"


def test_what_promotes_nothing_can_be_merged(github: GitHubEmulator, guard: Guard) -> None:
    """A branch that requires the statuses would otherwise never take a change of the README."""
    number = propose(github, {"README.md": "# Hello\n"})
    found = guard()
    assert every(found, number) == {"approvals": "success", "soak": "success", "policy": "success"}
    assert (found["any"], found["passed"], found["promotions"]) == (False, True, [])


def test_other_changes_of_a_values_file_need_its_approvals(github: GitHubEmulator, guard: Guard) -> None:
    """Replicas in production are approved like a version in production."""
    text = standard_files(["app"])[PROD].replace("replicas: 1", "replicas: 9")
    number = propose(github, {PROD: text})
    assert states(guard(), number) == {"approvals": "pending", "soak": "success"}


def test_a_values_file_that_cannot_be_read_is_refused(github: GitHubEmulator, guard: Guard) -> None:
    """A pull request that breaks the file fails every status, and others are still judged."""
    broken = propose(github, {PROD: "image: ["}, "broken")
    fine = propose(github, {"README.md": "# Hello\n"}, "fine")
    found = guard()
    assert found["status"] == 0
    assert set(states(found, broken).values()) == {"failure"}
    assert set(states(found, fine).values()) == {"success"}


def test_every_service_of_a_train_must_have_soaked(github: GitHubEmulator, guard: Guard) -> None:
    """One status speaks for all of them: the worst."""
    github.commit(
        NAME, {"promotion.yaml": "version: 1\nenvironments: {staging: , production: {soak: 1s}}\n"}
    )
    both = {**promotion(), "helm/web/values-prod.yaml": promotion("2026.03.1")[PROD]}
    number = propose(github, both)
    found = guard()
    assert [each["service"] for each in found["promotions"]] == ["app", "web"]
    assert states(found, number)["soak"] in ("failure", "pending")


def test_nothing_is_published_twice(github: GitHubEmulator, guard: Guard) -> None:
    """GitHub keeps a limited number of statuses, and a schedule asks often."""
    propose(github, promotion())
    guard()
    github.exchanges.clear()
    guard()
    assert not [each for each in github.exchanges if each.method == "POST" and "statuses" in each.path]


def test_a_dry_run_publishes_nothing(github: GitHubEmulator, guard: Guard) -> None:
    """It says what it would."""
    number = propose(github, promotion())
    found = guard("--dry-run")
    assert states(found, number)["approvals"] == "pending"
    assert not [each for each in github.exchanges if each.method == "POST" and "statuses" in each.path]


def test_a_merged_one_says_what_it_promoted(github: GitHubEmulator, guard: Guard) -> None:
    """Once merged the branch has the new version; the promotion is told from before and after the merge."""
    number = propose(github, promotion())
    merged = call(github, "PUT", f"pulls/{number}/merge", "robot", {"merge_method": "squash"})
    found = guard("--pull-request", str(number))
    (told,) = found["promotions"]
    assert (told["version"], told["previous-version"]) == ("2026.02.10", "2026.01.45")
    assert (told["merged"], told["commit"]) == (True, merged["sha"])
    assert found["statuses"] == {}


def test_a_head_that_moves_gets_no_other_heads_verdict(github: GitHubEmulator, guard: Guard) -> None:
    """A push between two answers: what is judged and published is all of the new head."""
    number = propose(github, {"README.md": "# Hello\n"})
    moved: list[str] = []

    def push(exchange: Any) -> None:
        if exchange.path.endswith("/files") and not moved:
            moved.append(github.commit(NAME, promotion(), "Sneak in", branch="change", login="dora"))

    github.subscribe(push)
    found = guard()
    assert found["promotions"][0]["commit"] == moved[0]
    assert states(found, number)["approvals"] == "pending"


def test_one_that_cannot_be_judged_does_not_stop_the_others(github: GitHubEmulator, guard: Guard) -> None:
    """The others get their statuses, and the run fails and names the one."""
    first = propose(github, promotion(), "first")
    second = propose(github, {"README.md": "# Hello\n"}, "second")
    github.fail("GET", rf".*/pulls/{first}/files.*", 403, times=99)
    found = guard()
    assert found["status"] == 3
    assert f"pull request {first} could not be judged" in found["said"]
    assert set(states(found, second).values()) == {"success"}


def test_a_plain_repository_has_no_pull_requests(tmp_path: Path, guard: Guard) -> None:
    """A path is refused in one line."""
    bare = make_bare(tmp_path, standard_files(["app"]))
    assert run(["guard", "--gitops", str(bare)]) == 2
