"""The shape of the repository: what may import what, and what no file may hold."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "promote_actions"

TALKING = frozenset(
    {
        "aiohttp",
        "ftplib",
        "github",
        "http",
        "httpx",
        "requests",
        "smtplib",
        "socket",
        "socketserver",
        "subprocess",
    }
    | {"urllib.request", "urllib3"}
)
"""Modules by which a program reaches something outside of itself."""

SHELL_FOLDERS = ("adapters", "rehearsal")
"""Rooms whose work is to talk. Elsewhere only a command.py may, and the modules below, for a reason."""

ADAPTERS = "promote_actions.adapters."

SHELL_MODULES = {
    "promotion/digests.py": "asks the registry for the digests that a plan needs",
}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def name_of(module: Path) -> str:
    return module.relative_to(SOURCE).as_posix()


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that the tree imports, anywhere in it: ``from a import b`` gives ``a`` and ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def talks(name: str) -> bool:
    return any(name == each or name.startswith(each + ".") for each in TALKING)


def may_talk(module: Path) -> bool:
    name = name_of(module)
    return name.split("/")[0] in SHELL_FOLDERS or module.name == "command.py" or name in SHELL_MODULES


def tracked() -> list[str]:
    """Path and mode of every tracked file, as ``mode path``; skips where this is no git checkout."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-s", "-z"], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout, so tracked files are unknown")
    return [f"{entry.split()[0]} {entry.split(chr(9))[1]}" for entry in listed.stdout.split("\0") if entry]


@pytest.mark.parametrize("module", [each for each in modules() if not may_talk(each)], ids=name_of)
def test_a_module_that_decides_does_not_talk(module: Path) -> None:
    """Deciding code imports nothing that reaches outside: no HTTP, no processes, no sockets."""
    found = sorted(set(filter(talks, imported(ast.parse(module.read_text(encoding="utf-8"))))))
    assert found == []


@pytest.mark.parametrize("module", [each for each in modules() if not may_talk(each)], ids=name_of)
def test_a_module_that_decides_takes_its_adapters_as_arguments(module: Path) -> None:
    """Deciding code doesn't import adapters that talk; their interfaces and data it may."""
    interfaces = {"promote_actions.adapters.forge", "promote_actions.adapters.gitops"}
    names = set(imported(ast.parse(module.read_text(encoding="utf-8"))))
    adapters = {
        ".".join(name.split(".")[:3]) for name in names if name.startswith("promote_actions.adapters.")
    }
    assert adapters - interfaces == set()


def test_the_exceptions_exist() -> None:
    """A module that is excused and is gone leaves the list."""
    assert [name for name in SHELL_MODULES if not (SOURCE / name).is_file()] == []


@pytest.mark.parametrize("module", modules(), ids=name_of)
def test_a_module_is_short(module: Path) -> None:
    """A module has one subject: 300 lines are enough for it."""
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("module", modules(), ids=name_of)
def test_a_function_fits_on_a_screen(module: Path) -> None:
    """A function of more than 60 lines does more than one thing."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    functions = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= 60] == []


@pytest.mark.parametrize("module", modules(), ids=name_of)
def test_public_names_are_documented(module: Path) -> None:
    """Every module, and every public function and class at its top, says what it is for.

    An emulator's handlers are documented by the API that they play.
    """
    tree = ast.parse(module.read_text(encoding="utf-8"))
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    silent = [node.name for node in public if not ast.get_docstring(node)]
    assert silent == [] or name_of(module).startswith("rehearsal/")
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("package", ["versions", "images"])
def test_bare_commands_import_the_standard_library_alone(package: str) -> None:
    """`calver` and `docker-tags` run with nothing installed."""
    installed = {"click", "github", "jsonschema", "referencing", "requests", "ruamel", "yaml"}
    for module in (SOURCE / package).glob("*.py"):
        roots = {name.split(".")[0] for name in imported(ast.parse(module.read_text(encoding="utf-8")))}
        assert roots & installed == set(), module.name


def test_there_are_no_symbolic_links() -> None:
    """A runner stages actions from archives, and a link in one breaks the download."""
    assert [entry for entry in tracked() if entry.startswith("120000")] == []


def test_scripts_can_be_started() -> None:
    """What is run by its path keeps its executable bit in git."""
    modes = {path: mode for mode, _, path in (entry.partition(" ") for entry in tracked())}
    assert {path: modes.get(path) for path in ("bin/promote-actions", ".ci/run")} == {
        "bin/promote-actions": "100755",
        ".ci/run": "100755",
    }


def test_no_file_names_somebodys_machine() -> None:
    """Paths of the machine where a file was written mean nothing elsewhere."""
    machine = re.compile(rb"(?:^|[^A-Za-z0-9_.-])/(?:work|farm|root|home/[a-z]+)/")
    found = []
    for entry in tracked():
        path = ROOT / entry.partition(" ")[2]
        if path.is_file() and machine.search(path.read_bytes()):
            found.append(str(path.relative_to(ROOT)))
    assert found == []
