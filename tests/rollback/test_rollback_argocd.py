"""``rollback --method argocd`` against Argo CD's emulator: the peers' traps, each by its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from promote_actions.errors import Refused
from promote_actions.gates.argocd_facts import Application
from promote_actions.gates.argocd_judge import Expected
from promote_actions.rehearsal.application import DemoApplication
from promote_actions.rehearsal.argocd import ArgoCDEmulator, Definition, Fault
from promote_actions.rollback.deployments import Entry, Note, entries, find, policy_of, progress, read_note
from tests.promotion.github_bench import GitHubBench
from tests.rehearsal.argocd_bench import FAST, IMAGE, NAME, VALUES
from tests.rollback.argocd_world import BAD, GOOD, World, a_world
from tests.support.gitops import git, values


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with a_world(tmp_path) as world:
        yield world


# -- what a rollback does ------------------------------------------------------------------------


def test_the_good_version_runs_again(world: World) -> None:
    """Deployed by its history id; recorded in a commit of its own, with the quarantine; git is told of."""
    told = world.roll_back("--reason", "login fails")
    assert world.live.images == [f"{IMAGE}:{GOOD}"]
    assert (told["method"], told["restored-version"], told["previous-version"]) == ("argocd", GOOD, BAD)
    assert (told["auto-sync"], told["mode"], told["changed"]) == ("off", "direct", True)
    assert world.named() == BAD
    (record,) = world.records()
    assert (record["rollback"], record["version"], record["method"]) == (True, GOOD, "argocd")
    assert (record["argocd_history_id"], record["argocd_sync_id"]) == (0, "2")
    assert (record["reason"], record["outcome"]) == ("login fails", "success")
    changed = git(world.bare, "diff", "--name-only", "main^", "main").splitlines()
    assert [path.partition("/")[0] for path in changed] == ["audit-logs", "holds"]
    assert git(world.bare, "log", "-1", "--format=%(trailers:key=Promotion-To)", "main") == ""


def test_it_says_plainly_that_git_disagrees(world: World) -> None:
    """And offers the revert that mends it."""
    ran = world.try_it()
    assert ran.status == 0, ran.stderr
    assert f"rolled back nexo-be to {GOOD} in develop through Argo CD" in ran.stdout
    assert f"git still names {BAD} in develop, and the cluster runs {GOOD}" in ran.stdout
    assert f"rollback --method revert --to-version {GOOD}" in ran.stdout
    assert "warning: git still names" in ran.stderr


def test_with_the_revert_in_the_same_run(world: World) -> None:
    """One commit for values, record and quarantine; auto-sync comes back exactly as it was."""
    world.live.automated = {"prune": False, "selfHeal": True, "allowEmpty": False}
    told = world.roll_back("--with-revert")
    world.argocd.settle()
    assert (told["auto-sync"], world.named()) == ("on", GOOD)
    assert (world.live.auto_sync, world.live.automated) == (
        True,
        {"prune": False, "selfHeal": True, "allowEmpty": False},
    )
    assert world.live.annotations == {}
    assert world.live.images == [f"{IMAGE}:{GOOD}"]
    assert len(world.records()) == 1
    assert git(world.bare, "log", "-1", "--format=%s", "main") == f"rollback(nexo-be): develop → {GOOD}"


def test_a_later_run_finishes_once_git_is_mended(world: World) -> None:
    """After the revert was made by itself, the same command switches auto-sync on, and once is enough."""
    world.roll_back()
    world.deploy(GOOD)
    assert not world.live.auto_sync
    told = world.roll_back()
    assert (told["auto-sync"], world.live.auto_sync, told["changed"]) == ("on", True, True)
    assert world.live.annotations == {}
    assert len(world.records()) == 1


def test_a_revert_after_it_is_a_late_fact_and_no_second_rollback(world: World) -> None:
    """The record of the mended git amends the first one, so that nothing is counted twice."""
    world.roll_back()
    world.roll_back("--with-revert")
    first, second = world.records()
    assert (second["event"], second["amends"]) == ("amendment", first["record_id"])
    assert (world.named(), world.live.auto_sync) == (GOOD, True)


@pytest.mark.parametrize(
    "how", [("--history-id", "0"), ("--revision",), ("--to-version", GOOD), ("--steps", "1")]
)
def test_by_id_revision_version_or_steps(world: World, how: tuple[str, ...]) -> None:
    """Each finds the same deployment; a revision may be shortened."""
    if how == ("--revision",):
        how = ("--revision", git(world.bare, "rev-parse", "main^")[:10])
    assert world.roll_back(*how)["restored-version"] == GOOD
    assert world.live.images == [f"{IMAGE}:{GOOD}"]


def test_a_look_changes_nothing(world: World) -> None:
    """``--dry-run`` says which steps it would take, and only reads."""
    head, asked = git(world.bare, "rev-parse", "main"), len(world.argocd.requests)
    ran = world.try_it("--dry-run")
    assert ran.status == 0, ran.stderr
    for words in ("would roll back", "switch auto-sync of nexo-be-develop off", f"deploy 0 ({GOOD} at "):
        assert words in ran.stdout
    assert {request.split()[0] for request in world.argocd.requests[asked:]} == {"GET"}
    assert git(world.bare, "rev-parse", "main") == head


def test_a_chart_from_elsewhere_beside_our_values(tmp_path: Path) -> None:
    """Of a multi-source application's revisions, the one that our repository knows tells the version."""
    definition = Definition(NAME, "nexo-be", "develop", VALUES, IMAGE, chart="1.4.2")
    with a_world(tmp_path, definition) as world:
        assert world.roll_back("--with-revert")["restored-version"] == GOOD


def test_an_application_that_was_not_synced_by_itself(tmp_path: Path) -> None:
    """Auto-sync that was off before is not switched on afterwards."""
    with a_world(tmp_path, Definition(NAME, "nexo-be", "develop", VALUES, IMAGE, auto_sync=False)) as world:
        world.live.begin(git(world.bare, "rev-parse", "main^"), GOOD, datetime.now(timezone.utc))
        world.argocd.settle()
        world.live.begin(git(world.bare, "rev-parse", "main"), BAD, datetime.now(timezone.utc))
        world.argocd.settle()
        told = world.roll_back("--with-revert")
        assert (told["auto-sync"], world.live.auto_sync) == ("off", False)
        assert world.live.images == [f"{IMAGE}:{GOOD}"]


# -- the traps -----------------------------------------------------------------------------------


def test_the_api_refuses_while_auto_sync_is_on(world: World) -> None:
    """argo-cd's "rollback cannot be initiated when auto-sync is enabled": it is switched off first, and the
    policy to put back is noted in the very same change."""
    world.roll_back()
    patches = [request for request in world.argocd.requests if request.startswith("PATCH")]
    assert len(patches) == 1
    note = read_note({"metadata": {"annotations": world.live.annotations}})
    assert note is not None
    assert (note.left, note.restored, note.automated) == (BAD, GOOD, {"prune": True, "selfHeal": True})


def test_switching_auto_sync_on_again_deploys_the_bad_version(world: World) -> None:
    """argo-cd issue 9570, which is why it stays off until git names another version."""
    world.roll_back()
    world.argocd.settle()
    assert world.live.images == [f"{IMAGE}:{GOOD}"]
    world.live.auto_sync = True
    world.argocd.settle()
    assert world.live.images == [f"{IMAGE}:{BAD}"]


def test_auto_sync_comes_back_only_when_the_mended_commit_was_seen(world: World) -> None:
    """argo-cd issue 10367: switched on before, it deploys the commit that Argo CD still remembers."""
    bad_commit = git(world.bare, "rev-parse", "main")
    world.roll_back("--with-revert")
    world.argocd.settle()
    began = [message for _, reason, message in world.live.events if reason == "OperationStarted"]
    assert not any(bad_commit in message for message in began[2:])
    refreshed = [n for n, request in enumerate(world.argocd.requests) if "refresh=normal" in request]
    patched = [n for n, request in enumerate(world.argocd.requests) if request.startswith("PATCH")]
    assert refreshed and patched[-1] > refreshed[0]


def test_an_application_set_that_switches_auto_sync_on_again(world: World) -> None:
    """What manages the application puts its policy back at once: then only git can roll back."""
    world.live.managed = True
    ran = world.try_it()
    assert ran.status == 1
    assert "something switches auto-sync of nexo-be-develop on again" in ran.error
    assert "--method revert" in ran.error
    assert world.live.images == [f"{IMAGE}:{BAD}"]
    assert world.records() == []


def test_a_history_that_does_not_go_back_far_enough(world: World) -> None:
    """revisionHistoryLimit: what is not kept can't be deployed again, and the way out is named."""
    world.live.history = world.live.history[-1:]
    ran = world.try_it("--to-version", GOOD)
    assert ran.status == 1
    assert f"Argo CD's history has no deployment of {GOOD}" in ran.error
    assert "roll back with --method revert" in ran.error
    assert world.live.auto_sync


def test_the_deployment_before_is_not_the_version_before(world: World) -> None:
    """After a rollback the entry before the last is the bad version: entries are found by version."""
    world.roll_back("--with-revert")
    world.argocd.settle()
    world.deploy("2026.02.19")
    assert world.roll_back()["restored-version"] == GOOD
    assert world.live.images == [f"{IMAGE}:{GOOD}"]


def test_the_same_again_is_nothing(world: World) -> None:
    """Pressed twice at night it neither goes further back nor forward, and records once."""
    world.roll_back()
    head = git(world.bare, "rev-parse", "main")
    told = world.roll_back()
    assert (told["changed"], told["restored-version"]) == (False, GOOD)
    assert git(world.bare, "rev-parse", "main") == head
    assert world.live.images == [f"{IMAGE}:{GOOD}"]
    assert "nothing to do: nexo-be is back at 2026.02.17 in develop already" in world.try_it().stdout


def test_git_that_went_on_is_not_deployed_by_a_rollback(world: World) -> None:
    """With auto-sync off a fix was promoted: whether to deploy it is not for a rollback to decide."""
    world.roll_back()
    world.deploy("2026.02.19")
    ran = world.try_it()
    assert ran.status == 1
    assert "git names 2026.02.19 now, and nexo-be-develop still runs 2026.02.17" in ran.error
    assert not world.live.auto_sync


def test_a_rollback_of_what_was_deployed_by_hand_since(world: World) -> None:
    """The fix that was synced by hand is bad too: a new rollback, which still knows the first policy."""
    world.roll_back()
    commit = world.deploy("2026.02.19")
    world.live.begin(commit, "2026.02.19", datetime.now(timezone.utc))
    world.argocd.settle()
    assert world.roll_back("--with-revert")["restored-version"] == GOOD
    assert (world.live.auto_sync, world.live.automated) == (True, {"prune": True, "selfHeal": True})


def test_an_operation_that_hangs(world: World) -> None:
    """A sync that waits for ever is waited for, then named; with ``--terminate`` it is ended."""
    now = datetime.now(timezone.utc)
    world.live.begin(git(world.bare, "rev-parse", "main"), BAD, now + timedelta(hours=1))
    ran = world.try_it("--timeout", "300ms")
    assert ran.status == 1
    assert "another operation of nexo-be-develop is still under way" in ran.error
    assert "--terminate" in ran.error
    assert world.roll_back("--terminate")["restored-version"] == GOOD
    assert world.live.images == [f"{IMAGE}:{GOOD}"]
    assert (world.live.auto_sync, len(world.records())) == (False, 1)


def test_a_rollback_that_argo_cd_can_not_make(world: World) -> None:
    """The failure is recorded as one, and auto-sync stays off for a person to look."""
    world.live.fail_with = "one or more objects failed to apply"
    ran = world.try_it("--with-revert")
    assert ran.status == 1
    assert "did not arrive at 2026.02.17: the operation ended Failed: one or more objects" in ran.error
    (record,) = world.records()
    assert (record["outcome"], record["rollback"]) == ("failure", True)
    assert (world.live.auto_sync, world.named()) == (False, BAD)
    world.live.fail_with = ""
    assert world.roll_back("--with-revert")["auto-sync"] == "on"
    assert [record["outcome"] for record in world.records()] == ["failure", "success"]


def test_a_version_that_does_not_get_well(world: World) -> None:
    """Deployed is not healthy: after its time the command fails and says what Argo CD says."""
    world.live.override.health, world.live.override.message = "Degraded", "back-off restarting"
    ran = world.try_it("--timeout", "1s")
    assert ran.status == 1
    assert "health is Degraded: back-off restarting" in ran.error


def test_what_has_no_version_that_can_be_read(world: World) -> None:
    """An entry by id whose version nobody knows needs the version's name, for the record."""
    head = git(world.bare, "rev-parse", "main")
    world.live.history = [replace(entry, revision="f" * 40) for entry in world.live.history]
    ran = world.try_it("--history-id", "0")
    assert ran.status == 2
    assert "name it with --to-version" in ran.error
    assert git(world.bare, "rev-parse", "main") == head


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--history-id", "7"), 1, "has no deployment of id 7; it has 1 (2026.02.18 at "),
        (("--history-id", "1"), 1, "has the version that git names"),
        (("--history-id", "0", "--to-version", "2026.02.3"), 1, "is not 2026.02.3"),
        (("--to-version", "2026.02.3"), 1, "was never live there"),
        (("--argocd-server", ""), 2, "no Argo CD server was given"),
        (("--argocd-server", "http://127.0.0.1:9"), 3, "did not answer"),
        (("--with-revert", "--mode", "pull-request"), 2, "a plain git repository doesn't have"),
    ],
)
def test_what_is_refused_is_refused_before_anything_is_done(
    world: World, arguments: tuple[str, ...], status: int, words: str
) -> None:
    """One line; cluster and git are as before."""
    head = git(world.bare, "rev-parse", "main")
    ran = world.try_it(*arguments)
    assert ran.status == status, ran.stderr
    assert words in ran.error
    assert world.live.auto_sync
    assert world.live.annotations == {}
    assert git(world.bare, "rev-parse", "main") == head


@pytest.mark.parametrize("fault", [Fault("down"), Fault("html"), Fault("status", 502), Fault("redirect")])
def test_argo_cd_that_is_not_there(world: World, fault: Fault) -> None:
    """A dependency that failed, or a wrong address; nothing was changed."""
    world.argocd.fault = fault
    ran = world.try_it()
    assert ran.status in (2, 3)
    assert len(ran.error) < 400
    world.argocd.fault = Fault()
    assert world.live.auto_sync


def test_production_by_argo_cd_with_a_pull_request_for_git(tmp_path: Path) -> None:
    """At once in the cluster, by review in git: auto-sync comes back with the run after the merge."""
    path, good, bad = "helm/nexo-be/values-prod.yaml", "2026.01.45", "2026.02.10"
    demo = DemoApplication().start()
    with GitHubBench(tmp_path) as bench:
        definition = Definition("nexo-be-production", "nexo-be", "production", path, IMAGE)
        argocd = ArgoCDEmulator(
            str(bench.bare), [definition], deploy=demo.deploy, health=demo.health, pace=FAST
        )
        with argocd:
            argocd.settle()
            bench.commit({path: values(bad)}, f"promote(nexo-be): production → {bad}")
            argocd.settle()
            app = argocd.app("nexo-be-production")
            given = {"service": "nexo-be", "environment": "production", "method": "argocd"}
            given |= {"argocd_server": argocd.url, "reason": "login fails"}
            first = bench.run("rollback", "with-revert", **given)
            assert first.status == 0, first.stderr
            assert (first.outputs["auto-sync"], first.outputs["pr-number"]) == ("off", "1")
            assert (app.images, app.auto_sync) == ([f"{IMAGE}:{good}"], False)
            changed = bench.git("diff", "--name-only", "main", f"rollback/nexo-be-prod-{good}")
            assert changed == path, "the quarantine is there already"
            again = bench.run("rollback", "with-revert", **given)
            assert (again.outputs["changed"], bench.open_pulls) == (False, [1])
            bench.merge(1)
            argocd.settle()
            last = bench.run("rollback", **given)
            assert last.status == 0, last.stderr
            assert last.outputs["auto-sync"] == "on"
            argocd.settle()
            assert (app.images, app.auto_sync, app.annotations) == ([f"{IMAGE}:{good}"], True, {})
    demo.stop()


# -- the deciding parts --------------------------------------------------------------------------

AT = datetime(2026, 2, 1, 10, tzinfo=timezone.utc)
ENTRY = Entry(3, ("a" * 40,), GOOD)
DONE = Application(
    NAME, AT, phase="Succeeded", operation_finished=AT, operation_revisions=ENTRY.revisions,
    sync="OutOfSync", health="Healthy", reconciled_at=AT, images=(f"{IMAGE}:{GOOD}",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({}, "done", "Healthy with 2026.02.17"),
        ({"images": ()}, "done", "Healthy"),
        ({"images": (f"{IMAGE}:{GOOD}", f"{IMAGE}:{BAD}")}, "done", "Healthy"),
        ({"operating": True, "phase": "Running", "phase_message": "hooks"}, "waiting", "under way: hooks"),
        ({"operation_revisions": ("b" * 40,)}, "waiting", "has not begun"),
        ({"operation_revisions": ("b" * 40,), "phase": "Failed"}, "waiting", "has not begun"),
        ({"phase": "Failed", "phase_message": "no"}, "failed", "the operation ended Failed: no"),
        ({"phase": "Error"}, "failed", "the operation ended Error"),
        ({"images": (f"{IMAGE}:{BAD}",)}, "waiting", "2026.02.17 is not among the running images"),
        ({"reconciled_at": AT - timedelta(seconds=1)}, "waiting", "is from before the operation's end"),
        ({"reconciled_at": None}, "waiting", "is from before the operation's end"),
        ({"health": "Degraded", "health_message": "x"}, "waiting", "health is Degraded: x"),
        ({"health": ""}, "waiting", "health is unknown"),
    ],
)
def test_healthy_of_the_old_version_is_no_arrival(change: dict[str, Any], state: str, words: str) -> None:
    """Every sign has to be of this rollback: operation, images, and health as seen after its end."""
    found = progress(replace(DONE, **change), ENTRY, Expected(GOOD, "nexo-be", IMAGE, old_gone=False))
    assert found[0] == state
    assert words in found[1]


TAG = {"name": "image.tag", "value": "7"}
HISTORY = {
    "status": {
        "history": [
            {"id": 1, "revision": "a" * 40},
            {"id": "2", "revisions": ["1.4.2", "b" * 40]},
            {"id": 3, "revision": "9", "source": {"helm": {"parameters": [TAG]}}},
            {"id": 4, "revision": "8", "sources": [{"kustomize": {"images": [f"old={IMAGE}:6@sha256:x"]}}]},
            {"id": 5, "revision": "c" * 40, "source": {"kustomize": {"images": [3, None]}}},
            "nonsense",
            {"id": None, "revision": 5, "source": "x"},
        ]
    }
}  # fmt: skip


def test_the_versions_of_a_history() -> None:
    """By git where it knows the commit, else by what the source sets; anything else is unknown."""
    found = entries(HISTORY, {"a" * 40: "4", "b" * 40: "5"}.get, IMAGE, "nexo-be")
    assert [(entry.id, entry.version) for entry in found] == [
        (5, ""), (4, "6"), (3, "7"), (2, "5"), (1, "4"), (0, ""),
    ]  # fmt: skip
    assert find(found, version="5").id == 2
    assert find(found, revision="bbbbbbb").id == 2
    assert find(found, id=4).version == "6"
    with pytest.raises(Refused, match="no deployment of revision bbbb"):
        find(found, revision="bbbb")


@pytest.mark.parametrize("document", [{}, {"status": None}, {"status": {"history": "x"}}, {"status": []}])
def test_a_history_that_is_none(document: dict[str, Any]) -> None:
    """Nothing there is required by the API's description."""
    assert entries(document, lambda _: None, "", "") == ()


def test_a_note_is_read_back() -> None:
    """What is written is what is read, with any policy; anything else is no note."""
    for automated in (None, {}, {"prune": True}):
        note = Note(BAD, GOOD, "2026-02-01T10:30:00Z", automated)
        assert read_note({"metadata": {"annotations": {"promote-actions/rollback": note.text()}}}) == note
    for text in ("", "{", "[]", '{"left": 1}', '{"left":"","restored":"","since":"","automated":3}', 7):
        assert read_note({"metadata": {"annotations": {"promote-actions/rollback": text}}}) is None


@pytest.mark.parametrize(
    ("spec", "policy"),
    [
        ({"syncPolicy": {"automated": {}}}, {}),
        ({"syncPolicy": {"automated": {"prune": True}}}, {"prune": True}),
        ({"syncPolicy": {"automated": {"enabled": False, "prune": True}}}, None),
        ({"syncPolicy": {"automated": None}}, None),
        ({"syncPolicy": {}}, None),
        ({}, None),
    ],
)
def test_whether_auto_sync_is_on(spec: dict[str, Any], policy: dict[str, Any] | None) -> None:
    """An empty ``automated`` means on, as does one without ``enabled: false``."""
    assert policy_of({"spec": spec}) == policy
