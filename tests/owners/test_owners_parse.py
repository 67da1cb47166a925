"""Reading the file: what is a rule, what is skipped, and why."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.owners.match import Outcome, owners_of
from promote_actions.owners.parse import ABSENT, LOCATIONS, SIZE_LIMIT, choose, fold, owner_of, parse


def _rules(text: str | bytes) -> list[tuple[int, str, list[str]]]:
    return [(r.line, r.pattern.text, [o.text for o in r.owners]) for r in parse(text).rules]


@pytest.mark.parametrize(
    ("line", "pattern", "owners"),
    [
        ("* @a", "*", ["@a"]),
        ("*\t@a\t \t@b", "*", ["@a", "@b"]),
        ("   *   @a   ", "*", ["@a"]),
        ("* @a\r", "*", ["@a"]),
        ("/x/ @org/team a.b+c@mail.example.com", "/x/", ["@org/team", "a.b+c@mail.example.com"]),
        ("x d@e.technology", "x", ["d@e.technology"]),
        ("x @under_score @with-dash @0", "x", ["@under_score", "@with-dash", "@0"]),
        ("x @Org-1/my_team-2", "x", ["@Org-1/my_team-2"]),
        ("x", "x", []),
        ("x   ", "x", []),
        ("x # @nobody", "x", []),
        ("x #@nobody", "x", []),
        ("x @a # @b", "x", ["@a"]),
        ("x @a #@b", "x", ["@a"]),
        ("x @a#@b", "x", ["@a"]),
        ("x @a @A @a", "x", ["@a"]),
        ("release\\ notes @a", "release\\ notes", ["@a"]),
        ("a\\\tb @a", "a\\\tb", ["@a"]),
        ("\ufeff* @a", "*", ["@a"]),
        ("app/\\[id\\]/ @a", "app/\\[id\\]/", ["@a"]),
        ("packages/@scope/x @a", "packages/@scope/x", ["@a"]),
    ],
)
def test_valid_lines(line: str, pattern: str, owners: list[str]) -> None:
    """A valid line is one rule, with its pattern and owners as written."""
    assert _rules(line) == [(1, pattern, owners)]
    assert parse(line).problems == ()


@pytest.mark.parametrize(
    "line", ["", "   ", "\t", "\r", "# comment", "  # comment", "#", "\ufeff# comment", "\ufeff"]
)
def test_lines_without_a_rule(line: str) -> None:
    """Blank lines and comments are neither rules nor problems."""
    assert parse(line).rules == () and parse(line).problems == ()


@pytest.mark.parametrize(
    ("line", "code", "column", "hint"),
    [
        ("x alice", "invalid-owner", 3, "begins with '@'"),
        ("my file.txt @a", "invalid-owner", 4, "a blank in a path is written '\\ '"),
        ("* @a @", "invalid-owner", 6, "write '@user'"),
        ("* @org/", "invalid-owner", 3, "write '@user'"),
        ("* @/team", "invalid-owner", 3, "write '@user'"),
        ("* @a.b", "invalid-owner", 3, "write '@user'"),
        ("* @a,@b", "invalid-owner", 3, "put a blank between"),
        ("* @a@b", "invalid-owner", 3, "put a blank between"),
        ("* @org/a/b", "invalid-owner", 3, "GitLab"),
        ("* @@maintainer", "invalid-owner", 3, "GitLab"),
        ("*.txt docs@", "invalid-owner", 7, "name@host"),
        ("* a@b", "invalid-owner", 3, "name@host"),
        ("  * @app[bot]", "invalid-owner", 5, "write '@user'"),
        ("* @a\u00a0", "invalid-owner", 3, "write '@user'"),
        ("!x @a", "invalid-pattern", 1, "without an owner"),
        ("x[ab] @a", "invalid-pattern", 2, "write '\\['"),
        ("[Backend][2] @a", "invalid-pattern", 1, "GitLab"),
        ("^[Optional] @a", "invalid-pattern", 2, "GitLab"),
        ("  ***/*.rb @a", "invalid-pattern", 3, "write '**'"),
        ("\\#x @a", "invalid-pattern", 2, "write '?'"),
        ("a#b @a", "invalid-pattern", 2, "write '?'"),
        ("\\", "invalid-pattern", 1, "remove it"),
        ("a\\", "invalid-pattern", 2, "remove it"),
    ],
)
def test_skipped_lines(line: str, code: str, column: int, hint: str) -> None:
    """An invalid line is no rule, and the problem says where and what to write."""
    codeowners = parse("* @before\n" + line + "\n", "docs/CODEOWNERS")
    assert [rule.line for rule in codeowners.rules] == [1]
    (problem,) = codeowners.problems
    assert (problem.code, problem.line, problem.column, problem.skipped) == (code, 2, column, True)
    assert hint in problem.suggestion
    assert str(problem).startswith(f"docs/CODEOWNERS:2:{column}: GitHub skips this line: ")


def test_skipped_line_gives_way_to_an_earlier_rule() -> None:
    """A skipped line is not "no owner": the rule before it decides, and the answer says so."""
    codeowners = parse("helm/ @platform\nhelm/*/values-prod.yaml @sre leads\nhelm/*/values-qa.yaml\n")
    match = owners_of(codeowners, "helm/a/values-prod.yaml")
    assert [owner.text for owner in match.owners] == ["@platform"]
    assert [problem.line for problem in match.skipped] == [2]
    assert owners_of(codeowners, "helm/a/values-qa.yaml").skipped == ()


def test_skipped_line_before_the_deciding_rule_is_not_mentioned() -> None:
    """A skipped line that would have lost anyway is no news for the path."""
    assert owners_of(parse("x leads\nx @a\n"), "x").skipped == ()


def test_line_endings_and_line_numbers() -> None:
    """Lines end at a line feed alone: other separators of Unicode are part of a line."""
    text = "# one\r\n\r\na @a\r\nb\u2028c @b\r\nd\x0be @c\n"
    assert _rules(text) == [(3, "a", ["@a"]), (4, "b\u2028c", ["@b"]), (5, "d\x0be", ["@c"])]


def test_last_line_without_a_line_feed() -> None:
    """The last line counts, ended or not."""
    assert _rules("a @a\nb @b") == [(1, "a", ["@a"]), (2, "b", ["@b"])]


def test_size_limit() -> None:
    """At three megabytes the file is not loaded at all; one byte less and it is."""
    rule = b"* @a\n"
    filler = b"#" * (SIZE_LIMIT - len(rule) - 2) + b"\n"
    assert len(parse(rule + filler).rules) == 1
    big = parse(rule + filler + b"\n")
    assert (big.loaded, big.rules, [p.code for p in big.problems]) == (False, (), ["too-large"])
    assert owners_of(big, "x").outcome is Outcome.NO_FILE


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_not_read(encoding: str) -> None:
    """A UTF-16 file is reported as what it is when it has a mark, and never breaks the parser."""
    codeowners = parse("* @a\n".encode(encoding))
    if encoding == "utf-16":
        assert [problem.code for problem in codeowners.problems] == ["not-utf8"]
    assert owners_of(codeowners, "x").owners == ()


def test_bytes_that_are_not_utf8_match_themselves() -> None:
    """A Latin-1 name in the file is that name in the repository, byte for byte."""
    codeowners = parse(b"caf\xe9 @a\n")
    assert owners_of(codeowners, b"caf\xe9".decode("utf-8", "surrogateescape")).outcome is Outcome.OWNED
    assert owners_of(codeowners, "café").outcome is Outcome.NO_RULE


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (LOCATIONS, ".github/CODEOWNERS"),
        (("docs/CODEOWNERS", "CODEOWNERS"), "CODEOWNERS"),
        (("docs/CODEOWNERS",), "docs/CODEOWNERS"),
        (("codeowners", ".github/codeowners", "src/CODEOWNERS"), ""),
    ],
)
def test_first_location_wins(present: tuple[str, ...], expected: str) -> None:
    """The first file in GitHub's order is the only one, even when it is empty; the name's case counts."""
    files = {path: b"" if path == expected else b"* @other\n" for path in present}
    codeowners = choose(files)
    assert codeowners.file == expected
    assert codeowners.rules == ()
    assert (codeowners is ABSENT) is (expected == "")


@pytest.mark.parametrize(
    ("word", "kind", "login", "organization", "slug"),
    [
        ("@Alice", "user", "Alice", "", ""),
        ("@Org/Team", "team", "", "Org", "Team"),
        ("a@b.co", "email", "", "", ""),
    ],
)
def test_owner_kinds(word: str, kind: str, login: str, organization: str, slug: str) -> None:
    """An owner knows its kind and its parts, and compares without case."""
    owner = owner_of(word)
    assert owner is not None
    assert (owner.kind, owner.login, owner.organization, owner.slug) == (kind, login, organization, slug)
    assert owner.key == word.lower()


def test_fold_leaves_other_letters_alone() -> None:
    """A letter that only looks like ASCII after folding never becomes an owner's name."""
    assert fold("\u212aelvin") != fold("kelvin")
    assert fold("ALICE") == "alice"


_LINE = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["* @a", "x @b # c", "x [", "!x", "\\", "a\\ b @c", "@a", "x @@a", "a#b", "/ @a", "***"]
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.lists(_LINE, max_size=8).map("\n".join)), st.text(max_size=10))
def test_parser_never_fails(data: bytes | str, path: str) -> None:
    """Whatever the bytes are, every line is a rule, a problem, blank or a comment, and places are right."""
    codeowners = parse(data)
    lines = [rule.line for rule in codeowners.rules] + [problem.line for problem in codeowners.problems]
    assert len(lines) == len(set(lines))
    for problem in codeowners.problems:
        if problem.line:
            assert 1 <= problem.column <= len(problem.source)
    assert owners_of(codeowners, path).outcome in Outcome


@settings(max_examples=200, deadline=None)
@given(st.lists(_LINE, max_size=8), st.sampled_from(["x", "a b", "a/x"]))
def test_comments_and_endings_change_nothing(lines: list[str], path: str) -> None:
    """Windows line endings, a byte order mark and a comment line leave every answer as it was."""
    lines = [line.replace("\r", "").replace("\ufeff", "") for line in lines]
    plain = owners_of(parse("\n".join(lines)), path)
    other = owners_of(parse("\ufeff# a comment\r\n" + "\r\n".join(lines) + "\r\n"), path)
    assert (plain.outcome, plain.owners) == (other.outcome, other.owners)
