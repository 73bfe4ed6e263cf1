#!/usr/bin/env bash
# What has to be on the machine before anything is built. Every command of the Makefile runs this first.
#
# Debian packages that are missing are installed when we are root; otherwise one line says how to get them.
# The Swift toolchain is never installed for you.
set -euo pipefail

swift_minimum="6.2"                                  # keep in step with the first line of Package.swift
swift_install="https://www.swift.org/install/linux/"

missing=()

# requires_command <command> <Debian package>
requires_command() {
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}

# requires_file <path, may hold wildcards> <Debian package>. Looked for on Linux only.
requires_file() {
    [[ "$(uname -s)" == Linux ]] || return 0
    compgen -G "$1" >/dev/null || missing+=("$2")
}

# requires_module <module of Python> <Debian package>
requires_module() {
    python3 -c "import $1" >/dev/null 2>&1 || missing+=("$2")
}

# --- The list. A native library goes here: the header it is compiled against, and the package that brings it. ---------
requires_command make make
requires_command git git
requires_command python3 python3
requires_file "/usr/include/stdio.h" libc6-dev
requires_file "/usr/lib/gcc*/*/*/libstdc++.so" g++
requires_file "/usr/include/sqlite3.h" libsqlite3-dev
requires_file "/usr/include/postgresql/libpq-fe.h" libpq-dev
requires_file "/usr/lib/postgresql/*/bin/postgres" postgresql   # a server of their own for the tests
requires_module ensurepip python3-venv                                # the client in Python, and its tests
requires_command openssl openssl                                      # certificates for the tests of encrypted connections
# ----------------------------------------------------------------------------------------------------------------------

# One line with everything that is missing, and out.
give_up() {
    echo "error: $*" >&2
    exit 1
}

swift_problem=""
if ! command -v swift >/dev/null 2>&1; then
    swift_problem="swift not found: install Swift $swift_minimum or later ($swift_install) and put it on the PATH"
elif ! swift_version="$(swift --version 2>/dev/null </dev/null)"; then
    swift_problem="swift does not start: install the packages its installation page lists ($swift_install)"
elif [[ "$swift_version" =~ Swift\ version\ ([0-9]+)\.([0-9]+) ]]; then
    found=$((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2]))
    needed=$((${swift_minimum%.*} * 1000 + ${swift_minimum#*.}))
    if ((found < needed)); then
        swift_problem="Swift ${BASH_REMATCH[1]}.${BASH_REMATCH[2]} is too old: install $swift_minimum or later ($swift_install)"
    fi
fi

if ((${#missing[@]} == 0)); then
    [[ -z "$swift_problem" ]] || give_up "$swift_problem"
    exit 0
fi

if [[ -n "$swift_problem" ]]; then
    give_up "$swift_problem; also missing: ${missing[*]} (sudo apt-get install ${missing[*]})"
elif ! command -v apt-get >/dev/null 2>&1; then
    give_up "missing: ${missing[*]} (Debian's package names); install them with your system's package manager"
elif ((EUID != 0)); then
    give_up "missing: ${missing[*]}; install with: sudo apt-get install ${missing[*]}"
fi

echo "Installing ${missing[*]} …" >&2
export DEBIAN_FRONTEND=noninteractive
{
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"
} </dev/null >/dev/null 2>&1 || give_up "could not install ${missing[*]}; try: apt-get update && apt-get install ${missing[*]}"
