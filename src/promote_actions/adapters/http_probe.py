"""Asking an application's own addresses, for the gate's smoke tests."""

from __future__ import annotations

from collections.abc import Callable

from promote_actions.adapters.http_client import HttpClient, Tls
from promote_actions.errors import DependencyError
from promote_actions.gates.http import Answer, Request


def prober(timeout: float = 10.0, tls: Tls | None = None) -> Callable[[Request], Answer]:
    """A function that asks and never raises for what the network does: no answer is an answer too.

    Redirects are followed; headers of the request stay behind when one leads to another origin.
    ``timeout`` is seconds for a whole exchange.
    """
    client = HttpClient("the service", tls=tls or Tls(), timeout=timeout)

    def ask(request: Request) -> Answer:
        try:
            response = client.request(request.method, request.url, request.headers)
        except DependencyError as error:
            return Answer(0, error=error.message, unknown_host="name is unknown" in error.message)
        return Answer(response.status, response.body, response.seconds)

    return ask
