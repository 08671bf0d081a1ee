"""The include table of ARCHITECTURE.md: which module may include which, and which vendor's headers."""
import re

import cplusplus

HEADING = "## Who may include whom"
STANDARD = re.compile(r"[a-z_0-9]+")  # <vector>, <cstdint>
TEST_VENDORS = ("gtest/", "gmock/", "nlohmann/")
TEST_MODULES = ("sim/", "io/log/", "io/clock/")  # virtual time and a log that can be asked
POSIX = re.compile(r"(?:sys/|netinet/|arpa/|linux/)?[a-z_0-9]+\.h")


class Row:
    def __init__(self, folder, modules, vendors):
        self.folder, self.modules, self.vendors = folder, modules, vendors


def read(text, report):
    """Rows by folder, longest first, so that the most specific one is found first."""
    at = text.find(HEADING)
    rows = []
    if at >= 0:
        for line in text[at:].split("\n## ")[0 if not text[at:].startswith("\n## ") else 1].splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) == 3 and cells[0].startswith("`src/"):
                rows.append(Row(cells[0].strip("`").rstrip("/"), re.findall(r"`([^`]+)`", cells[1]),
                                re.findall(r"`([^`]+)`", cells[2])))
    if not rows:
        report.add("ARCHITECTURE.md", 1, "include-table", f"no table below `{HEADING}`")
    return sorted(rows, key=lambda row: -len(row.folder))


def row_of(name, table):
    for row in table:
        if name.startswith(row.folder + "/"):
            return row
    return None


def check_file(name, text, table, report):
    if not name.startswith("src/") or not table:
        return
    row = row_of(name, table)
    if row is None:
        report.add(name, 1, "include-table", "its folder is not in the table of ARCHITECTURE.md")
        return
    test = cplusplus.is_test_text(name, text)
    code = cplusplus.code_only(text, keep_includes=True)
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', code, re.M):
        number = code.count("\n", 0, match.start()) + 1
        kind, header = match.groups()
        if kind == '"':
            if not own_allowed(header, row) and not (test and header.startswith(TEST_MODULES)):
                report.add(name, number, "include", f'"{header}": {row.folder} may include {words(row.modules)}')
        elif not vendor_allowed(header, row, test):
            report.add(name, number, "include", f"<{header}>: {row.folder} may use {words(row.vendors)}")


def words(items):
    return ", ".join(items) if items else "nothing else"


def own_allowed(header, row):
    own = row.folder.removeprefix("src/")
    return header.startswith(own + "/") or "*" in row.modules or any(
        header.startswith(module.rstrip("*").rstrip("/") + "/") for module in row.modules)


def vendor_allowed(header, row, test):
    if STANDARD.fullmatch(header) or "*" in row.vendors:
        return True
    if test and (header.startswith(TEST_VENDORS) or POSIX.fullmatch(header) or header.startswith("boost/")):
        return True
    for vendor in row.vendors:
        if vendor == "POSIX" and POSIX.fullmatch(header) and not header.startswith(("sqlite3", "simdjson", "zlib")):
            return True
        if header == vendor or vendor.endswith("/") and header.startswith(vendor):
            return True
    return False
