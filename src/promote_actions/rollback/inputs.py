"""The inputs and outputs of ``rollback``."""

from __future__ import annotations

from dataclasses import dataclass

from promote_actions.promotion.command import OUTPUTS as PROMOTE_OUTPUTS
from promote_actions.spec import CommonInputs, Output, choice, duration, flag, number, text

METHODS = ("auto", "revert", "argocd", "ingress")


@dataclass(frozen=True, kw_only=True)
class RollbackInputs(CommonInputs):
    """What a rollback needs to be told."""

    gitops: str = text("The GitOps repository: owner/name on GitHub, a path or a URL.", required=True)
    branch: str = text("Its branch; empty for the default one.")
    service: str = text("The service.", required=True)
    environment: str = text("The environment.", required=True, aliases=("env",))
    method: str = choice(
        "How: `revert` restores the version in git (what auto does), `argocd` deploys an entry of Argo "
        "CD's history, `ingress` switches between blue and green.",
        METHODS,
        "auto",
    )
    to_version: str = text("The version to restore; empty for the last good one.")
    steps: int | None = number("How many good versions to go back, instead of one.", minimum=1)
    mode: str = choice(
        "How it lands; auto follows the environment's policy.", ("auto", "direct", "pull-request"), "auto"
    )
    reason: str = text("Why, for the audit record and for whoever reads it at night.")
    yes: bool = flag("On a terminal: do it, where policy asks for a pull request, without a look first.")
    automatic: bool = flag(
        "Nobody pressed a button: act only on a gate that failed, where the environment's policy is auto."
    )
    gate_result: str = text(
        "What the gate said: health-gate's output `result`, or its JSON. Makes it automatic.",
        aliases=("on-gate-result",),
    )
    failed_version: str = text(
        "The version that the gate was about; nothing is done when another one is live."
    )
    failed_at: str = text(
        "When it failed, such as 2026-02-01T10:30:00Z; now if empty. Recovery counts from it."
    )
    with_revert: bool = flag(
        "argocd, ingress: also land (or propose) the revert that makes git agree with the cluster."
    )
    timeout: float = duration("argocd: time to wait for it to arrive.", "5m")
    stability: float = duration("ingress: time for which the switch must hold.", "5s")
    argocd_server: str = text("Argo CD's address.", env=("ARGOCD_SERVER",))
    argocd_token: str = text("Argo CD API token.", secret=True, env=("ARGOCD_AUTH_TOKEN",))
    argocd_namespace: str = text("Namespace of the application, when it is not Argo CD's own.")
    argocd_ca: str = text("PEM file of the authority that signed Argo CD's certificate.")
    argocd_insecure: bool = flag("Don't verify Argo CD's certificate.")
    history_id: int | None = number("argocd: the deployment of this id, instead of a version's.", minimum=0)
    revision: str = text("argocd: the deployment of this commit, instead of a version's.")
    terminate: bool = flag("argocd: end an operation that is under way instead of waiting for it.")
    via: str = choice(
        "ingress: through git (the key of slot-key) or the cluster's API; auto prefers git.",
        ("auto", "git", "api"),
        "auto",
    )
    slot: str = choice("ingress: the slot that shall be live; empty for the other one.", ("blue", "green"))
    slot_key: str = text("ingress: the key in the values file that names the live slot.", "activeSlot")
    ingress: str = text("ingress: its name; may hold {service} and {environment}.", "{service}-ingress")
    backend: str = text(
        "ingress: name of the services behind it, without -blue and -green; may hold {service}.",
        "{service}",
    )
    namespace: str = text(
        "ingress: its namespace; may hold {service} and {environment}. By default the kubeconfig's."
    )
    kubeconfig: str = text(
        "ingress: path of a kubeconfig (else KUBECONFIG, the cluster we run in, ~/.kube)."
    )
    kube_context: str = text("ingress: the kubeconfig's context; its current one if empty.")
    kube_server: str = text("ingress: the API server's address, instead of a kubeconfig.")
    kube_token: str = text("ingress: the token for kube-server.", secret=True, env=("KUBE_TOKEN",))
    kube_ca: str = text("ingress: PEM file of the authority that signed the API server's certificate.")
    slack_webhook: str = text(
        "Slack incoming webhook that is told of the rollback.", secret=True, env=("SLACK_WEBHOOK_URL",)
    )
    webhook: str = text("Any other webhook that gets the rollback as JSON.", secret=True)


OUTPUTS = (
    *PROMOTE_OUTPUTS,
    Output("restored-version", "The version that is live again (or will be, once merged)."),
    Output("method", "How it was rolled back: `revert`, `argocd` or `ingress`."),
    Output("time-to-recover", "Seconds from the failure (`failed-at`, else the start) to the end."),
    Output("auto-sync", "argocd: `on` or `off`, as Argo CD's auto-sync was left."),
)
