"""Asking GitHub's own command line whether an image was attested by a repository's workflow.

The signatures, certificates and transparency logs behind an attestation are ``gh``'s business: it is the
verifier that GitHub keeps, and it is on GitHub's runners. Source: the manual of ``gh attestation verify``
(https://cli.github.com/manual/gh_attestation_verify), which by default wants SLSA provenance, and the exit
codes of ``gh help exit-codes``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from promote_actions.adapters.github_names import repository_path
from promote_actions.adapters.processes import run_program
from promote_actions.errors import DependencyError, InputError, one_line
from promote_actions.images.reference import is_digest, parse

DEADLINE = 60.0
"""Seconds that one verification may take."""

_LONGEST_REASON = 300
_NEEDS_LOGIN = 4
_UNSAID = ("GH_DEBUG", "DEBUG", "GH_FORCE_TTY", "GH_REPO")
"""Variables that would change what ``gh`` prints or looks at."""


def why_unverified(  # noqa: PLR0917 - what, by whom, how: the order in which one says it
    image: str, digest: str, repository: str, token: str, env: Mapping[str, str], deadline: float = DEADLINE
) -> str:
    """Why ``image`` (without tag) at ``digest`` has no attestation of ``repository``; empty: it has one.

    ``repository`` is ``owner/name``. ``token`` goes to ``gh`` by its environment alone; when it is empty,
    ``gh`` uses what it finds there. Raises :class:`InputError` for names that are none,
    ``DependencyError`` when ``gh`` is missing, isn't logged in or doesn't answer in ``deadline`` seconds.
    """
    reference = parse(image).name
    if not is_digest(digest):
        raise InputError(f"'{digest[:80]}' is not an image's digest", hint="it is sha256: and 64 digits")
    repository_path(repository)
    command = [_program(env), "attestation", "verify", f"oci://{reference}@{digest}"]
    command += ["--repo", repository, "--format", "json"]
    if digest.startswith("sha512:"):
        command += ["--digest-alg", "sha512"]
    try:
        status, out, said = run_program(command, b"", _environment(token, env), deadline)
    except TimeoutError:
        raise DependencyError(
            f"gh attestation verify took longer than {deadline:g} s", hint="check the network and run again"
        ) from None
    except OSError as error:
        raise DependencyError(f"gh can't be started: {error.strerror}", hint="install it again") from None
    reason = _reason(said.decode(errors="replace"), token)
    if status == _NEEDS_LOGIN:
        raise DependencyError(
            f"gh is not logged in: {reason}", hint="pass a token with attestations: read as --token"
        )
    if status < 0:
        raise DependencyError(f"gh attestation verify was ended by signal {-status}", hint="run again")
    if status:
        return reason
    return "" if _holds_results(out) else "gh shows no attestation that it has verified"


def _program(env: Mapping[str, str]) -> str:
    import shutil

    found = shutil.which("gh", path=env.get("PATH", ""))
    if found is None:
        raise DependencyError(
            "provenance is verified by gh, which is not installed",
            hint="install GitHub CLI 2.67 or newer (https://cli.github.com); GitHub's runners have it",
        )
    return found


def _environment(token: str, env: Mapping[str, str]) -> dict[str, str]:
    """``env`` without an action's inputs, which may be secrets, and with what ``gh`` is to know."""
    kept = {
        name: text for name, text in env.items() if name not in _UNSAID and not name.startswith("INPUT_")
    }
    kept |= {"GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}
    if token:
        kept["GH_TOKEN"] = token
    host = urlsplit(env.get("GITHUB_SERVER_URL", "")).netloc.rpartition("@")[2]
    if host:
        kept["GH_HOST"] = host
    return kept


def _reason(said: str, token: str) -> str:
    """The last thing that ``gh`` says, which is the one that it ends with, in one line."""
    if token:
        said = said.replace(token, "***")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = re.sub(r"^(?:✗|X|Error:)\s+", "", lines[-1]) if lines else ""
    return one_line(last)[:_LONGEST_REASON] or "gh doesn't say why"


def _holds_results(out: bytes) -> bool:
    """Whether ``gh`` lists what it has verified.

    Its versions 2.49 to 2.66 end with 0 when there is no attestation at all
    (https://pkg.go.dev/vuln/GO-2025-3467): the status alone proves nothing.
    """
    try:
        results = json.loads(out)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(results, list)
        and bool(results)
        and all(isinstance(each, dict) and each.get("verificationResult") for each in results)
    )
