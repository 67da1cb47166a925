"""``rollback --method ingress``: blue and green, by the cluster's API and by a key in git."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from promote_actions.errors import Refused
from promote_actions.rehearsal.json_patch import apply_patch
from promote_actions.rollback.slots import (
    Slot,
    Switched,
    backends,
    is_managed,
    live_slot,
    patch,
    read_switched,
    selector_of,
    slot_of,
)
from tests.rollback.ingress_world import BAD, GOOD, IMAGE, INGRESS, SPACE, VALUES, World, a_world
from tests.support.gitops import git, values

BLUE, GREEN = ["nexo-be-blue", "admin", "nexo-be-blue"], ["nexo-be-green", "admin", "nexo-be-green"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Green is live and bad; git has no key for the slot."""
    with a_world(tmp_path) as world:
        yield world


@pytest.fixture
def in_git(tmp_path: Path) -> Iterator[World]:
    """The same, with ``activeSlot`` in the values file."""
    with a_world(tmp_path, slot="green") as world:
        yield world


# -- by the cluster's API ------------------------------------------------------------------------


def test_the_other_slot_gets_the_traffic(world: World) -> None:
    """Every path and the default backend, nobody else's; recorded and quarantined in its own commit."""
    told = world.roll_back("--reason", "login fails")
    assert world.backends == BLUE
    ingress = world.cluster.read(SPACE, INGRESS)
    assert ingress["spec"]["defaultBackend"]["service"]["name"] == "nexo-be-blue"
    assert (told["method"], told["restored-version"], told["previous-version"]) == ("ingress", GOOD, BAD)
    assert (told["mode"], told["changed"]) == ("direct", True)
    (record,) = world.records()
    assert (record["rollback"], record["version"], record["previous_version"]) == (True, GOOD, BAD)
    assert (record["method"], record["via"], record["slot"], record["ingress"]) == (
        "ingress",
        "api",
        "blue",
        INGRESS,
    )
    assert json.loads(world.show(f"holds/nexo-be/{BAD}.json"))["reason"] == "login fails"
    assert BAD in world.show()


def test_it_says_that_git_does_not_know(world: World) -> None:
    """And how to mend that."""
    ran = world.try_it()
    assert f"rolled back nexo-be to {GOOD} in staging by switching the ingress" in ran.stdout
    assert f"git does not know of the switch (version {BAD} still stands there)" in ran.stdout
    assert f"rollback --method revert --to-version {GOOD}" in ran.stdout


def test_switched_twice_is_switched_once(world: World) -> None:
    """The other slot of the other slot is the bad one: a second run knows that it was done."""
    world.roll_back()
    head = git(world.bare, "rev-parse", "main")
    told = world.roll_back()
    assert (world.backends, told["changed"]) == (BLUE, False)
    assert git(world.bare, "rev-parse", "main") == head


def test_a_new_release_may_be_rolled_back_again(world: World) -> None:
    """The note of an older rollback says nothing once git has moved on."""
    world.roll_back()
    world.commit({VALUES: values("2026.02.19")}, "promote(nexo-be): staging → 2026.02.19")
    world.cluster.add_slot(SPACE, "nexo-be", "green", f"{IMAGE}:2026.02.19")
    world.cluster.write(SPACE, INGRESS, lambda now: _send_all(now, "nexo-be-green"))
    assert world.roll_back()["restored-version"] == GOOD
    assert world.backends == BLUE
    assert len(world.records()) == 2


def _send_all(ingress: dict[str, Any], service: str) -> None:
    for path in ingress["spec"]["rules"][0]["http"]["paths"]:
        if path["backend"]["service"]["name"] != "admin":
            path["backend"]["service"]["name"] = service
    ingress["spec"]["defaultBackend"]["service"]["name"] = service


def test_a_slot_by_name(world: World) -> None:
    """``--slot`` says which; the one that is live already is nothing to do."""
    told = world.roll_back("--slot", "green")
    assert (told["changed"], world.backends, world.records()) == (False, GREEN, [])
    assert world.roll_back("--slot", "blue")["changed"] is True
    assert world.backends == BLUE


def test_a_half_switched_ingress(world: World) -> None:
    """Which one is good can't be told then; with ``--slot`` it is made whole."""
    world.cluster.write(SPACE, INGRESS, lambda now: now["spec"]["rules"][0]["http"]["paths"].pop())
    world.cluster.add_ingress(SPACE, INGRESS, ["nexo-be-green", "nexo-be-blue"])
    ran = world.try_it()
    assert ran.status == 1
    assert "say which one shall have them all with --slot" in ran.error
    world.roll_back("--slot", "blue")
    assert world.backends == ["nexo-be-blue", "nexo-be-blue"]


def test_an_empty_slot_gets_no_traffic(world: World) -> None:
    """An outage is worse than a bad version: without a ready pod nothing is switched."""
    world.cluster.add_slot(SPACE, "nexo-be", "blue", f"{IMAGE}:{GOOD}", f"{IMAGE}:{GOOD}", ready=False)
    ran = world.try_it()
    assert ran.status == 1
    assert "nexo-be-blue has no ready pod" in ran.error
    assert (world.backends, world.records()) == (GREEN, [])


def test_the_idle_slot_may_hold_what_is_not_released_yet(world: World) -> None:
    """The next version waits in the other slot: switching would release it."""
    world.cluster.add_slot(SPACE, "nexo-be", "blue", f"{IMAGE}:2026.02.19", f"{IMAGE}:2026.02.19")
    ran = world.try_it()
    assert ran.status == 1
    assert f"slot blue runs 2026.02.19, which is newer than the live {BAD}" in ran.error
    assert world.backends == GREEN


def test_both_slots_with_the_same_version(world: World) -> None:
    """After the rollout of the bad version to both, switching mends nothing."""
    world.cluster.add_slot(SPACE, "nexo-be", "blue", f"{IMAGE}:{BAD}", f"{IMAGE}:{BAD}")
    ran = world.try_it()
    assert ran.status == 1
    assert f"slot blue runs {BAD}, which is the version that is live" in ran.error


def test_a_slot_in_the_middle_of_a_rollout(world: World) -> None:
    """Two versions at once is not a known state."""
    world.cluster.add_slot(SPACE, "nexo-be", "blue", f"{IMAGE}:{GOOD}", f"{IMAGE}:2026.02.11")
    ran = world.try_it()
    assert ran.status == 1
    assert "wait until its rollout has ended" in ran.error


def test_the_version_that_is_asked_for_has_to_be_there(world: World) -> None:
    """A slot can't be told what to run."""
    world.commit({VALUES: values("2026.02.11")}, "promote(nexo-be): staging → 2026.02.11")
    world.commit({VALUES: values(BAD)}, f"promote(nexo-be): staging → {BAD}")
    ran = world.try_it("--to-version", "2026.02.11")
    assert ran.status == 1
    assert f"slot blue runs {GOOD}, not 2026.02.11" in ran.error


def test_without_the_right_to_look_it_is_said(world: World) -> None:
    """A token that may only patch still switches; what was not checked is told."""
    world.cluster.forbid = {"list pods"}
    ran = world.try_it()
    assert ran.status == 0, ran.stderr
    assert world.backends == BLUE
    assert "what nexo-be-blue runs could not be checked" in ran.stdout


def test_a_controller_that_puts_it_back(world: World) -> None:
    """Argo CD's self-heal undoes a patch: seen, said, recorded as a failure, with the way that works."""
    world.cluster.managed = {INGRESS}
    tracked = {"argocd.argoproj.io/tracking-id": "nexo-be:networking.k8s.io/Ingress:x"}
    world.cluster.write(SPACE, INGRESS, lambda now: now["metadata"].update(annotations=dict(tracked)))
    ran = world.try_it("--stability", "500ms")
    assert ran.status == 1
    assert "something switched ingress 'nexo-be-ingress' back" in ran.error
    assert "(--via git)" in ran.error
    assert "Argo CD manages ingress 'nexo-be-ingress'" in ran.stdout
    assert [record["outcome"] for record in world.records()] == ["failure"]


def test_somebody_else_patches_at_the_same_time(world: World) -> None:
    """The tests of the patch fail, the ingress is looked at again, and then it is switched."""
    seen: list[str] = []

    def rival(request: str) -> None:
        seen.append(request)
        if request.startswith("GET") and request.endswith("/pods") and len(seen) < 5:
            world.cluster.write(SPACE, INGRESS, lambda now: now["metadata"].update(labels={"a": "b"}))

    world.cluster.after = rival
    assert world.roll_back()["changed"] is True
    assert world.backends == BLUE
    assert sum(request.startswith("PATCH") for request in seen) == 2


def test_with_the_revert_in_the_same_run(world: World) -> None:
    """Without a key for the slot, git agrees when it names the version again: one commit for everything."""
    world.roll_back("--with-revert")
    assert (world.backends, world.show()) == (BLUE, values(GOOD).strip())
    assert len(world.records()) == 1
    assert git(world.bare, "rev-list", "--count", "main") == "3"


def test_a_look_changes_nothing(world: World) -> None:
    """``--dry-run`` shows the patch, tests first."""
    ran = world.try_it("--dry-run")
    assert ran.status == 0, ran.stderr
    assert "would roll back nexo-be to 2026.02.10 in staging by switching the ingress" in ran.stdout
    assert "would send all to nexo-be-blue" in ran.stdout
    assert (world.backends, world.records()) == (GREEN, [])


def test_the_cluster_of_a_kubeconfig(world: World, tmp_path: Path) -> None:
    """Server, token and namespace come from its context."""
    document = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": SPACE}}],
        "clusters": [{"name": "c", "cluster": {"server": world.cluster.url}}],
        "users": [{"name": "u", "user": {"token": world.cluster.token}}],
    }
    (tmp_path / "config").write_text(json.dumps(document))
    given = ("--kubeconfig", str(tmp_path / "config"), "--namespace", "", "--kube-server", "")
    assert world.roll_back(*given)["changed"] is True
    assert world.backends == BLUE


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--ingress", "other"), 2, "there is no ingress 'other' in 'nexo-staging'"),
        (("--backend", "other"), 1, "has no backend other-blue or other-green"),
        (("--namespace", ""), 2, "the ingress's namespace is not known"),
        (("--kube-token", "wrong-wrong"), 2, "refuses the credentials"),
        (("--kube-server", "http://127.0.0.1:9"), 3, "did not answer"),
        (("--kube-server", "ftp://x"), 2, "the address of Kubernetes"),
        (("--slot", "red"), 2, "input 'slot' is 'red'"),
        (("--via", "git"), 2, "there is no key activeSlot"),
        (("--slot-key", "a..b"), 2, "is not a path into a values file"),
    ],
)
def test_what_is_refused(world: World, arguments: tuple[str, ...], status: int, words: str) -> None:
    """One line, and nothing is changed."""
    head = git(world.bare, "rev-parse", "main")
    ran = world.try_it(*arguments)
    assert ran.status == status, ran.stderr
    assert words in ran.error
    assert (world.backends, git(world.bare, "rev-parse", "main")) == (GREEN, head)


# -- by a key in git -----------------------------------------------------------------------------


def test_git_is_preferred_where_it_can(in_git: World) -> None:
    """One word of the values file, with record and quarantine; the cluster is left to Argo CD."""
    ran = in_git.try_it("--reason", "login fails")
    assert ran.status == 0, ran.stderr
    assert "through git (activeSlot), which is audited and what Argo CD applies" in ran.stderr
    assert in_git.show() == values(BAD) + "activeSlot: blue # live"
    assert in_git.cluster.requests == []
    (record,) = in_git.records()
    assert (record["version"], record["slot"], record["via"]) == (GOOD, "blue", "git")
    files = git(in_git.bare, "diff", "--name-only", "main^", "main").splitlines()
    assert [path.partition("/")[0] for path in files] == ["audit-logs", "helm", "holds"]


def test_in_git_too_twice_is_once(in_git: World) -> None:
    """A second run must not switch back to the bad slot."""
    in_git.roll_back()
    told = in_git.roll_back()
    assert told["changed"] is False
    assert "activeSlot: blue" in in_git.show()
    assert in_git.roll_back("--slot", "blue")["changed"] is False
    assert len(in_git.records()) == 1


def test_the_versions_of_the_slots_in_the_file(tmp_path: Path) -> None:
    """Where the file keeps a version for each slot, that is what comes back."""
    with a_world(tmp_path, slot="green") as world:
        slots = f"blue:\n  image: {{tag: '{GOOD}'}}\ngreen:\n  image: {{tag: '{BAD}'}}\n"
        world.commit({VALUES: values(BAD) + slots + "activeSlot: green\n"}, "slots")
        assert world.roll_back()["restored-version"] == GOOD
        newer = slots.replace(GOOD, "2026.02.19")
        world.commit({VALUES: values("2026.02.18") + newer + "activeSlot: green\n"}, "next in blue")
        ran = world.try_it()
        assert ran.status == 1
        assert "slot blue runs 2026.02.19, which is newer than the live 2026.02.18" in ran.error


def test_another_key(in_git: World) -> None:
    """Any path of the values file."""
    in_git.commit({VALUES: values(BAD) + "traffic:\n  slot: 'green'\n"}, "elsewhere")
    in_git.roll_back("--slot-key", "traffic.slot")
    assert "slot: 'blue'" in in_git.show()


def test_a_key_that_names_no_slot(in_git: World) -> None:
    """It is a mistake, with its file."""
    in_git.commit({VALUES: values(BAD) + "activeSlot: purple\n"}, "oops")
    ran = in_git.try_it()
    assert ran.status == 2
    assert f"{VALUES}: activeSlot is 'purple'; it must be blue or green" in ran.error


def test_through_the_api_and_git_after_it(in_git: World) -> None:
    """At once by the API, and with ``--with-revert`` the key follows, in the record's own commit."""
    in_git.roll_back("--via", "api", "--with-revert")
    assert in_git.backends == BLUE
    assert in_git.show() == values(BAD) + "activeSlot: blue # live"
    (record,) = in_git.records()
    assert (record["via"], record["slot"]) == ("api", "blue")
    assert in_git.roll_back()["changed"] is False


def test_through_the_api_git_is_said_to_lag(in_git: World) -> None:
    """The hint names the key."""
    ran = in_git.try_it("--via", "api")
    assert "activeSlot still stands there" in ran.stdout
    assert "rollback --method ingress --via git --slot blue" in ran.stdout


# -- the deciding parts --------------------------------------------------------------------------


def ingress(*services: str, **metadata: Any) -> dict[str, Any]:
    paths = [{"backend": {"service": {"name": name}}} for name in services]
    return {"metadata": metadata, "spec": {"rules": [{"http": {"paths": paths}}]}}


def test_the_patch_is_the_strategys_with_tests_first() -> None:
    """It applies to what it was made from and to nothing else."""
    document = ingress("a-green", "other", resourceVersion="7")
    found = backends(document, "a")
    operations = patch(document, found, "a", "blue", {"left": BAD, "slot": "blue", "restored": GOOD})
    pointer = "/spec/rules/0/http/paths/0/backend/service/name"
    assert operations[:3] == [
        {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "test", "path": pointer, "value": "a-green"},
        {"op": "replace", "path": pointer, "value": "a-blue"},
    ]
    after = apply_patch(document, operations)
    assert [each.service for each in backends(after, "a")] == ["a-blue"]
    assert read_switched(after) == Switched(BAD, "blue", GOOD)
    again = patch(after, backends(after, "a"), "a", "green", {})
    assert again[-1]["path"] == "/metadata/annotations/promote-actions~1rollback"


@pytest.mark.parametrize(
    "document",
    [
        {}, {"spec": None}, {"spec": {"rules": None}},
        {"spec": {"rules": [None, {"http": None}, {"http": {}}]}},
        {"spec": {"rules": [{"http": {"paths": [None, {"backend": {"resource": {"name": "x"}}}]}}]}},
        {"spec": {"defaultBackend": {"service": {"name": 7}}}},
    ],
)  # fmt: skip
def test_an_ingress_without_services(document: dict[str, Any]) -> None:
    """Rules without HTTP and backends that are no services are passed over."""
    assert backends(document, "a") == ()
    with pytest.raises(Refused, match="has no backend a-blue or a-green"):
        live_slot((), "a", "x")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"left": "x"}', '{"left":"x","slot":"red","restored":"y"}']
)
def test_a_note_that_is_none(text: str) -> None:
    """What others wrote there is no note."""
    assert read_switched(ingress(annotations={"promote-actions/rollback": text})) is None
    assert read_switched({}) is None


def pod(*images: Any, ready: str = "True") -> dict[str, Any]:
    containers = [{"image": image} for image in images]
    return {
        "spec": {"containers": containers},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(
    ("pods", "image", "expected"),
    [
        ([pod(f"{IMAGE}:1", "mesh:2")], IMAGE, Slot("s", 1, ("1",))),
        ([pod(f"{IMAGE}:1@sha256:x")], "", Slot("s", 1, ("1",))),
        (
            [pod(f"{IMAGE}:1"), pod(f"{IMAGE}:1"), pod(f"{IMAGE}:2", ready="False")],
            IMAGE,
            Slot("s", 2, ("1",)),
        ),
        ([pod("other/nexo-be:1")], IMAGE, Slot("s", 1, ())),
        ([pod(IMAGE + "@sha256:x", None)], IMAGE, Slot("s", 1, ())),
        ([{}, {"status": {"conditions": "x"}}, {"spec": None}], IMAGE, Slot("s", 0, ())),
    ],
)
def test_what_a_slot_runs(pods: list[dict[str, Any]], image: str, expected: Slot) -> None:
    """Ready pods, and the versions of the service's own image in them."""
    assert slot_of("s", pods, image, "nexo-be") == expected


def test_what_argo_cd_manages() -> None:
    """By its annotation or its label."""
    assert is_managed(ingress(annotations={"argocd.argoproj.io/tracking-id": "x"}))
    assert is_managed(ingress(labels={"argocd.argoproj.io/instance": "x"}))
    assert not is_managed(ingress(labels={"app": "x"}))
    assert not is_managed({})
    assert selector_of({"spec": {"selector": {"a": 1}}}) == {"a": "1"}
    assert selector_of({}) == {}
