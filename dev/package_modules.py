"""What the scripts of this directory need to know about the package: its public modules, and their symbol graphs."""

import glob
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Module:
    """A module that users can import: a library target that is part of a library product."""

    def __init__(self, name, path, dependencies):
        self.name = name
        self.path = path
        self.dependencies = dependencies


def _run(*command):
    result = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"error: {' '.join(command[:3])} failed:\n{result.stderr or result.stdout}")
    return result.stdout


def public_modules(scratch):
    """The public modules, each after those it depends on."""
    package = json.loads(_run("swift", "package", "--scratch-path", scratch, "describe", "--type", "json"))
    in_products = {t for p in package["products"] if "library" in p["type"] for t in p["targets"]}
    targets = {t["name"]: t for t in package["targets"] if t["type"] == "library" and t["name"] in in_products}

    ordered = {}

    def add(name):
        if name in ordered:
            return
        needs = [d for d in targets[name].get("target_dependencies", []) if d in targets]
        for need in sorted(needs):
            add(need)
        ordered[name] = Module(name, os.path.join(ROOT, targets[name]["path"]), needs)

    for name in sorted(targets):
        add(name)
    return list(ordered.values())


def extract_symbol_graphs(scratch, modules, output):
    """Writes the symbol graphs of modules that are already built into one folder per module, and returns the folders.

    This reads the compiled modules, as `swift package dump-symbol-graph` does, but without the build of its own that
    the latter starts with.
    """
    built = os.path.realpath(os.path.join(ROOT, scratch, "debug"))
    target = json.loads(_run("swift", "-print-target-info"))["target"]
    options = ["-target", target["triple"], "-I", os.path.join(built, "Modules")]
    if sys.platform == "darwin":
        options += ["-sdk", _run("xcrun", "--show-sdk-path").strip()]
    for module_map in _module_maps(scratch, built):
        options += ["-Xcc", f"-fmodule-map-file={module_map}"]

    # Where the headers of native libraries are that some of our modules wrap.
    libraries = subprocess.run(["pkg-config", "--cflags-only-I", "libpq"], capture_output=True, text=True).stdout
    for folder in libraries.split() or ["-I/usr/include/postgresql"]:
        options += ["-Xcc", folder]

    folders = {}
    for module in modules:
        folder = folders[module.name] = os.path.join(output, module.name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        if not os.path.exists(os.path.join(built, "Modules", f"{module.name}.swiftmodule")):
            sys.exit(f"error: module {module.name} is not built; build first")
        _run(
            "swift", "symbolgraph-extract", "-module-name", module.name, *options,
            "-minimum-access-level", "public", "-skip-synthesized-members", "-emit-extension-block-symbols",
            "-output-dir", folder,
        )
    return folders


def _module_maps(scratch, built):
    """The C modules that Swift modules may refer to: those SwiftPM wrote, and those that dependencies bring along."""
    # Without those of programs that only run while something is built: they have the same names.
    maps = glob.glob(os.path.join(built, "*.build", "module.modulemap"))
    yield from (path for path in maps if not os.path.dirname(path).endswith("-tool.build"))
    yield from glob.glob(os.path.join(ROOT, "Sources", "*", "module.modulemap"))
    # System libraries of dependencies; which of them is used, nothing in the build tells.
    yield from glob.glob(os.path.join(ROOT, scratch, "checkouts", "*", "Sources", "*", "module.modulemap"))
    for path in glob.glob(os.path.join(ROOT, scratch, "checkouts", "*", "Sources", "*", "include", "module.modulemap")):
        target = os.path.basename(os.path.dirname(os.path.dirname(path)))
        if os.path.isdir(os.path.join(built, f"{target}.build")):
            yield path
