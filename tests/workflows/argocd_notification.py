"""What Argo CD's notifications controller makes of the example's configuration, as far as it is used there.

A template is a Go template with field access alone, a trigger's condition an expression of expr-lang that
happens to be one of Python's.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ruamel.yaml import YAML

from tests.actions.step_runner import ROOT

EXAMPLE = ROOT / "workflows-examples/gitops-repo/argocd/notifications.yaml"
_FIELD = re.compile(r"\{\{\.([A-Za-z0-9_.]+)\}\}")


def configuration() -> dict[str, Any]:
    """The keys of the ConfigMap, each parsed."""
    yaml = YAML(typ="safe", pure=True)
    return {
        name: yaml.load(text)
        for name, text in yaml.load(EXAMPLE.read_text(encoding="utf-8"))["data"].items()
    }


def body(app: dict[str, Any]) -> dict[str, Any]:
    """The body that is sent for the application ``app``."""
    template = configuration()["template.deploy-success-develop"]["webhook"]["promote-actions"]["body"]

    def value(match: re.Match[str]) -> str:
        found: Any = {"app": app}
        for name in match[1].split("."):
            found = found[name]
        return str(found)

    return dict(json.loads(_FIELD.sub(value, template)))


class _Fields:
    """Fields of a document as attributes; what is missing is None."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def __getattr__(self, name: str) -> Any:
        found = self._document.get(name)
        return _Fields(found) if isinstance(found, dict) else found


def triggers(app: dict[str, Any]) -> bool:
    """Whether the notification is sent for ``app``."""
    (trigger,) = configuration()["trigger.on-deployed-develop"]
    condition = compile(trigger["when"].replace("nil", "None"), "when", "eval")
    return bool(eval(condition, {"__builtins__": {}}, {"app": _Fields(app)}))
