"""Turns on one machine: one at a time, given back by the dead, and never a reason to fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from promote_actions.adapters.turns import turn
from tests.versions.tagged import SOURCE

COUNT = """
import sys
sys.path.insert(0, sys.argv[1])
from promote_actions.adapters.turns import turn
path = sys.argv[2]
for _ in range(20):
    with turn(key=path):
        number = int(open(path).read())
        open(path, 'w').write(str(number + 1))
"""

HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from promote_actions.adapters.turns import turn
with turn(key=sys.argv[2]):
    print('held', flush=True)
    time.sleep(600)
"""


def start(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", "-S", "-c", code, str(SOURCE), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_turns_are_taken_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five processes that read, add and write a hundred times lose no addition."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    path = tmp_path / "number"
    path.write_text("0")
    started = [start(COUNT, path) for _ in range(5)]
    assert [process.communicate()[0] for process in started] == [""] * 5
    assert [process.returncode for process in started] == [0] * 5
    assert path.read_text() == "100"


def test_the_dead_give_their_turn_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed while it holds the turn holds nobody up."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    holder = start(HOLD, "x")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with turn(key="x", patience=0.05):
        pass  # held by another for longer than we wait: done without
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with turn(key="x", patience=600):
        assert list(tmp_path.glob("promote-actions-*.lock"))


@pytest.mark.parametrize("case", ["no folder", "a link", "no TMPDIR", "unwritable"])
def test_a_turn_that_cannot_be_had_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """A missing folder, a link put in the lock's place, a folder that isn't ours: the work goes on."""
    victim = tmp_path / "victim"
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing") if case == "unwritable" else str(tmp_path))
    if case == "a link":
        with turn(key="x"):
            (lock,) = tmp_path.glob("*.lock")
        lock.unlink()
        os.symlink(victim, lock)
    done = False
    with turn(folder=str(tmp_path / "nowhere") if case == "no folder" else "", key="x"):
        done = True
    assert done
    assert not victim.exists()


def test_what_happens_inside_is_not_swallowed(tmp_path: Path) -> None:
    """An error inside of a turn passes, and the turn is free again."""
    with pytest.raises(KeyError), turn(folder=str(tmp_path)):
        raise KeyError
    with turn(folder=str(tmp_path), patience=600):
        pass
