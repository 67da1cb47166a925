"""``init``: what it writes works as it stands, and nothing that is there is replaced unseen."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from promote_actions.config.load import load
from promote_actions.setup.init.examples import KINDS
from tests.support.gitops import CLEAN, Ran, command

ROOT = Path(__file__).parents[2]
ACME = (
    *("--gitops", "acme/deploy", "--service", "pay,shop", "--registry", "registry.acme.dev/apps"),
    *("--base-url", "https://{service}.{environment}.acme.dev", "--sre-team", "@acme/reliability"),
    *("--platform-team", "builders", "--leads-team", "heads"),
)


def init(folder: Path, *words: str) -> Ran:
    return command("init", str(folder), *ACME, *words)


def texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_has_the_teams_names(tmp_path: Path, kind: str) -> None:
    """Every name of the examples is gone, and every file is still what it was: YAML, JSON, CODEOWNERS."""
    ran = init(tmp_path, "--kind", kind)
    assert ran.status == 0, ran.stderr
    found = texts(tmp_path)
    assert set(found) == set(texts(ROOT / "workflows-examples" / kind))
    for path, text in found.items():
        rest = text.replace("nexo-org/promote-actions", "")
        assert not [name for name in ("nexo-org", "nexo-gitops", "example.com", "\0") if name in rest], path
        if path.endswith((".yml", ".yaml")):
            assert YAML(typ="safe", pure=True).load(text)
    workflows = [str(tmp_path / path) for path in found if ".github/workflows" in path]
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    subprocess.run([*checker, *workflows], check=True, capture_output=True)


def test_a_gitops_repository(tmp_path: Path) -> None:
    """Services, images and teams stand where the commands look for them."""
    assert init(tmp_path).status == 0
    config = load((tmp_path / "promotion.yaml").read_bytes(), "promotion.yaml")
    assert list(config.services) == ["pay", "shop"]
    assert config.service("shop").image == "registry.acme.dev/apps/shop"
    assert config.service("shop").repository == "acme/shop"
    owners = ["owners", "--codeowners", str(tmp_path / ".github/CODEOWNERS"), "--lint", "--format", "json"]
    ran = command(*owners, "helm/pay/values-prod.yaml", "helm/pay/values-staging.yaml")
    assert ran.status == 0, ran.stderr
    assert list(json.loads(ran.stdout)["owners"].values()) == [
        ["@acme/reliability", "@acme/heads"],
        ["@acme/builders"],
    ]
    schedule = (tmp_path / ".github/workflows/auto-promote-on-schedule.yml").read_text(encoding="utf-8")
    assert 'service: ["pay", "shop"]' in schedule
    assert "base-url: https://{service}.{environment}.acme.dev" in schedule
    assert os.access(tmp_path / "protect-main.sh", os.X_OK)


def test_a_pinned_copy_of_the_actions(tmp_path: Path) -> None:
    """A company's own copy of the actions is used, at a commit of its choice."""
    commit = "8b842d3c1f0e4b5aa6d7c8e9f00112233445566a"
    assert init(tmp_path, "--suite", "acme/promote", "--ref", commit).status == 0
    used = [
        line.split("uses: ")[1]
        for text in texts(tmp_path).values()
        for line in text.splitlines()
        if "uses: acme" in line
    ]
    assert used
    assert {line.rpartition("@")[2] for line in used} == {commit}
    assert {line.split("/")[1] for line in used} == {"promote"}


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    """Asked again, it says that all is there."""
    init(tmp_path)
    before = texts(tmp_path)
    ran = init(tmp_path, "--format", "json")
    assert json.loads(ran.stdout) == {"written": [], "kept": []}
    assert texts(tmp_path) == before


def test_what_is_there_is_shown_and_kept(tmp_path: Path) -> None:
    """A file of the team's own stays; the difference is shown; with --force the example replaces it."""
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/CODEOWNERS").write_text("* @acme/everybody\n")
    ran = init(tmp_path)
    assert ran.status == 0
    assert "kept: .github/CODEOWNERS" in ran.stdout
    assert "    -* @acme/everybody" in ran.stdout
    assert (tmp_path / ".github/CODEOWNERS").read_text() == "* @acme/everybody\n"
    assert (tmp_path / "promotion.yaml").exists()
    ran = init(tmp_path, "--force")
    assert "replaced: .github/CODEOWNERS" in ran.stdout
    assert "@acme/reliability" in (tmp_path / ".github/CODEOWNERS").read_text()


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    """It says what would be written."""
    ran = init(tmp_path, "--dry-run")
    assert "would be written: promotion.yaml" in ran.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--gitops", "nothing"], "input 'gitops' is 'nothing'"),
        (["--gitops", ""], "input 'gitops' is ''"),
        (["--service", "a b"], "input 'service' is 'a b'"),
        (["--service", "x: {y}"], "input 'service' is 'x: {y}'"),
        (["--registry", "ghcr.io/a\nb"], "input 'registry' is 'ghcr.io/a\\nb'"),
        (["--base-url", "javascript:alert(1)"], "input 'base-url'"),
        (["--base-url", 'https://a"b'], "input 'base-url'"),
        (["--sre-team", "@a b"], "input 'sre-team'"),
        (["--suite", "../evil"], "input 'suite'"),
        (["--ref", "main; rm"], "input 'ref'"),
        (["--kind", "other"], "input 'kind' is 'other'"),
    ],
)
def test_a_name_that_is_none_is_refused(tmp_path: Path, words: list[str], said: str) -> None:
    """One line that names the input, and nothing is written."""
    ran = init(tmp_path, *words)
    assert (ran.status, said in ran.error) == (2, True), ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """What is written stays in the repository."""
    outside = tmp_path / "outside"
    outside.mkdir()
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / ".github").symlink_to(outside)
    ran = init(inside, "--force")
    assert ran.status == 2
    assert "is a symbolic link" in ran.error
    assert list(outside.iterdir()) == []


def test_what_is_no_text_is_in_the_way(tmp_path: Path) -> None:
    """A folder or a binary file with an example's name is reported, not replaced."""
    (tmp_path / "promotion.yaml").write_bytes(b"\xff\xfe")
    assert "it is not UTF-8 text" in init(tmp_path, "--force").error
    assert command("init", str(tmp_path / "nowhere"), *ACME).status == 2


def test_on_a_terminal_it_asks(tmp_path: Path) -> None:
    """Enter takes what is shown; anything else is the answer."""
    main, other = pty.openpty()
    words = [sys.executable, "-m", "promote_actions", "init", str(tmp_path), "--service", "pay"]
    process = subprocess.Popen(
        words, env=CLEAN, stdin=other, stderr=other, stdout=subprocess.PIPE, text=True
    )
    os.close(other)
    for answer in ("acme/deploy", "", "", "", "", "builders", ""):
        os.write(main, answer.encode() + b"\n")
    out, _ = process.communicate(timeout=60)
    os.close(main)
    assert process.returncode == 0, out
    text = (tmp_path / ".github/CODEOWNERS").read_text(encoding="utf-8")
    assert "@acme/sre" in text
    assert "@acme/builders" in text
    assert list(load((tmp_path / "promotion.yaml").read_bytes(), "x").services) == ["pay"]


def test_the_package_holds_the_examples(tmp_path: Path) -> None:
    """Installed from PyPI, `init` has what it writes."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "promote_actions/setup/examples/gitops-repo/promotion.yaml" in names
