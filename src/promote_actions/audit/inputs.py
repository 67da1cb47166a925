"""The inputs and outputs of ``audit-log``."""

from __future__ import annotations

from dataclasses import dataclass

from promote_actions.audit.record import OUTCOMES
from promote_actions.spec import CommonInputs, Output, choice, flag, items, number, text

OPERATIONS = ("record", "verify", "query", "slo", "import", "export")


@dataclass(frozen=True, kw_only=True)
class AuditLogInputs(CommonInputs):
    """What ``audit-log`` may be told; which inputs an operation reads is in its help."""

    operation: str = choice(
        "record an event, verify the log, query it, compute slo, import git history, export events.",
        OPERATIONS,
        required=True,
        positional=True,
    )
    gitops: str = text("The GitOps repository: owner/name, a path or a URL.", ".")
    branch: str = text("Branch of the GitOps repository; the default branch if empty.")
    service: tuple[str, ...] = items("record: the service. Others: only these services.")
    environment: tuple[str, ...] = items(
        "record: the environment. Others: only these environments.", aliases=("env",)
    )
    version: str = text("record: the version. query: only this version.")
    from_environment: str = text(
        "record: where the version came from; the environment before it if empty.", aliases=("from",)
    )
    event: str = choice(
        "record: what happened.", ("promotion", "rollback", "amendment"), "promotion", aliases=("kind",)
    )
    outcome: tuple[str, ...] = items(
        f"record: how it ended ({', '.join(OUTCOMES)}; success if empty). Others: only these."
    )
    validation_results: str = text("record: the checks made, as JSON, such as health-gate puts out.")
    approvers: tuple[str, ...] = items("record: whose approvals counted.")
    initiator: str = text("record: who asked for it.", env=("GITHUB_ACTOR",))
    pr: str = text("record: number or URL of the pull request that was merged.")
    argocd_sync_id: str = text("record: the sync of Argo CD that applied it.")
    rollback: bool = flag("record: this is a rollback.")
    rollback_of: str = text("record: the record_id of what was rolled back.")
    amends: str = text("record: the record_id that this one adds a late fact to, or `last`.")
    previous_version: str = text("record: the version that ran before.")
    image_digest: str = text("record: digest of the image.")
    git_commit: str = text("record: the commit of the GitOps repository that the event is about.")
    committed_at: str = text("record: when the change was committed in the service's repository.")
    started_at: str = text("record: when the promotion was asked for, such as 2026-02-01T10:30:00Z.")
    finished_at: str = text("record: when it was over; now if empty and started-at is given.")
    waited: int | None = number("record: seconds of it spent waiting for people.", minimum=0)
    reason: str = text("record: why, in a person's words.")
    override: str = text("record: the rule that was overridden, and by whom.")
    since: str = text("Only records from this time on: 2026-02-01, a full time, or 30d ago as `30d`.")
    until: str = text("Only records before this time; forms as for since.")
    person: tuple[str, ...] = items("query: only what these people started, approved or merged.")
    output: str = choice("query, slo: form of the text.", ("table", "json", "csv", "markdown"), "table")
    limit: int | None = number("query: the newest so many records.", minimum=1)
    heads: str = text("verify: file with chain heads saved before; a chain cut behind them is found.")
    save_heads: str = text("verify: file to write the chain heads to, for the next time.")
    window: tuple[str, ...] = items("slo: lengths of time looked back over.", "7d,28d,90d")
    fail_on: tuple[str, ...] = items(
        "slo: refuse (exit 1) when one of these holds: missed, unproven, budget, burning."
    )
    picture: str = text("slo: file to write a picture (SVG) to.")
    sink: str = text("export: address of an HTTP sink for the events.")
    export: str = choice("export: form of the events.", ("cdevents", "in-toto"), "cdevents")


OUTPUTS = (
    Output("path", "Path of the record in the GitOps repository."),
    Output("record", "The record, or the records found, as JSON."),
    Output("record-hash", "Hash of the record; a new head of its chain."),
    Output("verified", "true, false, or `cannot verify` (a shallow clone)."),
    Output("slo", "The SLO report as JSON."),
)
