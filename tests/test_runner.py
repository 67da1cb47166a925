"""The runner's protocol: outputs, annotations, masks, summaries, and strangers' text in all of them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promote_actions import runner as module
from promote_actions.errors import InputError, Location, Refused
from promote_actions.runner import Result, Runner, as_text, disarm, truncate
from tests.command_files import parse_key_values, parse_workflow_command

names = st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def make(tmp_path: Path | None = None, **env: str) -> Runner:
    files = (
        {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        if tmp_path
        else {}
    )
    return Runner(env={**files, **env}, stdout=io.StringIO(), stderr=io.StringIO())


def printed(runner: Runner) -> str:
    assert isinstance(runner.stdout, io.StringIO)
    return runner.stdout.getvalue()


def told(runner: Runner) -> str:
    assert isinstance(runner.stderr, io.StringIO)
    return runner.stderr.getvalue()


def read(path: Path) -> str:
    return path.read_bytes().decode()


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, texts, max_size=4))
def test_outputs_read_back_as_they_were(tmp_path: Path, outputs: dict[str, str]) -> None:
    """Whatever a value holds, a runner reads exactly the outputs that were given, and no other."""
    (tmp_path / "GITHUB_OUTPUT").write_text("")
    make(tmp_path).finish(Result(outputs))
    assert parse_key_values(read(tmp_path / "GITHUB_OUTPUT")) == outputs


@pytest.mark.parametrize(
    "value",
    [
        "x\nevil=1",
        "x\nghadelimiter_1\nevil=1",
        "evil<<EOF\n1\nEOF",
        "a=b",
        "",
        "\n",
        "a\r\nb",
        "${{ secrets.X }}",
    ],
)
def test_a_value_cannot_add_an_output(tmp_path: Path, value: str) -> None:
    """A line break, a block or a pair in a value stays in that value."""
    make(tmp_path).finish(Result({"version": value}))
    assert parse_key_values(read(tmp_path / "GITHUB_OUTPUT")) == {"version": value}


def test_a_delimiter_in_a_value_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the value holds the delimiter that was drawn, another one is drawn."""
    drawn = iter([b"one", b"two"])
    monkeypatch.setattr(module.os, "urandom", lambda size: next(drawn))
    value = f"a\nghadelimiter_{b'one'.hex()}\nevil=1"
    make(tmp_path).finish(Result({"version": value}))
    assert parse_key_values(read(tmp_path / "GITHUB_OUTPUT")) == {"version": value}


@pytest.mark.parametrize("name", ["a\nb", "a=b", "a<<b", "", "1a", "a b"])
def test_an_output_name_is_checked(tmp_path: Path, name: str) -> None:
    """A name that could be read as something else is a defect, not an output."""
    with pytest.raises(ValueError, match="output name"):
        make(tmp_path).finish(Result({name: "x"}))


def test_outputs_are_added_to_what_is_there(tmp_path: Path) -> None:
    """A step that wrote outputs before us keeps them."""
    (tmp_path / "GITHUB_OUTPUT").write_text("before=1\n")
    make(tmp_path).finish(Result({"after": "2"}))
    assert parse_key_values(read(tmp_path / "GITHUB_OUTPUT")) == {"before": "1", "after": "2"}


def test_an_unwritable_output_file_is_one_line(tmp_path: Path) -> None:
    """A GITHUB_OUTPUT that can't be written names itself and what to do."""
    broken = make(tmp_path, GITHUB_OUTPUT=str(tmp_path / "none" / "file"))
    with pytest.raises(InputError, match="cannot write GITHUB_OUTPUT"):
        broken.finish(Result({"a": "b"}))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "true"),
        (False, "false"),
        (None, ""),
        (3, "3"),
        (["é", 1], '["é",1]'),
        ({"a": []}, '{"a":[]}'),
    ],
)
def test_values_become_text(value: object, text: str) -> None:
    """Booleans are lower case, nothing is empty, anything else is JSON."""
    assert as_text(value) == text


def test_json_on_stdout_is_the_outputs_alone() -> None:
    """With --format json nothing else is on stdout, even in Actions."""
    runner = make(GITHUB_ACTIONS="true")
    runner.json_output = True
    runner.say("working")
    runner.notice("look")
    runner.finish(Result({"changed": True, "plan": {"a": 1}}, text="for a person"))
    assert json.loads(printed(runner)) == {"changed": True, "plan": {"a": 1}}
    assert "working" in told(runner)
    assert "::notice" in told(runner)


def test_json_is_no_command_either() -> None:
    """The old form of a command is escaped inside JSON, which reads the same."""
    runner = make(GITHUB_ACTIONS="true")
    runner.json_output = True
    runner.finish(Result({"title": "##[add-mask]x"}))
    assert "##[" not in printed(runner)
    assert json.loads(printed(runner)) == {"title": "##[add-mask]x"}


def test_a_refusal_writes_its_outputs_first(tmp_path: Path) -> None:
    """A gate that says no exits with 1, and the next step can read why."""
    refusal = Refused("too many errors", hint="look at the graph")
    status = make(tmp_path).finish(Result({"passed": False}, refusal=refusal))
    assert status == 1
    assert parse_key_values(read(tmp_path / "GITHUB_OUTPUT")) == {"passed": "false"}


@settings(deadline=None, max_examples=150)
@given(texts, texts)
def test_an_annotation_is_one_line_and_one_command(message: str, file: str) -> None:
    """Strangers' words in a message or a file's name neither end the line nor begin another command."""
    runner = make(GITHUB_ACTIONS="true")
    runner.error(Refused(message, where=Location(file, 3, 7)))
    assert printed(runner).count("\n") == 1
    assert len(printed(runner).splitlines()) == 1
    name, properties, _ = parse_workflow_command(printed(runner).rstrip("\n"))
    assert name == "error"
    assert properties["line"] == "3"
    assert properties["col"] == "7"


def test_an_annotation_keeps_its_words() -> None:
    """Per cents, colons and commas come out as they went in."""
    runner = make(GITHUB_ACTIONS="true")
    runner.warning("99.9%: slow, but %0A there", Location("helm/a,b:c.yaml", 2), title="soak")
    name, properties, data = parse_workflow_command(printed(runner).rstrip("\n"))
    assert (name, data) == ("warning", "99.9%: slow, but %0A there")
    assert properties == {"title": "promote-actions: soak", "file": "helm/a,b:c.yaml", "line": "2"}


def test_on_a_terminal_an_annotation_is_words() -> None:
    """Outside Actions an error is a line on stderr with its place."""
    runner = make()
    runner.error(InputError("not a map", where=Location("promotion.yaml", 4, 2), hint="write a map"))
    assert told(runner) == "error: promotion.yaml:4:2: not a map; write a map\n"
    assert printed(runner) == ""


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("a:# []\n\r\t\x0b\x0c\x1c\x85\u2028stop-comad%"), max_size=60))
def test_no_disarmed_line_is_a_command(text: str) -> None:
    """However lines are split, none begins with '::' and none holds '##['."""
    for line in disarm(text).splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_a_disarmed_text_reads_the_same() -> None:
    """Text that is no command is left as it is."""
    assert disarm("a::b\n# x\n [#] c") == "a::b\n# x\n [#] c"


def test_what_is_said_in_actions_is_disarmed() -> None:
    """A commit message that is a workflow command is only shown."""
    runner = make(GITHUB_ACTIONS="true")
    runner.say("::add-mask::a\n::stop-commands::x")
    runner.finish(Result({}, text="  ::set-env name=X::1"))
    assert not any(line.lstrip().startswith("::") for line in printed(runner).splitlines())


def test_a_mask_hides_a_secret_everywhere(tmp_path: Path) -> None:
    """A registered secret is in no log, no summary and no message; the runner is told once."""
    runner = make(tmp_path, GITHUB_ACTIONS="true", RUNNER_DEBUG="1")
    runner.mask("s3cret-token")
    runner.mask("s3cret-token")
    first, _, rest = printed(runner).partition("\n")
    assert first == "::add-mask::s3cret-token"
    assert rest == ""
    runner.say("with s3cret-token")
    runner.debug("and s3cret-token")
    runner.error(Refused("bad s3cret-token", where=Location("s3cret-token")))
    runner.finish(Result({}, text="text s3cret-token", summary="summary s3cret-token"))
    assert "s3cret" not in printed(runner).partition("\n")[2]
    assert read(tmp_path / "GITHUB_STEP_SUMMARY") == "summary ***\n"


def test_each_line_of_a_secret_is_masked() -> None:
    """A key of several lines is hidden line by line, as the runner matches lines."""
    runner = make(GITHUB_ACTIONS="true")
    runner.mask("-----BEGIN\nabcdefgh\n-----END--")
    assert runner.redact("x abcdefgh y") == "x *** y"
    assert "::add-mask::abcdefgh" in printed(runner)


@pytest.mark.parametrize("short", ["", "a", "app", "nexo"])
def test_a_short_secret_is_not_masked(short: str) -> None:
    """Masking a common word would empty every output that contains it."""
    runner = make(GITHUB_ACTIONS="true")
    runner.mask(short)
    assert printed(runner) == ""
    assert runner.redact("the nexo app") == "the nexo app"


def test_credentials_in_an_address_are_never_shown() -> None:
    """A user and password before an @ are cut, registered or not."""
    runner = make()
    runner.say("clone https://x-access-token:abc@github.com/a/b failed")
    assert told(runner) == "clone https://***@github.com/a/b failed\n"


@settings(deadline=None, max_examples=100)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.integers(60, 300))
def test_a_summary_fits(text: str, limit: int) -> None:
    """A summary is cut at a whole character and says so, or is left as it is."""
    cut = truncate(text, limit)
    assert len(cut.encode()) <= limit
    assert cut == text or "Cut here" in cut


def test_a_long_summary_is_cut_at_a_line(tmp_path: Path) -> None:
    """The runner drops a summary over its limit whole, so it never gets one."""
    make(tmp_path).finish(Result({}, summary="0123456789\n" * 200_000))
    written = read(tmp_path / "GITHUB_STEP_SUMMARY")
    assert len(written.encode()) <= 1024 * 1024
    assert "Cut here" in written
    assert all(line in {"0123456789", ""} for line in written.partition("_Cut")[0].split("\n"))


def test_a_group_ends_even_when_it_fails() -> None:
    """An error inside a group doesn't fold the rest of the log."""
    runner = make(GITHUB_ACTIONS="true")
    with pytest.raises(RuntimeError), runner.group("a\nb"):
        raise RuntimeError
    assert printed(runner) == "::group::a\\nb\n::endgroup::\n"


def test_debug_is_silent_unless_asked_for() -> None:
    """RUNNER_DEBUG=1, GitHub's own switch, is the only one."""
    quiet, loud = make(), make(RUNNER_DEBUG="1")
    quiet.debug("x")
    loud.debug("x")
    assert (told(quiet), told(loud)) == ("", "debug: x\n")


def test_the_run_page_needs_all_its_parts() -> None:
    """Outside Actions there is no link to a run."""
    parts = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"}
    assert make(**parts).run_url == "https://github.com/o/r/actions/runs/7"
    assert make(GITHUB_REPOSITORY="o/r").run_url == ""
