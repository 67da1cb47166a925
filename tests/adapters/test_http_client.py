"""The HTTP client: deadlines, limits, redirects, certificates."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from promote_actions.adapters.http_client import HttpClient, Tls, checked_url, json_of, shown
from promote_actions.errors import DependencyError, InputError
from tests.adapters.scripted_server import Asked, Reply, fixed, self_signed, serving

CLIENT = HttpClient("the service", timeout=5.0)


def test_an_answer_of_any_status_is_an_answer() -> None:
    """Only no answer is an error."""
    with serving(fixed(status=503, body=b"down", headers={"X-Why": "maintenance"})) as server:
        response = CLIENT.request("GET", server.url + "/a b?q=ü")
    assert (response.status, response.text, response.headers["x-why"]) == (503, "down", "maintenance")
    assert server.asked[0].path == "/a%20b?q=%C3%BC"


def test_credentials_do_not_follow_to_another_origin() -> None:
    """Another port is another origin; harmless headers go along."""
    secret = {"Authorization": "Bearer secret", "X-Api-Key": "secret", "Accept": "text/plain"}
    with serving(fixed(body=b"there")) as other:
        away = fixed(status=302, headers={"Location": other.url + "/x"})
        with serving(away) as first:
            assert CLIENT.request("GET", first.url, secret).text == "there"
    assert first.asked[0].headers["authorization"] == "Bearer secret"
    assert "secret" not in str(other.asked[0].headers)
    assert other.asked[0].headers["accept"] == "text/plain"


def test_credentials_stay_within_the_origin() -> None:
    """A redirect to another path of the same server keeps them."""

    def answer(asked: Asked) -> Reply:
        return Reply(302, headers={"Location": "/b"}) if asked.path == "/a" else Reply(200, b"ok")

    with serving(answer) as server:
        assert CLIENT.request("GET", server.url + "/a", {"Authorization": "Bearer secret"}).text == "ok"
    assert server.asked[1].headers["authorization"] == "Bearer secret"


def test_credentials_in_an_address_become_a_header() -> None:
    """They are sent as basic authentication, and no message shows them."""
    with serving(fixed(body=b"ok")) as server:
        url = server.url.replace("//", "//user:p%40ss@")
        CLIENT.request("GET", url)
    assert server.asked[0].headers["authorization"] == "Basic dXNlcjpwQHNz"
    with pytest.raises(DependencyError) as caught:
        CLIENT.request("GET", url)
    assert "p%40ss" not in str(caught.value)


def test_redirects_without_end_end() -> None:
    """Five, then it is said."""
    with (
        serving(fixed(status=301, headers={"Location": "/again"})) as server,
        pytest.raises(DependencyError, match="redirects more than 5 times"),
    ):
        CLIENT.request("GET", server.url)
    assert len(server.asked) == 6


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://x", "http://", "//[::1"])
def test_a_redirect_leads_to_http_only(location: str) -> None:
    """A server can't make us read files."""
    with (
        serving(fixed(status=302, headers={"Location": location})) as server,
        pytest.raises((InputError, DependencyError)),
    ):
        CLIENT.request("GET", server.url)


def test_a_post_that_is_redirected_becomes_a_get() -> None:
    """As browsers do it for 303, and for 301 and 302 after a POST."""

    def answer(asked: Asked) -> Reply:
        return Reply(303, headers={"Location": "/done"}) if asked.method == "POST" else Reply(200, b"ok")

    with serving(answer) as server:
        assert CLIENT.request("POST", server.url, body=b"x").text == "ok"
    assert [(asked.method, asked.body) for asked in server.asked] == [("POST", b"x"), ("GET", b"")]


def test_a_server_that_drips_is_cut_off() -> None:
    """Each byte comes in time; the answer as a whole doesn't."""
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100
    with (
        serving(fixed(raw=raw, drip=0.02)) as server,
        pytest.raises(DependencyError, match="no answer in time"),
    ):
        HttpClient("the service", timeout=0.5).request("GET", server.url)


def test_an_answer_without_end_is_cut_off() -> None:
    """More than the limit is refused."""
    with (
        serving(fixed(body=b"x" * 3000)) as server,
        pytest.raises(DependencyError, match="more than 1000 bytes"),
    ):
        HttpClient("the service", limit=1000).request("GET", server.url)


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"],
)
def test_what_is_no_answer_is_said(raw: bytes) -> None:
    """A broken connection, another protocol, an answer that ends too early."""
    with serving(fixed(raw=raw)) as server:
        try:
            response = CLIENT.request("GET", server.url)
        except DependencyError as error:
            assert "did not answer" in str(error)
        else:
            pytest.fail(f"{raw!r} was taken for {response}")


def test_nobody_there() -> None:
    """A refused connection and an unknown name, each by its name."""
    with serving(fixed()) as server:
        gone = server.url
    with pytest.raises(DependencyError, match="Connection refused"):
        CLIENT.request("GET", gone)
    with pytest.raises(DependencyError, match="its name is unknown"):
        CLIENT.request("GET", "http://no-such-host.invalid/")


def test_certificates(tmp_path: Path) -> None:
    """A self-signed one is refused, trusted by file, or not looked at when that is asked for."""
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    trusting = HttpClient("the service", tls=Tls(ca_file=str(certificate)))
    careless = HttpClient("the service", tls=Tls(insecure=True))
    with serving(fixed(body=b"ok"), context) as server:
        assert trusting.request("GET", server.url).text == "ok"
        assert careless.request("GET", server.url).text == "ok"
        with pytest.raises(DependencyError, match="certificate is not trusted"):
            CLIENT.request("GET", server.url)


def test_a_certificate_of_our_own(tmp_path: Path) -> None:
    """A server that asks for one gets it (mTLS)."""
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificate)
    known = HttpClient("the service", tls=Tls(str(certificate), str(certificate), str(key)))
    with serving(fixed(body=b"ok"), context) as server:
        assert known.request("GET", server.url).text == "ok"
        with pytest.raises(DependencyError):
            HttpClient("the service", tls=Tls(ca_file=str(certificate))).request("GET", server.url)


@pytest.mark.parametrize("name", ["ca_file", "cert_file"])
def test_files_that_are_no_certificates(tmp_path: Path, name: str) -> None:
    """They are named."""
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")
    with pytest.raises(InputError, match=r"cannot use the certificate files .*wrong\.pem"):
        HttpClient("the service", tls=Tls(**{name: str(wrong)})).request("GET", "https://127.0.0.1:9")


def test_a_proxy_is_used_where_the_environment_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Self-hosted runners often reach the outside only so; what NO_PROXY names goes directly."""
    with serving(fixed(body=b"from the proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//me:secret@"))
        assert CLIENT.request("GET", "http://service.example.com/x").text == "from the proxy"
        assert proxy.asked[0].path == "http://service.example.com/x"
        with serving(fixed(body=b"direct")) as server:
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            assert CLIENT.request("GET", server.url).text == "direct"


@pytest.mark.parametrize(
    "url", ["", "example.com", "http://", "ftp://x/", "http://x:99999999/", "http://[::1/", "javascript:1"]
)
def test_addresses_that_are_none(url: str) -> None:
    """Named, in one line."""
    with pytest.raises(InputError, match="the address of the service is"):
        checked_url(url, "the service")


def test_a_line_break_in_an_address_is_no_second_header() -> None:
    """It is quoted, or refused."""
    with serving(fixed(body=b"ok")) as server:
        try:
            CLIENT.request("GET", server.url + "/a\r\nX-Evil: 1")
        except (InputError, DependencyError):
            return
    assert "x-evil" not in server.asked[0].headers


def test_what_a_message_shows_of_an_address() -> None:
    """No credentials, no query, one line."""
    assert shown("https://u:p@host:1/path?token=x#y") == "https://host:1/path"
    assert shown("http://u:p@[::1]:80/x#y") == "http://[::1]:80/x"
    assert "\n" not in shown("nothing\nhere")


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"<html>", "HTML"), (b"", "nothing"), (b"nope", "no JSON"), (b"[" * 99999, "no JSON")],
)
def test_what_came_instead_of_json(body: bytes, words: str) -> None:
    """Login pages and empty bodies are the usual ones."""
    with serving(fixed(body=body)) as server:
        response = CLIENT.request("GET", server.url)
    with pytest.raises(DependencyError, match=f"answered 200 with {words}"):
        json_of(response, "the service")
