"""The rules that docker/metadata-action documents, held against its documentation."""

from __future__ import annotations

import pytest

from promote_actions.errors import InputError
from tests.images.builds import docker_tags
from tests.images.published_rules import CASES, ERROR, NONE, Case


def inputs_of(case: Case) -> dict[str, str]:
    given = {
        "tags": case.tags,
        "flavor": case.flavor,
        "images": case.images,
        "short_sha_length": case.short_sha_length,
    }
    return {name: value for name, value in given.items() if value}


def named(case: Case) -> str:
    return f"{case.section}: {case.event} {case.ref} {case.tags or case.flavor or case.images}"[:90]


@pytest.mark.parametrize("case", [each for each in CASES if each.expected not in (ERROR, NONE)], ids=named)
def test_documented_rules_make_the_documented_tags(case: Case) -> None:
    """The same input gives the same tags, in the same order, and the first is the version."""
    outputs = docker_tags(case.event, case.ref, **inputs_of(case))
    assert tuple(outputs["tags"].split("\n")) == case.expected
    assert outputs["version"] == case.expected[0].rpartition(":")[2]


@pytest.mark.parametrize("case", [each for each in CASES if each.expected == ERROR], ids=named)
def test_what_is_refused_there_is_refused_here(case: Case) -> None:
    """A rule, a flavor or an image that isn't understood is a bad input, in one line."""
    with pytest.raises(InputError) as refused:
        docker_tags(case.event, case.ref, **inputs_of(case))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("case", [each for each in CASES if each.expected == NONE], ids=named)
def test_no_tag_at_all_is_an_error_that_names_the_rules(case: Case) -> None:
    """Where no tag is made (a warning there), the command fails and says which rules made none."""
    with pytest.raises(InputError, match="no rule makes a tag") as refused:
        docker_tags(case.event, case.ref, **inputs_of(case))
    assert case.tags.split("\n")[0][:60] in str(refused.value)


def test_the_table_is_as_long_as_promised() -> None:
    """The documentation's rules are covered by at least 120 different cases."""
    assert len(set(CASES)) == len(CASES) >= 120
