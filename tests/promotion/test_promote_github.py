"""``promote`` by direct commit on GitHub, through its API: what lands, and each refusal in its words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from promote_actions.rehearsal.github import Protection
from tests.promotion.github_bench import BOT, GITOPS, GitHubBench
from tests.support.gitops import values

QA = "helm/nexo-be/values-qa.yaml"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[GitHubBench]:
    with GitHubBench(tmp_path, ["nexo-be", "nexo-web"]) as bench:
        yield bench


def test_a_direct_promotion(bench: GitHubBench) -> None:
    """One line of one file and the audit record, in one commit by the token's account on the branch."""
    out = bench.promote(service="nexo-be", to="qa")
    assert (out["changed"], out["mode"], out["branch"]) == (True, "direct", "main")
    assert (out["version"], out["previous-version"]) == ("2026.02.17", "2026.02.15")
    assert out["commit-sha"] == bench.git("rev-parse", "main")
    assert bench.git("diff", "--numstat", "main^", "main", "--", "helm") == f"1\t1\t{QA}"
    assert bench.git("log", "-1", "--format=%an", "main") == BOT
    added = bench.git("diff", "--name-only", "--diff-filter=A", "main^", "main").splitlines()
    record = json.loads(bench.show(added[0]))
    assert (record["version"], record["initiator"], record["sequence"]) == ("2026.02.17", "ana", 1)


def test_the_same_twice_is_one(bench: GitHubBench) -> None:
    """The environment has the version already: nothing is written."""
    first = bench.promote(service="nexo-be", to="qa")
    again = bench.promote(service="nexo-be", to="qa")
    assert (again["changed"], again["mode"], again["pr-number"]) == (False, "none", "")
    assert bench.git("rev-parse", "main") == first["commit-sha"]


def test_several_services_are_one_commit(bench: GitHubBench) -> None:
    """All or nothing, with a group of trailers for each."""
    out = bench.promote(service="nexo-be,nexo-web", to="qa")
    assert bench.git("rev-list", "--count", "main") == "2"
    trailers = bench.git("log", "-1", "--format=%(trailers:key=Promotion-Service,valueonly)", "main")
    assert trailers.split() == ["nexo-be", "nexo-web"]
    assert [move["file"] for move in out["plan"]["moves"]] == [QA, "helm/nexo-web/values-qa.yaml"]


def test_a_race_is_planned_again(bench: GitHubBench) -> None:
    """Somebody pushes between our reading and our writing: both changes are there, ours on theirs."""
    pushed = []

    def push(exchange: object) -> None:
        if getattr(exchange, "template", "").endswith("/git/commits") and not pushed:
            pushed.append(bench.commit({"helm/nexo-web/values-qa.yaml": values("2026.02.16")}))

    bench.github.subscribe(push)
    bench.promote(service="nexo-be", to="qa")
    assert bench.git("log", "--format=%s", "main").splitlines() == [
        "promote(nexo-be): qa → 2026.02.17", "Change", "Start",
    ]  # fmt: skip
    assert "2026.02.16" in bench.show("helm/nexo-web/values-qa.yaml")


def test_a_race_that_overtakes_is_no_downgrade(bench: GitHubBench) -> None:
    """A newer version that lands first in the target makes the older promotion refuse, not win."""
    pushed = []

    def push(exchange: object) -> None:
        if getattr(exchange, "template", "").endswith("/git/commits") and not pushed:
            pushed.append(bench.commit({QA: values("2026.03.1")}))

    bench.github.subscribe(push)
    ended = bench.run("promote", service="nexo-be", to="qa")
    assert ended.status == 1
    assert "qa has nexo-be 2026.03.1, which is newer than 2026.02.17" in ended.error
    assert "2026.03.1" in bench.show(QA)


def test_the_number_of_requests_is_in_the_debug_log(bench: GitHubBench) -> None:
    """What a promotion costs can be seen where somebody looks for it."""
    ended = bench.run("promote", service="nexo-be", to="qa", env={"RUNNER_DEBUG": "1"})
    assert f"debug: {len(bench.asked)} requests to GitHub" in ended.stderr


def _protect(bench: GitHubBench) -> None:
    bench.github.protect(GITOPS, "main", Protection(required_approvals=1))


def _archive(bench: GitHubBench) -> None:
    bench.github.repository(GITOPS).archived = True


def _rename(bench: GitHubBench) -> None:
    bench.github.rename_branch(GITOPS, "main", "trunk")


def _remove(bench: GitHubBench) -> None:
    bench.commit({QA: None})


def _lack(*permissions: str) -> Callable[[GitHubBench], None]:
    def lack(bench: GitHubBench) -> None:
        bench.github.world.users[BOT].lacks = frozenset(permissions)

    return lack


def _read_only(bench: GitHubBench) -> None:
    bench.github.set_role(BOT, GITOPS, "read")


def _expel(bench: GitHubBench) -> None:
    bench.github.set_role(BOT, GITOPS, "none")


def _expire(bench: GitHubBench) -> None:
    bench.github.world.users[BOT].token = "another-token"


@pytest.mark.parametrize(
    ("prepare", "inputs", "words"),
    [
        (_protect, {}, ["forbid to write to main", "promote by pull request"]),
        (_archive, {}, [f"{GITOPS} is archived", "unarchive it"]),
        (_rename, {"branch": "main"}, [f"branch 'main' of {GITOPS} is now 'trunk'", "pass --branch"]),
        (_remove, {}, ["no values file for nexo-be in qa", QA]),
        (_lack("contents:write"), {}, ["the token may not write commits", "`contents: write`"]),
        (_lack("contents"), {}, ["the token may not", "`contents: read`"]),
        (_read_only, {}, ["the token may not write commits", "`contents: write`"]),
        (_expel, {}, [f"no repository {GITOPS}, or the token may not see it"]),
        (_expire, {}, ["GitHub refused the token"]),
        (_lack("pull_requests"), {"to": "production"}, ["`pull_requests: read`"]),
        (_lack("pull_requests:write"), {"to": "production"}, ["`pull_requests: write`"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
def test_each_refusal_says_what_to_grant_or_fix(
    bench: GitHubBench, prepare: Callable[[GitHubBench], None], inputs: dict[str, str], words: list[str]
) -> None:
    """One line that names it, exit status 2, and nothing is left behind."""
    prepare(bench)
    before = bench.git("for-each-ref")
    ended = bench.run("promote", **{"service": "nexo-be", "to": "qa", **inputs})
    assert ended.status == 2
    assert [word for word in words if word not in ended.error] == []
    assert bench.git("for-each-ref") == before


def test_a_renamed_default_branch_is_followed(bench: GitHubBench) -> None:
    """Who names no branch is not troubled by its new name."""
    _rename(bench)
    assert bench.promote(service="nexo-be", to="qa")["branch"] == "trunk"


def test_a_renamed_repository_is_followed(bench: GitHubBench) -> None:
    """The old name leads to the repository."""
    bench.github.rename_repository(GITOPS, "nexo-org/deployments")
    out = bench.promote(service="nexo-be", to="qa")
    assert out["changed"] is True


@pytest.mark.parametrize(
    ("inputs", "status", "words"),
    [
        ({"version": "2026.02.1; rm -rf /"}, 2, "is not a version"),
        ({"version": "$(reboot)"}, 2, "is not a version"),
        ({"version": "--upload-pack=x"}, 2, "is not a version"),
        ({"service": "../../etc/passwd"}, 2, "is not a service name"),
        ({"service": "a b"}, 2, "is not a service name"),
        ({"branch": "main..other"}, 2, "is not a branch's or tag's name"),
        ({"branch": "../../../user"}, 2, "is not a branch's or tag's name"),
        ({"branch": "refs@{1}"}, 2, "is not a branch's or tag's name"),
        ({"branch": "-x"}, 2, "is not a branch's or tag's name"),
        ({"config": "../promotion.yaml"}, 2, "no path inside the GitOps repository"),
    ],
)
def test_hostile_inputs(bench: GitHubBench, inputs: dict[str, str], status: int, words: str) -> None:
    """They are named as what they are, and never reach an address of the API."""
    ended = bench.run("promote", **{"service": "nexo-be", "to": "qa", **inputs})
    assert (ended.status, ended.stdout) == (status, "")
    assert words in ended.error
    assert all(each.path.startswith(("/repos/nexo-org/", "/graphql")) for each in bench.github.exchanges)


def test_a_hostile_values_file(bench: GitHubBench) -> None:
    """A version in the source's file that could be a path or an option moves nowhere."""
    for version in ("../../x", "-rf", "a\\nb", "${{ github.token }}"):
        bench.commit({"helm/nexo-be/values-develop.yaml": f'image:\n  tag: "{version}"\n'})
        ended = bench.run("promote", service="nexo-be", to="qa")
        assert ended.status == 2, version
        assert "is not a version" in ended.error
