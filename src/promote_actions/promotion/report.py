"""What a promotion tells afterwards: outputs, words for a terminal, and the step summary. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from promote_actions.adapters.gitops import GitOpsRepository
from promote_actions.promotion.land import Landing, as_json
from promote_actions.promotion.messages import Words
from promote_actions.runner import Result


def outputs(landing: Landing) -> Mapping[str, object]:
    """The declared outputs of ``promote``."""
    made, facts = landing.plan, landing.facts
    moves = {move.service.name: move for move in made.moves}
    versions = [
        moves[each.service.name].version if each.service.name in moves else each.target.version
        for each in facts.services
    ]
    previous = [
        moves[each.service.name].previous if each.service.name in moves else each.target.version
        for each in facts.services
    ]
    return {
        "changed": landing.changed,
        "mode": made.mode,
        "service": ",".join(each.service.name for each in facts.services),
        "from": made.source.name if made.source else "",
        "to": made.environment.name,
        "version": ",".join(dict.fromkeys(versions)),
        "previous-version": ",".join(dict.fromkeys(previous)),
        "digest": ",".join(dict.fromkeys(move.digest for move in made.moves if move.digest)),
        "commit-sha": landing.commit,
        "branch": landing.branch or facts.branch,
        "pr-number": str(landing.pr_number or ""),
        "pr-url": landing.pr_url,
        "reviewers": ",".join(landing.reviewers),
        "plan": as_json(landing),
    }


def result(landing: Landing, repository: GitOpsRepository, dry_run: bool) -> Result:
    """The command's result, for a person and for a job's page."""
    return Result(
        outputs(landing),
        text="\n".join(_text(landing, repository, dry_run)),
        summary="\n".join(_summary(landing, repository, dry_run)),
        refusal=landing.failure,
    )


def _headline(landing: Landing, dry_run: bool) -> str:
    made = landing.plan
    if not made.changed:
        return f"nothing to do: {made.environment.name} already has {_versions(landing)}"
    names = ", ".join(f"{move.service.name} {move.version}" for move in made.moves)
    way = "by direct commit" if made.mode == "direct" else "by pull request"
    if made.rollback:
        restored = ", ".join(f"{move.service.name} to {move.version}" for move in made.moves)
        verb = (
            "would roll back"
            if dry_run
            else "rolled back"
            if made.mode == "direct"
            else "proposed to roll back"
        )
        return f"{verb} {restored} in {made.environment.name} {way}"
    verb = "would promote" if dry_run else "promoted" if made.mode == "direct" else "proposed"
    return f"{verb} {names} to {made.environment.name} {way}"


def _versions(landing: Landing) -> str:
    return ", ".join(f"{each.service.name} {each.target.version}" for each in landing.facts.services)


def _text(landing: Landing, repository: GitOpsRepository, dry_run: bool) -> list[str]:
    lines = [_headline(landing, dry_run)]
    lines += [
        f"  {move.file}: {move.previous or 'nothing'} → {move.version}" for move in landing.plan.moves
    ]
    if landing.plan.overridden:
        lines.append(f"  overridden: {', '.join(landing.plan.overridden)}")
    if landing.commit:
        lines.append(f"  commit {landing.commit[:12]} on {landing.branch or landing.facts.branch}")
    if landing.pr_url:
        lines.append(f"  pull request {landing.pr_url}")
    if landing.reviewers:
        lines.append(f"  {'would ask' if dry_run else 'reviewers'}: {', '.join(landing.reviewers)}")
    lines += [f"  note: {note}" for note in landing.notes]
    if dry_run and landing.words:
        lines += ["", *_messages(landing.words, landing.plan.mode), "", landing.diff]
        lines += ["", f"dry run: {repository.name} was not changed"]
    return lines


def _messages(words: Words, mode: str) -> list[str]:
    if mode == "direct":
        return [words.commit.rstrip()]
    heads = [f"branch {words.branch}", "", words.commit.rstrip(), "", f"pull request: {words.title}", ""]
    return [*heads, words.body.rstrip()]


def _summary(landing: Landing, repository: GitOpsRepository, dry_run: bool) -> list[str]:
    lines = [f"### {_headline(landing, dry_run).capitalize()}", ""]
    if landing.plan.moves:
        lines += ["| service | environment | previous | version |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(move.service.name)} | {_cell(landing.plan.environment.name)} "
            f"| `{_cell(move.previous or '–')}` | `{_cell(move.version)}` |"
            for move in landing.plan.moves
        ]
        lines.append("")
    if landing.commit and repository.web_url:
        lines.append(f"Commit [`{landing.commit[:12]}`]({repository.web_url}/commit/{landing.commit})")
    if landing.pr_url:
        lines.append(f"Pull request: {landing.pr_url}")
    if landing.reviewers:
        lines.append(f"Reviewers: {', '.join(_cell(each) for each in landing.reviewers)}")
    lines += [f"> {_cell(note)}" for note in landing.notes]
    return lines


def _cell(text: str) -> str:
    """``text`` for a Markdown table or line: no markup, no new cell, nobody mentioned."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")
    return escaped.replace("\n", " ")
