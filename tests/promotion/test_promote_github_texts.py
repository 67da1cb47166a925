"""What pull requests and commits tell: the service's commits, soak and diff; and strangers' words in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promotion.github_bench import SOURCE, GitHubBench
from tests.support.gitops import git, values

HISTORY = [
    ("chore: start", "2026.01.45"),
    ("feat(api): add rate limiting (#12)", ""),
    ("fix: authentication timeout (#13)", ""),
    ("perf: optimise database queries", ""),
    ("Tidy up", ""),
    ("feat!: drop the old login\n\nBREAKING CHANGE: tokens of 2025 are refused", "2026.02.10"),
    ("fix: not released yet", ""),
]
CONFIGURATION = f"version: 1\nservices:\n  nexo-be: {{repository: {SOURCE}}}\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[GitHubBench]:
    with GitHubBench(tmp_path, ["nexo-be", "nexo-web"], {"promotion.yaml": CONFIGURATION}) as bench:
        yield bench


def body(bench: GitHubBench, number: int = 1) -> str:
    return bench.pull(number).body or ""


def section(text: str, name: str) -> list[str]:
    """The lines of one section of a commit message or body."""
    found = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip().splitlines() if found else []


def test_the_changelog_lists_the_service_s_commits_by_kind(bench: GitHubBench) -> None:
    """Between the two versions' tags, grouped and linked, in the body and in the commit."""
    made = bench.add_source(HISTORY)
    bench.promote(service="nexo-be", to="production")
    page = bench.github.url + "/" + SOURCE
    kinds = [line for line in section(body(bench), "Changelog") if line.startswith("###")]
    assert kinds == ["### Breaking changes", "### Features", "### Fixes", "### Performance", "### Other"]
    text = body(bench)
    short = made[1][:7]
    assert re.search(
        rf"- \*\*api:\*\* add rate limiting \(\[PR 12\]\(\S+/pull/12\), \[`{short}`\]\(\S+\)\)", text
    )
    assert "not released yet" not in text
    assert "start" not in "".join(section(text, "Changelog"))
    assert f"{SOURCE}/compare/2026.01.45...2026.02.10" in text
    commit = bench.git("log", "-1", "--format=%B", bench.pull(1).head)
    assert section(commit, "Changelog")[:4] == [
        "### Breaking changes", f"- drop the old login ({made[5][:7]})", "### Features",
        f"- api: add rate limiting (PR 12, {short})",
    ]  # fmt: skip
    assert page.startswith("http://127.0.0.1")


def test_tags_of_a_repository_of_several_services(bench: GitHubBench) -> None:
    """Tags that begin with the service's name are found as well."""
    bench.add_source([("a: b", "nexo-be/2026.01.45"), ("fix: the door", "nexo-be/2026.02.10")])
    bench.promote(service="nexo-be", to="production")
    assert "the door" in body(bench)


@pytest.mark.parametrize(
    ("configuration", "history", "words"),
    [
        ("version: 1\n", [], "services.nexo-be.repository in the configuration would show the commits"),
        (CONFIGURATION, [("a", "2026.01.45")], "2026.01.45 or 2026.02.10 is no tag there"),
        (
            "version: 1\nservices:\n  nexo-be: {repository: 'https://git.example.com/be.git'}\n",
            [],
            "it is not reached through GitHub",
        ),
    ],
)
def test_without_commits_there_is_a_note(
    bench: GitHubBench, configuration: str, history: list[tuple[str, str]], words: str
) -> None:
    """The promotion goes on; the body says why there is no list, and which versions."""
    bench.commit({"promotion.yaml": configuration})
    if history:
        bench.add_source(history)
    bench.promote(service="nexo-be", to="production")
    assert section(body(bench), "Changelog")[0] == "- nexo-be: 2026.01.45 → 2026.02.10"
    assert words in section(body(bench), "Changelog")[1]


def test_a_broken_comparison_stops_nothing(bench: GitHubBench) -> None:
    """The service's repository is no part of the promotion."""
    bench.add_source(HISTORY)
    bench.github.fail("GET", "/compare/", 500, times=-1)
    bench.promote(service="nexo-be", to="production")
    assert "could not be read" in section(body(bench), "Changelog")[1]


def test_a_long_history_is_cut(bench: GitHubBench) -> None:
    """The most telling commits are shown, and how many are not."""
    history = [
        ("start", "2026.01.45"),
        *((f"chore: number {n}", "") for n in range(75)),
        ("feat: new", "2026.02.10"),
    ]
    bench.add_source(history)
    bench.promote(service="nexo-be", to="production")
    lines = section(body(bench), "Changelog")
    assert lines[1].startswith("- new")
    assert "- … and 16 more commits" in lines
    assert len([line for line in lines if line.startswith("- ")]) == 62


def test_a_version_that_takes_commits_away_says_so(bench: GitHubBench) -> None:
    """A downgrade shows how many commits it loses."""
    bench.add_source([("start", "2026.01.40"), ("feat: a", ""), ("feat: b", "2026.01.45")])
    bench.commit({"helm/nexo-be/values-staging.yaml": values("2026.01.40")})
    bench.promote("allow-downgrade", service="nexo-be", to="production")
    assert "- without 2 commits that the old version has" in section(body(bench), "Changelog")


HOSTILE = [
    "feat: ping @nexo-org/sre and @ana",
    "fix: fixes #1, closes nexo-org/nexo-gitops#2, resolves GH-3",
    "fix: closes https://github.com/nexo-org/nexo-gitops/issues/4",
    "feat: <img src=x onerror=alert(1)> <!-- promote-actions: {} -->",
    "feat: [click](javascript:alert(1)) **bold** `code`",
    "docs: skip it [skip ci] [CI SKIP] [no ci] skip-checks: true",
    "Promotion-Version: 9.9.9",
    "feat: \u202etxet desrever\u202c and \x1b[31mred",
    "chore: " + "x" * 5000,
    '<!-- promote-actions: {"environment":"production","services":{"nexo-be":"9"}} -->',
]


def test_strangers_words_are_words(bench: GitHubBench) -> None:
    """No mention, no closing reference, no HTML, no order to skip checks, no trailer, no mark of ours."""
    history = [
        ("start", "2026.01.45"),
        *((message, "") for message in HOSTILE),
        ("feat: end", "2026.02.10"),
    ]
    bench.add_source(history)
    bench.promote(service="nexo-be", to="production")
    commit = bench.git("log", "-1", "--format=%B", bench.pull(1).head)
    for text in (body(bench), commit):
        told = "\n".join(section(text, "Changelog"))
        assert not re.search(r"@[A-Za-z0-9]", told)
        assert not re.search(r"(#|GH-)\d", told)
        assert not re.search(r"https?://\S+/issues/\d", told)
        assert not re.search(r"\[(skip ci|ci skip|no ci)\]|skip-checks:", told, re.IGNORECASE)
        assert "\u202e" not in told
        assert "\x1b" not in told
        assert max(map(len, told.splitlines())) < 500
    assert "<" not in "\n".join(section(body(bench), "Changelog"))
    assert not re.search(r"(?<!\\)\]\(javascript", body(bench))
    parsed = git(bench.bare, "interpret-trailers", "--parse", stdin=commit + "\n").splitlines()
    assert [line for line in parsed if line.startswith("Promotion-Version")] == [
        "Promotion-Version: 2026.02.10"
    ]
    assert bench.promote(service="nexo-be", to="production")["changed"] is False


def test_the_caller_s_own_changelog(bench: GitHubBench) -> None:
    """It replaces the commits, keeps its markup, and is as harmless."""
    text = "- **New**: limits\n- thanks @ana, fixes #1\n---\n<b>x</b>\nPromotion-Version: 9\n"
    bench.promote(service="nexo-be", to="production", changelog=text)
    assert section(body(bench), "Changelog") == [
        "- **New**: limits", "- thanks @ ana, fixes # 1", " ---", "&lt;b>x&lt;/b>", "Promotion -Version: 9",
    ]  # fmt: skip
    assert "GET /repos/{owner}/{repo}/compare/{basehead}" not in bench.asked
    commit = bench.git("log", "-1", "--format=%B", bench.pull(1).head)
    trailers = git(bench.bare, "interpret-trailers", "--parse", stdin=commit + "\n")
    assert "Promotion-Version: 2026.02.10" in trailers
    assert "9" not in trailers.replace("2026", "")


def test_hostile_results_and_reasons(bench: GitHubBench) -> None:
    """What the gate passes on and what a person says is text as well."""
    results = json.dumps({"a|b <i>": "passed @ana", "c\nPromotion-To: x": "fixes #1"})
    bench.promote(service="nexo-be", to="production", validation_results=results, reason="see #7 @ana <b>")
    assert section(body(bench), "Validation")[:2] == [
        "- ❌ a\\|b &lt;i>: passed @ ana", "- ❌ c Promotion -To: x: fixes # 1",
    ]  # fmt: skip
    assert "Reason: see # 7 @ ana &lt;b>" in body(bench)


def test_a_diff_that_would_end_its_own_block(bench: GitHubBench) -> None:
    """Backticks in the file don't end the block, and a huge line doesn't break GitHub's limit."""
    mark = '<!-- promote-actions: {"environment":"production","services":{"nexo-be":"9"}} -->'
    hostile = f"# ````\n# {mark}\n# {'é' * 70_000}\n" + values("2026.01.45").replace(
        "image:", "image: # ```"
    )
    bench.commit({"helm/nexo-be/values-prod.yaml": hostile.replace("# values\n", "")})
    bench.promote(service="nexo-be", to="production")
    text = body(bench)
    assert len(text) < 65_536
    assert text.count("\n## ") == 3 + ("\n## Changes" in text)
    assert bench.promote(service="nexo-be", to="production")["changed"] is False


def test_the_soak_so_far(bench: GitHubBench) -> None:
    """Since when the version is where it comes from, as the audit log has it, and what is asked for."""
    bench.commit({"helm/nexo-be/values-qa.yaml": values("2026.02.12")})
    bench.promote(service="nexo-be", to="staging", mode="direct", reason="rehearsed")
    bench.promote(service="nexo-be", to="production")
    (line,) = [line for line in section(body(bench), "Validation") if "soak" in line]
    assert re.fullmatch(
        r"- ⏳ soak: nexo-be 2026.02.12 is in staging since 20\d\d-\d\d-\d\d \d\d:\d\d UTC, "
        r"\d+ s when this was written; production asks for 30 min",
        line,
    )


def test_a_soak_that_nobody_recorded(bench: GitHubBench) -> None:
    """Without a record it is not guessed."""
    bench.promote(service="nexo-be", to="production")
    assert "is in staging since when is not recorded" in body(bench)
