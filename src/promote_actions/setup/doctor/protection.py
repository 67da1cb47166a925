"""Whether the branch's rules ask for what promotions need. Pure: GitHub's documents in, findings out.

Documents: "Get a branch" and "Get rules for a branch" of GitHub's REST API.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from promote_actions.config.model import Config
from promote_actions.gates.publish import CONTEXTS
from promote_actions.setup.doctor.finding import Finding, doubtful, right, wrong

SUBJECT = "branch protection"


@dataclass(frozen=True)
class Required:
    """A status that must be there before a merge; ``app`` is whose alone counts, if that is said."""

    context: str
    app: int | None = None


@dataclass(frozen=True)
class Rules:
    """What binds a branch. ``pull_requests`` None: that can't be told."""

    required: tuple[Required, ...] = ()
    pull_requests: bool | None = None
    protected: bool = False


def read_branch(document: Any) -> Rules:
    """The rules that "Get a branch" tells of (classic protection)."""
    protection = _dict(_dict(document).get("protection"))
    checks = _dict(protection.get("required_status_checks")).get("checks")
    required = [
        Required(str(each.get("context")), each.get("app_id"))
        for each in (checks if isinstance(checks, list) else [])
        if isinstance(each, dict)
    ]
    return Rules(tuple(required), None, bool(_dict(document).get("protected")))


def read_rules(document: Any) -> Rules:
    """The rules that "Get rules for a branch" tells of (rulesets)."""
    rules = [each for each in document if isinstance(each, dict)] if isinstance(document, list) else []
    required = []
    for rule in rules:
        checks = _dict(rule.get("parameters")).get("required_status_checks")
        if rule.get("type") == "required_status_checks" and isinstance(checks, list):
            required += [
                Required(str(each.get("context")), each.get("integration_id"))
                for each in checks
                if isinstance(each, dict)
            ]
    by_pull_request = any(rule.get("type") == "pull_request" for rule in rules)
    return Rules(tuple(required), by_pull_request or None, bool(rules))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def judge(config: Config, branch: str, found: Sequence[Rules]) -> Iterator[Finding]:
    """What the rules together lack for the approvals and soaks of ``config``."""
    wanted = _wanted(config)
    required = {each.context: each for rules in found for each in rules.required}
    fix = "see workflows-examples/gitops-repo/protect-main.sh"
    if not wanted:
        return
    if not any(rules.protected for rules in found):
        yield wrong(SUBJECT, f"{branch} has no rules: anybody with write access may push to it", fix)
        return
    missing = [context for context in wanted if context not in required]
    if missing:
        said = f"{branch} doesn't require {', '.join(missing)}: a merge need not wait for it"
        yield wrong(SUBJECT, said, fix)
    anybody = [context for context in wanted if context in required and not required[context].app]
    if anybody:
        said = f"{', '.join(anybody)} may be set by anybody with write access"
        yield doubtful(SUBJECT, said, "name the GitHub App that publishes it, as in ruleset.json")
    if not missing and not anybody:
        yield right(SUBJECT, f"{branch} requires {', '.join(wanted)}, from one App")


def _wanted(config: Config) -> list[str]:
    approvals = any(each.approvals for each in config.environments)
    soak = any(each.soak for each in config.environments)
    kinds = [("approvals", approvals), ("soak", soak), ("policy", approvals or soak)]
    return [CONTEXTS[kind] for kind, asked in kinds if asked and kind in CONTEXTS]
