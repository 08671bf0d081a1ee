"""Runs clang-tidy on the sources that changed since they last passed, for a bounded time.

A file passes again for free when it, every repository header it includes (as the build last saw them), its compile
command and .clang-tidy are the same. Tests and bench/ are left out: GoogleTest's macros are most of what tidy would read.
"""
import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

TIDY = "clang-tidy-19"


def dependencies(build, root):
    """Repository files each object was built from, as ninja recorded them."""
    out = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True).stdout
    result, current = {}, None
    for line in out.splitlines():
        if line and not line.startswith(" "):
            current = result.setdefault(line.split(":")[0], [])
        elif line.startswith("    ") and current is not None:
            path = (build / line.strip()).resolve()
            if path.is_relative_to(root):
                current.append(path)
    return result


def digest(paths, extra):
    state = hashlib.sha256(extra.encode())
    for path in sorted(set(paths)):
        state.update(str(path).encode())
        if path.exists():
            state.update(path.read_bytes())
    return state.hexdigest()


def changed_files(root):
    """What differs from the main branch, or the last commit: looked at first."""
    for base in ("origin/main...HEAD", "main...HEAD", "HEAD~1") if shutil.which("git") else ():
        done = subprocess.run(["git", "-C", str(root), "diff", "--name-only", base], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout:
            return {(root / line).resolve() for line in done.stdout.splitlines()}
    return set()


def units(build, root):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        mine = path.is_relative_to(root / "src") or path.is_relative_to(root / "tools")
        if path.suffix == ".cpp" and mine and not re.search(r"_(test|fuzz)\.cpp$", path.name):
            yield path, entry


def run_tidy(path, build):
    done = subprocess.run([TIDY, "-p", str(build), "--quiet", "--warnings-as-errors=*", str(path)],
                          capture_output=True, text=True)
    return done.returncode, done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit-s", type=int, default=360)
    parser.add_argument("--no-limit", action="store_true")
    options = parser.parse_args()
    root, build = pathlib.Path.cwd().resolve(), pathlib.Path(options.build).resolve()
    rules = (root / ".clang-tidy").read_text()
    store = build / "tidy-passed"
    store.mkdir(exist_ok=True)
    deps, first = dependencies(build, root), changed_files(root)
    waiting, fresh = [], 0
    for path, entry in units(build, root):
        known = deps.get(entry.get("output", ""), None) or [path, *sorted((root / "src").rglob("*.hpp"))]
        key = digest([path, *known], rules + entry["command"])
        if (store / key).exists():
            fresh += 1
        else:
            waiting.append((path not in first, path, key))
    waiting.sort()
    end = time.monotonic() + (10**9 if options.no_limit else options.limit_s)
    bad, left = [], 0

    def look(item):
        if time.monotonic() > end:
            return item, None, ""
        return item, *run_tidy(item[1], build)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for number, (item, status, text) in enumerate(pool.map(look, waiting), 1):
            if status is None:
                left += 1
            elif status == 0:
                (store / item[2]).touch()
            else:
                bad.append(item[1])
                print(text, flush=True)
            if number % 10 == 0:
                print(f"tidy: {number} of {len(waiting)}", flush=True)
    print(f"tidy: {fresh} passed before, {len(waiting) - left - len(bad)} passed now, {len(bad)} with faults, "
          f"{left} left for next time")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
