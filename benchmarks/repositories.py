"""Repositories to measure on, made by ``git fast-import``: GitOps repositories, and ones with many tags."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

ENVIRONMENTS = ("develop", "qa", "staging", "prod")
LONG = (*ENVIRONMENTS[:3], "production")
SUFFIX = dict(zip(LONG, ENVIRONMENTS, strict=True))
NEW, OLD = "2026.02.17", "2026.02.15"
VERSIONS = {"develop": NEW, "qa": OLD, "staging": OLD, "prod": "2026.01.45"}
_QUIET = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

_VALUES = """\
# {service}, {environment}. Argo CD deploys whatever image.tag says.

image:
  repository: ghcr.io/nexo-org/{service}
  pullPolicy: IfNotPresent

  tag: "{tag}" # promoted
replicaCount: {replicas}

service:
  type: ClusterIP
  port: 8080

resources:
    requests: {{cpu: 100m, memory: 128Mi}}   # measured
    limits: {{cpu: "1", memory: 512Mi}}

ingress:
  enabled: true
  hosts:
  - host: {service}.{environment}.example.com
    paths: ["/"]

env:
  - name: LOG_LEVEL
    value: 'info'
  - name: GREETING
    value: "ação → produção"
"""


def values(service: str, environment: str, tag: str) -> str:
    """A values file as people write them: comments, blank lines, three styles of quotes, flow mappings."""
    replicas = 3 if environment == "prod" else 1
    return _VALUES.format(service=service, environment=environment, tag=tag, replicas=replicas)


def service(number: int) -> str:
    return f"service-{number:04}"


def make_gitops(folder: Path, services: int, more: Mapping[str, str] | None = None) -> Path:
    """A bare repository with ``services`` services in four environments; develop is ahead of the others.

    ``more`` are further files, by path.
    """
    files = (
        (f"helm/{name}/values-{each}.yaml", values(name, each, VERSIONS[each]))
        for name in map(service, range(services))
        for each in ENVIRONMENTS
    )
    init(folder)
    fast_import(folder, commit("refs/heads/main", "Start", chain(files, (more or {}).items())))
    _git(folder, "config", "uploadpack.allowFilter", "true")
    _git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    return folder


def make_tagged(folder: Path, tags: int, untagged: int = 0) -> Path:
    """A bare repository with a commit a tag: ``tags`` of them, 100 a month, the newest in 2026.02.

    After them come ``untagged`` commits without a version.
    """
    init(folder)
    fast_import(folder, _tagged(tags, untagged))
    _git(folder, "pack-refs", "--all")
    return folder


def newest(repository: Path, count: int) -> list[str]:
    """The ids of the newest ``count`` commits of main."""
    return git_output(repository, "rev-list", f"--max-count={count}", "main").split()


def _tagged(tags: int, untagged: int) -> Iterator[str]:
    yield from commit("refs/heads/main", "Start", [("README.md", "# app\n")])
    for number in range(tags):
        month = 2026 * 12 + 1 - (tags - 1 - number) // 100
        version = f"{month // 12}.{month % 12 + 1:02}.{number % 100 + 1}"
        yield from commit("refs/heads/main", "feat: x", [])
        yield f"reset refs/tags/{version}\nfrom refs/heads/main\n\n"
    for _ in range(untagged):
        yield from commit("refs/heads/main", "feat: y", [])


def copy(repository: Path, to: Path) -> Path:
    """A copy of the bare ``repository``, so that one contestant's work is not another's."""
    shutil.copytree(repository, to)
    return to


def tags_in_git(repository: Path, paths: Sequence[str]) -> list[str]:
    """The image tags that the files at ``paths`` of the bare ``repository`` name at the head of main."""
    asked = "".join(f"main:{path}\n" for path in paths)
    said = git_output(repository, "cat-file", "--batch", stdin=asked)
    tags = re.findall(r'^ +tag: *"?([^"\s#]+)', said, re.MULTILINE)
    if len(tags) != len(paths):
        raise RuntimeError(f"{len(tags)} tags in {len(paths)} files of {repository}")
    return tags


def git_output(repository: Path, *arguments: str, stdin: str = "") -> str:
    """What ``git ARGUMENTS`` prints in ``repository``, stripped."""
    command = ["git", "-C", str(repository), *arguments]
    done = subprocess.run(command, input=stdin, check=True, capture_output=True, text=True, env=_QUIET)
    return done.stdout.strip()


def init(folder: Path) -> None:
    """Make ``folder`` an empty bare repository."""
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main")


def _git(folder: Path, *arguments: str) -> None:
    git_output(folder, *arguments)


def commit(
    branch: str, message: str, files: Iterable[tuple[str, str]], moment: int = 1770000000
) -> Iterator[str]:
    """A commit for :func:`fast_import`, at ``moment`` (seconds since 1970)."""
    yield f"commit {branch}\ncommitter Bench <bench@example.com> {moment} +0000\n"
    yield f"data {len(message)}\n{message}\n"
    for path, content in files:
        yield f"M 100644 inline {path}\ndata {len(content.encode())}\n{content}\n"
    yield "\n"


def fast_import(folder: Path, stream: Iterable[str]) -> None:
    """Put what ``stream`` describes into the repository ``folder``."""
    process = subprocess.Popen(
        ["git", "-C", str(folder), "fast-import", "--quiet", "--done"], stdin=subprocess.PIPE, env=_QUIET
    )
    if process.stdin is None:
        raise RuntimeError("git has no input")
    with process.stdin as pipe:
        for text in stream:
            pipe.write(text.encode())
        pipe.write(b"done\n")
    if process.wait():
        raise RuntimeError(f"git fast-import failed in {folder}")
