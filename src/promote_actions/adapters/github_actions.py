"""Runs of workflows on a GitHub repository, and the artifacts that they left.

An artifact's address answers with a redirect to a storage on another host, whose link is signed and holds
for a minute. The token stays behind: the storage is asked by a client that has none.
Endpoints: "Workflow runs" and "Artifacts" of GitHub's REST reference.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from promote_actions.adapters.forge import Artifact, WorkflowRun
from promote_actions.adapters.github_names import is_sha
from promote_actions.adapters.github_parse import artifact_of, workflow_run_of
from promote_actions.adapters.github_requests import Requests
from promote_actions.adapters.http_client import HttpClient, Tls, shown
from promote_actions.errors import DependencyError, InputError

RUNS_READ = 300
"""Runs of one commit that are looked at, the newest first."""

DOWNLOAD_TIME = 60.0
"""Seconds that the download of one artifact may take."""


class Actions(Requests):
    """The part of the forge that hangs on workflows."""

    def workflow_runs(self, sha: str) -> Sequence[WorkflowRun]:
        if not is_sha(sha):
            raise InputError(f"'{sha[:60]}' is not a commit's full SHA", hint="give all of its digits")
        query = {"head_sha": sha, "exclude_pull_requests": "true"}
        doing = "read runs of workflows"
        found = self._pages(
            "actions/runs", workflow_run_of, doing, query=query, key="workflow_runs", limit=RUNS_READ
        )
        return sorted(found, key=lambda run: -run.id)

    def artifacts(self, run: int) -> Sequence[Artifact]:
        path = f"actions/runs/{run:d}/artifacts"
        return list(self._pages(path, artifact_of, "read artifacts", key="artifacts"))

    def artifact_archive(self, artifact: int, limit: int) -> bytes | None:
        answer = self._get(f"actions/artifacts/{artifact:d}/zip", "download an artifact", accept=(302, 410))
        if answer.status == 410:
            return None
        link = answer.headers.get("location", "")
        # A link in the clear, given over TLS, would be a report that anyone on the way may write.
        allowed = ("https://",) if self.api.url.startswith("https:") else ("https://", "http://")
        if answer.status != 302 or not link.startswith(allowed):
            raise DependencyError(
                f"GitHub gave no safe link to artifact {artifact}",
                hint="check GITHUB_API_URL and run again",
            )
        client = HttpClient("the artifacts' storage", tls=_tls(), timeout=DOWNLOAD_TIME, limit=limit)
        found = client.request("GET", link)
        if found.status != 200:
            raise DependencyError(
                f"the artifacts' storage at {shown(link)} answered {found.status}", hint="run again"
            )
        return found.body


def _tls() -> Tls:
    """The authorities that the API is trusted by, where the environment names them."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        file = os.environ.get(name, "")
        if os.path.isfile(file):
            return Tls(ca_file=file)
    return Tls()
