"""Reviews and requests for them, with GitHub's refusals."""

from __future__ import annotations

from typing import Any

from promote_actions.rehearsal.github.pulls import find_pull, pull_json
from promote_actions.rehearsal.github.represent import node_id, stamp, user_json
from promote_actions.rehearsal.github.routing import ApiError, Call, Reply, Route, not_found
from promote_actions.rehearsal.github.state import Pull, Review

_PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
_EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def review_json(call: Call, pull: Pull, review: Review) -> dict[str, Any]:
    web = call.web("pull", pull.number) + f"#pullrequestreview-{review.id}"
    url = call.url("pulls", pull.number)
    found = {
        "id": review.id,
        "node_id": node_id("PullRequestReview", review.id),
        "user": user_json(call, review.user),
        "body": review.body,
        "state": review.state,
        "html_url": web,
        "pull_request_url": url,
        "_links": {"html": {"href": web}, "pull_request": {"href": url}},
        "commit_id": review.commit,
        "author_association": "MEMBER",
    }
    return found | ({} if review.state == "PENDING" else {"submitted_at": stamp(review.submitted_at)})


def list_reviews(call: Call) -> Reply:
    pull = find_pull(call)
    return Reply([review_json(call, pull, review) for review in pull.reviews], paged=True)


def create_review(call: Call) -> Reply:
    pull = find_pull(call)
    event = call.field("event", default="PENDING")
    body = call.field("body", default="")
    if event != "PENDING" and event not in _EVENTS:
        raise ApiError(422, "Invalid request.\n\nevent is not one of APPROVE, REQUEST_CHANGES, COMMENT.")
    if event in ("REQUEST_CHANGES", "COMMENT") and not body:
        raise _unprocessable("Review body is required")
    if event in ("APPROVE", "REQUEST_CHANGES") and call.user.id == pull.user.id:
        word = "approve" if event == "APPROVE" else "request changes on"
        raise _unprocessable(f"Can not {word} your own pull request")
    if event == "APPROVE" and call.user.bot and call.user.login == "github-actions[bot]":
        raise _unprocessable("GitHub Actions is not permitted to approve pull requests.")
    commit = call.field("commit_id", default=pull.head_sha)
    if call.repo.store.kind(commit) != "commit":
        raise _unprocessable("Commit is not part of the pull request")
    state = _EVENTS.get(event, "PENDING")
    review = Review(call.world.new_id(), call.user, state, body, commit, call.world.now())
    pull.reviews.append(review)
    pull.users_asked = [login for login in pull.users_asked if login.lower() != call.user.login.lower()]
    return Reply(review_json(call, pull, review))


def dismiss_review(call: Call) -> Reply:
    pull = find_pull(call)
    call.field("message", required=True)
    for review in pull.reviews:
        if str(review.id) == call.params["review_id"]:
            if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
                raise _unprocessable(f"Can not dismiss a {review.state.lower()} pull request review")
            review.state = "DISMISSED"
            return Reply(review_json(call, pull, review))
    raise not_found()


def _unprocessable(message: str) -> ApiError:
    return ApiError(422, "Unprocessable Entity", [message])


def list_requested(call: Call) -> Reply:
    pull = find_pull(call)
    shown = pull_json(call, pull)
    return Reply({"users": shown["requested_reviewers"], "teams": shown["requested_teams"]})


def request_reviewers(call: Call) -> Reply:
    """All or none: one name that can't be asked refuses the whole request."""
    pull = find_pull(call)
    logins, slugs = call.field("reviewers", list, []), call.field("team_reviewers", list, [])
    if slugs and {"members", "members:read"} & call.user.lacks:
        raise ApiError(422, "Could not resolve to a node with the global id of 'T_kwDO'.")
    users = [call.world.user(str(login)) for login in logins]
    if any(user is not None and user.id == pull.user.id for user in users):
        raise ApiError(422, "Review cannot be requested from pull request author.")
    teams = [call.world.team(call.repo.owner, str(slug)) for slug in slugs]
    strangers = [user for user in users if user is None or call.world.role(user, call.repo) == "none"]
    if strangers or any(team is None or team.role == "none" for team in teams):
        raise ApiError(
            422,
            "Reviews may only be requested from collaborators. One or more of the users or teams you "
            f"specified is not a collaborator of the {call.repo.name} repository.",
        )
    known = {login.lower() for login in pull.users_asked}
    pull.users_asked += [user.login for user in users if user and user.login.lower() not in known]
    pull.teams_asked += [team.slug for team in teams if team and team.slug not in pull.teams_asked]
    return Reply(pull_json(call, pull), 201)


def remove_requested(call: Call) -> Reply:
    pull = find_pull(call)
    logins = {str(login).lower() for login in call.field("reviewers", list, required=True)}
    slugs = {str(slug).lower() for slug in call.field("team_reviewers", list, [])}
    pull.users_asked = [login for login in pull.users_asked if login.lower() not in logins]
    pull.teams_asked = [slug for slug in pull.teams_asked if slug.lower() not in slugs]
    return Reply(pull_json(call, pull))


_READ, _WRITE = "pull_requests:read", "pull_requests:write"

ROUTES = (
    Route("GET", _PULL + "/reviews", list_reviews, _READ),
    Route("POST", _PULL + "/reviews", create_review, _WRITE),
    Route("PUT", _PULL + "/reviews/{review_id}/dismissals", dismiss_review, _WRITE, "write"),
    Route("GET", _PULL + "/requested_reviewers", list_requested, _READ),
    Route("POST", _PULL + "/requested_reviewers", request_reviewers, _WRITE, "write"),
    Route("DELETE", _PULL + "/requested_reviewers", remove_requested, _WRITE, "write"),
)
