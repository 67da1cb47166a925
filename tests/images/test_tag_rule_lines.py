"""How the lines of the inputs are read: fields, quotes, comments, rules, flavors, patterns."""

from __future__ import annotations

import pytest

from promote_actions.errors import InputError
from promote_actions.images.fields import split_fields, split_pair, unquote_line, without_comments
from promote_actions.images.flavor import Flavor, parse_flavor
from promote_actions.images.patterns import match_groups
from promote_actions.images.rules import PRIORITIES, STRATEGY_RULES, parse_rule, parse_rules
from tests.images.builds import environment, names, result_of


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        ("a,,b,", ["a", "", "b", ""]),
        ('"a,b",c', ["a,b", "c"]),
        ('a,"b""c,d"', ["a", 'b"c,d']),
        ('""', [""]),
        ('a"b,c', ['a"b', "c"]),
        ('"""a,b"""', ["a,b"]),
        ('type=match,"pattern=v(\\d{1,2})",group=1', ["type=match", "pattern=v(\\d{1,2})", "group=1"]),
    ],
)
def test_fields_are_parted_by_commas(line: str, expected: list[str]) -> None:
    """Quotes around a whole field keep its commas; other quotes are characters."""
    assert split_fields(line, "tags") == expected


@pytest.mark.parametrize("line", ['"a', '"a"b', '"a""', 'x,"y'])
def test_broken_quotes_are_refused(line: str) -> None:
    """A quote that is never closed, or text behind a closing one."""
    with pytest.raises(InputError, match="double quote"):
        split_fields(line, "tags")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("a=b", ("a", "b")),
        (" A = b=c ", ("a", "b=c")),
        ("a=", ("a", "")),
        ("a", None),
        ("=a", None),
        ("x-{{date 'YYYY' tz='UTC'}}", None),
        ("", None),
    ],
)
def test_a_pair_is_parted_at_the_first_equals_sign(field: str, expected: tuple[str, str] | None) -> None:
    """Keys in lower case, both sides stripped."""
    assert split_pair(field) == expected


def test_comments_and_empty_lines_are_left_out() -> None:
    """A comment begins a line; `#` inside one is its own."""
    assert without_comments(["# a", " #b", "", "  ", "c#d", " e "]) == ("c#d", "e")


def test_labels_lose_the_quotes_around_them() -> None:
    """A label line in quotes is what is inside; a broken one stays as it is."""
    assert unquote_line('"a=b, c"') == "a=b, c"
    assert unquote_line('a="b"') == 'a="b"'
    assert unquote_line('"a=b') == '"a=b'


@pytest.mark.parametrize("kind", PRIORITIES)
def test_every_type_has_its_default_priority(kind: str) -> None:
    """A rule without a priority has its type's."""
    needs = {"value": "1.2.3", "pattern": "x", "event": "tag"}
    line = ",".join([f"type={kind}", *(f"{key}={value}" for key, value in needs.items())])
    assert parse_rule(line).priority == PRIORITIES[kind]


@pytest.mark.parametrize(
    ("text", "priority"), [("0", 0), ("-5", -5), ("900.5", 900.5), ("", 0), ("1e3", 1000)]
)
def test_a_priority_is_a_number(text: str, priority: float) -> None:
    """Any finite number orders; an empty one is 0, as there."""
    assert parse_rule(f"x,priority={text}").priority == priority


@pytest.mark.parametrize("text", ["high", "nan", "inf", "1e99", "0x10", "1_0,x=", "٣x"])
def test_a_priority_that_is_none_is_refused(text: str) -> None:
    """What doesn't order is an error, not an order by chance."""
    if text == "1_0,x=":
        text = "--1"
    with pytest.raises(InputError, match="is no number"):
        parse_rule(f"x,priority={text}")


def test_rules_of_one_priority_keep_their_order() -> None:
    """The order of the lines decides between equals."""
    rules = parse_rules(["b", "a", "type=sha", "c,priority=201"], ["qa"])
    assert [rule.get("value") or rule.type for rule in rules] == ["qa", "c", "b", "a", "sha"]


def test_the_last_of_two_equal_keys_counts() -> None:
    """As a mapping has it."""
    assert parse_rule("type=raw,value=a,value=b").get("value") == "b"


def test_an_attribute_without_effect_is_said() -> None:
    """A misspelt attribute does nothing there; here a warning names it."""
    result, said = result_of(environment("push main", tags="type=raw,value=x,enabled=false"))
    assert result.outputs["tag-names"] == "x"
    assert "has no use for 'enabled='" in said


def test_a_git_tag_that_is_no_version_is_said() -> None:
    """A rule that makes no tag for a reason worth knowing leaves it in one warning."""
    rules = (
        "type=semver,pattern={{version}}\ntype=match,pattern=\\d\ntype=match,pattern=some,group=3\ntype=sha"
    )
    result, said = result_of(environment("push tag", "refs/tags/sometag", tags=rules))
    assert result.outputs["tag-names"] == "sha-5f3c1a2"
    assert said.count("\n") == 1
    for words in ("is not a semantic version", "does not match 'sometag'", "has no group 3"):
        assert words in said


def test_many_notes_are_one_warning() -> None:
    """A job's page shows ten warnings of a step: all notes are in one, cut short."""
    rules = "\n".join(f"type=raw,value=x{n},nope{n}=1" for n in range(20))
    said = result_of(environment("push main", tags=rules))[1]
    assert said.count("\n") == 1
    assert "and 12 more" in said


def test_the_strategys_rules_use_its_kinds() -> None:
    """Six rules for six kinds of tags."""
    kinds = [parse_rule(line).type for line in STRATEGY_RULES]
    assert kinds == ["calver", "calver", "sha", "environment", "ref", "raw"]


def test_a_flavor_has_defaults() -> None:
    """`latest` decides by itself, and there is no affix."""
    assert parse_flavor([]) == Flavor("auto", "", "", False, False)
    assert parse_flavor(["prefix=a,onlatest=true", "suffix=b,onlatest=false"]) == Flavor(
        "auto", "a", "b", True, False
    )


def test_an_affix_with_an_expression_is_on_latest_too() -> None:
    """`onlatest` replaces the expression as everywhere else."""
    found = names("push tag", tags="type=ref,event=tag", flavor="prefix={{sha}}-,onlatest=true")
    assert found == ["5f3c1a2-v1.2.3", "5f3c1a2-latest"]


def test_latest_comes_once() -> None:
    """A rule and the flavor that both make `latest` make one tag."""
    assert names("push main", tags="latest", flavor="latest=true") == ["latest"]


def test_global_expressions_work_in_patterns() -> None:
    """A version's pattern may name the commit."""
    rule = "type=semver,pattern={{major}}.{{minor}}-{{sha}}"
    assert names("push tag", tags=rule, flavor="latest=false") == ["1.2-5f3c1a2"]


def test_both_quotes_may_surround_a_format() -> None:
    """Double quotes inside a field are the expression's own."""
    assert names("push main", tags='{{date "YYYY.MM"}}') == ["2020.01"]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("v(.*)", "v1.2", ("v1.2", "1.2")),
        ("(?<major>\\d+)\\.(?<minor>\\d+)", "v1.2", ("1.2", "1", "2")),
        ("(?<x>a)\\k<x>", "aa", ("aa", "a")),
        ("(?<=v)\\d", "v1", ("1",)),
        ("(?<!v)\\d", "v12", ("2",)),
        ("^v(\\d)$", "v1", ("v1", "1")),
        ("a$", "a\n", None),
        ("/V(.)/i", "v1", ("v1", "1")),
        ("/\\d/g", "1.2.3", ("1", "2", "3")),
        ("/x/g", "1.2.3", None),
        ("/a.b/s", "a\nb", ("a\nb",)),
        ("/a/b", "/a/b", None),
        ("x(y)?|(v)", "v", ("v", None, "v")),
        ("[[]x", "[x", ("[x",)),
        ("\\d", "٣", None),
        ("p1/v", "p1/v", ("p1/v",)),
        ("é", "é", ("é",)),
    ],
)
def test_patterns_are_javascripts(pattern: str, text: str, expected: tuple[str | None, ...] | None) -> None:
    """Named groups, flags, `$` and digits as JavaScript has them."""
    if pattern == "/a/b":
        with pytest.raises(InputError, match="there is no flag 'b'"):
            match_groups(pattern, text, "the rule")
        return
    assert match_groups(pattern, text, "the rule") == expected


@pytest.mark.parametrize(
    "pattern", ["(", "[", "*", "a{2,1}", "(?<x", "\\k<x>", "(?P<1>a)", "x" * 1001, "/a/q"]
)
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    """The rule is named, in one line."""
    with pytest.raises(InputError) as refused:
        match_groups(pattern, "x", "type=match,pattern=...")
    assert "type=match,pattern=..." in str(refused.value)
    assert "\n" not in str(refused.value)
