"""Faults on demand: what a network and a busy service do to a client."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime

KINDS = ("rate", "abuse", "reset", "timeout", "truncated")


@dataclass
class Fault:
    """Spoils requests that match ``method`` (``*``: any) and ``path`` (a regular expression, searched).

    ``kind`` is a status such as ``502``, with ``body`` if that is given; ``rate`` (403, primary limit used
    up), ``abuse`` (403, secondary limit with ``Retry-After``), ``reset`` (the connection breaks),
    ``timeout`` (no answer) or ``truncated`` (the body ends too early). The first ``after`` matches pass;
    then ``times`` matches are spoiled (-1: all). With ``applied`` the request is carried out and only its
    answer is lost; ``truncated`` always is. ``hits`` counts what was spoiled.
    """

    method: str
    path: str
    kind: str
    times: int = 1
    after: int = 0
    applied: bool = False
    retry_after: int = 1
    body: str | None = None
    hits: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS and not re.fullmatch(r"[2-5]\d\d", self.kind):
            raise ValueError(f"unknown kind of fault {self.kind!r}: use a status or one of {KINDS}")
        self.applied = self.applied or self.kind == "truncated"

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request is spoiled; counts it when it is."""
        if self.method not in ("*", method) or not re.search(self.path, path):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if 0 <= self.times <= self.hits:
            return False
        self.hits += 1
        return True


def refusal(fault: Fault, now: datetime) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer that ``fault`` puts in the place of the real one."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if fault.kind == "rate":
        reset = str(int(now.timestamp()) + fault.retry_after)
        headers |= {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        return 403, headers, json.dumps({"message": "API rate limit exceeded for user ID 1."}).encode()
    if fault.kind == "abuse":
        message = (
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        )
        headers["Retry-After"] = str(fault.retry_after)
        return 403, headers, json.dumps({"message": message}).encode()
    status = int(fault.kind)
    if fault.body is not None:
        return status, headers, fault.body.encode()
    if status >= 500:
        return status, {"Content-Type": "text/html"}, b"<html><body>Unicorn!</body></html>"
    return status, headers, json.dumps({"message": "Server Error"}).encode()
