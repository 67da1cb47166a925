"""The rules by which an Argo CD application has or has not passed; each test is a way to be fooled."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.gates.argocd import ApplicationCheck, Settings, parse
from promote_actions.gates.argocd_facts import (
    Application,
    Deployment,
    Node,
    application_of,
    nodes_of,
    parse_time,
)
from promote_actions.gates.argocd_judge import (
    Expected,
    GitView,
    image_name,
    judge_application,
    live_since,
    rollout_time,
)
from promote_actions.gates.model import Moment
from promote_actions.gates.options import COMMON, Options

T0 = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)
OLD, OURS, LATER = "a" * 40, "b" * 40, "c" * 40
IMAGE = "ghcr.io/nexo-org/nexo-be"


def ago(seconds: float) -> datetime:
    return T0 - timedelta(seconds=seconds)


GOOD = Application(
    name="nexo-be-develop",
    seen_at=T0,
    phase="Succeeded",
    operation_finished=ago(60),
    operation_revisions=(OURS,),
    sync="Synced",
    revisions=(OURS,),
    health="Healthy",
    health_since=ago(50),
    reconciled_at=ago(5),
    images=(f"{IMAGE}:2026.02.2",),
    history=(Deployment(1, (OLD,), ago(900)), Deployment(2, (OURS,), ago(60))),
    auto_sync=True,
    url="https://argocd.example.com/applications/nexo-be-develop",
)
EXPECTED = Expected("2026.02.2", service="nexo-be", image=IMAGE, revision=OURS)
GIT = GitView(
    head=LATER,
    versions={OLD: "2026.02.1", OURS: "2026.02.2", LATER: "2026.02.2"},
    contains={OLD: False, OURS: True, LATER: True},
)


def test_the_true_case_passes() -> None:
    """Synced at our commit, healthy since after the sync, only our image runs."""
    reading = judge_application(GOOD, EXPECTED, GIT)
    assert reading.outcome == "passed"
    assert reading.since == ago(49)
    assert [link.text for link in reading.links] == ["nexo-be-develop", "history"]


TRAPS: dict[str, tuple[dict[str, Any], str, str]] = {
    "old version still healthy": (
        {"revisions": (OLD,), "images": (f"{IMAGE}:2026.02.1",)},
        "waiting",
        "still names 2026.02.1",
    ),
    "synced before the branch moved on, images of the old version": (
        {"images": (f"{IMAGE}:2026.02.1",)},
        "waiting",
        "not among the running images (2026.02.1)",
    ),
    "both versions run during a rollout": (
        {"images": (f"{IMAGE}:2026.02.1", f"{IMAGE}:2026.02.2")},
        "waiting",
        "2026.02.1 still runs beside",
    ),
    "no image runs": ({"images": ()}, "waiting", "no image of this service"),
    "a tag that only begins like ours": ({"images": (f"{IMAGE}:2026.02.23",)}, "waiting", "not among"),
    "another image with our tag": ({"images": ("ghcr.io/other/app:2026.02.2",)}, "waiting", "not among"),
    "operation running": (
        {"operating": True, "phase": "Running", "operation_finished": None},
        "waiting",
        "a sync is under way (Running)",
    ),
    "sync requested and not begun": ({"operating": True}, "waiting", "a sync is under way"),
    "our sync failed": (
        {"phase": "Failed", "phase_message": "one or more objects failed to apply"},
        "failed",
        "the sync ended Failed: one or more objects failed to apply",
    ),
    "our sync errored": ({"phase": "Error"}, "failed", "the sync ended Error"),
    "an older sync failed": (
        {
            "phase": "Failed",
            "phase_message": "old trouble",
            "operation_revisions": (OLD,),
            "sync": "OutOfSync",
        },
        "waiting",
        "of an older commit: old trouble",
    ),
    "health from before the sync": (
        {"reconciled_at": ago(61)},
        "waiting",
        "health (Healthy) is from before the sync ended",
    ),
    "never reconciled": ({"reconciled_at": None}, "waiting", "from before the sync ended"),
    "out of sync": ({"sync": "OutOfSync"}, "waiting", "sync status is OutOfSync"),
    "auto-sync reverted": (
        {"sync": "OutOfSync", "auto_sync": False},
        "waiting",
        "auto-sync is off, so somebody must sync it",
    ),
    "sync unknown": ({"sync": "Unknown"}, "waiting", "sync status is Unknown"),
    "progressing": ({"health": "Progressing"}, "waiting", "Progressing"),
    "degraded": (
        {
            "health": "Degraded",
            "troubled": (Node("Deployment", "nexo-be", health="Degraded", message="crash"),),
        },
        "failed",
        "Degraded; Deployment/nexo-be Degraded: crash",
    ),
    "suspended": ({"health": "Suspended"}, "waiting", "Suspended"),
    "missing": ({"health": "Missing"}, "waiting", "Missing"),
    "health unknown": ({"health": "Unknown"}, "inconclusive", "health is Unknown"),
    "health empty": ({"health": ""}, "inconclusive", "health is not known"),
    "health that nobody knows": ({"health": "Marvellous"}, "inconclusive", "Marvellous"),
    "Argo CD cannot compare": (
        {"errors": ("ComparisonError: rpc error: repo server is down",)},
        "errored",
        "could not look: ComparisonError",
    ),
    "the application itself is wrong": (
        {"errors": ("InvalidSpecError: application destination is invalid",)},
        "failed",
        "InvalidSpecError",
    ),
    "healthy for a moment only": ({"health_since": ago(3)}, "waiting", "healthy for 2 s of 10 s"),
    "synced a moment ago": (
        {"operation_finished": ago(2), "health_since": ago(900), "reconciled_at": ago(1)},
        "waiting",
        "healthy for 1 s of 10 s",
    ),
    "a branch's name for a revision": (
        {"revisions": ("main",)},
        "waiting",
        "is at main, which the repository",
    ),
    "no revision": ({"revisions": ()}, "waiting", "is at no revision"),
}


@pytest.mark.parametrize(("change", "outcome", "words"), TRAPS.values(), ids=TRAPS)
def test_only_the_true_case_passes(change: dict[str, Any], outcome: str, words: str) -> None:
    """Everything else says what it is; only what was measured bad is failed."""
    reading = judge_application(replace(GOOD, **change), EXPECTED, GIT)
    assert (reading.outcome, words in reading.reason) == (outcome, True), reading.reason


def test_a_failed_sync_of_ours_is_final() -> None:
    """Auto-sync doesn't try the same commit twice, so nobody waits for that."""
    assert judge_application(replace(GOOD, phase="Failed"), EXPECTED, GIT).final


def test_superseded_is_not_failed() -> None:
    """A newer version took the place: final, but nothing to roll back."""
    git = replace(GIT, versions={**GIT.versions, LATER: "2026.02.3"})
    reading = judge_application(replace(GOOD, phase="Failed"), EXPECTED, git)
    assert (reading.outcome, reading.final) == ("inconclusive", True)
    assert "superseded: the branch names 2026.02.3 now (at ccccccc)" in reading.reason


def test_an_unrelated_later_commit_is_not_another_version() -> None:
    """On a shared branch every commit moves every application past the promotion's own commit."""
    assert judge_application(replace(GOOD, revisions=(LATER,)), EXPECTED, GIT).outcome == "passed"


def test_a_commit_that_names_our_version_from_before_the_promotion_is_not_ours() -> None:
    """Promoted, reverted, promoted again: the first time doesn't count for the second."""
    git = replace(GIT, versions={**GIT.versions, OLD: "2026.02.2"})
    reading = judge_application(replace(GOOD, revisions=(OLD,)), EXPECTED, git)
    assert (reading.outcome, "is before bbbbbbb" in reading.reason) == ("waiting", True)


def test_ancestry_that_cannot_be_told_does_not_stop_what_the_file_says() -> None:
    """A shallow history doesn't know; the values file at that commit does."""
    git = replace(GIT, contains={})
    assert judge_application(replace(GOOD, revisions=(LATER,)), EXPECTED, git).outcome == "passed"


def test_multi_source_applications_are_judged_by_the_source_that_is_the_repository() -> None:
    """Their revisions are a chart's version and a commit."""
    assert judge_application(replace(GOOD, revisions=("1.4.2", OURS)), EXPECTED, GIT).outcome == "passed"
    reading = judge_application(replace(GOOD, revisions=("1.4.2", OLD)), EXPECTED, GIT)
    assert "still names 2026.02.1" in reading.reason


@pytest.mark.parametrize(
    ("revisions", "outcome"), [((OURS,), "passed"), ((OLD,), "waiting"), ((), "waiting")]
)
def test_without_git_the_promotions_commit_must_be_the_one(
    revisions: tuple[str, ...], outcome: str
) -> None:
    """Nobody can say what another commit names."""
    assert judge_application(replace(GOOD, revisions=revisions), EXPECTED, None).outcome == outcome


def test_without_git_and_commit_the_running_images_are_the_proof() -> None:
    """They are what runs; without them nothing is proven."""
    expected = replace(EXPECTED, revision="")
    assert judge_application(GOOD, expected, None).outcome == "passed"
    assert judge_application(replace(GOOD, images=()), expected, None).outcome == "waiting"


def test_without_git_a_failed_sync_of_another_commit_is_not_ours() -> None:
    """The operation says which commit it was."""
    app = replace(GOOD, phase="Failed", operation_revisions=(OLD,), sync="OutOfSync")
    assert judge_application(app, EXPECTED, None).outcome == "waiting"


def test_an_older_failed_sync_is_over_when_all_is_synced() -> None:
    """A revert brings the old manifests back, and nothing is left to sync: no new operation comes."""
    app = replace(GOOD, phase="Failed", operation_revisions=(OLD,))
    assert judge_application(app, EXPECTED, GIT).outcome == "passed"


def test_blue_green_keeps_the_old_version_running() -> None:
    """There the old one stays beside the new for the way back, so it doesn't have to be gone."""
    app = replace(GOOD, images=(f"{IMAGE}:2026.02.1", f"{IMAGE}:2026.02.2"))
    assert judge_application(app, replace(EXPECTED, old_gone=False), GIT).outcome == "passed"
    app = replace(GOOD, images=(f"{IMAGE}:2026.02.1",))
    assert judge_application(app, replace(EXPECTED, old_gone=False), GIT).outcome == "waiting"


DIGEST = "sha256:" + "1" * 64


@pytest.mark.parametrize(
    ("image", "outcome"),
    [
        (f"{IMAGE}@{DIGEST}", "passed"),
        (f"{IMAGE}:2026.02.2@{DIGEST}", "passed"),
        (f"{IMAGE}:2026.02.2", "passed"),
        (f"{IMAGE}:2026.02.2@sha256:{'2' * 64}", "waiting"),
        (f"{IMAGE}@sha256:{'2' * 64}", "waiting"),
    ],
)
def test_a_moved_tag_is_told_by_its_digest(image: str, outcome: str) -> None:
    """When the digest is known and shown, it decides; a tag alone is all that some clusters show."""
    expected = replace(EXPECTED, digest=DIGEST)
    assert judge_application(replace(GOOD, images=(image,)), expected, GIT).outcome == outcome


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("app", "app"),
        ("app:1", "app"),
        ("registry:5000/team/app", "registry:5000/team/app"),
        ("registry:5000/team/app:1.2@sha256:ab", "registry:5000/team/app"),
        ("ghcr.io/x/app@sha256:ab", "ghcr.io/x/app"),
    ],
)
def test_the_name_of_an_image(image: str, name: str) -> None:
    """A port is no tag."""
    assert image_name(image) == name


def test_an_unknown_image_name_is_found_by_the_service() -> None:
    """Without `image` in the configuration, the last part of the name tells."""
    expected = replace(EXPECTED, image="")
    beside = (f"{IMAGE}:2026.02.2", "docker.io/library/redis:7")
    assert judge_application(replace(GOOD, images=beside), expected, GIT).outcome == "passed"
    renamed = ("mirror.example.com/backend:2026.02.2",)
    assert judge_application(replace(GOOD, images=renamed), expected, GIT).outcome == "passed"


def test_live_since_the_oldest_of_an_unbroken_row() -> None:
    """A later sync of something else doesn't start the time again; an older time in between does."""
    history = (
        Deployment(1, (OURS,), ago(9000)),
        Deployment(2, (OLD,), ago(8000)),
        Deployment(3, (OURS,), ago(600)),
        Deployment(4, (LATER,), ago(30)),
    )
    app = replace(GOOD, history=history, health_since=ago(500))
    assert live_since(app, GIT, "2026.02.2") == ago(600)
    assert rollout_time(app, GIT, "2026.02.2") == ago(499)
    assert live_since(app, None, "2026.02.2") == ago(30)
    assert live_since(replace(app, history=()), GIT, "2026.02.2") is None


# -- facts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-01T10:00:00Z", T0),
        ("2026-02-01T11:00:00+01:00", T0),
        ("2026-02-01T10:00:00.5Z", T0 + timedelta(seconds=0.5)),
        ("2026-02-01T10:00:00.123456789Z", T0 + timedelta(microseconds=123456)),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (17, None),
    ],
)
def test_times_of_an_api(text: object, expected: datetime | None) -> None:
    """Any number of decimals; the zero time means never."""
    assert parse_time(text) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "metadata",
                    "spec",
                    "status",
                    "operationState",
                    "sync",
                    "health",
                    "conditions",
                    "history",
                    "revision",
                    "revisions",
                    "summary",
                    "images",
                    "syncPolicy",
                    "automated",
                    "nodes",
                    "id",
                    "phase",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["metadata", "spec", "status", "operation", "nodes"]), JSON))
@settings(max_examples=150, deadline=None)
def test_no_answer_breaks_the_reading_or_passes_it(document: dict[str, Any]) -> None:
    """Nothing is required in Argo CD's description, and a stranger may answer."""
    app = application_of(document, T0)
    nodes_of(document)
    assert judge_application(app, EXPECTED, GIT).outcome != "passed"


def test_auto_sync_can_be_there_and_disabled() -> None:
    """Newer versions of Argo CD say `enabled: false`."""

    def policy(automated: Any) -> bool:
        document = {"spec": {"syncPolicy": {"automated": automated}}}
        return application_of(document, T0).auto_sync

    assert policy({}) and policy({"enabled": True}) and policy({"prune": True})
    assert not policy({"enabled": False}) and not policy(None)


# -- the check -----------------------------------------------------------------------------------


class Server:
    """Argo CD with fixed answers; remembers what was asked."""

    def __init__(self, **apps: Application) -> None:
        self.apps = {app.name: app for app in apps.values()}
        self.asked: list[tuple[str, bool]] = []
        self.tree: tuple[Node, ...] = ()

    def application(self, name: str, refresh: bool = False) -> Application:
        self.asked.append((name, refresh))
        return self.apps[name]

    def resource_tree(self, name: str) -> tuple[Node, ...]:
        return self.tree

    def page(self, name: str) -> str:
        return ""


def test_git_is_looked_at_once() -> None:
    """A refresh at the first reading; after that Argo CD works by itself."""
    server = Server(one=GOOD)
    check = ApplicationCheck(Settings((GOOD.name,), EXPECTED), server, None)
    check.measure(Moment(T0))
    check.measure(Moment(T0))
    assert server.asked == [(GOOD.name, True), (GOOD.name, False)]


def test_a_refresh_that_takes_too_long_is_not_asked_for_again() -> None:
    """Or a large repository would never be measured."""
    server = Server(one=GOOD)
    check = ApplicationCheck(Settings(("missing",), EXPECTED), server, None)
    for _ in range(2):
        with pytest.raises(KeyError):
            check.measure(Moment(T0))
    assert server.asked == [("missing", True), ("missing", False)]


def test_several_applications_pass_together_or_not_at_all() -> None:
    """The worst of them speaks, by name; the rollout is as old as the youngest."""
    other = replace(GOOD, name="worker", health="Progressing")
    server = Server(one=GOOD, two=other)
    check = ApplicationCheck(Settings((GOOD.name, "worker"), EXPECTED), server, None)
    reading = check.measure(Moment(T0))
    assert (reading.outcome, reading.reason) == ("waiting", "worker: Progressing")
    server.apps["worker"] = replace(GOOD, name="worker", health_since=ago(20))
    reading = check.measure(Moment(T0))
    assert (reading.outcome, reading.since) == ("passed", ago(19))


def test_degraded_children_speak() -> None:
    """The resource tree knows which pod it is, and why."""
    server = Server(one=replace(GOOD, health="Degraded"))
    server.tree = (
        Node("Pod", "nexo-be-1", health="Degraded", message="CrashLoopBackOff"),
        Node("Pod", "nexo-be-2", health="Healthy"),
    )
    reading = ApplicationCheck(Settings((GOOD.name,), EXPECTED), server, None).measure(Moment(T0))
    assert reading.details == ("Pod/nexo-be-1 Degraded: CrashLoopBackOff",)


def test_options_of_the_check() -> None:
    """What is given takes the default's place."""
    values = {"app": "a, b", "stability": "1m", "old-version": "allowed", "digest": DIGEST}
    known = (*COMMON, "app", "stability", "old-version", "image", "digest", "revision")
    settings_ = parse(Options("argocd", values, known), ("x",), EXPECTED)
    assert settings_.apps == ("a", "b")
    assert settings_.expected == replace(EXPECTED, stability=60.0, old_gone=False, digest=DIGEST)
