"""What the names in expressions mean for one build: ``{{sha}}``, ``{{branch}}``, ``{{date 'YYYY'}}``.

The global expressions of docker/metadata-action
(https://github.com/docker/metadata-action#global-expressions), the strategy's ``{{ctx.server}}`` and
its siblings, and ``{{calver}}``.
"""

from __future__ import annotations

from collections.abc import Mapping

from promote_actions.errors import InputError, one_line
from promote_actions.images.context import Build
from promote_actions.images.expressions import Helper, Scope


def scope_of(build: Build, *, version: str, short_sha: str, now: float, committed: float | None) -> Scope:
    """The names for ``build``; ``now`` and ``committed`` (None: as ``now``) are seconds since 1970."""
    owner, _, repo = build.repository.partition("/")
    on_default = "true" if build.is_default_branch else "false"
    return {
        "branch": build.branch,
        "tag": build.tag,
        "sha": short_sha,
        "base_ref": build.base_ref,
        "is_default_branch": on_default,
        "is_not_default_branch": "false" if on_default == "true" else "true",
        "date": _date_helper(now),
        "commit_date": _date_helper(now if committed is None else committed),
        "calver": version,
        "ctx.server": build.server,
        "ctx.owner": owner,
        "ctx.repo": repo,
        "ctx.repository": build.repository,
        "ctx.ref": build.ref,
        "ctx.sha": build.sha,
        "ctx.event": build.event,
        **{f"ctx.{name}": value for name, value in build.run.items()},
    }


def _date_helper(epoch: float) -> Helper:
    def write(pattern: str | None, options: Mapping[str, str]) -> str:
        from promote_actions.images.moments import at, format_moment

        for key in options:
            if key != "tz":
                raise InputError(
                    f"a date has no option '{one_line(key[:40])}'",
                    hint="write {{date 'YYYYMMDD' tz='UTC'}}",
                )
        return format_moment(at(epoch, options.get("tz", "UTC")), pattern)

    return write
