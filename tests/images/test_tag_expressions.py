"""The expressions in double braces, alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.images.expressions import Scope, is_only, render


def spell(pattern: str | None, options: Mapping[str, str]) -> str:
    return f"<{pattern}|{','.join(f'{key}:{value}' for key, value in options.items())}>"


SCOPE: Scope = {"sha": "abc", "empty": "", "no": "false", "yes": "true", "ctx.owner": "o&o", "date": spell}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("}} {", "}} {"),
        ("{{sha}}", "abc"),
        ("{{ sha }}", "abc"),
        ("{{{sha}}}", "abc"),
        ("{{&sha}}", "abc"),
        ("a{{sha}}b{{sha}}c", "aabcbabcc"),
        ("{{empty}}x", "x"),
        ("{{ctx.owner}}", "o&o"),
        ("{{date 'Y'}}", "<Y|>"),
        ('{{date "Y M"}}', "<Y M|>"),
        ("{{date 'Y' tz='Asia/Tokyo'}}", "<Y|tz:Asia/Tokyo>"),
        ("{{date tz=UTC 'Y'}}", "<Y|tz:UTC>"),
        ("{{date Y}}", "<None|>"),
        ("{{date 'it\\'s'}}", "<it's|>"),
        ("{{! a comment }}x", "x"),
        ("{{!-- a }} comment --}}x", "x"),
        ("a {{~sha~}} b", "aabcb"),
        ("\\{{sha}}", "{{sha}}"),
        ("\\\\{{sha}}", "\\abc"),
        ("a\\{{sha", "a{{sha"),
        ("{{#if yes}}a{{/if}}", "a"),
        ("{{#if no}}a{{/if}}", ""),
        ("{{#if empty}}a{{else}}b{{/if}}", "b"),
        ("{{#unless no}}a{{else}}b{{/unless}}", "a"),
        ("{{#if yes}}{{#if no}}a{{else}}b{{/if}}c{{/if}}d", "bcd"),
        ("{{#if no}}{{sha}}{{else}}{{sha}}-{{/if}}x", "abc-x"),
        ("{{#if no}}{{unknown}}{{/if}}x", "x"),
    ],
)
def test_expressions_are_replaced(template: str, expected: str) -> None:
    """Names, helpers with options, comments, white space control, escapes and blocks."""
    assert render(template, SCOPE, "here") == expected


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{nope}}", "there is no expression '{{nope}}'"),
        ("{{ctx.nope}}", "'{{ctx.nope}}'"),
        ("{{}}", "'{{}}'"),
        ("{{ .Version }}", "'{{.Version}}'"),
        ("{{'sha'}}", "there is no expression"),
        ("{{sha", "is never closed"),
        ("{{{sha}}", "is never closed"),
        ("{{sha 'x'}}", "takes no argument"),
        ("{{date}}", "needs one argument"),
        ("{{date 'a' 'b'}}", "needs one argument"),
        ("{{date 'a}}", "there is no expression"),
        ("{{#each x}}{{/each}}", "'{{#each x}}'"),
        ("{{#if}}{{/if}}", "'{{#if}}'"),
        ("{{#if yes}}a", "{{#if}} is never closed"),
        ("{{/if}}", "closes no block"),
        ("{{#if yes}}{{/unless}}", "closes no block"),
        ("{{else}}", "stands outside a block"),
        ("{{> partial}}", "'{{>}}'"),
    ],
)
def test_what_is_no_expression_is_named(template: str, words: str) -> None:
    """A mistake is an error with the expression and its place, never an empty text."""
    with pytest.raises(InputError) as refused:
        render(template, SCOPE, "the rule 'x'")
    assert words in str(refused.value)
    assert "the rule 'x'" in str(refused.value)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        *(("{{raw}}", True), ("{{ raw }}", True), ("{{raw }}", True), ("{{{raw}}}", True)),
        *(("{{raw}}.{{version}}", False), ("x{{raw}}", False), ("{{version}}", False), ("raw", False)),
    ],
)
def test_one_expression_alone(template: str, expected: bool) -> None:
    """`{{raw}}` and nothing around it keeps a pre-release's own spelling."""
    assert is_only(template, "raw") is expected


@given(
    st.lists(
        st.sampled_from(
            ["{{", "}}", "{{{", "sha", "#if ", "/if", "else", "yes", "~", "'", "\\", "x", " ", "!"]
        )
    )
)
@settings(max_examples=300, deadline=None)
def test_any_template_is_rendered_or_refused(pieces: list[str]) -> None:
    """No text makes it fail in another way, and none makes it run for ever."""
    try:
        rendered = render("".join(pieces), SCOPE, "here")
    except InputError as refused:
        assert "\n" not in str(refused)
    else:
        assert isinstance(rendered, str)
