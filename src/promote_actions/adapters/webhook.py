"""Telling people: a POST to a Slack incoming webhook, and to any other webhook.

A chat that is down must never fail a promotion or a rollback, so nothing here raises: what could not be
told is a warning. The address of a webhook is a secret (whoever has it can post), so it is masked, and no
message names more of it than its host. Redirects are not followed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from promote_actions.errors import InputError, PromoteError, one_line
from promote_actions.runner import Runner

if TYPE_CHECKING:
    from promote_actions.notify.event import Event

DEADLINE = 5.0
"""Seconds that one chat may take, over the whole exchange."""

SECRET_LENGTH = 16
"""Characters from which on a part of an address is taken for a secret; ``/webhook`` is a word."""

SAID = 120
"""Characters of a refusal that are shown; Slack answers with one word such as ``no_service``."""


def notify(event: Event, runner: Runner, slack_webhook: str = "", webhook: str = "") -> None:
    """Tell of ``event`` where an address is given: Slack gets a message, the other one plain JSON.

    Never raises for what the addresses or the network do.
    """
    if not slack_webhook and not webhook:
        return
    from promote_actions.notify.document import document
    from promote_actions.notify.slack import message

    for name, url, made in (("Slack", slack_webhook, message), ("the webhook", webhook, document)):
        if not url:
            continue
        hide(url, runner)
        problem = post(url, made(event))
        if problem:
            runner.warning(f"{name} was not told: {problem}")


class Addresses(Protocol):
    """The inputs of a command that tells people."""

    @property
    def slack_webhook(self) -> str:
        """A Slack incoming webhook, or empty."""

    @property
    def webhook(self) -> str:
        """Any other webhook, or empty."""


def tell(event: Event | None, runner: Runner, to: Addresses, slack: bool) -> None:
    """Tell of ``event``, if there is one; without ``slack`` (the configuration's word) not in Slack."""
    if event is not None:
        notify(event, runner, to.slack_webhook if slack else "", to.webhook)


def hide(url: str, runner: Runner) -> None:
    """Mask the address, and those parts of it that are long enough to be its secret."""
    from urllib.parse import urlsplit

    runner.mask(url)
    try:
        parts = urlsplit(url)
        pieces = [parts.path.strip("/"), parts.query, parts.password or "", *parts.path.split("/")]
    except ValueError:
        return
    for piece in pieces:
        if len(piece) >= SECRET_LENGTH:
            runner.mask(piece)


def post(url: str, body: Mapping[str, Any]) -> str:
    """POST ``body`` as JSON; an empty text when it was taken, else why not, without the address."""
    from promote_actions.adapters.http_client import HttpClient, shown

    client = HttpClient("the chat", timeout=DEADLINE, redirects=0, limit=65536)
    try:
        answer = client.request(
            "POST", url, {"Content-Type": "application/json"}, json.dumps(body).encode()
        )
    except InputError:
        return "its address is not one of http or https"
    except PromoteError as error:
        return error.message.replace(shown(url), _host(url))
    if 200 <= answer.status < 300:
        return ""
    if 300 <= answer.status < 400:
        return f"{_host(url)} redirects elsewhere ({answer.status}), which is not followed"
    said = one_line(answer.text.strip()[:SAID])
    return f"{_host(url)} answered {answer.status}" + (f" ({said})" if said else "")


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname or "it"
