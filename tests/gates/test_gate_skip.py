"""`health-gate --skip`: a check that waits elsewhere is left out, and never all of them."""

from __future__ import annotations

from pathlib import Path

from tests.support.gitops import command, make_bare, standard_files


def explain(bare: Path, *more: str) -> str:
    ran = command(
        "health-gate",
        *("--gitops", str(bare), "--service", "app", "--environment", "staging", "--explain"),
        *("--base-url", "http://127.0.0.1:9", *more),
    )
    assert ran.status == 0, ran.stderr
    return ran.stdout


def test_a_soak_can_be_left_to_the_pull_requests_status(tmp_path: Path) -> None:
    """Production asks for a soak; with `skip` the gate judges the rest of it now."""
    bare = make_bare(tmp_path, standard_files(["app"]))
    assert "live and healthy for" in explain(bare)
    assert "live and healthy for" not in explain(bare, "--skip", "soak,approvals")
    assert "/health" in explain(bare, "--skip", "soak")


def test_skipping_everything_is_refused(tmp_path: Path) -> None:
    """A gate that measures nothing has not passed."""
    bare = make_bare(tmp_path, standard_files(["app"]))
    where = ("--gitops", str(bare), "--service", "app", "--environment", "staging")
    ran = command("health-gate", *where, "--check", "soak", "--skip", "soak")
    assert (ran.status, "no check besides soak" in ran.error) == (2, True)
    ran = command("health-gate", *where, "--check", "soak", "--skip", "sok")
    assert (ran.status, "input 'skip' is 'sok'" in ran.error) == (2, True)
