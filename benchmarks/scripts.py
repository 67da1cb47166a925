"""What people use today, as shell scripts: the strategy's own steps, nothing left out or added."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.harness import Run
from benchmarks.rivals import Yq

_PROMOTE = """\
set -eu
repository=$1 service=$2 folder=$3
git clone --quiet $CLONE "$repository" "$folder" 2>/dev/null
cd "$folder"
version=$($READ '.image.tag' "helm/$service/values-develop.yaml")
$EDIT ".image.tag = \\"$version\\"" "helm/$service/values-qa.yaml"
git config user.name "GitHub Actions"
git config user.email "actions@github.com"
git add "helm/$service/values-qa.yaml"
git commit --quiet -m "auto-promote($service): qa → $version

Auto-promoted from develop after health checks passed"
git push --quiet origin main
"""

_SPARSE = """\
set -eu
repository=$1 service=$2 folder=$3
git clone --quiet --depth 1 --filter=blob:none --sparse "$repository" "$folder" 2>/dev/null
cd "$folder"
git sparse-checkout set "helm/$service" 2>/dev/null
"""

_TAG = """\
set -eu
cd "$1"
git fetch --quiet --tags origin
last=$(git tag --list '2026.02.*' --sort=-version:refname | head -n 1)
next=2026.02.$(( ${last##*.} + 1 ))
git tag "$next" "$2"
git push --quiet origin "refs/tags/$next" || { git tag -d "$next" >/dev/null; exit 1; }
echo "$next"
"""

_MATRIX = """\
set -eu
git clone --quiet --depth 1 "$1" "$2"
cd "$2"
for service in helm/*; do
    for environment in develop qa staging prod; do
        echo "$service $environment $($READ '.image.tag' "$service/values-$environment.yaml")"
    done
done > ../matrix.txt
"""


class Scripts:
    """The scripts, written into ``folder``, with the yq that there is."""

    def __init__(self, folder: Path, yq: Yq) -> None:
        self.folder = folder
        self.env = {
            "READ": " ".join(yq.read("", "")[:-2]),
            "EDIT": " ".join(yq.edit("", "")[:-2]),
            "CLONE": "--depth 1",
        }
        self._made = 0

    def promote(self, repository: str, service: str) -> Run:
        """The strategy's promotion from develop to qa, in a clone as a workflow's checkout makes it."""
        return self._run("promote.sh", _PROMOTE, repository, service, self._new())

    def promote_sparse(self, repository: str, service: str) -> Run:
        """The same by somebody who knows git well: no contents but that service's."""
        text = _SPARSE + _PROMOTE.partition('cd "$folder"\n')[2]
        return self._run("promote-sparse.sh", text, repository, service, self._new())

    def matrix(self, repository: str) -> Run:
        """The strategy's ``version-diff.sh`` for every service: one yq for each file."""
        run = self._run("matrix.sh", _MATRIX, repository, self._new())
        return replace(run, may_fail=False)

    def tag(self, checkout: str, commit: str) -> Run:
        """The next version by the highest tag, tagged and pushed."""
        return tag(self.folder, checkout, commit)

    def _new(self) -> str:
        self._made += 1
        return str(self.folder / f"clone-{self._made}")

    def _run(self, name: str, text: str, *arguments: str) -> Run:
        return script(self.folder, name, text, *arguments, env=self.env)


def tag(folder: Path, checkout: str, commit: str) -> Run:
    """The next version by the highest tag plus one, tagged and pushed; needs no yq."""
    return script(folder, "tag.sh", _TAG, checkout, commit)


def script(folder: Path, name: str, text: str, *arguments: str, env: dict[str, str] | None = None) -> Run:
    """A run of the shell script ``text``, which is kept in ``folder``. It may fail: races are lost."""
    file = folder / name
    if not file.exists():
        file.write_text(text, encoding="utf-8")
    return Run(["sh", str(file), *arguments], cwd=str(folder), env=env or {}, may_fail=True)
