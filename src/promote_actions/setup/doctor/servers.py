"""Whether the servers that gates ask know what they will be asked. Pure: the servers are handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from promote_actions.config.model import Config, Environment
from promote_actions.errors import DependencyError, PromoteError
from promote_actions.gates import http, prometheus
from promote_actions.gates.argocd import Applications
from promote_actions.gates.config import target_of
from promote_actions.gates.options import Options
from promote_actions.setup.doctor.finding import Finding, doubtful, few, from_error, right, wrong
from promote_actions.setup.doctor.repository import Cell


def argocd(config: Config, cells: Sequence[Cell], server: Applications) -> Iterator[Finding]:
    """Whether Argo CD has an application for each cell with a version, and deploys by itself."""
    problems, by_hand, seen = [], [], 0
    for cell in cells:
        if not cell.live:
            continue
        name = config.service(cell.service).application(cell.environment.name)
        try:
            found = server.application(name)
        except PromoteError as error:
            problems.append(from_error("argocd", error))
            if isinstance(error, DependencyError) and not seen:
                break  # it is the server, not the application
            continue
        seen += 1
        if not found.auto_sync:
            by_hand.append(
                doubtful("argocd", f"{name} is synced by hand", "a promotion waits for somebody")
            )
    if seen:
        yield right("argocd", f"{seen} applications are there and may be read")
    yield from few(list(dict.fromkeys(problems)))
    yield from few(by_hand)


def metrics(
    config: Config, cells: Sequence[Cell], server: prometheus.Queries, window: str = "5m"
) -> Iterator[Finding]:
    """Whether Prometheus answers, and has series for what the gates will ask."""
    silent, heard = [], 0
    for cell in cells:
        options = _metric_options(config, cell.environment)
        if options is None or not cell.live:
            continue
        names = {
            "service": cell.service,
            "environment": cell.environment.name,
            "version": cell.live.version,
        }
        settings = prometheus.parse(Options("prometheus", options, (*prometheus.KNOWN, "check")), names)
        text = (settings.traffic or settings.query).replace("{window}", window)
        if server.query(text).samples:
            heard += 1
        else:
            fix = "set `selector` or `query` of the gate in promotion.yaml"
            silent.append(doubtful("prometheus", f"there is no series for {text}", fix))
    if heard or silent:
        yield right("prometheus", f"it answers, and has series for {heard} of {heard + len(silent)} gates")
    else:
        yield doubtful(
            "prometheus", "no gate asks it", "add `check: prometheus` to gates in promotion.yaml"
        )
    yield from few(silent)


def _metric_options(config: Config, environment: Environment) -> Mapping[str, object] | None:
    """The options of the metric gate that ``environment`` must pass; None when it must pass none."""
    target = target_of(config, environment, "")
    gates = target.gates if target else ()
    if not gates:
        return {} if target else None
    return next((gate for gate in gates if gate.get("check") == "prometheus"), None)


def images(
    config: Config, cells: Sequence[Cell], resolve: Callable[[str, str], str | None]
) -> Iterator[Finding]:
    """Whether the registry has the image that each service runs; ``resolve`` gives a digest or None."""
    problems, seen = [], 0
    asked: set[str] = set()
    for cell in cells:
        image = config.service(cell.service).image
        if not image or not cell.live or cell.service in asked:
            continue
        asked.add(cell.service)
        tag = cell.live.version
        try:
            digest = resolve(image, tag)
        except PromoteError as error:
            problems.append(from_error("registry", error))
            continue
        if digest is None:
            said = f"{image}:{tag}, which {cell.environment.name} runs, is not there"
            problems.append(wrong("registry", said, "check `image` in promotion.yaml, and push it"))
        else:
            seen += 1
    if seen:
        yield right("registry", f"{seen} images are there and may be read")
    yield from few(problems)
    if not asked:
        fix = "name `image` of each service in promotion.yaml, and digests are recorded and compared"
        yield doubtful("registry", "no service names its image", fix)


def smoke(config: Config, cells: Sequence[Cell], base_url: str, ask: http.Ask) -> Iterator[Finding]:
    """Whether each service answers where smoke tests will ask."""
    problems, seen = [], 0
    for cell in cells:
        if not cell.live or target_of(config, cell.environment, "") is None:
            continue
        names = {"service": cell.service, "environment": cell.environment.name}
        url = http.place(base_url.rstrip("/"), names) + http.DEFAULT_PATHS[0]
        answer = ask(http.Request(url))
        if answer.status == 200:
            seen += 1
        else:
            said = answer.error or f"it answers {answer.status}"
            problems.append(doubtful("smoke tests", f"{url}: {said}", "check base-url, or the service"))
    if seen:
        yield right("smoke tests", f"{seen} services answer {http.DEFAULT_PATHS[0]}")
    yield from few(problems)
