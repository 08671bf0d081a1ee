"""The counting of run_tests.py on reports of every kind: its closing line is what CI and people believe."""
import pathlib
import tempfile
import unittest

import run_tests

JUNIT = """<testsuite>
<testcase name="good_test" status="run"/><testcase name="bad_test" status="fail"/>
<testcase name="crash_test" status="fail"/><testcase name="leak_test" status="fail"/>
<testcase name="script" status="run"/><testcase name="off" status="disabled"><skipped/></testcase>
<testcase name="asked_to_skip" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>
<testcase name="not_built" status="notrun"><skipped message="Unable to find executable"/></testcase>
</testsuite>"""
GOOD = """<testsuites><testsuite>
<testcase name="A" status="run" result="completed" classname="S"/>
<testcase name="B" status="run" result="skipped" classname="S"><skipped message="file:1&#10;corpus absent"/></testcase>
<testcase name="C" status="notrun" result="suppressed" classname="S"/>
</testsuite></testsuites>"""
BAD = """<testsuites><testsuite>
<testcase name="A" status="run" result="completed" classname="S"/>
<testcase name="B" status="run" result="completed" classname="S">
<failure message="no"/><failure message="no"/></testcase>
</testsuite></testsuites>"""


class Counting(unittest.TestCase):
    def test_each_case_counts_once(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "ctest.junit").write_text(JUNIT)
            (folder / "good_test.xml").write_text(GOOD)
            (folder / "bad_test.xml").write_text(BAD)
            (folder / "leak_test.xml").write_text(GOOD)
            tally = run_tests.count(folder / "ctest.junit", folder)
        # good: 1 + 1 skipped; bad: 1 + 1 failed; crash: 1 failed; leak: 1 + 1 skipped + 1 failed; script: 1;
        # a program that could not be run has failed, one that asked to be skipped has not.
        self.assertEqual(tally.passed, 4)
        self.assertEqual(len(tally.failed), 4, tally.failed)
        self.assertEqual(len(tally.skipped), 4, tally.skipped)
        self.assertIn("good_test: S.B: corpus absent", tally.skipped)

    def test_a_filter_names_entries_or_else_cases(self):
        entries = {"access_test": True, "style_test": False}
        self.assertEqual(run_tests.select_entries(entries, "access"), (["access_test"], False))
        self.assertEqual(run_tests.select_entries(entries, "Verifier.Takes"), ([], True))
        self.assertEqual(run_tests.select_entries(entries, ""), (["access_test", "style_test"], False))


if __name__ == "__main__":
    unittest.main()
