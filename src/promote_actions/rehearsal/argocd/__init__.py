"""A stateful emulator of Argo CD's API that follows a real git repository.

API::

    from promote_actions.rehearsal.argocd import ArgoCDEmulator, Definition, Pace

    argocd = ArgoCDEmulator(
        "/path/to/gitops.git",                       # bare repository or checkout; its branch is followed
        [Definition("nexo-be-develop", "nexo-be", "develop",
                    "helm/nexo-be/values-develop.yaml", "ghcr.io/nexo-org/nexo-be")],
        deploy=app.deploy,                           # (service, environment, version)
        health=app.health,                           # (service, environment) -> (status, message)
        token="secret",                              # empty: no authentication
        pace=Pace(poll=0.5),
    )
    with argocd: ... argocd.url ...

``settle()`` waits until nothing is under way; ``app(name)`` is an application's state
(``override``, ``fail_with``, ``auto_sync``); ``fault`` (:class:`Fault`) spoils answers.

Served: ``GET /api/v1/applications``, ``GET|PATCH /api/v1/applications/{name}`` (``refresh``),
``PUT .../spec``, ``POST .../sync``, ``POST .../rollback``, ``GET .../resource-tree``, ``GET .../events``,
``DELETE .../operation``, ``GET /api/version``, ``GET /api/v1/session/userinfo``.
Everything else is 404, as gRPC's gateway says it.
"""

from promote_actions.rehearsal.argocd.emulator import ArgoCDEmulator, Fault
from promote_actions.rehearsal.argocd.state import Definition, Pace

__all__ = ["ArgoCDEmulator", "Definition", "Fault", "Pace"]
