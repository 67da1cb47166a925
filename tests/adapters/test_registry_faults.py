"""Registries that fail, lie, or are something else: each ends well, or in one line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from promote_actions.adapters.registry import Registry
from promote_actions.adapters.registry_http import TRIES, Clock, retry_after
from promote_actions.errors import Conflict, DependencyError, InputError, Refused
from promote_actions.rehearsal.registry import RegistryEmulator
from tests.adapters.registry_servers import (
    OCI_INDEX,
    OCI_MANIFEST,
    Asked,
    Say,
    Scripted,
    digest_of,
    push_image,
)

CONTENT = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": {}, "layers": []}).encode()
DIGEST = digest_of(CONTENT)
HELD = Say(200, CONTENT, {"Docker-Content-Digest": DIGEST, "Content-Type": OCI_MANIFEST})
API = {"Docker-Distribution-Api-Version": "registry/2.0"}
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
MISSING = Say(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}', API)


class Waits:
    """A clock that only moves when somebody waits."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def clock(self) -> Clock:
        return Clock(now=lambda: sum(self.waited), sleep=self.waited.append, chance=lambda: 0.5)


def registry(server: Scripted, waits: Waits | None = None) -> Registry:
    return Registry(server.host, env={}, clock=(waits or Waits()).clock())


def sequence(*says: Say) -> Scripted:
    """A server that gives these answers in turn, and then the last one for ever."""
    left = list(says)
    return Scripted(lambda _: left.pop(0) if len(left) > 1 else left[0])


PASSING = {
    "500": Say(500),
    "502": Say(502, b"<html>Bad gateway</html>"),
    "503": Say(503, b"", {"Retry-After": "2"}),
    "504": Say(504),
    "429": Say(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}', {"Retry-After": "3"}),
    "429 without a time": Say(429),
    "hang up": Say(hang_up=True),
    "cut": Say(200, b"{", {"Content-Type": OCI_MANIFEST}, cut=True),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_fault_that_passes_is_survived(fault: Say) -> None:
    """Reading a manifest goes on after one failure, with a wait between."""
    waits = Waits()
    with sequence(fault, HELD) as server:
        found = registry(server, waits).manifest("acme/app", "x")
    assert found is not None
    assert found.digest == DIGEST
    asked_to_wait = float(fault.headers.get("Retry-After", 0))
    assert waits.waited == [asked_to_wait or pytest.approx(0.375)]


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_fault_that_stays_ends_in_one_line(fault: Say) -> None:
    """The tries are counted, and the error is a dependency's."""
    with sequence(fault) as server, pytest.raises(DependencyError) as caught:
        registry(server).manifest("acme/app", "x")
    assert len(server.asked) == TRIES
    assert server.host in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_waits_grow() -> None:
    """Each wait is about twice as long as the one before."""
    waits = Waits()
    with sequence(Say(500)) as server, pytest.raises(DependencyError):
        registry(server, waits).resolve("acme/app", "x")
    assert waits.waited == [pytest.approx(0.375), pytest.approx(0.75), pytest.approx(1.5)]


def test_a_long_wait_is_said_and_not_waited() -> None:
    """A registry that wants an hour gets no hour of a runner."""
    waits = Waits()
    with (
        sequence(Say(429, b"", {"Retry-After": "3600"})) as server,
        pytest.raises(DependencyError, match=r"limits our requests \(429\) and asks to wait 3600 s"),
    ):
        registry(server, waits).resolve("acme/app", "x")
    assert (waits.waited, len(server.asked)) == ([], 1)


def test_nobody_there() -> None:
    """A refused connection is one line that names the registry."""
    with Scripted(lambda _: HELD) as server:
        gone = server.host
    with pytest.raises(DependencyError, match=f"the registry {gone} .*did not answer"):
        Registry(gone, env={}, clock=Waits().clock()).resolve("acme/app", "x")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5.0), (" 0 ", 0.0), ("", None), ("soon", None), ("-1", None), ("1e3", None), ("9" * 20, None)],
)
def test_retry_after_in_seconds(value: str, seconds: float | None) -> None:
    """Only whole seconds count."""
    assert retry_after(value) == seconds


def test_retry_after_as_a_date() -> None:
    """A date is as far away as it is; one in the past is now."""
    later = format_datetime(datetime.now(timezone.utc) + timedelta(minutes=10), usegmt=True)
    found = retry_after(later)
    assert found is not None
    assert 500 < found < 700
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


# -- lies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "questions"),
    [
        (Say(200, b"", {"Content-Type": OCI_MANIFEST}), 2),
        (Say(200, b"", {"Docker-Content-Digest": "sha256:nonsense"}), 2),
        (Say(405), 2),
        (Say(400), 2),
        (Say(404), 2),
    ],
    ids=["no digest", "a bad digest", "no HEAD", "a refused HEAD", "a bare 404"],
)
def test_the_bytes_are_hashed_when_there_is_no_digest(head: Say, questions: int) -> None:
    """A registry without the digest header (it is optional) still gives a digest."""
    with Scripted(lambda asked: head if asked.method == "HEAD" else HELD) as server:
        assert registry(server).resolve("acme/app", "x") == DIGEST
    assert len(server.asked) == questions


OTHER = "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("reference", "stated"), [("x", OTHER), (OTHER, OTHER), (OTHER, ""), (DIGEST, OTHER)]
)
def test_bytes_that_are_not_their_digest(reference: str, stated: str) -> None:
    """Changed content is never taken, whoever states the digest."""
    headers = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": stated}
    with (
        sequence(Say(200, CONTENT, headers)) as server,
        pytest.raises(DependencyError, match="other bytes than its digest"),
    ):
        registry(server).manifest("acme/app", reference)


def test_a_sha512_digest_is_verified_too() -> None:
    """A registry may state the digest by another algorithm."""
    stated = "sha512:" + hashlib.sha512(CONTENT).hexdigest()
    with sequence(Say(200, CONTENT, {**HELD.headers, "Docker-Content-Digest": stated})) as server:
        found = registry(server).manifest("acme/app", stated)
    assert found is not None
    assert found.digest == stated


@pytest.mark.parametrize(
    ("say", "words"),
    [
        (Say(200, b"<html>Log in", {"Content-Type": "text/html"}), "type 'text/html', which is no image"),
        (Say(200, b"{}", {"Content-Type": "application/json"}), "of the type 'application/json'"),
        (Say(200, b"{}", {"Content-Type": SCHEMA_1}), "manifest.v1.prettyjws', which is no image"),
        (Say(200, b""), "of the type 'unknown'"),
        (Say(404, b"<html>Not found</html>", {"Content-Type": "text/html"}), "answered 404 to reading"),
        (Say(406, b'{"errors":[{"code":"X","message":"no"}]}'), "answered 406 to reading .*: X no"),
        (Say(200, b"{" + b" " * (5 << 20), {"Content-Type": OCI_MANIFEST}), "more than 4194304 bytes"),
    ],
    ids=["login page", "json", "schema 1", "empty", "web server's 404", "406", "huge"],
)  # fmt: skip
def test_what_is_no_registry(say: Say, words: str) -> None:
    """A login page, a web server's 404 and other types are not 'missing' and not an image."""
    with sequence(say) as server, pytest.raises(DependencyError, match=words):
        registry(server).manifest("acme/app", "x")


def test_the_type_may_be_inside() -> None:
    """A registry that serves manifests as plain JSON is understood by the manifest's own words."""
    with sequence(Say(200, CONTENT, {"Content-Type": "application/json; charset=utf-8"})) as server:
        found = registry(server).manifest("acme/app", "x")
    assert found is not None
    assert found.media_type == OCI_MANIFEST


def test_hostile_words_stay_on_one_line() -> None:
    """What a registry says can't forge a second message."""
    body = json.dumps({"errors": [{"code": "X", "message": "a\n::error::b\x1b[2J" + "c" * 9999}]}).encode()
    with sequence(Say(400, body)) as server, pytest.raises(DependencyError) as caught:
        registry(server).put("acme/app", "x", CONTENT, OCI_MANIFEST)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500


# -- writing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("say", "error", "words"),
    [
        (Say(405, b'{"errors":[{"code":"UNSUPPORTED","message":"no"}]}'), InputError, "read-only"),
        (Say(403), InputError, "lets nobody write to acme/app"),
        (Say(409), Refused, "give the image a new version"),
        (
            Say(400, b'{"errors":[{"code":"TAG_INVALID","message":"The image tag is immutable"}]}'),
            Refused,
            "The image tag is immutable",
        ),
        (Say(201, b"", {"Docker-Content-Digest": OTHER}), DependencyError, "not as what was sent"),
    ],
)
def test_a_write_that_is_not_taken(say: Say, error: type[Exception], words: str) -> None:
    """Each reason has its kind of error: what we may not, what may not be, what failed."""
    with sequence(say) as server, pytest.raises(error, match=words):
        registry(server).put("acme/app", "x", CONTENT, OCI_MANIFEST)


class Flaky:
    """A registry in memory in front of which one request fails: before it is done, or after."""

    def __init__(self, emulator: RegistryEmulator, failing: int, after: bool, times: int = 1) -> None:
        self.emulator, self.failing, self.after, self.left = emulator, failing, after, times
        self.count = -1

    def answer(self, asked: Asked) -> Say:
        self.count += 1
        if self.count >= self.failing and self.left:
            self.left -= 1
            if self.after:
                self.emulator.answer(asked.method, asked.path, asked.headers, asked.body)
            return Say(hang_up=True)
        done = self.emulator.answer(asked.method, asked.path, asked.headers, asked.body)
        return Say(done.status, done.body, {**done.headers, **API})


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("failing", range(4), ids=["HEAD", "GET", "PUT", "re-read"])
def test_moving_survives_one_lost_connection_anywhere(failing: int, after: bool) -> None:
    """Whichever request is lost, done or not, the tag ends where it should."""
    with RegistryEmulator() as emulator:
        digest = push_image(emulator.host, "acme/app", "1.0", b"layer")
        flaky = Flaky(emulator, failing, after)
        with Scripted(flaky.answer) as server:
            assert registry(server).move_tag("acme/app", "qa", digest).move
        assert emulator.tags("acme/app")["qa"] == digest
        assert flaky.left == 0


@pytest.mark.parametrize("failing", range(4), ids=["HEAD", "GET", "PUT", "re-read"])
def test_moving_that_fails_for_good_is_finished_by_the_next_run(failing: int) -> None:
    """A run that ends in the middle leaves the old tag or the new one, and the next run completes it."""
    with RegistryEmulator() as emulator:
        old = push_image(emulator.host, "acme/app", "qa", b"old")
        new = push_image(emulator.host, "acme/app", "1.0", b"new")
        with (
            Scripted(Flaky(emulator, failing, after=False, times=99).answer) as server,
            pytest.raises(DependencyError),
        ):
            registry(server).move_tag("acme/app", "qa", new)
        assert emulator.tags("acme/app")["qa"] in (old, new)
        Registry(emulator.host, env={}).move_tag("acme/app", "qa", new)
        assert emulator.tags("acme/app")["qa"] == new


def reads(*digests: str) -> Iterator[Say]:
    for digest in digests:
        yield Say(200, b"", {"Docker-Content-Digest": digest, **API})


def test_a_tag_that_shows_late_is_waited_for() -> None:
    """A registry whose readings lag behind its writings is read again."""
    readings = reads(OTHER, OTHER, DIGEST)
    waits = Waits()

    def answer(asked: Asked) -> Say:
        return next(readings) if asked.method == "HEAD" else Say(201) if asked.method == "PUT" else HELD

    with Scripted(answer) as server:
        assert registry(server, waits).move_tag("acme/app", "qa", DIGEST).previous == OTHER
    assert waits.waited == [1.0]


def test_a_tag_that_somebody_else_moved_is_a_conflict() -> None:
    """When another digest stays there, the run says so instead of claiming success."""
    readings = reads(OTHER, OTHER, OTHER, OTHER)

    def answer(asked: Asked) -> Say:
        return next(readings) if asked.method == "HEAD" else Say(201) if asked.method == "PUT" else HELD

    with Scripted(answer) as server, pytest.raises(Conflict, match="somebody else moves it too"):
        registry(server).move_tag("acme/app", "qa", DIGEST)


@pytest.mark.parametrize("digest", ["", "latest", "sha256:abc", "md5:" + "0" * 32, DIGEST.upper()])
def test_what_is_no_digest_is_never_moved(digest: str) -> None:
    """Only a full digest says which image is meant."""
    with sequence(HELD) as server, pytest.raises(InputError, match="is no digest"):
        registry(server).move_tag("acme/app", "qa", digest)
    assert not server.asked


def test_every_reading_asks_for_all_types() -> None:
    """A 404 means missing only when all four types were asked for."""
    with sequence(MISSING) as server:
        assert registry(server).resolve("acme/app", "x") is None
        assert registry(server).manifest("acme/app", "x") is None
    for asked in server.asked:
        for kind in ("manifest.v1+json", "index.v1+json", "manifest.v2+json", "manifest.list.v2+json"):
            assert kind in asked.headers["accept"]
    assert OCI_INDEX in server.asked[0].headers["accept"]
