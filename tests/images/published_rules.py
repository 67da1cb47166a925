"""What docker/metadata-action documents that its rules make, as data.

Written from its documentation (https://github.com/docker/metadata-action, version 6) and the
behaviour that it describes: for a build and rules, the tags in their order; the first is the version.
``ERROR`` stands where it refuses the input, ``NONE`` where it makes no tag (which is an error here).
The clock is at 2020-01-10T00:30:00Z.
"""

from __future__ import annotations

from typing import NamedTuple

ERROR = ("ERROR",)
NONE = ("NONE",)

MAIN, BRANCH, TAG, PR = "push main", "push branch", "push tag", "pull request"


class Case(NamedTuple):
    """One row: the section of the documentation, the build, what is given, and what comes out.

    ``ref`` replaces the event's own. Images are left out where they don't matter.
    """

    section: str
    event: str
    tags: str
    expected: tuple[str, ...]
    ref: str = ""
    flavor: str = ""
    images: str = ""
    short_sha_length: str = ""


def tagged(name: str) -> str:
    return f"refs/tags/{name}"


SEMVER_PAIR = "\n".join(
    (
        "type=ref,event=branch",
        "type=ref,event=pr",
        "type=semver,pattern={{version}}",
        "type=semver,pattern={{major}}.{{minor}}",
    )
)
BETA = tagged("v2.0.8-beta.67")

BASIC = (
    Case("basic", PR, "", ("pr-17",)),
    Case("basic", "pull request target", "", ("pr-17",)),
    Case("basic", MAIN, "", ("main",)),
    Case("basic", MAIN, "", ("releases-v1",), "refs/heads/releases/v1"),
    Case("basic", BRANCH, "", ("feature-Foo_Bar-1",)),
    Case("basic", TAG, "", ("v1.2.3", "latest")),
    Case("basic", TAG, "", ("v2.0.8-beta.67", "latest"), BETA),
    Case("basic", "workflow_dispatch", "", ("main",)),
    Case("basic", "schedule", "", ("nightly", "main")),
    Case("basic", "release", "", ("v1.2.3", "latest")),
    Case("basic", TAG, "# only a comment", ("release1", "latest"), tagged("release1")),
    Case("basic", TAG, "", ("20200110-RC2", "latest"), tagged("20200110-RC2")),
    Case("semver", PR, SEMVER_PAIR, ("pr-17",)),
    Case("semver", MAIN, SEMVER_PAIR, ("main",)),
    Case("semver", MAIN, SEMVER_PAIR, ("releases-v1",), "refs/heads/releases/v1"),
    Case("semver", TAG, SEMVER_PAIR, ("1.2.3", "1.2", "latest")),
    Case("semver", TAG, SEMVER_PAIR, ("2.0.8-beta.67",), BETA),
    Case("bake", TAG, SEMVER_PAIR + "\ntype=sha", ("1.2.3", "1.2", "sha-5f3c1a2", "latest")),
)

IMAGES = (
    Case("images", MAIN, "", ("name/app:main",), images="name/app"),
    Case(
        "images", MAIN, "", ("name/foo:main", "ghcr.io/name/bar:main"), images="name/foo\nghcr.io/name/bar"
    ),
    Case(
        "images",
        MAIN,
        "",
        ("name/foo:main", "ghcr.io/name/bar:main"),
        images="name=name/foo\nname=ghcr.io/name/bar",
    ),
    Case("images", MAIN, "", ("name/foo:main", "name/bar:main"), images="name/foo,name/bar"),
    Case("images", MAIN, "", ("org/app:main",), images="org/app\nghcr.io/user/app,enable=false"),
    Case(
        "images",
        MAIN,
        "",
        ("name/bar:main", "ghcr.io/name/foo:main"),
        images="name=name/bar\nname/foo,enable=false\nname=ghcr.io/name/foo,enable=true",
    ),
    Case("images", MAIN, "", ("ghcr.io/myuser/myapp:main",), images="ghcr.io/MyUSER/MyApp"),
    Case(
        "images",
        TAG,
        "",
        ("org/app:v1.2.3", "org/app:latest", "ghcr.io/user/app:v1.2.3", "ghcr.io/user/app:latest"),
        images="org/app\nghcr.io/user/app",
    ),
    Case(
        "images",
        MAIN,
        "",
        ("moby/buildkit:main", "ghcr.io/moby/mbuildkit:main"),
        images="moby/buildkit\n#comment\nghcr.io/moby/mbuildkit",
    ),
    Case("images", MAIN, "", ERROR, images="value=name/foo"),
    Case("images", MAIN, "", ERROR, images="name/foo,enable=bar"),
    Case("images", MAIN, "", ERROR, images="name/foo,bar=baz"),
    Case("images", MAIN, "", ERROR, images="name=,enable=true"),
)

FLAVOR = (
    Case("flavor", TAG, "", ("v1.2.3", "latest"), flavor="latest=auto"),
    Case("flavor", TAG, "", ("v1.2.3",), flavor="latest=false"),
    Case("flavor", MAIN, "", ("main", "latest"), flavor="latest=true"),
    Case("flavor", MAIN, "", ("p-main",), flavor="prefix=p-"),
    Case("flavor", MAIN, "", ("main-alpine",), flavor="suffix=-alpine"),
    Case(
        "flavor",
        TAG,
        "type=semver,pattern={{version}}",
        ("1.2.3-dev", "latest-dev"),
        flavor="suffix=-dev,onlatest=true",
    ),
    Case(
        "flavor",
        TAG,
        "type=semver,pattern={{version}}",
        ("foo-1.2.3-dev", "foo-latest-dev"),
        flavor="prefix=foo-,onlatest=true\nsuffix=-dev,onlatest=true",
    ),
    Case(
        "flavor",
        TAG,
        "type=semver,pattern={{version}}",
        ("foo-1.2.3-dev", "latest-dev"),
        flavor="prefix=foo-\nsuffix=-dev,onlatest=true",
    ),
    Case(
        "flavor",
        TAG,
        "type=semver,pattern={{version}}",
        ("foo-1.2.3", "latest"),
        flavor="prefix=foo-,onlatest=false",
    ),
    Case(
        "flavor",
        MAIN,
        "type=raw,my,prefix=foo-,suffix=-bar\ntype=raw,custom",
        ("foo-my-bar", "glo-custom-bal"),
        flavor="prefix=glo-\nsuffix=-bal",
    ),
    Case("flavor", PR, "type=ref,event=pr", ("pr-17-bal",), flavor="prefix=glo-\nsuffix=-bal"),
    Case("flavor", PR, "type=ref,event=pr,prefix=", ("17-bal",), flavor="prefix=glo-\nsuffix=-bal"),
    Case("flavor", "schedule", "type=schedule", ("glo-nightly-bal",), flavor="prefix=glo-\nsuffix=-bal"),
    Case("flavor", MAIN, "type=sha", ("sha-5f3c1a2-dev",), flavor="suffix=-dev"),
    Case("flavor", MAIN, "", ("main",), flavor="prefix= "),
    Case("flavor", MAIN, "", ("v-1main",), flavor="prefix=v#1\n#comment"),
    Case("flavor", MAIN, "", ERROR, flavor="randomstr\nlatest=auto"),
    Case("flavor", MAIN, "", ERROR, flavor="unknown=foo"),
    Case("flavor", MAIN, "", ERROR, flavor="latest"),
    Case("flavor", MAIN, "", ERROR, flavor="latest=foo"),
    Case("flavor", MAIN, "", ERROR, flavor="prefix=a,onlatest=perhaps"),
)

SCHEDULE = (
    Case("schedule", "schedule", "type=schedule", ("nightly",)),
    Case("schedule", "schedule", "type=schedule,pattern=nightly", ("nightly",)),
    Case("schedule", "schedule", "type=schedule,pattern={{date 'YYYYMMDD'}}", ("20200110",)),
    Case(
        "schedule",
        "schedule",
        "type=schedule,pattern={{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}",
        ("20200110-093000",),
    ),
    Case("schedule", "schedule", "type=schedule,pattern={{date 'YYYYMMDD-HHmmss'}}", ("20200110-003000",)),
    Case(
        "schedule",
        "schedule",
        "type=schedule,enable=true,priority=1000,prefix=,suffix=,pattern=nightly",
        ("nightly",),
    ),
    Case("schedule", "schedule", "type=schedule\ntype=sha", ("nightly", "sha-5f3c1a2")),
    Case(
        "schedule",
        "schedule",
        "type=schedule\ntype=sha,priority=2000\ntype=raw,value=defbranch,enable={{is_default_branch}}",
        ("sha-5f3c1a2", "nightly", "defbranch"),
    ),
    Case("schedule", MAIN, "type=schedule", NONE),
)

SEMVER = (
    Case("semver", TAG, "type=semver,pattern={{raw}}", ("v1.2.3", "latest")),
    Case("semver", TAG, "type=semver,pattern={{version}}", ("1.2.3", "latest")),
    Case("semver", TAG, "type=semver,pattern={{major}}.{{minor}}", ("1.2", "latest")),
    Case("semver", TAG, "type=semver,pattern=v{{major}}", ("v1", "latest")),
    Case("semver", TAG, "type=semver,pattern={{minor}}", ("2", "latest")),
    Case("semver", TAG, "type=semver,pattern={{patch}}", ("3", "latest")),
    Case(
        "semver",
        TAG,
        "type=semver,pattern={{version}},match=v(\\d.\\d.\\d)$",
        ("1.2.3", "latest"),
        tagged("p1/v1.2.3"),
    ),
    Case("semver", TAG, "type=semver,pattern={{raw}}", ("v2.0.8-beta.67",), BETA),
    Case("semver", TAG, "type=semver,pattern={{version}}", ("2.0.8-beta.67",), BETA),
    Case("semver", TAG, "type=semver,pattern={{major}}", ("2.0.8-beta.67",), BETA),
    Case("semver", TAG, "type=semver,pattern={{major}}.{{minor}}", ("2.0.8-beta.67",), BETA),
    Case("semver", MAIN, "type=semver,pattern={{version}},value=v1.0.0", ("1.0.0", "latest")),
    Case(
        "semver",
        MAIN,
        "type=semver,pattern={{version}},value=p1/v1.0.0,match=v(\\d.\\d.\\d)$",
        ("1.0.0", "latest"),
    ),
    Case(
        "semver",
        TAG,
        "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{major}}",
        ("1.2.3", "1.2", "1", "latest"),
    ),
    Case(
        "semver",
        TAG,
        "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}.{{patch}}",
        ("1.2.3", "latest"),
    ),
    Case("semver", TAG, "type=semver,pattern={{version}}", ("101.12.13", "latest"), tagged("v101.12.13")),
    Case(
        "semver",
        TAG,
        "type=semver,pattern={{version}}",
        ("9.5.7-alpha.2",),
        tagged("v9.5.7-alpha.2+fork.3.1.8"),
    ),
    Case(
        "semver",
        TAG,
        "type=semver,pattern={{raw}}",
        ("v9.5.7-alpha.2-fork.3.1.8",),
        tagged("v9.5.7-alpha.2+fork.3.1.8"),
    ),
    Case(
        "semver",
        TAG,
        "type=ref,event=tag\ntype=semver,pattern={{version}}",
        ("sometag",),
        tagged("sometag"),
        "latest=false",
    ),
    Case("semver", TAG, "type=semver,pattern={{version}}", NONE, tagged("2026.03.42")),
    Case("semver", TAG, "type=semver,pattern={{version}}", NONE, tagged("v1.2")),
    Case("semver", MAIN, "type=semver,pattern={{version}}", NONE),
    Case("semver", TAG, "type=semver", ERROR),
    Case(
        "major zero",
        TAG,
        "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{major}},enable=false",
        ("0.1.2", "0.1", "latest"),
        tagged("v0.1.2"),
    ),
)

PEP440 = (
    Case("pep440", TAG, "type=pep440,pattern={{raw}}", ("1.2.3", "latest"), tagged("1.2.3")),
    Case("pep440", TAG, "type=pep440,pattern={{version}}", ("1.2.3", "latest"), tagged("1.2.3")),
    Case("pep440", TAG, "type=pep440,pattern={{version}}", ("1.2.3", "latest")),
    Case("pep440", TAG, "type=pep440,pattern={{major}}.{{minor}}", ("1.2", "latest"), tagged("1.2.3")),
    Case("pep440", TAG, "type=pep440,pattern=v{{major}}", ("v1", "latest"), tagged("1.2.3")),
    Case("pep440", TAG, "type=pep440,pattern={{raw}}", ("v1.2.3rc2",), tagged("v1.2.3rc2")),
    Case("pep440", TAG, "type=pep440,pattern={{version}}", ("1.2.3rc2",), tagged("1.2.3rc2")),
    Case(
        "pep440",
        TAG,
        "type=pep440,pattern={{version}},match=v(\\d.\\d.\\d)$",
        ("1.2.3", "latest"),
        tagged("p1/v1.2.3"),
    ),
    Case("pep440", TAG, "type=pep440,pattern={{major}}.{{minor}}", ("1.2.3rc2",), tagged("1.2.3rc2")),
    Case("pep440", TAG, "type=pep440,pattern={{major}}.{{minor}}", ("1.2.3.post1",), tagged("1.2.3post1")),
    Case("pep440", TAG, "type=pep440,pattern={{major}}.{{minor}}", ("1.2.3b2",), tagged("1.2.3beta2")),
    Case("pep440", TAG, "type=pep440,pattern={{major}}.{{minor}}", ("1.0.dev4",), tagged("1.0dev4")),
    Case("pep440", MAIN, "type=pep440,pattern={{version}},value=1.0.0", ("1.0.0", "latest")),
    Case(
        "pep440",
        TAG,
        "type=pep440,pattern={{version}}\ntype=pep440,pattern={{major}}.{{minor}}",
        ("1.2", "latest"),
        tagged("1.2"),
    ),
    Case(
        "pep440",
        TAG,
        "type=pep440,pattern={{raw}}\ntype=pep440,pattern={{major}}.{{minor}}",
        ("v1.2.3rc2", "1.2.3rc2"),
        tagged("v1.2.3rc2"),
    ),
    Case("pep440", TAG, "type=pep440,pattern={{version}}", ("2026.3.42", "latest"), tagged("2026.03.42")),
    Case("pep440", TAG, "type=pep440,pattern={{version}}", NONE, tagged("sometag")),
    Case("pep440", TAG, "type=pep440", ERROR),
)

MATCH = (
    Case("match", TAG, "type=match,pattern=\\d.\\d.\\d", ("1.2.3", "latest")),
    Case("match", TAG, "type=match,pattern=v(.*),group=1", ("2.0.8-beta.67", "latest"), BETA),
    Case("match", TAG, "type=match,pattern=v(\\d.\\d),group=1", ("2.0", "latest"), BETA),
    Case("match", TAG, "type=match,pattern=\\d+", ("20200110", "latest"), tagged("20200110-RC2")),
    Case(
        "match",
        TAG,
        "type=match,pattern=p1/v(\\d.\\d.\\d),group=1",
        ("1.2.3", "latest"),
        tagged("p1/v1.2.3"),
    ),
    Case("match", MAIN, "type=match,pattern=v(.*),group=1,value=v1.0.0", ("1.0.0", "latest")),
    Case("match", TAG, 'type=match,"pattern=^v(\\d.\\d.\\d)$",group=1', ("1.2.3", "latest")),
    Case(
        "match",
        TAG,
        'type=match,"pattern=\\d.\\d.\\d-(alpha|beta).\\d+"',
        ("2.0.8-beta.67", "latest"),
        BETA,
    ),
    Case(
        "match",
        TAG,
        'type=match,"pattern=v(.*)-beta.(.*)",group=1\ntype=match,"pattern=v(.*)-beta.(.*)",group=2',
        ("2.0.8", "67", "latest"),
        BETA,
    ),
    Case(
        "match",
        TAG,
        "type=match,pattern=(.*)-RC,group=1",
        ("20200110",),
        tagged("20200110-RC2"),
        "latest=false",
    ),
    Case(
        "match",
        TAG,
        'type=match,"pattern=/^v(\\d.\\d.\\d)$/ig",group=1\ntype=match,pattern=\\d.\\d',
        ("1.0", "latest"),
        tagged("p1/v1.0.0"),
    ),
    Case(
        "match",
        TAG,
        "type=match,pattern=p1/v(\\d.\\d.\\d),group=1\ntype=match,pattern=p1/v(\\d.\\d),group=3\ntype=sha",
        ("1.0.0", "sha-5f3c1a2", "latest"),
        tagged("p1/v1.0.0"),
    ),
    Case(
        "match",
        TAG,
        "type=match,pattern=p1/v(\\d.\\d.\\d),group=1\ntype=match,pattern=p1/v(\\d.\\d),group=1,suffix=",
        ("1.0.0-dev", "1.0", "latest"),
        tagged("p1/v1.0.0"),
        "suffix=-dev",
    ),
    Case(
        "match",
        TAG,
        "type=match,pattern=mkdocs#(.*),group=1",
        ("20250820", "latest"),
        tagged("mkdocs#20250820"),
    ),
    Case("match", TAG, 'type=match,"pattern=^release\\d{1,2}"', ("release1", "latest"), tagged("release1")),
    Case("match", TAG, "type=match,pattern=\\d.\\d", NONE, tagged("sometag")),
    Case("match", MAIN, "type=match,pattern=\\d.\\d", NONE),
    Case("match", TAG, "type=match", ERROR),
    Case("match", TAG, "type=match,pattern=v(.*),group=foo", ERROR),
)

OTHER_TYPES = (
    Case("edge", MAIN, "type=edge", ("edge",)),
    Case("edge", "workflow_dispatch", "type=edge", ("edge",)),
    Case("edge", MAIN, "type=edge,branch=dev", ("edge",), "refs/heads/dev"),
    Case("edge", MAIN, "type=edge,branch=dev\ntype=sha", ("sha-5f3c1a2",)),
    Case("edge", BRANCH, "type=edge", NONE),
    Case("edge", TAG, "type=edge", NONE),
    Case("ref", PR, "type=ref,event=pr", ("pr-17",)),
    Case("ref", MAIN, "type=ref,event=branch", ("main",)),
    Case("ref", MAIN, "type=ref,event=branch", ("my-branch",), "refs/heads/my/branch"),
    Case("ref", TAG, "type=ref,event=tag", ("v1.2.3", "latest")),
    Case("ref", TAG, "type=ref,event=tag", ("v2.0.8-beta.67", "latest"), BETA),
    Case("ref", "workflow_dispatch", "type=ref,event=branch", ("main",)),
    Case("ref", PR, "type=ref,enable=true,priority=600,prefix=pr-,suffix=,event=pr", ("pr-17",)),
    Case("ref", MAIN, "type=ref,event=tag", NONE),
    Case("ref", MAIN, "type=ref,event=foo", ERROR),
    Case("ref", MAIN, "type=ref", ERROR),
    Case("raw", MAIN, "type=raw,value=foo\ntype=raw,value=bar", ("foo", "bar")),
    Case("raw", MAIN, "type=raw,foo\ntype=raw,bar", ("foo", "bar")),
    Case("raw", MAIN, "foo\nbar", ("foo", "bar")),
    Case("raw", MAIN, "type=raw,enable=true,priority=200,prefix=,suffix=,value=foo", ("foo",)),
    Case("raw", MAIN, "type=raw,foo\ntype=raw,bar,enable=false\ntype=raw,baz,enable=true", ("foo", "baz")),
    Case("raw", MAIN, "TYPE=raw,Value=foo", ("foo",)),
    Case("raw", MAIN, "type=raw, value = foo", ("foo",)),
    Case("raw", MAIN, "type=raw,value=foo#bar\n#comment", ("foo-bar",)),
    Case("raw", MAIN, "type=raw,value=a=b", ("a-b",)),
    Case("raw", MAIN, "type=raw", ERROR),
    Case("raw", MAIN, "type=raw,value={{tag}}", NONE),
    Case("sha", MAIN, "type=sha", ("sha-5f3c1a2",)),
    Case("sha", MAIN, "type=sha,format=long", ("sha-5f3c1a2b90dd6032fac8bda1b6c4436a2e65de27",)),
    Case("sha", MAIN, "type=sha,prefix=", ("5f3c1a2",)),
    Case("sha", MAIN, "type=sha", ("sha-5f3c1a2b90dd",), short_sha_length="12"),
    Case("sha", MAIN, "type=sha,prefix=,format=long", ("5f3c1a2b90dd6032fac8bda1b6c4436a2e65de27",)),
    Case("sha", MAIN, "type=sha,enable=false", NONE),
    Case("sha", MAIN, "type=sha,format=foo", ERROR),
    Case("types", MAIN, "type=foo", ERROR),
    Case("types", MAIN, "type=Raw,value=x", ERROR),
    Case("enable", MAIN, "type=raw,value=x,enable=yes", ERROR),
    Case("enable", MAIN, "type=raw,value=x,enable=", ERROR),
)

PRIORITY = (
    Case(
        "priority",
        TAG,
        "type=sha\ntype=raw,value=raw\ntype=ref,event=tag\ntype=match,pattern=\\d.\\d\ntype=semver,pattern={{version}}",
        ("1.2.3", "1.2", "v1.2.3", "raw", "sha-5f3c1a2", "latest"),
    ),
    Case(
        "priority",
        "schedule",
        "type=sha\ntype=raw,value=raw\ntype=ref,event=branch\ntype=edge\ntype=schedule",
        ("nightly", "edge", "main", "raw", "sha-5f3c1a2"),
    ),
    Case(
        "priority",
        TAG,
        "type=raw,priority=2000,foo\ntype=semver,pattern={{version}}\ntype=match,pattern=\\d.\\d",
        ("foo", "2.0.8-beta.67", "2.0"),
        BETA,
    ),
    Case("priority", TAG, "type=raw,priority=2000,foo\ntype=ref,event=tag\ntype=edge", ("foo", "v1.2.3")),
    Case("priority", MAIN, "type=ref,priority=2000,event=branch\ntype=edge", ("main", "edge")),
    Case(
        "priority",
        MAIN,
        "type=ref,priority=90,event=branch\ntype=raw,my\ntype=raw,custom",
        ("my", "custom", "main", "latest"),
        flavor="latest=true",
    ),
    Case("priority", PR, "type=sha,priority=2000\ntype=ref,event=pr", ("sha-c0ffee1", "pr-17")),
    Case(
        "priority",
        TAG,
        "type=pep440,pattern={{version}}\ntype=semver,pattern={{major}}",
        ("1.2.3", "1", "latest"),
    ),
    Case("latest", MAIN, "type=raw,value=latest,enable={{is_default_branch}}", ("latest",)),
    Case("latest", BRANCH, "type=raw,value=latest,enable={{is_default_branch}}", NONE),
    Case("latest", TAG, "type=raw,my\ntype=raw,custom", ("my", "custom")),
    Case(
        "latest", TAG, "type=ref,event=tag\ntype=raw,my", ("release1", "my", "latest"), tagged("release1")
    ),
    Case(
        "latest",
        MAIN,
        "type=semver,pattern={{version}},value=v1.2.3\ntype=edge",
        ("1.2.3", "edge", "latest"),
    ),
)

EXPRESSIONS = (
    Case("expressions", MAIN, "type=sha,prefix={{branch}}-", ("main-5f3c1a2",)),
    Case("expressions", MAIN, "type=raw,value=mytag-{{branch}}-{{sha}}", ("mytag-main-5f3c1a2",)),
    Case("branch", PR, "type=raw,value=x{{branch}}", ("x",)),
    Case("branch", MAIN, "type=raw,value=x{{branch}}", ("xmain",)),
    Case("branch", MAIN, "type=raw,value={{branch}}", ("my-branch",), "refs/heads/my/branch"),
    Case("branch", TAG, "type=raw,value=x{{branch}}", ("x",)),
    Case("tag", PR, "type=raw,value=x{{tag}}", ("x",)),
    Case("tag", MAIN, "type=raw,value=mytag-tag-{{tag}}", ("mytag-tag-",)),
    Case("tag", TAG, "type=raw,value={{tag}}", ("v1.2.3",)),
    Case("tag", TAG, "type=raw,{{tag}}-{{sha}}-foo", ("v1.2.3-5f3c1a2-foo",)),
    Case("sha", MAIN, "type=raw,value={{ sha }}", ("5f3c1a2",)),
    Case("base_ref", PR, "type=raw,value=mytag-{{base_ref}}", ("mytag-main",)),
    Case("base_ref", "pull request target", "type=raw,value=mytag-{{base_ref}}", ("mytag-main",)),
    Case("base_ref", MAIN, "type=raw,value=baseref-{{base_ref}}", ("baseref-",)),
    Case("base_ref", TAG, "type=raw,{{base_ref}}-foo", ("main-foo",)),
    Case("base_ref", "release", "type=raw,value=baseref-{{base_ref}}", ("baseref-",)),
    Case("is_default_branch", MAIN, "type=raw,value=d,enable={{is_default_branch}}", ("d",)),
    Case("is_default_branch", BRANCH, "type=raw,value=d,enable={{is_default_branch}}", NONE),
    Case("is_default_branch", TAG, "type=raw,value=d,enable={{is_default_branch}}", NONE),
    Case("is_default_branch", PR, "type=raw,value=d,enable={{is_default_branch}}", NONE),
    Case("is_default_branch", "schedule", "type=raw,value=d,enable={{is_default_branch}}", ("d",)),
    Case("is_default_branch", "issues", "type=raw,value=d,enable={{is_default_branch}}", ("d",)),
    Case("is_not_default_branch", MAIN, "type=raw,value=d,enable={{is_not_default_branch}}", NONE),
    Case("is_not_default_branch", BRANCH, "type=raw,value=d,enable={{is_not_default_branch}}", ("d",)),
    Case("date", MAIN, "type=raw,value={{date 'YYYYMMDD'}}", ("20200110",)),
    Case(
        "date",
        MAIN,
        "type=raw,\"value={{date 'dddd, MMMM Do YYYY, h:mm:ss a'}}\"",
        ("Friday-January-10th-2020-12-30-00-am",),
    ),
    Case("date", MAIN, "type=raw,value={{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}", ("20200110-093000",)),
    Case("date", MAIN, "type=raw,value={{date YYYY-MM-DD}}", ("2020-01-10T00-30-00Z",)),
    Case(
        "commit_date", MAIN, "type=raw,value=cd-{{commit_date 'YYYYMMDD-HHmmss'}}", ("cd-20200109-223000",)
    ),
    Case(
        "commit_date",
        MAIN,
        "type=raw,value={{commit_date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}",
        ("20200110-073000",),
    ),
    Case(
        "commit_date",
        "release",
        "type=raw,value=src-{{commit_date 'YYYYMMDD-HHmmss'}}",
        ("src-20200110-003000",),
    ),
    Case("date", MAIN, "type=raw,value={{date 'YYYY' zone='UTC'}}", ERROR),
    Case("expressions", MAIN, "type=raw,value={{sha", ERROR),
)

CASES = (
    *BASIC,
    *IMAGES,
    *FLAVOR,
    *SCHEDULE,
    *SEMVER,
    *PEP440,
    *MATCH,
    *OTHER_TYPES,
    *PRIORITY,
    *EXPRESSIONS,
)
