"""The guides: snippets are valid, messages exist, links lead somewhere, tables are true."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from promote_actions.arguments import parse
from promote_actions.catalogue import ROOMS, actions
from promote_actions.catalogue import load as load_command
from promote_actions.config.load import load as load_config
from promote_actions.spec import inputs_of
from tests.actions.step_runner import ROOT, load

PAGES = [
    *(
        ROOT / "docs" / f"{name}.md"
        for name in (
            "argocd-notifications", "enterprise-server", "github-setup", "guard", "migration",
            "platform-engineer", "security", "service-developer", "sre", "troubleshooting",
        )
    ),
    ROOT / "workflows-examples/README.md",
]  # fmt: skip
LEVELS = ["none", "read", "write"]


def snippets(kind: str) -> list[Any]:
    """Every block of ``kind`` in the pages, with where it is."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for number, match in enumerate(
            re.finditer(rf"^( *)```{kind}\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL)
        ):
            body = "\n".join(line.removeprefix(match[1]) for line in match[2].splitlines()) + "\n"
            found.append(pytest.param(body, id=f"{page.stem}-{number}"))
    return found


def as_workflow(document: Any) -> dict[str, Any]:
    """A snippet as a whole workflow: jobs alone get an event, steps alone a job."""
    if isinstance(document, list):
        document = {"jobs": {"job": {"runs-on": "ubuntu-latest", "steps": document}}}
    return {"on": {"push": {"branches": ["main"]}}, **document}


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job.get("steps", [job])


@pytest.mark.parametrize("text", snippets("yaml"))
def test_a_yaml_snippet_is_valid(text: str, tmp_path: Path) -> None:
    """Workflows by GitHub's schema and our inputs, configuration by ours; what is Kubernetes' is YAML."""
    document = YAML(typ="safe", pure=True).load(text)
    if isinstance(document, dict) and "version" in document:
        assert load_config(text.encode(), "promotion.yaml").environments
        return
    if isinstance(document, dict) and "apiVersion" in document:
        assert document["kind"] == "Application"
        return
    workflow = as_workflow(document)
    file = tmp_path / "workflow.json"
    file.write_text(json.dumps(workflow), encoding="utf-8")
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    subprocess.run([*checker, str(file)], check=True, capture_output=True)
    for step in steps(workflow):
        check_inputs(step)


def check_inputs(step: dict[str, Any]) -> None:
    """What a step passes on is what its action or workflow takes, with all that it must."""
    action = re.fullmatch(r"nexo-org/promote-actions(?:/([\w-]+))?@v1", step.get("uses", ""))
    called = re.fullmatch(
        r"nexo-org/promote-actions/\.github/workflows/([\w-]+\.yml)@v1", step.get("uses", "")
    )
    if action:
        takes = load(ROOT / (action[1] or ".") / "action.yml")["inputs"]
    elif called:
        takes = load(ROOT / ".github/workflows" / called[1])["on"]["workflow_call"]["inputs"]
    else:
        return
    assert set(step.get("with", {})) <= set(takes)
    assert {name for name, each in takes.items() if each.get("required")} <= set(step.get("with", {}))


@pytest.mark.parametrize("text", snippets("json"))
def test_a_json_snippet_is_valid(text: str) -> None:
    """It can be parsed."""
    assert json.loads(text)


@pytest.mark.parametrize("text", snippets("sh"))
def test_a_command_has_the_options_that_it_uses(text: str) -> None:
    """The shell reads the block, and each of our commands takes these words."""
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    for line in text.splitlines():
        if not line.startswith("promote-actions "):
            continue
        name, *words = shlex.split(line, comments=True)[1:]
        specs = inputs_of(load_command(name).inputs)
        given = parse(specs, words)
        assert {spec.name for spec in specs if spec.required} <= set(given), line
        for spec in specs:
            value = given.get(spec.name)
            assert not spec.choices or value is None or value in spec.choices, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file, and every anchor a heading in it."""
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}


def messages() -> set[str]:
    """Every text in the source, with ``…`` for what is filled in."""
    found = set()
    for path in [*(ROOT / "src").rglob("*.py"), ROOT / "bin/find-python.sh", ROOT / "bin/promote-actions"]:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            found |= set(re.findall(r'"([^"]+)"', text))
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                found.add("".join(map(str, parts)))
    return found


def test_each_message_is_one_that_the_code_says() -> None:
    """A message on the page that nothing says any more helps nobody."""
    said = messages()
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^### `(.+)`$", page, re.MULTILINE)
    assert len(quoted) > 25
    unknown = [text for text in quoted if not any(text in each for each in said)]
    assert unknown == []


def table(page: str, head: str) -> dict[str, str]:
    """The first two columns of the table under the heading ``head``."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    section = text.partition(f"## {head}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \|$", section, re.MULTILINE)
    return dict(rows)


def test_the_permissions_are_those_of_the_workflows() -> None:
    """The table says what a caller must grant: all that the workflow's jobs ask for, and no more."""
    told = table("github-setup.md", "What each workflow needs")
    asked = {}
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        workflow = load(path)
        if "workflow_call" not in workflow["on"]:
            continue
        needed: dict[str, str] = {}
        for job in workflow["jobs"].values():
            for scope, level in job["permissions"].items():
                needed[scope] = max(level, needed.get(scope, "none"), key=LEVELS.index)
        asked[path.stem] = needed
    read = {name: dict(re.findall(r"`([\w-]+): (\w+)`", cell)) for name, cell in told.items()}
    assert read == asked


def test_every_action_has_its_permissions() -> None:
    """No action is left out of the table of permissions, and every workflow is told of."""
    assert set(table("github-setup.md", "What each action needs")) == {each.name for each in actions()}
    reusable = {
        p.stem for p in (ROOT / ".github/workflows").glob("*.yml") if "workflow_call" in load(p)["on"]
    }
    assert set(table("platform-engineer.md", "The workflows")) == reusable


def test_enterprise_servers_form_is_what_the_page_makes(tmp_path: Path) -> None:
    """The page's own lines leave nothing that Enterprise Server doesn't know."""
    (tmp_path / ".github/workflows").mkdir(parents=True)
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        (tmp_path / ".github/workflows" / path.name).write_bytes(path.read_bytes())
    page = (ROOT / "docs/enterprise-server.md").read_text(encoding="utf-8")
    script = re.search(r"```sh\n(for .*?)```", page, re.DOTALL)
    assert script
    subprocess.run(["bash", "-e"], input=script[1], cwd=tmp_path, text=True, check=True)
    made = sorted((tmp_path / ".github/workflows").iterdir())
    texts = [path.read_text(encoding="utf-8") for path in made]
    assert not [text for text in texts if "$/" in text or "queue:" in text]
    assert any("uses: tools/promote-actions/health-gate@v1" in text for text in texts)
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    subprocess.run([*checker, *map(str, made)], check=True, capture_output=True)


def test_every_command_that_is_named_exists() -> None:
    """`promote-actions something` in a sentence is a command."""
    for page in PAGES:
        for name in re.findall(r"`promote-actions ([a-z-]+)", page.read_text(encoding="utf-8")):
            assert name in ROOMS, f"{page.name}: {name}"
