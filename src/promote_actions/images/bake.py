"""Bake definition files: tags, labels and annotations as an override for ``docker buildx bake``.

Same shape as docker/metadata-action's (https://github.com/docker/metadata-action#bake-definition), so
that a target that inherits from it needs no change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promote_actions.images.outputs import Published


def bake_files(target: str, it: Published) -> Mapping[str, Mapping[str, Any]]:
    """The documents with the overrides for ``target``, by the output that names their file."""
    tagged: dict[str, Any] = {"tags": it.references()}
    labelled: dict[str, Any] = {"labels": dict(it.labels)}
    arguments = {"DOCKER_META_IMAGES": ",".join(it.images), "DOCKER_META_VERSION": it.found.version}
    contents: Mapping[str, dict[str, Any]] = {
        "bake-file": {**tagged, **labelled, "args": arguments},
        "bake-file-tags": {**tagged, "args": arguments},
        "bake-file-labels": labelled,
        "bake-file-annotations": {"annotations": list(it.annotations)},
    }
    return {output: {"target": {target: content}} for output, content in contents.items()}
