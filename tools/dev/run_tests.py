"""Runs ctest and counts test cases exactly: GoogleTest's own reports where there are any, else one a ctest entry.

The last line on stdout is `N passed, N failed, N skipped`; exit status 0 when none failed and some passed, else 1.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def add_googletest(self, entry, path):
        """Counts one report; returns how many cases failed."""
        before = len(self.failed)
        for case in ET.parse(path).getroot().iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            if case.get("status") != "run":
                continue
            skip = case.find("skipped")
            if case.find("failure") is not None:
                self.failed.append(f"{entry}: {name}")
            elif case.get("result") == "skipped" or skip is not None:
                reason = (skip.get("message") or "") if skip is not None else ""
                self.skipped.append(f"{entry}: {name}: {reason.strip().splitlines()[-1] if reason.strip() else ''}")
            else:
                self.passed += 1
        return len(self.failed) - before


def count(junit, reports, by_case=False):
    """A Tally of a ctest JUnit file and a folder of GoogleTest reports named after their ctest entries.

    by_case: a filter chose cases of GoogleTest, so an entry without a report was not asked for.
    """
    tally = Tally()
    for case in ET.parse(junit).getroot().iter("testcase"):
        name, status = case.get("name"), case.get("status")
        report = reports / f"{name}.xml"
        why = case.find("skipped").get("message", "") if case.find("skipped") is not None else ""
        if by_case and not report.exists() and status == "run":
            continue
        if status == "disabled" or status == "notrun" and why.startswith("SKIP_"):
            tally.skipped.append(f"{name}: {why or status}")
        elif status == "notrun":
            tally.failed.append(f"{name}: could not be run: {why}")
        elif report.exists():
            failures = tally.add_googletest(name, report)
            if status == "fail" and failures == 0:
                tally.failed.append(f"{name}: no case failed, but the program did (sanitizer, leak, exit status)")
        elif status == "run":
            tally.passed += 1
        else:
            tally.failed.append(f"{name}: failed, crashed or timed out")
    return tally


def list_entries(build, labels):
    """Name of each ctest entry to whether it is a program of its own, not a script."""
    shown = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1", *labels], capture_output=True, text=True)
    tests = json.loads(shown.stdout)["tests"]
    return {test["name"]: not pathlib.Path(test.get("command", ["?"])[0]).name.startswith(("python", "bash"))
            for test in tests}


def select_entries(entries, wanted):
    """The ctest entries that a filter names, or else all programs, whose cases it then chooses."""
    named = [name for name in entries if wanted.lower() in name.lower()]
    return named, not named and bool(wanted)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--filter", default="")
    parser.add_argument("labels", nargs="*")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    folder = build / "test-reports"  # where each ctest entry writes its report (cmake/VesperModule.cmake)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = dict(os.environ, GTEST_COLOR="no")
    select = list(options.labels)
    entries = list_entries(build, select)
    named, by_case = select_entries(entries, options.filter)
    if by_case:
        named = [name for name, program in entries.items() if program]
        environment["GTEST_FILTER"] = f"*{options.filter}*"
    if options.filter:
        select += ["-R", "^(" + "|".join(re.escape(name) for name in named) + ")$"]
    junit = folder / "ctest.junit"
    if entries:
        subprocess.run(["ctest", "--test-dir", str(build), "-j", options.jobs, "--output-on-failure",
                        "--no-tests=ignore", "--output-junit", str(junit), *select], env=environment)
    tally = count(junit, folder, by_case) if junit.exists() else Tally()
    for line in tally.skipped:
        print("skipped:", line)
    for line in tally.failed:
        print("FAILED:", line)
    nothing_ran = not tally.passed and not tally.failed and not tally.skipped
    if nothing_ran:
        print("no test matches", file=sys.stderr)
    print(f"{tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
    sys.exit(1 if tally.failed or nothing_ran and options.filter else 0)


if __name__ == "__main__":
    main()
