"""Strangers' texts in HTML and Markdown: they appear as text, whatever is in them. Pure."""

from __future__ import annotations

import html
import re

from promote_actions.matrix.words import clean

_AUTOLINK = re.compile(r"(://|@|\bwww\.)", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s<>\"'`\\]{1,2000}", re.IGNORECASE)


def escape(text: str, limit: int = 200) -> str:
    """``text`` for HTML, in an element or in a quoted attribute."""
    return html.escape(clean(text, limit), quote=True)


def safe_url(url: str) -> str:
    """``url`` when it is one of http or https, else an empty string: nothing else becomes a link."""
    return url if _URL.fullmatch(url) else ""


def link(url: str, inner: str, more: str = "") -> str:
    """``inner`` (HTML) as a link when ``url`` may be one, else as it is; ``more`` are attributes."""
    address = safe_url(url)
    if not address:
        return inner
    return f'<a href="{html.escape(address, quote=True)}" rel="noopener noreferrer"{more}>{inner}</a>'


def markdown(text: str, limit: int = 200) -> str:
    """``text`` inside Markdown, a table's cell too: no markup, no HTML, no mention, no link of its own."""
    plain = html.escape(clean(text, limit), quote=False)
    plain = _AUTOLINK.sub(lambda found: "".join(f"&#{ord(char)};" for char in found[1]), plain)
    return re.sub(r"(?<!&)(#)|([\\`*_{}\[\]()+!|~])", lambda found: f"\\{found[0]}", plain)


def code(text: str) -> str:
    """``text`` as code in Markdown; a code span of backticks could be closed by its content."""
    return f"<code>{markdown(text)}</code>"


def markdown_link(url: str, inner: str) -> str:
    """A Markdown link when ``url`` may be one; ``inner`` is Markdown already."""
    address = safe_url(url)
    if not address:
        return inner
    target = address.replace("(", "%28").replace(")", "%29").replace("|", "%7C")
    return f"[{inner}]({target})"
