"""Statuses, check runs, branches, comparisons and events of a GitHub repository.

Endpoints: "Commit statuses", "Check runs", "Git references", "Commits" and "Repositories" of GitHub's REST
reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from promote_actions.adapters.forge import OUR_BRANCHES, CheckRun, CommitStatus, Comparison, StatusState
from promote_actions.adapters.github_errors import Answer, explain
from promote_actions.adapters.github_names import ref_name, repository_path
from promote_actions.adapters.github_parse import check_run_of, comparison_of, status_of
from promote_actions.adapters.github_requests import Requests
from promote_actions.adapters.gitops import Commit
from promote_actions.errors import Conflict, InputError

DESCRIPTION_LIMIT = 140
"""Characters that GitHub takes as the description of a status."""


class Commits(Requests):
    """The part of the forge that hangs on commits and branches."""

    def set_status(
        self, sha: str, context: str, state: StatusState, description: str = "", url: str = ""
    ) -> None:
        short = description if len(description) <= DESCRIPTION_LIMIT else description[:139] + "…"
        sent = {"state": state, "context": context, "description": short}
        if url.startswith(("https://", "http://")):
            sent["target_url"] = url
        self._send("POST", f"statuses/{ref_name(sha)}", sent, f"set the status {context}")

    def statuses(self, sha: str) -> Mapping[str, CommitStatus]:
        path = f"commits/{ref_name(sha)}/status"
        found = self._pages(path, status_of, "read statuses", key="statuses")
        return {status.context: status for status in found}

    def check_runs(self, sha: str) -> Sequence[CheckRun]:
        path = f"commits/{ref_name(sha)}/check-runs"
        return list(self._pages(path, check_run_of, "read check runs", key="check_runs"))

    def put_branch(self, branch: str, sha: str) -> None:
        doing = f"write branch {branch}"
        sent = {"ref": f"refs/heads/{branch}", "sha": sha}
        path = f"heads/{ref_name(branch)}"

        def settle() -> Answer | None:
            there = self._get(f"git/ref/{path}", doing, accept=(404,))
            return there if there.ok and there.read(lambda data: data["object"]["sha"]) == sha else None

        made = self._send("POST", "git/refs", sent, doing, accept=(409, 422), settle=settle)
        if made.ok:
            return
        standing = self._get(f"git/ref/{path}", doing, accept=(404,))
        if standing.status == 404:
            raise explain(made, doing, self.name)
        if standing.read(lambda data: data["object"]["sha"]) == sha:
            return
        if not branch.startswith(OUR_BRANCHES):
            raise Conflict(f"branch {branch} of {self.name} exists already")
        self._send("PATCH", f"git/refs/{path}", {"sha": sha, "force": True}, doing, settle=settle)

    def delete_branch(self, branch: str) -> None:
        if not branch.startswith(OUR_BRANCHES):
            raise InputError(f"'{branch[:100]}' is not a branch for promotions", hint="it is not deleted")
        path, doing = f"heads/{ref_name(branch)}", f"delete branch {branch}"
        answer = self._send("DELETE", f"git/refs/{path}", None, doing, accept=(404, 409, 422))
        if not answer.ok and self._get(f"git/ref/{path}", doing, accept=(404,)).ok:
            raise explain(answer, doing, self.name)

    def compare(self, base: str, head: str, repository: str = "") -> Comparison | None:
        where = f"{repository_path(repository or self.name)}/compare/{ref_name(base)}...{ref_name(head)}"
        commits: list[Commit] = []
        for page in (1, 2, 3):
            query = {"per_page": 100, "page": page}
            answer = self.api.ask(
                "GET", where, query=query, accept=(403, 404, 422), doing="compare", repository=repository
            )
            if not answer.ok:
                return None
            part = answer.read(comparison_of)
            commits += part.commits
            if len(commits) >= part.total:
                break
        return replace(part, commits=tuple(commits))

    def dispatch(self, event_type: str, payload: Mapping[str, object], repository: str = "") -> None:
        where = repository or self.name
        sent = {"event_type": event_type, "client_payload": payload}
        path = f"{repository_path(where)}/dispatches"
        self.api.ask("POST", path, body=sent, doing=f"send {event_type}", repository=where)
