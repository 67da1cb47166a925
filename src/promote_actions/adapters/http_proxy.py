"""The proxy that the environment names for an address, and how to get through it. Standard library only."""

from __future__ import annotations

import base64
import os
from urllib.parse import SplitResult, unquote, urlsplit


def proxy_for(scheme: str, netloc: str) -> SplitResult | None:
    """The proxy for ``scheme`` and host, by ``HTTPS_PROXY`` and its kin; None to go straight there."""
    names = (f"{scheme}_proxy", "all_proxy")
    if not any(os.environ.get(name) or os.environ.get(name.upper()) for name in names):
        return None
    from urllib.request import getproxies, proxy_bypass

    address = getproxies().get(scheme) or getproxies().get("all")
    if not address or proxy_bypass(netloc.rpartition("@")[2]):
        return None
    return urlsplit(address if "://" in address else f"http://{address}")


def proxy_headers(proxy: SplitResult) -> dict[str, str]:
    """The headers that a proxy with a user in its address wants."""
    if not proxy.username:
        return {}
    secret = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
