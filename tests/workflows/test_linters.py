"""Every workflow and action under the linters that people trust; what is missing here skips by name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.actions.step_runner import ROOT

WORKFLOWS = sorted(
    [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("workflows-examples/*/.github/workflows/*.yml")]
)
ACTIONS = sorted([ROOT / "action.yml", *ROOT.glob("*/action.yml"), *ROOT.glob("actions/*/action.yml")])
PARSER = Path(__file__).with_name("parse_workflows.mjs")
PACKAGES = ("@actions/workflow-parser@0.3.61", "esbuild@0.25.0")

IGNORED_BY_ACTIONLINT = (
    # Both are newer than actionlint 1.7.12: GitHub's form for "this repository at this commit", and the key
    # that keeps every waiting run.
    r"specifying action \"\$/",
    r"unexpected key \"queue\" for \"concurrency\"",
)


def run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=240, check=False)


def test_zizmor_finds_nothing() -> None:
    """Pedantic, offline; .github/zizmor.yml explains what it sets, and nothing is ignored in place."""
    zizmor = Path(sys.executable).with_name("zizmor")
    done = run([zizmor, "--offline", "--pedantic", "--no-progress", "--quiet", *ACTIONS, *WORKFLOWS])
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [path for path in (*ACTIONS, *WORKFLOWS) if "zizmor:" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize(
    ("schema", "paths"), [("github-workflows", WORKFLOWS), ("github-actions", ACTIONS)]
)
def test_the_schemas_hold(schema: str, paths: list[Path]) -> None:
    """GitHub's shapes, as the schema store describes them."""
    done = run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *paths])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def parser() -> Path:
    """GitHub's own workflow parser in one file that Node can start, made once in build/."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not here, so GitHub's own parser read no workflow")
    folder = ROOT / "build" / "workflow-parser"
    bundle = folder / f"{'+'.join(PACKAGES).replace('/', '_')}.mjs"
    if bundle.exists():
        return bundle
    work = folder / f"work-{os.getpid()}"
    work.mkdir(parents=True, exist_ok=True)
    done = run([npm, "install", "--prefix", work, "--ignore-scripts", "--no-audit", "--no-fund", *PACKAGES])
    if done.returncode:
        pytest.skip(f"npm can't install GitHub's workflow parser here: {done.stderr.strip()[-200:]}")
    shutil.copy(PARSER, work)
    banner = "import{createRequire}from'module';const require=createRequire(import.meta.url);"
    made = work / "bundle.mjs"
    done = run(
        [
            *(node, work / "node_modules/esbuild/bin/esbuild", work / PARSER.name, "--bundle"),
            *("--platform=node", "--format=esm", f"--banner:js={banner}", f"--outfile={made}"),
        ]
    )
    assert done.returncode == 0, done.stderr
    made.replace(bundle)
    shutil.rmtree(work)
    return bundle


def parse(parser: Path, *paths: Path) -> dict[str, list[str]]:
    done = run([shutil.which("node") or "node", parser, *paths])
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_githubs_own_parser_reads_them(parser: Path) -> None:
    """The parser that GitHub wrote has nothing to say about any of them."""
    found = parse(parser, *WORKFLOWS)
    assert {Path(path).name: errors for path, errors in found.items() if errors} == {}
    assert len(found) == len(WORKFLOWS)


def test_githubs_own_parser_would_say_so(parser: Path, tmp_path: Path) -> None:
    """A misspelt key is found, so that silence means something."""
    (tmp_path / "x.yml").write_text(
        "on: push\njobs: {a: {runs-onn: ubuntu-latest, steps: [{run: 'true'}]}}\n"
    )
    (errors,) = parse(parser, tmp_path / "x.yml").values()
    assert [error for error in errors if "runs-onn" in error]


def test_actionlint_finds_nothing() -> None:
    """Where actionlint is installed; each thing that it doesn't know yet is named above."""
    actionlint = shutil.which("actionlint")
    if not actionlint:
        pytest.skip("actionlint is not installed here, so it read no workflow")
    ignored = [word for pattern in IGNORED_BY_ACTIONLINT for word in ("-ignore", pattern)]
    done = run([actionlint, "-no-color", *ignored, *WORKFLOWS])
    assert done.returncode == 0, done.stdout + done.stderr
