"""Users, teams, memberships and what collaborators may do."""

from __future__ import annotations

from promote_actions.rehearsal.github.represent import (
    node_id,
    owner_json,
    stamp,
    team_json,
    user_json,
)
from promote_actions.rehearsal.github.routing import ApiError, Call, Reply, Route, not_found
from promote_actions.rehearsal.github.state import Repository, Team, User

_TEAM = "/orgs/{org}/teams/{team_slug}"
_COLLABORATOR = "/repos/{owner}/{repo}/collaborators/{username}"


def get_user(call: Call) -> Reply:
    """The token's own account; an app's installation token (a bot here) has none."""
    if call.user.bot:
        raise ApiError(403, "Resource not accessible by integration")
    return Reply(_full_user(call, call.user))


def get_named_user(call: Call) -> Reply:
    return Reply(_full_user(call, _user(call)))


def _user(call: Call) -> User:
    user = call.world.user(call.params["username"])
    if user is None:
        raise not_found()
    return user


def _full_user(call: Call, user: User) -> dict[str, object]:
    unknown = dict.fromkeys(("company", "location", "email", "hireable", "bio"), None)
    zero = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    born = {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"}
    return {
        **user_json(call, user),
        "user_view_type": "public",
        "name": user.login,
        "blog": "",
        **unknown,
        **zero,
        **born,
    }


def _team(call: Call) -> Team:
    team = call.world.team(call.params["org"], call.params["team_slug"])
    if team is None:
        raise not_found()
    return team


def get_team(call: Call) -> Reply:
    team = _team(call)
    organization = Repository(team.id, f"{team.org}/", None, "", call.world.now())  # type: ignore[arg-type]
    owner = owner_json(call, organization)
    url = call.address("orgs", team.org)
    now = stamp(call.world.now())
    shown = {
        "login": team.org,
        "id": owner["id"],
        "node_id": node_id("Organization", team.org),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": owner["avatar_url"],
        "description": None,
        "has_organization_projects": True,
        "has_repository_projects": True,
        **dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0),
        "html_url": call.address(team.org),
        "created_at": now,
        "updated_at": now,
        "archived_at": None,
        "type": "Organization",
    }
    counts = {"members_count": len(call.world.members(team)), "repos_count": len(call.world.repositories)}
    more = {**counts, "created_at": now, "updated_at": now, "organization": shown}
    return Reply(team_json(call, team) | more)


def team_members(call: Call) -> Reply:
    logins = sorted(call.world.members(_team(call)), key=str.lower)
    users = [user for login in logins if (user := call.world.user(login)) is not None]
    return Reply([user_json(call, user) for user in users], paged=True)


def membership(call: Call) -> Reply:
    team = _team(call)
    login = call.params["username"].lower()
    active = login in {name.lower() for name in call.world.members(team)}
    if not active and login not in {name.lower() for name in team.pending}:
        raise not_found()
    url = call.address("orgs", team.org, "teams", team.slug, "memberships", call.params["username"])
    return Reply({"url": url, "role": "member", "state": "active" if active else "pending"})


def permission(call: Call) -> Reply:
    user = _user(call)
    role = call.world.role(user, call.repo)
    legacy = {"triage": "read", "maintain": "write"}.get(role, role)
    shown = user_json(call, user) | {"role_name": role, "permissions": _levels(call, user)}
    return Reply({"permission": legacy, "role_name": role, "user": shown})


def _levels(call: Call, user: User) -> dict[str, bool]:
    levels = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}
    return {name: call.world.may(user, call.repo, level) for name, level in levels.items()}


def is_collaborator(call: Call) -> Reply:
    if call.world.role(_user(call), call.repo) == "none":
        raise not_found()
    return Reply(status=204)


def rate_limit(call: Call) -> Reply:
    rate = call.world.rate
    shown = {
        "limit": rate.limit,
        "remaining": rate.remaining,
        "reset": int(rate.reset.timestamp()),
        "used": rate.limit - rate.remaining,
    }
    return Reply({"resources": {"core": shown, "search": shown}, "rate": shown})


ROUTES = (
    Route("GET", "/user", get_user),
    Route("GET", "/users/{username}", get_named_user),
    Route("GET", "/rate_limit", rate_limit),
    Route("GET", _TEAM, get_team, "members:read"),
    Route("GET", _TEAM + "/members", team_members, "members:read"),
    Route("GET", _TEAM + "/memberships/{username}", membership, "members:read"),
    Route("GET", _COLLABORATOR + "/permission", permission, "metadata:read"),
    Route("GET", _COLLABORATOR, is_collaborator, "metadata:read"),
)
