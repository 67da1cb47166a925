"""What docker-tags hands on: outputs, labels, annotations, bake files, the summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from promote_actions.errors import InputError
from promote_actions.images.command import OUTPUTS
from promote_actions.runner import Runner
from tests.command_files import parse_key_values
from tests.images.builds import SHA, docker_tags, environment, payload_of, result_of

OCI = "org.opencontainers.image."
CREATED = "2020-01-10T00:30:00.000Z"
USUAL = {
    f"{OCI}created": CREATED,
    f"{OCI}description": "Orders and payments",
    f"{OCI}licenses": "MIT",
    f"{OCI}revision": SHA,
    f"{OCI}source": "https://github.com/nexo-org/nexo-be",
    f"{OCI}title": "nexo-be",
    f"{OCI}url": "https://github.com/nexo-org/nexo-be",
    f"{OCI}version": "2026.02.1",
}


def labels_with(**inputs: Any) -> dict[str, str]:
    outputs = docker_tags("push main", version="2026.02.1", **inputs)
    return dict(line.split("=", 1) for line in outputs["labels"].split("\n"))


def test_the_outputs_are_those_that_are_declared() -> None:
    """Every declared output is written and no other, those of docker/metadata-action among them."""
    outputs = docker_tags("push main", version="2026.02.1")
    assert list(outputs) == [output.name for output in OUTPUTS]
    assert {
        *("tags", "labels", "annotations", "version", "images", "immutable-tags", "mutable-tags"),
        *("json", "bake-file", "bake-file-tags", "bake-file-labels", "bake-file-annotations", "tag-names"),
    } == set(outputs)


def test_labels_come_from_the_payload() -> None:
    """The usual labels, sorted, with the repository's facts and not one question to the network."""
    outputs = docker_tags("push main", version="2026.02.1")
    assert outputs["labels"].split("\n") == [f"{key}={value}" for key, value in USUAL.items()]


def test_labels_without_a_payload_come_from_the_environment() -> None:
    """Title and address are known from the runner's variables alone."""
    env = environment("push main", version="2026.02.1") | {"GITHUB_EVENT_PATH": ""}
    found = str(result_of(env)[0].outputs["labels"]).split("\n")
    assert f"{OCI}title=nexo-be" in found
    assert f"{OCI}source=https://github.com/nexo-org/nexo-be" in found
    assert f"{OCI}description=" in found


def test_the_strategys_labels() -> None:
    """The label lines that the strategy writes: dates, the commit, the context."""
    found = labels_with(
        labels=(
            f"{OCI}title=orders\n"
            f"{OCI}created={{{{date 'YYYY-MM-DDTHH:mm:ssZ'}}}}\n"
            f"{OCI}revision={{{{sha}}}}\n"
            f"{OCI}source={{{{ctx.server}}}}/{{{{ctx.owner}}}}/{{{{ctx.repo}}}}"
        )
    )
    assert found == USUAL | {
        f"{OCI}title": "orders",
        f"{OCI}created": "2020-01-10T00:30:00+00:00",
        f"{OCI}revision": "5f3c1a2",
        f"{OCI}source": "https://github.com/nexo-org/nexo-be",
    }


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("maintainer=CrazyMax", "maintainer", "CrazyMax"),
        (f"{OCI}title=MyCustom=Title", f"{OCI}title", "MyCustom=Title"),
        ("foo=", "foo", ""),
        (f'{OCI}description=this is a "good" example', f"{OCI}description", 'this is a "good" example'),
        ('"quoted=a, b"', "quoted", "a, b"),
        ("mylabel=foo#bar\n#comment", "mylabel", "foo#bar"),
        ("key=a,b,c", "key", "a,b,c"),
        (f"{OCI}url=https://example.com/path#readme", f"{OCI}url", "https://example.com/path#readme"),
        ("built={{commit_date 'YYYY-MM-DDTHH:mm:ss.SSS[Z]'}}", "built", "2020-01-09T22:30:00.000Z"),
        ("{{sha}}-key=x", "5f3c1a2-key", "x"),
        ("escaped=\\{{sha}}", "escaped", "{{sha}}"),
    ],
)
def test_labels_can_be_added_and_overridden(line: str, key: str, value: str) -> None:
    """A line is a key and everything after its first `=`; expressions are replaced."""
    assert labels_with(labels=line)[key] == value


def test_a_label_without_a_value_is_left_out_and_said() -> None:
    """A line without `=` makes no label; a warning names it."""
    result, said = result_of(environment("push main", version="2026.02.1", labels="invalid\nfoo=1"))
    assert "invalid" not in str(result.outputs["labels"])
    assert "labels: 'invalid' has no '='" in said


def test_labels_sort_as_they_do_there() -> None:
    """Letter by letter without regard to case, as ICU's root collation has it."""
    lines = "B=1\na=1\nC=1\nb=1\na_b=1\na-b=1\na.b=1\na1=1\nA=1"
    found = [key for key in labels_with(labels=lines) if not key.startswith("org.")]
    assert found == ["a", "A", "a_b", "a-b", "a.b", "a1", "b", "B", "C"]


def test_annotations_have_their_own_overrides_and_levels() -> None:
    """Labels and annotations are overridden apart; each level gets all annotations."""
    outputs = docker_tags(
        "push main",
        version="2026.02.1",
        labels=f"{OCI}title=label",
        annotations=f"{OCI}title=annotation",
        annotations_levels="manifest,index",
    )
    lines = outputs["annotations"].split("\n")
    assert len(lines) == 2 * len(USUAL)
    assert f"manifest:{OCI}title=annotation" in lines[: len(USUAL)]
    assert f"index:{OCI}title=annotation" in lines[len(USUAL) :]
    assert f"{OCI}title=label" in outputs["labels"]


@pytest.mark.parametrize(
    "level", ["index", "manifest-descriptor", "index-descriptor", "manifest[linux/arm64]"]
)
def test_levels_come_from_the_known_variable(level: str) -> None:
    """`DOCKER_METADATA_ANNOTATIONS_LEVELS` names the levels, where the input doesn't."""
    env = environment("push main", version="2026.02.1") | {"DOCKER_METADATA_ANNOTATIONS_LEVELS": level}
    first = str(result_of(env)[0].outputs["annotations"]).split("\n")[0]
    assert first == f"{level}:{OCI}created={CREATED}"


@pytest.mark.parametrize("level", ["image", "manifest[", "index;x"])
def test_an_unknown_level_is_refused(level: str) -> None:
    """A level that BuildKit would refuse fails here, before a build is paid for."""
    with pytest.raises(InputError, match="annotation level"):
        docker_tags("push main", version="2026.02.1", annotations_levels=level)


@pytest.mark.parametrize("separator", [",", " ", ", ", "\t", "||"])
def test_separators_part_the_lists(separator: str) -> None:
    """Each list has its own separator, blanks included; without one it is a new line."""
    outputs = docker_tags(
        "push main",
        version="2026.02.1",
        images="a/b",
        sep_tags=separator,
        sep_labels=separator,
        sep_annotations=separator,
    )
    tags = [
        f"a/b:{name}" for name in ("2026.02.1", "2026.02.1-5f3c1a2", "develop", "latest", "sha-5f3c1a2")
    ]
    assert outputs["tags"] == separator.join(tags)
    assert outputs["immutable-tags"] == separator.join([tags[0], tags[1], tags[4]])
    assert outputs["labels"] == separator.join(f"{key}={value}" for key, value in USUAL.items())
    assert outputs["annotations"] == separator.join(f"manifest:{k}={v}" for k, v in USUAL.items())


def test_the_json_output_has_them_all() -> None:
    """One object for `fromJSON`, with the fields of docker/metadata-action."""
    found = docker_tags("push main", version="2026.02.1", images="a/b", tags="type=calver")["json"]
    assert found == {
        "tags": ["a/b:2026.02.1"],
        "tag-names": ["2026.02.1"],
        "labels": USUAL,
        "annotations": [f"manifest:{key}={value}" for key, value in USUAL.items()],
    }


def test_bake_files_override_a_target(tmp_path: Path) -> None:
    """Four files below RUNNER_TEMP: everything, tags, labels, annotations."""
    env = environment(
        "push main",
        version="2026.02.1",
        images="A/b",
        tags="type=calver",
        bake_target="meta",
        dry_run="false",
    )
    outputs = result_of(env | {"RUNNER_TEMP": str(tmp_path)})[0].outputs
    documents = {}
    for name in ("bake-file", "bake-file-tags", "bake-file-labels", "bake-file-annotations"):
        path = Path(str(outputs[name]))
        assert tmp_path in path.parents
        documents[name] = json.loads(path.read_text(encoding="utf-8"))["target"]["meta"]
    tags = ["a/b:2026.02.1"]
    arguments = {"DOCKER_META_IMAGES": "a/b", "DOCKER_META_VERSION": "2026.02.1"}
    assert documents["bake-file"] == {"tags": tags, "labels": USUAL, "args": arguments}
    assert documents["bake-file-tags"] == {"tags": tags, "args": arguments}
    assert documents["bake-file-labels"] == {"labels": USUAL}
    assert documents["bake-file-annotations"] == {
        "annotations": [f"manifest:{key}={value}" for key, value in USUAL.items()]
    }


def test_a_dry_run_writes_no_bake_file(tmp_path: Path) -> None:
    """Nothing appears on the disk, and the outputs are empty."""
    outputs = result_of(environment("push main", version="2026.02.1") | {"RUNNER_TEMP": str(tmp_path)})[
        0
    ].outputs
    assert outputs["bake-file"] == ""
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A RUNNER_TEMP that is a file is named in one line."""
    file = tmp_path / "file"
    file.touch()
    env = environment("push main", version="2026.02.1", dry_run="false") | {"RUNNER_TEMP": str(file)}
    with pytest.raises(InputError, match="cannot write the bake files"):
        result_of(env)


@pytest.mark.parametrize(
    ("epoch", "created"),
    [
        ("0", "1970-01-01T00:00:00.000Z"),
        ("1580601600", "2020-02-02T00:00:00.000Z"),
        ("1580601600.25", "2020-02-02T00:00:00.250Z"),
    ],
)
def test_created_is_the_source_date(epoch: str, created: str) -> None:
    """SOURCE_DATE_EPOCH makes two builds of one source say the same."""
    env = environment("push main", version="2026.02.1", date="", tags="x-{{date 'YYYY'}}")
    outputs = result_of(env | {"SOURCE_DATE_EPOCH": epoch})[0].outputs
    assert f"{OCI}created={created}" in str(outputs["labels"])
    assert outputs["tag-names"] == f"x-{created[:4]}"


def test_without_a_source_date_the_clock_decides() -> None:
    """`created` is now, in the form of RFC 3339."""
    env = environment("push main", version="2026.02.1", date="")
    line = str(result_of(env)[0].outputs["labels"]).split("\n")[0]
    assert line.startswith(f"{OCI}created=20")
    assert line.endswith("Z")


@pytest.mark.parametrize(
    "text", ["yesterday", "2020-13-01", "99999999999999999999", "1e300", "-5", "9e9999"]
)
def test_a_date_that_is_none_is_refused(text: str) -> None:
    """A date must be seconds or ISO 8601, and one that a calendar has."""
    with pytest.raises(InputError):
        docker_tags("push main", version="2026.02.1", date=text)


def test_the_summary_is_a_table() -> None:
    """Tag, kind, and whether it moves."""
    result, _ = result_of(environment("pull request", images="a/b"))
    assert result.summary == (
        "### Image version `pr-17`\n\nImages: `a/b`\n\n"
        "| tag | kind | mutable? |\n| --- | --- | --- |\n"
        "| `pr-17` | pr | mutable (ephemeral) |\n"
    )
    assert result.text.split("\n") == ["version pr-17", "  pr-17  pr  mutable (ephemeral)", "a/b:pr-17"]


def test_the_runner_gets_outputs_and_nothing_else(tmp_path: Path) -> None:
    """Outputs and a summary are written; the environment of later steps isn't touched."""
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
    for file in files.values():
        file.touch()
    env = environment("push main", version="2026.02.1", images="a/b") | {
        name: str(path) for name, path in files.items()
    }
    result, _ = result_of(env)
    assert Runner(env=env).finish(result) == 0
    written = parse_key_values(files["GITHUB_OUTPUT"].read_text(encoding="utf-8"))
    assert set(written) == {output.name for output in OUTPUTS}
    assert json.loads(written["json"])["tags"] == written["tags"].split("\n")
    assert "2026.02.1" in files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
    assert files["GITHUB_ENV"].read_text(encoding="utf-8") == ""


def test_a_description_with_line_breaks_stays_one_label(tmp_path: Path) -> None:
    """A line break in the payload doesn't begin a label of its own."""
    payload = payload_of("push main")
    payload["repository"]["description"] = "first\nevil=1\r\n\u2028second=2"
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload), encoding="utf-8")
    env = environment("push main", version="2026.02.1") | {"GITHUB_EVENT_PATH": str(path)}
    lines = str(result_of(env)[0].outputs["labels"]).splitlines()
    assert len(lines) == len(USUAL)
    assert f"{OCI}description=first evil=1   second=2" in lines


def test_images_are_listed_once_each() -> None:
    """Names are in lower case, doubles and disabled ones left out, and may depend on the branch."""
    images = (
        "ghcr.io/A/B\nghcr.io/a/b\nname=c/d,enable={{is_default_branch}}\nname=e/f,enable=false\ng/h,i/j"
    )
    assert docker_tags("push main", images=images)["images"].split("\n") == [
        *("ghcr.io/a/b", "c/d", "g/h", "i/j")
    ]
    assert "c/d" not in docker_tags("push branch", images=images)["images"]


def test_only_disabled_images_are_an_error() -> None:
    """Nothing to tag must not become tags without a name, which push somewhere else."""
    with pytest.raises(InputError, match="every image is disabled"):
        docker_tags("push main", images="a/b,enable=false")
