"""Rules for C++ files: sizes, banned calls, names."""
import re

COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
TEST_LINES_MAX = 600

# rule, pattern, folders where it is banned, folders where it is allowed all the same, what to do instead.
PURE = ("src/base/", "src/model/", "src/stages/", "src/ports/", "src/flows/")
BANNED = [
    ("clock", r"\b(?:steady|system|high_resolution|utc)_clock\s*::\s*now\b|\bgettimeofday\s*\(|\bclock_gettime\s*\("
     r"|(?<![\w.:>])(?:std::)?time\s*\(\s*(?:NULL|nullptr|0|&)", ("src/",), ("src/io/",),
     "time is read through ports::Clock"),
    ("timer", r"\b(?:steady|system|deadline|high_resolution)_timer\b|\bsleep_for\b|this_thread\s*::\s*sleep_until\b"
     r"|(?<![\w.:>])(?:usleep|nanosleep)\s*\(", ("src/",), ("src/io/",), "waiting goes through ports::Clock"),
    ("random", r"\brandom_device\b|\bgetrandom\s*\(|\barc4random|(?<![\w.:>])(?:std::)?s?rand\s*\(|\bmt19937",
     ("src/",), ("src/io/",), "randomness comes from ports::Entropy or a seeded vesper::Random"),
    ("thread", r"\bstd::(?:jthread|thread|mutex|shared_mutex|recursive_mutex|condition_variable|async|latch|barrier)\b"
     r"|\bpthread_\w+\s*\(", PURE + ("src/sim/",), (), "threads belong to io/ and app/"),
    ("open", r"\b(?:std::)?[io]?fstream\b|(?<![\w.>])(?:std::)?f(?:re)?open\s*\(|\bstd::filesystem\b"
     r"|(?<![\w.>:])::(?:open|read|write|stat|unlink)\s*\(", PURE + ("src/sim/",), (), "files belong to io/ and app/"),
    ("socket", r"\bip::(?:tcp|udp)\b|(?<![\w.>:])::(?:socket|connect|bind|listen|accept)\s*\(",
     PURE + ("src/sim/",), (), "sockets belong to io/"),
    ("environment", r"\bgetenv\s*\(", ("src/",), ("src/app/",), "settings come in as arguments"),
    ("exit", r"(?<![\w.>])(?:std::|::)?(?:_exit|exit|quick_exit|abort|terminate)\s*\(", ("src/",),
     ("src/app/", "src/io/", "src/base/ensure.cpp"), "only app/, a broken store and ensure() end the process"),
    ("spawn", r"\bco_spawn\b|\bstd::j?thread\b(?!\s*::)|\bstd::async\b|\bpthread_create\b", ("src/",), ("src/tasks/",),
     "work is started by a TaskScope, a thread by TaskThread"),
    ("detached", r"\bdetached\b|\.detach\s*\(\s*\)", ("src/",), (), "work lives in a scope that owns it"),
    ("atomic-shared", r"\batomic\s*<\s*(?:std::)?(?:shared|weak)_ptr\b", ("src/",), (),
     "in libstdc++ 12 its load() races with store(): use a mutex"),
]
ILL_NAMES = {"util", "utils", "common", "helper", "helpers", "manager", "misc", "stuff"}


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


CODE_TOKEN = re.compile(r'R"([^()\s\\]{0,16})\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"'
                        r"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'", re.S)


def code_only(text, keep_includes=False):
    """The text with comments and literals blanked, line by line the same."""
    if keep_includes:
        return re.sub(r"//[^\n]*|/\*.*?\*/", blank, text, flags=re.S)
    return CODE_TOKEN.sub(blank, text)


def is_test(name):
    """Tests, fuzzers and what only they include (test_*.hpp, *_fixture.hpp)."""
    parts = name.rsplit("/", 1)[-1].split(".")[0].split("_")
    return name.startswith("test/") or "test" in parts or "tests" in parts or parts[-1] in ("fuzz", "fixture")


def is_test_text(name, text):
    """Headers that need GoogleTest are test support, whatever their name."""
    return is_test(name) or name.endswith(".hpp") and "#include <gtest/" in text


TYPE = re.compile(r"^(?:class|struct|union|enum class)\s+(?:alignas\([^)]*\)\s*)?([A-Z]\w*)\b(?!::)[^;{]*\{", re.M)


def check_one_definition(texts, report):
    """No two headers of src/ define types of one name in one namespace: the linker takes either's inline functions."""
    first = {}
    for name in sorted(texts):
        if not name.startswith("src/") or not name.endswith(".hpp") or is_test_text(name, texts[name]):
            continue
        code = code_only(texts[name])
        space = re.search(r"^namespace ([\w:]+)", code, re.M)
        for match in TYPE.finditer(code):
            key = (space.group(1) if space else "", match.group(1))
            if first.setdefault(key, name) != name:
                report.add(name, code.count("\n", 0, match.start()) + 1, "twice", f"{key[1]} is also defined in {first[key]}")


def check_file(name, text, report):
    code = code_only(text)
    test = is_test_text(name, text)
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        data = test and re.search(r'R"\w*\(', line)  # a document reads better whole
        if len(line) > COLUMNS_MAX and not data:
            report.add(name, number, "columns", f"{len(line)} columns, at most {COLUMNS_MAX}")
    most = TEST_LINES_MAX if test else FILE_LINES_MAX
    if len(lines) - 1 > most:
        report.add(name, 1, "file", f"{len(lines) - 1} lines, at most {most}")
    for first, last, head in functions(code):
        if last - first + 1 > FUNCTION_LINES_MAX:
            lines_used = last - first + 1
            report.add(name, first, "function", f"{lines_used} lines, at most {FUNCTION_LINES_MAX}: {head}")
    if not test:
        check_banned(name, code, report)
    words = set(re.split(r"[/_.]", name))
    if words & ILL_NAMES:
        report.add(name, 1, "name", f"`{sorted(words & ILL_NAMES)[0]}` says nothing about what is inside")
    if not re.fullmatch(r"[a-z0-9_]+(\.[a-z]+)+", name.rsplit("/", 1)[-1]):
        report.add(name, 1, "name", "file names are snake_case")
    if name.endswith(".hpp") and not text.startswith("#pragma once\n"):
        report.add(name, 1, "header", "begins with #pragma once")


def check_banned(name, code, report):
    for rule, pattern, where, allowed, instead in BANNED:
        if not name.startswith(where) or name.startswith(allowed or ("\0",)):
            continue
        for match in re.finditer(pattern, code):
            number = code.count("\n", 0, match.start()) + 1
            report.add(name, number, rule, f"`{' '.join(match.group(0).split())}`: {instead}")


def functions(code):
    """(first line, last line, head) of each function body at namespace or class scope.

    Why this heuristic: there an opening brace after a parenthesis is a function, unless an `=` makes it a value.
    """
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, code, flags=re.M)
    found, scopes, begin, line, begin_line = [], [], 0, 1, 1
    for at, char in enumerate(code):
        if char == "\n":
            line += 1
        elif char == ";" and not in_function(scopes):
            begin, begin_line = at + 1, line
        elif char == "{":
            head = code[begin:at]
            kind = "inner" if in_function(scopes) else scope_kind(head)
            first = begin_line + head[:len(head) - len(head.lstrip())].count("\n")
            scopes.append((kind, first, " ".join(head.split())))
            if kind != "inner" and kind != "value":
                begin, begin_line = at + 1, line
        elif char == "}" and scopes:
            kind, first, head = scopes.pop()
            if kind == "function":
                found.append((first, line, head[-70:]))
            if not in_function(scopes) and kind != "value":
                begin, begin_line = at + 1, line
    return found


def in_function(scopes):
    return any(kind in ("function", "inner", "value") for kind, _, _ in scopes)


def scope_kind(head):
    if re.search(r"\b(?:namespace|extern)\b[^()]*$", head):
        return "scope"
    plain = re.sub(r"\b(?:alignas|requires|explicit|noexcept|decltype)\s*\([^()]*\)", "", head)
    if re.search(r"(?:^|[\s>;])(?:class|struct|union|enum)\b[^()=]*$", plain):
        return "scope"
    # A constructor's member initialisers may be braces themselves: `: a_{1}, b_(2) {`.
    if re.search(r"[\w>]\s*$", head) and re.search(r"\)\s*(?:noexcept\s*)?:", head) and not head.rstrip().endswith(")"):
        last = re.search(r"([\w>:]+)\s*$", head)
        if last and last.group(1) not in ("const", "noexcept", "override", "final"):
            return "value"
    no_operators = re.sub(r"operator\s*[=!<>]=?=?|[=!<>]=", "", head)
    if "(" in head and not re.search(r"(?<![\[(,&=])=(?!=)[^,()]*$", no_operators):
        return "function"
    return "value"
