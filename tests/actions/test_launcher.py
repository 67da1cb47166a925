"""The launcher and the private environment that it makes, on a copy of the repository's own files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from promote_actions import STDLIB_ONLY
from tests.actions.step_runner import ROOT
from tests.actions.wheel_index import Index, digest, pip_wheel, serve, wheel

SAMPLE = wheel("sample", "import sys\nNAME = 'sample'\ndef main():\n    print(sys.prefix)\n")
SAMPLE_FILE = "sample-1.0-py3-none-any.whl"


@dataclass
class Tree:
    """A copy of the repository in a folder whose name has a space, with a lock of one small wheel."""

    root: Path
    cache: Path
    home: Path
    index: Index

    def variables(self, **more: str) -> dict[str, str]:
        tools = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "PIP_CONFIG_FILE": os.devnull}
        python = {"PROMOTE_ACTIONS_PYTHON": sys.executable, "PROMOTE_ACTIONS_CACHE": str(self.cache)}
        return {**tools, **python, "PIP_INDEX_URL": self.index.url, "PIP_NO_CACHE_DIR": "1", **more}

    def start(self, *words: str, python: str = sys.executable, **env: str) -> subprocess.Popen[str]:
        """The environment's maker, started on this tree."""
        command = [python, "-I", "-S", str(self.root / "bin/environment.py"), *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command,
            env=self.variables(**env),
            cwd=self.home,
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        )

    def make(self, python: str = sys.executable, **env: str) -> subprocess.CompletedProcess[str]:
        """Make or find the environment; stdout is its interpreter."""
        process = self.start(str(self.lock), python=python, **env)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess([], process.returncode, out.strip(), err)

    def launch(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run bin/promote-actions of this tree."""
        return subprocess.run(
            [str(self.root / "bin/promote-actions"), *words],
            env={name: value for name, value in self.variables(**env).items() if value},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def lock(self) -> Path:
        return self.root / "requirements" / "run.txt"

    def environments(self) -> list[str]:
        """The finished and unfinished environments in the cache."""
        return (
            sorted(path.name for path in self.cache.glob("py*") if path.is_dir())
            if self.cache.exists()
            else []
        )


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """A tree whose lock is one wheel, and an index on this machine that has it."""
    root = tmp_path / "a copy"
    for folder in ("bin", "src"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "requirements").mkdir()
    name, pip = pip_wheel()
    version = name.split("-")[1]
    (root / "requirements/run.txt").write_text(f"sample==1.0 \\\n    --hash=sha256:{digest(SAMPLE)}\n")
    (root / "requirements/pip.txt").write_text(f"pip=={version} \\\n    --hash=sha256:{digest(pip)}\n")
    (tmp_path / "home").mkdir()
    with serve(Index({SAMPLE_FILE: SAMPLE, name: pip})) as index:
        yield Tree(root, tmp_path / "tool cache", tmp_path / "home", index)


def prefix_of(python: str) -> str:
    code = "import sample, sys; print(sys.prefix, sample.NAME)"
    return subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def without_pip(folder: Path) -> str:
    """An interpreter that has no pip."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return str(folder / "bin" / "python")


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


# -- the environment -----------------------------------------------------------------------------


def test_an_environment_is_made_once(tree: Tree) -> None:
    """The first makes it from the caller's index; the next finds it and asks nobody, even offline."""
    first = tree.make()
    assert first.returncode == 0, first.stderr
    assert prefix_of(first.stdout) == f"{tree.cache / tree.environments()[0]} sample"
    asked = len(tree.index.requests)
    second = tree.make(PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")
    assert len(tree.index.requests) == asked


def test_scripts_in_an_environment_can_be_started(tree: Tree) -> None:
    """An environment is renamed into place, and its scripts name that place."""
    python = Path(tree.make().stdout)
    ran = subprocess.run([python.parent / "sample"], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == str(python.parents[1])
    assert ".new-" not in (python.parents[1] / "pyvenv.cfg").read_text()


def test_two_at_once_make_one(tree: Tree) -> None:
    """Steps that start together wait for the first one's work."""
    tree.index.delay = 0.5
    processes = [tree.start(str(tree.lock)) for _ in range(4)]
    ended = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, ended
    assert len({out for out, _ in ended}) == 1
    assert len(tree.environments()) == 1
    assert len(tree.index.downloads) == 1


def test_a_killed_build_is_never_used(tree: Tree) -> None:
    """Whoever comes after a build that died makes the environment anew."""
    tree.index.delay = 30.0
    process = tree.start(str(tree.lock))
    deadline = time.monotonic() + 60
    while not tree.index.downloads and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    assert any(".new-" in name for name in tree.environments())
    tree.index.delay = 0.0
    made = tree.make()
    assert made.returncode == 0, made.stderr
    assert prefix_of(made.stdout).endswith(" sample")


def test_what_a_killed_build_left_is_removed_later(tree: Tree) -> None:
    """Remains are swept when they are an hour old, so that a running build is left alone."""
    key = Path(tree.make().stdout).parents[1].name
    shutil.rmtree(tree.cache / key)
    old, young = tree.cache / f"{key}.new-1-aa", tree.cache / f"{key}.new-2-bb"
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (time.time() - 7200,) * 2)
    assert tree.make().returncode == 0
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.parametrize("harm", ["no marker", "another key", "no interpreter"])
def test_an_unfinished_environment_is_made_anew(tree: Tree, harm: str) -> None:
    """Only an environment that says it is whole, and whose interpreter is there, is used."""
    folder = Path(tree.make().stdout).parents[1]
    if harm == "no marker":
        (folder / "ready").unlink()
    elif harm == "another key":
        (folder / "ready").write_text("py3.9-other")
    else:
        (folder / "bin/python").unlink()
    again = tree.make()
    assert again.returncode == 0, again.stderr
    assert len(tree.index.downloads) == 2
    assert prefix_of(again.stdout).endswith(" sample")


def test_another_lock_is_another_environment(tree: Tree) -> None:
    """Two versions of the actions in one job don't share packages."""
    first = tree.make().stdout
    tree.lock.write_text(tree.lock.read_text() + "# changed\n")
    assert tree.make().stdout != first
    assert len(tree.environments()) == 2


def test_a_wheel_with_another_hash_is_refused(tree: Tree) -> None:
    """An index that serves other bytes gets nothing installed, and the message says so."""
    tree.index.files[SAMPLE_FILE] = wheel("sample", "NAME = 'evil'\n")
    made = tree.launch("action", "nope")
    assert made.returncode == 3
    error = made.stderr.splitlines()[-1]
    assert error.startswith("error: pip could not install the Python packages:")
    assert "hash" in error.lower()
    assert tree.environments() == []


def test_an_index_that_is_down_is_one_line(tree: Tree) -> None:
    """No network ends with what to check, and with no credentials in it."""
    env = {
        "PIP_INDEX_URL": "http://robot:s3cret@127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "GITHUB_ACTIONS": "true",
    }
    made = tree.launch("action", "nope", **env)
    assert made.returncode == 3
    assert made.stdout.count("\n") == 1
    assert made.stdout.startswith(
        "::error title=promote-actions%3A dependency failed::pip could not install"
    )
    assert "PIP_INDEX_URL" in made.stdout
    assert "s3cret" not in made.stdout + made.stderr


def test_the_callers_settings_choose_the_source_only(tree: Tree) -> None:
    """What a job sets for its own installs changes neither what we install nor where."""
    evil = tree.home / "evil"
    evil.mkdir()
    for name in ("pip.py", "venv.py", "sample.py", "hashlib.py"):
        (tree.home / name).write_text("raise SystemExit('the workspace was imported')\n")
        shutil.copy(tree.home / name, evil)
    (tree.home / "constraints.txt").write_text("sample==9\n")
    harmful = {
        "PIP_CONSTRAINT": "constraints.txt",
        "PIP_NO_BINARY": ":all:",
        "PIP_PREFIX": str(evil),
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_TARGET": str(evil),
        "PIP_USER": "1",
        "PYTHONHOME": str(evil),
        "PYTHONPATH": str(evil),
        "VIRTUAL_ENV": str(evil),
    }
    made = tree.make(**harmful)
    assert made.returncode == 0, made.stderr
    assert prefix_of(made.stdout).endswith(" sample")
    assert sorted(path.name for path in evil.iterdir()) == ["hashlib.py", "pip.py", "sample.py", "venv.py"]


@pytest.mark.parametrize("as_json", [False, True], ids=["html", "json"])
def test_a_python_without_pip_fetches_one(tree: Tree, tmp_path: Path, as_json: bool) -> None:
    """Debian's plain python3 has neither pip nor ensurepip: the pinned wheel comes from the same index."""
    tree.index.json = as_json
    made = tree.make(python=without_pip(tmp_path / "bare"))
    assert made.returncode == 0, made.stderr
    assert prefix_of(made.stdout).endswith(" sample")
    assert len(tree.index.downloads) == 2
    assert not list(Path(made.stdout).parents[1].glob("*.whl"))


def test_a_private_index_is_asked_with_its_credentials(tree: Tree, tmp_path: Path) -> None:
    """A user and password in the index's address are used for pip's own wheel as well."""
    tree.index.user = "robot:s3cret"
    url = tree.index.url.replace("http://", "http://robot:s3cret@")
    made = tree.make(python=without_pip(tmp_path / "bare"), PIP_INDEX_URL=url)
    assert made.returncode == 0, made.stderr
    assert prefix_of(made.stdout).endswith(" sample")


def test_an_index_in_pips_configuration_is_used(tree: Tree, tmp_path: Path) -> None:
    """The index of pip.conf holds where no variable names one, for pip's own wheel too."""
    conf = tmp_path / "pip.conf"
    conf.write_text(f"[global]\nindex-url = {tree.index.url}\n")
    made = tree.make(python=without_pip(tmp_path / "bare"), PIP_INDEX_URL="", PIP_CONFIG_FILE=str(conf))
    assert made.returncode == 0, made.stderr
    assert len(tree.index.downloads) == 2


def test_a_pip_with_another_hash_is_not_run(tree: Tree, tmp_path: Path) -> None:
    """Whatever the index serves as pip, only the pinned bytes are started."""
    name = next(name for name in tree.index.files if name.startswith("pip-"))
    tree.index.files[name] += b"x"
    made = tree.make(python=without_pip(tmp_path / "bare"))
    assert made.returncode == 3
    assert "does not have the pinned hash" in made.stderr
    assert tree.environments() == []


def test_uv_is_asked_first_and_pip_steps_in(tree: Tree, tmp_path: Path) -> None:
    """uv on PATH is told of pip's index; when it fails, pip does the work."""
    fake = script(tmp_path / "tools/uv", '#!/bin/sh\necho "$UV_DEFAULT_INDEX $*" >"$HOME/uv.log"\nexit 2\n')
    made = tree.make(PATH=f"{fake.parent}:/usr/bin:/bin", UV_SYSTEM_PYTHON="1")
    assert made.returncode == 0, made.stderr
    assert "trying pip" in made.stderr
    said = (tree.home / "uv.log").read_text()
    assert said.startswith(f"{tree.index.url} pip install --python ")
    assert "--require-hashes" in said
    assert prefix_of(made.stdout).endswith(" sample")


def test_a_real_uv_makes_the_same(tree: Tree) -> None:
    """With uv the environment has the same packages."""
    uv = shutil.which("uv")
    if not uv:
        pytest.skip("no uv on PATH, so the way through it was not run")
    made = tree.make(PATH=f"{Path(uv).parent}:/usr/bin:/bin", UV_NO_CACHE="1", PIP_INDEX_URL=tree.index.url)
    assert made.returncode == 0, made.stderr
    assert "(uv)" in made.stderr
    assert prefix_of(made.stdout).endswith(" sample")


def test_a_cache_that_cannot_be_written_is_passed_over(tree: Tree, tmp_path: Path) -> None:
    """The tool cache is preferred, then the user's cache, then the runner's own folder."""
    (tmp_path / "file").write_text("")
    env = {"PROMOTE_ACTIONS_CACHE": "", "RUNNER_TOOL_CACHE": str(tmp_path / "file"), "XDG_CACHE_HOME": ""}
    made = tree.make(**env)
    assert made.returncode == 0, made.stderr
    assert Path(made.stdout).is_relative_to(tree.home / ".cache" / "promote-actions")
    env |= {"HOME": str(tmp_path / "file"), "RUNNER_TEMP": str(tmp_path / "temp")}
    made = tree.make(**env)
    assert Path(made.stdout).is_relative_to(tmp_path / "temp")


def test_no_place_for_a_cache_is_one_line(tree: Tree) -> None:
    """Where nothing can be written, the message says which variable chooses a place."""
    made = tree.launch("action", "nope", PROMOTE_ACTIONS_CACHE=os.devnull)
    assert made.returncode == 3
    assert len(made.stderr.splitlines()) == 1
    assert "set PROMOTE_ACTIONS_CACHE" in made.stderr


# -- the launcher --------------------------------------------------------------------------------


def test_a_command_gets_the_environments_packages(tree: Tree) -> None:
    """A command finds the packages, and starts children with the environment's interpreter."""
    room = tree.root / "src/promote_actions/__main__.py"
    room.write_text(
        "import sys\ndef run(arguments):\n    import sample, subprocess\n"
        "    print(sample.NAME, sys.path.count(''), arguments, flush=True)\n"
        "    return subprocess.call([sys.executable, '-c', 'import sample, os; print(os.getcwd())'])\n"
    )
    ran = tree.launch("promote", "--to", "qa's *")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == f"sample 0 ['promote', '--to', \"qa's *\"]\n{tree.home}\n"


@pytest.mark.parametrize("name", sorted(STDLIB_ONLY))
@pytest.mark.parametrize("words", [["action"], []], ids=["action", "command"])
def test_a_bare_command_makes_nothing(tree: Tree, name: str, words: list[str]) -> None:
    """`calver` and `docker-tags` start with nothing installed, no network and no cache."""
    env = {"PIP_INDEX_URL": "http://127.0.0.1:9", "INPUT_FORMAT": "nope"}
    ran = tree.launch(*words, name, *([] if words else ["--format", "nope"]), **env)
    assert ran.returncode == 2
    assert ran.stderr == "error: input 'format' is 'nope'; give one of text, json\n"
    assert not tree.cache.exists()
    assert tree.index.requests == []


def test_the_workspace_cannot_shadow_a_module(tree: Tree) -> None:
    """Files in the caller's folder with the names of modules are not imported."""
    for name in ("json", "click", "promote_actions", "environment", "sitecustomize"):
        (tree.home / f"{name}.py").write_text("raise SystemExit('the workspace was imported')\n")
    ran = tree.launch("action", "calver", INPUT_FORMAT="nope", PYTHONPATH=str(tree.home))
    assert ran.returncode == 2
    assert "imported" not in ran.stderr


def test_a_link_to_the_launcher_works(tree: Tree, tmp_path: Path) -> None:
    """A person may link it into a folder on PATH, even twice."""
    (tmp_path / "links").mkdir()
    (tmp_path / "links/one").symlink_to(
        os.path.relpath(tree.root / "bin/promote-actions", tmp_path / "links")
    )
    (tmp_path / "links/two").symlink_to("one")
    ran = subprocess.run(
        [tmp_path / "links/two", "action", "calver"],
        env=tree.variables(INPUT_FORMAT="nope"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "input 'format'" in ran.stderr


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder for PATH that has what the launcher needs, and no Python."""
    folder = tmp_path / "no python"
    folder.mkdir()
    for name in ("dirname", "readlink", "sh", "uname"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


@pytest.mark.parametrize("in_actions", [True, False])
def test_no_python_is_one_line(tree: Tree, tools: Path, in_actions: bool) -> None:
    """A machine without a Python that fits is told what to do, as an annotation in Actions."""
    script(tools / "python3", "#!/bin/sh\necho 'shim: no version is set' >&2\nexit 127\n")
    env = {"PATH": str(tools), "PROMOTE_ACTIONS_PYTHON": "", "GITHUB_ACTIONS": "true" if in_actions else ""}
    ran = tree.launch("action", "calver", **env)
    assert ran.returncode == 3
    (line,) = (ran.stdout if in_actions else ran.stderr).splitlines()
    assert line.startswith(
        "::error title=promote-actions::Python 3.10" if in_actions else "error: Python 3.10"
    )
    assert (ran.stderr if in_actions else ran.stdout) == ""


def test_a_chosen_python_that_does_not_fit_is_not_replaced(tree: Tree) -> None:
    """PROMOTE_ACTIONS_PYTHON is a decision: another Python isn't taken in its stead."""
    ran = tree.launch("action", "calver", PROMOTE_ACTIONS_PYTHON="/nonexistent/python3")
    assert ran.returncode == 3
    assert "PROMOTE_ACTIONS_PYTHON" in ran.stderr


@pytest.mark.parametrize("where", ["python3.12", "tool cache"])
def test_another_python_is_found(tree: Tree, tools: Path, tmp_path: Path, where: str) -> None:
    """An old or broken python3 is passed over for a newer one on PATH or in the runner's tool cache."""
    script(tools / "python3", "#!/bin/sh\nexit 1\n")
    folder = tools / "python3.12"
    if where == "tool cache":
        arch = "arm64" if os.uname().machine in {"arm64", "aarch64"} else "x64"
        folder = tmp_path / "hosted tools" / "Python" / "3.12.1" / arch / "bin" / "python3"
    script(folder, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    env = {
        "PATH": str(tools),
        "PROMOTE_ACTIONS_PYTHON": "",
        "RUNNER_TOOL_CACHE": str(tmp_path / "hosted tools"),
    }
    ran = tree.launch("action", "calver", INPUT_FORMAT="nope", **env)
    assert ran.returncode == 2, ran.stderr
    assert "input 'format'" in ran.stderr


@pytest.mark.parametrize(("folder", "starts"), [("opt/bin", 1), (".pyenv/shims", 2)])
def test_a_python_that_its_name_vouches_for_is_started_once(
    tree: Tree, tools: Path, tmp_path: Path, folder: str, starts: int
) -> None:
    """Only what may be a version manager's shim is tried before it is used."""
    count = tmp_path / "count"
    real = tmp_path / folder / "python3.12"
    script(real, f'#!/bin/sh\necho >> "{count}"\nexec "{sys.executable}" "$@"\n')
    (tools / "python3").symlink_to(real)
    ran = tree.launch("action", "calver", INPUT_FORMAT="nope", PATH=str(tools), PROMOTE_ACTIONS_PYTHON="")
    assert ran.returncode == 2, ran.stderr
    assert count.read_text().count("\n") == starts
