"""The inputs and outputs of ``health-gate``."""

from __future__ import annotations

from dataclasses import dataclass

from promote_actions.spec import (
    OUTCOME,
    CommonInputs,
    Output,
    duration,
    flag,
    items,
    lines,
    number,
    text,
)

OUTPUTS = (
    Output("passed", "`true` when every check passed."),
    Output("result", "`passed`, `failed`, `inconclusive` or `timed-out`."),
    Output("validation-results", "JSON object: each check with its result, ready for `audit-log`."),
    Output("checks", "JSON list: each check with its result, reason, value, threshold and links."),
    Output("duration", "Seconds that the gate took."),
    Output("version", "The version that was judged: promote that one, and no other."),
    OUTCOME,
)


@dataclass(frozen=True, kw_only=True)
class HealthGateInputs(CommonInputs):
    """Inputs of ``health-gate``."""

    gitops: str = text("GitOps repository: `owner/name`, a URL or a path.")
    branch: str = text("Branch of the GitOps repository. By default its default branch.")
    service: str = text("The service.")
    environment: str = text(
        "The environment in which the version must prove itself.", required=True, aliases=("env",)
    )
    to: str = text("The environment it goes to next; its `gates` are the checks. By default the next one.")
    version: str = text("The version that must be live. By default what the values file names now.")
    digest: str = text("The image's digest, when it is pinned (`sha256:…`).")
    revision: str = text("The promotion's commit in the GitOps repository, when it is known.")
    check: tuple[str, ...] = lines(
        "Checks to run: argocd, http, prometheus, logs, github, file, load, canary, soak, approvals, "
        "policy; with options `prometheus:threshold=<= 0.02;window=10m`; or a JSON object. By default "
        "those that promotion.yaml lists."
    )
    skip: tuple[str, ...] = items(
        "Kinds of check to leave out: soak, where the pull request's own status waits for it."
    )
    once: bool = flag("Measure once and say how things are now.")
    explain: bool = flag("Say what would be checked and from where, and measure nothing.")
    timeout: float | None = duration("Time after which the gate gives up (10m unless configured).")
    interval: float | None = duration("Time between two readings (10s unless configured).")
    initial_delay: float | None = duration("Time to wait before the first reading.")
    success: int | None = number(
        "Good readings in a row that a check needs (1 unless configured).", minimum=1
    )
    failure_limit: int | None = number(
        "Bad readings that a check may have (0 unless configured).", minimum=0
    )
    stability: float = duration("Time for which Argo CD must have said Healthy.", "10s")
    argocd_server: str = text("Argo CD's address.", env=("ARGOCD_SERVER",))
    argocd_token: str = text("Argo CD API token.", secret=True, env=("ARGOCD_AUTH_TOKEN",))
    argocd_namespace: str = text("Namespace of the application, when it is not Argo CD's own.")
    argocd_ca: str = text("PEM file of the authority that signed Argo CD's certificate.")
    argocd_insecure: bool = flag("Don't verify Argo CD's certificate.")
    base_url: str = text("Base URL of the service for smoke tests; may hold {service} and {environment}.")
    paths: tuple[str, ...] = lines(
        "Paths of the smoke tests, under the base URL (/health and /api/status)."
    )
    prometheus_url: str = text("Prometheus' address.")
    prometheus_token: str = text("Bearer token for Prometheus.", secret=True)
    prometheus_user: str = text("User name for Prometheus.")
    prometheus_password: str = text("Password for Prometheus.", secret=True)
    prometheus_query: str = text("PromQL with {window}, instead of the service's error ratio.")
    prometheus_selector: str = text("Labels of the service's series, in PromQL.")
    loki_url: str = text("Loki's address, for the check `logs`.")
    loki_token: str = text("Bearer token for Loki.", secret=True)
    threshold: str = text("What the query's value must be, such as `<= 0.01` or `< 1%`.")
    window: float | None = duration("Time that the query looks back over (5m unless configured).")
    min_requests: int | None = number(
        "Requests that must be in the window (10 unless configured).", minimum=0
    )
    on_no_data: str = text("What no data means: `inconclusive`, `fail` or `pass`.")
    soak: float | None = duration("Time for which the version must have been live and healthy.")
    pull_request: int | None = number("Number of the pull request whose approvals count.", minimum=1)
    publish: bool = flag("Publish soak, approvals and policy as commit statuses of the pull request.")
    ca_file: str = text("PEM file of authorities to trust in all other calls.")
    cert_file: str = text("PEM file of our certificate, where a server asks for one.")
    key_file: str = text("PEM file of the key of our certificate.")
    request_timeout: float = duration("Time for one call.", "10s")
    slack_webhook: str = text(
        "Slack incoming webhook that is told when it doesn't pass.", secret=True, env=("SLACK_WEBHOOK_URL",)
    )
    webhook: str = text("Any other webhook that gets that as JSON.", secret=True)
