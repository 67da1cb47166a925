# Sourced: find_python prints the path of a Python 3.10 or newer, or fails.
# Looks at PROMOTE_ACTIONS_PYTHON, then PATH, then the runner's tool cache. A candidate is run once, because
# a version manager's shim or macOS's stub may be on PATH and start nothing; but that is a fifth of the time
# that a short action takes, so not when its file is called python3.10 or newer and is no shim.

_is_new_enough() {
    [ -x "$1" ] && case $(readlink -f "$1" 2>/dev/null) in
        */shims/*) ;;
        */python3.1[0-9] | */python3.[2-9][0-9]) return 0 ;;
    esac
    "$1" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PROMOTE_ACTIONS_PYTHON:-}" ]; then
        _is_new_enough "$PROMOTE_ACTIONS_PYTHON" || return 1
        printf '%s\n' "$PROMOTE_ACTIONS_PYTHON"
        return 0
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        candidate=$(command -v "$name") && _is_new_enough "$candidate" || continue
        printf '%s\n' "$candidate"
        return 0
    done
    case $(uname -m) in arm64 | aarch64) arch=arm64 ;; *) arch=x64 ;; esac
    for candidate in "${RUNNER_TOOL_CACHE:-/nonexistent}"/Python/3.*/"$arch"/bin/python3; do
        _is_new_enough "$candidate" || continue
        printf '%s\n' "$candidate"
        return 0
    done
    return 1
}
