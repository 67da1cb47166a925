"""What ``docker-tags`` hands to the steps that follow, as the texts that an output can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from promote_actions.images.labels import Pairs
from promote_actions.images.tags import TagSet


class Published(NamedTuple):
    """An image's tags with everything around them. ``annotations`` carry their level in front."""

    found: TagSet
    images: tuple[str, ...]
    labels: Pairs
    annotations: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The tags without an image's name."""
        return [tag.name for tag in self.found.tags]

    def references(self, mutable: bool | None = None) -> list[str]:
        """The tags under every image's name: all, or those that are (or aren't) ``mutable``."""
        tags = self.found.tags if mutable is None else [t for t in self.found.tags if t.mutable is mutable]
        if not self.images:
            return [tag.name for tag in tags]
        return [f"{image}:{tag.name}" for image in self.images for tag in tags]


def outputs_of(it: Published, separators: Sequence[str]) -> dict[str, Any]:
    """The outputs but for the bake files; ``separators`` are for tags, labels and annotations."""
    for_tags, for_labels, for_annotations = separators
    return {
        "tags": for_tags.join(it.references()),
        "labels": for_labels.join(f"{key}={value}" for key, value in it.labels),
        "annotations": for_annotations.join(it.annotations),
        "version": it.found.version,
        "images": for_tags.join(it.images),
        "immutable-tags": for_tags.join(it.references(mutable=False)),
        "mutable-tags": for_tags.join(it.references(mutable=True)),
        "tag-names": for_tags.join(it.names),
        "json": {
            "tags": it.references(),
            "tag-names": it.names,
            "labels": dict(it.labels),
            "annotations": list(it.annotations),
        },
    }
