"""Every answer of the emulator, and every request of the adapter, held against GitHub's own description."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from promote_actions.adapters.github import GitHubRepository
from promote_actions.adapters.github_snapshot import files_query
from promote_actions.adapters.gitops import FileChange
from promote_actions.errors import Conflict
from promote_actions.rehearsal.github import Exchange, GitHubEmulator
from promote_actions.rehearsal.github.emulator import ROUTES

CACHE = Path(__file__).parents[2] / "build" / "api-descriptions"
REST = ("@octokit/openapi@23.0.2", "package/generated/api.github.com.json")
GRAPHQL = ("@octokit/graphql-schema@15.26.1", "package/schema.graphql")
REPO = "/repos/nexo-org/gitops"
NOT_DESCRIBED = {
    "POST /graphql": "GraphQL has a schema of its own",
    "GET /rate_limit": "the description wants resources that promotions never look at",
}


def described(package: str, member: str) -> Path:
    """The file ``member`` of the npm package, fetched once into ``build/``; skips where npm can't."""
    target = CACHE / package.replace("/", "-") / Path(member).name
    if target.exists():
        return target
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"NOT CHECKED: npm is not installed, so {package} can't be fetched")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        command = [npm, "pack", "--silent", package, "--pack-destination", folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip(f"NOT CHECKED: npm could not fetch {package}: {done.stderr.strip()[-200:]}")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            stream = archive.extractfile(member)
            assert stream is not None
            part = Path(folder) / "part"
            part.write_bytes(stream.read())
        target.parent.mkdir(exist_ok=True)
        os.replace(part, target)
    return target


class Description:
    """GitHub's OpenAPI description, and the errors of an exchange against it."""

    def __init__(self, document: dict[str, Any]) -> None:
        from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator
        from referencing import Registry, Resource
        from referencing.jsonschema import DRAFT4

        self.document = document
        _read_as_meant(document)
        resource = Resource(contents=document, specification=DRAFT4)
        self._registry = Registry().with_resource("urn:github", resource)
        self._kinds = {"answer": OAS30ReadValidator, "request": OAS30WriteValidator}
        self._made: dict[tuple[str, str], Any] = {}

    def complaints(self, exchange: Exchange) -> list[str]:
        """What is wrong with the request and the answer, as ``where: message``."""
        operation = self.document["paths"].get(exchange.template, {}).get(exchange.method.lower())
        label = f"{exchange.method} {exchange.template or exchange.path} {exchange.status}"
        if operation is None:
            return [f"{label}: GitHub describes no such operation"]
        here = ["paths", exchange.template, exchange.method.lower()]
        found = self._request(operation, here, exchange) if exchange.status < 300 else []
        return [f"{label}: {complaint}" for complaint in [*found, *self._answer(operation, here, exchange)]]

    def _request(self, operation: dict[str, Any], here: list[str], exchange: Exchange) -> Iterator[str]:
        content = operation.get("requestBody", {}).get("content", {})
        if exchange.sent is not None and "application/json" in content:
            where = [*here, "requestBody", "content", "application/json", "schema"]
            yield from self._errors("request", where, exchange.sent)
        known = {self._follow(one)["name"] for one in operation.get("parameters", [])}
        yield from (f"unknown query parameter {name}" for name in exchange.query if name not in known)

    def _answer(self, operation: dict[str, Any], here: list[str], exchange: Exchange) -> Iterator[str]:
        described = operation["responses"].get(str(exchange.status))
        if described is None and exchange.status < 400:
            yield f"GitHub describes no {exchange.status}"
            return
        reference = (described or {}).get("$ref", "")
        where = reference.split("/")[1:] if reference else [*here, "responses", str(exchange.status)]
        content = self._follow(described or {}).get("content", {})
        media = next((kind for kind in content if kind.endswith("json")), "")
        if exchange.status >= 400 and not media:
            where, content = ["components", "responses", "bad_request"], {"application/json": {}}
            media = "application/json"
        if not media:
            if exchange.answer is not None:
                yield "GitHub sends no body here"
            return
        yield from self._errors("answer", [*where, "content", media, "schema"], exchange.answer)

    def _follow(self, node: dict[str, Any]) -> dict[str, Any]:
        found: Any = node
        if "$ref" in node:
            found = self.document
            for part in node["$ref"].split("/")[1:]:
                found = found[part]
        return found

    def _errors(self, kind: str, where: list[str], value: object) -> Iterator[str]:
        pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in where)
        key = (kind, pointer)
        if key not in self._made:
            schema = {"$ref": f"urn:github#/{pointer}"}
            self._made[key] = self._kinds[kind](schema, registry=self._registry)
        for error in self._made[key].iter_errors(value):
            yield f"{kind} {error.json_path}: {error.message[:200]}"


def _read_as_meant(node: Any) -> None:
    """Read three habits of GitHub's description as they are meant.

    `nullable` stands beside `oneOf` without a type, alternatives overlap, and some answers that are lists
    have a discriminator.
    """
    if isinstance(node, dict):
        choices = node.pop("oneOf", None) if isinstance(node.get("oneOf"), list) else None
        if choices is not None:
            node.pop("discriminator", None)
            node["anyOf"] = choices + ([{"enum": [None]}] if node.get("nullable") is True else [])
        for value in list(node.values()):
            _read_as_meant(value)
    elif isinstance(node, list):
        for value in node:
            _read_as_meant(value)


@pytest.fixture(scope="module")
def description() -> Description:
    return Description(json.loads(described(*REST).read_text()))


Ask = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def exchanges(tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    """Everything that a client can ask of the emulator, asked once, refusals included."""
    with GitHubEmulator(tmp_path_factory.mktemp("github")) as github, requests.Session() as session:
        github.add_user("ana", "ana-token")
        github.add_user("ben", "ben-token")
        github.add_user("reader", "reader-token", write=False)
        github.add_user("bot[bot]", "bot-token", bot=True)
        github.add_team("nexo-org", "sre", ["ana", "ben"], pending=["reader"])
        github.add_repository("nexo-org/gitops")

        def ask(method: str, path: str, body: object = None, user: str = "ana") -> requests.Response:
            headers = {"Authorization": f"Bearer {user}-token"}
            return session.request(method, github.url + path, json=body, headers=headers, timeout=10)

        _git(ask, github)
        _pull_requests(ask, github)
        _statuses_and_people(ask, github)
        return list(github.exchanges)


def _git(ask: Ask, github: GitHubEmulator) -> None:
    first = github.commit("nexo-org/gitops", {"helm/a/values-qa.yaml": "a: 1\n", "README.md": "x\n"})
    blob = ask("POST", f"{REPO}/git/blobs", {"content": "YQ==", "encoding": "base64"}).json()["sha"]
    entries = [
        {"path": "helm/a/values-qa.yaml", "mode": "100644", "type": "blob", "content": "a: 2\n"},
        {"path": "bin/run", "mode": "100755", "type": "blob", "sha": blob},
        {"path": "README.md", "mode": "100644", "type": "blob", "sha": None},
    ]
    tree = ask("POST", f"{REPO}/git/trees", {"base_tree": first, "tree": entries}).json()["sha"]
    made = ask("POST", f"{REPO}/git/commits", {"message": "two", "tree": tree, "parents": [first]}).json()
    tagged = {"tag": "v1", "message": "one", "object": made["sha"], "type": "commit"}
    tag = ask("POST", f"{REPO}/git/tags", tagged).json()["sha"]
    for name, sha in (("heads/promote/a", made["sha"]), ("tags/v1", tag), ("heads/gone", first)):
        ask("POST", f"{REPO}/git/refs", {"ref": f"refs/{name}", "sha": sha})
    ask("PATCH", f"{REPO}/git/refs/heads/main", {"sha": made["sha"], "force": False})
    ask("PATCH", f"{REPO}/git/refs/heads/main", {"sha": first, "force": False})
    ask("POST", f"{REPO}/git/refs", {"ref": "refs/heads/main", "sha": first})
    ask("DELETE", f"{REPO}/git/refs/heads/gone")
    for path in (
        "",
        "/git/ref/heads/promote/a",
        "/git/ref/heads/none",
        "/git/matching-refs/heads",
        f"/git/blobs/{blob}",
        f"/git/trees/{tree}",
        f"/git/trees/{tree}?recursive=1",
        f"/git/commits/{first}",
        f"/git/tags/{tag}",
        "/branches/main",
        "/branches/none",
        "/branches?per_page=1",
        "/tags",
        "/commits?path=helm/a/values-qa.yaml",
        "/commits/main",
        f"/compare/{first}...main?per_page=1",
        "/contents/helm/a/values-qa.yaml?ref=main",
        "/contents/helm",
        "/contents/nothing",
    ):
        ask("GET", REPO + path)
    content = base64.b64encode(b"a: 3\n").decode()
    old = ask("GET", f"{REPO}/contents/helm/a/values-qa.yaml").json()["sha"]
    change = {"message": "m", "content": content, "branch": "main"}
    ask("PUT", f"{REPO}/contents/helm/a/new.yaml", change)
    ask("PUT", f"{REPO}/contents/helm/a/values-qa.yaml", change)
    ask("PUT", f"{REPO}/contents/helm/a/values-qa.yaml", change | {"sha": "0" * 40})
    ask("PUT", f"{REPO}/contents/helm/a/values-qa.yaml", change | {"sha": old})
    ask("POST", f"{REPO}/dispatches", {"event_type": "promoted", "client_payload": {"service": "a"}})
    variables = {"owner": "nexo-org", "name": "gitops", "commit": first, "p0": "README.md"}
    ask("POST", "/graphql", {"query": files_query(1), "variables": variables})


def _pull_requests(ask: Ask, github: GitHubEmulator) -> None:
    head = github.commit("nexo-org/gitops", {"helm/a/values-qa.yaml": "a: 9\n"}, branch="promote/b")
    wanted = {"title": "t", "body": "b", "head": "promote/b", "base": "main", "draft": False}
    ask("POST", f"{REPO}/pulls", wanted)
    ask("POST", f"{REPO}/pulls", wanted)
    ask("PATCH", f"{REPO}/pulls/1", {"title": "new"})
    ask("POST", f"{REPO}/labels", {"name": "production-deploy", "color": "5319e7"})
    ask("POST", f"{REPO}/issues/1/labels", {"labels": ["production-deploy", "made here"]})
    ask("POST", f"{REPO}/issues/1/comments", {"body": "hello"})
    ask("POST", f"{REPO}/pulls/1/requested_reviewers", {"reviewers": ["ben"], "team_reviewers": ["sre"]})
    ask("POST", f"{REPO}/pulls/1/requested_reviewers", {"reviewers": ["ana"]})
    ask("GET", f"{REPO}/pulls/1/requested_reviewers")
    ask("DELETE", f"{REPO}/pulls/1/requested_reviewers", {"reviewers": ["ben"]})
    review = ask("POST", f"{REPO}/pulls/1/reviews", {"event": "APPROVE", "body": "ok"}, "ben").json()["id"]
    ask("POST", f"{REPO}/pulls/1/reviews", {"event": "APPROVE"})
    ask("PUT", f"{REPO}/pulls/1/reviews/{review}/dismissals", {"message": "no"})
    for path in ("", "/1", "/1/files", "/1/commits", "/1/reviews", "/99"):
        ask("GET", f"{REPO}/pulls{path}")
    for path in ("/issues/1/labels", "/issues/1/comments", "/labels", "/labels/production-deploy"):
        ask("GET", REPO + path)
    ask("DELETE", f"{REPO}/issues/1/labels/made%20here")
    ask("PUT", f"{REPO}/pulls/1/merge", {"sha": "0" * 40})
    ask("PUT", f"{REPO}/pulls/1/merge", {"sha": head, "merge_method": "squash"})
    ask("PUT", f"{REPO}/pulls/1/merge", {"sha": head})
    ask("GET", f"{REPO}/pulls/1")


def _statuses_and_people(ask: Ask, github: GitHubEmulator) -> None:
    sha = ask("GET", f"{REPO}/branches/main").json()["commit"]["sha"]
    status = {
        "state": "success",
        "context": "promotion/soak",
        "description": "d",
        "target_url": "https://x",
    }
    ask("POST", f"{REPO}/statuses/{sha}", status)
    run = {"name": "test", "head_sha": sha, "status": "completed", "conclusion": "success"}
    made = ask("POST", f"{REPO}/check-runs", run).json()["id"]
    for path in (f"commits/{sha}/statuses", f"commits/{sha}/status", f"commits/{sha}/check-runs"):
        ask("GET", f"{REPO}/{path}")
    ask("GET", f"{REPO}/check-runs/{made}")
    e2e = github.add_run("nexo-org/gitops", sha, ".github/workflows/e2e.yml", {"junit": {"a.xml": b"<a/>"}})
    github.add_run("nexo-org/gitops", sha, ".github/workflows/scan.yml", conclusion=None, fork="eve/gitops")
    old = github.add_run("nexo-org/gitops", sha, ".github/workflows/old.yml", {"report": b"no archive"})
    old.artifacts[0].expired = True
    for path in (
        f"actions/runs?head_sha={sha}&exclude_pull_requests=true&per_page=1",
        f"actions/runs/{e2e.id}/artifacts",
        "actions/runs/1/artifacts",
        f"actions/artifacts/{e2e.artifacts[0].id}/zip",
        f"actions/artifacts/{old.artifacts[0].id}/zip",
        f"actions/artifacts/{e2e.artifacts[0].id}/tar",
    ):
        ask("GET", f"{REPO}/{path}")
    for path in (
        "/user",
        "/users/ana",
        "/rate_limit",
        "/orgs/nexo-org/teams/sre",
        "/orgs/nexo-org/teams/sre/members",
        "/orgs/nexo-org/teams/sre/memberships/ana",
        "/orgs/nexo-org/teams/sre/memberships/reader",
        "/orgs/nexo-org/teams/none/members",
        f"{REPO}/collaborators/ana/permission",
        f"{REPO}/collaborators/ana",
    ):
        ask("GET", path)
    ask("GET", "/user", None, "bot")
    ask("GET", "/user", None, "unknown")
    ask("POST", f"{REPO}/labels", {"name": "no"}, "reader")
    github.world.rate.remaining = 0
    ask("GET", REPO)


def test_every_route_is_asked(exchanges: list[Exchange]) -> None:
    """The check below sees a success of each route that the emulator has."""
    good = {f"{one.method} {one.template}" for one in exchanges if one.status < 300 or one.status == 302}
    assert {f"{route.method} {route.template}" for route in ROUTES} <= good


def test_answers_and_requests_are_githubs(exchanges: list[Exchange], description: Description) -> None:
    """Fields, types and query parameters are those of GitHub's published OpenAPI description."""
    checked = [one for one in exchanges if f"{one.method} {one.template}" not in NOT_DESCRIBED]
    complaints = {complaint for one in checked for complaint in description.complaints(one)}
    assert "\n".join(sorted(complaints)) == ""


def test_the_adapter_asks_as_githubs_description_says(tmp_path: Path, description: Description) -> None:
    """What the adapter sends in a whole promotion, and what it gets, fits GitHub's description."""
    with GitHubEmulator(tmp_path) as github:
        _promote(github)
        seen = [one for one in github.exchanges if f"{one.method} {one.template}" not in NOT_DESCRIBED]
    complaints = {complaint for one in seen for complaint in description.complaints(one)}
    assert "\n".join(sorted(complaints)) == ""
    assert len({one.template for one in seen}) > 25


def _promote(github: GitHubEmulator) -> None:
    github.add_user("ana")
    github.add_user("bot[bot]", "bot-token", bot=True)
    github.add_team("nexo-org", "sre", ["ana"])
    github.add_repository("nexo-org/gitops")
    first = github.commit("nexo-org/gitops", {"helm/a/values-qa.yaml": "a: 1\n"})
    github.repository("nexo-org/gitops").store.git.check("tag", "1", first)
    github.fail("POST", "/graphql", 404)
    repository = GitHubRepository("nexo-org/gitops", "bot-token", {"GITHUB_API_URL": github.url})
    snapshot = repository.snapshot()
    snapshot.read("helm/a/values-qa.yaml")
    snapshot.files("helm")
    changes = [FileChange("helm/a/values-qa.yaml", b"a: 2\n"), FileChange("binary", b"\xff", create=True)]
    with pytest.raises(Conflict):
        github.commit("nexo-org/gitops", {"other": "x"})
        repository.land(snapshot, changes, "m")
    repository.land(repository.snapshot(), changes, "m")
    repository.history("helm/a/values-qa.yaml", limit=5)
    repository.is_ancestor(first, "main")
    repository.tags("1")
    again = [FileChange("helm/a/values-qa.yaml", b"a: 3\n")]
    head = repository.land_on_branch(repository.snapshot(), again, "m", "promote/a-qa-3")
    repository.land_on_branch(repository.snapshot(), again, "n", "promote/a-qa-3")
    forge = repository.forge
    pull = forge.open_pull("t", "b", "promote/a-qa-3", "main")
    forge.open_pull("t", "b", "promote/a-qa-3", "main")
    forge.find_open_pulls("promote/")
    forge.update_pull(pull.number, title="u", body="v")
    forge.comment(pull.number, "c")
    forge.add_labels(pull.number, ["production-deploy"])
    forge.request_reviewers(pull.number, ["ana", "nobody"], ["sre"])
    forge.set_status(head, "promotion/soak", "success", "d", "https://ci.example")
    forge.statuses(head)
    forge.check_runs(head)
    github.add_run("nexo-org/gitops", head, ".github/workflows/e2e.yml", {"junit": {"a.xml": b"<a/>"}})
    (artifact,) = forge.artifacts(forge.workflow_runs(head)[0].id)
    forge.artifact_archive(artifact.id, 1000)
    forge.reviews(pull.number)
    forge.changed_files(pull.number)
    forge.team_members("nexo-org", "sre")
    forge.permission("ana")
    forge.user()
    forge.compare(first, "main")
    forge.dispatch("promoted", {"service": "a"})
    forge.merge(pull.number, forge.pull(pull.number).head_sha)
    forge.close_pull(pull.number)
    forge.delete_branch("promote/a-qa-3")


def test_a_wrong_answer_is_noticed(exchanges: list[Exchange], description: Description) -> None:
    """The check can fail: an answer without a required field is a complaint."""
    template = "/repos/{owner}/{repo}/pulls/{pull_number}"
    good = next(one for one in exchanges if (one.template, one.status) == (template, 200))
    broken = {name: value for name, value in good.answer.items() if name != "mergeable_state"}
    bad = Exchange("GET", good.path, good.template, "ana", 200, None, broken, {})
    assert any("mergeable_state" in complaint for complaint in description.complaints(bad))


def test_files_query_is_graphql_of_githubs_schema() -> None:
    """The query for many files asks for fields that GitHub's GraphQL schema has."""
    graphql = pytest.importorskip("graphql")
    schema = graphql.build_schema(described(*GRAPHQL).read_text(), assume_valid=True)
    assert graphql.validate(schema, graphql.parse(files_query(3))) == []
    wrong = re.sub("oid", "oidd", files_query(3))
    assert graphql.validate(schema, graphql.parse(wrong))
