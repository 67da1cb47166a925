"""``docker-tags``: the tags, labels and annotations of an image, from rules and the event."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promote_actions.errors import InputError
from promote_actions.images import report
from promote_actions.images.bake import bake_files
from promote_actions.images.context import Build, build_from
from promote_actions.images.fields import without_comments
from promote_actions.images.flavor import parse_flavor
from promote_actions.images.images import image_names
from promote_actions.images.labels import check_levels, labels_of, overridden, timestamp, with_levels
from promote_actions.images.makers import Request
from promote_actions.images.names import check_tag
from promote_actions.images.outputs import Published, outputs_of
from promote_actions.images.rules import METADATA_RULES, STRATEGY_RULES, Rule, parse_rules
from promote_actions.images.scope import scope_of
from promote_actions.images.surroundings import commit_date, in_checkout, moment, read_event, with_git
from promote_actions.images.tags import TagSet, make_tags
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command, CommonInputs, Output, choice, flag, items, lines, number, text

GIT_DEADLINE = 20.0
"""Seconds for a question about the checkout; none of them leaves this machine."""


@dataclass(frozen=True, kw_only=True)
class DockerTagsInputs(CommonInputs):
    """The inputs of docker/metadata-action, and what it lacks: a CalVer and environments."""

    images: tuple[str, ...] = lines(
        "Names of the image, one a line: name/app, or name=name/app,enable=true. Tags have none without."
    )
    tags: tuple[str, ...] = lines(
        "Rules for tags, one a line: type=raw,value=x. Without any: the strategy's tags when there is a "
        "version, else those of docker/metadata-action."
    )
    version: str = text("The image's version: the output `version` of the calver step.")
    environment: tuple[str, ...] = items("Environments to tag for as well: qa, staging, production.")
    flavor: tuple[str, ...] = lines("For all tags: latest=auto|true|false, prefix=, suffix=.")
    labels: tuple[str, ...] = lines("Labels to add or to put over the usual ones: key=value.")
    annotations: tuple[str, ...] = lines("Annotations to add or to put over the usual ones: key=value.")
    annotations_levels: tuple[str, ...] = items(
        "Where annotations go: manifest, index, manifest-descriptor, index-descriptor.",
        "manifest",
        env=("DOCKER_METADATA_ANNOTATIONS_LEVELS",),
    )
    sep_tags: str = text("What parts the tags in the outputs; a new line when empty.", verbatim=True)
    sep_labels: str = text("What parts the labels in the output; a new line when empty.", verbatim=True)
    sep_annotations: str = text(
        "What parts the annotations in the output; a new line when empty.", verbatim=True
    )
    bake_target: str = text("The target in the bake files.", "docker-metadata-action")
    context: str = choice(
        "Where the ref and the commit come from: the workflow's event, or the git checkout.",
        ("workflow", "git"),
        "workflow",
    )
    pr_sha: str = choice(
        "Which commit `sha` is on a pull request: its head, or the merge commit that GitHub makes. "
        "Without it DOCKER_METADATA_PR_HEAD_SHA decides, if set, and else it is the head.",
        ("head", "merge"),
    )
    pr_release_tags: bool = flag("Give the build of a pull request a release's tags too.")
    short_sha_length: int = number(
        "Characters of an abbreviated commit.", "7", minimum=1, env=("DOCKER_METADATA_SHORT_SHA_LENGTH",)
    )
    default_branch: str = text("The default branch, where the event doesn't name it.")
    date: str = text(
        "The moment of the build, as seconds since 1970 or ISO 8601; the clock when empty.",
        env=("SOURCE_DATE_EPOCH",),
    )
    github_token: str = text("Taken so that a workflow can be moved here unchanged; not used.", secret=True)


OUTPUTS = (
    Output("tags", "The tags with the image's name, the first for the version, parted by sep-tags."),
    Output("labels", "The labels as key=value, parted by sep-labels."),
    Output("annotations", "The annotations as level:key=value, parted by sep-annotations."),
    Output("version", "The image's version."),
    Output("images", "The names of the image, parted by sep-tags."),
    Output("immutable-tags", "Those of `tags` that must never move to another image."),
    Output("mutable-tags", "Those of `tags` that move from image to image."),
    Output("tag-names", "The tags without the image's name."),
    Output("json", "An object of tags, tag-names, labels and annotations."),
    Output("bake-file", "Path of a bake definition with tags and labels; empty in a dry run."),
    Output("bake-file-tags", "Path of a bake definition with the tags alone."),
    Output("bake-file-labels", "Path of a bake definition with the labels alone."),
    Output("bake-file-annotations", "Path of a bake definition with the annotations alone."),
)


def run(inputs: DockerTagsInputs, runner: Runner) -> Result:
    """Make the tags, write the bake files, and say what was made; no network, nothing exported."""
    build = _build(inputs, runner.env)
    now = moment(inputs.date)
    created = timestamp(now)
    request = _request(inputs, build, now)
    scope = request.scope
    images = image_names(without_comments(inputs.images), scope)
    rules = _rules(inputs, request.version)
    found = make_tags(rules, request)
    usual = labels_of(build, found.version, created)
    labels, label_notes = overridden(usual, without_comments(inputs.labels), scope, "labels")
    annotations, more_notes = overridden(usual, without_comments(inputs.annotations), scope, "annotations")
    levelled = with_levels(annotations, check_levels(inputs.annotations_levels))
    notes = [*found.notes, *label_notes, *more_notes, *_default_branch_note(build, rules)]
    _warn(runner, found, notes)
    return _result(inputs, runner, Published(found, images, labels, levelled))


def _request(inputs: DockerTagsInputs, build: Build, now: float) -> Request:
    version = check_tag(inputs.version, "--version") if inputs.version else ""
    short = build.sha[: inputs.short_sha_length]
    written = "\n".join((*inputs.tags, *inputs.flavor, *inputs.labels, *inputs.annotations))
    committed = commit_date(build, _ask_git) if "commit_date" in written else None
    return Request(
        build=build,
        scope=scope_of(build, version=version, short_sha=short, now=now, committed=committed),
        flavor=parse_flavor(without_comments(inputs.flavor)),
        version=version,
        short_sha=short,
        release_tags=inputs.pr_release_tags,
    )


def _build(inputs: DockerTagsInputs, env: Mapping[str, str]) -> Build:
    payload = read_event(env.get("GITHUB_EVENT_PATH", ""))
    stated = env.get("DOCKER_METADATA_PR_HEAD_SHA", "")
    head = inputs.pr_sha == "head" if inputs.pr_sha else "true" in stated.lower() or not stated.strip()
    use_git = inputs.context == "git"
    build = build_from(env, payload, head_sha=head and not use_git, default_branch=inputs.default_branch)
    if use_git:
        return with_git(build, _ask_git)
    if not build.ref and not build.sha and not build.event and in_checkout(_ask_git):
        return with_git(build, _ask_git)
    return build


def _ask_git(*arguments: str) -> str | None:
    from promote_actions.adapters.git_process import Git
    from promote_actions.errors import DependencyError

    try:
        # In a partial clone git would fetch what is missing; this command asks nothing of the network.
        done = Git().run(*arguments, env={"GIT_NO_LAZY_FETCH": "1"}, deadline=GIT_DEADLINE)
    except DependencyError:
        return None
    return done.text.strip() if done.status == 0 else None


def _rules(inputs: DockerTagsInputs, version: str) -> tuple[Rule, ...]:
    written = without_comments(inputs.tags)
    if not written:
        written = STRATEGY_RULES if version else METADATA_RULES
    return parse_rules(written, inputs.environment)


def _default_branch_note(build: Build, rules: Sequence[Rule]) -> list[str]:
    asked = any("is_default_branch" in rule.get("enable") for rule in rules)
    if not asked or not build.branch or build.default_branch:
        return []
    return ["the default branch is unknown, so no branch counts as it: pass --default-branch"]


def _warn(runner: Runner, found: TagSet, notes: Sequence[str]) -> None:
    """One warning for everything: a job's page shows ten of a step and drops the rest."""
    if found.withheld and runner.in_actions:
        names = ", ".join(tag.name for tag in found.withheld)
        runner.say(f"not for a pull request (see pr-release-tags): {names}")
    if notes:
        more = f"; and {len(notes) - 8} more" if len(notes) > 8 else ""
        runner.warning("; ".join(notes[:8]) + more, title="docker-tags")


def _result(inputs: DockerTagsInputs, runner: Runner, it: Published) -> Result:
    separators = (inputs.sep_tags or "\n", inputs.sep_labels or "\n", inputs.sep_annotations or "\n")
    outputs = outputs_of(it, separators)
    bake = bake_files(inputs.bake_target, it)
    outputs |= dict.fromkeys(bake, "") if inputs.dry_run else _write_bake_files(bake, runner.env)
    return Result(outputs, report.terminal(it), report.markdown(it))


def _write_bake_files(bake: Mapping[str, Mapping[str, Any]], env: Mapping[str, str]) -> dict[str, str]:
    """Write each document into a new folder of its own; returns the paths by output."""
    import json

    root = env.get("RUNNER_TEMP") or env.get("TMPDIR") or env.get("TEMP") or "/tmp"  # noqa: S108
    folder = os.path.abspath(os.path.join(root, f"promote-actions-bake-{os.urandom(8).hex()}"))
    paths = {output: os.path.join(folder, f"docker-tags-{output}.json") for output in bake}
    try:
        os.makedirs(folder, mode=0o700)
        for output, document in bake.items():
            with open(paths[output], "x", encoding="utf-8") as file:
                json.dump(document, file, ensure_ascii=False, indent=2)
    except OSError as error:
        raise InputError(
            f"cannot write the bake files below {root}: {error.strerror}",
            hint="point RUNNER_TEMP at a folder that this step may write",
        ) from None
    return paths


COMMAND = Command(
    name="docker-tags",
    summary="Make the tags, labels and annotations of an image.",
    inputs=DockerTagsInputs,
    outputs=OUTPUTS,
    run=run,
    description=(
        "Reads the event of the workflow and makes the strategy's tags for it, or those that your rules\n"
        "ask for, in the rule language of docker/metadata-action with `type=calver` and\n"
        "`type=environment` beside it. Every tag is marked mutable or immutable, and the build of a pull\n"
        "request doesn't get a release's tags."
    ),
    icon="tag",
    color="blue",
)
