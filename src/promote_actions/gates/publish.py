"""Publishing what a gate found as commit statuses on a pull request's head, so that branch protection can
ask for them. A status belongs to one commit: when the head moves, it must be earned again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from promote_actions.adapters.forge import ForgeRepository, StatusState
from promote_actions.errors import PromoteError
from promote_actions.gates.judge import worst
from promote_actions.gates.model import CheckResult, GateResult, Verdict
from promote_actions.runner import Runner

if TYPE_CHECKING:
    from promote_actions.gates.context import Context

CONTEXTS = {
    "soak": "promotion/soak",
    "approvals": "promotion/approvals",
    "policy": "promotion/policy",
}
OTHERS = "promotion/health"
"""The context of all other checks together."""

_DESCRIPTION_LIMIT = 140


def head_to_judge(context: Context, runner: Runner) -> str:
    """The pull request's head, read before anything is measured: what is found is true of no later one.

    Empty when there is nothing to publish on; the reason is a warning.
    """
    if not isinstance(context.repository, ForgeRepository) or not context.number:
        runner.warning("nothing is published: that needs gitops on GitHub and a pull-request")
        return ""
    try:
        pull = context.repository.forge.pull(context.number)
    except PromoteError as error:
        runner.warning(f"the commit statuses can't be published: {error}")
        return ""
    if pull.state != "open":
        runner.say(f"nothing is published: pull request {pull.number} is {pull.state}")
        return ""
    return pull.head_sha


def publish(context: Context, result: GateResult, runner: Runner, head: str) -> None:
    """Set the statuses: each on the head that its checks looked at, else on ``head``.

    What can't be published is a warning, since the gate's own result stands.
    """
    if not isinstance(context.repository, ForgeRepository) or not head:
        return
    forge, judged = context.repository.forge, heads(result)
    try:
        for name, state, description in [*statuses(result), *_not_asked(context, result)]:
            forge.set_status(judged.get(name) or head, name, state, description, runner.run_url)
    except PromoteError as error:
        runner.warning(f"the commit statuses could not be published: {error}")


def heads(result: GateResult) -> dict[str, str]:
    """The commit that each context's checks looked at, where they looked at one."""
    return {CONTEXTS.get(check.spec.kind, OTHERS): check.commit for check in result.checks if check.commit}


def _not_asked(context: Context, result: GateResult) -> list[tuple[str, StatusState, str]]:
    """A branch's protection asks for the soak status of every promotion, also into an environment
    without a soak."""
    if context.target is None or context.target.soak:
        return []
    if any(check.spec.kind == "soak" for check in result.checks):
        return []
    return [(CONTEXTS["soak"], "success", f"{context.target.name} asks for no soak")]


def statuses(result: GateResult) -> list[tuple[str, StatusState, str]]:
    """Context, state and description of each status that ``result`` gives."""
    groups: dict[str, list[CheckResult]] = {}
    for check in result.checks:
        groups.setdefault(CONTEXTS.get(check.spec.kind, OTHERS), []).append(check)
    return [(name, *_status(found)) for name, found in groups.items()]


def _status(found: Sequence[CheckResult]) -> tuple[StatusState, str]:
    verdict = worst(check.verdict for check in found)
    shown = [check for check in found if check.verdict == verdict]
    reason = shown[0].reason if len(found) == 1 else ", ".join(f"{c.spec.name} {c.verdict}" for c in found)
    return _STATES[verdict], reason[:_DESCRIPTION_LIMIT]


_STATES: dict[Verdict, StatusState] = {
    "passed": "success",
    "failed": "failure",
    "errored": "error",
    "inconclusive": "pending",
    "timed-out": "pending",
}
