# Sourced: find_python prints the path of a Python 3.10 or newer, or fails.
# Looks at PROMOTE_ACTIONS_PYTHON, then PATH, then the runner's tool cache. Each candidate is run
# once, because a version manager's shim or macOS's stub may be on PATH and start nothing.

_is_new_enough() {
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
