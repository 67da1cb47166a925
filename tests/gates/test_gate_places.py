"""A mistake in the gates of promotion.yaml is found at its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from promote_actions.adapters.instruments import Instruments
from promote_actions.config.load import load
from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError, Location
from promote_actions.gates.build import OPTIONS, build
from promote_actions.gates.config import Wanted, plan
from promote_actions.gates.context import Context
from promote_actions.rehearsal.github import GitHubEmulator
from tests.support.gitops import command

KNOWN = dict(OPTIONS)
HEAD = "version: 1\nenvironments:\n  develop:\n  qa:\n    gates:\n      - check: argocd\n"
"""Six lines; what follows are more gates of qa."""


NOTHING = Wanted()


def made(gates: str, wanted: Wanted) -> None:
    """Plan and build the checks of develop, as the command does."""
    config = load((HEAD + gates).encode(), "promotion.yaml")
    develop, qa = config.environments
    instruments = Instruments(argocd_server="https://argocd.example.com")
    context = Context(config, instruments, "nexo-be", develop, qa, "2026.02.1")
    for spec in plan(config, qa, wanted, KNOWN):
        build(spec, context)


def refused(gates: str, wanted: Wanted = NOTHING) -> InputError:
    with pytest.raises(InputError) as caught:
        made(gates, wanted)
    return caught.value


WEB = "      - check: http\n        base-url: https://x.example.com\n"
MISTAKES = {
    "an unknown check": ("      - check: htpp\n", 7, 16, "there is no check 'htpp'"),
    "no check at all": ("      - name: smoke\n", 7, 9, "there is no check 'None'"),
    "an unknown option": (WEB + "        pahts: [/a]\n", 9, 9, "no option 'pahts' (gates of qa); did you"),
    "underscores": (WEB + "        failure_limit: many\n", 9, 24, "option 'failure-limit' of check 'http'"),
    "a time": (WEB + "        interval: soon\n", 9, 19, "'soon' (gates of qa); give a length of time"),
    "a status": (WEB + "        status: 2xx\n", 9, 17, "option 'status' of check 'http' is '2xx'"),
    "a JSON path": (WEB + "        json: a..b=c\n", 9, 15, "has the JSON path 'a..b'"),
    "a header": (WEB + "        headers: nonsense\n", 9, 18, "no 'Name: value'"),
    "an expected version's path": (WEB + "        expect-version: a[\n", 9, 25, "has the JSON path 'a['"),
    "an address": (
        "      - {check: http, base-url: ftp://x}\n",
        7,
        33,
        "'ftp://x/health', which is no addr",
    ),
    "an absolute path": (
        WEB + "        paths: ['ftp://x']\n",
        9,
        16,
        "asks 'ftp://x', which is no address",
    ),
    "no address": ("      - check: http\n", 7, 9, "check 'http' has no address"),
    "a threshold": (
        "      - {check: prometheus, url: 'http://x', threshold: low}\n",
        7,
        57,
        "the threshold of check 'prometheus' is 'low'",
    ),
    "a choice": (
        "      - {check: canary, paused: no}\n",
        7,
        33,
        "option 'paused' of check 'canary' is 'no'",
    ),
    "no comparison": (
        "      - {check: prometheus, url: 'http://x', compare: source}\n",
        7,
        55,
        "no source environment",
    ),
    "a severity": (
        "      - {check: file, file: a.sarif, severity: bad}\n",
        7,
        48,
        "option 'severity' of check 'file' is 'bad'",
    ),
    "a limit of a load test": (
        "      - {check: load, file: k6.json, p95: fast}\n",
        7,
        43,
        "the threshold of check 'load'",
    ),
    "what may be allowed": (
        "      - {check: github, repository: o/r, names: a, allow: failure}\n",
        7,
        59,
        "option 'allow' of check 'github' is 'failure'",
    ),
    "no name of a check run": ("      - {check: github, repository: o/r}\n", 7, 9, "names no check runs"),
}


@pytest.mark.parametrize(("gates", "line", "column", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_found_where_it_stands(gates: str, line: int, column: int, words: str) -> None:
    """At the option's name or value; at the gate where an option is missing."""
    error = refused(gates)
    assert (error.where, words in str(error)) == (Location("promotion.yaml", line, column), True), error


def test_options_that_the_command_line_gives_are_not_the_files_mistakes() -> None:
    """A check named there keeps what the file says of it, and where that stands."""
    gates = WEB + "        status: 2xx\n"
    assert refused(gates, Wanted(checks=("http",))).where == Location("promotion.yaml", 9, 17)
    assert refused(gates, Wanted(checks=("http:status=nonsense",))).where is None
    assert refused(gates, Wanted(checks=("http:method=1",))).where is None
    made(gates, Wanted(checks=("http:status=204",)))


def test_a_check_that_is_no_text_is_refused_beside_configured_ones() -> None:
    """In JSON it may be anything."""
    for text in ('{"check": ["argocd"]}', '{"check": ""}', '{"check": null}'):
        assert "there is no check" in str(refused(WEB, Wanted(checks=(text,))))


def test_gates_without_places_name_their_environment() -> None:
    """A configuration that was not read from a file."""
    gates = load(f"{HEAD}      - check: htpp\n".encode(), "x.yaml").environments[1].gates
    bare = Environment("qa", gates=gates)
    with pytest.raises(InputError) as caught:
        plan(Config(source="x.yaml"), bare, Wanted(), KNOWN)
    assert caught.value.where is None
    assert "there is no check 'htpp' (gates of qa in x.yaml)" in str(caught.value)


@pytest.mark.parametrize("where", ["a local file", "the repository"])
def test_the_command_exits_with_2_and_names_the_place(tmp_path: Path, where: str) -> None:
    """Also as the runner's annotation, so that the mistake shows in the file's diff."""
    text = HEAD + WEB + "        interval: soon\n"
    arguments = ["health-gate", "--environment", "develop", "--service", "nexo-be"]
    env = {"GITHUB_ACTIONS": "true", "ARGOCD_SERVER": "https://argocd.example.com"}
    if where == "a local file":
        (tmp_path / "promotion.yaml").write_text(text)
        ran = command(*arguments, "--config", "./promotion.yaml", env=env, cwd=tmp_path)
        assert "file=./promotion.yaml,line=9,col=19::" in ran.stdout
    else:
        with GitHubEmulator(tmp_path) as github:
            github.add_user("ana", "ana-token")
            github.add_repository("nexo-org/gitops")
            values = "image:\n  tag: 2026.02.1\n"
            files = {"promotion.yaml": text, "helm/nexo-be/values-develop.yaml": values}
            github.commit("nexo-org/gitops", files)
            env |= {"GITHUB_API_URL": github.url, "GITHUB_TOKEN": "ana-token"}
            ran = command(*arguments, "--gitops", "nexo-org/gitops", env=env)
        assert "file=promotion.yaml,line=9,col=19::" in ran.stdout
    assert ran.status == 2
    assert sum(line.startswith("::error") for line in ran.stdout.splitlines()) == 1
