# shellcheck shell=bash
# Shared by the scripts of this directory, which source it. Checks the requirements, goes to the root of the repository.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root="$PWD"

bash dev/requirements.sh

package="$(basename "$root" | tr '[:upper:]' '[:lower:]')"  # how SwiftPM calls the package in its warnings
scratch="${SCRATCH:-.build}"
logs="$scratch/logs"
mkdir -p "$logs"

# Warnings are errors in `make check` and in continuous integration. The flag reaches only our own modules (SwiftPM
# compiles dependencies with -suppress-warnings whatever we say), but a change of flags compiles those again. So once
# a check has passed here, run and test keep its flags and share its build, until STRICT says otherwise.
strict_marker="$scratch/warnings-are-errors"
if [[ -z "${STRICT:-}" ]]; then
    if [[ -n "${CI:-}" || -e "$strict_marker" ]]; then STRICT=1; else STRICT=0; fi
fi

# The options every build of the main package has in common: with other options it would be another build.
swift_options=()
set_swift_options() {
    # With everything the package can do; the traits of a user's own build are the user's.
    swift_options=(--scratch-path "$scratch" --traits PostgreSQL)
    if [[ "$STRICT" == 1 ]]; then swift_options+=(-Xswiftc -warnings-as-errors); fi
}
set_swift_options

# The places that hold our Swift code, those that exist. Builds of nested packages are not among them.
swift_places=()
for place in Package.swift Sources Tests Examples Snippets Benchmarks/Package.swift Benchmarks/Sources; do
    if [[ -e "$place" ]]; then swift_places+=("$place"); fi
done

# Hides what SwiftPM finds odd about the files of dependencies, which is not ours to put right.
without_foreign_warnings() {
    awk -v own="warning: '$package':" '
        /^warning: / && index($0, own) != 1 && / found [0-9]+ file/ { foreign = 1; next }
        foreign && /^    / { next }
        { foreign = 0; print }
    '
}

# swift_build <options …>: builds with the common options; standard output stays SwiftPM's, with its live progress.
swift_build() {
    swift build "${swift_options[@]}" "$@" </dev/null 2> >(without_foreign_warnings >&2) && return 0
    if [[ "$STRICT" == 1 ]]; then echo "note: warnings are errors in this build; STRICT=0 builds in spite of them" >&2; fi
    return 1
}

fail() {
    echo "error: $*" >&2
    exit 1
}

# plural 1 test → "1 test"; plural 2 test → "2 tests"
plural() {
    if [[ "$1" == 1 ]]; then echo "$1 $2"; else echo "$1 $2s"; fi
}
