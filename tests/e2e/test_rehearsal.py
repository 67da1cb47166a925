"""The rehearsal, whole: on the sample, and on a copy of somebody's own repository."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.gitops import command, git, write

THEIRS = {
    "promotion.yaml": """\
version: 1
values: {path: "apps/{service}/{suffix}.yaml", image-tag: "images[].newTag"}
environments:
  dev: {trigger: auto}
  live: {trigger: pull-request, approvals: 1, soak: 10m, labels: [ship-it]}
""",
    ".github/CODEOWNERS": "* @acme/everybody\napps/*/live.yaml @acme/release-managers @zoe\n",
    "apps/pay/dev.yaml": 'images:\n  - name: ghcr.io/acme/pay\n    newTag: "2026.10.4"\n',
    "apps/pay/live.yaml": "images:\r\n  - {name: ghcr.io/acme/pay, newTag: '2026.10.2'}\r\n",
}


def test_the_sample(tmp_path: Path) -> None:
    """Every step does what it should, and the product's own pages and records are there."""
    ran = command("rehearse", "--keep", str(tmp_path / "world"), "--format", "json")
    assert ran.status == 0, ran.stderr
    out = json.loads(ran.stdout)
    assert out["passed"] is True
    assert "✘" not in ran.stderr
    for page in ("report", "dashboard"):
        assert Path(out[page]).read_text(encoding="utf-8").startswith("<!doctype html>")
    bare = tmp_path / "world" / "gitops.git"
    for suffix in ("develop", "qa", "staging", "prod"):
        assert out["version"] in git(bare, "show", f"main:helm/nexo-be/values-{suffix}.yaml")
    records = git(bare, "ls-tree", "--name-only", "main", "audit-logs/").splitlines()
    assert len(records) == 6
    for commit in git(bare, "log", "--format=%H", "main", "--", "helm").splitlines()[:-1]:
        changed = git(bare, "show", "--numstat", "--format=", commit, "--", "helm").splitlines()
        assert [line.split("\t")[:2] for line in changed] == [["1", "1"]], commit


def test_a_copy_of_a_user_s_repository(tmp_path: Path) -> None:
    """Their files and reviewers are shown, and nothing of theirs is touched."""
    theirs = tmp_path / "theirs"
    write(theirs, THEIRS)
    git(theirs, "init", "-q", "-b", "trunk")
    git(theirs, "add", "-A")
    git(theirs, "commit", "-q", "-m", "Start")
    before = (
        git(theirs, "rev-parse", "HEAD"),
        git(theirs, "for-each-ref"),
        git(theirs, "status", "--porcelain"),
    )
    ran = command("rehearse", "--gitops", str(theirs), "--keep", str(tmp_path / "world"))
    assert ran.status == 0, ran.stderr
    for words in ("apps/pay/live.yaml", "acme/release-managers", "release-managers-1 approves #1"):
        assert words in ran.stderr + ran.stdout
    after = (
        git(theirs, "rev-parse", "HEAD"),
        git(theirs, "for-each-ref"),
        git(theirs, "status", "--porcelain"),
    )
    assert after == before


def test_a_closed_environment_is_shown_and_the_rest_goes_on(tmp_path: Path) -> None:
    """A lock of theirs is what would happen, not a failure; one file for several services works too."""
    theirs = tmp_path / "theirs"
    images = "".join(f"- name: ghcr.io/acme/{name}\n  newTag: v1.2.3\n" for name in ("pay", "shop"))
    write(
        theirs,
        {
            "promotion.yaml": """\
version: 1
services: {pay: {image: ghcr.io/acme/pay}, shop: {image: ghcr.io/acme/shop}}
values: {path: "k/{suffix}/kustomization.yaml", image-tag: "images[].newTag"}
environments: {dev: {}, live: {lock: moving house}}
""",
            "k/dev/kustomization.yaml": f"images:\n{images}",
            "k/live/kustomization.yaml": f"images:\n{images}",
        },
    )
    git(theirs, "init", "-q", "-b", "main")
    git(theirs, "add", "-A")
    git(theirs, "commit", "-q", "-m", "Start")
    ran = command(
        "rehearse", "--gitops", str(theirs), "--service", "pay", "--keep", str(tmp_path / "world")
    )
    assert ran.status == 0, ran.stderr
    assert "live is closed now, by your configuration" in ran.stderr
    assert "live is locked: moving house" in ran.stderr
