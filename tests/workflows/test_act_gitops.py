"""The GitOps example's workflows, run whole by act: against emulators, a registry, metrics and real git."""

from __future__ import annotations

import json
from typing import Any

import requests

from promote_actions.rehearsal.application import Behaviour
from promote_actions.rehearsal.world import ARGOCD_TOKEN
from tests.actions.step_runner import ROOT
from tests.adapters.scripted_server import fixed, serving
from tests.rehearsal.argocd_bench import until
from tests.workflows import argocd_notification as notification
from tests.workflows.act_world import SERVICE, Stage, repository


def dispatched(service: str) -> dict[str, Any]:
    payload = {"promotion": {"service": service}}
    return {"action": "deploy-success-develop", "client_payload": payload}


def told_by_argocd(stage: Stage) -> dict[str, Any]:
    """Argo CD's notification, sent to GitHub, as the event that GitHub then starts workflows with."""
    url = f"{stage.world.argocd.url}/api/v1/applications/{SERVICE}-develop"

    def app() -> dict[str, Any]:
        answer = requests.get(url, headers={"Authorization": f"Bearer {ARGOCD_TOKEN}"}, timeout=10)
        document: dict[str, Any] = answer.json()
        document["metadata"]["labels"] = {"service": SERVICE}
        return document

    until(lambda: notification.triggers(app()))
    stage.call("POST", "dispatches", "nexo-release-bot", notification.body(app()))
    sent = stage.world.github.repository("nexo-org/nexo-gitops").dispatches[-1]
    return {"action": sent.event_type, "client_payload": sent.payload}


def test_develop_goes_to_qa_by_itself(stage: Stage) -> None:
    """Gate, promotion, check where it arrived: one commit, with its record, and nothing is taken back."""
    with serving(fixed(body=b"ok")) as chat:
        stage.act.secrets["SLACK_WEBHOOK"] = f"{chat.url}/services/T0/B0/abcdefghijklmnopqrst"
        ran = stage.gitops("auto-promote.yml", "repository_dispatch", told_by_argocd(stage))
    assert ran.status == 0, ran.log
    (message,) = (json.loads(asked.body) for asked in chat.asked)
    assert message["text"] == f"✅ Auto-promoted {SERVICE} to QA: 2026.02.17"
    assert "abcdefghijklmnopqrst" not in ran.log
    assert set(ran.jobs) == {"Gate", "Promote", "Check it where it arrived"}
    assert stage.version("qa") == "2026.02.17"
    assert stage.subjects()[0] == f"auto-promote({SERVICE}): qa → 2026.02.17"
    (record,) = map(json.loads, stage.records())
    assert (record["outcome"], record["to_environment"]) == ("success", "qa")
    assert record["validation_results"] == {
        "argocd_health": "passed",
        "smoke_tests": "passed",
        "error_rate": "passed",
    }


def test_a_bad_version_is_taken_back_and_recorded(stage: Stage) -> None:
    """The gate of develop fails: qa gets nothing, develop gets its last good version back, once."""
    stage.world.application.behave("2026.02.18", Behaviour(error_ratio=0.5))
    stage.set_version("develop", "2026.02.18")
    ran = stage.gitops("auto-promote.yml", "repository_dispatch", dispatched(SERVICE))
    assert ran.status != 0
    assert ran.jobs == {
        "Gate": "failed",
        "Take a failed version back": "succeeded",
        "Record what did not happen": "succeeded",
    }
    assert (stage.version("develop"), stage.version("qa")) == ("2026.02.17", "2026.02.15")
    told = {
        (each["to_environment"], each["event"], each["outcome"])
        for each in map(json.loads, stage.records())
    }
    assert told == {("develop", "rollback", "success"), ("qa", "promotion", "refused")}


def test_a_schedule_with_nothing_to_promote_checks_nothing(stage: Stage) -> None:
    """qa has what develop has: no gate runs, nothing fails, nothing is recorded."""
    stage.set_version("qa", "2026.02.17")
    workflow = stage.checkout("gitops-repo") / ".github/workflows/auto-promote-on-schedule.yml"
    workflow.write_text(workflow.read_text(encoding="utf-8").replace("[nexo-be, nexo-web]", f"[{SERVICE}]"))
    ran = stage.gitops("auto-promote-on-schedule.yml", "schedule")
    assert ran.status == 0, ran.log
    assert ran.jobs == {"Gate": "succeeded"}
    assert "action health-gate" not in ran.log
    assert stage.records() == []


def pull_request(number: int, **more: Any) -> dict[str, Any]:
    head = {"repo": {"full_name": "nexo-org/nexo-gitops"}, "ref": f"promote/{SERVICE}"}
    return {"number": number, "pull_request": {"number": number, "head": head, **more}, **more}


def approve(stage: Stage, number: int, *logins: str) -> None:
    for login in logins:
        stage.call("POST", f"pulls/{number}/reviews", login, {"event": "APPROVE"})


def test_staging_is_proposed_approved_merged_and_checked(stage: Stage) -> None:
    """A person starts it, another one approves, and the merge is recorded with who approved it."""
    asked = {"inputs": {"service": SERVICE, "reason": "sprint 7"}}
    ran = stage.gitops("promote-staging.yml", "workflow_dispatch", asked)
    assert ran.status == 0, ran.log
    assert set(ran.jobs) == {"Qa is well", "Promote to staging", "Say what the pull request lacks"}
    (pull,) = stage.call("GET", "pulls", "dora-dev")
    number = pull["number"]
    assert (pull["title"], stage.version("staging")) == (
        f"promote({SERVICE}): staging → 2026.02.15",
        "2026.02.10",
    )
    assert stage.statuses(number) == {"approvals": "pending", "soak": "success", "policy": "success"}

    approve(stage, number, "bob-platform")
    ran = stage.gitops("promotion-guard.yml", "pull_request_review", pull_request(number))
    assert ran.status == 0, ran.log
    assert set(stage.statuses(number).values()) == {"success"}

    stage.call("PUT", f"pulls/{number}/merge", "dora-dev", {"merge_method": "squash"})
    ran = stage.gitops("on-merge.yml", "pull_request", pull_request(number, action="closed"))
    assert ran.status == 0, ran.log
    assert stage.version("staging") == "2026.02.15"
    (record,) = map(json.loads, stage.records())
    assert (record["outcome"], record["to_environment"]) == ("success", "staging")
    assert record["approvers"] == ["bob-platform"]
    assert record["pr_url"].endswith(f"/pull/{number}")
    assert record["validation_results"]["argocd_health"] == "passed"


def test_a_bad_merge_is_recorded_and_taken_back(stage: Stage) -> None:
    """A merged version that fails where it arrived: the record says so, then policy takes it back."""
    gitops = "nexo-org/nexo-gitops"
    text = (stage.world.snapshot().read("promotion.yaml") or b"").decode()
    auto = text.replace("staging: {", "staging: {approvals: 0, rollback: auto, ")
    stage.world.github.commit(gitops, {"promotion.yaml": auto}, "Let staging go back by itself")
    stage.set_version("qa", "2026.02.16")
    stage.world.application.behave("2026.02.16", Behaviour(error_ratio=0.5))
    place = stage.world.values_path(stage.world.config.environment("staging"), SERVICE)
    good = stage.world.snapshot().read(place) or b""
    changed = {place: good.replace(b"2026.02.10", b"2026.02.16")}
    stage.world.github.commit(gitops, changed, "Bump", branch="bump", login="dora-dev")
    body = {"title": "Bump", "head": "bump", "base": "main"}
    number = stage.call("POST", "pulls", "dora-dev", body)["number"]
    stage.gitops("promotion-guard.yml", "pull_request", pull_request(number))
    stage.call("PUT", f"pulls/{number}/merge", "dora-dev", {"merge_method": "squash"})
    ran = stage.gitops("on-merge.yml", "pull_request", pull_request(number, action="closed"))
    assert ran.status != 0
    assert stage.version("staging") == "2026.02.10"
    told = [(each["event"], each["outcome"], each["version"]) for each in map(json.loads, stage.records())]
    assert sorted(told) == [("promotion", "failure", "2026.02.16"), ("rollback", "success", "2026.02.10")]


def test_what_a_policy_refuses_is_recorded(stage: Stage) -> None:
    """The line is stopped: qa is well, nothing is proposed, and the log says that somebody was refused."""
    stage.world.github.commit("nexo-org/nexo-gitops", {"holds/stop-the-line": "incident 42\n"}, "Stop")
    ran = stage.gitops("promote-staging.yml", "workflow_dispatch", {"inputs": {"service": SERVICE}})
    assert ran.status != 0
    assert ran.jobs == {
        "Qa is well": "succeeded",
        "Promote to staging": "failed",
        "Record what did not happen": "succeeded",
    }
    assert "the line is stopped: incident 42" in ran.log
    (record,) = map(json.loads, stage.records())
    assert (record["outcome"], record["to_environment"], record["version"]) == (
        "refused",
        "staging",
        "2026.02.15",
    )
    assert stage.call("GET", "pulls", "dora-dev") == []


def test_without_argo_cd_the_service_says_what_it_runs(stage: Stage) -> None:
    """The other example: the gate reads the version from the service's own answer, before and after."""
    config = (ROOT / "workflows-examples/without-argocd/promotion.yaml").read_bytes()
    quick = config.replace(b"{check: http,", b"{check: http, interval: 200ms,")
    stage.world.github.commit("nexo-org/nexo-gitops", {"promotion.yaml": quick}, "Without Argo CD")
    ran = stage.act.run(
        stage.checkout("without-argocd"),
        "auto-promote.yml",
        "repository_dispatch",
        {**repository("nexo-org/nexo-gitops"), **dispatched(SERVICE)},
    )
    assert ran.status == 0, ran.log
    assert set(ran.jobs) == {"Gate", "Promote", "Check it where it arrived"}
    assert stage.version("qa") == "2026.02.17"
    assert "argocd" not in json.loads(stage.records()[0])["validation_results"]


def test_production_waits_for_soak_and_two_approvals(stage: Stage) -> None:
    """The pull request is there at once; what it lacks is said in its statuses, and it can't be merged."""
    ran = stage.gitops("promote-production.yml", "workflow_dispatch", {"inputs": {"service": SERVICE}})
    assert ran.status == 0, ran.log
    (pull,) = stage.call("GET", "pulls", "dora-dev")
    assert {label["name"] for label in pull["labels"]} == {"production-deploy"}
    approve(stage, pull["number"], "alice-sre", "carlos-sre")
    ran = stage.gitops("promotion-guard.yml", "schedule")
    assert ran.status == 0, ran.log
    assert stage.statuses(pull["number"]) == {
        "approvals": "success",
        "soak": "pending",
        "policy": "success",
    }
    assert stage.version("production") == "2026.01.45"


def test_one_that_was_closed_is_recorded_as_cancelled(stage: Stage) -> None:
    """A proposal that nobody took is an event too."""
    gitops = "nexo-org/nexo-gitops"
    place = stage.world.values_path(stage.world.config.environment("staging"), SERVICE)
    text = stage.world.snapshot().read(place) or b""
    changed = {place: text.replace(b"2026.02.10", b"2026.02.15")}
    stage.world.github.commit(gitops, changed, "Try it", branch="try", login="dora-dev")
    body = {"title": "Try it", "head": "try", "base": "main"}
    number = stage.call("POST", "pulls", "dora-dev", body)["number"]
    stage.call("PATCH", f"pulls/{number}", "dora-dev", {"state": "closed"})
    ran = stage.gitops("on-merge.yml", "pull_request", pull_request(number, action="closed"))
    assert ran.status == 0, ran.log
    (record,) = map(json.loads, stage.records())
    assert (record["outcome"], record["version"]) == ("cancelled", "2026.02.15")
    assert stage.version("staging") == "2026.02.10"


def test_production_goes_back_by_a_pull_request_without_soak(stage: Stage) -> None:
    """At night: one form to fill in, and a pull request that only lacks its approvals."""
    stage.set_version("production", "2026.02.10")
    asked = {"service": SERVICE, "environment": "production", "reason": "login fails"}
    ran = stage.gitops("rollback.yml", "workflow_dispatch", {"inputs": asked})
    assert ran.status == 0, ran.log
    (pull,) = stage.call("GET", "pulls", "dora-dev")
    assert pull["title"] == f"rollback({SERVICE}): production → 2026.01.45"
    states = stage.statuses(pull["number"])
    assert (states["approvals"], states["soak"]) == ("pending", "success")


def test_the_matrix_is_kept_as_a_page(stage: Stage) -> None:
    """The page, the Markdown and the badge are in the artifact; nothing goes to Pages unasked."""
    ran = stage.gitops("version-matrix.yml", "push")
    assert ran.status == 0, ran.log
    kept = stage.folder / "machine/artifacts/version-matrix"
    assert {path.name for path in kept.iterdir()} == {"index.html", "matrix.md", "badge.json"}
    assert "2026.01.45" in (kept / "index.html").read_text(encoding="utf-8")
    assert not (stage.folder / "machine/artifacts/pages").exists()


def test_an_edited_audit_log_fails_its_pull_request(stage: Stage) -> None:
    """The chains hold on the checkout of a good one, and not when a record was edited."""
    from tests.support.gitops import command, git

    bare = stage.world.bare
    assert command("promote", "--gitops", str(bare), "--service", SERVICE, "--to", "qa").status == 0
    clone = stage.folder / "clone"
    git(stage.folder, "clone", "-q", str(bare), str(clone))
    git(clone, "remote", "set-url", "origin", "https://github.com/nexo-org/nexo-gitops.git")
    (clone / ".github/workflows").mkdir(parents=True)
    example = stage.checkout("gitops-repo") / ".github/workflows/audit.yml"
    (clone / ".github/workflows/audit.yml").write_text(example.read_text(encoding="utf-8"))
    good = stage.act.run(clone, "audit.yml", "pull_request", pull_request(1))
    assert good.status == 0, good.log
    (record,) = (clone / "audit-logs").iterdir()
    record.write_text(record.read_text(encoding="utf-8").replace('"success"', '"failure"'))
    git(clone, "commit", "-q", "-a", "-m", "Nothing to see here")
    bad = stage.act.run(clone, "audit.yml", "pull_request", pull_request(1))
    assert bad.status != 0
    assert record.name in bad.log
