"""Files through the contents routes."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from promote_actions.rehearsal.github.objects import Entry
from promote_actions.rehearsal.github.represent import git_commit_json
from promote_actions.rehearsal.github.routing import ApiError, Call, Reply, Route, not_found
from promote_actions.rehearsal.github.rules import check_push

_CONTENTS = "/repos/{owner}/{repo}/contents/{path}"
_LARGEST = 1_048_576
_FOLDER_LIMIT = 1000
_KINDS = {"tree": "dir", "commit": "submodule", "blob": "file"}


def get_contents(call: Call) -> Reply:
    name = call.query.get("ref") or call.repo.default_branch
    commit = call.repo.store.commit_of(name)
    if commit is None:
        raise ApiError(404, f"No commit found for the ref {name}")
    path = call.params["path"].strip("/")
    entry = call.repo.store.entry(commit, path)
    if entry is None:
        raise not_found()
    if entry.type == "tree":
        children = call.repo.store.tree(entry.sha)[:_FOLDER_LIMIT]
        listed = [_item(call, child, f"{path}/{child.path}".lstrip("/"), name) for child in children]
        return Reply(listed)
    found = _item(call, entry, path, name)
    if entry.type == "commit":
        return Reply(found | {"submodule_git_url": call.address("elsewhere.git"), "download_url": None})
    content = call.repo.store.blob(entry.sha)
    if entry.mode == "120000":
        return Reply(found | {"type": "symlink", "target": content.decode()})
    small = len(content) <= _LARGEST
    encoded = base64.encodebytes(content).decode() if small else ""
    return Reply(found | {"encoding": "base64" if small else "none", "content": encoded}, raw=content)


def _item(call: Call, entry: Entry, path: str, ref: str) -> dict[str, Any]:
    kind = "symlink" if entry.mode == "120000" else _KINDS[entry.type]
    url = call.url("contents", path) + f"?ref={ref}"
    git = call.url("git", "trees" if kind == "dir" else "blobs", entry.sha)
    web = call.web("tree" if kind == "dir" else "blob", ref, path)
    return {
        "type": kind,
        "size": entry.size or 0,
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "url": url,
        "git_url": git,
        "html_url": web,
        "download_url": None if kind == "dir" else call.web("raw", ref, path),
        "_links": {"self": url, "git": git, "html": web},
    }


def put_contents(call: Call) -> Reply:
    """Create or update one file with one commit; ``sha`` must be the blob that is replaced."""
    store, path = call.repo.store, call.params["path"]
    message = call.field("message", required=True)
    try:
        content = base64.b64decode(call.field("content", required=True))
    except binascii.Error:
        raise ApiError(422, "content is not valid Base64") from None
    branch = call.field("branch", default=call.repo.default_branch)
    head = store.head(branch)
    if head is None:
        raise ApiError(404, f"Branch {branch} not found")
    old = store.entry(head, path)
    given = call.field("sha")
    if old is not None and given is None:
        raise ApiError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if given is not None and (old is None or old.sha != given):
        raise ApiError(409, f"{path} does not match {given}")
    tree = store.write_tree(head, [("100644", store.write_blob(content), path)])
    if tree is None:
        raise ApiError(422, "path contains a malformed path component")
    person = call.user.person(call.world.now())
    sha = store.write_commit(tree, [head], message, person, person)
    check_push(call, branch, sha)
    if not store.move_ref(f"refs/heads/{branch}", sha, head):
        raise ApiError(409, f"is at {store.head(branch)} but expected {head}")
    made = store.entry(sha, path)
    commit = git_commit_json(call, store.commit(sha))
    shown = _item(call, made, path, branch) if made else None
    return Reply({"content": shown, "commit": commit}, 200 if old else 201)


ROUTES = (
    Route("GET", _CONTENTS, get_contents, "contents:read"),
    Route("PUT", _CONTENTS, put_contents, "contents:write", "write"),
)
