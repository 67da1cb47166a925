"""The least that each action can be asked: what is left of its time is its start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import repositories


@dataclass(frozen=True)
class Asked:
    """The inputs of one run of an action, and in a few words what they ask."""

    inputs: Mapping[str, str]
    words: str


def least(folder: Path) -> dict[str, Asked]:
    """Inputs for every action, on things made in ``folder``."""
    gitops = repositories.make_gitops(folder / "gitops.git", 1)
    app = repositories.make_tagged(folder / "app.git", 10)
    head = repositories.git_output(app, "rev-parse", "main")
    owners = folder / "CODEOWNERS"
    owners.write_text("* @nexo-org/nexo-sre-team\n", encoding="utf-8")
    report = folder / "report.json"
    report.write_text(json.dumps({"errors": 0}), encoding="utf-8")
    where = {"gitops": str(gitops), "service": repositories.service(0)}
    check = json.dumps({"check": "file", "file": str(report), "json": "errors", "equals": "0"})
    return {
        "calver": Asked({"repo": str(app), "sha": head, "date": "2026-02-20"}, "recall a commit's version"),
        "docker-tags": Asked(
            {"images": "ghcr.io/nexo-org/app", "tags": "type=raw,value=2026.02.17"}, "one tag"
        ),
        "promote": Asked({**where, "from": "qa", "to": "staging"}, "nothing to promote"),
        "health-gate": Asked({"environment": "qa", "check": check, "once": "true"}, "one file to check"),
        "audit-log": Asked({"operation": "verify", "gitops": str(gitops)}, "verify an empty log"),
        "rollback": Asked(
            {**where, "environment": "qa", "to-version": repositories.OLD, "dry-run": "true"},
            "the version is there already",
        ),
        "version-matrix": Asked({"gitops": str(gitops)}, "one service, one commit"),
        "owners": Asked({"paths": "helm/app/values-prod.yaml", "codeowners": str(owners)}, "one path"),
    }
