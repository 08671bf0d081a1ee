"""Runs ctest and counts test cases exactly: GoogleTest's own reports where there are any, else one a ctest entry.

The last line on stdout is `N passed, N failed, N skipped`; exit status 0 when none failed and some passed, else 1.
"""
import argparse
import os
import pathlib
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


def count(junit, reports):
    """A Tally of a ctest JUnit file and a folder of GoogleTest reports named after their ctest entries."""
    tally = Tally()
    for case in ET.parse(junit).getroot().iter("testcase"):
        name, status = case.get("name"), case.get("status")
        report = reports / f"{name}.xml"
        if status == "notrun" or status == "disabled":
            tally.skipped.append(f"{name}: not run")
        elif report.exists():
            failures = tally.add_googletest(name, report)
            if status == "fail" and failures == 0:
                tally.failed.append(f"{name}: no case failed, but the program did (sanitizer, leak, exit status)")
        elif status == "run":
            tally.passed += 1
        elif case.find("skipped") is not None:
            tally.skipped.append(name)
        else:
            tally.failed.append(f"{name}: failed, crashed or timed out")
    return tally


def list_entries(build, labels):
    out = subprocess.run(["ctest", "--test-dir", build, "-N", *labels], capture_output=True, text=True).stdout
    return [line.split(": ", 1)[1].strip() for line in out.splitlines() if line.lstrip().startswith("Test ")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--filter", default="")
    parser.add_argument("labels", nargs="*")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    folder = build / "test-reports"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = dict(os.environ, GTEST_OUTPUT=f"xml:{folder}/", GTEST_COLOR="no")
    select = list(options.labels)
    entries = list_entries(build, select)
    if options.filter:
        named = [entry for entry in entries if options.filter.lower() in entry.lower()]
        if named:
            select += ["-R", "^(" + "|".join(named) + ")$"]
        else:
            environment["GTEST_FILTER"] = f"*{options.filter}*"
    junit = folder / "ctest.junit"
    if entries:
        subprocess.run(["ctest", "--test-dir", str(build), "-j", options.jobs, "--output-on-failure",
                        "--no-tests=ignore", "--output-junit", str(junit), *select], env=environment)
    tally = count(junit, folder) if junit.exists() else Tally()
    if options.filter and "GTEST_FILTER" in environment:
        keep_matching(tally, entries, folder)
    for line in tally.skipped:
        print("skipped:", line)
    for line in tally.failed:
        print("FAILED:", line)
    if not tally.passed and not tally.failed and not tally.skipped and (options.filter or not entries):
        print("no test matches", file=sys.stderr)
    print(f"{tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
    nothing_ran = tally.passed == 0 and not tally.skipped
    sys.exit(1 if tally.failed or (nothing_ran and entries) else 0)


def keep_matching(tally, entries, folder):
    """With a filter by case, entries without GoogleTest reports were not asked for."""
    others = [entry for entry in entries if not (folder / f"{entry}.xml").exists()]
    for entry in others:
        if f"{entry}: failed, crashed or timed out" in tally.failed:
            tally.failed.remove(f"{entry}: failed, crashed or timed out")
        elif entry in tally.skipped:
            tally.skipped.remove(entry)
        else:
            tally.passed -= 1


if __name__ == "__main__":
    main()
