"""The git database routes: refs, blobs, trees, commits, tags."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

from promote_actions.rehearsal.github.objects import Person
from promote_actions.rehearsal.github.represent import (
    git_commit_json,
    git_person,
    node_id,
    ref_json,
    tree_entry_json,
)
from promote_actions.rehearsal.github.routing import ApiError, Call, Reply, Route, not_found
from promote_actions.rehearsal.github.rules import check_push
from promote_actions.rehearsal.github.store import NOBODY

_BASE = "/repos/{owner}/{repo}/git"
_MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "040000": "tree", "160000": "commit"}


def get_ref(call: Call) -> Reply:
    name = "refs/" + call.params["ref"]
    for found, sha, kind in call.repo.store.refs(name):
        if found == name:
            return Reply(ref_json(call, found, sha, kind))
    raise not_found()


def matching_refs(call: Call) -> Reply:
    rows = call.repo.store.refs("refs/" + call.params["ref"])
    return Reply([ref_json(call, *row) for row in rows])


def create_ref(call: Call) -> Reply:
    name = call.field("ref", required=True)
    sha = call.field("sha", required=True)
    store = call.repo.store
    if not name.startswith("refs/") or name.count("/") < 2 or not store.valid_ref(name):
        raise ApiError(422, f"{name} is not a valid ref name.")
    kind = store.kind(sha)
    if not kind or (name.startswith("refs/heads/") and kind != "commit"):
        raise ApiError(422, "Object does not exist")
    if name.startswith("refs/heads/"):
        check_push(call, name.removeprefix("refs/heads/"), sha)
    if not store.move_ref(name, sha, NOBODY):
        raise ApiError(422, "Reference already exists")
    return Reply(ref_json(call, name, sha, kind), 201)


def update_ref(call: Call) -> Reply:
    name = "refs/" + call.params["ref"]
    sha = call.field("sha", required=True)
    force = call.field("force", bool, False)
    store = call.repo.store
    old = store.ref(name)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    kind = store.kind(sha)
    if not kind:
        raise ApiError(422, "Object does not exist")
    if not force and not store.is_ancestor(old, sha):
        raise ApiError(422, "Update is not a fast forward")
    if name.startswith("refs/heads/") and sha != old:
        check_push(call, name.removeprefix("refs/heads/"), sha)
    if not store.move_ref(name, sha, old):
        raise ApiError(422, "Update is not a fast forward")
    return Reply(ref_json(call, name, sha, kind))


def delete_ref(call: Call) -> Reply:
    name = "refs/" + call.params["ref"]
    if call.repo.store.ref(name) is None:
        raise ApiError(422, "Reference does not exist")
    branch = name.removeprefix("refs/heads/")
    if branch != name and branch in call.repo.protections:
        raise ApiError(422, "Cannot delete a protected branch")
    for pull in call.repo.open_pulls():
        if branch != name and pull.head == branch:
            pull.state, pull.closed_at = "closed", call.world.now()
    call.repo.store.delete_ref(name)
    return Reply(status=204)


def get_blob(call: Call) -> Reply:
    sha = call.params["file_sha"]
    if call.repo.store.kind(sha) != "blob":
        raise not_found()
    content = call.repo.store.blob(sha)
    found = {
        "sha": sha,
        "node_id": node_id("Blob", sha),
        "size": len(content),
        "url": call.url("git/blobs", sha),
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }
    return Reply(found, raw=content)


def create_blob(call: Call) -> Reply:
    text = call.field("content", required=True)
    content = _decoded(text) if call.field("encoding", default="utf-8") == "base64" else text.encode()
    sha = call.repo.store.write_blob(content)
    return Reply({"sha": sha, "url": call.url("git/blobs", sha)}, 201)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except binascii.Error:
        raise ApiError(422, "content is not valid Base64") from None


def get_tree(call: Call) -> Reply:
    sha = call.params["tree_sha"]
    store = call.repo.store
    if store.kind(sha) not in ("tree", "commit"):
        found = store.commit_of(sha)
        if found is None:
            raise not_found()
        sha = found
    entries = store.tree(sha, "recursive" in call.query)
    limit = call.repo.tree_limit
    return Reply(_tree_json(call, sha, entries[:limit], len(entries) > limit))


def _tree_json(call: Call, sha: str, entries: list[Any], truncated: bool) -> dict[str, Any]:
    return {
        "sha": sha,
        "url": call.url("git/trees", sha),
        "tree": [tree_entry_json(call, entry) for entry in entries],
        "truncated": truncated,
    }


def create_tree(call: Call) -> Reply:
    entries = call.field("tree", list, required=True)
    base = call.field("base_tree", default="")
    store = call.repo.store
    if base and store.kind(base) not in ("tree", "commit"):
        raise ApiError(422, "base_tree is not a valid tree oid")
    made = store.write_tree(base, [_tree_entry(call, entry) for entry in entries])
    if made is None:
        raise ApiError(422, "GitRPC::BadObjectState")
    return Reply(_tree_json(call, made, store.tree(made), False), 201)


def _tree_entry(call: Call, entry: Any) -> tuple[str, str, str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise ApiError(422, "Invalid tree info")
    path, mode = entry["path"], entry.get("mode", "100644")
    if entry.get("type", "blob") != _MODES.get(mode):
        raise ApiError(422, "tree.mode and tree.type do not agree")
    if "\0" in path or {"", ".", "..", ".git"} & set(path.lower().split("/")):
        raise ApiError(422, "tree.path contains a malformed path component")
    if isinstance(entry.get("content"), str):
        return mode, call.repo.store.write_blob(entry["content"].encode()), path
    if "sha" in entry and entry["sha"] is None:
        return "0", NOBODY, path
    sha = entry.get("sha")
    if not isinstance(sha, str) or call.repo.store.kind(sha) != _MODES[mode]:
        raise ApiError(422, f"tree.sha {sha} is not a valid {_MODES[mode]}")
    return mode, sha, path


def get_commit(call: Call) -> Reply:
    sha = call.params["commit_sha"]
    if call.repo.store.kind(sha) != "commit":
        raise not_found()
    return Reply(git_commit_json(call, call.repo.store.commit(sha)))


def create_commit(call: Call) -> Reply:
    message = call.field("message", required=True)
    tree = call.field("tree", required=True)
    parents = call.field("parents", list, [])
    store = call.repo.store
    if store.kind(tree) != "tree":
        raise ApiError(422, "Tree SHA does not exist")
    if any(not isinstance(sha, str) or store.kind(sha) != "commit" for sha in parents):
        raise ApiError(422, "Parent SHA does not exist or is not a commit object")
    default = call.user.person(call.world.now())
    author = _person(call.field("author", dict), default)
    committer = _person(call.field("committer", dict), author)
    sha = store.write_commit(tree, parents, message, author, committer)
    return Reply(git_commit_json(call, store.commit(sha)), 201)


def _person(given: dict[str, Any] | None, default: Person) -> Person:
    if not given:
        return default
    if not given.get("name") or not given.get("email"):
        raise ApiError(422, "Invalid request.\n\nName and email are required.")
    try:
        date = (
            datetime.fromisoformat(str(given["date"]).replace("Z", "+00:00")) if given.get("date") else None
        )
    except ValueError:
        raise ApiError(422, "Invalid request.\n\nThe date is not ISO 8601.") from None
    return Person(str(given["name"]), str(given["email"]), date or default.date)


def get_tag(call: Call) -> Reply:
    sha = call.params["tag_sha"]
    if call.repo.store.kind(sha) != "tag":
        raise not_found()
    return Reply(_tag_json(call, sha))


def create_tag(call: Call) -> Reply:
    name, message = call.field("tag", required=True), call.field("message", required=True)
    target, kind = call.field("object", required=True), call.field("type", required=True)
    if call.repo.store.kind(target) != kind:
        raise ApiError(422, "Object does not exist")
    tagger = _person(call.field("tagger", dict), call.user.person(call.world.now()))
    return Reply(_tag_json(call, call.repo.store.write_tag(name, target, kind, message, tagger)), 201)


def _tag_json(call: Call, sha: str) -> dict[str, Any]:
    target, kind, name, tagger, message = call.repo.store.tag_object(sha)
    return {
        "node_id": node_id("Tag", sha),
        "tag": name,
        "sha": sha,
        "url": call.url("git/tags", sha),
        "message": message,
        "tagger": git_person(tagger),
        "object": {"sha": target, "type": kind, "url": call.url("git", kind + "s", target)},
        "verification": {
            "verified": False,
            "reason": "unsigned",
            "signature": None,
            "payload": None,
            "verified_at": None,
        },
    }


_READ, _WRITE = "contents:read", "contents:write"

ROUTES = (
    Route("GET", _BASE + "/ref/{ref}", get_ref, _READ),
    Route("GET", _BASE + "/matching-refs/{ref}", matching_refs, _READ),
    Route("POST", _BASE + "/refs", create_ref, _WRITE, "write"),
    Route("PATCH", _BASE + "/refs/{ref}", update_ref, _WRITE, "write"),
    Route("DELETE", _BASE + "/refs/{ref}", delete_ref, _WRITE, "write"),
    Route("GET", _BASE + "/blobs/{file_sha}", get_blob, _READ),
    Route("POST", _BASE + "/blobs", create_blob, _WRITE, "write"),
    Route("GET", _BASE + "/trees/{tree_sha}", get_tree, _READ),
    Route("POST", _BASE + "/trees", create_tree, _WRITE, "write"),
    Route("GET", _BASE + "/commits/{commit_sha}", get_commit, _READ),
    Route("POST", _BASE + "/commits", create_commit, _WRITE, "write"),
    Route("GET", _BASE + "/tags/{tag_sha}", get_tag, _READ),
    Route("POST", _BASE + "/tags", create_tag, _WRITE, "write"),
)
