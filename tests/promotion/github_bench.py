"""A GitHub with a GitOps repository as the strategy has it, and commands run against it in this process."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promote_actions.invoke import invoke
from promote_actions.rehearsal.github import GitHubEmulator
from promote_actions.rehearsal.github.state import Pull
from promote_actions.rehearsal.github.store import Store
from promote_actions.runner import Runner
from tests.support.gitops import CLEAN, git, standard_files

GITOPS = "nexo-org/nexo-gitops"
SOURCE = "nexo-org/nexo-be"
BOT = "promoter[bot]"
CODEOWNERS = """\
helm/*/values-prod.yaml @nexo-org/sre @ana
helm/*/values-staging.yaml @nexo-org/platform
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    outputs: dict[str, Any] = field(default_factory=dict)
    stdout: str = ""
    stderr: str = ""

    @property
    def error(self) -> str:
        """The one line in which it failed."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("error:")]
        assert len(lines) == 1, self.stderr
        return lines[0]

    @property
    def warnings(self) -> list[str]:
        return [line for line in self.stderr.splitlines() if line.startswith("warning:")]


class GitHubBench:
    """Start it with ``with``. ``services`` have the strategy's values files; ``files`` come on top."""

    def __init__(
        self,
        folder: Path,
        services: Iterable[str] = ("nexo-be",),
        files: Mapping[str, str | None] | None = None,
        *,
        bare: Path | None = None,
    ) -> None:
        self.github = GitHubEmulator(folder, hang=5)
        self.github.world.rate.remaining = 10**6
        for login in ("ana", "ben", "cid"):
            self.github.add_user(login)
        self.github.add_user(BOT, "bot-token", bot=True)
        self.github.add_team("nexo-org", "sre", ["ana", "ben"])
        self.github.add_team("nexo-org", "platform", ["cid"])
        self.github.add_repository(GITOPS, bare)
        if bare is None:
            start = {**standard_files(list(services)), ".github/CODEOWNERS": CODEOWNERS}
            self.github.commit(GITOPS, {**start, **(files or {})}, "Start", login="ana")

    def __enter__(self) -> GitHubBench:
        self.github.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.github.stop()

    # -- commands ----------------------------------------------------------------------------

    def run(self, command: str, *flags: str, env: Mapping[str, str] | None = None, **inputs: str) -> Ended:
        """Run ``command`` on the GitOps repository; ``flags`` are inputs that are true."""
        given: dict[str, str] = {"gitops": GITOPS, "token": "bot-token", "format": "json"}
        given |= {name.rstrip("_").replace("_", "-"): value for name, value in inputs.items()}
        given |= dict.fromkeys(flags, "true")
        surroundings = {
            "GITHUB_API_URL": self.github.url,
            "GITHUB_ACTOR": "ana",
            "PROMOTE_ACTIONS_API_PAUSE": "0.01",
            "PATH": CLEAN["PATH"],
            **(env or {}),
        }
        runner = Runner(env=surroundings, stdout=io.StringIO(), stderr=io.StringIO())
        status = invoke(command, given, runner)
        said = runner.stdout.getvalue()  # type: ignore[attr-defined]
        errors = runner.stderr.getvalue()  # type: ignore[attr-defined]
        assert "Traceback" not in errors
        assert "bot-token" not in said + errors
        shown = json.loads(said) if given["format"] == "json" and said else {}
        return Ended(status, shown, said, errors)

    def promote(self, *flags: str, **inputs: str) -> dict[str, Any]:
        """The outputs of a promotion that must go well."""
        ended = self.run("promote", *flags, **inputs)
        assert ended.status == 0, ended.stderr
        return ended.outputs

    # -- what is there -----------------------------------------------------------------------

    def pull(self, number: int) -> Pull:
        return self.github.repository(GITOPS).pulls[number]

    @property
    def open_pulls(self) -> list[int]:
        """The numbers of the open pull requests."""
        return [pull.number for pull in self.github.repository(GITOPS).open_pulls()]

    @property
    def store(self) -> Store:
        """The GitOps repository's objects and refs."""
        return self.github.repository(GITOPS).store

    @property
    def bare(self) -> Path:
        return self.store.path

    def git(self, *arguments: str) -> str:
        """What git itself says in the GitOps repository."""
        return git(self.bare, *arguments)

    def show(self, path: str, at: str = "main") -> str:
        return self.git("show", f"{at}:{path}")

    def branches(self) -> list[str]:
        return self.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()

    def commit(self, files: Mapping[str, str | None], message: str = "Change", branch: str = "") -> str:
        """Somebody pushes ``files``."""
        return self.github.commit(GITOPS, files, message, branch=branch, login="ana")

    def ask(self, method: str, path: str, login: str, **body: Any) -> Any:
        """What a person does by hand, through the API; returns the answer."""
        import requests

        token = self.github.world.users[login.lower()].token
        answer = requests.request(
            method,
            f"{self.github.url}/repos/{GITOPS}/{path}",
            headers={"Authorization": f"Bearer {token}"},
            json=body or None,
            timeout=20,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def approve(self, number: int, login: str) -> None:
        self.ask("POST", f"pulls/{number}/reviews", login, event="APPROVE")

    def merge(self, number: int) -> str:
        return str(self.ask("PUT", f"pulls/{number}/merge", "cid", merge_method="squash")["sha"])

    @property
    def asked(self) -> list[str]:
        """Every request so far, as ``METHOD template``."""
        return [f"{each.method} {each.template}" for each in self.github.exchanges]

    # -- the service's own repository --------------------------------------------------------

    def add_source(self, history: Iterable[tuple[str, str]], name: str = SOURCE) -> list[str]:
        """A service's repository with a commit for each ``(message, tag)``; a tag may be empty."""
        self.github.add_repository(name)
        made = []
        for number, (message, tag) in enumerate(history):
            sha = self.github.commit(name, {"number": str(number)}, message, login="ben")
            if tag:
                git(self.github.repository(name).store.path, "tag", tag, sha)
            made.append(sha)
        return made


def fast_import(folder: Path, files: Mapping[str, str]) -> Path:
    """A bare repository with one commit of ``files`` on main, made quickly however many there are."""
    bare = folder / "large.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True, env=CLEAN)
    parts = [b"commit refs/heads/main\ncommitter Test <test@example.com> 1770000000 +0000\ndata 5\nStart\n"]
    for path, content in files.items():
        data = content.encode()
        parts.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
    subprocess.run(
        ["git", "-C", str(bare), "fast-import", "--quiet"], input=b"".join(parts), check=True, env=CLEAN
    )
    return bare
