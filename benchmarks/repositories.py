"""Repositories to measure on, made by ``git fast-import``: GitOps repositories, and ones with many tags."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

ENVIRONMENTS = ("develop", "qa", "staging", "prod")
NEW, OLD = "2026.02.17", "2026.02.15"
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


def make_gitops(folder: Path, services: int) -> Path:
    """A bare repository with ``services`` services in four environments; develop is ahead of the others."""
    files = (
        (f"helm/{name}/values-{each}.yaml", values(name, each, NEW if each == "develop" else OLD))
        for name in map(service, range(services))
        for each in ENVIRONMENTS
    )
    _init(folder)
    _import(folder, _commit("refs/heads/main", "Start", files))
    _git(folder, "config", "uploadpack.allowFilter", "true")
    _git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    return folder


def make_tagged(folder: Path, tags: int) -> Path:
    """A bare repository with a commit a tag: ``tags`` of them, 100 a month, the newest in 2026.02."""
    _init(folder)
    _import(folder, _tagged(tags))
    _git(folder, "pack-refs", "--all")
    return folder


def _tagged(tags: int) -> Iterator[str]:
    yield from _commit("refs/heads/main", "Start", [("README.md", "# app\n")])
    for number in range(tags):
        month = 2026 * 12 + 1 - (tags - 1 - number) // 100
        version = f"{month // 12}.{month % 12 + 1:02}.{number % 100 + 1}"
        yield from _commit("refs/heads/main", "feat: x", [])
        yield f"reset refs/tags/{version}\nfrom refs/heads/main\n\n"


def copy(repository: Path, to: Path) -> Path:
    """A copy of the bare ``repository``, so that one contestant's work is not another's."""
    shutil.copytree(repository, to)
    return to


def tag_in_git(repository: Path, path: str) -> str:
    """The image tag that the file ``path`` of the bare ``repository`` names at the head of main."""
    content = git_output(repository, "show", f"main:{path}")
    line = next(each for each in content.splitlines() if each.strip().startswith("tag:"))
    return line.split('"')[1] if '"' in line else line.split()[1]


def git_output(repository: Path, *arguments: str) -> str:
    """What ``git ARGUMENTS`` prints in ``repository``, stripped."""
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], check=True, capture_output=True, text=True, env=_QUIET
    )
    return done.stdout.strip()


def _init(folder: Path) -> None:
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main")


def _git(folder: Path, *arguments: str) -> None:
    git_output(folder, *arguments)


def _commit(branch: str, message: str, files: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"commit {branch}\ncommitter Bench <bench@example.com> 1770000000 +0000\ndata {len(message)}\n{message}\n"
    for path, content in files:
        yield f"M 100644 inline {path}\ndata {len(content.encode())}\n{content}\n"
    yield "\n"


def _import(folder: Path, stream: Iterable[str]) -> None:
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
