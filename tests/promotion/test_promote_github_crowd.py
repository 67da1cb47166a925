"""Many promotions at once through the API: none is lost, the newest wins, and the history tells all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

from promote_actions.audit.record import Record, from_json
from promote_actions.versions.calver import CalVer
from tests.promotion.github_bench import Ended, GitHubBench

SERVICES = [f"svc-{number:02}" for number in range(50)]
VERSIONS = [f"2026.03.{number}" for number in range(1, 11)]


def at_once(jobs: Sequence[Callable[[], Ended]]) -> list[Ended]:
    """Run ``jobs`` in threads that begin together."""
    start = Barrier(len(jobs))

    def begin(job: Callable[[], Ended]) -> Ended:
        start.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(begin, jobs))


def records(bench: GitHubBench) -> list[Record]:
    """Every audit record on main, in the order in which they came."""
    names = bench.git(
        "log", "--reverse", "--diff-filter=A", "--format=", "--name-only", "main", "--", "audit-logs"
    )
    return [from_json(bench.show(name).encode(), name) for name in names.splitlines() if name]


def test_fifty_services_at_once(tmp_path: Path) -> None:
    """Fifty commits in one line, each with its own service's version and record, and nobody forced."""
    with GitHubBench(tmp_path, SERVICES) as bench:
        ended = at_once([partial(bench.run, "promote", service=name, to="qa") for name in SERVICES])
        assert [each.stderr for each in ended if each.status] == []
        assert bench.git("rev-list", "--count", "main") == "51"
        assert bench.git("rev-list", "--count", "--min-parents=2", "main") == "0"
        subjects = bench.git("log", "--format=%s", "main").splitlines()
        assert sorted(subjects[:-1]) == [f"promote({name}): qa → 2026.02.17" for name in SERVICES]
        for name in SERVICES:
            assert "2026.02.17" in bench.show(f"helm/{name}/values-qa.yaml")
        assert sorted(record.service for record in records(bench)) == SERVICES
        commits = {each.outputs["commit-sha"] for each in ended}
        assert commits == set(bench.git("rev-list", "--max-count=50", "main").split())


def test_ten_versions_of_one_service_at_once(tmp_path: Path) -> None:
    """The newest is live; every other one either was live before it, or says that it came too late."""
    with GitHubBench(tmp_path) as bench:
        push = partial(bench.run, "promote", service="nexo-be", to="develop")
        ended = at_once([partial(push, version=version) for version in VERSIONS])
        assert VERSIONS[-1] in bench.show("helm/nexo-be/values-develop.yaml")
        landed = [version for version, each in zip(VERSIONS, ended, strict=True) if each.status == 0]
        late = [each for each in ended if each.status]
        assert [each.status for each in late] == [1] * len(late)
        assert all("which is newer than" in each.error for each in late)
        subjects = bench.git("log", "--reverse", "--format=%s", "main").splitlines()[1:]
        told = [subject.rpartition(" ")[2] for subject in subjects]
        assert told == sorted(landed, key=CalVer.parse)
        chain = records(bench)
        assert [(record.version, record.sequence) for record in chain] == list(
            zip(told, range(1, len(told) + 1), strict=True)
        )
        assert [record.previous_version for record in chain] == ["2026.02.17", *told[:-1]]
        verified = bench.run("audit-log", operation="verify", gitops=str(bench.bare))
        assert (verified.status, verified.outputs["verified"]) == (0, "true"), verified.stderr


def test_ten_pull_requests_of_one_service_at_once(tmp_path: Path) -> None:
    """One stays open, with the newest version; of the others nothing is left but their words."""
    with GitHubBench(tmp_path) as bench:
        propose = partial(bench.run, "promote", service="nexo-be", to="develop", mode="pull-request")
        ended = at_once([partial(propose, version=version) for version in VERSIONS])
        assert {each.status for each in ended} <= {0, 1}
        assert ended[-1].status == 0
        (number,) = bench.open_pulls
        assert bench.pull(number).head == f"promote/nexo-be-develop-{VERSIONS[-1]}"
        assert bench.branches() == ["main", f"promote/nexo-be-develop-{VERSIONS[-1]}"]
        closed = [
            pull
            for pull in bench.github.repository("nexo-org/nexo-gitops").pulls.values()
            if pull.number != number
        ]
        assert all(pull.comments and pull.comments[0].body.startswith("Superseded by #") for pull in closed)


def run_of(number: int) -> dict[str, str]:
    """The variables of one of many workflow runs."""
    return {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "nexo-org/nexo-be",
        "GITHUB_RUN_ID": str(number),
    }


def test_the_same_promotion_ten_times_at_once(tmp_path: Path) -> None:
    """Directly it is one commit; by pull request it is one pull request."""
    with GitHubBench(tmp_path) as bench:
        for to, expected in (("qa", 2), ("production", 2)):
            jobs = [
                partial(bench.run, "promote", service="nexo-be", to=to, env=run_of(n)) for n in range(10)
            ]
            ended = at_once(jobs)
            assert [each.stderr for each in ended if each.status] == []
            assert bench.git("rev-list", "--count", "main") == str(expected)
            if to == "qa":
                assert [each.outputs["changed"] for each in ended].count(True) == 1
        assert {each.outputs["pr-number"] for each in ended} == {"1"}
        assert bench.open_pulls == [1]
        assert bench.pull(1).labels == ["production-deploy"]
