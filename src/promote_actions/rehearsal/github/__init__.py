"""A GitHub on this machine: the REST routes that promotions use, kept in real bare git repositories.

    with GitHubEmulator(folder) as github:
        github.add_user("ana", "ana-token")                       # may write everywhere
        github.add_user("promoter[bot]", "bot-token", bot=True)
        github.add_user("ben", "ben-token", lacks=("members",))   # a token without that permission
        github.add_team("nexo-org", "nexo-sre-team", ["ana", "ben"])
        github.add_repository("nexo-org/nexo-gitops", bare_path)  # made when there is none
        github.commit("nexo-org/nexo-gitops", {"helm/nexo-be/values-qa.yaml": "image: …"}, login="ana")
        github.protect("nexo-org/nexo-gitops", "main", Protection(required_approvals=2))
        os.environ["GITHUB_API_URL"] = github.url

Commits, branches and tags made through the API are git's own, in the bare repository; what git clients
push there shows in the API. People act by HTTP with their own token (`POST …/pulls/1/reviews`).
``github.add_run(name, sha, ".github/workflows/e2e.yml", {"junit": {"a.xml": b"…"}})`` is a workflow's run.

``github.fail("PATCH", "/git/refs/", "reset", applied=True)`` loses the answer of the next ref update;
kinds: a status (``500``), ``rate``, ``abuse``, ``reset``, ``timeout`` (waits ``github.hang`` seconds),
``truncated``; ``times=-1`` is for ever, ``github.faults.clear()`` ends it. ``github.exchanges`` is what was
asked and answered, ``github.subscribe(f)`` hears it live, ``github.repository(name)`` is the state (pulls,
labels, statuses, dispatches, ``store`` for git), ``github.world.rate.remaining = 0`` uses up the rate
limit, ``auto_request_owners`` on a repository makes it ask code owners itself.
"""

from __future__ import annotations

from promote_actions.rehearsal.github.emulator import GitHubEmulator
from promote_actions.rehearsal.github.faults import Fault
from promote_actions.rehearsal.github.server import Exchange
from promote_actions.rehearsal.github.state import Protection

__all__ = ["Exchange", "Fault", "GitHubEmulator", "Protection"]
