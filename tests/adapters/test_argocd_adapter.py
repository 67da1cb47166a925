"""Argo CD's API through our adapter, against the emulator and its faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from promote_actions.adapters.argocd import ArgoCD
from promote_actions.errors import DependencyError, InputError, PromoteError, Refused
from promote_actions.rehearsal.argocd import Fault
from tests.rehearsal.argocd_bench import DEFINITION, IMAGE, NAME, Bench

TOKEN = "right-and-secret-token"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, DEFINITION, token=TOKEN)
    made.argocd.settle()
    yield made
    made.stop()


@pytest.fixture
def argocd(bench: Bench) -> ArgoCD:
    return ArgoCD(bench.argocd.url, TOKEN, timeout=2.0)


def test_the_facts_of_an_application(argocd: ArgoCD) -> None:
    """What the rules need is there."""
    app = argocd.application(NAME)
    assert (app.sync, app.health, app.phase, app.operating) == ("Synced", "Healthy", "Succeeded", False)
    assert app.images == (f"{IMAGE}:2026.02.17",)
    assert app.auto_sync
    assert len(app.history) == 1
    assert app.operation_finished is not None and app.reconciled_at is not None
    assert app.reconciled_at >= app.operation_finished
    assert app.url == f"{argocd.server}/applications/{NAME}"


def test_a_refresh_is_asked_for_in_the_servers_words(argocd: ArgoCD, bench: Bench) -> None:
    """`?refresh=normal` sees the new commit at once."""
    commit = bench.push("2026.02.18")
    assert argocd.application(NAME).revisions != (commit,)
    assert argocd.application(NAME, refresh=True).revisions == (commit,)
    assert bench.argocd.requests[-1] == f"GET /api/v1/applications/{NAME}?refresh=normal"


def test_the_resource_tree_has_pods_with_their_images(argocd: ArgoCD) -> None:
    """Workload and pods, with health."""
    nodes = argocd.resource_tree(NAME)
    assert [(node.kind, node.health, node.images) for node in nodes] == [
        ("Deployment", "Healthy", ()),
        ("Pod", "Healthy", (f"{IMAGE}:2026.02.17",)),
    ]


def test_rollback_only_with_auto_sync_off(argocd: ArgoCD, bench: Bench) -> None:
    """Refused first; then off, back, and on again with the policy that was there."""
    bench.push("2026.02.18")
    argocd.application(NAME, refresh=True)
    bench.argocd.settle()
    with pytest.raises(Refused, match="auto-sync is enabled"):
        argocd.rollback(NAME, 0)
    argocd.set_auto_sync(NAME, on=False)
    assert not argocd.application(NAME).auto_sync
    argocd.rollback(NAME, 0)
    bench.argocd.settle()
    assert argocd.application(NAME).images == (f"{IMAGE}:2026.02.17",)
    argocd.set_auto_sync(NAME, on=True, policy={"prune": True, "selfHeal": True})
    assert argocd.application(NAME).auto_sync


def test_a_sync_by_hand(argocd: ArgoCD, bench: Bench) -> None:
    """With auto-sync off somebody asks for it."""
    argocd.set_auto_sync(NAME, on=False)
    bench.push("2026.02.18")
    argocd.application(NAME, refresh=True)
    argocd.sync(NAME)
    bench.argocd.settle()
    assert argocd.application(NAME).sync == "Synced"


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault("down"), DependencyError, "did not answer"),
        (Fault("html"), DependencyError, "HTML where JSON was expected"),
        (Fault("status", 500), DependencyError, "answered 500 (made up)"),
        (Fault("status", 502), DependencyError, "answered 502"),
        (Fault("status", 404), InputError, "has no application"),
        (Fault("status", 403), InputError, "forbids the application"),
        (Fault("redirect"), InputError, "redirects"),
        (Fault("slow", seconds=3.0), DependencyError, "no answer in time"),
    ],
    ids=lambda value: value.kind + str(value.status) if isinstance(value, Fault) else "",
)
def test_what_goes_wrong_says_what_it_is(
    bench: Bench, argocd: ArgoCD, fault: Fault, kind: type[PromoteError], words: str
) -> None:
    """One line that never holds the token; a fault of the network is not a fault of the input."""
    bench.argocd.fault = fault
    argocd = ArgoCD(bench.argocd.url, TOKEN, timeout=0.5)
    with pytest.raises(kind) as caught:
        argocd.application(NAME)
    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_refused_token(bench: Bench) -> None:
    """401 with Argo CD's reason."""
    with pytest.raises(InputError, match=r"refuses the token .*signature is invalid"):
        ArgoCD(bench.argocd.url, "a-wrong-token").application(NAME)


def test_an_application_that_is_not_there_is_forbidden(argocd: ArgoCD) -> None:
    """Argo CD says permission denied for both, and so we name both reasons."""
    with pytest.raises(InputError, match=r"grant the token .* and check the name"):
        argocd.application("no-such")


def test_another_applications_answer_is_not_taken(bench: Bench, argocd: ArgoCD) -> None:
    """A cache or a proxy may answer with something else."""
    bench.argocd.app(NAME)
    bench.argocd._apps["other"] = bench.argocd.app(NAME)
    with pytest.raises(DependencyError, match="not the application 'other'"):
        argocd.application("other")


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_no_name_is_no_application(argocd: ArgoCD, name: str) -> None:
    """An empty name would list all applications."""
    with pytest.raises(InputError, match="no name of an application"):
        argocd.application(name)


def test_a_hostile_name_stays_one_part_of_the_path(argocd: ArgoCD, bench: Bench) -> None:
    """Slashes and questions are quoted."""
    with pytest.raises(InputError):
        argocd.application("../../session?x=1#y")
    assert bench.argocd.requests[-1].startswith("GET /api/v1/applications/..%2F..%2Fsession%3Fx%3D1%23y")


@pytest.mark.parametrize("server", ["", "ftp://x", "http://", "https://:0", "http://[::1"])
def test_an_address_that_is_none(server: str) -> None:
    """It is named before anything is asked."""
    with pytest.raises(InputError, match="the address of Argo CD is"):
        ArgoCD(server)


def test_a_bare_host_means_https() -> None:
    """As the `argocd` command line takes it; a path in front of the API is kept."""
    assert ArgoCD("argocd.example.com/argo").page("x") == "https://argocd.example.com/argo/applications/x"
    namespaced = ArgoCD("argocd.example.com", namespace="team")
    assert namespaced.page("x") == "https://argocd.example.com/applications/team/x"
