"""`vesper drill`: faults played to a real server, and the incident replayed.

Goal:   a drill passes on a server that keeps its promises, fails on one that is made to break one, compares with the
        last run, and leaves no process and no folder behind.
Method: the real command, short. Latency and refusals are judged leniently: the machine does other
        things beside, and a server that has no CPU is right to refuse. With --full each
        drill runs at its usual length, and the Friday night goes on until the incident's service gives way.
Usage:  drill_test.py [--full]
"""
import json, os, pathlib, subprocess, sys, tempfile, unittest

from harness import BUILD

FULL = "--full" in sys.argv
if FULL:
    sys.argv.remove("--full")
LENIENT = ["--latency-ms", "2000", "--refused-percent", "60"]
SHORT = ["--rate", "40", "--seconds", "5", "--quiet-seconds", "2", *LENIENT]
USUAL = LENIENT


def drill(*arguments, environment=None):
    """(exit status, stdout, stderr); the temporary folders are looked at afterwards."""
    with tempfile.TemporaryDirectory(prefix="drill-test-") as folder:
        done = subprocess.run([str(BUILD / "vesper"), "drill", *arguments], capture_output=True, text=True, timeout=600,
                              env={**os.environ, "TMPDIR": folder, **(environment or {})})
        left = os.listdir(folder)
        assert not left, f"left behind: {left}"
        return done.returncode, done.stdout, done.stderr


def run(name, *more):
    status, out, err = drill("run", name, "--json", "--quiet", *(USUAL if FULL else SHORT), *more)
    assert status in (0, 1), f"{status}: {err}"
    return status, json.loads(out)


def broken(report):
    return [f"{f['promise']}: {f['measured']}" for f in report["findings"] if not f["held"]]


class Drills(unittest.TestCase):
    def test_list_names_every_fault_of_the_incident(self):
        status, out, _ = drill("list", "--json")
        self.assertEqual(status, 0)
        self.assertEqual({d["name"] for d in json.loads(out)},
                         {"destination-dead", "destination-slow", "destination-wrong", "disk-slow", "disk-full",
                          "process-killed", "clock-stepped", "clients-leave"})

    def test_an_unknown_drill_is_a_slip_of_usage(self):
        status, out, err = drill("run", "nonesuch")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("nonesuch", err)

    def passes(self, name):
        status, report = run(name)
        if report["skipped"]:
            self.skipTest(report["skipped"])
        self.assertEqual((status, broken(report)), (0, []))
        self.assertEqual(report["outcome"], "passed")
        self.assertGreater(len(report["findings"]), 10)

    def test_the_server_outlives_a_dead_destination(self):
        self.passes("destination-dead")

    def test_the_server_outlives_being_killed(self):
        self.passes("process-killed")

    def test_the_server_outlives_clients_that_leave(self):
        self.passes("clients-leave")

    def test_a_delivery_confirmed_and_never_applied_is_found(self):
        status, report = run("destination-slow", "--control", "lie")
        self.assertEqual(status, 1)
        self.assertTrue(any("lost" in b for b in broken(report)), broken(report))

    def test_a_delivery_applied_twice_is_found(self):
        status, report = run("destination-slow", "--control", "twice")
        self.assertEqual(status, 1)
        self.assertTrue(any("twice" in b for b in broken(report)), broken(report))

    def test_a_server_that_stands_still_after_the_fault_is_found(self):
        status, report = run("clients-leave", "--control", "stall")
        self.assertEqual(status, 1)
        self.assertTrue(any("a second after the fault" in b or "without an answer" in b for b in broken(report)), broken(report))

    def test_a_journal_lost_between_kill_and_start_is_found(self):
        status, report = run("process-killed", "--control", "forget")
        self.assertEqual(status, 1)
        self.assertTrue(any("lost" in b for b in broken(report)), broken(report))

    def test_connections_that_are_kept_are_found(self):
        status, report = run("clients-leave", "--control", "stay")
        self.assertEqual(status, 1)
        self.assertTrue(any("left behind" in b for b in broken(report)), broken(report))

    def test_a_run_is_compared_with_the_last_good_one(self):
        with tempfile.TemporaryDirectory() as results:
            last = pathlib.Path(results) / "destination-slow.json"
            last.write_text('{"figures":{"drain_s":-100.0,"memory_growth_mib":1000.0}}')
            status, report = run("destination-slow", "--results", results)
            self.assertEqual(status, 1)
            self.assertTrue(any("drain_s" in r for r in report["regressions"]), report["regressions"])
            self.assertFalse(any("memory" in r for r in report["regressions"]))
            self.assertIn("-100", last.read_text(), "a worse run never becomes what the next is compared with")
            self.assertTrue((pathlib.Path(results) / "destination-slow.failed.json").exists())


@unittest.skipUnless(FULL, "the usual length: ./dev test --all")
class AllDrills(unittest.TestCase):
    def test_each_drill_at_its_usual_length(self):
        names = [d["name"] for d in json.loads(drill("list", "--json")[1])]
        for name in names:
            with self.subTest(name):
                status, report = run(name)
                self.assertEqual((status, broken(report), report["regressions"]), (0, [], []))


class FridayNight(unittest.TestCase):
    def test_the_incident_is_replayed_and_vesper_holds(self):
        if not (BUILD / "vesper_naive").exists():
            self.skipTest("vesper_naive is not built")
        length = [] if FULL else ["--rate", "40", "--baseline-seconds", "2", "--peak-seconds", "8", "--after-seconds", "2",
                                  "--descriptors", "256"]
        with tempfile.TemporaryDirectory() as folder:
            status, _, err = drill("friday-night", "--quiet", "--report", folder, *length)
            self.assertEqual(status, 0, err)
            report = json.loads((pathlib.Path(folder) / "friday-night.json").read_text())
            page = (pathlib.Path(folder) / "friday-night.html").read_text()
        naive, vesper = report["sides"]
        self.assertEqual((naive["name"], vesper["name"]), ("naive", "vesper"))
        self.assertTrue(report["held"])
        self.assertEqual((vesper["acknowledged_lost"], vesper["doubled"], vesper["misordered"]), (0, 0, 0))
        self.assertGreater(vesper["acknowledged"], 0)
        # The control: the same evening loses diaries where nobody owes them durably.
        self.assertGreater(naive["acknowledged_lost"], 0)
        self.assertGreater(naive["tasks_max"], 100)
        self.assertGreaterEqual(page.count("<svg"), 10)
        self.assertNotIn("<script", page)
        self.assertNotIn("http://", page.replace("http://www.w3.org", ""))


if __name__ == "__main__":
    unittest.main()
