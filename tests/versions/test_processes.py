"""Running programs without subprocess: pipes, deadlines, signals, and nothing left behind."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.adapters.processes import run_program

ECHO = """
import sys
data = sys.stdin.buffer.read()
sys.stdout.buffer.write(data)
sys.stderr.buffer.write(data)
"""


def python(code: str, stdin: bytes = b"", deadline: float = 30.0, **env: str) -> tuple[int, bytes, bytes]:
    return run_program([sys.executable, "-I", "-S", "-c", code], stdin, {**os.environ, **env}, deadline)


def handles() -> set[str]:
    return set(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else set()


@pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_000])
def test_everything_goes_in_and_comes_out(size: int) -> None:
    """More than a pipe holds travels in both directions, on both outputs, without a deadlock."""
    data = os.urandom(size)
    assert python(ECHO, data) == (0, data, data)


@given(st.binary(max_size=300))
@settings(max_examples=10, deadline=None)
def test_bytes_are_not_touched(data: bytes) -> None:
    """Input arrives byte for byte."""
    assert run_program(["cat"], data, os.environ, 30.0) == (0, data, b"")


def test_the_program_sees_the_environment_given_and_the_end_of_its_input() -> None:
    """Its environment is the one given, and without input it reads an end at once."""
    said = python("import os, sys; print(os.environ['GIFT'], sys.stdin.read())", GIFT="yes")
    assert said == (0, b"yes \n", b"")


def test_statuses_and_signals_are_told_apart() -> None:
    """An exit status is itself, a signal its negative number."""
    assert python("raise SystemExit(7)")[0] == 7
    assert python("import os; os.kill(os.getpid(), 9)")[0] == -9


def test_a_program_that_does_not_read_is_left_alone() -> None:
    """Input that nobody reads doesn't fail the run."""
    assert python("print('done')", b"x" * 1_000_000) == (0, b"done\n", b"")
    assert python("import os, sys; os.close(0); print('done')", b"x" * 1_000_000)[:2] == (0, b"done\n")


def test_output_that_nobody_reads_ends_a_program() -> None:
    """A program starts with the usual reaction to a broken pipe, which Python itself ignores."""
    assert run_program(["sh", "-c", "kill -PIPE $$; echo alive"], b"", os.environ, 30.0)[0] == -13


@pytest.mark.parametrize(
    "code",
    ["import time; time.sleep(600)", "import os, time; os.close(1); os.close(2); time.sleep(600)"],
    ids=["silent", "closed its outputs"],
)
def test_a_deadline_ends_it(code: str, tmp_path: Path) -> None:
    """A program that is still there at its deadline is killed, and no process is left."""
    pid = tmp_path / "pid"
    with pytest.raises(TimeoutError):
        python(f"import os; open({str(pid)!r}, 'w').write(str(os.getpid())); {code}", deadline=0.6)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_program_that_is_missing_is_an_oserror() -> None:
    """What can't be started says so at once."""
    with pytest.raises(FileNotFoundError):
        run_program(["no-such-program-anywhere"], b"", os.environ, 1.0)
    with pytest.raises(ValueError, match="null"):
        run_program(["cat", "a\0b"], b"", os.environ, 1.0)


def test_no_handle_is_left_open(tmp_path: Path) -> None:
    """Success, failure, deadline and a missing program all close their pipes."""
    before = handles()
    python("print(1)")
    python("raise SystemExit(1)", b"x" * 200_000)
    with pytest.raises(TimeoutError):
        python("import time; time.sleep(60)", deadline=0.2)
    with pytest.raises(FileNotFoundError):
        run_program(["/no/such/program"], b"", {}, 1.0)
    assert handles() == before


def test_threads_do_not_share_their_pipes() -> None:
    """Programs started from several threads at once each get their own input and end."""
    found: dict[int, tuple[int, bytes, bytes]] = {}

    def work(number: int) -> None:
        found[number] = run_program(["cat"], str(number).encode() * 50_000, os.environ, 60.0)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: (0, str(number).encode() * 50_000, b"") for number in range(8)}
