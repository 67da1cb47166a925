"""The matrix, from a real repository to every rendering of it."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest

from promote_actions.__main__ import run as promote_actions
from promote_actions.adapters.git_history import history_of
from promote_actions.adapters.gitops import FileChange
from promote_actions.adapters.repositories import open_repository
from promote_actions.audit.log import entry
from promote_actions.audit.record import Record
from promote_actions.config.model import Config, Service, Values
from promote_actions.errors import InputError
from promote_actions.matrix.collect import Health, Questions, collect
from promote_actions.matrix.distance import Releases
from promote_actions.matrix.document import badge, fitted, matrix_document
from promote_actions.matrix.render_html import render as html
from promote_actions.matrix.render_markdown import render as markdown
from promote_actions.matrix.render_text import render as text
from promote_actions.versions.calver import CalVer
from promote_actions.versions.drift import Release
from tests.audit.memory_repository import MemoryRepository
from tests.matrix.gitops_repo import NOW, GitOps, strategy, values


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    """A bare repository with the strategy's dashboard in it."""
    return strategy(GitOps(tmp_path_factory.mktemp("matrix") / "gitops.git"))


def released(tags):
    """Releases of one commit each."""
    return Releases(tuple(Release(CalVer.parse(tag), tag) for tag in tags), "tags")


def matrix_of(path, config=None, **asked):
    """The matrix of a repository on this machine."""
    repository = open_repository(path, "", {})
    snapshot = repository.snapshot()
    questions = Questions(now=NOW, bulk=history_of(repository, snapshot), **asked)
    return collect(repository, snapshot, config or Config(), questions)


def test_the_strategys_dashboard_is_drawn_as_the_strategy_draws_it(dashboard):
    """Same box, same columns, same words; the drift counts releases over the month's end."""
    matrix = matrix_of(dashboard, health=lambda _s, _e: Health("Healthy", "Synced"))
    assert text(matrix) == (
        "┌────────────────────────────────────────────────────────────────────┐\n"
        "│                       NEXO-BE VERSION MATRIX                       │\n"
        "├─────────────┬─────────────┬────────────────┬───────────────────────┤\n"
        "│ Environment │ Version     │ Deployed At    │ Health                │\n"
        "├─────────────┼─────────────┼────────────────┼───────────────────────┤\n"
        "│ develop     │ 2026.02.17  │ 2h ago         │ ✅ Healthy            │\n"
        "│ qa          │ 2026.02.15  │ 6h ago         │ ✅ Healthy            │\n"
        "│ staging     │ 2026.02.10  │ 2 days ago     │ ✅ Healthy            │\n"
        "│ production  │ 2026.01.45  │ 1 week ago     │ ✅ Healthy            │\n"
        "└─────────────┴─────────────┴────────────────┴───────────────────────┘\n"
        "\n"
        "Drift Alert: production is 28 versions and 14 days behind develop (🟡 Medium Risk)"
    )


def test_who_when_and_history_come_from_git(dashboard):
    """Each cell knows what brought its version, and what it ran before."""
    row = matrix_of(dashboard).rows[0]
    staging, develop = row.cell("staging"), row.cell("develop")
    assert (staging.change.who, staging.change.at) == ("bob", NOW - timedelta(days=2))
    assert staging.change.subject == "promote(nexo-be): staging → 2026.02.10"
    assert [change.version for change in develop.history[:3]] == ["2026.02.17", "2026.02.16", "2026.02.15"]
    assert len(develop.history) == 10
    assert row.drift.gap.waiting_days == 13


def test_an_edit_that_keeps_the_version_does_not_deploy_it_again(tmp_path):
    """More replicas are no deployment: the time stays that of the version's arrival."""
    gitops = GitOps(tmp_path / "g.git")
    gitops.promote("a", "develop", "2026.02.1", ago=timedelta(days=3), who="bob")
    edited = values("2026.02.1").replace("2\n", "3\n", 1)
    gitops.commit(
        "more replicas", {"helm/a/values-develop.yaml": edited}, ago=timedelta(days=1), who="carol"
    )
    change = matrix_of(gitops.close()).rows[0].cell("develop").change
    assert (change.who, change.at) == ("bob", NOW - timedelta(days=3))


def test_a_merged_pull_request_deploys_when_it_is_merged(tmp_path):
    """History is the branch's own: the merge counts, not the commit on the branch before it."""
    gitops = GitOps(tmp_path / "g.git")
    gitops.promote("a", "develop", "2026.02.1", ago=timedelta(days=5))
    path = gitops.close()
    git = ["git", "-C", path]

    def commit_tree(parents, version, days, subject):
        blob = (
            subprocess.run(
                [*git, "hash-object", "-w", "--stdin"],
                input=values(version).encode(),
                capture_output=True,
                check=True,
            )
            .stdout.decode()
            .strip()
        )
        tree = ""
        for mode, kind, name in (
            ("100644", "blob", "values-develop.yaml"),
            ("040000", "tree", "a"),
            ("040000", "tree", "helm"),
        ):
            line = f"{mode} {kind} {blob if kind == 'blob' else tree}\t{name}\n"
            tree = (
                subprocess.run([*git, "mktree"], input=line.encode(), capture_output=True, check=True)
                .stdout.decode()
                .strip()
            )
        date = f"{int((NOW - timedelta(days=days)).timestamp())} +0000"
        env = {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "Merger"), ("EMAIL", "m@nexo.com"), ("DATE", date))
        }
        given = [part for parent in parents for part in ("-p", parent)]
        done = subprocess.run(
            [*git, "commit-tree", tree, *given, "-m", subject],
            capture_output=True,
            check=True,
            env={**env, "PATH": "/usr/bin:/bin:/usr/local/bin"},
        )
        return done.stdout.decode().strip()

    base = (
        subprocess.run([*git, "rev-parse", "main"], capture_output=True, check=True).stdout.decode().strip()
    )
    side = commit_tree([base], "2026.02.2", 4, "promote(a): develop → 2026.02.2")
    merge = commit_tree(
        [base, side], "2026.02.2", 1, "Merge pull request #7 from promote/a-develop-2026.02.2"
    )
    subprocess.run([*git, "update-ref", "refs/heads/main", merge], check=True)
    change = matrix_of(path).rows[0].cell("develop").change
    assert (change.who, change.at) == ("Merger", NOW - timedelta(days=1))


def test_the_audit_log_knows_more_than_git(dashboard, tmp_path):
    """Approvers and pull request of the version that runs come from its record."""
    repository = MemoryRepository()
    repository.write([FileChange("helm/a/values-prod.yaml", values("2026.02.1").encode())], "x")
    record = Record(
        "promotion",
        "a",
        "2026.02.1",
        "staging",
        "production",
        "2026-02-01T10:30:00Z",
        "alice-sre",
        ("bob", "carol"),
        "https://github.com/nexo-org/nexo-gitops/pull/9",
    )
    snapshot = repository.snapshot()
    repository.write([entry(snapshot, Config(), record, "1", "1")], "audit")
    change = (
        collect(repository, repository.snapshot(), Config(), Questions(NOW))
        .rows[0]
        .cell("production")
        .change
    )
    assert (change.who, change.approvers) == ("alice-sre", ("bob", "carol"))
    assert change.pr_url.endswith("/pull/9")


def test_without_git_the_messages_tell_the_history():
    """Through an API no file is read twice: subjects and trailers say which version came when."""
    repository = MemoryRepository()
    path = "helm/a/values-qa.yaml"
    for day, version in ((3, "2026.02.1"), (2, "2026.02.2")):
        message = f"auto-promote(a): qa → {version}"
        when = NOW - timedelta(days=day)
        repository.write([FileChange(path, values(version).encode())], message, when)
    trailers = "Promotion-Service: a\nPromotion-To: qa\nPromotion-Version: 2026.02.3"
    repository.write(
        [FileChange(path, values("2026.02.3").encode())],
        f"Release train\n\n{trailers}",
        NOW - timedelta(days=1),
    )
    cell = collect(repository, repository.snapshot(), Config(), Questions(NOW)).rows[0].cell("qa")
    assert [(change.version, (NOW - change.at).days) for change in cell.history] == [
        ("2026.02.3", 1),
        ("2026.02.2", 2),
        ("2026.02.1", 3),
    ]


def test_a_hand_made_change_is_dated_by_its_commit():
    """A message that names nothing still has a time and an author."""
    repository = MemoryRepository()
    when = NOW - timedelta(days=4)
    repository.write([FileChange("helm/a/values-qa.yaml", values("2026.02.9").encode())], "by hand", when)
    change = collect(repository, repository.snapshot(), Config(), Questions(NOW)).rows[0].cell("qa").change
    assert (change.who, change.at) == ("Alice", when)


def test_two_names_for_one_file_are_an_error():
    """values-prod.yaml and values-production.yaml side by side: the message names both."""
    repository = MemoryRepository()
    names = ["helm/a/values-prod.yaml", "helm/a/values-production.yaml"]
    repository.write([FileChange(name, values("2026.02.1").encode()) for name in names], "x")
    with pytest.raises(InputError, match=f"{names[0]} and {names[1]}"):
        collect(repository, repository.snapshot(), Config(), Questions(NOW))


def test_the_alias_alone_is_the_file():
    """A repository that says values-production.yaml is read as it is."""
    repository = MemoryRepository()
    repository.write([FileChange("helm/a/values-production.yaml", values("2026.02.1").encode())], "x")
    row = collect(repository, repository.snapshot(), Config(), Questions(NOW)).rows[0]
    assert row.cell("production").version == "2026.02.1"
    assert row.cell("develop").problem == "not deployed"
    assert row.drift.level == "unknown"


def test_one_broken_file_hides_nobody_else():
    """A values file that is no YAML is a cell with its problem."""
    repository = MemoryRepository()
    repository.write(
        [
            FileChange("helm/a/values-qa.yaml", b"image: [\n"),
            FileChange("helm/b/values-qa.yaml", values("2026.02.1").encode()),
        ],
        "x",
    )
    rows = collect(repository, repository.snapshot(), Config(), Questions(NOW)).rows
    assert "helm/a/values-qa.yaml" in rows[0].cell("qa").problem
    assert rows[1].cell("qa").version == "2026.02.1"


def test_other_layouts_are_found_by_the_configuration():
    """The path's pattern may be any, and one file may hold several services that are listed."""
    repository = MemoryRepository()
    repository.write(
        [FileChange("apps/qa/a/kustomization.yaml", b"images:\n- name: a\n  newTag: '7'\n")], "x"
    )
    config = Config(values=Values("apps/{environment}/{service}/kustomization.yaml", ("images[].newTag",)))
    row = collect(repository, repository.snapshot(), config, Questions(NOW)).rows[0]
    assert (row.service, row.cell("qa").version) == ("a", "7")
    shared = b"images:\n- name: a\n  newTag: '7'\n- name: b\n  newTag: '8'\n"
    repository.write([FileChange("envs/qa.yaml", shared)], "x")
    config = Config(
        services={"a": Service("a"), "b": Service("b")},
        values=Values("envs/{suffix}.yaml", ("images[].newTag",)),
    )
    rows = collect(repository, repository.snapshot(), config, Questions(NOW)).rows
    assert [row.cell("qa").version for row in rows] == ["7", "8"]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["2026.01.45", "2026.01.46", "2026.02.1", "2026.02.17"], ("behind", 3, 0, "low")),
        (
            [f"2026.01.{n}" for n in range(1, 46)] + [f"2026.02.{n}" for n in range(1, 41)],
            ("behind", 17, 0, "low"),
        ),
        (["2026.02.17"], ("unknown", None, None, "unknown")),
        ([], ("unknown", None, None, "unknown")),
    ],
)
def test_drift_counts_releases_and_never_guesses(tags, expected):
    """Released versions after production's and up to develop's; an unreleased one makes it unknown."""
    repository = MemoryRepository()
    repository.write(
        [
            FileChange("helm/a/values-develop.yaml", values("2026.02.17").encode()),
            FileChange("helm/a/values-prod.yaml", values("2026.01.45").encode()),
        ],
        "x",
    )
    releases = released(tags)
    asked = Questions(NOW, releases=lambda _: releases)
    drift = collect(repository, repository.snapshot(), Config(), asked).rows[0].drift
    assert (drift.gap.state, drift.gap.behind, drift.gap.ahead, drift.level) == expected


def hostile_repository():
    """A repository whose every text is an attack."""
    repository = MemoryRepository(web_url="javascript:alert(1)", name="<img src=x onerror=alert(1)>")
    version = "1.0\\u202e<script>alert(2)</script>|`x`"
    service = "[a](x)<img src=x onerror=alert(4)>|*b*"
    path = f"helm/{service}/values-qa.yaml"
    content = f'image:\n  tag: "{version}"\n'.encode()
    repository.write(
        [FileChange(path, content)], "</script><script>alert(3)</script> \x1b[31m\u202e (#1)", NOW
    )
    evil = "<b>@everyone</b>|\n![x](http://evil/x.png)\x1b]0;x\x07"
    repository.commits[0] = replace(repository.commits[0], author=evil)
    return repository


def test_hostile_texts_stay_texts():
    """No markup, no control, no bidi mark and no link of a stranger's gets through anywhere."""
    repository = hostile_repository()
    matrix = collect(repository, repository.snapshot(), Config(), Questions(NOW))
    page, summary, shown = html(matrix), markdown(matrix), text(matrix)
    for rendered in (page, summary, shown):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", rendered)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "javascript:" not in re.sub(r'<script type="application/json".*?</script>', "", page)
    assert page.count("<script") == 2
    assert "<b>" not in summary
    assert "<script>" not in summary
    assert not re.search(r"(?<!\\)\]\(http://evil", summary)
    assert "@everyone" not in summary
    assert all(
        line.count("|") - line.count("\\|") == 7 for line in summary.splitlines() if line.startswith("|")
    )
    document = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert document == matrix_document(matrix)


def test_the_page_allows_itself_and_nothing_else(dashboard):
    """The policy names the hashes of the page's own style and script; no address is loaded."""
    page = html(matrix_of(dashboard))
    assert "default-src 'none'" in page
    assert "unsafe-inline" not in page
    assert not re.search(r"<(link|img|iframe|object)\b|@import|url\(|\bsrc=|\bstyle=|\bon\w+=\"", page)
    assert page.count('scope="row"') == 1
    assert page.count('scope="col"') == 6


def many(count):
    """A matrix of many services, each with some drift."""
    repository = MemoryRepository()
    changes = []
    for number in range(count):
        for suffix, build in (("develop", number % 40 + 2), ("qa", 2), ("staging", 2), ("prod", 1)):
            content = values(f"2026.02.{build}").encode()
            changes.append(FileChange(f"helm/service-{number:04}/values-{suffix}.yaml", content))
    repository.write(changes, "x")
    releases = released(f"2026.02.{build}" for build in range(1, 42))
    asked = Questions(NOW, releases=lambda _: releases)
    return collect(repository, repository.snapshot(), Config(), asked)


def test_a_thousand_services_stay_readable():
    """One table with the worst first, and a summary below GitHub's limit that says what it leaves out."""
    matrix = many(1000)
    lines = text(matrix).splitlines()
    assert len(lines) == 1004
    assert "40 behind" in lines[3]
    summary = markdown(matrix, limit=60_000)
    assert len(summary.encode()) <= 60_000
    shown = sum("**service-" in line and line.startswith("|") for line in summary.splitlines())
    assert f"_{1000 - shown} more services are not shown here" in summary
    assert len(markdown(matrix).encode()) < 900_000


def test_the_output_of_a_thousand_services_fits_a_job():
    """Histories go first, then details; versions, times and distances stay."""
    document = matrix_document(many(300))
    assert fitted(document, 10**9) is document
    whole = len(json.dumps(document, ensure_ascii=False))
    without = fitted(document, whole - 1)
    assert without["shortened"]
    assert without["services"][0]["environments"]["qa"]["history"] == []
    assert "who" in without["services"][0]["environments"]["qa"]
    short = fitted(document, 1000)
    assert short["services"][5]["environments"]["develop"]["version"] == "2026.02.7"
    assert set(short["services"][5]["environments"]["develop"]) == {
        "version",
        "deployed_at",
        "health",
        "behind",
    }


def test_the_badge_is_what_shields_io_reads():
    """Four keys, the worst level of all services."""
    document = json.loads(badge(many(30)))
    assert set(document) == {"schemaVersion", "label", "message", "color"}
    assert (document["message"], document["color"]) == ("medium (30 behind)", "yellow")


@pytest.fixture
def quiet(monkeypatch):
    """No workflow run around the test."""
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "ARGOCD_SERVER"):
        monkeypatch.delenv(name, raising=False)


def test_the_command_writes_page_badge_and_outputs(dashboard, tmp_path, quiet, capsys):
    """Through the front door: JSON on the terminal, a page, a badge, status 0."""
    page, shield = tmp_path / "matrix.html", tmp_path / "badge.json"
    words = ["version-matrix", "--gitops", dashboard, "--html", str(page), "--badge", str(shield)]
    assert promote_actions([*words, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"matrix", "drift", "drift-level", "html-path"}
    assert document["drift-level"] == "medium"
    assert document["drift"]["nexo-be"]["behind"] == 28
    assert document["html-path"] == str(page)
    assert "2026.01.45" in page.read_text(encoding="utf-8")
    assert json.loads(shield.read_text())["schemaVersion"] == 1


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--fail-on-drift"], 1),
        (["--fail-over", "27"], 1),
        (["--fail-over", "28"], 0),
        ([], 0),
        (["--service", "nobody"], 2),
        (["--html", "/nowhere/x.html"], 2),
        (["--service-repo", "nexo-be"], 2),
        (["--service-repo", "nexo-be=/nowhere"], 2),
        (["--branch", "none"], 2),
        (["--history", "0"], 2),
    ],
)
def test_exit_statuses(dashboard, quiet, words, status, capsys):
    """Drift over a limit is refused with 1, wrong input is 2, each with one line."""
    assert promote_actions(["version-matrix", "--gitops", dashboard, *words]) == status
    assert len(capsys.readouterr().err.strip().splitlines()) == (status > 0)


def tagged_repository(folder, *branches):
    """A bare service repository; each branch is a list of tags, one a commit, from the trunk's 2nd on."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    stream, mark = [], 0
    for index, tags in enumerate(branches):
        for place, tag in enumerate(tags):
            mark += 1
            start = "from :2\n" if index and not place else ""
            who = "committer x <x@y> 1770000000 +0000\n"
            stream.append(f"commit refs/heads/b{index}\nmark :{mark}\n{who}data {len(tag)}\n{tag}\n{start}")
            stream.append(f"reset refs/tags/{tag}\nfrom :{mark}\n")
    command = ["git", "-C", str(folder), "fast-import", "--quiet"]
    subprocess.run(command, input="".join(stream).encode(), check=True)
    return str(folder)


def drift_with(dashboard, repository, capsys, prefix="v"):
    """The drift that the command finds with a service repository."""
    words = ["version-matrix", "--gitops", dashboard, "--service-repo", f"nexo-be={repository}"]
    assert promote_actions([*words, "--tag-prefix", prefix, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)["drift"]["nexo-be"]


def test_tags_of_the_service_repository_count(dashboard, tmp_path, quiet, capsys):
    """With a service repository drift is counted in its tags, whatever the history says."""
    tags = ["v2026.01.45", "v2026.02.3", "v2026.02.17", "v2026.02.18", "nightly"]
    drift = drift_with(dashboard, tagged_repository(tmp_path / "s.git", tags), capsys)
    assert (drift["state"], drift["behind"], drift["ahead"], drift["days"]) == ("behind", 2, 0, 14)
    assert drift["counted_in"].startswith("the tags of ")


def test_a_hotfix_that_was_never_merged_back_has_diverged(dashboard, tmp_path, quiet, capsys):
    """Production runs a release that develop does not contain: neither number alone would say so."""
    trunk = ["v2026.01.40", "v2026.01.41", "v2026.02.3", "v2026.02.17"]
    drift = drift_with(dashboard, tagged_repository(tmp_path / "s.git", trunk, ["v2026.01.45"]), capsys)
    assert (drift["state"], drift["behind"], drift["ahead"], drift["level"]) == ("diverged", 2, 1, "medium")


def test_an_untagged_version_is_unknown(dashboard, tmp_path, quiet, capsys):
    """A version that nobody tagged can't be counted from."""
    drift = drift_with(dashboard, tagged_repository(tmp_path / "s.git", ["v2026.02.17"]), capsys)
    assert (drift["state"], drift["behind"], drift["level"]) == ("unknown", None, "unknown")
    assert "2026.01.45 is not among the released versions" in drift["text"]
