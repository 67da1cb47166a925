"""An event as a Slack message: Block Kit, and a plain line for notifications. Pure.

Formats and limits: Slack's reference of text objects and blocks (docs.slack.dev/reference/block-kit), its
page on escaping text (``&``, ``<`` and ``>`` only), and of incoming webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from promote_actions.errors import one_line
from promote_actions.notify.event import Event, headline, shown

TEXT_LIMIT = 3000
FIELD_LIMIT = 2000
"""Characters that Slack takes in a section's text and in one of its fields, after escaping."""

_SHOUTED = re.compile(r"@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)


def message(event: Event) -> dict[str, Any]:
    """The body of a request to an incoming webhook.

    ``verbatim`` keeps Slack from looking for names and addresses in the texts of strangers; what could be
    a mention or a link is escaped, and what would call a whole channel is broken up as well.
    """
    title = escape(headline(event))
    blocks: list[dict[str, Any]] = [{"type": "section", "text": _mrkdwn(f"*{_bold(title)}*", TEXT_LIMIT)}]
    blocks.append({"type": "section", "fields": [_field(name, value) for name, value in _facts(event)]})
    blocks += [{"type": "section", "text": _plain(said)} for said in _sentences(event)]
    links = " · ".join(link(text, url) for text, url in event.links.items() if link(text, url))
    if links:
        blocks.append({"type": "context", "elements": [_mrkdwn(links, TEXT_LIMIT)]})
    return {"text": cut(title, TEXT_LIMIT), "blocks": blocks}


def _facts(event: Event) -> Iterator[tuple[str, str]]:
    """The fields, at most ten as Slack has it."""
    yield "Service", event.service
    yield "Environment", shown(event.environment)
    if event.version:
        yield "Version", event.version
    if event.previous:
        yield "Before", event.previous
    if event.source:
        yield "From", shown(event.source)
    if event.method:
        yield "Method", event.method
    yield "By", event.actor or "automation"


def _sentences(event: Event) -> Iterator[str]:
    if event.reason:
        yield f"Why: {event.reason}"
    yield from [note for note in event.notes if note][:5]


def _field(name: str, value: str) -> dict[str, Any]:
    return _mrkdwn(f"*{name}*\n{escape(value)}", FIELD_LIMIT)


def _mrkdwn(text: str, limit: int) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": cut(text, limit), "verbatim": True}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": cut(_quiet(one_line(text)), TEXT_LIMIT), "emoji": False}


def _bold(text: str) -> str:
    """Within asterisks another one would end the bold text."""
    return text.replace("*", "∗")


def link(text: str, url: str) -> str:
    """A link in mrkdwn, or an empty string when ``url`` is no web address that can stand in one."""
    if not re.fullmatch(r"https?://[^\s<>|]{1,1500}", url):
        return ""
    return f"<{url.replace('&', '&amp;')}|{escape(text)}>"


def escape(text: str) -> str:
    """``text`` on one line, in which nothing is a mention, a link or a command to Slack."""
    safe = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _quiet(safe).replace("`", "'")


def _quiet(text: str) -> str:
    """``@channel`` and its like with a joiner after the sign, so that nobody is called."""
    return _SHOUTED.sub("@\u2060", text)


def cut(text: str, limit: int) -> str:
    """``text`` within Slack's limit; an entity is not cut in two."""
    if len(text) <= limit:
        return text
    return re.sub(r"&[a-z]{0,3}$", "", text[: limit - 1]) + "…"
