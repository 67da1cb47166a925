"""Fetches the pinned pip wheel (``requirements/pip.txt``) from the caller's package index.

For a Python without pip and ensurepip, such as Debian's plain ``python3``. Speaks the simple repository
API in its JSON and HTML forms (https://packaging.python.org/en/latest/specifications/simple-repository-api/).
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import html
import json
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from environment import Failure

DEFAULT_INDEX = "https://pypi.org/simple"
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_PIN = re.compile(r"^pip==(\S+)[\s\\]+--hash=sha256:([0-9a-f]{64})", re.MULTILINE)
_LIMIT = 20_000_000
_DEADLINE = 60.0


def fetch(folder: str, env: Mapping[str, str]) -> str:
    """Download the wheel into ``folder`` and return the path by which Python runs it."""
    version, digest = _pin()
    name = f"pip-{version}-py3-none-any.whl"
    tried = []
    for index in indexes(env):
        try:
            page = f"{index.rstrip('/')}/pip/"
            wheel = _get(_link(page, _get(page, env), name), env)
        except (OSError, ValueError, LookupError) as error:
            tried.append(f"{without_credentials(index)}: {error}")
            continue
        if hashlib.sha256(wheel).hexdigest() != digest:
            tried.append(f"{without_credentials(index)}: its {name} does not have the pinned hash")
            continue
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(wheel)
        return path + "/pip"
    raise Failure(
        f"no pip was found, and it could not be downloaded ({'; '.join(tried)})",
        "install pip or uv, or set PIP_INDEX_URL (and HTTPS_PROXY) to an index that can be reached",
    )


def _pin() -> tuple[str, str]:
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(root, "requirements", "pip.txt"), encoding="utf-8") as file:
        found = _PIN.search(file.read())
    if not found:
        raise Failure("requirements/pip.txt pins no pip", "restore that file")
    return found[1], found[2]


def indexes(env: Mapping[str, str]) -> list[str]:
    """The package indexes that the caller has set for pip, else for uv, else the public one."""
    uv = [env.get(name, "") for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX")]
    named = [
        part.rpartition("=")[2] if "=" in part.partition("://")[0] else part
        for part in " ".join(uv).split()
    ]
    return pip_indexes(env) or named or [DEFAULT_INDEX]


def pip_indexes(env: Mapping[str, str]) -> list[str]:
    """The indexes that the caller has set for pip, by variables or in its configuration files."""
    settings = configparser.RawConfigParser(strict=False)
    try:
        settings.read(_pip_files(env), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        settings.clear()
    found: list[str] = []
    for option in ("index-url", "extra-index-url"):
        written = env.get("PIP_" + option.upper().replace("-", "_"), "")
        found += (written or settings.get("global", option, fallback="")).split()
    return found


def _pip_files(env: Mapping[str, str]) -> list[str]:
    home = env.get("HOME", "/nonexistent")
    config = env.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    files = [
        "/etc/pip.conf",
        os.path.join(home, ".pip", "pip.conf"),
        os.path.join(config, "pip", "pip.conf"),
    ]
    return [*files, *filter(None, [env.get("PIP_CONFIG_FILE", "")])]


def _link(page: str, content: bytes, name: str) -> str:
    """The address of the file ``name`` that the index page ``content`` at ``page`` gives."""
    text = content.decode("utf-8", errors="replace")
    if text.lstrip().startswith("{"):
        links = [str(file["url"]) for file in json.loads(text)["files"]]
    else:
        links = [html.unescape(link) for link in re.findall(r"""href\s*=\s*["']([^"']+)["']""", text)]
    for link in links:
        if unquote(urlsplit(link).path).endswith("/" + name) or urlsplit(link).path == name:
            return _with_user(urljoin(page, link.partition("#")[0]), page)
    raise LookupError(f"it has no {name}")


def _with_user(link: str, page: str) -> str:
    """``link`` with the credentials of ``page``, when both are on one host and it has none."""
    parts, origin = urlsplit(link), urlsplit(page)
    if parts.username or not origin.username or parts.hostname != origin.hostname:
        return link
    return urlunsplit(parts._replace(netloc=f"{origin.netloc.rpartition('@')[0]}@{parts.netloc}"))


def _get(url: str, env: Mapping[str, str]) -> bytes:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http", "file"}:
        raise ValueError(f"its address has the scheme {parts.scheme!r}")
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], path=quote(unquote(parts.path)))),
        headers={"Accept": _ACCEPT, "User-Agent": "promote-actions"},
    )
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header(
            "Authorization", "Basic " + base64.b64encode(pair.encode()).decode()
        )
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=_trust(env))]
    if env.get("PIP_PROXY"):
        handlers.append(urllib.request.ProxyHandler({"http": env["PIP_PROXY"], "https": env["PIP_PROXY"]}))
    with urllib.request.build_opener(*handlers).open(request, timeout=_DEADLINE) as answer:
        content: bytes = answer.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise ValueError(f"its answer is longer than {_LIMIT} bytes")
    return content


def _trust(env: Mapping[str, str]) -> ssl.SSLContext:
    chosen = next(filter(None, map(env.get, ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))), None)
    return ssl.create_default_context(cafile=chosen)


def without_credentials(text: str) -> str:
    """``text`` without what stands between ``://`` and ``@`` in its addresses."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", text)
