"""The style test: the rules of STYLE.md that a program can check.

Usage: style.py ROOT. Prints one line a breach, `PATH:LINE: RULE: what`, and exits 1 when there is one.
The include table is read from ARCHITECTURE.md; exceptions, each with its reason, from tools/style/exceptions.txt.
"""
import pathlib
import shutil
import subprocess
import sys

import cplusplus
import documents
import include_table


class Report:
    def __init__(self, exceptions):
        self.exceptions = exceptions  # (rule, path) -> reason
        self.used = set()
        self.breaches = []

    def add(self, path, line, rule, what):
        if (rule, path) in self.exceptions:
            self.used.add((rule, path))
        else:
            self.breaches.append(f"{path}:{line}: {rule}: {what}")


def read_exceptions(root, breaches):
    path = root / "tools/style/exceptions.txt"
    found = {}
    if not path.exists():
        return found
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(None, 2)
        if len(parts) < 3:
            breaches.append(f"tools/style/exceptions.txt:{number}: exception: needs RULE PATH REASON")
        else:
            found[(parts[0], parts[1])] = parts[2]
    return found


def repository_files(root):
    """Paths relative to the root, as git would commit them; without git, every file that is not ignored."""
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"],
                            capture_output=True, text=True) if (root / ".git").exists() and shutil.which("git") else None
    if listed is not None and listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
    else:
        skipped = {".git", "build", "data", "node_modules", "__pycache__"}
        names = [str(path.relative_to(root)) for path in root.rglob("*")
                 if path.is_file() and not skipped & set(path.relative_to(root).parts)]
    return sorted(name for name in names if (root / name).is_file())


def check(root):
    breaches = []
    exceptions = read_exceptions(root, breaches)
    report = Report(exceptions)
    names = repository_files(root)
    texts = {}
    for name in names:
        data = (root / name).read_bytes()
        if b"\0" in data:
            if pathlib.PurePath(name).suffix not in documents.BINARY_SUFFIXES:
                report.add(name, 1, "nul", "a NUL byte in a text file")
            continue
        texts[name] = data.decode("utf-8", "replace")
    table = include_table.read(texts.get("ARCHITECTURE.md", ""), report)
    for name, text in texts.items():
        if name.endswith((".cpp", ".hpp")):
            cplusplus.check_file(name, text, report)
            include_table.check_file(name, text, table, report)
        elif name.endswith(".py"):
            documents.check_python(name, text, report)
        elif name.endswith(".md"):
            documents.check_markdown(name, text, set(names), report)
        documents.check_any(name, text, report)
    cplusplus.check_one_definition(texts, report)
    documents.check_dead_files(texts, report)
    for unused in sorted(set(exceptions) - report.used):
        breaches.append(f"tools/style/exceptions.txt:1: exception: `{unused[0]} {unused[1]}` is not needed any more")
    return breaches + report.breaches, len(texts)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    breaches, files = check(root)
    for breach in breaches:
        print(breach)
    print(f"style: {files} files, {len(breaches)} breaches")
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
