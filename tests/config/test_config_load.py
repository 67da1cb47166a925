"""promotion.yaml: what it may say, what comes of it, and where it is read from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from promote_actions.config.load import load, load_from, load_local
from promote_actions.config.model import STRATEGY_ENVIRONMENTS, Config, Environment, Freeze, Service
from promote_actions.errors import InputError

ROOT = Path(__file__).parents[2]
STRATEGY = (Path(__file__).parent / "strategy.yaml").read_bytes()


def configured(text: str) -> Config:
    return load(("version: 1\n" + text).encode(), "promotion.yaml")


# -- what it means -----------------------------------------------------------------------------------


def test_the_strategy_written_out_is_the_default() -> None:
    """The whole matrix as a file gives the very environments that no file gives."""
    config = load(STRATEGY, "promotion.yaml")
    assert config.environments == STRATEGY_ENVIRONMENTS
    assert config.service("nexo-be") == Service(
        "nexo-be", "nexo-org/nexo-be", "ghcr.io/nexo-org/nexo-be", "nexo-be-{environment}"
    )
    assert config.values.image_digest == ("image.digest",)
    assert (config.drift_warn, config.drift_fail, config.slack) == (20, None, True)
    assert config.source == "promotion.yaml"


def test_the_shortest_file_is_the_default_but_for_its_source() -> None:
    """A file with nothing but the version of the format changes nothing."""
    assert replace(configured(""), source="the defaults") == Config()


def test_no_file_is_the_default() -> None:
    """Without a file the strategy's matrix holds."""
    assert load(None, "promotion.yaml") == Config()


def test_no_file_needs_no_library() -> None:
    """The defaults import neither ruamel.yaml nor jsonschema."""
    code = (
        "import sys; from promote_actions.config.load import load; load(None, 'x');"
        "print([m for m in ('ruamel.yaml', 'jsonschema') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "src")},
    )
    assert done.stdout.strip() == "[]"


def test_an_environment_of_the_strategy_keeps_what_is_left_out() -> None:
    """Only the key that is given differs from the strategy's production."""
    (production,) = configured("environments: {production: {approvals: 3}}").environments
    assert production == replace(STRATEGY_ENVIRONMENTS[3], approvals=3)


def test_a_new_environment_has_the_plain_defaults() -> None:
    """A name that the strategy doesn't know takes the model's defaults."""
    assert configured("environments: {canary: {soak: 5m}}").environments == (
        Environment("canary", soak=300.0),
    )


def test_the_order_of_the_file_is_the_promotion_order() -> None:
    """Each environment's source is the one before it, whatever their names sort like."""
    config = configured("environments: {z: , m: {}, a: null}")
    assert [each.name for each in config.environments] == ["z", "m", "a"]
    source = config.source_of(config.environment("a"))
    assert source is not None
    assert source.name == "m"


def test_from_overrides_the_order() -> None:
    """Two regions may both come from staging."""
    config = configured("environments: {staging: , eu: , us: {from: staging}}")
    source = config.source_of(config.environment("us"))
    assert source is not None
    assert source.name == "staging"


def test_a_freeze_has_zone_length_reason_and_who_may_override() -> None:
    """All parts of a window arrive, its length in seconds."""
    config = configured(
        """environments:
  production:
    freeze:
      - {cron: "0 18 * * FRI", duration: 62h, timezone: America/Sao_Paulo, reason: weekend,
         override: ["@nexo-org/sre", alice]}
"""
    )
    assert config.environments[0].freeze == (
        Freeze("0 18 * * FRI", 62 * 3600.0, "America/Sao_Paulo", "weekend", ("@nexo-org/sre", "alice")),
    )


@pytest.mark.parametrize(
    ("text", "reason", "until", "override"),
    [
        ("moving house", "moving house", None, ()),
        ("{reason: audit}", "audit", None, ()),
        (
            '{reason: audit, until: "2026-12-24T18:00:00Z", override: alice}',
            "audit",
            datetime(2026, 12, 24, 18, tzinfo=timezone.utc),
            ("alice",),
        ),
        ("null", "", None, ()),
    ],
)
def test_a_lock_is_a_text_or_a_mapping(
    text: str, reason: str, until: datetime | None, override: tuple[str, ...]
) -> None:
    """A lock's reason, end and override are read from either form."""
    (qa,) = configured(f"environments: {{qa: {{lock: {text}}}}}").environments
    assert (qa.lock, qa.lock_until, qa.lock_override) == (reason, until, override)


@pytest.mark.parametrize(
    ("value", "seconds"), [("90", 90.0), ("30m", 1800.0), ("1h30m", 5400.0), ("0", 0.0), ("2.5", 2.5)]
)
def test_durations_are_seconds(value: str, seconds: float) -> None:
    """A length of time is a number of seconds or a number with units."""
    assert configured(f"environments: {{qa: {{soak: {value}}}}}").environments[0].soak == seconds


def test_gates_pass_as_they_are() -> None:
    """The health gate's own settings reach it unread."""
    config = configured("environments: {qa: {gates: [{check: http, urls: [https://x/health]}]}}")
    assert config.environments[0].gates == ({"check": "http", "urls": ["https://x/health"]},)


def test_lists_may_be_one_text() -> None:
    """A single path, alias or label needs no brackets."""
    config = configured(
        "values: {image-tag: a.b, image-digest: a.c}\nenvironments: {x: {labels: l, aliases: y}}"
    )
    assert (config.values.image_tag, config.values.image_digest) == (("a.b",), ("a.c",))
    assert (config.environments[0].labels, config.environments[0].aliases) == (("l",), ("y",))


def test_audit_settings() -> None:
    """The folder and the identity of records can be set."""
    config = configured("audit: {folder: records/audit/, identity: email}")
    assert (config.audit_folder, config.identity) == ("records/audit", "email")


def test_anchors_and_merge_keys_work() -> None:
    """Environments can share settings; what an environment says itself wins."""
    config = configured(
        """environments:
  eu: &region {approvals: 2, soak: 1h}
  us: {<<: *region, soak: 2h}
  ap: {<<: [*region, {labels: x, soak: 9h}]}
"""
    )
    facts = [(each.approvals, each.soak, each.labels) for each in config.environments]
    assert facts == [(2, 3600.0, ()), (2, 7200.0, ()), (2, 3600.0, ("x",))]


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbfversion: 1\n", b"version: 1\r\n", b"%YAML 1.1\n---\nversion: 1\n"]
)
def test_harmless_spellings_are_read(data: bytes) -> None:
    """A byte order mark, CRLF and a YAML directive change nothing."""
    assert load(data, "x").environments == STRATEGY_ENVIRONMENTS


def test_a_thousand_services_are_within_the_limits() -> None:
    """The limits on size and number of values leave room for the largest teams."""
    many = "".join(
        f"  svc-{n}: {{repository: org/svc-{n}, image: ghcr.io/org/svc-{n}}}\n" for n in range(1000)
    )
    assert len(configured("services:\n" + many).services) == 1000


# -- where it is read from ---------------------------------------------------------------------------


@dataclass(frozen=True)
class FakeSnapshot:
    content: Mapping[str, bytes] = field(default_factory=dict)
    commit: str = "c" * 40
    branch: str = "main"

    def read(self, path: str) -> bytes | None:
        return self.content.get(path)

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        return {path: self.content[path] for path in paths if path in self.content}

    def files(self, folder: str = "") -> list[str]:
        return sorted(path for path in self.content if path.startswith(folder))


def test_the_repository_s_file_is_read() -> None:
    """Its path is the source that messages name."""
    config = load_from(FakeSnapshot({"promotion.yaml": b"version: 1\ndrift: {warn: 3}"}))
    assert (config.drift_warn, config.source) == (3, "promotion.yaml")


@pytest.mark.parametrize("path", ["promotion.yaml", ""])
def test_a_missing_default_file_means_the_defaults(path: str) -> None:
    """A repository without promotion.yaml follows the strategy."""
    assert load_from(FakeSnapshot(), path) == Config()


def test_another_missing_file_is_an_error() -> None:
    """A path that somebody wrote must exist."""
    with pytest.raises(
        InputError, match=r"no file 'config/p.yaml' in the GitOps repository at main \(ccccccc\)"
    ):
        load_from(FakeSnapshot(), "config/p.yaml")


def test_the_other_suffix_is_not_passed_over() -> None:
    """promotion.yml would be ignored in silence, so it is an error until it is named."""
    snapshot = FakeSnapshot({"promotion.yml": b"version: 1\nnotify: {slack: false}"})
    with pytest.raises(InputError, match=r"rename it to promotion\.yaml"):
        load_from(snapshot)
    assert load_from(snapshot, "promotion.yml").slack is False


@pytest.mark.parametrize("path", ["../promotion.yaml", "a/../../b", "a//b", "a\\b", "~/../x"])
def test_paths_out_of_the_repository_are_refused(path: str) -> None:
    """A path in the repository has no way out of it."""
    with pytest.raises(InputError, match="no path inside the GitOps repository"):
        load_from(FakeSnapshot({path: b"version: 1"}), path)


def test_a_local_file_is_told_by_its_first_character(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """./x and /x are files of this machine, and the repository is not asked."""
    (tmp_path / "mine.yaml").write_bytes(b"version: 1\nnotify: {slack: false}\n")
    monkeypatch.chdir(tmp_path)
    snapshot = FakeSnapshot({"./mine.yaml": b"version: 9"})
    assert load_from(snapshot, "./mine.yaml").slack is False
    assert load_from(snapshot, str(tmp_path / "mine.yaml")).slack is False


@pytest.mark.parametrize("path", ["./missing.yaml", "/", "./a\0b", "/dev/null/x"])
def test_a_local_file_that_cannot_be_read_is_an_error(path: str) -> None:
    """A missing file, a folder and a NUL in the name are the input's fault."""
    with pytest.raises(InputError, match="cannot read the configuration"):
        load_local(path)


def test_a_huge_local_file_is_not_read_whole() -> None:
    """An endless file ends at the limit."""
    with pytest.raises(InputError, match="keep it under 1 MiB"):
        load_local("/dev/zero")
