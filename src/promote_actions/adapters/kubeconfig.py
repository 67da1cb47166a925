"""How to reach a Kubernetes cluster: given outright, by a kubeconfig, or from inside of it.

Fields: ``kubeconfig`` (v1) and ``ExecCredential`` (client.authentication.k8s.io) of Kubernetes' reference;
the files of a service account: "Accessing the Kubernetes API from a Pod".
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from promote_actions.adapters.http_client import Tls
from promote_actions.errors import DependencyError, InputError, one_line

INSIDE = "/var/run/secrets/kubernetes.io/serviceaccount"
PLUGIN_DEADLINE = 30.0
"""Seconds that a credential plugin (``aws eks get-token`` and the like) may take."""

UNSUPPORTED = ("tls-server-name", "proxy-url", "auth-provider", "as", "as-user-extra", "as-groups")
"""Keys that change who is asked, or as whom, and that we don't honour: no answer beats a wrong one."""


@dataclass(frozen=True)
class ReadyTls(Tls):
    """TLS settings that are made already, since a kubeconfig holds certificates as text, not as files."""

    ready: ssl.SSLContext | None = None

    @lru_cache(maxsize=16)  # noqa: B019 - hashed by value, and there are few
    def context(self) -> ssl.SSLContext:
        return self.ready if self.ready is not None else Tls.context(self)


@dataclass(frozen=True)
class Access:
    """Where a cluster's API is, and who asks. ``namespace`` is the context's own; empty: none."""

    server: str
    token: str = field(default="", repr=False)
    tls: Tls = field(default_factory=Tls)
    namespace: str = ""
    basic: tuple[str, str] = field(default=("", ""), repr=False)


@dataclass(frozen=True)
class Options:
    """What the caller says: an address with its token, or a kubeconfig (a path) and a context of it."""

    server: str = ""
    token: str = field(default="", repr=False)
    ca_file: str = ""
    kubeconfig: str = ""
    context: str = ""


def access_of(options: Options, env: Mapping[str, str], mask: Callable[[str], None]) -> Access:
    """The access that ``options`` mean: the address given, else the kubeconfig given (or ``KUBECONFIG``),
    else the cluster that we run in, else ``~/.kube/config``. Secrets go through ``mask``.

    Raises :class:`InputError` that names what is missing or unusable.
    """
    found = _choose(options, env)
    for secret in (found.token, found.basic[1]):
        if secret:
            mask(secret)
    return found


def _choose(options: Options, env: Mapping[str, str]) -> Access:
    if options.server:
        return Access(options.server, options.token, Tls(options.ca_file))
    files = options.kubeconfig or env.get("KUBECONFIG", "")
    if files:
        return _from_files(files.split(os.pathsep), options.context, env)
    if env.get("KUBERNETES_SERVICE_HOST") and os.path.exists(f"{INSIDE}/token"):
        return _from_inside(env)
    home = os.path.expanduser("~/.kube/config")
    if os.path.exists(home):
        return _from_files([home], options.context, env)
    raise InputError(
        "no Kubernetes cluster was given",
        hint="give kubeconfig, or kube-server with kube-token and kube-ca",
    )


def _from_inside(env: Mapping[str, str]) -> Access:
    host, port = env["KUBERNETES_SERVICE_HOST"], env.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    token = _file(f"{INSIDE}/token").decode(errors="replace").strip()
    namespace = Path(INSIDE, "namespace")
    named = namespace.read_text(encoding="utf-8").strip() if namespace.exists() else ""
    return Access(server, token, Tls(f"{INSIDE}/ca.crt"), named)


# -- kubeconfig ----------------------------------------------------------------------------------


def _from_files(paths: list[str], context: str, env: Mapping[str, str]) -> Access:
    """Several files are one: what is named twice counts as in the first (as kubectl merges them)."""
    merged: dict[str, dict[str, tuple[Mapping[str, Any], str]]] = {}
    current = context
    for path in filter(None, paths):
        document = _document(os.path.expanduser(path))
        current = current or str(document.get("current-context") or "")
        for kind in ("clusters", "contexts", "users"):
            for item in document.get(kind) or ():
                name, inner = item.get("name"), item.get(kind[:-1])
                if isinstance(inner, Mapping):
                    folder = os.path.dirname(os.path.abspath(os.path.expanduser(path)))
                    merged.setdefault(kind, {}).setdefault(str(name), (inner, folder))
    chosen = _named(merged, "contexts", current)[0]
    cluster, folder = _named(merged, "clusters", str(chosen.get("cluster")))
    user, home = merged.get("users", {}).get(str(chosen.get("user")), ({}, ""))
    for key in UNSUPPORTED:
        if cluster.get(key) or user.get(key):
            raise InputError(
                f"the kubeconfig's {key} is not supported", hint="give kube-server, kube-token and kube-ca"
            )
    if user.get("exec"):
        user = {**user, **_plugin(user["exec"], home, env)}
    token = str(user.get("token") or "")
    if not token and user.get("tokenFile"):
        token = _file(os.path.join(home, str(user["tokenFile"]))).decode(errors="replace").strip()
    return Access(
        str(cluster.get("server") or ""),
        token,
        ReadyTls(ready=_context(cluster, folder, user, home)),
        str(chosen.get("namespace") or ""),
        (str(user.get("username") or ""), str(user.get("password") or "")),
    )


def _named(
    merged: Mapping[str, Mapping[str, tuple[Mapping[str, Any], str]]], kind: str, name: str
) -> tuple[Mapping[str, Any], str]:
    known = merged.get(kind, {})
    if name not in known:
        hint = f"it has {', '.join(known) or 'none'}; give kube-context"
        raise InputError(f"the kubeconfig has no {kind[:-1]} '{one_line(name[:80])}'", hint=hint)
    return known[name]


def _document(path: str) -> Mapping[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    data = _file(path)
    try:
        found = YAML(typ="safe", pure=True).load(data.decode("utf-8"))
    except (YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        found = None
    if not isinstance(found, Mapping):
        raise InputError(f"the kubeconfig '{one_line(path[:200])}' can't be read", hint="give a valid one")
    return found


def _file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read '{one_line(path[:200])}': {error.strerror}") from None


# -- credentials ---------------------------------------------------------------------------------


def _plugin(spec: Mapping[str, Any], folder: str, env: Mapping[str, str]) -> dict[str, str]:
    """The credentials that the kubeconfig's program gives, by the names that a user has them."""
    from promote_actions.adapters.processes import run_program

    command = str(spec.get("command") or "")
    if os.sep in command:
        command = os.path.join(folder, command)
    version = str(spec.get("apiVersion") or "")
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    given = {str(each.get("name")): str(each.get("value")) for each in spec.get("env") or ()}
    surroundings = {**env, **given, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    words = [command, *(str(word) for word in spec.get("args") or ())]
    try:
        status, out, err = run_program(words, b"", surroundings, PLUGIN_DEADLINE)
    except (OSError, TimeoutError) as error:
        said = (
            "did not end in time" if isinstance(error, TimeoutError) else f"can't be run: {error.strerror}"
        )
        raise DependencyError(f"the kubeconfig's {command} {said}", hint="log in there first") from None
    try:
        found = json.loads(out)["status"] if status == 0 else {}
    except (ValueError, KeyError, TypeError):
        found = {}
    names = {"token": "token", "clientCertificateData": "pem-certificate", "clientKeyData": "pem-key"}
    made = {names[key]: value for key, value in found.items() if key in names and isinstance(value, str)}
    if not made:
        said = one_line(err.decode(errors="replace").strip()[-200:])
        raise DependencyError(f"the kubeconfig's {command} gave no credentials ({said or status})")
    return made


def _context(cluster: Mapping[str, Any], folder: str, user: Mapping[str, Any], home: str) -> ssl.SSLContext:
    """The TLS settings: the cluster's authority, our certificate, or no verification if it says so."""
    authority = _pem(cluster, "certificate-authority", folder)
    certificate = str(user.get("pem-certificate") or "") or _pem(user, "client-certificate", home)
    key = str(user.get("pem-key") or "") or _pem(user, "client-key", home)
    try:
        context = ssl.create_default_context(cadata=authority or None)
        if certificate:
            _load(context, certificate, key)
    except (OSError, ssl.SSLError, ValueError):
        raise InputError("the kubeconfig's certificates can't be used", hint="they must be PEM") from None
    if cluster.get("insecure-skip-tls-verify") is True:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _pem(holder: Mapping[str, Any], key: str, folder: str) -> str:
    data = holder.get(f"{key}-data")
    if data:
        try:
            return base64.b64decode(str(data), validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            raise InputError(f"the kubeconfig's {key}-data is not PEM in base64") from None
    path = holder.get(key)
    return _file(os.path.join(folder, str(path))).decode("ascii", errors="replace") if path else ""


def _load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """OpenSSL reads a key from files alone: they live for this moment, where nobody else may look."""
    with tempfile.TemporaryDirectory(prefix="promote-actions-") as folder:
        paths = [os.path.join(folder, name) for name in ("certificate", "key")]
        for path, text in zip(paths, (certificate, key), strict=True):
            with open(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
            ) as file:
                file.write(text)
        context.load_cert_chain(paths[0], paths[1] if key else None, password=lambda: "")
