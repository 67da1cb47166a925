"""Registries for tests: Debian's docker-registry, a server of signed tokens, one that follows a script."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
ALL_TYPES = {"Accept": ", ".join((OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST))}

USER, PASSWORD = "alice", "correct horse"
HTPASSWD = f"{USER}:$2b$04$/8a.qw497xZvMK98KOko9.qKNeh2WLXXn3dXo8wBv3thI7Avfsqey\n"


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


# -- asking without our own client -----------------------------------------------------------------


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> str:
        """The code of the API's error."""
        return str(json.loads(self.body)["errors"][0]["code"])


def ask(
    host: str, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, found, answer.read())
    finally:
        connection.close()


def push_blob(host: str, repository: str, content: bytes, headers: Mapping[str, str] | None = None) -> str:
    begun = ask(host, "POST", f"/v2/{repository}/blobs/uploads/", b"", headers)
    assert begun.status == 202, begun
    where = urlsplit(begun.headers["location"])
    digest = digest_of(content)
    query = f"{where.query}&" if where.query else ""
    done = ask(host, "PUT", f"{where.path}?{query}digest={digest}", content, headers)
    assert done.status == 201, done
    return digest


def image(host: str, repository: str, layer: bytes, kind: str = OCI_MANIFEST) -> bytes:
    """Push the blobs of an image of one layer; returns its manifest."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers"}}).encode()
    word = "oci.image" if kind == OCI_MANIFEST else "docker"
    types = (f"application/vnd.{word}.config.v1+json", f"application/vnd.{word}.layer.v1.tar")
    if kind == DOCKER_MANIFEST:
        types = (
            "application/vnd.docker.container.image.v1+json",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        )
    parts = [
        {"mediaType": each, "digest": push_blob(host, repository, blob), "size": len(blob)}
        for each, blob in zip(types, (config, layer), strict=True)
    ]
    return json.dumps(
        {"schemaVersion": 2, "mediaType": kind, "config": parts[0], "layers": parts[1:]}, indent=3
    ).encode()


def index(children: list[bytes], kind: str = OCI_INDEX) -> bytes:
    child = OCI_MANIFEST if kind == OCI_INDEX else DOCKER_MANIFEST
    entries = [
        {
            "mediaType": child,
            "digest": digest_of(each),
            "size": len(each),
            "platform": {"architecture": arch, "os": "linux"},
        }
        for each, arch in zip(children, ("amd64", "arm64"), strict=False)
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode()


def put_manifest(host: str, repository: str, reference: str, content: bytes, kind: str) -> Reply:
    return ask(host, "PUT", f"/v2/{repository}/manifests/{reference}", content, {"Content-Type": kind})


def push_image(host: str, repository: str, tag: str, layer: bytes, kind: str = OCI_MANIFEST) -> str:
    manifest = image(host, repository, layer, kind)
    done = put_manifest(host, repository, tag, manifest, kind)
    assert done.status == 201, done
    return digest_of(manifest)


# -- the real one ----------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def docker_registry(folder: Path, auth: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Debian's docker-registry on loopback; gives its host with port. Skips where it isn't installed."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("the real registry is NOT tested: apt-get install docker-registry")
    host = f"127.0.0.1:{free_port()}"
    config: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
        "http": {"addr": host},
    }
    if auth:
        config["auth"] = auth
    file = folder / "config.yml"
    file.write_text(json.dumps(config))
    log = (folder / "log").open("wb")
    process = subprocess.Popen([program, "serve", str(file)], stdout=log, stderr=log)
    try:
        _wait(host, process, folder / "log")
        yield host
    finally:
        process.terminate()
        process.wait(10)
        log.close()


def _wait(host: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(500):
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            ask(host, "GET", "/v2/")
            return
        time.sleep(0.02)
    raise AssertionError(f"docker-registry did not start: {log.read_text()}")


# -- a server that follows a script ----------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Say:
    """One answer: ``cut`` closes the connection in the middle, ``hang_up`` before any answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    hang_up: bool = False


Script = Callable[[Asked], Say]


class Scripted:
    """An HTTP server whose answers a function gives; ``asked`` is everything that came."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _scripted_handler(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Scripted:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _scripted_handler(server: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            server.asked.append(asked)
            say = server.script(asked)
            if say.hang_up:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(say.status)
            length = len(say.body) + (100 if say.cut else 0)
            for name, value in {"Content-Length": str(length), **say.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(say.body)

        do_GET = do_HEAD = do_PUT = do_POST = _respond  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def server_tls(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """TLS for a server called localhost, and the file of the certificate that vouches for it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "server.pem", folder / "server.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context, pem


# -- tokens that docker-registry believes ------------------------------------------------------------


class TokenServer:
    """Signs tokens as the distribution project's token specification says.

    ``users`` may push and pull, others may pull what is in ``public``. ``asked`` holds each request's
    query or form.
    """

    ISSUER = "test issuer"
    SERVICE = "test registry"

    def __init__(
        self, folder: Path, users: Mapping[str, str], public: frozenset[str] = frozenset()
    ) -> None:
        self.users, self.public = users, public
        self.asked: list[Mapping[str, str]] = []
        self.certificate = folder / "certificate.pem"
        self._key, self._x5c = self._make_certificate()
        self._server = Scripted(self._answer)

    def _make_certificate(self) -> tuple[Any, str]:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.ISSUER)])
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return key, base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()

    @property
    def auth(self) -> Mapping[str, Any]:
        """What a docker-registry that trusts this server has in its configuration."""
        return {
            "token": {
                "realm": f"http://{self._server.host}/token",
                "service": self.SERVICE,
                "issuer": self.ISSUER,
                "rootcertbundle": str(self.certificate),
            }
        }

    def __enter__(self) -> TokenServer:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    def _answer(self, asked: Asked) -> Say:
        text = asked.body.decode() if asked.method == "POST" else urlsplit(asked.path).query
        query = {key: values[0] for key, values in parse_qs(text).items()}
        self.asked.append(query)
        user = self._user(asked, query)
        if user is None:
            return Say(401, b'{"details":"incorrect username or password"}')
        token = self._token(user, query.get("scope", ""))
        return Say(200, json.dumps({"access_token" if asked.method == "POST" else "token": token}).encode())

    def _user(self, asked: Asked, query: Mapping[str, str]) -> str | None:
        if asked.method == "POST":
            wanted = query.get("refresh_token", "")
            return next((user for user, password in self.users.items() if password == wanted), None)
        authorization = asked.headers.get("authorization", "")
        if not authorization:
            return ""
        user, _, password = base64.b64decode(authorization.partition(" ")[2]).decode().partition(":")
        return user if self.users.get(user) == password else None

    def _token(self, user: str, scope: str) -> str:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        granted = actions.split(",") if user in self.users else ["pull"] if name in self.public else []
        now = int(time.time())
        claims = {
            "iss": self.ISSUER, "sub": user, "aud": self.SERVICE, "jti": str(uuid.uuid4()),
            "nbf": now - 10, "iat": now, "exp": now + 60,
            "access": [{"type": kind, "name": name, "actions": granted}] if granted else [],
        }  # fmt: skip
        header = {"typ": "JWT", "alg": "ES256", "x5c": [self._x5c]}
        signed = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
        r, s = utils.decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
