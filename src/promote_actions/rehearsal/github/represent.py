"""GitHub's JSON for what the emulator remembers; the fields that its API description requires."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from promote_actions.rehearsal.github.objects import CommitObject, Entry, Person
from promote_actions.rehearsal.github.routing import Call
from promote_actions.rehearsal.github.state import Repository, Team, User

Json = dict[str, Any]


def stamp(when: datetime | None) -> str | None:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None


def node_id(kind: str, number: object) -> str:
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def user_json(call: Call, user: User) -> Json:
    url = call.address("users", user.login)
    lists = {
        f"{name}_url": f"{url}/{path}"
        for name, path in {
            "followers": "followers",
            "following": "following{/other_user}",
            "gists": "gists{/gist_id}",
            "starred": "starred{/owner}{/repo}",
            "subscriptions": "subscriptions",
            "organizations": "orgs",
            "repos": "repos",
            "events": "events{/privacy}",
            "received_events": "received_events",
        }.items()
    }
    return {
        "login": user.login,
        "id": user.id,
        "node_id": node_id("User", user.id),
        "avatar_url": call.address("avatars", user.id),
        "gravatar_id": "",
        "url": url,
        "html_url": call.address(user.login),
        **lists,
        "type": "Bot" if user.bot else "User",
        "site_admin": False,
    }


def owner_json(call: Call, repository: Repository) -> Json:
    """The account that owns ``repository``: an organisation."""
    owner = User(repository.id + 500_000, repository.owner, "")
    return user_json(call, owner) | {"type": "Organization"}


_REPOSITORY_TEMPLATES = {
    "archive": "{archive_format}{/ref}",
    "assignees": "assignees{/user}",
    "blobs": "git/blobs{/sha}",
    "branches": "branches{/branch}",
    "collaborators": "collaborators{/collaborator}",
    "comments": "comments{/number}",
    "commits": "commits{/sha}",
    "compare": "compare/{base}...{head}",
    "contents": "contents/{+path}",
    "contributors": "contributors",
    "deployments": "deployments",
    "downloads": "downloads",
    "events": "events",
    "forks": "forks",
    "git_commits": "git/commits{/sha}",
    "git_refs": "git/refs{/sha}",
    "git_tags": "git/tags{/sha}",
    "hooks": "hooks",
    "issue_comment": "issues/comments{/number}",
    "issue_events": "issues/events{/number}",
    "issues": "issues{/number}",
    "keys": "keys{/key_id}",
    "labels": "labels{/name}",
    "languages": "languages",
    "merges": "merges",
    "milestones": "milestones{/number}",
    "notifications": "notifications{?since,all,participating}",
    "pulls": "pulls{/number}",
    "releases": "releases{/id}",
    "stargazers": "stargazers",
    "statuses": "statuses/{sha}",
    "subscribers": "subscribers",
    "subscription": "subscription",
    "tags": "tags",
    "teams": "teams",
    "trees": "git/trees{/sha}",
}


def repository_json(call: Call, repository: Repository, full: bool = False) -> Json:
    """A repository; ``full`` as `GET /repos/{owner}/{repo}` shows it."""
    url = call.address("repos", repository.name)
    web = call.address(repository.name)
    open_issues = len(repository.open_pulls())
    zero = dict.fromkeys(
        ("forks_count", "stargazers_count", "watchers_count", "size", "forks", "watchers"), 0
    )
    made = stamp(repository.created_at)
    found: Json = {
        "id": repository.id,
        "node_id": node_id("Repository", repository.id),
        "name": repository.short_name,
        "full_name": repository.name,
        "owner": owner_json(call, repository),
        "private": repository.private,
        "html_url": web,
        "description": None,
        "fork": False,
        "url": url,
        **{f"{name}_url": f"{url}/{path}" for name, path in _REPOSITORY_TEMPLATES.items()},
        **zero,
        "git_url": f"{web}.git",
        "ssh_url": f"{web}.git",
        "clone_url": f"{web}.git",
        "svn_url": web,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "default_branch": repository.default_branch,
        "open_issues_count": open_issues,
        "open_issues": open_issues,
        **dict.fromkeys(("has_issues", "has_projects", "has_wiki", "has_pull_requests"), True),
        **dict.fromkeys(("has_pages", "has_discussions", "disabled", "has_downloads"), False),
        "archived": repository.archived,
        "visibility": "private" if repository.private else "public",
        "pushed_at": made,
        "created_at": made,
        "updated_at": made,
        "license": None,
        "permissions": permissions_json(call, repository),
    }
    return found | ({"subscribers_count": 0, "network_count": 0} if full else {})


def permissions_json(call: Call, repository: Repository) -> Json:
    levels = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}
    return {name: call.world.may(call.user, repository, level) for name, level in levels.items()}


def team_json(call: Call, team: Team) -> Json:
    url = call.address("orgs", team.org, "teams", team.slug)
    return {
        "id": team.id,
        "node_id": node_id("Team", team.id),
        "name": team.slug,
        "slug": team.slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "push" if team.role == "write" else "pull",
        "url": url,
        "html_url": call.address("orgs", team.org, "teams", team.slug),
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "type": "organization",
        "parent": None,
    }


def git_person(person: Person) -> Json:
    return {"name": person.name, "email": person.email, "date": stamp(person.date)}


_UNSIGNED = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}


def git_commit_json(call: Call, commit: CommitObject) -> Json:
    """A commit as the git database routes show it."""
    return {
        "sha": commit.sha,
        "node_id": node_id("Commit", commit.sha),
        "url": call.url("git/commits", commit.sha),
        "html_url": call.web("commit", commit.sha),
        "author": git_person(commit.author),
        "committer": git_person(commit.committer),
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": call.url("git/trees", commit.tree)},
        "parents": [_parent(call, sha) for sha in commit.parents],
        "verification": dict(_UNSIGNED),
    }


def commit_json(call: Call, commit: CommitObject) -> Json:
    """A commit as the commit routes show it: the git commit inside, GitHub's accounts outside."""
    url = call.url("commits", commit.sha)
    return {
        "url": url,
        "sha": commit.sha,
        "node_id": node_id("Commit", commit.sha),
        "html_url": call.web("commit", commit.sha),
        "comments_url": f"{url}/comments",
        "commit": {
            "url": call.url("git/commits", commit.sha),
            "author": git_person(commit.author),
            "committer": git_person(commit.committer),
            "message": commit.message,
            "comment_count": 0,
            "tree": {"sha": commit.tree, "url": call.url("git/trees", commit.tree)},
            "verification": dict(_UNSIGNED),
        },
        "author": _account(call, commit.author),
        "committer": _account(call, commit.committer),
        "parents": [_parent(call, sha) for sha in commit.parents],
    }


def _parent(call: Call, sha: str) -> Json:
    return {"sha": sha, "url": call.url("commits", sha), "html_url": call.web("commit", sha)}


def _account(call: Call, person: Person) -> Json | None:
    login = person.email.partition("@")[0].rpartition("+")[2]
    user = call.world.user(login) if person.email.endswith("@users.noreply.github.com") else None
    return user_json(call, user) if user else None


def ref_json(call: Call, name: str, sha: str, kind: str) -> Json:
    folder = {"commit": "commits", "tag": "tags", "tree": "trees", "blob": "blobs"}[kind]
    return {
        "ref": name,
        "node_id": node_id("Ref", f"{call.repo.id}:{name}"),
        "url": call.url("git", name),
        "object": {"type": kind, "sha": sha, "url": call.url("git", folder, sha)},
    }


def tree_entry_json(call: Call, entry: Entry) -> Json:
    found: Json = {"path": entry.path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
    if entry.type == "blob":
        found |= {"size": entry.size, "url": call.url("git/blobs", entry.sha)}
    elif entry.type == "tree":
        found["url"] = call.url("git/trees", entry.sha)
    return found
