"""``doctor`` in a world that is well, and in one that has one thing wrong at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from promote_actions.__main__ import run
from promote_actions.rehearsal.argocd.emulator import Fault
from promote_actions.rehearsal.github import Protection
from promote_actions.rehearsal.world import ARGOCD_TOKEN, BOT, BOT_TOKEN, World, build
from tests.support.gitops import git

GUARD = "jobs: {g: {uses: nexo-org/promote-actions/.github/workflows/promotion-guard.yml@v1}}\n"
MERGE = "jobs: {m: {uses: nexo-org/promote-actions/.github/workflows/on-merge.yml@v1}}\n"
STATUSES = ("promotion/approvals", "promotion/soak", "promotion/policy")


@dataclass
class Clinic:
    """A world, and the doctor in it. ``capture`` reads what was printed."""

    world: World
    capture: Callable[[], Any]

    def examine(self, *more: str) -> tuple[int, list[dict[str, str]], str]:
        """Exit status, findings, and everything that was printed."""
        world = self.world
        words = ["doctor", "--gitops", world.gitops, "--token", BOT_TOKEN, "--format", "json"]
        words += ["--argocd-server", world.argocd.url, "--argocd-token", ARGOCD_TOKEN]
        words += ["--prometheus-url", world.metrics.url]
        words += ["--base-url", world.application.url + "/{service}/{environment}"]
        status = run([*words, *more])
        said = self.capture()
        return status, json.loads(said.out)["findings"], said.out + said.err

    def wrong(self, *more: str) -> list[str]:
        """What must be fixed, each as ``subject: said; fix``; the status must say so too."""
        status, findings, _ = self.examine(*more)
        found = [f"{e['subject']}: {e['said']}; {e['fix']}" for e in findings if e["state"] == "wrong"]
        assert status == (1 if found else 0)
        return found


@pytest.fixture
def clinic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Clinic]:
    with ExitStack() as stack:
        world = build(stack, tmp_path / "world", "", ())
        for name in world.services:
            for version in ("2026.01.45", "2026.02.17"):
                world.registry.push_image(f"nexo-org/{name}", [version], b"x")
        workflows = {".github/workflows/guard.yml": GUARD, ".github/workflows/merge.yml": MERGE}
        world.github.commit(world.gitops, workflows, "Add workflows")
        protect(world, STATUSES)
        monkeypatch.setenv("GITHUB_API_URL", world.github.url)
        wait_for_series(world)
        yield Clinic(world, capsys.readouterr)


def wait_for_series(world: World) -> None:
    """Until every deployment is there, has had requests, and was scraped (every quarter of a second)."""
    wanted = len(world.services) * len(world.config.environments)
    world.argocd.settle()
    until = time.monotonic() + 30
    while time.monotonic() < until and world.application.metrics().count('status="200"') < wanted:
        time.sleep(0.05)
    time.sleep(0.6)


def protect(world: World, statuses: tuple[str, ...]) -> None:
    rules = Protection(required_statuses=statuses, pull_request=True, bypass=frozenset({BOT}))
    world.github.protect(world.gitops, "main", rules)


def test_nothing_to_fix(clinic: Clinic) -> None:
    """A setup that works is told so, line by line; what is only doubtful doesn't fail."""
    status, findings, _ = clinic.examine()
    assert status == 0
    right = {each["subject"] for each in findings if each["state"] == "right"}
    assert right == {
        "repository", "configuration", "values", "owners", "approvals in staging",
        "approvals in production", "workflows", "token", "argocd", "prometheus", "smoke tests", "registry",
    }  # fmt: skip
    assert [each["subject"] for each in findings if each["state"] == "doubtful"] == ["branch protection"]


def test_it_changes_nothing(clinic: Clinic) -> None:
    """Permissions are tried with requests that can't succeed: no branch, label, pull request or status."""
    world = clinic.world
    before = git(world.bare, "for-each-ref"), dict(world.github.repository(world.gitops).labels)
    clinic.examine()
    repository = world.github.repository(world.gitops)
    assert (git(world.bare, "for-each-ref"), dict(repository.labels)) == before
    assert not repository.pulls
    assert not repository.statuses
    answered = {e.status for e in world.github.exchanges if e.method == "POST" and "graphql" not in e.path}
    assert answered == {422}


def test_no_secret_is_shown(clinic: Clinic) -> None:
    """Not when all is well, and not when tokens are refused."""
    _, _, said = clinic.examine("--argocd-token", "wrong-token-of-argocd")
    assert "wrong-token-of-argocd" not in said
    assert BOT_TOKEN not in said


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        (["contents:write"], "has no contents: write"),
        (["pull_requests:write"], "has no pull-requests: write"),
        (["issues", "statuses"], "has no issues: write, statuses: write"),
    ],
)
@pytest.mark.parametrize("classic", [False, True])
def test_a_token_that_may_not(clinic: Clinic, lacks: list[str], said: str, classic: bool) -> None:
    """Each permission that is missing is named as a workflow writes it."""
    clinic.world.github.add_user(BOT, BOT_TOKEN, role="maintain", lacks=lacks, classic=classic)
    (found,) = clinic.wrong()
    assert found.startswith("token: ")
    assert said in found


def test_teams_that_nobody_can_see(clinic: Clinic) -> None:
    """The job's own token can't see who is in a team, so approvals could not be counted."""
    clinic.world.github.add_user(BOT, BOT_TOKEN, role="maintain", lacks=["members"])
    found = clinic.wrong()
    assert [each.partition(":")[0] for each in found] == ["approvals in staging", "approvals in production"]
    assert "@nexo-org/nexo-sre-team" in found[1]
    assert "members: read" in found[1]


def test_too_few_who_may_approve(clinic: Clinic) -> None:
    """Two approvals of one person are one."""
    owners = "helm/*/values-prod.yaml @alice-sre\nhelm/*/values-staging.yaml @nexo-org/nexo-platform-team\n"
    clinic.world.github.commit(clinic.world.gitops, {".github/CODEOWNERS": owners}, "Fewer owners")
    found = clinic.wrong()
    assert len(found) == 2
    assert "helm/nexo-be/values-prod.yaml needs 2 approvals and has 1 owners" in found[0]


BE = "helm/nexo-be/values"
COMMITS: list[Any] = [
    pytest.param({"promotion.yaml": "version: 2\n"}, "configuration: promotion.yaml:1:10: ", id="config"),
    pytest.param({".github/CODEOWNERS": "*.yaml alice\n"}, "owners: .github/CODEOWNERS:1", id="owners"),
    pytest.param(
        {"helm/nexo-be/values-qa.yaml": "image: [\n"}, "values: helm/nexo-be/values-qa", id="values"
    ),
    pytest.param(
        {"helm/nexo-be/values-production.yaml": "image: {tag: x}\n"},
        "values: production of nexo-be",
        id="twice",
    ),
]


@pytest.mark.parametrize(("files", "said"), COMMITS)
def test_a_file_that_is_wrong(clinic: Clinic, files: dict[str, str], said: str) -> None:
    """Named with its line, and with what to do."""
    clinic.world.github.commit(clinic.world.gitops, files, "Break it")
    assert [each for each in clinic.wrong() if each.startswith(said)]


def test_what_only_may_be_wrong(clinic: Clinic) -> None:
    """A gap in the values files, owners or workflows is told, and doesn't fail."""
    gone = dict.fromkeys(
        (".github/CODEOWNERS", ".github/workflows/guard.yml", "helm/nexo-be/values-qa.yaml")
    )
    clinic.world.github.commit(clinic.world.gitops, gone, "Remove it")
    _, findings, _ = clinic.examine()
    doubts = "\n".join(each["said"] for each in findings if each["state"] == "doubtful")
    for words in (
        "there is no helm/nexo-be/values-qa.yaml",
        "any writer may approve",
        "nothing publishes the statuses",
    ):
        assert words in doubts


@pytest.mark.parametrize("statuses", [("promotion/approvals",), ("lint",), ()])
def test_a_branch_that_asks_too_little(clinic: Clinic, statuses: tuple[str, ...]) -> None:
    """Each status that is not required is named."""
    protect(clinic.world, statuses)
    (found,) = clinic.wrong()
    assert found.startswith("branch protection: main doesn't require")
    assert [context for context in STATUSES if context in found] == [
        c for c in STATUSES if c not in statuses
    ]


def test_a_branch_without_rules(clinic: Clinic) -> None:
    """Anybody could push to production."""
    clinic.world.github.repository(clinic.world.gitops).protections.clear()
    (found,) = clinic.wrong()
    assert "main has no rules" in found


@pytest.mark.parametrize(
    ("fault", "said"),
    [(Fault("down"), "argocd: "), (Fault("html"), "argocd: "), (Fault("status", 401), "argocd: ")],
)
def test_argo_cd_that_does_not_answer(clinic: Clinic, fault: Fault, said: str) -> None:
    """It is told once or twice, not for each application, and the rest is still looked at."""
    clinic.world.argocd.fault = fault
    found = clinic.wrong()
    assert 1 <= len(found) <= 2
    assert all(each.startswith(said) for each in found)


def test_an_application_that_is_not_there(clinic: Clinic) -> None:
    """Its name comes from promotion.yaml, which is where it is mended."""
    text = (clinic.world.snapshot().read("promotion.yaml") or b"").decode()
    name = "{repository: nexo-org/nexo-be,"
    text = text.replace(name, f'{name} argocd-app: "be-{{environment}}",')
    clinic.world.github.commit(clinic.world.gitops, {"promotion.yaml": text}, "Rename")
    found = clinic.wrong()
    assert len(found) == 4
    assert "be-develop" in found[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--prometheus-url", "http://127.0.0.1:9"], "prometheus: "),
        (["--prometheus-url", "not an address"], "prometheus: "),
        (["--argocd-server", "http://127.0.0.1:9"], "argocd: "),
        (["--argocd-server", "http://a b"], "argocd: "),
        (["--gitops", "nexo-org/nowhere"], "repository: GitHub has no repository nexo-org/nowhere"),
        (["--token", "nobodys-token"], "repository: GitHub refused the token"),
        (["--branch", "nowhere"], "repository: nexo-org/nexo-gitops has no branch 'nowhere'"),
        (["--service", "nowhere"], "services: there is no service 'nowhere'"),
    ],
)
def test_an_address_that_is_wrong(clinic: Clinic, more: list[str], said: str) -> None:
    """One line, with what it was and what to do; never a traceback."""
    found = clinic.wrong(*more)
    assert found
    assert all(each.startswith(said) for each in found)


def test_an_image_that_is_not_there(clinic: Clinic) -> None:
    """Without it no promotion would be allowed."""
    text = (clinic.world.snapshot().read("promotion.yaml") or b"").decode()
    text = text.replace("nexo-org/nexo-web}", "nexo-org/web}")
    clinic.world.github.commit(clinic.world.gitops, {"promotion.yaml": text}, "Rename the image")
    (found,) = clinic.wrong()
    assert "nexo-org/web:2026.02.17, which develop runs, is not there" in found
    assert clinic.wrong("--no-registry") == []


def test_services_that_do_not_answer_are_doubtful(clinic: Clinic) -> None:
    """A network may let the runner through and not this machine."""
    status, findings, _ = clinic.examine("--base-url", "http://127.0.0.1:9/{service}")
    assert status == 0
    assert [each for each in findings if each["subject"] == "smoke tests" and each["state"] == "doubtful"]


def test_a_plain_repository(clinic: Clinic) -> None:
    """Without GitHub the rest is looked at all the same."""
    status, findings, _ = clinic.examine("--gitops", str(clinic.world.bare))
    assert status == 0
    assert [each["subject"] for each in findings if each["state"] == "not asked"] == ["GitHub"]


def test_a_large_repository_is_looked_at_in_part(clinic: Clinic) -> None:
    """It says how many services it left out."""
    files = {f"helm/s{number:02}/values-develop.yaml": "image: {tag: 2026.02.1}\n" for number in range(30)}
    clinic.world.github.commit(clinic.world.gitops, files, "Many")
    _, findings, _ = clinic.examine("--no-registry")
    assert "12 more are not looked at" in [each["said"] for each in findings]
    assert "10 more of the kind" not in [each["said"] for each in findings]
