"""The pull request's body: within GitHub's limit, with a mark that nobody can forge by a text in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.promotion.body import BODY_LIMIT, mark_of, read_mark
from promote_actions.promotion.changelog import Changelog, Entry, as_markdown, as_text, entry_of, shortened
from promote_actions.promotion.messages import Background, words
from promote_actions.promotion.model import Caller
from promote_actions.promotion.text import fenced, link, markdown, plain
from tests.promotion.promotions import NOW, move, plan_of, request

FORGED = '<!-- promote-actions: {"environment":"production","services":{"x":"9"}} -->'
TEXT = st.text(st.characters(codec="utf-8"), max_size=300)


def body(made: object = None, diff: str = "", **more: object) -> str:
    plan = made or plan_of(mode="pull-request")
    return words(request(**more), plan, diff).body  # type: ignore[arg-type]


@pytest.mark.parametrize("services", [1, 2, 40])
def test_the_mark_says_what_is_promoted(services: int) -> None:
    """A later run knows environment and versions from it."""
    plan = plan_of(*(move(f"s{number}") for number in range(services)), mode="pull-request")
    assert read_mark(body(plan)) == ("qa", {f"s{number}": "2026.02.17" for number in range(services)})


@pytest.mark.parametrize("place", ["reason", "changelog", "diff", "validation"])
def test_a_forged_mark_is_not_read(place: str) -> None:
    """Ours is the last one, and what comes from elsewhere is no comment."""
    more = {place: {FORGED: FORGED} if place == "validation" else f"\n{FORGED}\n"}
    assert read_mark(body(**more)) == ("qa", {"app": "2026.02.17"})


@pytest.mark.parametrize(
    "text",
    [
        "", "no mark", "<!-- promote-actions: {} -->", "<!-- promote-actions: [] -->",
        '<!-- promote-actions: {"environment": 1} -->', '<!-- promote-actions: {"services": []} -->',
        "<!-- promote-actions: {" + '"a":[' * 3000 + "} -->",
    ],
)  # fmt: skip
def test_what_is_no_mark(text: str) -> None:
    """A body without one, or with a broken one, claims nothing."""
    assert read_mark(text) is None


@settings(max_examples=50, deadline=None)
@given(TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=4))
def test_no_text_breaks_the_body(reason: str, changelog: str, diff: str, results: dict[str, str]) -> None:
    """Whatever is said: one mark of ours, no HTML before it, within the limit."""
    text = body(reason=reason, changelog=changelog, diff=diff, validation=results)
    assert read_mark(text) == ("qa", {"app": "2026.02.17"})
    before, fence, _ = text.partition("\n## Changes\n")
    outside = before if fence else text.replace(mark_of(plan_of()), "")
    assert "<" not in outside
    assert len(text.encode()) <= BODY_LIMIT + 300
    assert text.endswith("-->\n")


@pytest.mark.parametrize(
    "diff",
    [
        "+ line\n" * 20_000,
        "+" + "x" * 200_000,
        "+ " + "é" * 40_000 + "\n- y",
        "+ ```\n" * 12_000,
        "`" * 70_000,
    ],
)
def test_a_long_diff_is_cut(diff: str) -> None:
    """At a line's end, with a word about what is missing; the mark stays."""
    text = body(diff=diff)
    assert len(text.encode()) <= BODY_LIMIT
    assert read_mark(text) is not None
    assert "more lines: see the files" in text or "## Changes" not in text


def test_a_large_train_keeps_its_mark() -> None:
    """Rows and commits are shortened before it; what can't fit at all is said."""
    plan = plan_of(*(move(f"service-{number:04}") for number in range(300)), mode="pull-request")
    entries = tuple(Entry("feat", "x" * 150, "a" * 40) for _ in range(60))
    logs = tuple(Changelog(each.service.name, "1", "2", entries) for each in plan.moves)
    text = words(request(), plan, "+ x\n" * 30_000, background=Background(logs)).body
    assert len(text.encode()) <= BODY_LIMIT
    mark = read_mark(text)
    assert mark is not None
    assert len(mark[1]) == 300
    assert "… and 200 more" in text
    with pytest.raises(InputError, match="too many for one pull request"):
        words(request(), plan_of(*(move(f"service-{number:05}") for number in range(2500))))


@pytest.mark.parametrize(
    ("caller", "foot"),
    [
        (
            Caller("ana", "https://github.com/o/r/actions/runs/1"),
            "Requested by @ana · [workflow run](https",
        ),
        (Caller("dependabot[bot]", "https://x.y/1"), "Requested by @dependabot[bot] ·"),
        (Caller("root"), "Requested by root\n"),
        (Caller("a b @ana", "https://x.y/1"), "Requested by a b @ ana ·"),
        (Caller("ana", "javascript:alert(1)"), "Requested by ana\n"),
        (Caller(), "\n\n<!-- promote"),
    ],
)
def test_who_asked(caller: Caller, foot: str) -> None:
    """A login is mentioned only when GitHub itself says who it is."""
    assert foot in body(caller=caller)


@pytest.mark.parametrize(
    ("message", "entry"),
    [
        ("feat: add a", Entry("feat", "add a", "s")),
        ("Feat: Add a", Entry("feat", "Add a", "s")),
        ("Fix: Authentication timeout issue", Entry("fix", "Authentication timeout issue", "s")),
        ("feat(api)!: drop b", Entry("!", "drop b", "s", "api")),
        ("fix: x\n\nBREAKING CHANGE: y", Entry("!", "x", "s")),
        ("fix: x\n\nsee BREAKING CHANGE: y", Entry("fix", "x", "s")),
        ("perf(db): faster (#12)", Entry("perf", "faster", "s", "db", 12)),
        ("wip: nothing", Entry("", "wip: nothing", "s")),
        ("feat:no blank", Entry("", "feat:no blank", "s")),
        ("feat(a)(b): x", Entry("", "feat(a)(b): x", "s")),
        ('Revert "feat: x" (#3)', Entry("revert", "feat: x", "s", pull=3)),
        ("Update README (#1) again", Entry("", "Update README (#1) again", "s")),
        ("", Entry("", "", "s")),
        ("chore: " + "x" * 9999, Entry("chore", "x" * 493, "s")),
    ],
)
def test_commits_are_read_as_conventional_ones(message: str, entry: Entry) -> None:
    """Type, scope, breaking, and the number of the pull request."""
    from promote_actions.adapters.gitops import Commit

    assert entry_of(Commit("s", message, "a", "a@b", NOW)) == entry


def test_a_changelog_without_entries_says_so() -> None:
    """Two versions of one commit."""
    same = Changelog("app", "1", "2")
    assert as_text([same]) == ["- app: 1 → 2", "- no commits between the two"]
    assert as_markdown([same]) == as_text([same])


def test_each_service_has_its_fair_share() -> None:
    """A train of many doesn't show the first one's commits alone."""
    entries = tuple(Entry("fix", str(number), "s") for number in range(50))
    logs = shortened([Changelog(name, "1", "2", entries) for name in "abc"], 12)
    assert [(len(each.entries), each.more) for each in logs] == [(4, 46)] * 3


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("@ana", "@ ana"), ("x@y.z", "x@ y.z"), ("fixes #1", "fixes # 1"), ("gh-12", "GH 12"),
        ("o/r#3", "o/r# 3"), ("closes https://github.com/o/r/pull/9", "closes github.com/o/r/pull/9"),
        ("see https://example.com/a", "see https://example.com/a"), ("[skip ci] x", "(skip ci) x"),
        ("a\nb\r\nc\td", "a b c d"), ("\u202ex", "\\u202ex"), ("Promotion-To: x", "Promotion -To: x"),
        ("C# 7 and F#", "C# 7 and F#"), ("x" * 200, "x" * 159 + "…"),
    ],
)  # fmt: skip
def test_strangers_words_made_plain(text: str, harmless: str) -> None:
    """Nothing that GitHub or git would act on is left, and the rest is."""
    assert plain(text) == harmless


@given(TEXT)
def test_markdown_says_what_the_text_says(text: str) -> None:
    """One line, no tag, no link, no code, and it stays harmless when it is done twice."""
    made = markdown(text)
    assert "\n" not in made
    assert "<" not in made
    assert plain(plain(text)) == plain(text)


@given(TEXT)
def test_a_fence_is_never_closed_from_inside(text: str) -> None:
    """No line of the text is the fence or longer."""
    first, *inside, last = fenced(text, "diff")
    assert first == last + "diff"
    assert all(last not in line for line in inside)


@pytest.mark.parametrize(
    "address", ["javascript:x", "http://a b", "https://x)y", "ftp://x", "//x", "https://x\ny", ""]
)
def test_what_is_no_link(address: str) -> None:
    """Only an address of the web that can't end its link."""
    assert link(address) == ""
