"""Who we are to a container registry: from the environment, ``docker login``, or the job's own token.

Credentials belong to one host and are never offered to another. Formats: Docker's ``config.json``
(https://docs.docker.com/reference/cli/docker/login/) and its credential helpers
(https://github.com/docker/docker-credential-helpers).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from promote_actions.errors import InputError
from promote_actions.images.reference import DOCKER_HUB

HELPER_DEADLINE = 20.0
"""Seconds that a credential helper may take."""

CONFIG_LIMIT = 1 << 20
_HUB_ADDRESS = "https://index.docker.io/v1/"
_HUB_NAMES = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
_TOKEN_USER = "<token>"  # noqa: S105 - what a credential helper calls the user of an identity token


@dataclass(frozen=True)
class Credentials:
    """A user and password, or an identity token that token servers exchange."""

    user: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be hidden in everything that is printed."""
        found = (self.password, self.identity_token, self.basic.partition(" ")[2] if self.password else "")
        return tuple(secret for secret in found if secret)


def find(host: str, env: Mapping[str, str], token: str = "") -> Credentials | None:
    """The credentials for the registry ``host``, or None to ask it as nobody.

    Looks at, in this order: ``REGISTRY_USERNAME`` and ``REGISTRY_PASSWORD`` when ``REGISTRY`` is
    ``host``; Docker's configuration (``REGISTRY_AUTH_FILE``, ``DOCKER_CONFIG``, ``~/.docker``) with its
    credential helpers; ``token`` (or ``GITHUB_TOKEN``) for ``ghcr.io``. Raises :class:`InputError` for
    a configuration that can't be read.
    """
    named = _named(host, env)
    if named is not None:
        return named
    for path in _config_files(env):
        found = _in_config(path, host, env)
        if found is not None:
            return found
    token = token or env.get("GITHUB_TOKEN", "")
    if (
        host == "ghcr.io"
        and token
        and env.get("GITHUB_SERVER_URL", "https://github.com") == "https://github.com"
    ):
        return Credentials(env.get("GITHUB_ACTOR") or "x-access-token", token)
    return None


def _named(host: str, env: Mapping[str, str]) -> Credentials | None:
    password = env.get("REGISTRY_PASSWORD", "").strip()
    if not password:
        return None
    registry = env.get("REGISTRY", "").strip()
    if not registry:
        raise InputError(
            "REGISTRY_PASSWORD is set and REGISTRY is not",
            hint="set REGISTRY to the host that the password belongs to",
        )
    if _host_of(registry) != _host_of(host):
        return None
    return Credentials(env.get("REGISTRY_USERNAME", "").strip(), password)


def _config_files(env: Mapping[str, str]) -> list[str]:
    if env.get("REGISTRY_AUTH_FILE"):
        return [env["REGISTRY_AUTH_FILE"]]
    folder = env.get("DOCKER_CONFIG") or (os.path.join(env["HOME"], ".docker") if env.get("HOME") else "")
    return [os.path.join(folder, "config.json")] if folder else []


def _in_config(path: str, host: str, env: Mapping[str, str]) -> Credentials | None:
    config = _read(path)
    helper = _helper(config, host)
    if helper:
        found = _ask_helper(helper, host, env)
        if found is not None:
            return found
    auths = config.get("auths")
    if not isinstance(auths, dict):
        return None
    for key, entry in auths.items():
        if _host_of(key) == _host_of(host) and isinstance(entry, dict):
            found = _entry(entry, path, key)
            if found is not None:
                return found
    return None


def _read(path: str) -> Mapping[str, Any]:
    try:
        with open(path, "rb") as file:
            loaded = json.loads(file.read(CONFIG_LIMIT))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is no JSON"
        raise InputError(f"cannot read {path}: {reason}", hint="log in to the registry again") from None
    return loaded if isinstance(loaded, dict) else {}


def _entry(entry: Mapping[str, Any], path: str, key: str) -> Credentials | None:
    identity = entry.get("identitytoken")
    user, password = entry.get("username"), entry.get("password")
    encoded = entry.get("auth")
    if isinstance(encoded, str) and encoded:
        try:
            text = base64.b64decode(encoded, validate=True).decode().rstrip("\0")
        except (binascii.Error, ValueError):
            hint = "log in to the registry again"
            raise InputError(f"the credentials of '{key[:100]}' in {path} are damaged", hint=hint) from None
        user, _, password = text.partition(":")
    if isinstance(identity, str) and identity:
        return Credentials(str(user or ""), "", identity)
    if isinstance(user, str) and isinstance(password, str) and password:
        return Credentials(user, password)
    return None


def _helper(config: Mapping[str, Any], host: str) -> str:
    helpers = config.get("credHelpers")
    named = helpers if isinstance(helpers, dict) else {}
    found = next((name for key, name in named.items() if _host_of(key) == _host_of(host)), None)
    found = found or config.get("credsStore")
    return found if isinstance(found, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", found) else ""


def _ask_helper(helper: str, host: str, env: Mapping[str, str]) -> Credentials | None:
    """What ``docker-credential-<helper> get`` says; None when it knows nothing or isn't installed."""
    address = _HUB_ADDRESS if host in _HUB_NAMES else host
    try:
        done = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=address.encode(),
            capture_output=True,
            timeout=HELPER_DEADLINE,
            check=False,
            env=dict(env),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    try:
        answer = json.loads(done.stdout)
        user, secret = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(user, str) or not isinstance(secret, str) or not secret:
        return None
    return Credentials("", "", secret) if user == _TOKEN_USER else Credentials(user, secret)


def _host_of(address: str) -> str:
    """The host that a key of Docker's configuration stands for."""
    host = re.sub(r"^https?://", "", address.strip()).partition("/")[0].lower()
    return DOCKER_HUB if host in _HUB_NAMES else host
