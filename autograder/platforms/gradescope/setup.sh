#!/usr/bin/env bash
# Gradescope runs this once, as root and with a network, while it builds the image of the assignment.
# Everything of the zip lies in /autograder/source. Where the zip names no index for the CPU build of torch, the
# variable TORCH_INDEX_URL may, and pip's own variables hold as ever.
set -euo pipefail
root=${AUTOGRADER_ROOT:-/autograder}
source=$root/source
venv=$root/venv

find_python() {
    local python
    for python in python3.13 python3.12 python3.11 python3; do
        if "$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    return 1
}

install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

wanted=()
find_python >/dev/null || wanted+=(python)
command -v bwrap >/dev/null || wanted+=(bubblewrap)
PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null | grep -q 'libseccomp\.so' || wanted+=(libseccomp2)
if [ ${#wanted[@]} -gt 0 ]; then
    apt-get update -qq
    for package in "${wanted[@]}"; do
        case $package in
            # Ubuntu 22.04 has 3.11 beside its own 3.10; later ones have a later one of their own.
            python) install python3.11 python3.11-venv || install python3 python3-venv ;;
            *) install "$package" || echo "$package cannot be installed; the walls that need it will be missing" ;;
        esac
    done
fi
if ! python=$(find_python); then
    echo "Python 3.11 or later is needed; choose an image that has it, Ubuntu 22.04 or 24.04" >&2
    exit 1
fi

index=$(cat "$source/torch-index")
index=${index:-${TORCH_INDEX_URL:-}}
if [ -n "$index" ]; then
    export PIP_EXTRA_INDEX_URL="${PIP_EXTRA_INDEX_URL:+$PIP_EXTRA_INDEX_URL }$index"
fi
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
    --constraint "$source/constraints.txt" "$source"/autograder-*.whl

# Students' code runs as a user of its own: it may read the pieces of the package that it runs in, and nothing else of it.
package=$("$venv/bin/python" -I -c 'import autograder, os; print(os.path.dirname(autograder.__file__))')
chmod -R go-rwx "$source" "$package"
chmod go+rx "$package" "$package/box"
chmod go+r "$package/__init__.py" "$package"/box/*.py
