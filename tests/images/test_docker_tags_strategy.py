"""The strategy's tags for each event, and what a pull request never gets."""

from __future__ import annotations

import pytest

from promote_actions.errors import InputError
from tests.images.builds import docker_tags, environment, names, result_of

IMAGE = "ghcr.io/nexo-org/nexo-be"
VERSION = "2026.02.1"
FULL = f"{VERSION}-5f3c1a2"
RELEASE = (VERSION, FULL, "sha-5f3c1a2")
ON_MAIN = (VERSION, FULL, "develop", "latest", "sha-5f3c1a2")

STRATEGY_YAML = f"""
# Primary: CalVer
type=raw,value={VERSION}

# Full version com SHA
type=raw,value={VERSION}-{{{{sha}}}}

# SHA only
type=sha,prefix=sha-,format=short

# Environment (apenas main branch)
type=raw,value=develop,enable=%s

# PR preview
type=ref,event=pr,prefix=pr-

# Latest (edge case)
type=raw,value=latest,enable=%s
"""


@pytest.mark.parametrize(
    ("event", "ref", "expected"),
    [
        ("push main", "", ON_MAIN),
        ("push branch", "", RELEASE),
        ("push tag", "", RELEASE),
        ("push tag", "refs/tags/2026.02.1", RELEASE),
        ("pull request", "", ("pr-17", "sha-c0ffee1")),
        ("pull request target", "", ("pr-17", "sha-c0ffee1")),
        ("pull request merged", "", ("2026.02.1", "2026.02.1-5f3c1a2", "develop", "latest", "sha-5f3c1a2")),
        ("workflow_dispatch", "", ON_MAIN),
        ("workflow_dispatch", "refs/heads/dev", RELEASE),
        ("schedule", "", ON_MAIN),
        ("create", "", RELEASE),
        ("release", "", RELEASE),
    ],
)
def test_each_event_gets_the_strategys_tags(event: str, ref: str, expected: tuple[str, ...]) -> None:
    """With a version and no rules: its six kinds, `develop` and `latest` on the default branch."""
    outputs = docker_tags(event, ref, version=VERSION, images=IMAGE)
    assert outputs["tag-names"].split("\n") == list(expected)
    assert outputs["tags"].split("\n") == [f"{IMAGE}:{name}" for name in expected]
    assert outputs["version"] == VERSION


def test_every_tag_is_marked_immutable_or_mutable() -> None:
    """A version and a commit never move; an environment and `latest` do."""
    outputs = docker_tags("push main", version=VERSION, environment="qa,staging")
    assert outputs["immutable-tags"].split("\n") == [VERSION, FULL, "sha-5f3c1a2"]
    assert outputs["mutable-tags"].split("\n") == ["develop", "qa", "staging", "latest"]


@pytest.mark.parametrize(
    ("rule", "ref", "mutable"),
    [
        ("type=ref,event=branch", "refs/heads/main", True),
        ("type=ref,event=tag", "refs/tags/v1.2.3", False),
        ("type=edge", "refs/heads/main", True),
        ("type=raw,value=anything", "refs/heads/main", True),
        ("type=raw,value=2026.02.1", "refs/heads/main", False),
        ("type=raw,value=2026.02.16-hotfix-auth", "refs/heads/main", False),
        ("type=raw,value=2026.13.1", "refs/heads/main", True),
        ("type=semver,pattern={{version}}", "refs/tags/v1.2.3", False),
        ("type=semver,pattern={{major}}.{{minor}}", "refs/tags/v1.2.3", True),
        ("type=semver,pattern={{major}}.{{minor}}", "refs/tags/v1.2.3-rc.1", False),
        ("type=pep440,pattern={{major}}", "refs/tags/1.2.3", True),
        ("type=match,pattern=v(.*),group=1", "refs/tags/v1.2.3", False),
        ("type=match,pattern=v(\\d.\\d),group=1", "refs/tags/v1.2.3", True),
        ("type=match,pattern=p1/v(.*),group=1", "refs/tags/p1/v1.2.3", False),
        ("type=calver,format=month,value=2026.02.1", "refs/heads/main", True),
        ("type=calver,format=semver,value=2026.02.1", "refs/heads/main", False),
        ("type=raw,value=anything,mutable=false", "refs/heads/main", False),
        ("type=sha,mutable={{is_default_branch}}", "refs/heads/main", True),
    ],
)
def test_a_rule_says_whether_its_tag_may_move(rule: str, ref: str, mutable: bool) -> None:
    """Whole versions stay, parts of versions and names move; `mutable=` says otherwise."""
    event = "push tag" if ref.startswith("refs/tags/") else "push main"
    outputs = docker_tags(event, ref, tags=rule, flavor="latest=false")
    assert (outputs["mutable-tags"] != "") is mutable
    assert (outputs["immutable-tags"] != "") is not mutable


@pytest.mark.parametrize("on_main", ["true", "false"])
def test_the_strategys_own_workflow_keeps_its_tags(on_main: str) -> None:
    """The rules that the strategy writes for docker/metadata-action, unchanged."""
    event = "push main" if on_main == "true" else "push branch"
    outputs = docker_tags(event, tags=STRATEGY_YAML % (on_main, on_main), images=IMAGE)
    expected = ON_MAIN if on_main == "true" else RELEASE
    assert outputs["tag-names"].split("\n") == list(expected)
    assert outputs["version"] == VERSION
    immutable = [f"{IMAGE}:{name}" for name in RELEASE]
    assert outputs["immutable-tags"].split("\n") == immutable


def test_a_pull_request_doesnt_get_the_releases_tags() -> None:
    """The same rules on a pull request: the preview's tags alone, and still the CalVer as the version."""
    result, _ = result_of(
        environment("pull request", tags=STRATEGY_YAML % ("true", "true"), images=IMAGE, environment="qa")
    )
    assert result.outputs["tag-names"] == "pr-17\nsha-c0ffee1"
    assert result.outputs["version"] == VERSION
    assert f"org.opencontainers.image.version={VERSION}" in result.outputs["labels"]  # type: ignore[operator]
    assert result.outputs["immutable-tags"] == ""
    assert "| `2026.02.1` | calver | withheld: not for a pull request |" in result.summary
    assert "2026.02.1" in result.text


@pytest.mark.parametrize(
    "rule",
    [
        "type=calver,value=2026.02.1",
        "type=calver,value=2026.02.1,format=month",
        "type=raw,value=2026.02.1-hotfix",
        "type=raw,value=v1.2.3",
        "type=raw,value=1.2.3,prefix=v",
        "type=raw,value=latest",
        "type=raw,value=production",
        "type=environment,value=qa",
        "type=semver,pattern={{version}},value=v1.2.3",
        "type=pep440,pattern={{version}},value=1.2.3",
        "type=match,pattern=v(.*),group=1,value=v1.2.3",
    ],
)
def test_no_rule_gives_a_pull_request_a_releases_tag(rule: str) -> None:
    """Whatever makes it, a release's tag isn't for a pull request, unless it is allowed."""
    assert names("pull request", tags=f"{rule}\ntype=ref,event=pr", flavor="latest=true") == ["pr-17"]
    with pytest.raises(InputError, match="doesn't get a release's tags"):
        names("pull request", tags=rule)
    allowed = names("pull request", tags=rule, pr_release_tags="true", flavor="latest=false")
    assert len(allowed) == 1


@pytest.mark.parametrize("value", ["1.2.3-pr.17", "1.2", "20260201", "1.2.3.4", "v1.2.x", "1.2.03"])
def test_a_pull_request_gets_raw_tags_that_are_no_release(value: str) -> None:
    """Only what reads as a final version is withheld: previews have their own raw tags."""
    assert names("pull request", tags=f"type=raw,value={value}") == [value]


def test_releases_tags_can_be_allowed_on_a_pull_request() -> None:
    """`pr-release-tags` gives a pull request everything but what needs the default branch."""
    found = names("pull request", version=VERSION, pr_release_tags="true")
    assert found == [VERSION, f"{VERSION}-c0ffee1", "pr-17", "sha-c0ffee1"]


def test_a_branch_named_like_a_release_does_not_pass_as_one_in_a_pull_request() -> None:
    """A branch name that a workflow copies into a rule can't name a version or an environment."""
    for branch in ("2026.02.1", "production", "latest"):
        assert names("pull request", tags=f"type=ref,event=pr\ntype=raw,value={branch}") == ["pr-17"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "c0ffee1"),
        ({"pr_sha": "head"}, "c0ffee1"),
        ({"pr_sha": "merge"}, "d00d112"),
        ({"DOCKER_METADATA_PR_HEAD_SHA": "true"}, "c0ffee1"),
        ({"DOCKER_METADATA_PR_HEAD_SHA": "false"}, "d00d112"),
        ({"DOCKER_METADATA_PR_HEAD_SHA": "false", "pr_sha": "head"}, "c0ffee1"),
    ],
)
def test_the_commit_of_a_pull_request_is_its_head(given: dict[str, str], expected: str) -> None:
    """The head by default; the merge commit by input, or by the variable that people know."""
    inputs = {key: value for key, value in given.items() if key.islower()}
    env = environment("pull request", tags="type=sha,prefix=", **inputs)
    env |= {key: value for key, value in given.items() if key.isupper()}
    outputs = result_of(env)[0].outputs
    assert outputs["tag-names"] == expected
    assert f"org.opencontainers.image.revision={expected}" in str(outputs["labels"])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("type=calver", "2026.02.16-hotfix-auth"),
        ("type=calver,format=full", "2026.02.16-hotfix-auth"),
        ("type=calver,format=sha", "2026.02.16-hotfix-auth-5f3c1a2"),
        ("type=calver,format=semver", "2026.2.16-hotfix-auth"),
        ("type=calver,format=month", "2026.02"),
        ("type=calver,format=year", "2026"),
        ("type=calver,prefix=v", "v2026.02.16-hotfix-auth"),
        ("type=calver,value=2026.03.4", "2026.03.4"),
        ("type=raw,value={{calver}}-x", "2026.02.16-hotfix-auth-x"),
        ("type=environment,value=qa", "qa"),
    ],
)
def test_the_new_types(rule: str, expected: str) -> None:
    """`type=calver` writes the version in whole or in part, `type=environment` an environment."""
    assert names("push main", version="2026.02.16-hotfix-auth", tags=rule) == [expected]


def test_a_full_version_is_not_given_its_commit_twice() -> None:
    """The calver step's `full-version` as the version leaves one commit in the tag."""
    assert names("push main", version=FULL, tags="type=calver,format=sha") == [FULL]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"tags": "type=calver"}, "has no version to write"),
        ({"tags": "type=calver,format=month", "version": "1.2.3"}, "is no CalVer"),
        ({"tags": "type=calver,format=week", "version": VERSION}, "format=week is unknown"),
        ({"tags": "type=environment"}, "needs value="),
        ({"version": "2026.02.1 rc"}, "characters that no tag may hold"),
        ({"version": "-2026"}, "starts with '-'"),
        ({"tags": "type=raw,value=x,mutable=maybe"}, "mutable=maybe"),
    ],
)
def test_a_version_that_cannot_be_written_is_an_error(inputs: dict[str, str], words: str) -> None:
    """What the new types can't write is refused in one line that says why."""
    with pytest.raises(InputError) as refused:
        docker_tags("push main", **inputs)
    assert words in str(refused.value)


def test_the_version_stays_the_calver_whatever_comes_first() -> None:
    """With a version given, a tag of higher priority doesn't become the image's version."""
    outputs = docker_tags(
        "schedule", version=VERSION, tags="type=schedule,priority=2000\ntype=calver,suffix=-alpine"
    )
    assert outputs["tag-names"].split("\n")[0] == "nightly"
    assert outputs["version"] == f"{VERSION}-alpine"
    assert docker_tags("push main", version=VERSION, tags="type=sha")["version"] == VERSION


def test_environments_come_on_request() -> None:
    """`environment` adds to whichever rules there are, each tag once."""
    assert names("push main", environment="develop,qa", version=VERSION).count("develop") == 1
    assert names("push main", environment="qa\nstaging") == ["main", "qa", "staging"]


def test_a_new_branch_is_not_the_default_branch() -> None:
    """`latest` doesn't move when somebody creates a branch."""
    rule = "type=raw,value=latest,enable={{is_default_branch}}\ntype=sha"
    assert names("create", tags=rule) == ["sha-5f3c1a2"]
    assert names("create", "refs/heads/main", tags=rule) == ["latest", "sha-5f3c1a2"]


def test_an_unknown_default_branch_is_said_not_guessed() -> None:
    """Without a payload no branch is the default one; a warning says so, and an input settles it."""
    env = environment("push main", version=VERSION) | {"GITHUB_EVENT_PATH": ""}
    result, said = result_of(env)
    assert result.outputs["tag-names"] == "\n".join(RELEASE)
    assert "default branch is unknown" in said
    env["INPUT_DEFAULT_BRANCH"] = "main"
    result, said = result_of(env)
    assert result.outputs["tag-names"] == "\n".join(ON_MAIN)
    assert said == ""


def test_edge_needs_a_default_branch() -> None:
    """`type=edge` without a branch fails where nobody says what the default branch is."""
    env = environment("push main", tags="type=edge") | {"GITHUB_EVENT_PATH": ""}
    with pytest.raises(InputError, match="needs the default branch"):
        result_of(env)
