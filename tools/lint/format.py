"""Fails when clang-format would change a C++ file of the repository."""
import pathlib
import subprocess
import sys

FOLDERS = ["src", "tools", "bench", "test"]


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp") and "node_modules" not in path.parts:
                yield path


def main():
    root = pathlib.Path.cwd()
    files = [str(path.relative_to(root)) for path in sources(root)]
    bad = False
    for at in range(0, len(files), 40):
        done = subprocess.run(["clang-format-19", "--dry-run", "-Werror", *files[at:at + 40]],
                              capture_output=True, text=True)
        if done.returncode:
            bad = True
            for line in done.stderr.splitlines():
                if "error:" in line:
                    print(line)
    print(f"format: {len(files)} files{', faults above: run clang-format-19 -i on them' if bad else ', in order'}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
