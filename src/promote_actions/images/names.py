"""Image names and tags as registries take them, and what is wrong with one that none takes.

Grammar: the reference grammar of the distribution project
(https://pkg.go.dev/github.com/distribution/reference): a name of at most 255 characters in lower
case, a tag of at most 128 that begins with a letter, a digit or an underscore.
"""

from __future__ import annotations

from promote_actions.errors import InputError, one_line

TAG_LIMIT = 128
NAME_LIMIT = 255

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_WORD = _LOWER | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_TAG = _WORD | frozenset(".-")


def sanitise_tag(text: str) -> str:
    """``text`` with every run of characters that no tag may hold replaced by one ``-``.

    >>> sanitise_tag("feature/Foo Bar#1")
    'feature-Foo-Bar-1'
    """
    kept: list[str] = []
    replaced = False
    for char in text:
        if char in _TAG:
            kept.append(char)
            replaced = False
        elif not replaced:
            kept.append("-")
            replaced = True
    return "".join(kept)


def tag_fault(tag: str) -> str:
    """What is wrong with ``tag``, as the end of a sentence, or an empty string."""
    if not tag:
        return "which is empty"
    if tag[0] not in _WORD:
        return f"which starts with '{tag[0]}'"
    if len(tag) > TAG_LIMIT:
        return f"which has {len(tag)} characters"
    if any(char not in _TAG for char in tag):
        return "which holds characters that no tag may hold"
    return ""


def check_tag(tag: str, rule: str) -> str:
    """``tag`` itself; raises :class:`InputError` that names ``rule`` when no registry takes it."""
    fault = tag_fault(tag)
    if fault:
        shown = tag if len(tag) <= 40 else tag[:37] + "..."
        raise InputError(
            f"the rule '{one_line(rule[:120])}' makes the tag '{one_line(shown)}', {fault}",
            hint=f"a tag is 1 to {TAG_LIMIT} of A-Z a-z 0-9 _ . - and starts with none of . and -",
        )
    return tag


def check_image(name: str) -> str:
    """The image name in lower case; raises :class:`InputError` when it is no image name.

    A name may begin with a registry (``ghcr.io``, ``localhost:5000``, ``[::1]:5000``) and holds
    neither a tag nor a digest.
    """
    lowered = name.strip().lower()
    fault = _image_fault(lowered)
    if fault:
        raise InputError(
            f"the image '{one_line(name[:100])}' {fault}",
            hint="write it as name/app or registry.example.com:5000/name/app",
        )
    return lowered


def _image_fault(name: str) -> str:
    head, slash, rest = name.partition("/")
    registry = bool(slash) and (":" in head or "." in head or head == "localhost")
    path = rest if registry else name
    broken = [part for part in path.split("/") if not _is_path_component(part)]
    faults = (
        (not name, "has no name"),
        (len(name) > NAME_LIMIT, f"has {len(name)} characters, of which {NAME_LIMIT} are allowed"),
        ("@" in name, "carries a digest"),
        (registry and not _is_registry(head), "has a malformed registry in front"),
        (":" in path, "carries a tag, or a scheme such as https:"),
        (bool(broken), f"has the malformed part '{one_line(broken[0][:60]) if broken else ''}'"),
    )
    return next((fault for wrong, fault in faults if wrong), "")


def _is_registry(text: str) -> bool:
    host, colon, port = text.partition(":")
    if text.startswith("["):
        host, bracket, after = text[1:].partition("]")
        if not bracket or not host or any(c not in "0123456789abcdef:" for c in host):
            return False
        return not after or (after.startswith(":") and _is_port(after[1:]))
    labels = host.split(".")
    good = all(
        label and set(label) <= _LOWER | {"-"} and label[0] != "-" and label[-1] != "-" for label in labels
    )
    return good and (not colon or _is_port(port))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def _is_path_component(part: str) -> bool:
    """Letters and digits, parted by one period, one or two underscores, or any number of dashes."""
    separator = ""
    if not part or part[0] not in _LOWER or part[-1] not in _LOWER:
        return False
    for char in part:
        if char in _LOWER:
            if separator not in ("", ".", "_", "__") and set(separator) != {"-"}:
                return False
            separator = ""
        elif char in "._-":
            separator += char
        else:
            return False
    return True
