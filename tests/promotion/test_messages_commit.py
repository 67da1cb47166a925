"""Branch, title, commit message and trailers, as git itself reads them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.matrix.timeline import promotions_of
from promote_actions.promotion.messages import (
    SUBJECT,
    TITLE_LIMIT,
    branch_of,
    read_trailers,
    title_of,
    words,
)
from promote_actions.promotion.model import Caller, Plan, Request
from tests.promotion.promotions import move, plan_of, request
from tests.support.gitops import CLEAN, git

RUN = Caller("ana", "https://github.com/nexo-org/nexo-be/actions/runs/7", "7", "1")


def parsed(message: str) -> list[str]:
    """The trailers that git finds in ``message``."""
    done = subprocess.run(
        ["git", "interpret-trailers", "--parse"],
        input=message.encode(),
        capture_output=True,
        check=True,
        env=CLEAN,
    )
    return done.stdout.decode().splitlines()


def test_the_whole_commit_message() -> None:
    """As the strategy writes it, with trailers that a machine can read."""
    wanted = request(validation={"smoke_tests": "passed", "load": "failed"}, reason="because", caller=RUN)
    made = plan_of(move(digest="sha256:" + "a" * 64), overridden=("freeze",))
    assert (
        words(wanted, made).commit
        == f"""\
promote(app): qa → 2026.02.17

## Changelog
- app: 2026.02.15 → 2026.02.17

## Validation
- ✅ smoke_tests: passed
- ❌ load: failed

## Rollback plan
1. Revert this commit
2. OR: set image.tag = "2026.02.15" in helm/app/values-qa.yaml (previous version)

Reason: because

Overridden: freeze

Promotion-Service: app
Promotion-From: develop
Promotion-To: qa
Promotion-Version: 2026.02.17
Promotion-Previous: 2026.02.15
Promotion-Digest: sha256:{"a" * 64}
Promotion-Run: {RUN.run_url}
"""
    )


@pytest.mark.parametrize(
    ("wanted", "made", "title", "branch"),
    [
        (request(), plan_of(), "promote(app): qa → 2026.02.17", "promote/app-qa-2026.02.17"),
        (
            request(kind="auto-promote"),
            plan_of(to="production"),
            "auto-promote(app): production → 2026.02.17",
            "promote/app-prod-2026.02.17",
        ),
        (
            request(kind="rollback"),
            plan_of(move(version="2026.01.45"), to="production", rollback=True),
            "rollback(app): production → 2026.01.45",
            "rollback/app-prod-2026.01.45",
        ),
        (
            request(),
            plan_of(move("be"), move("web")),
            "promote(be, web): qa → 2026.02.17",
            r"promote/train-qa-[0-9a-f]{12}",
        ),
        (
            request(),
            plan_of(*(move(f"s{n}", version=f"2026.02.{20 + n}") for n in range(40))),
            "promote(s0, s1 and 38 more): qa → 2026.02.20, 2026.02.21 and 38 more",
            r"promote/train-qa-[0-9a-f]{12}",
        ),
    ],
)
def test_titles_and_branches(wanted: Request, made: Plan, title: str, branch: str) -> None:
    """Their form is what other tools go by."""
    assert title_of(wanted, made) == title
    assert re.fullmatch(branch, branch_of(wanted, made))


def test_a_train_s_branch_is_its_content() -> None:
    """The same services with the same versions are the same train, and no others are."""
    one, two = plan_of(move("be"), move("web")), plan_of(move("be"), move("api"))
    assert branch_of(request(), one) == branch_of(request(reason="again"), one)
    assert branch_of(request(), one) != branch_of(request(), two)


@pytest.mark.parametrize(
    ("subject", "read"),
    [
        ("promote(nexo-be): production → 2026.02.1", ("promote", "nexo-be", "production", "2026.02.1")),
        ("auto-promote(nexo-be): qa → 2026.02.1", ("auto-promote", "nexo-be", "qa", "2026.02.1")),
        ("rollback(a.b_c): prod -> 1", ("rollback", "a.b_c", "prod", "1")),
        ('Revert "promote(nexo-be): production → 2026.02.1"', None),
        ("promote(): qa → 1", None),
        ("feat(promote): qa → 1", None),
    ],
)
def test_the_strategy_s_subjects_are_read(subject: str, read: tuple[str, ...] | None) -> None:
    """A person's commit is understood as ours."""
    found = SUBJECT.fullmatch(subject)
    assert (found.groups() if found else None) == read


TEXT = st.text(st.characters(codec="utf-8"), max_size=200)
NAME = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)
VERSION = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}", fullmatch=True)


@settings(max_examples=25, deadline=None)
@given(st.lists(NAME, min_size=1, max_size=4, unique=True), VERSION, st.tuples(TEXT, TEXT, TEXT, TEXT))
def test_trailers_survive_whatever_else_is_said(
    names: list[str], version: str, texts: tuple[str, str, str, str]
) -> None:
    """Git's own parser and ours find exactly our trailers, whatever stands in the texts before them."""
    previous, reason, changelog, result = texts
    made = plan_of(*(replace(move(name, version, "1"), previous=previous) for name in names))
    wanted = request(reason=reason, changelog=changelog, validation={result: reason}, caller=RUN)
    message = words(wanted, made).commit
    found = parsed(message)
    assert [line for line in found if line.startswith("Promotion-Service: ")] == [
        f"Promotion-Service: {name}" for name in names
    ]
    assert all(line.startswith("Promotion-") for line in found)
    assert [group["service"] for group in read_trailers(message)] == names
    assert {group["version"] for group in read_trailers(message)} == {version}
    assert promotions_of(message) == [(name, "qa", version) for name in names]
    assert "\0" not in message


@settings(max_examples=50, deadline=None)
@given(st.lists(NAME, min_size=1, max_size=60), VERSION)
def test_titles_fit_and_are_one_line(names: list[str], version: str) -> None:
    """GitHub takes 256 characters."""
    title = title_of(request(), plan_of(*(move(name, version, "1") for name in names)))
    assert len(title) <= TITLE_LIMIT
    assert title.isprintable()


@settings(max_examples=25, deadline=None)
@given(NAME, VERSION)
def test_branches_are_names_that_git_takes(name: str, version: str) -> None:
    """Whatever service and version may be called."""
    if ".." in name or ".." in version or version.endswith((".", ".lock")):
        return
    branch = branch_of(request(), plan_of(move(name, version, "1")))
    assert git(Path.cwd(), "check-ref-format", "--branch", branch) == branch


@pytest.mark.parametrize(
    "message",
    [
        "subject only",
        "s\n\nPromotion-Version: 1",
        "s\n\nPromotion-Service: a\n\nSigned-off-by: b",
        "s\n\nbody\nPromotion: x",
        "",
    ],
)
def test_what_is_no_group_of_trailers(message: str) -> None:
    """A group begins with the service, in the last paragraph."""
    assert read_trailers(message) == []


def test_a_long_previous_version_is_cut() -> None:
    """A values file can hold anything where a version belongs."""
    made = plan_of(replace(move(), previous="x" * 5000 + "\nPromotion-To: y"))
    message = words(request(), made).commit
    assert max(map(len, message.splitlines())) < 6000
    assert read_trailers(message)[0]["previous"] == "x" * 300
