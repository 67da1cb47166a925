"""Labels and comments: a pull request is an issue to these routes."""

from __future__ import annotations

from typing import Any

from promote_actions.rehearsal.github.pulls import find_pull, label_json
from promote_actions.rehearsal.github.represent import node_id, stamp, user_json
from promote_actions.rehearsal.github.routing import ApiError, Call, Reply, Route, invalid, not_found
from promote_actions.rehearsal.github.state import Comment, Label, Pull

_REPO = "/repos/{owner}/{repo}"
_ISSUE = _REPO + "/issues/{issue_number}"
_LONGEST = 65_536


def comment_json(call: Call, pull: Pull, comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "node_id": node_id("IssueComment", comment.id),
        "url": call.url("issues/comments", comment.id),
        "html_url": call.web("pull", pull.number) + f"#issuecomment-{comment.id}",
        "issue_url": call.url("issues", pull.number),
        "body": comment.body,
        "user": user_json(call, comment.user),
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.created_at),
        "author_association": "MEMBER",
    }


def list_comments(call: Call) -> Reply:
    pull = find_pull(call)
    since = call.query.get("since", "")
    rows = [comment for comment in pull.comments if (stamp(comment.created_at) or "") >= since]
    return Reply([comment_json(call, pull, comment) for comment in rows], paged=True)


def create_comment(call: Call) -> Reply:
    pull = find_pull(call)
    body = call.field("body", required=True)
    if not body.strip() or len(body) > _LONGEST:
        raise invalid("IssueComment", "body")
    comment = Comment(call.world.new_id(), call.user, body, call.world.now())
    pull.comments.append(comment)
    return Reply(comment_json(call, pull, comment), 201)


def list_labels(call: Call) -> Reply:
    return Reply([label_json(call, label) for label in call.repo.labels.values()], paged=True)


def get_label(call: Call) -> Reply:
    label = call.repo.labels.get(call.params["name"].lower())
    if label is None:
        raise not_found()
    return Reply(label_json(call, label))


def create_label(call: Call) -> Reply:
    name = call.field("name", required=True)
    if name.lower() in call.repo.labels:
        raise invalid("Label", "name", "already_exists")
    label = _make(call, name, call.field("color", default="ededed"), call.field("description", default=""))
    return Reply(label_json(call, label), 201)


def _make(call: Call, name: str, color: str = "ededed", description: str = "") -> Label:
    if not name.strip() or len(name) > 50 or "," in name:
        raise invalid("Label", "name")
    label = Label(call.world.new_id(), name, color, description)
    call.repo.labels[name.lower()] = label
    return label


def issue_labels(call: Call) -> Reply:
    return _labels_of(call, find_pull(call), paged=True)


def _labels_of(call: Call, pull: Pull, paged: bool = False) -> Reply:
    return Reply([label_json(call, call.repo.labels[name.lower()]) for name in pull.labels], paged=paged)


def add_labels(call: Call) -> Reply:
    """Names that no label has yet become labels, for those who may write."""
    pull = find_pull(call)
    given = call.body if isinstance(call.body, list) else call.field("labels", list, required=True)
    for name in [one.get("name") if isinstance(one, dict) else one for one in given]:
        if not isinstance(name, str):
            raise ApiError(422, "Invalid request.\n\nlabels must be names.")
        label = call.repo.labels.get(name.lower()) or _make(call, name)
        if label.name not in pull.labels:
            pull.labels.append(label.name)
    return _labels_of(call, pull)


def remove_label(call: Call) -> Reply:
    pull = find_pull(call)
    kept = [name for name in pull.labels if name.lower() != call.params["name"].lower()]
    if len(kept) == len(pull.labels):
        raise ApiError(404, "Label does not exist")
    pull.labels = kept
    return _labels_of(call, pull)


_READ, _WRITE = "pull_requests:read", "pull_requests:write"

ROUTES = (
    Route("GET", _ISSUE + "/comments", list_comments, _READ),
    Route("POST", _ISSUE + "/comments", create_comment, _WRITE),
    Route("GET", _ISSUE + "/labels", issue_labels, _READ),
    Route("POST", _ISSUE + "/labels", add_labels, _WRITE, "triage"),
    Route("DELETE", _ISSUE + "/labels/{name}", remove_label, _WRITE, "triage"),
    Route("GET", _REPO + "/labels", list_labels, "issues:read"),
    Route("POST", _REPO + "/labels", create_label, "issues:write", "write"),
    Route("GET", _REPO + "/labels/{name}", get_label, "issues:read"),
)
