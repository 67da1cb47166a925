"""A bare git repository as the emulator keeps it: real objects and refs, through git's plumbing.

Whatever the emulator's API writes, git clients see, and the other way round.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from promote_actions.adapters.git_process import Git
from promote_actions.rehearsal.github.objects import (
    CommitObject,
    Entry,
    FileDiff,
    Person,
    parse_commit,
    parse_diff,
    parse_person,
)

NOBODY = "0" * 40
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_SHA = re.compile(r"[0-9a-f]{40}")


class Store:
    """The bare repository in ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git = Git(directory=str(path))
        self._kinds: dict[str, str] = {}
        self._commits: dict[str, CommitObject] = {}

    # -- refs --------------------------------------------------------------------------------

    def ref(self, name: str) -> str | None:
        """The SHA that the full ref ``name`` (``refs/…``) holds, or None."""
        if ".." not in name:
            with contextlib.suppress(OSError, ValueError):
                loose = (self.path / name).read_text().strip()
                if _SHA.fullmatch(loose):
                    return loose
        for found, sha, _ in self.refs(name):
            if found == name:
                return sha
        return None

    def head(self, branch: str) -> str | None:
        """The commit of ``branch``, or None."""
        return self.ref(f"refs/heads/{branch}")

    def refs(self, prefix: str) -> list[tuple[str, str, str]]:
        """``(ref, sha, type)`` of every ref whose name begins with ``prefix``, sorted."""
        text = self.git.check("for-each-ref", "--format=%(objectname) %(objecttype) %(refname)").decode()
        rows = (line.split(" ", 2) for line in text.splitlines())
        return [(name, sha, kind) for sha, kind, name in rows if name.startswith(prefix)]

    def valid_ref(self, name: str) -> bool:
        return self.git.run("check-ref-format", name).status == 0

    def move_ref(self, name: str, new: str, old: str) -> bool:
        """Move ``name`` from ``old`` (:data:`NOBODY`: create) to ``new``; False when it was not there."""
        return self.git.run("update-ref", name, new, old).status == 0

    def delete_ref(self, name: str) -> None:
        self.git.check("update-ref", "-d", name)

    # -- reading -----------------------------------------------------------------------------

    def kind(self, sha: str) -> str:
        """``commit``, ``tree``, ``blob`` or ``tag``; empty for an object that is not there."""
        if sha not in self._kinds:
            done = self.git.run("cat-file", "-t", sha) if _SHA.fullmatch(sha) else None
            if done is None or done.status:
                return ""
            self._kinds[sha] = done.text.strip()
        return self._kinds[sha]

    def commit_of(self, name: str) -> str | None:
        """The commit that a SHA (7 or more digits), branch, tag or ``HEAD`` means, or None."""
        wanted = [f"refs/heads/{name}", f"refs/tags/{name}", f"refs/{name}"]
        if re.fullmatch(r"[0-9a-f]{7,40}|HEAD", name):
            wanted.insert(0, name)
        for candidate in wanted:
            done = self.git.run(
                "rev-parse", "--verify", "--quiet", "--end-of-options", candidate + "^{commit}"
            )
            if done.status == 0:
                return done.text.strip()
        return None

    def commit(self, sha: str) -> CommitObject:
        return self.commits([sha])[0]

    def commits(self, shas: Sequence[str]) -> list[CommitObject]:
        """The commits ``shas``, read by one process."""
        missing = [sha for sha in dict.fromkeys(shas) if sha not in self._commits]
        if missing:
            answer = self.git.check("cat-file", "--batch", stdin="\n".join([*missing, ""]).encode())
            for sha in missing:
                head, _, rest = answer.partition(b"\n")
                size = int(head.split()[-1])
                self._commits[sha] = parse_commit(sha, rest[:size].decode(errors="replace"))
                answer = rest[size + 1 :]
        return [self._commits[sha] for sha in shas]

    def tree(self, sha: str, recursive: bool = False) -> list[Entry]:
        """The entries of a tree (or of a commit's tree), folders included."""
        flags = ["-z", "-l", *(["-r", "-t"] if recursive else [])]
        rows = self.git.check("ls-tree", *flags, sha).decode(errors="surrogateescape").split("\0")
        entries = []
        for row in filter(None, rows):
            head, _, path = row.partition("\t")
            mode, kind, name, size = head.split()
            entries.append(Entry(mode, kind, name, path, int(size) if size.isdigit() else None))
        return entries

    def entry(self, commit: str, path: str) -> Entry | None:
        """What is at ``path`` in ``commit``; the root folder for an empty path."""
        if not path:
            return Entry("040000", "tree", self.commit(commit).tree, "")
        git = Git(directory=str(self.path))
        rows = (
            git.check("--literal-pathspecs", "ls-tree", "-z", "-l", commit, "--", path).decode().split("\0")
        )
        for row in filter(None, rows):
            head, _, name = row.partition("\t")
            mode, kind, sha, size = head.split()
            if name == path:
                return Entry(mode, kind, sha, name, int(size) if size.isdigit() else None)
        return None

    def blob(self, sha: str) -> bytes:
        return self.git.check("cat-file", "blob", sha)

    def tag_object(self, sha: str) -> tuple[str, str, str, Person, str]:
        """``(object sha, object type, name, tagger, message)`` of an annotated tag."""
        head, _, message = self.git.check("cat-file", "tag", sha).decode().partition("\n\n")
        fields = dict(line.split(" ", 1) for line in head.splitlines())
        return (
            fields["object"],
            fields["type"],
            fields["tag"],
            parse_person(fields["tagger"]),
            message.rstrip("\n"),
        )

    def log(self, at: str, path: str = "", limit: int = 1000, base: str = "") -> list[str]:
        """SHAs from ``at`` back, newest first; only those that touch ``path``, without ``base``."""
        arguments = ["--literal-pathspecs", "rev-list", f"--max-count={limit}", at]
        arguments += [f"^{base}"] if base else []
        arguments += ["--", path] if path else []
        return self.git.check(*arguments).decode().split()

    def is_ancestor(self, older: str, newer: str) -> bool:
        return self.git.run("merge-base", "--is-ancestor", older, newer).status == 0

    def merge_base(self, one: str, other: str) -> str | None:
        done = self.git.run("merge-base", one, other)
        return done.text.strip() if done.status == 0 else None

    def counts(self, base: str, head: str) -> tuple[int, int]:
        """How many commits ``head`` is (behind, ahead of) ``base``."""
        behind, ahead = self.git.line("rev-list", "--left-right", "--count", f"{base}...{head}").split()
        return int(behind), int(ahead)

    def diff(self, base: str, head: str) -> list[FileDiff]:
        """The files that differ between two commits, renames followed."""
        flags = ("-r", "-z", "-M", "--raw", "--numstat", "--no-abbrev")
        words = self.git.check("diff-tree", *flags, base, head).decode(errors="surrogateescape").split("\0")
        return parse_diff(words)

    # -- writing -----------------------------------------------------------------------------

    def write_blob(self, content: bytes) -> str:
        """Store a file as git's loose object; a process for each would make seeding thousands slow."""
        data = b"blob %d\0" % len(content) + content
        sha = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        target = self.path / "objects" / sha[:2] / sha[2:]
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
                file.write(zlib.compress(data, 1))
            os.chmod(file.name, 0o444)
            os.replace(file.name, target)
        return sha

    def write_tree(self, base: str, entries: Sequence[tuple[str, str, str]]) -> str | None:
        """The tree ``base`` (may be empty) with ``(mode, sha, path)`` put in; mode ``0`` removes.

        None when an entry is not acceptable to git (a path such as ``.git/x``, a missing object).
        """
        with tempfile.TemporaryDirectory() as folder:
            env = {"GIT_INDEX_FILE": os.path.join(folder, "index")}
            self.git.check("read-tree", base or "--empty", env=env)
            lines = "".join(f"{mode} {sha}\t{path}\0" for mode, sha, path in entries)
            stdin = lines.encode(errors="surrogateescape")
            done = self.git.run("update-index", "-z", "--replace", "--index-info", stdin=stdin, env=env)
            written = self.git.run("write-tree", env=env)
        if done.status or written.status:
            return None
        return written.text.strip()

    def write_commit(
        self, tree: str, parents: Sequence[str], message: str, author: Person, committer: Person
    ) -> str:
        env = {}
        for role, person in (("AUTHOR", author), ("COMMITTER", committer)):
            env[f"GIT_{role}_NAME"] = person.name
            env[f"GIT_{role}_EMAIL"] = person.email
            env[f"GIT_{role}_DATE"] = f"@{int(person.date.timestamp())} +0000"
        flags = [word for parent in parents for word in ("-p", parent)]
        return self.git.check("commit-tree", tree, *flags, stdin=message.encode(), env=env).decode().strip()

    def write_tag(self, name: str, target: str, kind: str, message: str, tagger: Person) -> str:
        stamp = f"{tagger.name} <{tagger.email}> {int(tagger.date.timestamp())} +0000"
        text = f"object {target}\ntype {kind}\ntag {name}\ntagger {stamp}\n\n{message}\n"
        return self.git.check("mktag", stdin=text.encode()).decode().strip()

    def merge_trees(self, base: str, ours: str, theirs: str) -> str | None:
        """The tree of a three-way merge of commits, or None when they conflict."""
        with tempfile.TemporaryDirectory() as folder:
            env = {"GIT_INDEX_FILE": os.path.join(folder, "index")}
            self.git.check("read-tree", "-i", "-m", "--aggressive", base, ours, theirs, env=env)
            listing = self.git.check("ls-files", "-u", "-z", env=env).decode(errors="surrogateescape")
            unmerged: dict[str, dict[str, tuple[str, str]]] = {}
            for row in filter(None, listing.split("\0")):
                head, _, path = row.partition("\t")
                mode, sha, stage = head.split()
                unmerged.setdefault(path, {})[stage] = (mode, sha)
            for path, stages in unmerged.items():
                merged = self._merge_file(folder, stages) if len(stages) == 3 else None
                if merged is None:
                    return None
                line = f"{stages['2'][0]} {merged}\t{path}\0".encode(errors="surrogateescape")
                self.git.check("update-index", "-z", "--index-info", stdin=line, env=env)
            return self.git.check("write-tree", env=env).decode().strip()

    def _merge_file(self, folder: str, stages: dict[str, tuple[str, str]]) -> str | None:
        names = []
        for stage in ("2", "1", "3"):
            name = Path(folder) / stage
            name.write_bytes(self.blob(stages[stage][1]))
            names.append(str(name))
        done = self.git.run("merge-file", "-p", *names)
        return self.write_blob(done.stdout) if done.status == 0 else None
