"""Patterns against git itself, where GitHub's rules and git's are the same.

``git check-ignore`` answers for every pattern but those that end in ``/*``: these reach one level only
on GitHub, as in ``.gitattributes``, so ``git check-attr`` answers for them.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promote_actions.owners.pattern import compile_pattern

ENV = {"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}

# No "**" beside other characters: git 2.39 and its own manual differ there.
_SEGMENT = st.one_of(
    st.sampled_from(
        ["a", "b", "*", "**", "a*", "*b", "?", "a?", "*a*", "?*", "\\a", "\\*", "a\\ b", "*é", ".a"]
    ),
    st.lists(st.sampled_from(["a", "b", "*", "?"]), min_size=1, max_size=5)
    .map("".join)
    .filter(lambda text: "**" not in text),
)
_PATTERN = st.builds(
    lambda start, parts, end: start + "/".join(parts) + end,
    st.sampled_from(["", "", "/"]),
    st.lists(_SEGMENT, min_size=1, max_size=5),
    st.sampled_from(["", "", "/"]),
)
_NAME = st.one_of(
    st.sampled_from(["a", "b", "ab", "aa", "ba", "*", "a b", "é", "aé", ".a", "abba"]),
    st.text("ab", min_size=1, max_size=5),
)
_PATH = st.lists(_NAME, min_size=1, max_size=6).map("/".join)
_TABLE = st.lists(st.tuples(_PATTERN, st.lists(_PATH, min_size=3, max_size=8)), min_size=10, max_size=20)


def _git(folder: Path, *arguments: str, stdin: str) -> list[str]:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=ENV,
        input=stdin.encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.decode().split("\0")[:-1]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("oracle")
    _git(folder, "init", "--quiet", "--template=", ".", stdin="")
    return folder


def _ask_git(folder: Path, name: str, table: list[tuple[str, list[str]]]) -> dict[tuple[int, str], bool]:
    """Git's answer for each pattern (by its place in the table) and path."""
    for index, (pattern, _) in enumerate(table):
        (folder / f"p{index}").mkdir(exist_ok=True)
        line = pattern if name == ".gitignore" else f"{pattern} owned"
        (folder / f"p{index}" / name).write_text(line + "\n", encoding="utf-8")
    paths = [f"p{index}/{path}" for index, (_, paths) in enumerate(table) for path in paths]
    stdin = "\0".join(paths)
    if name == ".gitignore":
        fields = _git(folder, "check-ignore", "--no-index", "-v", "-n", "-z", "--stdin", stdin=stdin)
        answers = {fields[at + 3]: fields[at + 2] != "" for at in range(0, len(fields), 4)}
    else:
        fields = _git(folder, "check-attr", "--stdin", "-z", "owned", stdin=stdin)
        answers = {fields[at]: fields[at + 2] == "set" for at in range(0, len(fields), 3)}
    return {
        (index, path): answers[f"p{index}/{path}"]
        for index, (_, paths) in enumerate(table)
        for path in paths
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=_TABLE)
def test_same_answer_as_git(repository: Path, table: list[tuple[str, list[str]]]) -> None:
    """A pattern matches the paths that git says it matches."""
    deep = [row for row in table if not row[0].endswith("/*")]
    shallow = [row for row in table if row[0].endswith("/*") and " " not in row[0]]
    for name, rows in ((".gitignore", deep), (".gitattributes", shallow)):
        asked = _ask_git(repository, name, rows)
        ours = {(index, path): compile_pattern(rows[index][0]).matches(path) for index, path in asked}
        wrong = [
            (rows[index][0], path, asked[index, path])
            for index, path in asked
            if ours[index, path] != asked[index, path]
        ]
        assert not wrong


def test_oracle_says_both_yes_and_no(repository: Path) -> None:
    """The oracle itself works: it knows a match from a miss, in both of its forms."""
    table = [("helm/*/values.yaml", ["helm/a/values.yaml", "helm/values.yaml", "helm/a/values.yaml/x"])]
    assert list(_ask_git(repository, ".gitignore", table).values()) == [True, False, True]
    assert list(_ask_git(repository, ".gitattributes", [("docs/*", ["docs/a", "docs/a/b"])]).values()) == [
        True,
        False,
    ]
