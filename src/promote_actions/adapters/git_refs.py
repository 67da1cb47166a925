"""Version tags in any git repository, by path or URL, through git itself.

Where tags are reserved:

- a bare repository, or a checkout without a remote: in it;
- a checkout with a remote (``origin``): at the remote, where everybody sees them;
- a URL: there.

A repository on this machine is asked and written directly (``git update-ref``), unless it has server
hooks, which only a push runs. Everything else is ``git ls-remote`` and ``git push`` without force: the
server creates a tag only if there is none of that name. What a failed push means is never read from its
words, because two simultaneous pushes are rejected in several ways: the caller looks again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from promote_actions.adapters.git_process import Git, without_credentials
from promote_actions.adapters.local_tags import read_tags
from promote_actions.adapters.turns import turn
from promote_actions.errors import DependencyError, InputError, PromoteError, one_line

_SHA = re.compile(r"HEAD|[0-9a-fA-F]{7,40}|[0-9a-fA-F]{64}")
_FULL_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SCHEME = re.compile(r"(https?|ssh|file)://([^/]*)(/.*)?")
_SCP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^-].*")
_SERVER_HOOKS = ("pre-receive", "update", "proc-receive", "post-receive", "post-update")
_WHERE = "give owner/name, the path of a git repository, or an https, http, ssh, file or git@host:path URL"


@dataclass(frozen=True)
class LocalTags:
    """Tags of the repository on this machine that ``git`` runs in; ``common_dir`` is its folder."""

    git: Git
    common_dir: str

    def tags(self, prefixes: Sequence[str]) -> Mapping[str, str]:
        return read_tags(self.git, self.common_dir, prefixes)

    def turn(self) -> AbstractContextManager[None]:
        return turn(folder=self.common_dir)

    def create(self, names: Sequence[str], commit: str) -> PromoteError | None:
        orders = "".join(f"create refs/tags/{name} {commit}\n" for name in names)
        done = self.git.run("update-ref", "--stdin", stdin=orders.encode())
        return self.git.failure(["update-ref"], done.stderr) if done.status else None


@dataclass(frozen=True)
class RemoteTags:
    """Tags of the repository that git calls ``remote`` (a URL, or the name of a remote of ``git``).

    ``git`` runs in a repository that may hold the commits to be tagged; a commit that it doesn't hold
    is fetched by itself into a temporary one.
    """

    git: Git
    remote: str

    def tags(self, prefixes: Sequence[str]) -> Mapping[str, str]:
        patterns = [f"refs/tags/{prefix}*" for prefix in prefixes]
        listed = self.git.check("ls-remote", "--tags", "--", self.remote, *patterns)
        tags: dict[str, str] = {}
        for line in listed.decode(errors="surrogateescape").splitlines():
            sha, _, ref = line.partition("\t")
            # The peeled value of an annotated tag comes after the tag's own.
            name = ref.removeprefix("refs/tags/").removesuffix("^{}")
            if name.startswith(tuple(prefixes)):
                tags[name] = sha
        return tags

    def turn(self) -> AbstractContextManager[None]:
        return turn(key=self.git.url or self.git.directory)

    def create(self, names: Sequence[str], commit: str) -> PromoteError | None:
        if not self.git.run("cat-file", "-e", f"{commit}^{{commit}}").status:
            return self._push(self.git, names, commit)
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="promote-actions-") as folder:
            git = Git(folder, self.git.url, self.git.token)
            git.check("init", "--quiet", "--bare", ".")
            fetched = git.run("fetch", "--quiet", "--no-tags", "--depth=1", "--", self.remote, commit)
            if fetched.status:
                return self._unfetched(fetched.stderr, commit)
            return self._push(git, names, commit)

    def _push(self, git: Git, names: Sequence[str], commit: str) -> PromoteError | None:
        """Push the tags. In a shallow clone git first asks what the server has: else it sends it all."""
        shallow = git.line("rev-parse", "--is-shallow-repository") == "true"
        done = git.run(
            *("-c", f"push.negotiate={'true' if shallow else 'false'}", "push", "--porcelain"),
            *("--no-verify", "--no-follow-tags", "--recurse-submodules=no"),
            *(["--atomic"] if len(names) > 1 else []),
            *("--", self.remote, *(f"{commit}:refs/tags/{name}" for name in names)),
        )
        return self._declined(done.text, done.stderr, names[-1]) if done.status else None

    def _declined(self, report: str, stderr: str, name: str) -> PromoteError:
        reasons = [line.split("\t")[-1] for line in report.splitlines() if line.startswith("!")]
        if not reasons:
            return self.git.failure(["push"], stderr)
        said = [line for line in stderr.splitlines() if line.startswith("remote: ")]
        words = one_line(" ".join([reasons[0], *said])).replace(self.git.token or "\0", "***")
        return InputError(
            f"{self.git.display} refuses tag {name}: {without_credentials(words)[:300]}",
            hint="allow this account to create version tags there (protected tags, hooks, write access)",
        )

    def _unfetched(self, stderr: str, commit: str) -> PromoteError:
        failure = self.git.failure(["fetch"], stderr)
        if isinstance(failure, InputError):
            return failure
        return DependencyError(failure.message, hint=f"run in a checkout that holds commit {commit[:12]}")


@dataclass(frozen=True)
class GitTags:
    """Where tags are reserved, and the full SHA of the commit that asks. ``web_url`` may be empty."""

    store: LocalTags | RemoteTags
    commit: str
    web_url: str = ""


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

    def store(self) -> LocalTags | RemoteTags:
        if self.has_server_hooks:
            return RemoteTags(self.git, self.git.directory)
        return LocalTags(self.git, self.common_dir)


def open_tags(repo: str, sha: str, token: str = "") -> GitTags:
    """The tags of ``repo`` (a path or URL) and the commit that ``sha`` (empty: its HEAD) means there.

    Raises :class:`InputError` for what is neither, for a commit that isn't there, and for anything that
    git would take for an option or a command.
    """
    sha = _checked_sha(sha)
    if re.match(r"-|[A-Za-z0-9+.-]+::", repo) or repo != one_line(repo):
        raise InputError(f"'{repo[:80]}' is not a repository that can be asked", hint=_WHERE)
    address = _SCHEME.fullmatch(repo)
    if address and address[1] == "file" and address[2] in ("", "localhost"):
        return _at_path(address[3] or "/", sha, token)
    if address or _SCP.fullmatch(repo):
        return _at_url(repo, sha, token)
    if "://" in repo:
        raise InputError(f"'{without_credentials(repo)[:80]}' is no URL for this", hint=_WHERE)
    return _at_path(os.path.expanduser(repo), sha, token)


def _checked_sha(sha: str) -> str:
    if sha and not _SHA.fullmatch(sha):
        raise InputError(
            f"sha '{sha[:60]}' is not a commit's SHA", hint="give 7 to 40 hexadecimal digits, or HEAD"
        )
    return "HEAD" if sha in ("", "HEAD") else sha.lower()


def _at_path(path: str, sha: str, token: str) -> GitTags:
    folder = _inspect(path, sha)
    remote = "" if folder.bare else _remote_of(folder.git)
    if not remote:
        if not folder.commit:
            raise _no_commit(sha, folder.git.display)
        return GitTags(folder.store(), folder.commit)
    url = folder.git.line("remote", "get-url", "--push", "--", remote)
    there = _local_target(url, folder, sha)
    if there and there.commit:
        return GitTags(there.store(), there.commit)
    if not folder.commit:
        raise _no_commit(sha, folder.git.display)
    git = Git(folder.git.directory, url, _token_for(folder.git, url, token))
    return GitTags(RemoteTags(git, remote), folder.commit, web_url(url))


def _at_url(url: str, sha: str, token: str) -> GitTags:
    address = _SCHEME.fullmatch(url)
    if address and (address[2].rpartition("@")[2].startswith("-") or not address[2]):
        raise InputError(f"'{url[:80]}' names no host", hint=_WHERE)
    if without_credentials(url) != url and address and ":" in address[2].rpartition("@")[0]:
        raise InputError(
            f"the URL of {without_credentials(url)[:80]} holds a password",
            hint="pass it with --token instead",
        )
    git = Git(".", url, token)
    if sha == "HEAD":
        sha = git.check("ls-remote", "--", url, "HEAD").decode().partition("\t")[0]
        if not sha:
            raise InputError(f"{git.display} has no HEAD commit", hint="pass --sha")
    elif not _FULL_SHA.fullmatch(sha):
        found = git.run("rev-parse", "--verify", "--quiet", f"{sha}^{{commit}}")
        if found.status:
            raise InputError(f"sha '{sha}' is abbreviated", hint=f"give all 40 digits for {git.display}")
        sha = found.text.strip()
    return GitTags(RemoteTags(git, url), sha, web_url(url))


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
    commit = lines[3] if not done.status and _FULL_SHA.fullmatch(lines[3]) else ""
    return _Folder(git, lines[0] == "true", lines[1], lines[2], commit)


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
    if re.match(r"[A-Za-z0-9+.-]+::", url):
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
    """The page of the repository at ``url``, or an empty string when it isn't an https URL."""
    found = re.fullmatch(r"https://(?:[^/@]+@)?([^/]+(?:/[^/]+)+?)(?:\.git)?/?", url)
    return f"https://{found[1]}" if found else ""


def _no_commit(sha: str, where: str) -> InputError:
    if sha == "HEAD":
        return InputError(f"{where} has no commit yet", hint="commit something, or pass --sha")
    return InputError(
        f"commit {sha[:40]} is not in {where}",
        hint="pass --sha with a commit of that repository, or --repo",
    )
