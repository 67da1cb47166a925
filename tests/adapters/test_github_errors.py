"""GitHub's refusals in one line each, with what to do."""

from __future__ import annotations

import pytest

from promote_actions.adapters.github_errors import Answer, explain, is_protected
from promote_actions.errors import DependencyError, InputError

REPO = "nexo-org/nexo-gitops"
WRITE = f"/repos/{REPO}/git/trees"


def answer(status: int, message: str, method: str = "POST", path: str = WRITE, **headers: str) -> Answer:
    return Answer(
        method,
        path,
        status,
        {key.replace("_", "-"): value for key, value in headers.items()},
        {"message": message},
    )


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        (answer(401, "Bad credentials"), InputError, "refused the token (Bad credentials)"),
        (answer(401, ""), InputError, "no reason given"),
        (answer(403, "Resource protected by organization SAML enforcement."), InputError, "single sign-on"),
        (answer(403, "x", x_github_sso="required; url=https://x"), InputError, "single sign-on"),
        (answer(403, "Repository was archived so is read-only."), InputError, "unarchive it"),
        (
            answer(422, "Repository rule violations found\n\nChanges must be made through a pull request."),
            InputError,
            "promote by pull request",
        ),
        (answer(403, "Cannot update this protected ref."), InputError, "bypass the rule"),
        (answer(422, 'Required status check "x" is expected.'), InputError, "bypass the rule"),
        (answer(409, "Git Repository is empty."), InputError, "push a first commit"),
        (answer(410, "Issues are disabled for this repo"), InputError, "switch it on"),
        (answer(307, "Moved"), InputError, "use its new name"),
        (
            answer(404, "Not Found", "GET", f"/repos/{REPO}"),
            InputError,
            "no repository nexo-org/nexo-gitops",
        ),
        (answer(404, "Not Found", "GET", f"/repos/{REPO}/pulls/9"), InputError, "found nothing to do it"),
        (answer(404, "Not Found"), InputError, "grant it `contents: write` there"),
        (
            answer(
                403, "Resource not accessible by integration", x_accepted_github_permissions="checks=write"
            ),
            InputError,
            "grant it `checks: write` there",
        ),
        (
            answer(
                403, "No", x_accepted_github_permissions="contents=write,workflows=write; contents=admin"
            ),
            InputError,
            "grant it `contents: write`, `workflows: write` there",
        ),
        (
            answer(403, "GitHub Actions is not permitted to create or approve pull requests."),
            InputError,
            "allow it under Settings, Actions, General",
        ),
        (answer(422, "Something new"), DependencyError, "(422): Something new"),
        (answer(400, ""), DependencyError, "(400): no reason given"),
    ],
)
def test_what_a_refusal_means(given: Answer, kind: type, words: str) -> None:
    """Each refusal is of its kind, says what to do, and is one line."""
    error = explain(given, "do it", REPO)
    assert type(error) is kind
    assert words in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("POST", f"/repos/{REPO}/pulls", "`pull_requests: write`"),
        ("GET", f"/repos/{REPO}/pulls/1/reviews", "`pull_requests: read`"),
        ("POST", f"/repos/{REPO}/issues/1/comments", "`pull_requests: write`"),
        ("POST", f"/repos/{REPO}/statuses/abc", "`statuses: write`"),
        ("GET", f"/repos/{REPO}/commits/abc/check-runs", "`checks: read`"),
        ("GET", "/orgs/nexo-org/teams/sre/members", "`members: read`"),
        ("PATCH", f"/repos/{REPO}/git/refs/heads/main", "`contents: write`"),
        ("GET", f"/repos/{REPO}/git/refs/heads/pulls-x", "`contents: read`"),
    ],
)
def test_the_permission_where_github_does_not_name_it(method: str, path: str, permission: str) -> None:
    """The permission is that of the address, as a workflow writes it."""
    assert Answer(method, path, 403).permission == permission


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, ""),
        ([], ""),
        ({"message": "a\nb\x1b[31m", "errors": None}, "a b\\u001b[31m"),
        (
            {"message": "Validation Failed", "errors": [{"message": "No commits"}]},
            "Validation Failed No commits",
        ),
        (
            {"message": "m", "errors": [{"field": "head", "code": "invalid"}]},
            'm {"field": "head", "code": "invalid"}',
        ),
        ({"message": "m", "errors": ["Can not approve"]}, "m Can not approve"),
        ({"message": "m", "errors": "text"}, "m text"),
        ({"message": "x" * 999}, "x" * 300),
    ],
)
def test_githubs_words_on_one_line(data: object, message: str) -> None:
    """Whatever shape the answer has, its words fit on a line and hold no control characters."""
    assert Answer("GET", "/", 422, {}, data).message == message


def test_a_plain_refusal_is_not_a_protection() -> None:
    """Only words about rules are taken for rules."""
    assert not is_protected(answer(422, "Update is not a fast forward"))
    assert not is_protected(answer(404, "Branch not protected, protected branch"))
    assert is_protected(answer(409, "Protected branch update failed for refs/heads/main."))
