"""Dataclasses whose methods are compiled when they are called first behave as any others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.versions.tagged import SOURCE

CLASSES = """
import dataclasses, pickle, sys
from dataclasses import dataclass, field, replace

@dataclass(frozen=True, order=True)
class Point:
    x: int
    y: list = field(default_factory=list, compare=False, repr=False)

@dataclass(frozen=True)
class Named(Point):
    name: str = 'n'

@dataclass
class Plain:
    a: int
    next: object = None

@dataclass(frozen=True)
class Own:
    a: int
    def __eq__(self, other): return 'own'
    def __repr__(self): return 'own'

def failure(work):
    try:
        work()
    except Exception as error:
        return type(error).__name__, str(error)

def change(thing): thing.x = 1
def delete(thing): del thing.x

point, named, plain = Point(1), Named(1, [], 'b'), Plain(1)
plain.next = plain
print([
    [point == Point(1, [2]), point == Point(2), point == named, point == 1, point != Point(1)] * 2,
    [point < Point(2), point >= Point(2), failure(lambda: point < 1), failure(lambda: point < named)] * 2,
    [hash(point) == hash(Point(1)), hash(named) == hash(Named(1, [], 'b')), len({point, Point(1)})] * 2,
    [repr(point), repr(named), repr(plain), repr(Own(1)), Own(1) == 2] * 2,
    [failure(lambda: hash(plain)), plain == Plain(1, plain), plain == Plain(2)] * 2,
    [failure(lambda: change(point)), failure(lambda: change(named)), failure(lambda: delete(named))] * 2,
    [failure(lambda: setattr(named, 'new', 1)), replace(named, name='c'), dataclasses.asdict(named)],
    [pickle.loads(pickle.dumps(named)) == named, failure(lambda: Point())],
    [Point.__eq__.__name__, Point.__eq__.__qualname__, Point.__hash__.__qualname__],
])
"""


def said(begin: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", begin + CLASSES, str(SOURCE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_everything_is_as_ever() -> None:
    """Equality, order, hashes, representations, refusals and copies: the first time and after."""
    put_off = said("import sys; sys.path.insert(0, sys.argv[1]); import promote_actions.later\n")
    assert put_off == said("")
    assert put_off.count("FrozenInstanceError") > 5


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="dataclass itself is faster there")
def test_nothing_is_compiled_before_it_is_called() -> None:
    """A class alone compiles its __init__ and no more; a method is compiled once."""
    begin = (
        "import sys; sys.path.insert(0, sys.argv[1]); import promote_actions.later, builtins, dataclasses\n"
        "run, ran = exec, []\n"
        "dataclasses.exec = lambda *a: (ran.append(1), run(*a))[1]\n"
        "@dataclasses.dataclass(frozen=True)\n"
        "class C:\n"
        "    'doc'\n"
        "    a: int\n"
        "assert len(ran) == 1, ran\n"
        "assert C(1) == C(1) and C(2) == C(2) and C(2) != C(3)\n"
        "assert len(ran) == 2, ran\n"
    )
    said(begin)
