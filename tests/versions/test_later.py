"""How a short command starts and ends: without inspect, and without taking Python apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.versions.tagged import SOURCE, bare, isolated

USE = """
import sys
sys.path.insert(0, sys.argv[1])
import promote_actions.__main__
import dataclasses
assert 'dis' not in sys.modules, 'loaded too early'
import inspect as first
{use}
assert 'dis' in sys.modules, 'not loaded when used'
import inspect as second
assert second.signature is first.signature
assert second.__file__.endswith('inspect.py')
assert inspect_is_real(second)
"""

CHECK = """
import sys
def inspect_is_real(module):
    return type(module) is type(sys) and sys.modules['inspect'] is module
"""


def run(use: str) -> str:
    code = CHECK + USE.format(use=use)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(SOURCE)], capture_output=True, text=True, check=False
    )
    return done.stderr


def test_using_the_stand_in_brings_the_real_module() -> None:
    """An attribute of the stand-in is the real module's, which then takes its place."""
    assert run("assert first.signature(run_it) if (run_it := (lambda a: a)) else None") == ""


def test_importing_a_name_brings_the_real_module() -> None:
    """``from inspect import …`` works as ever."""
    assert run("from inspect import getdoc; assert getdoc(len)") == ""


def test_a_dataclass_without_docstring_gets_its_signature() -> None:
    """The one use that dataclasses has for inspect still works."""
    assert run("assert dataclasses.make_dataclass('C', [('x', int)]).__doc__ == 'C(x: int)'") == ""


def test_annotations_are_those_of_inspect() -> None:
    """What the stand-in answers itself is what the real module answers, for classes and for the rest."""
    use = """
class Base: a: int
class Child(Base): b: "str" = "x"
class Bare(Base): pass
def function(c: int) -> None: pass
stand_in = [first.get_annotations(each) for each in (Base, Child, Bare, function)]
evaluated = first.get_annotations(Child, eval_str=True)
import inspect as real
assert stand_in == [real.get_annotations(each) for each in (Base, Child, Bare, function)]
assert evaluated == {'b': str}
"""
    assert run(use) == ""


def test_a_name_that_inspect_lacks_is_an_attribute_error() -> None:
    """A wrong name is the usual error, not an endless search."""
    assert run("assert not hasattr(first, 'nothing_like_this')") == ""


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("--repo", "ext::x"), 2), (("--no-such-option",), 2), (("--repo", "{repo}"), 0)],
)
def test_leaving_at_once_loses_nothing(tmp_path: Path, arguments: tuple[str, ...], status: int) -> None:
    """Everything that was said arrives through pipes, with the status, though nothing is taken apart."""
    repo, _ = bare(tmp_path / "r")
    done = subprocess.run(
        isolated(*(word.format(repo=repo) for word in arguments)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert bool(done.stdout.endswith("}\n")) == (status == 0)
    assert bool(done.stderr.startswith("error: ") and done.stderr.endswith("\n")) == (status != 0)


def test_a_full_disk_is_no_success(tmp_path: Path) -> None:
    """Outputs that could not be written make the status a failure."""
    repo, _ = bare(tmp_path / "r")
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run(isolated("--repo", repo), stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode != 0
