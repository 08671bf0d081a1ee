"""Rules for everything that is not C++: Markdown, Python, build lists."""
import posixpath
import re

BINARY_SUFFIXES = {".png", ".ico", ".gz", ".db", ".jar", ".woff2"}
PYTHON_COLUMNS_MAX = 140
PYTHON_LINES_MAX = 400
PYTHON_TEST_LINES_MAX = 600
TODO = re.compile(r"\b(?:TODO|FIXME|XXX)\b(?!\s*\(#\d+\))")
# The rule's own words, and files made by others, are not unfinished work.
TODO_EXEMPT = ("tools/style/", "STYLE.md", "CONTRIBUTING.md", "LICENSE")


def check_any(name, text, report):
    if not name.startswith(TODO_EXEMPT):
        for match in TODO.finditer(text):
            report.add(name, text.count("\n", 0, match.start()) + 1, "todo", "needs an issue number: TODO(#12)")
    if "\r" in text and name.endswith((".cpp", ".hpp", ".py", ".md", ".txt", ".cmake")):
        report.add(name, text.count("\n", 0, text.index("\r")) + 1, "newline", "carriage return")


def check_python(name, text, report):
    lines = text.split("\n")
    most = PYTHON_TEST_LINES_MAX if name.endswith("_test.py") else PYTHON_LINES_MAX
    if len(lines) - 1 > most:
        report.add(name, 1, "file", f"{len(lines) - 1} lines, at most {most}")
    for number, line in enumerate(lines, 1):
        if len(line) > PYTHON_COLUMNS_MAX:
            report.add(name, number, "columns", f"{len(line)} columns, at most {PYTHON_COLUMNS_MAX}")


def check_markdown(name, text, names, report):
    prose = re.sub(r"^(```|~~~).*?^\1[^\n]*$", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.M | re.S)
    titles = [number for number, line in enumerate(prose.split("\n"), 1) if line.startswith("# ")]
    if not text.startswith("# "):
        report.add(name, 1, "title", "begins with its title, `# ...`")
    elif len(titles) != 1:
        report.add(name, titles[1], "title", "has one title only")
    folders = {posixpath.dirname(other) for other in names}
    for match in re.finditer(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose):
        target = match.group(1)
        if re.match(r"[a-z]+:", target):
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        if path not in names and path not in folders and not any(f.startswith(path + "/") for f in folders):
            report.add(name, prose.count("\n", 0, match.start()) + 1, "link", f"{target} is not there")


def check_dead_files(texts, report):
    """Every .cpp stands in the CMakeLists.txt of its folder or one above; every header is included by somebody."""
    included = set()
    for name, text in texts.items():
        if name.endswith((".cpp", ".hpp")):
            for header in re.findall(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', text, re.M):
                included |= {"src/" + header, "test/" + header, "tools/" + header, "bench/" + header,
                             posixpath.normpath(posixpath.join(posixpath.dirname(name), header))}
    for name in texts:
        if name.endswith(".cpp") and not listed(name, texts):
            report.add(name, 1, "dead", "no CMakeLists.txt lists it")
        if name.endswith(".hpp") and name not in included:
            report.add(name, 1, "dead", "nobody includes it")


def listed(name, texts):
    folder = posixpath.dirname(name)
    while True:
        lists = texts.get(posixpath.join(folder, "CMakeLists.txt"))
        relative = posixpath.relpath(name, folder or ".")
        if lists is not None and re.search(rf"(?<![\w/]){re.escape(relative)}(?![\w])", lists):
            return True
        if not folder:
            return False
        folder = posixpath.dirname(folder)
