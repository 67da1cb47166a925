"""Finding where the version tags of a git repository are reserved, from a path or a URL.

- A bare repository, or a checkout without a remote: in it.
- A checkout with a remote (``origin``, or the only one): at the remote, where everybody sees them.
- A URL: there.

A repository on this machine is asked and written directly (:mod:`~promote_actions.adapters.local_tags`),
unless it has server hooks, which only a push runs; any other by ``ls-remote`` and ``push``
(:mod:`~promote_actions.adapters.remote_tags`). Nothing needs a clone, or a checkout's history.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from promote_actions.adapters.git_process import Git, without_credentials
from promote_actions.adapters.local_tags import LocalTags
from promote_actions.errors import InputError, one_line
from promote_actions.versions.allocate import Place, TagStore

_SHA = r"[0-9a-fA-F]{7,40}|[0-9a-fA-F]{64}"
_SCHEME = r"(https?|ssh|file)://([^/]*)(/.*)?"
_SCP = r"[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^-].*"
_COMMAND = "[A-Za-z0-9+.-]+::"
_SERVER_HOOKS = ("pre-receive", "update", "proc-receive", "post-receive", "post-update")
_WHERE = "give owner/name, the path of a git repository, or an https, http, ssh, file or git@host:path URL"


@dataclass(frozen=True)
class _Folder:
    """What git says of the folder of a repository."""

    git: Git
    bare: bool
    common_dir: str
    hooks: str
    commit: str

    @property
    def has_server_hooks(self) -> bool:
        return any(os.access(os.path.join(self.hooks, name), os.X_OK) for name in _SERVER_HOOKS)

    def store(self) -> TagStore:
        if self.has_server_hooks:
            return _remote_store(self.git, self.git.directory)
        return LocalTags(self.git, self.common_dir)


def open_tags(repo: str, sha: str, token: str = "") -> Place:
    """The tags of ``repo`` (a path or URL) and the commit that ``sha`` (empty: its HEAD) means there.

    Raises :class:`InputError` for what is neither, for a commit that isn't there, and for anything that
    git would take for an option or a command.
    """
    sha = _checked_sha(sha)
    if repo.startswith("-") or ("::" in repo and re.match(_COMMAND, repo)) or repo != one_line(repo):
        raise InputError(f"'{repo[:80]}' is not a repository that can be asked", hint=_WHERE)
    address = re.fullmatch(_SCHEME, repo) if "://" in repo else None
    if address and address[1] == "file" and address[2] in ("", "localhost"):
        return _at_path(address[3] or "/", sha, token)
    if address or ("@" in repo and re.fullmatch(_SCP, repo)):
        return _at_url(repo, sha, token)
    if "://" in repo:
        raise InputError(f"'{without_credentials(repo)[:80]}' is no URL for this", hint=_WHERE)
    return _at_path(os.path.expanduser(repo), sha, token)


def _checked_sha(sha: str) -> str:
    if sha not in ("", "HEAD") and not re.fullmatch(_SHA, sha):
        raise InputError(
            f"sha '{sha[:60]}' is not a commit's SHA", hint="give 7 to 40 hexadecimal digits, or HEAD"
        )
    return "HEAD" if sha in ("", "HEAD") else sha.lower()


def _at_path(path: str, sha: str, token: str) -> Place:
    folder = _inspect(path, sha)
    remote = "" if folder.bare else _remote_of(folder.git)
    if not remote:
        if not folder.commit:
            raise _no_commit(sha, folder.git.display)
        return Place(folder.store(), folder.commit)
    url = folder.git.line("remote", "get-url", "--push", "--", remote)
    there = _local_target(url, folder, sha)
    if there and there.commit:
        return Place(there.store(), there.commit)
    if not folder.commit:
        raise _no_commit(sha, folder.git.display)
    git = Git(folder.git.directory, url, _token_for(folder.git, url, token))
    return Place(_remote_store(git, remote), folder.commit, web_url(url))


def _at_url(url: str, sha: str, token: str) -> Place:
    address = re.fullmatch(_SCHEME, url)
    if address and (address[2].rpartition("@")[2].startswith("-") or not address[2]):
        raise InputError(f"'{url[:80]}' names no host", hint=_WHERE)
    if without_credentials(url) != url and address and ":" in address[2].rpartition("@")[0]:
        raise InputError(
            f"the URL of {without_credentials(url)[:80]} holds a password",
            hint="pass it with --token instead",
        )
    url = Git().line("ls-remote", "--get-url", "--", url)  # as the user's insteadOf has it
    if re.match(_COMMAND, url):
        raise InputError("git's insteadOf makes a command of this URL", hint=_WHERE)
    git = Git(".", url, token)
    if sha == "HEAD":
        sha = git.check("ls-remote", "--", url, "HEAD").decode().partition("\t")[0]
        if not sha:
            raise InputError(f"{git.display} has no HEAD commit", hint="pass --sha")
    elif len(sha) not in (40, 64):
        found = git.run("rev-parse", "--verify", "--quiet", f"{sha}^{{commit}}")
        if found.status:
            raise InputError(f"sha '{sha}' is abbreviated", hint=f"give all 40 digits for {git.display}")
        sha = found.text.strip()
    return Place(_remote_store(git, url), sha, web_url(url))


def _inspect(path: str, sha: str) -> _Folder:
    git = Git(os.path.abspath(path))
    asked = ("--is-bare-repository", "--path-format=absolute", "--git-common-dir", "--git-path", "hooks")
    done = git.run("rev-parse", *asked, f"{sha}^{{commit}}")
    lines = done.text.splitlines()
    if len(lines) < 3:
        reason = (
            git.failure(["rev-parse"], done.stderr).message if os.path.isdir(path) else "no such folder"
        )
        raise InputError(f"'{path[:200]}' is not a git repository ({reason})", hint=_WHERE)
    return _Folder(git, lines[0] == "true", lines[1], lines[2], "" if done.status else lines[3])


def _remote_store(git: Git, remote: str) -> TagStore:
    from promote_actions.adapters.remote_tags import RemoteTags

    by_git = RemoteTags(git, remote)
    if not git.url.startswith(("http://", "https://")):
        return by_git
    from promote_actions.adapters.git_http import http_tags

    return http_tags(git.url, by_git) or by_git


def _remote_of(git: Git) -> str:
    """``origin``, or the only remote; empty when there is none."""
    remotes = git.check("remote").decode(errors="surrogateescape").split()
    if "origin" in remotes or len(remotes) < 2:
        return "origin" if "origin" in remotes else "".join(remotes)
    raise InputError(
        f"{git.display} has several remotes and none is called origin",
        hint="pass the URL of the one where versions are reserved with --repo",
    )


def _local_target(url: str, folder: _Folder, sha: str) -> _Folder | None:
    """The repository behind a remote's URL, when it is on this machine and can be used directly."""
    if re.match(_COMMAND, url):
        raise InputError(f"the remote of {folder.git.display} is a command, not a repository", hint=_WHERE)
    path = url.removeprefix("file://")
    if "://" in path or (":" in path.partition("/")[0]) or not path:
        return None
    top = folder.git.line("rev-parse", "--show-toplevel")
    return _inspect(os.path.join(top, os.path.expanduser(path)), folder.commit or sha)


def _token_for(git: Git, url: str, token: str) -> str:
    """``token``, unless the checkout has credentials of its own: two of them are refused by GitHub."""
    if not token or not url.startswith("http"):
        return ""
    own = git.run("config", "--get-urlmatch", "http.extraHeader", without_credentials(url))
    return "" if own.status == 0 or without_credentials(url) != url else token


def web_url(url: str) -> str:
    """The page of the repository at ``url`` (https, or ``git@host:path``); empty for other URLs."""
    found = re.fullmatch(r"(?:https://(?:[^/@]+@)?([^/]+)/|git@([^/:]+):)([^:]+?)(?:\.git)?/?", url)
    return f"https://{found[1] or found[2]}/{found[3]}" if found else ""


def _no_commit(sha: str, where: str) -> InputError:
    if sha == "HEAD":
        return InputError(f"{where} has no commit yet", hint="commit something, or pass --sha")
    return InputError(
        f"commit {sha[:40]} is not in {where}",
        hint="pass --sha with a commit of that repository, or --repo",
    )
