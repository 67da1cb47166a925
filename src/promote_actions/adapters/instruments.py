"""What a gate measures with: every service's adapter, made when a check asks for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from promote_actions.errors import InputError

if TYPE_CHECKING:
    from promote_actions.adapters.argocd import ArgoCD
    from promote_actions.adapters.forge import ForgeRepository
    from promote_actions.adapters.http_client import Tls
    from promote_actions.gates.file import File
    from promote_actions.gates.http import Answer, Request
    from promote_actions.gates.logs import LogStore
    from promote_actions.gates.prometheus import Queries

FILE_LIMIT = 64 * 1024 * 1024
"""Bytes of a report that are read at most."""


@dataclass(frozen=True)
class Instruments:
    """Where to measure and with which credentials, as the caller gave them; empty means not given.

    ``ca_file``, ``cert_file`` and ``key_file`` hold for every service, ``argocd_ca`` takes the first's
    place for Argo CD. ``request_timeout`` is seconds for one call.
    """

    argocd_server: str = ""
    argocd_token: str = ""
    argocd_namespace: str = ""
    argocd_ca: str = ""
    argocd_insecure: bool = False
    base_url: str = ""
    prometheus_url: str = ""
    prometheus_token: str = ""
    prometheus_user: str = ""
    prometheus_password: str = ""
    loki_url: str = ""
    loki_token: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    request_timeout: float = 10.0
    token: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _tls(self) -> Tls:
        from promote_actions.adapters.http_client import Tls

        return Tls(self.ca_file, self.cert_file, self.key_file)

    @cached_property
    def argocd(self) -> ArgoCD:
        """The Argo CD server; raises :class:`InputError` when none was given."""
        if not self.argocd_server:
            raise InputError("no Argo CD server was given", hint="give argocd-server")
        from promote_actions.adapters.argocd import ArgoCD
        from promote_actions.adapters.http_client import Tls

        tls = Tls(self.argocd_ca or self.ca_file, self.cert_file, self.key_file, self.argocd_insecure)
        return ArgoCD(
            self.argocd_server, self.argocd_token, tls, self.argocd_namespace, self.request_timeout
        )

    def prober(self, timeout: float | None = None) -> Callable[[Request], Answer]:
        """A function that asks an application; ``timeout`` is seconds for one exchange."""
        from promote_actions.adapters.http_probe import prober

        return prober(timeout or self.request_timeout, self._tls)

    def prometheus(self, url: str, user: str = "", tenant: str = "") -> Queries:
        """The Prometheus at ``url``, with the credentials that were given."""
        from promote_actions.adapters.prometheus import Prometheus

        return Prometheus(
            url,
            self.prometheus_token,
            self.prometheus_user or user,
            self.prometheus_password,
            tenant,
            self._tls,
            self.request_timeout,
        )

    def logs(self, url: str, tenant: str = "") -> LogStore:
        """The Loki at ``url``, with the token that was given."""
        from promote_actions.adapters.loki import Loki

        return Loki(url, self.loki_token, tenant, self._tls, self.request_timeout)

    def source(self, repository: str) -> ForgeRepository:
        """The repository ``owner/name`` on GitHub; raises :class:`InputError` when it is none."""
        from promote_actions.adapters.forge import ForgeRepository
        from promote_actions.adapters.repositories import open_repository

        found = open_repository(repository, self.token, self.env)
        if not isinstance(found, ForgeRepository):
            raise InputError(f"'{repository[:80]}' is no repository on GitHub", hint="write it owner/name")
        return found

    def file(self, path: str) -> File | None:
        """The file at ``path``, or None when there is none; raises :class:`InputError` when it can't be
        read or is larger than :data:`FILE_LIMIT`."""
        from promote_actions.gates.file import File

        try:
            with open(path, "rb") as found:
                data = found.read(FILE_LIMIT + 1)
                written = datetime.fromtimestamp(os.fstat(found.fileno()).st_mtime, timezone.utc)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its name is not valid"
            raise InputError(
                f"cannot read '{path[:200]}': {reason}", hint="check its option 'file'"
            ) from None
        if len(data) > FILE_LIMIT:
            raise InputError(f"'{path[:200]}' has more than {FILE_LIMIT} bytes", hint="give a summary")
        return File(data, written)
