"""Proves that the style test bites: each kind of breach, planted in a clean tree, is caught where it stands."""
import pathlib
import sys
import tempfile
import unittest

import style

ARCHITECTURE = """# Architecture

## Who may include whom

| folder | may include | vendor headers |
|---|---|---|
| `src/base` | | `fmt/` |
| `src/model` | `base` | |
| `src/ports` | `base`, `model` | `boost/asio/awaitable.hpp` |
| `src/stages/decode` | `base`, `model` | `simdjson.h` |
| `src/stages/fhir` | `base`, `model` | |
| `src/flows` | `base`, `model`, `ports`, `stages` | `boost/asio/` |
| `src/io/sqlite` | `base`, `ports` | `sqlite3.h`, `POSIX` |
| `src/sim` | `base`, `ports` | |
| `src/app` | `*` | `*` |
"""
CLEAN = {
    "ARCHITECTURE.md": ARCHITECTURE,
    "src/base/CMakeLists.txt": "vesper_module(base HEADERS a.hpp SOURCES a.cpp TESTS a_test.cpp)\n",
    "src/base/a.hpp": "#pragma once\n#include <vector>\nstruct Sample {};\n",
    "src/base/a.cpp": '#include "base/a.hpp"\n\n#include <fmt/core.h>\n\nint time_of_day() { return 1; }\n',
    "src/base/a_test.cpp": '#include <gtest/gtest.h>\n#include <thread>\nstd::thread t;\n#include "base/a.hpp"\n',
    "src/io/sqlite/CMakeLists.txt": "vesper_module(sqlite SOURCES s.cpp)\n",
    "src/io/sqlite/s.cpp": "#include <sqlite3.h>\n#include <unistd.h>\n#include <mutex>\nstd::mutex m;\n"
                           "auto t = std::chrono::steady_clock::now();\n",
    "src/stages/decode/CMakeLists.txt": "vesper_module(decode SOURCES d.cpp)\n",
    "src/stages/decode/d.cpp": '#include <simdjson.h>\n#include "base/a.hpp"\n// steady_clock::now() in a comment\n'
                               'const char* s = "std::thread, rand()";\n',
}

# (rule, path, text or None for what the clean tree has, what is appended)
PLANTED = [
    ("include", "src/base/a.cpp", '#include "model/b.hpp"\n'),
    ("include", "src/stages/decode/d.cpp", '#include "stages/fhir/x.hpp"\n'),
    ("include", "src/stages/decode/d.cpp", '#include "ports/clock.hpp"\n'),
    ("include", "src/stages/decode/d.cpp", "#include <openssl/evp.h>\n"),
    ("include", "src/stages/decode/d.cpp", "#include <unistd.h>\n"),
    ("include", "src/stages/decode/d.cpp", "  #  include <sqlite3.h>\n"),
    ("include", "src/base/a.cpp", "#include <simdjson.h>\n"),
    ("include", "src/io/sqlite/s.cpp", "#include <openssl/evp.h>\n"),
    ("include", "src/io/sqlite/s.cpp", '#include "stages/decode/d.hpp"\n'),
    ("include-table", "src/novel/n.cpp", "int n;\n"),
    ("columns", "src/base/a.cpp", "int " + "x" * 97 + ";\n"),
    ("function", "src/base/a.cpp", "int long_one(int a) {\n" + "  ++a;\n" * 59 + "}\n"),
    ("function", "src/base/a.cpp", "struct S {\n  S() : a_{1} {\n" + "    ++a_;\n" * 60 + "  }\n  int a_;\n};\n"),
    ("file", "src/base/a.cpp", "int a;\n" * 400),
    ("file", "src/base/a_test.cpp", "int a;\n" * 600),
    ("clock", "src/stages/decode/d.cpp", "auto t = std::chrono::system_clock::now();\n"),
    ("clock", "src/app/m.cpp", "auto t = std::chrono::steady_clock::\n  now();\n"),
    ("clock", "src/base/a.cpp", "auto t = time(nullptr);\n"),
    ("clock", "src/base/a.cpp", "auto t = gettimeofday(&a, &b);\n"),
    ("timer", "src/flows/f.cpp", "boost::asio::steady_timer t;\n"),
    ("timer", "src/sim/f.cpp", "std::this_thread::sleep_for(a);\n"),
    ("random", "src/base/a.cpp", "int r = rand();\n"),
    ("random", "src/app/m.cpp", "std::random_device d;\n"),
    ("random", "src/flows/f.cpp", "getrandom(a, b, 0);\n"),
    ("thread", "src/stages/decode/d.cpp", "std::jthread t;\n"),
    ("thread", "src/stages/decode/d.cpp", "std::mutex m;\n"),
    ("open", "src/stages/decode/d.cpp", "std::ifstream f;\n"),
    ("open", "src/flows/f.cpp", 'auto f = fopen("a", "r");\n'),
    ("socket", "src/flows/f.cpp", "int s = ::socket(1, 2, 3);\n"),
    ("environment", "src/flows/f.cpp", 'auto e = std::getenv("A");\n'),
    ("exit", "src/flows/f.cpp", "void f() { std::exit(1); }\n"),
    ("spawn", "src/flows/f.cpp", "asio::co_spawn(x, f(), done);\n"),
    ("spawn", "src/flows/f.cpp", "#include <boost/asio/co_spawn.hpp>\n"),
    ("spawn", "src/io/sqlite/s.cpp", "std::jthread t{[] {}};\n"),
    ("spawn", "src/app/m.cpp", "std::vector<std::thread> all;\n"),
    ("detached", "src/flows/f.cpp", "co_spawn(x, f(), asio::detached);\n"),
    ("detached", "src/io/sqlite/s.cpp", "std::thread([] {}).detach();\n"),
    ("atomic-shared", "src/io/http/t.hpp", "std::atomic<std::shared_ptr<const int>> current_;\n"),
    ("name", "src/base/json_util.hpp", "#pragma once\n"),
    ("name", "src/base/CamelCase.hpp", "#pragma once\n"),
    ("header", "src/base/b.hpp", "#include <vector>\n"),
    ("todo", "src/base/a.cpp", "// TODO: later\n"),
    ("todo", "docs/a.md", "# A\n\nFIXME\n"),
    ("title", "docs/a.md", "A page\n"),
    ("title", "docs/a.md", "# A\n\n# B\n"),
    ("link", "docs/a.md", "# A\n\n[there](nowhere.md)\n"),
    ("dead", "src/base/unlisted.cpp", "int a;\n"),
    ("dead", "src/base/lonely.hpp", "#pragma once\n"),
    ("twice", "src/base/b.hpp", "#pragma once\n\nclass Sample final : public B {\n};\n"),
    ("nul", "docs/a.md", "# A\n\0\n"),
    ("newline", "docs/a.md", "# A\r\n"),
    ("columns", "tools/a.py", "a = '" + "x" * 140 + "'\n"),
    ("exception", "tools/style/exceptions.txt", "clock src/base/a.cpp not needed\n"),
    ("exception", "tools/style/exceptions.txt", "clock src/base/a.cpp\n"),
    ("include-table", "ARCHITECTURE.md", None),
]

# What looks like a breach and is none.
HARMLESS = [
    ("src/base/a.cpp", "int f(int a) {\n" + "  ++a;\n" * 58 + "}\n"),
    ("src/base/a.cpp", "const int table[] = {\n" + "  1,\n" * 100 + "};\n"),
    ("src/base/a.cpp", "namespace a {\n" + "int f() { return 1; }\n" * 70 + "}\n"),
    ("src/base/a.cpp", "class C {\n" + "  int f() { return 1; }\n" * 70 + "};\n"),
    ("src/base/a.cpp", 'auto s = R"(time(nullptr))";\n// steady_clock::now()\n'),
    ("src/base/a.cpp", "int sleep_until(int when);\nint random(int a);\nauto x = clock.time(0);\n"),
    ("src/io/sqlite/s.cpp", "unsigned n = std::thread::hardware_concurrency();\n"),
    ("src/base/a.cpp", "// TOD" + "O(#12): later\n"),
    ("src/base/a.cpp", "constexpr int thousand = 1'000, million = 1'000'000;\n"),
    ("src/base/a.cpp", "int " + "x" * 95 + ";\n"),
    ("src/base/a_test.cpp", 'auto s = R"(' + "x" * 99 + ')";\n'),
    ("docs/a.md", "# A\n\n```sh\n# a comment\n```\n\n[root](../ARCHITECTURE.md)\n"),
]


def breaches(extra):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**CLEAN, **extra}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        return style.check(root)[0]


class StyleTest(unittest.TestCase):
    def test_a_clean_tree_has_no_breach(self):
        self.assertEqual(breaches({}), [])

    def test_every_planted_breach_is_caught_where_it_stands(self):
        for rule, path, text in PLANTED:
            with self.subTest(rule=rule, path=path, text=(text or "")[:40]):
                planted = "# Nothing\n" if text is None else CLEAN.get(path, "") + text
                found = breaches({path: planted})
                self.assertTrue(any(line.startswith(path + ":") and f": {rule}: " in line for line in found), found)

    def test_harmless_code_is_let_through(self):
        for path, text in HARMLESS:
            with self.subTest(path=path, text=text[:40]):
                self.assertEqual(breaches({path: CLEAN.get(path, "") + text}), [])

    def test_an_exception_with_a_reason_excuses_its_breach_only(self):
        excused = {"tools/style/exceptions.txt": "columns src/base/a.cpp a table reads better wide\n",
                   "src/base/a.cpp": CLEAN["src/base/a.cpp"] + "int " + "x" * 97 + ";\nint r = rand();\n"}
        found = breaches(excused)
        self.assertEqual(len(found), 1, found)
        self.assertIn(": random: ", found[0])


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    unittest.main()
