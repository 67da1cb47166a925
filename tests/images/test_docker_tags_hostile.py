"""Refs, payloads and inputs that somebody means harm with, and random ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.images.names import sanitise_tag, tag_fault
from promote_actions.images.rules import METADATA_RULES, parse_rule
from promote_actions.runner import Runner
from tests.command_files import parse_key_values
from tests.images.builds import HEAD_SHA, docker_tags, environment, payload_of, result_of

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")

BRANCHES = (
    '"; curl x; "',
    "$(id)",
    "`id`",
    "🚀🚀/x",
    "a\nb",
    "a\r\n::set-output name=version::evil",
    "::set-output name=x::y",
    "##[add-mask]x",
    "a,value=latest,enable=true",
    "{{sha}}",
    "{{#if x}}",
    "..%2f..%2fetc",
    "a\u202egpj",
    "x" * 100,
)


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_cannot_be_more_than_a_tag(branch: str) -> None:
    """Whatever a branch is called, what comes out is tags of legal characters, or one line of error."""
    try:
        found = docker_tags(
            "push branch", f"refs/heads/{branch}", tags="type=ref,event=branch\nx-{{branch}}"
        )
    except InputError as refused:
        assert "\n" not in str(refused)
        assert tag_fault(sanitise_tag(branch))
        return
    assert found["tag-names"] == f"{sanitise_tag(branch)}\nx-{sanitise_tag(branch)}"
    assert all(TAG.fullmatch(name) for name in found["tag-names"].split("\n"))


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_in_a_label_stays_in_its_label(branch: str, tmp_path: Path) -> None:
    """A label's value has no line break, and the outputs' file keeps its form."""
    output = tmp_path / "output"
    env = environment("push branch", f"refs/heads/{branch}", tags="type=sha", labels="branch={{branch}}")
    env |= {"GITHUB_OUTPUT": str(output), "GITHUB_ACTIONS": "true"}
    result, said = result_of(env)
    Runner(env=env).finish(result)
    written = parse_key_values(output.read_text(encoding="utf-8"))
    labels = written["labels"].split("\n")
    assert len(labels) == 9
    assert labels[0].startswith("branch=")
    assert written["version"] == "sha-5f3c1a2"
    assert not re.search(r"^\s*::(?!warning)", said, re.MULTILINE)


@pytest.mark.parametrize(
    "ref", ["refs/heads/" + "x" * 129, "refs/heads/🚀", "refs/heads/-x", "refs/heads/.x"]
)
def test_a_tag_that_no_registry_takes_names_its_rule(ref: str) -> None:
    """Too long, or with a first character that is none: refused before the build, with the rule."""
    with pytest.raises(InputError) as refused:
        docker_tags("push branch", ref)
    assert "the rule 'type=ref,event=branch' makes the tag" in str(refused.value)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("type=raw,value=-x", "'-x', which starts with '-'"),
        ("type=raw,value=.x", "'.x', which starts with '.'"),
        ("type=raw,value=/x", "'-x', which starts with '-'"),
        ("type=sha,prefix=-", "which starts with '-'"),
        (f"type=raw,value={'x' * 129}", "which has 129 characters"),
        (f"type=sha,suffix={'y' * 128}", "which has 139 characters"),
    ],
)
def test_an_illegal_tag_is_an_error_with_its_fault(rule: str, words: str) -> None:
    """What is wrong with the tag is said, and the rule is named."""
    with pytest.raises(InputError) as refused:
        docker_tags("push main", tags=f"type=ref,event=branch\n{rule}")
    assert words in str(refused.value)
    assert rule[:100] in str(refused.value)


def test_the_longest_tag_passes() -> None:
    """128 characters are a tag."""
    assert docker_tags("push main", tags="x" * 128)["version"] == "x" * 128


def test_a_huge_ref_is_refused() -> None:
    """A ref longer than any file system takes is no ref."""
    with pytest.raises(InputError, match="GITHUB_REF has"):
        docker_tags("push branch", "refs/heads/" + "x" * 5000)


@pytest.mark.parametrize("sha", ["zzzz", "; rm -rf /", "a" * 65, "--output=x", "é"])
def test_a_commit_that_is_none_is_refused(sha: str) -> None:
    """GITHUB_SHA reaches tags and git: it is hexadecimal or nothing."""
    with pytest.raises(InputError, match="is no commit SHA"):
        result_of(environment("push main") | {"GITHUB_SHA": sha})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"[]", "holds no JSON object but a list"),
        (b"null", "but null"),
        (b'"x"', "but a text"),
        (b"12", "but a number"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"a":' * 100_000, "is no JSON"),
    ],
)
def test_an_event_that_is_no_object_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    """A payload that can't be read ends in one line that names the file."""
    path = tmp_path / "event.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        result_of(environment("push main") | {"GITHUB_EVENT_PATH": str(path)})
    assert words in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_huge_event_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file larger than any payload isn't read to its end."""
    monkeypatch.setattr("promote_actions.images.surroundings.EVENT_LIMIT", 1024 * 1024)
    path = tmp_path / "event.json"
    path.write_bytes(b" " * (1024 * 1024 + 1))
    with pytest.raises(InputError, match="has more than 1 MiB"):
        result_of(environment("push main") | {"GITHUB_EVENT_PATH": str(path)})


@pytest.mark.parametrize("path", ["/does/not/exist", "/", "a\0b"])
def test_an_event_that_is_not_there_is_refused(path: str) -> None:
    """A path that names no readable file is said to be so."""
    with pytest.raises(InputError, match="event's file"):
        result_of(environment("push main") | {"GITHUB_EVENT_PATH": path})


@pytest.mark.parametrize(
    "change",
    [
        {"repository": "text"},
        {"repository": None},
        {"repository": {"default_branch": 7, "name": [], "license": "MIT", "description": {"a": 1}}},
        {"pull_request": [1, 2]},
        {"pull_request": {"head": "x", "base": None}},
        {"commits": {"a": 1}, "head_commit": "x"},
        {"commits": [None, 3, {"id": 5}], "head_commit": {"id": HEAD_SHA, "timestamp": 12}},
        {"head_commit": {"id": HEAD_SHA, "timestamp": "long ago"}},
        {"base_ref": {"x": 1}},
    ],
)
@pytest.mark.parametrize("event", ["push main", "pull request", "push tag"])
def test_a_payload_of_another_shape_is_survived(change: dict[str, Any], event: str, tmp_path: Path) -> None:
    """Fields of the wrong kind count as missing."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload_of(event) | change), encoding="utf-8")
    env = environment(event, tags="type=sha\nx{{base_ref}}{{commit_date 'YYYY'}}")
    outputs = result_of(env | {"GITHUB_EVENT_PATH": str(path)})[0].outputs
    assert str(outputs["tag-names"]).startswith("x")


@pytest.mark.parametrize("number", [None, "17", 0, -1, True, 1.5, "17/../x"])
def test_a_pull_request_without_a_number_is_no_build_of_its_base(number: object, tmp_path: Path) -> None:
    """`pull_request_target` names the base branch: without a number it must not count as that branch."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload_of("pull request") | {"number": number}), encoding="utf-8")
    env = environment("pull request target", version="2026.02.1") | {"GITHUB_EVENT_PATH": str(path)}
    with pytest.raises(InputError, match="doesn't say its number"):
        result_of(env)


@pytest.mark.parametrize(
    "name",
    [
        *("a b", "A//b", "a/", "/a", "a/-b", "a/b_", "a/b..c", "a/b___c", "a/b:tag", "a/b@sha256:0"),
        *("https://ghcr.io/a/b", "ghcr.io:port/a", "gh_cr.io/a", "-x.io/a", "x:123456/a", "é/a", "a/$(id)"),
        *("a" * 256, "[::1/a", "[zz]:1/a", "[]/a", "[::1]x/a", "localhost:/a"),
    ],
)
def test_an_image_that_is_no_name_is_refused(name: str) -> None:
    """What no registry takes as a name is refused before a build is paid for."""
    with pytest.raises(InputError, match="image") as refused:
        docker_tags("push main", images=f'name="{name}"' if "," in name else name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "a",
            "a/b/c",
            "ghcr.io/a/b",
            "localhost/a",
            "localhost:5000/a",
            "[::1]:5000/a",
            "[2001:db8::1]/a",
        ),
        *("registry.example.com:443/team/app.web__x-y--z", "1.2.3.4:5000/a", "x/a.b_c__d---e"),
    ],
)
def test_an_image_that_is_a_name_passes(name: str) -> None:
    """Registries with ports and addresses, and every legal separator."""
    assert docker_tags("push main", images=name)["images"] == name


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_the_sanitiser_leaves_what_a_tag_may_hold(text: str) -> None:
    """Only legal characters are left, legal ones stay as they are, and doing it twice changes nothing."""
    cleaned = sanitise_tag(text)
    assert re.fullmatch(r"[A-Za-z0-9_.-]*", cleaned)
    assert cleaned == re.sub(r"[^a-zA-Z0-9._-]+", "-", text)
    assert sanitise_tag(cleaned) == cleaned


RULE_WORDS = st.sampled_from(
    [
        *("type=", "raw", "sha", "ref", "semver", "pep440", "match", "edge", "schedule", "calver"),
        *("environment", "value=", "pattern=", "event=", "branch", "tag", "pr", "enable=", "true", "false"),
        *("priority=", "9", "prefix=", "suffix=", "group=", "format=", "long", "match=", "mutable="),
        *(
            ",",
            ",",
            ",",
            "=",
            '"',
            "{{",
            "}}",
            "{{sha}}",
            "{{date 'Y'}}",
            "(",
            ")",
            "*",
            "[",
            "\\",
            "/",
            "#",
        ),
    ]
)
RULES = st.one_of(st.lists(RULE_WORDS, max_size=12).map("".join), st.text(max_size=60))
LINES = st.lists(RULES.map(lambda rule: rule.replace("\n", " ")), max_size=4).map("\n".join)


@given(RULES)
@settings(max_examples=400, deadline=None)
def test_the_rule_parser_parses_or_refuses(line: str) -> None:
    """Any text is a rule with a known type, or an error of one line; nothing else happens."""
    try:
        rule = parse_rule(line)
    except InputError as refused:
        assert "\n" not in str(refused)
    else:
        assert rule.line == line
        assert rule.get("enable") != "" or "enable=" in line.replace(" ", "").lower()


@given(LINES, st.text(max_size=40), st.sampled_from(["heads", "tags", "pull"]), LINES, LINES)
@settings(max_examples=300, deadline=None)
def test_any_input_makes_valid_tags_or_one_line(
    rules: str, name: str, kind: str, flavor: str, labels: str
) -> None:
    """Whatever rules, refs and labels: tags that registries take, all different, or a bad input."""
    env = environment("push main", f"refs/{kind}/{name}", tags=rules.replace("\0", ""))
    env["INPUT_FLAVOR"], env["INPUT_LABELS"] = flavor.replace("\0", ""), labels.replace("\0", "")
    try:
        outputs = result_of(env)[0].outputs
    except InputError as refused:
        assert "\n" not in str(refused)
        return
    found = str(outputs["tag-names"]).split("\n")
    assert all(TAG.fullmatch(tag) for tag in found)
    assert len(set(found)) == len(found)
    assert all("=" in line for line in str(outputs["labels"]).split("\n"))


def test_the_default_rules_are_rules() -> None:
    """The rules that stand in are written in the language that they stand in for."""
    assert [parse_rule(line).type for line in METADATA_RULES] == ["schedule", "ref", "ref", "ref"]
