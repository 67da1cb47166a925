"""docker-tags as a process: nothing installed, options and variables alike, exit statuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_files import parse_key_values
from tests.images.builds import environment

ROOT = Path(__file__).resolve().parents[2]

BARE = """
import sys

class Nobody:
    installed = set(sys.stdlib_module_names) | {"promote_actions"}

    def find_spec(self, name, path=None, target=None):
        root = name.split(".")[0]
        if root not in self.installed and not root.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(name)
        return None

def no_network(event, arguments):
    if event.startswith(("socket.", "urllib.")):
        raise RuntimeError(event)

sys.meta_path.insert(0, Nobody())
sys.addaudithook(no_network)
sys.path[:] = [entry for entry in sys.path if "site-packages" not in entry]
sys.path.insert(0, sys.argv.pop(1))
from promote_actions.__main__ import run
status = run(sys.argv[1:])
heavy = {"click", "requests", "github", "zoneinfo", "subprocess", "urllib.request", "csv"}
print("loaded:", *sorted(heavy & set(sys.modules)), file=sys.stderr)
sys.exit(status)
"""


def start(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The command in an interpreter without site-packages, without network, and with ``env`` alone."""
    command = [sys.executable, "-I", "-S", "-B", "-c", BARE, str(ROOT / "src"), *arguments]
    return subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_nothing_needs_to_be_installed(tmp_path: Path) -> None:
    """As an action, in an isolated interpreter: outputs and bake files, and no heavy module loaded."""
    env = environment("push main", version="2026.02.1", images="ghcr.io/nexo-org/nexo-be", dry_run="false")
    env |= {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "out"), "RUNNER_TEMP": str(tmp_path)}
    done = start("action", "docker-tags", env=env)
    assert (done.returncode, done.stderr) == (0, "loaded:\n")
    written = parse_key_values((tmp_path / "out").read_text(encoding="utf-8"))
    assert written["version"] == "2026.02.1"
    assert json.loads(Path(written["bake-file"]).read_text(encoding="utf-8"))
    assert "ghcr.io/nexo-org/nexo-be:2026.02.1-5f3c1a2" in done.stdout


def test_every_kind_of_rule_runs_on_the_standard_library() -> None:
    """Dates with zones, versions, patterns and labels need nothing else either."""
    rules = (
        "type=semver,pattern={{version}}\ntype=pep440,pattern={{major}}\ntype=match,pattern=v(.*),group=1\n"
        "{{date 'YYYY' tz='Asia/Tokyo'}}-{{commit_date 'MM'}}"
    )
    done = start("action", "docker-tags", env=environment("push tag", tags=rules))
    assert done.returncode == 0, done.stderr
    assert "2020-01" in done.stdout


def test_options_and_variables_mean_the_same() -> None:
    """Options, INPUT_ variables in our spelling and in the runner's own for Docker actions."""
    given = {
        "images": "a/b\nname=c/d,enable=true",
        "tags": "type=calver\ntype=raw,value=x-{{sha}}",
        "version": "2026.02.1",
        "environment": "qa,staging",
        "flavor": "suffix=-alpine\nlatest=true",
        "labels": "a=b, c\nd=e",
        "annotations": "f=g",
        "annotations-levels": "index",
        "sep-tags": ", ",
        "bake-target": "meta",
        "short-sha-length": "9",
        "date": "2020-01-10",
    }
    base = {key: value for key, value in environment("push main").items() if key.startswith("GITHUB_")}
    options = [word for name, value in given.items() for word in (f"--{name}", value)]
    common = ("--format", "json", "--dry-run")
    by_option = start("docker-tags", *options, *common, env=base)
    ours = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}
    docker = {f"INPUT_{name.upper()}": value for name, value in given.items()}
    by_variable = start("docker-tags", *common, env=base | ours)
    by_docker = start("docker-tags", *common, env=base | docker)
    assert by_option.returncode == 0, by_option.stderr
    assert json.loads(by_option.stdout) == json.loads(by_variable.stdout) == json.loads(by_docker.stdout)
    assert json.loads(by_option.stdout)["tag-names"] == ", ".join(
        ["2026.02.1-alpine", "qa-alpine", "staging-alpine", "x-5f3c1a2b9-alpine", "latest"]
    )


def test_lists_are_given_by_repetition_too() -> None:
    """Each `--tags` is a line; commas belong to it."""
    env = {key: value for key, value in environment("push main").items() if key.startswith("GITHUB_")}
    options = ["--tags", "type=raw,value=a", "--tags", "type=raw,value=b", "--images", "x/y", "--dry-run"]
    done = start("docker-tags", *options, "--format", "json", env=env)
    assert json.loads(done.stdout)["tags"] == "x/y:a\nx/y:b"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tags", "type=nope"], "there is no type 'nope'"),
        (["--tags", "x={{nope}}"], "needs value="),
        (["--tags", "{{nope}}"], "there is no expression '{{nope}}'"),
        (["--images", "a b"], "malformed part 'a b'"),
        (["--context", "cloud"], "one of workflow, git"),
        (["--short-sha-length", "0"], "at least 1"),
        (["--pr-sha", "base"], "one of head, merge"),
        (["--nope"], "there is no option '--nope'"),
    ],
)
def test_a_bad_input_is_one_line_and_status_2(options: list[str], words: str) -> None:
    """What is wrong and what to do, on one line, and the exit status of a bad input."""
    env = {key: value for key, value in environment("push main").items() if key.startswith("GITHUB_")}
    done = start("docker-tags", *options, env=env)
    line, _, loaded = done.stderr.partition("\n")
    assert done.returncode == 2
    assert line.startswith("error: ")
    assert words in line
    assert loaded.startswith("loaded:")
    assert done.stdout == ""


def test_an_error_on_a_runner_is_an_annotation() -> None:
    """A branch name in an error can't be a command to the runner."""
    env = environment(
        "push branch", "refs/heads/" + "::set-output name=x::y" * 9, tags="x{{nope}}{{branch}}"
    )
    done = start("action", "docker-tags", env=env | {"GITHUB_ACTIONS": "true"})
    assert done.returncode == 2
    assert [line.split(" ")[0] for line in done.stdout.splitlines()] == ["::error"]


def test_the_event_comes_from_the_runners_file(tmp_path: Path) -> None:
    """A malformed event ends the process with status 2 and one line."""
    path = tmp_path / "event.json"
    path.write_text("[1, 2", encoding="utf-8")
    done = start("action", "docker-tags", env=environment("push main") | {"GITHUB_EVENT_PATH": str(path)})
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: the event's file {path} is no JSON")
