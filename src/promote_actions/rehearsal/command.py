"""``rehearse``: the whole flow on this machine, on a sample or on a copy of your own repository."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from promote_actions.errors import InputError, Refused
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command, CommonInputs, Output, items, text


@dataclass(frozen=True, kw_only=True)
class RehearseInputs(CommonInputs):
    """What a rehearsal needs to be told: nothing."""

    gitops: str = text("A GitOps repository (path or URL) to copy and rehearse on; empty for a sample.")
    service: tuple[str, ...] = items("The services to promote there; empty for the first two.")
    keep: str = text("A folder for everything that is made; empty for a new temporary one.")


OUTPUTS = (
    Output("passed", "`true` when every step did what it should."),
    Output("version", "The version that went from a commit to the last environment."),
    Output("steps", "How many steps were played."),
    Output("report", "Path of the HTML report."),
    Output("dashboard", "Path of the version matrix as HTML."),
)


def run(inputs: RehearseInputs, runner: Runner) -> Result:
    """Build the world, play the story, and tell how it went. Nothing of the user's is written."""
    from promote_actions.gates.progress import sigterm_interrupts
    from promote_actions.rehearsal.report import write_report
    from promote_actions.rehearsal.stage import Stage, StepFailed, runner_environment
    from promote_actions.rehearsal.story import Story, last_words
    from promote_actions.rehearsal.world import BOT, build

    begin = time.monotonic()
    folder = _folder(inputs.keep)
    runner.say(f"rehearsal in {folder}: git is real; GitHub, Argo CD and the registry are emulated here")
    with sigterm_interrupts(), ExitStack() as stack:
        world = build(stack, folder, _absolute(inputs.gitops), inputs.service)
        environment = runner_environment(world.github.url, world.gitops, BOT)
        stage = Stage(folder, environment, runner.say)
        story = Story(world, stage)
        failure: StepFailed | None = None
        words: dict[str, str] = {}
        try:
            story.play()
            words = dict(last_words(story))
        except StepFailed as error:
            failure = error
        seconds = time.monotonic() - begin
        report = write_report(folder, stage.played, words, seconds, failure)
    lines = [f"── {title} ──\n{text.rstrip()}\n" for title, text in words.items()]
    verdict = "every step did what it should" if failure is None else "a step did not do what it should"
    lines += [
        f"{verdict}: {len(stage.played)} steps in {seconds:.0f} s",
        f"report:    {report}",
        f"dashboard: {story.dashboard}",
    ]
    outputs = {
        "passed": failure is None,
        "version": story.version,
        "steps": str(len(stage.played)),
        "report": str(report),
        "dashboard": str(story.dashboard) if failure is None else "",
    }
    refusal = None if failure is None else Refused(failure.message, hint=failure.hint)
    return Result(outputs, text="\n".join(lines), refusal=refusal)


def _folder(keep: str) -> Path:
    if not keep:
        return Path(tempfile.mkdtemp(prefix="promote-actions-rehearsal-"))
    folder = Path(keep)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as error:
        raise InputError(f"the folder '{keep[:200]}' can't be used: {error.strerror}") from None
    if occupied:
        raise InputError(f"the folder '{keep[:200]}' is not empty", hint="give a new one with --keep")
    return folder.resolve()


def _absolute(where: str) -> str:
    from promote_actions.adapters.git import is_url

    return where if not where or is_url(where) else os.path.abspath(os.path.expanduser(where))


COMMAND = Command(
    name="rehearse",
    summary="Rehearse the whole flow on this machine; no account needed.",
    inputs=RehearseInputs,
    outputs=OUTPUTS,
    run=run,
    action=False,
)
