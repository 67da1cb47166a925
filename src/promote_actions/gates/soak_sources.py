"""Where a soak's clock is read: Argo CD's history and health, or the commit that named the version."""

from __future__ import annotations

from promote_actions.gates.argocd import Applications
from promote_actions.gates.argocd_judge import Expected, live_since, runs, short
from promote_actions.gates.soak import Live, Source
from promote_actions.gates.versions_in_git import VersionsInGit


def from_argocd(argocd: Applications, name: str, expected: Expected, git: VersionsInGit | None) -> Source:
    """Live since the version's deployment in the application's history, or since its health last turned
    Healthy, whichever is later: a break in health that the history shows starts the soak again."""

    def live() -> Live:
        app, version = argocd.application(name), expected.version
        view = None
        if git is not None:
            revisions = [revision for entry in app.history for revision in entry.revisions]
            view = git.view([*app.revisions, *revisions])
            if view.at_head and view.at_head != version:
                return Live(None, f"superseded: the branch names {view.at_head} now", app.seen_at, True)
        if app.health != "Healthy" or app.sync != "Synced" or app.operating:
            state = f"{app.sync or 'sync unknown'}, {app.health or 'health unknown'}"
            return Live(None, f"{name} is {state}", app.seen_at)
        if not runs(app.images, expected):
            return Live(None, f"{version} is not among the running images", app.seen_at)
        deployed = live_since(app, view, version)
        if deployed is None:
            return Live(None, f"{name} has no deployment of {version} in its history", app.seen_at)
        if app.health_since is not None and app.health_since > deployed:
            return Live(app.health_since, "healthy since, by Argo CD", app.seen_at)
        return Live(deployed, "deployed, by Argo CD's history", app.seen_at)

    return live


def from_git(git: VersionsInGit, version: str) -> Source:
    """Live since the commit that put the version there; git alone knows nothing of health."""

    def live() -> Live:
        found = git.named_since(version)
        if found is None:
            named = git.at(git.head()) or "no version"
            return Live(None, f"superseded: the branch names {named} now", superseded=True)
        when, commit = found
        return Live(when, f"since commit {short(commit)}, by git")

    return live
