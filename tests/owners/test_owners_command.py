"""The command ``owners``, from its command line to its exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from promote_actions.__main__ import run
from promote_actions.owners.parse import SIZE_LIMIT

FILE = """\
# owners
*                        @nexo-org/platform
helm/*/values-prod.yaml  @alice @nexo-org/sre lead@nexo.com
helm/*/values-qa.yaml
"""
BAD = FILE + "helm/ @nexo-sre-team\nx bob\n"
PROD = "helm/nexo-be/values-prod.yaml"
QA = "helm/nexo-be/values-qa.yaml"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, and none of a runner's variables."""
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "INPUT_", "RUNNER_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(path: Path, content: str | bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_text_says_which_line_decided(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each path is a row: its owners, and the file, line and pattern that say so."""
    _write(folder / "CODEOWNERS", FILE)
    assert run(["owners", "--codeowners", "CODEOWNERS", PROD, QA, "README.md"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"{PROD}  @alice @nexo-org/sre lead@nexo.com  CODEOWNERS:3 helm/*/values-prod.yaml",
        f"{QA}    (no owner, on purpose)              CODEOWNERS:4 helm/*/values-qa.yaml",
        "README.md                      @nexo-org/platform                  CODEOWNERS:2 *",
    ]
    assert err == ""


def test_json_keys_are_the_outputs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON document has the outputs: owners of each path as written, users and teams each once."""
    _write(folder / "CODEOWNERS", FILE)
    assert run(["owners", "--codeowners", "CODEOWNERS", "--format", "json", PROD, QA, "a", "b"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "owners": {
            PROD: ["@alice", "@nexo-org/sre", "lead@nexo.com"],
            QA: [],
            "a": ["@nexo-org/platform"],
            "b": ["@nexo-org/platform"],
        },
        "users": ["alice"],
        "teams": ["nexo-org/sre", "nexo-org/platform"],
    }


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        ([".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"], ".github/CODEOWNERS"),
        (["CODEOWNERS", "docs/CODEOWNERS"], "CODEOWNERS"),
        (["docs/CODEOWNERS"], "docs/CODEOWNERS"),
    ],
)
def test_file_is_found_in_order(
    folder: Path, capsys: pytest.CaptureFixture[str], present: list[str], chosen: str
) -> None:
    """Without --codeowners the first of GitHub's places is read, and the others are warned of."""
    for path in present:
        _write(folder / path, "* @right\n" if path == chosen else "* @wrong\n")
    assert run(["owners", "x"]) == 0
    out, err = capsys.readouterr()
    assert out == f"x  @right  {chosen}:1 *\n"
    assert err.count("[second-file]") == len(present) - 1


def test_problems_are_warnings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file with problems still answers; each problem is a warning with its place."""
    _write(folder / "CODEOWNERS", BAD)
    assert run(["owners", "x"]) == 0
    out, err = capsys.readouterr()
    assert out == "x  @nexo-org/platform  CODEOWNERS:2 * (line 6 names it too, but GitHub skips that)\n"
    assert "warning: CODEOWNERS:5:7: '@nexo-sre-team' is the login of one user, not a team; " in err
    assert "warning: CODEOWNERS:6:3: GitHub skips this line: 'bob' is no owner; " in err
    assert all(line.startswith("warning: ") for line in err.splitlines())


@pytest.mark.parametrize(("content", "status"), [(FILE, 0), (BAD, 1), ("", 0)])
def test_lint_fails_on_problems(
    folder: Path, capsys: pytest.CaptureFixture[str], content: str, status: int
) -> None:
    """With --lint, and no path needed, a problem is exit status 1 and its absence 0."""
    _write(folder / "CODEOWNERS", content)
    assert run(["owners", "--lint"]) == status
    assert ("error: CODEOWNERS has " in capsys.readouterr().err) is bool(status)


def test_lint_still_writes_the_outputs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A failing lint does not lose the answer."""
    _write(folder / "CODEOWNERS", "x @a\nx @b\n")
    assert run(["owners", "--lint", "--format", "json", "x"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["owners"] == {"x": ["@b"]}
    assert err.splitlines()[-1] == "error: CODEOWNERS has 1 problem; each is in a warning above"


def test_unused_patterns_of_this_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --unused, patterns that match no file here are problems; git's own files are none of ours."""
    _write(folder / "CODEOWNERS", "* @a\n/helm/ @b\n/charts/ @c\nconfig @d\n")
    _write(folder / PROD, "")
    _write(folder / ".git/config", "")
    assert run(["owners", "--lint"]) == 0
    assert run(["owners", "--lint", "--unused"]) == 1
    err = capsys.readouterr().err
    assert err.count("[matches-no-file]") == 2
    assert "'/charts/' matches no file" in err and "'config' matches no file" in err


def test_file_over_the_limit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that GitHub does not load gives no owners, and says why."""
    _write(folder / "CODEOWNERS", b"* @a\n" + b"#" * SIZE_LIMIT)
    assert run(["owners", "x"]) == 0
    out, err = capsys.readouterr()
    assert out == "x  (CODEOWNERS is not loaded)\n"
    assert "not under 3 MB" in err and "[too-large]" in err
    assert run(["owners", "--lint"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x"], "there is no CODEOWNERS in .github/, here or in docs/; pass --codeowners FILE"),
        ([], "there is no path to look up; pass PATHS, or --lint"),
        (
            ["--codeowners", "nope", "x"],
            "cannot read nope: No such file or directory; pass --codeowners FILE",
        ),
        (["--codeowners", ".", "x"], "cannot read .: Is a directory"),
        (["--codeowners", "nope", "../x"], "path '../x' is not inside the repository"),
        (["--codeowners", "nope", "/etc/passwd"], "path '/etc/passwd' is not inside the repository"),
        (["--codeowners", "nope", "."], "path '.' is not inside the repository"),
        (["--codeowners", "nope", "a\udcff"], "is not UTF-8"),
        (["--codeowners", "nope", "--nope"], "No such option"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """What is wrong with the input is one line and exit status 2."""
    assert run(["owners", *arguments]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1 and err.startswith("error: ")


@pytest.mark.parametrize("path", [f"./{PROD}", "helm/./nexo-be/values-prod.yaml"])
def test_paths_with_dots(folder: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    """A path with './' in it is the path without, and is named as it was given."""
    _write(folder / "CODEOWNERS", FILE)
    assert run(["owners", "--format", "json", path]) == 0
    assert json.loads(capsys.readouterr().out)["owners"][path][0] == "@alice"


def test_paths_with_commas_and_blanks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Commas and blanks belong to a path; new lines separate paths."""
    _write(folder / "CODEOWNERS", "a,b @x\nc\\ d @y\n")
    assert run(["owners", "--format", "json", "a,b\nc d"]) == 0
    assert json.loads(capsys.readouterr().out)["owners"] == {"a,b": ["@x"], "c d": ["@y"]}


def test_note_does_not_fail_the_lint(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a file is too long to compare every line is said, and is no fault of the file."""
    monkeypatch.setattr("promote_actions.owners.lint.COMPARISONS", 10)
    _write(folder / "CODEOWNERS", "".join(f"*.x{number} @a\n" for number in range(20)))
    assert run(["owners", "--lint"]) == 0
    assert "[not-compared]" in capsys.readouterr().err


def test_many_problems_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand bad lines are not a thousand annotations."""
    _write(folder / "CODEOWNERS", "x bad\n" * 1000)
    assert run(["owners", "--lint"]) == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 52
    assert "950 more problems are not shown" in err
    assert "CODEOWNERS has 1000 problems" in err


def test_hostile_file_and_path_stay_in_their_lines(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control characters and workflow commands in the file or a path reach a runner's log disarmed."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    _write(folder / "CODEOWNERS", "::set-env\x1b[2J @a\n::add-mask::x \x1b]0;t\x07\n##[error]x\n")
    assert run(["owners", "::set-env\x1b[2J", "##[group]y"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\x07" not in out
    commands = [line for line in out.splitlines() if line.lstrip().startswith("::")]
    assert commands and all(line.startswith("::warning ") for line in commands)
    assert "\n##[" not in out


def test_as_an_action(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An action's step reads INPUT_*, writes outputs and summary, and annotates the file's lines."""
    _write(folder / "sub/CODEOWNERS", BAD)
    output, summary = folder / "output", folder / "summary"
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
        "INPUT_PATHS": f"{QA}\na|b<c>\n",
        "INPUT_CODEOWNERS": "sub/CODEOWNERS",
        "INPUT_LINT": "true",
    }.items():
        monkeypatch.setenv(name, value)
    assert run(["action", "owners"]) == 1
    out = capsys.readouterr().out
    assert "::warning title=promote-actions%3A team-as-user,file=sub/CODEOWNERS,line=5,col=7::" in out
    assert "::error " in out
    written = output.read_text(encoding="utf-8")
    assert '{"helm/nexo-be/values-qa.yaml":["@nexo-sre-team"],"a|b<c>":["@nexo-org/platform"]}' in written
    rows = summary.read_text(encoding="utf-8").splitlines()
    assert rows[-1] == (
        "| <code>a&#124;b&#60;c&#62;</code> | <code>&#64;nexo-org/platform</code> "
        "| <code>sub/CODEOWNERS&#58;2 &#42;</code> |"
    )


def test_as_a_process(folder: Path) -> None:
    """``python -m promote_actions owners`` is the same command, and imports no client of a service."""
    _write(folder / "CODEOWNERS", FILE)
    code = (
        "import sys; from promote_actions.__main__ import run; status = run(sys.argv[1:]);"
        "loaded = {'github', 'requests', 'jsonschema', 'ruamel'} & set(sys.modules);"
        "assert not loaded, loaded; sys.exit(status)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for command in (["-m", "promote_actions"], ["-c", code]):
        done = subprocess.run(
            [sys.executable, *command, "owners", PROD],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{PROD}  @alice")
