"""``promote`` on real git repositories, through the command itself."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from promote_actions.promotion.policy import is_downgrade
from tests.support.gitops import CLEAN, command, git, make_bare, standard_files, values, write

ENTRY = [sys.executable, "-m", "promote_actions"]
QA = "helm/app/values-qa.yaml"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path, standard_files(["app"]))


def promote(bare: Path | str, *arguments: str, env: Mapping[str, str] | None = None) -> dict[str, object]:
    """The outputs of a promotion that must go well."""
    ran = command("promote", "--gitops", str(bare), "--format", "json", *arguments, env=env)
    assert ran.status == 0, ran.stderr
    outputs: dict[str, object] = json.loads(ran.stdout)
    return outputs


def show(bare: Path, path: str) -> str:
    return git(bare, "show", f"main:{path}")


def test_a_promotion(bare: Path) -> None:
    """The live version of the source moves on: one line changes, and the commit says everything."""
    out = promote(bare, "--service", "app", "--to", "qa")
    assert (out["changed"], out["mode"], out["from"], out["to"]) == (True, "direct", "develop", "qa")
    assert (out["version"], out["previous-version"]) == ("2026.02.17", "2026.02.15")
    assert out["commit-sha"] == git(bare, "rev-parse", "main")
    assert git(bare, "diff", "--numstat", "main^", "main", "--", "helm") == f"1\t1\t{QA}"
    message = git(bare, "log", "-1", "--format=%B", "main")
    assert message.splitlines()[0] == "promote(app): qa → 2026.02.17"
    trailers = git(bare, "log", "-1", "--format=%(trailers:only,unfold)", "main").splitlines()
    assert trailers == [
        "Promotion-Service: app",
        "Promotion-From: develop",
        "Promotion-To: qa",
        "Promotion-Version: 2026.02.17",
        "Promotion-Previous: 2026.02.15",
    ]


def test_the_audit_record_is_in_the_same_commit(bare: Path) -> None:
    """Values and record land together or not at all."""
    promote(bare, "--service", "app", "--to", "qa", "--validation-results", '{"smoke_tests": "passed"}')
    added = git(bare, "diff", "--name-only", "--diff-filter=A", "main^", "main").splitlines()
    assert len(added) == 1
    record = json.loads(show(bare, added[0]))
    assert (record["service"], record["version"], record["to_environment"]) == ("app", "2026.02.17", "qa")
    assert record["validation_results"] == {"smoke_tests": "passed"}


def test_the_same_promotion_twice_is_one(bare: Path) -> None:
    """A second run changes nothing and says so."""
    first = promote(bare, "--service", "app", "--to", "qa")
    again = promote(bare, "--service", "app", "--to", "qa")
    assert (again["changed"], again["mode"]) == (False, "none")
    assert git(bare, "rev-parse", "main") == first["commit-sha"]


def test_several_services_are_one_commit(tmp_path: Path) -> None:
    """A train of services lands whole, with a group of trailers for each."""
    bare = make_bare(tmp_path, standard_files(["be", "web"]))
    out = promote(bare, "--service", "be,web", "--to", "qa")
    assert git(bare, "rev-list", "--count", "main") == "2"
    assert out["service"] == "be,web"
    message = git(bare, "log", "-1", "--format=%B", "main")
    assert message.count("Promotion-Service: ") == 2
    assert len(git(bare, "diff", "--name-only", "main^", "main", "--", "audit-logs").splitlines()) == 2


def test_all_or_nothing(tmp_path: Path) -> None:
    """One service that can't move keeps the others where they are."""
    files = standard_files(["be", "web"])
    files["helm/web/values-qa.yaml"] = values("2026.03.1")
    bare = make_bare(tmp_path, files)
    ran = command("promote", "--gitops", str(bare), "--service", "be,web", "--to", "qa")
    assert ran.status == 1
    assert "newer than 2026.02.17" in ran.error
    assert git(bare, "rev-list", "--count", "main") == "1"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--to", "qa", "--version", "2026.02.16"], 1, "develop has app 2026.02.17, not 2026.02.16"),
        (["--to", "develop"], 2, "pass the built version with --version"),
        (["--to", "develop", "--version", "2026.01.2"], 1, "newer than 2026.01.2"),
        (["--to", "staging"], 2, "plain git repository doesn't have"),
        (["--to", "staging", "--mode", "direct"], 1, "needs 1 approval(s)"),
        (
            ["--to", "staging", "--from", "develop", "--mode", "direct", "--reason", "r"],
            1,
            "not from develop",
        ),
        (["--to", "qa", "--override", "nope", "--reason", "r"], 2, "input 'override' names 'nope'"),
        (["--to", "staging", "--mode", "direct", "--override", "order"], 2, "an override needs a reason"),
        (
            ["--to", "moon"],
            2,
            "there is no environment 'moon'; use one of develop, qa, staging, production",
        ),
        (["--to", "qa", "--from", "qa"], 2, "can't be promoted into itself"),
        (["--to", "qa", "--service", "../../etc"], 2, "is not a service name"),
        (["--to", "qa", "--service", "other"], 2, "there is no values file for other in develop"),
        (["--to", "qa", "--version", "a b"], 2, "is not a version"),
        (["--to", "qa", "--version", "x..y"], 2, "is not a version"),
        (["--to", "qa", "--mode", "fast"], 2, "one of auto, direct, pull-request"),
        (["--to", "qa", "--dry-run", "--validation-results", "[1]"], 2, "is not a JSON object"),
        (["--to", "qa", "--config", "nope.yaml"], 2, "there is no file 'nope.yaml'"),
        (["--to", "qa", "--branch", "nope"], 2, "has no branch 'nope'"),
    ],
)
def test_refusals(bare: Path, arguments: list[str], status: int, words: str) -> None:
    """Each says in one line what is wrong, with its exit status, and nothing changes."""
    service = [] if "--service" in arguments else ["--service", "app"]
    before = git(bare, "rev-parse", "main")
    ran = command("promote", "--gitops", str(bare), *service, *arguments)
    assert (ran.status, ran.stdout) == (status, "")
    assert words in ran.error
    assert "Traceback" not in ran.stderr
    assert git(bare, "rev-parse", "main") == before


def test_downgrade_on_request(bare: Path) -> None:
    """An older version replaces a newer one only when it is said, and the record keeps it."""
    promote(bare, "--service", "app", "--to", "develop", "--version", "2026.02.3", "--allow-downgrade")
    record = json.loads(show(bare, git(bare, "diff", "--name-only", "main^", "main", "--", "audit-logs")))
    assert record["override"] == "downgrade"


def test_stopping_the_line(tmp_path: Path) -> None:
    """One file stops every promotion, with its reason, until somebody overrides it with theirs."""
    files = {**standard_files(["app"]), "holds/stop-the-line": "incident 42: payments down\n"}
    bare = make_bare(tmp_path, files)
    ran = command("promote", "--gitops", str(bare), "--service", "app", "--to", "qa")
    assert ran.status == 1
    assert "the line is stopped: incident 42: payments down" in ran.error
    out = promote(bare, "--service", "app", "--to", "qa", "--override", "stop", "--reason", "the fix")
    assert out["changed"] is True


def test_a_frozen_environment_says_until_when(tmp_path: Path) -> None:
    """A freeze window refuses and names its end and who may override."""
    configuration = """\
version: 1
environments:
  develop: {}
  qa:
    freeze:
      - {cron: "* * * * *", duration: 2h, timezone: Europe/Lisbon, reason: audits, override: [alice-sre]}
"""
    bare = make_bare(tmp_path, {**standard_files(["app"]), "promotion.yaml": configuration})
    ran = command("promote", "--gitops", str(bare), "--service", "app", "--to", "qa")
    assert ran.status == 1
    for words in ("qa is frozen until 2", "(audits)", "alice-sre may override"):
        assert words in ran.error


@pytest.mark.parametrize(("until", "status"), [("2020-01-01T00:00:00Z", 0), ("2999-01-01T00:00:00Z", 1)])
def test_a_lock_ends_when_it_says(tmp_path: Path, until: str, status: int) -> None:
    """A lock whose time is over stops nobody; one that holds says until when, and who may override."""
    lock = f"{{reason: migration, until: '{until}', override: [alice-sre]}}"
    configuration = f"version: 1\nenvironments: {{develop: {{}}, qa: {{lock: {lock}}}}}\n"
    bare = make_bare(tmp_path, {**standard_files(["app"]), "promotion.yaml": configuration})
    ran = command("promote", "--gitops", str(bare), "--service", "app", "--to", "qa")
    assert ran.status == status, ran.stderr
    if status:
        assert "qa is locked until 2999-01-01T00:00+00:00: migration" in ran.error
        assert "alice-sre may override" in ran.error


@pytest.mark.parametrize(
    ("actor", "status"), [("alice-sre", 0), ("Alice-SRE", 0), ("bob", 1), ("", 1), ("nexo-org/sre", 1)]
)
def test_only_those_named_may_override_a_lock(tmp_path: Path, actor: str, status: int) -> None:
    """A lock that names who may override it lets nobody else through, whatever their reason."""
    lock = "{reason: migration, override: [alice-sre, '@nexo-org/sre']}"
    configuration = f"version: 1\nenvironments: {{develop: {{}}, qa: {{lock: {lock}}}}}\n"
    bare = make_bare(tmp_path, {**standard_files(["app"]), "promotion.yaml": configuration})
    how = ("--service", "app", "--to", "qa", "--override", "lock", "--reason", "hotfix")
    ran = command("promote", "--gitops", str(bare), *how, env={"GITHUB_ACTOR": actor, "USER": ""})
    assert ran.status == status, ran.stderr
    if status:
        assert "only alice-sre, @nexo-org/sre may override" in ran.error


@pytest.mark.parametrize("version", ["latest", "qa", "production", "prod", "pr-12"])
def test_a_tag_that_moves_is_no_version(bare: Path, version: str) -> None:
    """What is promoted must stay what it is."""
    ran = command(
        "promote", "--gitops", str(bare), "--service", "app", "--to", "develop", "--version", version
    )
    assert ran.status == 2
    assert f"'{version}' is a tag that moves" in ran.error


@pytest.mark.parametrize(
    ("current", "wanted", "older"),
    [
        ("2026.02.10", "2026.02.9", True),
        ("2026.02.9", "2026.02.10", False),
        ("2026.01.45", "2026.02.1", False),
        ("v1.3.0", "v1.2.9", True),
        ("1.3.0", "1.3.0-rc.1", True),
        ("1.3.0-rc.1", "1.3.0", False),
        ("1.10.0", "1.9.0", True),
        ("a1b2c3d", "0000000", False),
        ("", "2026.02.1", False),
    ],
)
def test_which_version_is_older(current: str, wanted: str, older: bool) -> None:
    """Calendar and semantic versions have an order; commits and mixtures have none."""
    assert is_downgrade(current, wanted) is older


def test_a_direct_promotion_does_not_skip_the_soak_in_silence(tmp_path: Path) -> None:
    """A soak that no gate has proven is a rule to override, and proven by the gate's results."""
    configuration = "version: 1\nenvironments: {develop: {}, qa: {soak: 30m}}\n"
    bare = make_bare(tmp_path, {**standard_files(["app"]), "promotion.yaml": configuration})
    ran = command("promote", "--gitops", str(bare), "--service", "app", "--to", "qa")
    assert ran.status == 1
    assert "qa asks for a soak of 1800 s that no gate has proven" in ran.error
    promote(bare, "--service", "app", "--to", "qa", "--validation-results", '{"soak": "passed"}')


def test_both_names_of_the_production_file(tmp_path: Path) -> None:
    """``values-prod.yaml`` beside ``values-production.yaml`` is an error that names both."""
    files = {**standard_files(["app"]), "helm/app/values-production.yaml": values("1")}
    bare = make_bare(tmp_path, files)
    ran = command(
        "promote", "--gitops", str(bare), "--service", "app", "--to", "production", "--mode", "direct",
        "--reason", "r",
    )  # fmt: skip
    assert ran.status == 2
    assert "helm/app/values-prod.yaml and helm/app/values-production.yaml" in ran.error


def test_the_alias_of_the_production_file(tmp_path: Path) -> None:
    """A repository that has only ``values-production.yaml`` works as well."""
    files = standard_files(["app"])
    files["helm/app/values-production.yaml"] = files.pop("helm/app/values-prod.yaml")
    bare = make_bare(tmp_path, files)
    out = promote(bare, "--service", "app", "--to", "prod", "--mode", "direct", "--reason", "r")
    assert out["to"] == "production"
    assert "2026.02.10" in show(bare, "helm/app/values-production.yaml")


def test_dry_run_shows_everything_and_changes_nothing(bare: Path) -> None:
    """The exact diff and the messages are printed; the repository is the same afterwards."""
    before = git(bare, "rev-parse", "main")
    ran = command("promote", "--gitops", str(bare), "--service", "app", "--to", "qa", "--dry-run")
    assert ran.status == 0
    for words in (
        '-  tag: "2026.02.15" # here',
        '+  tag: "2026.02.17" # here',
        "Promotion-Version: 2026.02.17",
    ):
        assert words in ran.stdout
    assert git(bare, "rev-parse", "main") == before


LAYOUTS = {
    "kustomize": (
        "values: {path: 'apps/{service}/{suffix}/kustomization.yaml', image-tag: 'images[].newTag'}",
        "apps/app/{suffix}/kustomization.yaml",
        "images:\n- name: sidecar\n  newTag: '9'\n- name: ghcr.io/o/app\n  newTag: {tag}\n",
    ),
    "umbrella chart": (
        "values: {path: 'charts/{suffix}/{service}.yaml', image-tag: svc.image.tag}",
        "charts/{suffix}/app.yaml",
        "global:\n  image:\n    tag: x\nsvc:\n  image: {{tag: {tag}}}\n",
    ),
    "umbrella chart of several services": (
        "values: {path: 'charts/values-{suffix}.yaml', image-tag: '{service}.image.tag'}\n"
        "services: {app: {}, web: {}}",
        "charts/values-{suffix}.yaml",
        "web:\n  image:\n    tag: x\napp:\n  image:\n    tag: {tag}\n",
    ),
    "several documents": (
        "values: {path: 'k8s/{suffix}/{service}.yaml', image-tag: '[kind=App].spec.tag'}",
        "k8s/{suffix}/app.yaml",
        "kind: Other\nspec: {{tag: x}}\n---\nkind: App\nspec:\n  tag: {tag}\n",
    ),
    "two containers": (
        "values: {path: '{service}-{suffix}.yaml', image-tag: [image.tag, job.tag]}",
        "app-{suffix}.yaml",
        "image:\n  tag: {tag}\njob:\n  tag: {tag}\n",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_other_layouts(tmp_path: Path, layout: tuple[str, str, str]) -> None:
    """Kustomize, umbrella charts and several documents work by configuration alone."""
    configuration, path, template = layout
    files = {
        path.format(suffix=suffix): template.format(tag=tag)
        for suffix, tag in {"develop": "2026.02.2", "qa": "2026.02.1", "staging": "x", "prod": "y"}.items()
    }
    bare = make_bare(tmp_path, {**files, "promotion.yaml": f"version: 1\n{configuration}\n"})
    promote(bare, "--service", "app", "--to", "qa")
    name = path.format(suffix="qa")
    assert show(bare, name) == files[name].replace("2026.02.1", "2026.02.2").strip()
    keys = files[name].count("2026.02.1")
    assert git(bare, "diff", "--numstat", "main^", "main", "--", name) == f"{keys}\t{keys}\t{name}"


def test_a_local_configuration(bare: Path, tmp_path: Path) -> None:
    """``--config ./file`` reads the caller's own file instead of the repository's."""
    (tmp_path / "mine.yaml").write_text(
        "version: 1\nenvironments: {develop: {}, qa: {lock: moving house}}\n"
    )
    ran = command(
        "promote", "--gitops", str(bare), "--service", "app", "--to", "qa", "--config", "./mine.yaml",
        cwd=tmp_path,
    )  # fmt: skip
    assert ran.status == 1
    assert "qa is locked: moving house" in ran.error


def test_twenty_promoters_at_once(tmp_path: Path) -> None:
    """Twenty services promoted at once: twenty commits in a line, nothing lost, nobody forced."""
    services = [f"svc-{number:02}" for number in range(20)]
    bare = make_bare(tmp_path, standard_files(services))
    log = bare / "hooks" / "reference-transaction"
    log.write_text('#!/bin/sh\n[ "$1" = committed ] && cat >> transactions\nexit 0\n')
    log.chmod(0o755)
    running = [
        subprocess.Popen(
            [*ENTRY, "promote", "--gitops", str(bare), "--service", service, "--to", "qa"],
            env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for service in services
    ]  # fmt: skip
    ends = [(process.communicate(timeout=180), process.returncode) for process in running]
    assert [code for _, code in ends] == [0] * 20, ends
    assert git(bare, "rev-list", "--count", "main") == "21"
    assert git(bare, "rev-list", "--count", "--min-parents=2", "main") == "0"
    subjects = git(bare, "log", "--format=%s", "main").splitlines()
    assert sorted(subjects[:-1]) == [f"promote({service}): qa → 2026.02.17" for service in services]
    for service in services:
        assert "2026.02.17" in show(bare, f"helm/{service}/values-qa.yaml")
    moves = [
        line.split()
        for line in (bare / "transactions").read_text().splitlines()
        if "refs/heads/main" in line
    ]
    chain = git(bare, "rev-list", "--reverse", "main").splitlines()
    assert [(old, new) for old, new, _ in moves] == list(itertools.pairwise(chain))


WRAPPER = """\
#!/bin/sh
count=$(cat "$KILL_COUNTER" 2>/dev/null || echo 0); count=$((count + 1)); echo $count > "$KILL_COUNTER"
if [ "$count" = "$KILL_AT" ]; then
    case "$*" in *"cat-file --batch") ;; *) "{git}" "$@" >/dev/null 2>&1 <&0 ;; esac
    kill -9 $PPID; exit 1
fi
exec "{git}" "$@"
"""


@pytest.mark.parametrize("kind", ["bare", "checkout", "url"])
def test_killed_anywhere_and_run_again(tmp_path: Path, kind: str) -> None:
    """A promotion killed after any of its git commands (at the start of the one that it talks to), run
    again, ends as one that wasn't."""
    real = shutil.which("git")
    wrapper = tmp_path / "bin" / "git"
    write(tmp_path, {"bin/git": WRAPPER.replace("{git}", str(real))})
    wrapper.chmod(0o755)
    make_bare(tmp_path, standard_files(["app"]), "pristine.git")
    killed = 0
    for at in range(1, 40):
        folder = tmp_path / str(at)
        bare = folder / "gitops.git"
        shutil.copytree(tmp_path / "pristine.git", bare)
        where = bare.as_uri() if kind == "url" else str(bare)
        if kind == "checkout":
            git(folder, "clone", "-q", str(bare), "checkout")
            git(folder / "checkout", "remote", "remove", "origin")
            bare = folder / "checkout"
            where = str(bare)
        env = {
            "PATH": f"{wrapper.parent}:{CLEAN['PATH']}",
            "KILL_AT": str(at),
            "KILL_COUNTER": str(folder / "count"),
        }
        ran = command("promote", "--gitops", where, "--service", "app", "--to", "qa", env=env)
        if ran.status == 0:
            break
        killed += 1
        again = command("promote", "--gitops", where, "--service", "app", "--to", "qa")
        assert again.status == 0, (at, again.stderr)
        assert git(bare, "rev-list", "--count", "main") == "2", at
        assert git(bare, "diff", "--numstat", "main^", "main", "--", "helm") == f"1\t1\t{QA}", at
        assert len(git(bare, "ls-tree", "--name-only", "main", "audit-logs/").splitlines()) == 1, at
        if kind == "checkout":
            assert git(bare, "status", "--porcelain") == "", at
            assert "2026.02.17" in (bare / QA).read_text(), at
    else:
        pytest.fail("the promotion never ended by itself")
    assert killed > 5
