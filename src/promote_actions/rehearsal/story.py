"""The rehearsal's plot: one version from a commit to production, then a bad one that is stopped.

Generic over the repository and its ``promotion.yaml``: environments, approvals, soak and owners are
what the configuration says. Every step runs the very command that the action runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from promote_actions.config.freeze import frozen_until, locked
from promote_actions.config.model import Environment
from promote_actions.rehearsal import people
from promote_actions.rehearsal.application import Behaviour
from promote_actions.rehearsal.stage import Played, Stage
from promote_actions.rehearsal.world import ARGOCD_TOKEN, BOT_TOKEN, World

SOAK = "2s"
"""What stands for the configured soak, so that a rehearsal takes seconds."""


class Story:
    """Plays the steps on ``stage`` in ``world``; any step that ends otherwise than it should raises."""

    def __init__(self, world: World, stage: Stage) -> None:
        self.world = world
        self.stage = stage
        self.version = ""
        self.start = world.snapshot().commit
        self.dashboard: Path = world.folder / "dashboard.html"

    def play(self) -> None:
        """The whole story."""
        first, *rest = self.world.config.environments
        good = self.build("feat: add rate limiting", "the first commit")
        self.version = good
        self.deliver(first, good)
        last = first
        for environment in rest:
            self.gate(self.world.config.source_of(environment) or first, "holds")
            if self.closed(environment):
                break
            self.promote(environment)
            last = environment
        self.gate(last, "holds")
        self.twice(last)
        self.bad_release(first, good)
        self.look_back()

    # -- building ----------------------------------------------------------------------------

    def build(self, message: str, what: str) -> str:
        """A commit in the service's repository gets its version and its tags, once each."""
        service, repository = self.world.service, self.world.service_repository
        commit = self.world.commit_service(message)
        inputs = {"repo": repository, "sha": commit, "token": BOT_TOKEN}
        version = self.stage.action(f"{service}: a version for {what}", "calver", inputs).outputs["version"]
        again = self.stage.action("the same commit asked again", "calver", inputs).outputs
        self.stage.check("a commit asked again gets its version back", again["version"] == version)
        image = self.world.images[service]
        tags = self.stage.action(
            "every tag of the image", "docker-tags",
            {"images": image, "version": version, "context": "workflow"},
            GITHUB_EVENT_NAME="push", GITHUB_REF="refs/heads/main", GITHUB_SHA=commit,
            GITHUB_REPOSITORY=repository, GITHUB_EVENT_PATH=str(self._event(repository)),
        ).outputs["tags"].split()  # fmt: skip
        self.stage.check("the version is one of the tags", f"{image}:{version}" in tags)
        self.stage.act("the image is built and pushed, once", "docker push", lambda: self._push(tags))
        return version

    def _event(self, repository: str) -> Path:
        path = self.world.folder / "event.json"
        owner, _, name = repository.partition("/")
        payload = {
            "repository": {
                "default_branch": "main",
                "name": name,
                "full_name": repository,
                "owner": {"login": owner},
            }
        }
        path.write_text(json.dumps(payload), encoding="utf-8")
        return path

    def _push(self, tags: list[str]) -> str:
        name = tags[0].rpartition(":")[0].removeprefix(f"{self.world.registry.host}/")
        short = [tag.rpartition(":")[2] for tag in tags]
        content = f"{name} {short[0]}".encode()
        return f"{len(tags)} tags → {self.world.registry.push_image(name, short, content)}"

    # -- promoting ---------------------------------------------------------------------------

    def _promote_inputs(self, environment: Environment) -> dict[str, str]:
        return {
            "gitops": self.world.gitops,
            "service": self.world.service,
            "to": environment.name,
            "token": BOT_TOKEN,
            "image-check": "off" if self.world.copied else "auto",
        }

    def deliver(self, environment: Environment, version: str) -> None:
        """A build comes into the first environment."""
        inputs = {
            **self._promote_inputs(environment),
            "version": version,
            "mode": "direct",
            "automatic": "true",
        }
        if environment.approvals:
            inputs["reason"] = "rehearsal of a build"
        self.stage.action(f"push to {environment.name}", "promote", inputs)

    def promote(self, environment: Environment) -> None:
        """The version goes into ``environment`` the way its policy says."""
        inputs = self._promote_inputs(environment)
        if environment.trigger == "auto":
            inputs["automatic"] = "true"
        people_needed = f"{environment.approvals} approval{'' if environment.approvals == 1 else 's'}"
        title = f"promote to {environment.name} ({environment.trigger}, {people_needed})"
        step = self.stage.action(title, "promote", inputs)
        self.stage.check(
            "one version moves through all environments", step.outputs["version"] == self.version
        )
        if step.outputs["mode"] == "pull-request":
            self.approve(environment, int(step.outputs["pr-number"]))

    def closed(self, environment: Environment) -> bool:
        """Whether ``environment`` is locked or frozen now; then its refusal is shown."""
        now = datetime.now(timezone.utc)
        if not (locked(environment, now) or frozen_until(environment, now)):
            return False
        title = f"{environment.name} is closed now, by your configuration"
        self.stage.action(title, "promote", self._promote_inputs(environment), expect=1)
        return True

    def approve(self, environment: Environment, number: int) -> None:
        """Reviews come in one by one; only with all of them, and after the soak, can it be merged."""
        source = self.world.config.source_of(environment) or environment
        approvers = self.world.approvers(environment)[: environment.approvals]
        for count in range(environment.approvals):
            self.guard(
                source, environment, number, f"{count} of {environment.approvals} approvals", expect=1
            )
            self.stage.act(
                "merging too early", "dora-dev", lambda: people.refused_merge(self.world, number)
            )
            who = approvers[count]
            self.stage.act(
                f"{who} approves #{number}",
                who,
                lambda who=who: people.approve(self.world, number, who),  # type: ignore[misc]
            )
        self.guard(source, environment, number, f"{environment.approvals} approvals", expect=0)
        self.stage.act(f"#{number} is merged", "dora-dev", lambda: people.merge(self.world, number))
        record = {
            "operation": "record",
            "gitops": self.world.gitops,
            "service": self.world.service,
            "environment": environment.name,
            "version": self.version,
            "pr": str(number),
            "token": BOT_TOKEN,
            "validation-results": self.validation,
        }
        step = self.stage.action(f"the audit record of #{number}", "audit-log", record)
        recorded = json.loads(step.outputs["record"])["approvers"]
        self.stage.check("the record names who approved", sorted(recorded) == sorted(approvers))

    def guard(
        self, source: Environment, target: Environment, number: int, what: str, *, expect: int
    ) -> None:
        """Approvals and soak, published as commit statuses that the branch's protection requires."""
        inputs = {
            **self._gate_inputs(source),
            "to": target.name,
            "check": "approvals\nsoak" if target.soak else "approvals",
            "soak": SOAK,
            "pull-request": str(number),
            "publish": "true",
            "once": "true" if expect else "false",
        }
        self.stage.action(f"guard of #{number}: {what}", "health-gate", inputs, expect=expect)

    # -- gates -------------------------------------------------------------------------------

    validation = ""

    def _gate_inputs(self, environment: Environment) -> dict[str, str]:
        return {
            "gitops": self.world.gitops,
            "token": BOT_TOKEN,
            "service": self.world.service,
            "environment": environment.name,
            "argocd-server": self.world.argocd.url,
            "argocd-token": ARGOCD_TOKEN,
            "base-url": self.world.application.url + "/{service}/{environment}",
            "prometheus-url": self.world.metrics.url,
            "window": "3s",
            "min-requests": "5",
            "interval": "300ms",
            "stability": "500ms",
            "timeout": "20s",
        }

    def gate(self, environment: Environment, what: str, *, expect: int = 0) -> Played:
        """Argo CD, smoke tests and error rate of the version in ``environment``."""
        inputs = {**self._gate_inputs(environment), "check": "argocd\nhttp\nprometheus"}
        title = f"health gate of {environment.name} {what}"
        step = self.stage.action(title, "health-gate", inputs, expect=expect)
        if not expect:
            self.validation = step.outputs["validation-results"]
        return step

    # -- what must not happen ----------------------------------------------------------------

    def twice(self, environment: Environment) -> None:
        """The same promotion again is nothing."""
        inputs = {**self._promote_inputs(environment), "version": self.version}
        step = self.stage.action("the same promotion again", "promote", inputs)
        self.stage.check("the same promotion twice is one", step.outputs["changed"] == "false")

    def bad_release(self, first: Environment, good: str) -> None:
        """A version that answers with errors: the gate stops it, and a rollback mends."""
        bad = self.build("perf: cache everything", "a bad commit")
        self.world.application.behave(bad, Behaviour(error_ratio=0.4))
        self.deliver(first, bad)
        self.gate(first, f"stops {bad}", expect=1)
        rollback = {
            "gitops": self.world.gitops,
            "service": self.world.service,
            "environment": first.name,
            "token": BOT_TOKEN,
            "reason": "error rate over 1 %",
        }
        step = self.stage.action(f"roll {first.name} back", "rollback", rollback)
        self.stage.check("the good version is back", step.outputs["restored-version"] == good)
        again = {**self._promote_inputs(first), "version": bad, "automatic": "true"}
        self.stage.action("automation tries the bad version again", "promote", again, expect=1)
        self.gate(first, "holds again")

    # -- looking back ------------------------------------------------------------------------

    def look_back(self) -> None:
        """Matrix, drift and audit log, as the product itself shows them."""
        inputs = {"gitops": self.world.gitops, "token": BOT_TOKEN}
        matrix = {
            **inputs,
            "service": ",".join(self.world.services),
            "html": str(self.dashboard),
            "argocd-server": self.world.argocd.url,
            "argocd-token": ARGOCD_TOKEN,
        }
        self.matrix = self.stage.action("the version matrix", "version-matrix", matrix)
        verify = {**inputs, "operation": "verify", "gitops": str(self.world.bare)}
        self.stage.action("the audit log's chains hold", "audit-log", verify)
        query = {**inputs, "operation": "query"}
        self.query = self.stage.action("the audit log", "audit-log", query)


def last_words(story: Story) -> Mapping[str, str]:
    """What the rehearsal ends with: matrix, audit records, and the git log of the last values file."""
    world = story.world
    last = world.config.environments[-1]
    snapshot = world.snapshot()
    log = snapshot.git.check(
        "log", "--format=%h %an  %s", snapshot.commit, "--", world.values_path(last)
    ).decode(errors="replace")
    values = [world.values_path(each) for each in world.config.environments]
    diff = snapshot.git.check("diff", "--unified=0", story.start, snapshot.commit, "--", *values)
    return {
        "Version matrix": story.matrix.said,
        "Audit records": story.query.said,
        "What changed in the values files": _lines_of(diff.decode(errors="replace")),
        "Who reviews": "\n".join(_reviewers(world, each) for each in world.config.environments),
        f"git log {world.values_path(last)}": log,
    }


def _lines_of(diff: str) -> str:
    """The files and changed lines of a diff, without its headers."""
    kept = [line for line in diff.splitlines() if line[:4] in ("+++ ", "--- ") or line[:1] in "+-"]
    return "\n".join(
        line.removeprefix("+++ b/") if line.startswith("+++ ") else f"  {line}"
        for line in kept
        if not line.startswith("--- ")
    )


def _reviewers(world: World, environment: Environment) -> str:
    match = world.owners(environment)
    owners = ", ".join(owner.text for owner in match.owners) or "nobody"
    line = f" (line {match.rule.line} of CODEOWNERS)" if match.rule else " (no line of CODEOWNERS)"
    return f"{world.values_path(environment)}: {owners}{line}, {environment.approvals} needed"
