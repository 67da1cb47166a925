"""The one GraphQL query that is answered here: files of a commit by path (`Commit.file`)."""

from __future__ import annotations

import re
from typing import Any

from promote_actions.rehearsal.github.routing import Call, Reply, Route
from promote_actions.rehearsal.github.state import Repository

_SHAPE = re.compile(r"repository\(owner: \$owner, name: \$name\) \{\s*object\(oid: \$commit\)")
_FILE = re.compile(r"(\w+): file\(path: \$(\w+)\)")
_LARGEST = 512 * 1024
"""Bytes of text that GitHub gives in one field; more is cut."""


def query(call: Call) -> Reply:
    text, variables = call.field("query", required=True), call.field("variables", dict, {})
    if not _SHAPE.search(text):
        return _errors("GRAPHQL_VALIDATION_FAILED", "This query is not known to the emulator.")
    name = f"{variables.get('owner')}/{variables.get('name')}"
    repository = call.world.repository(name)
    if repository is None or call.world.role(call.user, repository) == "none":
        return _errors("NOT_FOUND", f"Could not resolve to a Repository with the name '{name}'.")
    if {"contents", "contents:read"} & call.user.lacks:
        return _errors("FORBIDDEN", "Resource not accessible by integration")
    commit = str(variables.get("commit"))
    if repository.store.kind(commit) != "commit":
        return Reply({"data": {"repository": {"object": None}}})
    found = {
        alias: _entry(repository, commit, str(variables.get(variable)))
        for alias, variable in _FILE.findall(text)
    }
    return Reply({"data": {"repository": {"object": found}}})


def _errors(kind: str, message: str) -> Reply:
    return Reply({"data": None, "errors": [{"type": kind, "path": ["repository"], "message": message}]})


def _entry(repository: Repository, commit: str, path: str) -> dict[str, Any] | None:
    entry = repository.store.entry(commit, path) if path else None
    if entry is None:
        return None
    shown: dict[str, Any] | None = {} if entry.type == "tree" else None
    if entry.type == "blob":
        content = repository.store.blob(entry.sha)
        binary = b"\0" in content
        text = None if binary else content[:_LARGEST].decode(errors="replace")
        shown = {"text": text}
    return {"mode": int(entry.mode, 8), "type": entry.type, "oid": entry.sha, "object": shown}


ROUTES = (Route("POST", "/graphql", query),)
