"""Mistakes in promotion.yaml: each is one line with file, line, column, the value and what is allowed."""

from __future__ import annotations

import pytest

from promote_actions.config.load import load
from promote_actions.errors import InputError, Location


def refused(data: bytes | str) -> InputError:
    raw = data.encode() if isinstance(data, str) else data
    with pytest.raises(InputError) as caught:
        load(raw, "promotion.yaml")
    return caught.value


MISTAKES = [
    # text after "version: 1\n", line, column, words in the message
    (
        "environments: {qa: {trigger: atuo}}",
        2,
        30,
        "one of auto, manual, pull-request; did you mean 'auto'",
    ),
    ("environments: {qa: {trigger: true}}", 2, 30, "qa.trigger is true; use one of auto"),
    (
        "environments: {qa: {triger: auto}}",
        2,
        21,
        "environments.qa.triger is not a known key; use one of",
    ),
    ("environments: {qa: {target_time: 1m}}", 2, 21, "did you mean 'target-time'"),
    ("enviroments: {}", 2, 1, "did you mean 'environments'"),
    ("environments: {qa: {approvals: -1}}", 2, 32, "qa.approvals is '-1'; give a whole number from 0"),
    ("environments: {qa: {approvals: 1.5}}", 2, 32, "give a whole number from 0"),
    ("environments: {qa: {approvals: yes}}", 2, 32, "qa.approvals is 'yes'"),
    ("environments: {qa: {approvals: 99999999999999999999999}}", 2, 32, "give a whole number"),
    ("environments: {qa: {success-rate: 101}}", 2, 35, "'101'; give a percentage"),
    ("environments: {qa: {success-rate: 99.9%}}", 2, 35, "without %"),
    ("environments: {qa: {success-rate: .nan}}", 2, 35, "'.nan'; give a percentage"),
    ("environments: {qa: {soak: 30x}}", 2, 27, "'30x'; give a length of time such as"),
    ("environments: {qa: {soak: -5}}", 2, 27, "give a length of time"),
    ("environments: {qa: {soak: 367d}}", 2, 27, "up to 366d"),
    ("environments: {qa: {soak: }}", 2, 26, "qa.soak is empty"),
    ("environments: {qa: {each-team: 1}}", 2, 32, "give true or false"),
    ("environments: {qa: auto}", 2, 20, "environments.qa is 'auto'; give a mapping"),
    ("environments: [qa]", 2, 15, "environments is a list"),
    ("environments: {}", 2, 15, "at least one environment"),
    ("environments: {'q a': }", 2, 16, "environments has the key 'q a'"),
    ("environments: {a..b: }", 2, 16, "environments has the key 'a..b'"),
    ('environments: {"a\\n": }', 2, 16, "environments has the key 'a\\n'"),
    ("environments: {qa: {suffix: ../x}}", 2, 29, "qa.suffix is '../x'"),
    ("environments: {qa: {labels: [a, a]}}", 2, 29, "keep each entry once"),
    (f"environments: {{qa: {{labels: [{'x' * 51}]}}}}", 2, 30, "at most 50 characters"),
    ("environments: {a: {from: b}}", 2, 26, "a.from is 'b'; use one of a"),
    ("environments: {a: {from: a}}", 2, 26, "in a circle: a ← a"),
    ("environments: {a: {from: b}, b: }", 2, 26, "in a circle: a ← b ← a"),
    ("environments: {a: {from: c}, b: {from: a}, c: }", 2, 26, "in a circle"),
    ("environments: {prod: , production: }", 2, 24, "'prod' means both prod and production"),
    ("environments: {a: {suffix: x}, b: {aliases: [y, X]}}", 2, 32, "'X' means both a and b"),
    ("environments: {qa: {lock: {until: 2026-01-01T00:00Z}}}", 2, 27, "qa.lock has no 'reason'"),
    ("environments: {qa: {lock: {reason: r, until: 2026-01-01T00:00}}}", 2, 46, "with their offset"),
    ("environments: {qa: {lock: {reason: r, until: 2026-02-30T00:00Z}}}", 2, 46, "with their offset"),
    ("environments: {qa: {gates: [http]}}", 2, 29, "qa.gates[0] is 'http'; give one check as a mapping"),
    ("environments: {qa: {freeze: {cron: x}}}", 2, 29, "give a list of windows"),
    ("environments: {qa: {freeze: [{cron: 0 0 * * *}]}}", 2, 30, "freeze[0] has no 'duration'"),
    ("environments: {qa: {freeze: [{cron: 0 0 * *, duration: 1h}]}}", 2, 37, "give five fields"),
    ("environments: {qa: {freeze: [{cron: 0 24 * * *, duration: 1h}]}}", 2, 37, "the hour 24 is not"),
    ("environments: {qa: {freeze: [{cron: 0 0 31 2 *, duration: 1h}]}}", 2, 37, "never starts"),
    ("environments: {qa: {freeze: [{cron: 0 0 1 * *, duration: 0}]}}", 2, 58, "how long the window lasts"),
    ("environments: {qa: {freeze: [{cron: 0 0 1 * *, duration: 0s}]}}", 2, 58, "is 0"),
    (
        "environments: {q: {freeze: [{cron: 0 0 1 * *, duration: 1h, timezone: Mars/Olympus}]}}",
        2,
        71,
        "no time zone 'Mars/Olympus'",
    ),
    ("environments: {q: {freeze: [{cron: 0 0 1 * *, duration: 1h, timezone: ../x}]}}", 2, 71, "IANA name"),
    (
        "environments: {q: {freeze: [{cron: 0 0 1 * *, duration: 1h, timezone: Europe}]}}",
        2,
        71,
        "no time zone 'Europe'",
    ),
    ("values: {path: 'helm/{servce}/{suffix}'}", 2, 16, "did you mean '{service}'"),
    ("values: {path: 'helm/{service.x}/{suffix}'}", 2, 16, "holds '{service.x}'"),
    ("values: {path: 'helm/{service}/{suffix'}", 2, 16, "holds '{'"),
    ("values: {path: 'helm/{service}/values.yaml'}", 2, 16, "put {suffix} or {environment} into it"),
    ("values: {path: '../{service}/{suffix}'}", 2, 16, "inside the GitOps repository"),
    ("values: {path: '/{service}/{suffix}'}", 2, 16, "inside the GitOps repository"),
    ("values: {path: '.git/{service}/{suffix}'}", 2, 16, "inside the GitOps repository"),
    ("values: {path: '{suffix}.yaml'}", 2, 16, "no services are listed"),
    ("values: {image-tag: []}", 2, 21, "values.image-tag is an empty list"),
    ("values: {image-tag: [image.tag, a..b]}", 2, 33, "'a..b' is not a path into a values file"),
    ("services: {a: , b: }\nvalues: {path: '{suffix}.yaml'}", 3, 9, "the services share the file"),
    ("services: [a]", 2, 11, "services is a list"),
    ("services: {a/b: }", 2, 12, "services has the key 'a/b'"),
    ("services: {a: {image: 'nginx:1.2'}}", 2, 23, "without tag and digest"),
    ("services: {a: {image: Ghcr.io/ORG/x}}", 2, 23, "image name such as"),
    ("services: {a: {repository: 'https://u:p@example.com/x'}}", 2, 28, "holds credentials"),
    ("services: {a: {repository: '--upload-pack=x'}}", 2, 28, "give owner/name"),
    ("services: {a: {argocd-app: '{app}'}}", 2, 28, "use one of {service}, {environment}"),
    ("drift: {warn: 30, fail: 2}", 2, 25, "below drift.warn (30)"),
    ("drift: {warn: -1}", 2, 15, "give a whole number of versions"),
    ("notify: {slack: 'true'}", 2, 17, "notify.slack is 'true'; give true or false"),
    ("notify: {slak: true}", 2, 10, "did you mean 'slack'"),
    ("audit: {identity: name}", 2, 19, "use one of login, email"),
    ("audit: {folder: ../x}", 2, 17, "inside the GitOps repository"),
    ("version: 1", 2, 1, "the key 'version' is given twice"),
    ("drift: {warn: 1, warn: 2}", 2, 18, "the key 'warn' is given twice"),
    ("\tdrift: {}", 2, 1, "a tab is used for indentation"),
    ("drift: {warn: 1", 3, 1, "not valid YAML"),
    ("---\nversion: 1", 2, 1, "a second document begins here"),
    ("drift: *d", 2, 8, "the alias '*d' has no anchor"),
    ("drift: &d {warn: *d}", 2, 18, "contains itself"),
    ("drift: {<<: 5}", 2, 13, "merges something that is no mapping"),
    ("? [a, b]\n: 1", 2, 3, "a key that is no text"),
    ("drift: !!python/object/apply:os.system [echo]", 2, 8, "is not understood"),
    ("drift: !ENV X", 2, 8, "the tag '!ENV' is not understood"),
    ("drift: " + "[" * 60, 2, 47, "nested more than 40 levels deep"),
]


@pytest.mark.parametrize(("text", "line", "column", "words"), MISTAKES)
def test_a_mistake_is_reported_with_its_place(text: str, line: int, column: int, words: str) -> None:
    """One line: file, line, column, the offending value and what is allowed."""
    error = refused(f"version: 1\n{text}\n")
    assert words in str(error)
    assert error.where == Location("promotion.yaml", line, column)
    assert "\n" not in str(error)
    assert error.hint


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty; begin it with `version: 1`"),
        (b"# nothing yet\n", "the file is empty"),
        (b"- version: 1", "promotion.yaml:1:1: the file is no mapping"),
        (b"just text", "the file is no mapping"),
        (b"{}", "promotion.yaml:1:1: the file has no 'version'; add it: `version: 1`"),
        (b"verison: 1", "did you mean 'version'"),
        (b"version: 2", "promotion.yaml:1:10: version is '2'; write 1"),
        (b"version: '1'", "write 1 without quotes"),
        (b"version: true", "version is true"),
        (b"version: 1\n\nx: \xff\n", "promotion.yaml:3: the file is not UTF-8"),
        (b"version: 1\nx: \x00\n", "promotion.yaml:2:4: not valid YAML"),
        (b"\xff\xfev\x00", "is not UTF-8"),
        (b"#" * ((1 << 20) + 1), "keep it under 1 MiB"),
        (b"[" + b"a," * 50_001 + b"]", "more than 50000 values"),
    ],
)
def test_what_is_no_configuration_is_refused(data: bytes, words: str) -> None:
    """Empty, foreign, broken and huge files each get their own words."""
    assert words in str(refused(data))


def bomb(levels: int, merge: bool) -> str:
    lines = ["version: 1", "a0: &a0 {x: 1, y: 2}"]
    for level in range(1, levels):
        before = f"*a{level - 1}"
        body = f"{{<<: [{before}, {before}, {before}]}}" if merge else f"[{', '.join([before] * 9)}]"
        lines.append(f"a{level}: &a{level} {body}")
    return "\n".join(lines)


@pytest.mark.parametrize("merge", [False, True])
def test_an_alias_bomb_is_defused(merge: bool) -> None:
    """Aliases that would expand to billions of values end in one line, not in memory."""
    assert "the aliases expand to too much" in str(refused(bomb(30, merge)))


def test_many_mistakes_are_counted() -> None:
    """The first one in the file is shown, with how many wait below."""
    error = refused("version: 1\ndrift: {warn: x}\nnotify: {slack: 3}\naudit: {identity: z}\n")
    assert error.where == Location("promotion.yaml", 2, 15)
    assert "(2 more below)" in str(error)


def test_hostile_words_stay_on_one_line() -> None:
    """A value full of line breaks and escapes can't forge a second message."""
    error = refused('version: 1\nnotify: {slack: "x\\n::error::y\\e[31m"}\n')
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
