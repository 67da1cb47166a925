"""Pull requests of a GitHub repository.

Endpoints: "Pulls", "Issue comments", "Labels" of GitHub's REST reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from promote_actions.adapters.forge import MergeMethod, PullRequest
from promote_actions.adapters.github_errors import Answer, explain
from promote_actions.adapters.github_names import name_part
from promote_actions.adapters.github_parse import pull_of
from promote_actions.adapters.github_requests import Requests
from promote_actions.errors import Conflict, InputError, Refused

BODY_LIMIT = 65_536
"""Characters of a pull request's or comment's text that GitHub takes."""

FILES_LIMIT = 3000
"""Files that GitHub lists of a pull request; of more than that it shows a part."""


class Pulls(Requests):
    """The part of the forge that is pull requests."""

    def open_pull(self, title: str, body: str, head: str, base: str, draft: bool = False) -> PullRequest:
        sent = {"title": title, "body": _fit(body), "head": head, "base": base, "draft": draft}
        answer = self._send(
            "POST",
            "pulls",
            sent,
            "open a pull request",
            accept=(422,),
            settle=lambda: self._open_for(head, base),
        )
        if answer.status == 422:
            standing = self._open_for(head, base)
            if standing is None:
                raise explain(answer, "open a pull request", self.name)
            answer = standing
        return answer.read(pull_of)

    def _open_for(self, head: str, base: str) -> Answer | None:
        owner = self.name.partition("/")[0]
        query = {"state": "open", "head": f"{owner}:{head}", "base": base}
        answer = self._get("pulls", "read pull requests", query=query)
        rows = answer.read(
            lambda data: [row for row in data if self._is_ours(row) and row["head"]["ref"] == head]
        )
        return Answer("GET", "pulls", 200, {}, rows[0]) if rows else None

    def _is_ours(self, row: Mapping[str, Any]) -> bool:
        """Not from a fork: there anybody may call a branch as ours are called."""
        source = (row["head"].get("repo") or {}).get("full_name") or ""
        return bool(source.lower() == self.name.lower())

    def find_open_pulls(self, head_prefix: str = "") -> Sequence[PullRequest]:
        query = {"state": "open", "sort": "created", "direction": "asc"}
        found = self._pages(
            "pulls", lambda row: (self._is_ours(row), pull_of(row)), "read pull requests", query=query
        )
        return [pull for ours, pull in found if ours and pull.head_branch.startswith(head_prefix)]

    def pull(self, number: int) -> PullRequest:
        return self._get(f"pulls/{number:d}", f"read pull request #{number}").read(pull_of)

    def update_pull(self, number: int, *, title: str | None = None, body: str | None = None) -> PullRequest:
        given = {"title": title, "body": None if body is None else _fit(body)}
        sent = {name: value for name, value in given.items() if value is not None}
        doing = f"change pull request #{number}"
        return self._send("PATCH", f"pulls/{number:d}", sent, doing).read(pull_of)

    def close_pull(self, number: int) -> PullRequest:
        doing = f"close pull request #{number}"
        return self._send("PATCH", f"pulls/{number:d}", {"state": "closed"}, doing).read(pull_of)

    def comment(self, number: int, body: str) -> None:
        body = _fit(body)
        path = f"issues/{number:d}/comments"

        def settle() -> Answer | None:
            said = self._pages(path, lambda row: row["body"], "read comments")
            return Answer("GET", path, 200) if body in said else None

        self._send("POST", path, {"body": body}, f"comment on #{number}", settle=settle)

    def add_labels(self, number: int, labels: Iterable[str]) -> None:
        wanted = list(dict.fromkeys(labels))
        for label in wanted:
            found = self._get(f"labels/{name_part(label)}", "read labels", accept=(404,))
            if found.status == 404:
                sent = {"name": label, "color": "5319e7"}
                self._send("POST", "labels", sent, f"make the label {label}", accept=(422,))
        if wanted:
            self._send("POST", f"issues/{number:d}/labels", {"labels": wanted}, f"label #{number}")

    def changed_files(self, number: int) -> Sequence[str]:
        path = f"pulls/{number:d}/files"
        rows = list(self._pages(path, _both_names, f"read what #{number} changes"))
        if len(rows) >= FILES_LIMIT:
            raise InputError(
                f"#{number} of {self.name} changes {FILES_LIMIT} files or more, which GitHub does not list",
                hint="make it smaller",
            )
        return [name for names in rows for name in names if name]

    def merge(self, number: int, expected_head: str, method: MergeMethod = "squash") -> str:
        sent = {"sha": expected_head, "merge_method": method}
        for _ in range(self.api.patience.tries):
            answer = self._send(
                "PUT",
                f"pulls/{number:d}/merge",
                sent,
                f"merge #{number}",
                accept=(405, 409),
                settle=lambda: self._merged(number, expected_head),
            )
            answer = answer if answer.ok else self._merged(number, expected_head) or answer
            if "base branch was modified" not in answer.message.lower():
                break
        if answer.status == 409:
            raise Conflict(
                f"#{number} of {self.name} is no longer at {expected_head[:12]}: {answer.message}"
            )
        if answer.status == 405:
            raise Refused(f"GitHub will not merge #{number} of {self.name}: {answer.message}")
        return answer.read(lambda data: str(data["sha"]))

    def _merged(self, number: int, expected_head: str) -> Answer | None:
        """The answer that merging would have had, if the pull request is merged at this head."""
        pull = self.pull(number)
        done = pull.merged and pull.head_sha == expected_head
        return Answer("GET", "", 200, {}, {"sha": pull.merge_sha}) if done else None


def _both_names(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["filename"], row.get("previous_filename") or ""


def _fit(text: str) -> str:
    note = "\n\n_Cut here: GitHub takes no more._"
    return text if len(text) <= BODY_LIMIT else text[: BODY_LIMIT - len(note)] + note
