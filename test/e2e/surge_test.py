"""`vesper surge` against a real server: its counts are the server's, its report is whole, and it says when it was late."""
import json, os, signal, subprocess, threading, time, unittest
import xml.etree.ElementTree as xml

from harness import BUILD, ISSUER, SOURCE, Server, eventually, request, token


class SurgeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(upstream=None)
        cls.server.start()
        document = json.loads((SOURCE / "deploy/demo/trial.json").read_text())
        assert cls.server.publish({**document, "destinations": []}).status == 201
        assert cls.server.publish({**document, "id": "OTHER-02", "destinations": []}).status == 201

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def command(self, *options, intake=None):
        return [str(BUILD / "vesper"), "surge", "--intake", intake or f"http://{self.server.intake}", "--key",
                str(self.server.folder / "keys.json"), "--issuer", ISSUER, *options]

    def surge(self, *options, status=0, **named):
        done = subprocess.run(self.command(*options, **named), capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done

    def report(self, *options, status=0):
        return json.loads(self.surge("--json", "--quiet", "--late-beyond-ms", "5000", *options, status=status).stdout)

    def stored(self):
        for line in request(self.server.admin, "GET", "/metrics").body.decode().splitlines():
            if line.startswith('vesper_journal_diaries_total{outcome="stored"}'):
                return int(float(line.split()[1]))
        return 0

    def test_counts_are_those_of_the_server_and_the_ledger_is_whole(self):
        before = self.stored()
        ledger = self.server.folder / "ledger.tsv"
        report = self.report("--curve", "40:1,80:1", "--push", "0.5:20", "--ledger", str(ledger), "--pid",
                             str(self.server.process.child.pid))
        total = report["total"]
        self.assertGreater(total["tries"], 60)
        # A busy machine may refuse of a burst: what counts is that both sides tell the same.
        self.assertEqual(total["accepted"] + total["refused"], total["tries"])
        self.assertGreater(total["accepted"], 20)
        self.assertEqual(total["status"]["201"], total["accepted"])
        self.assertEqual(self.stored() - before, total["accepted"])
        self.assertEqual(sum(phase["tries"] for phase in report["phases"]), total["tries"])
        self.assertEqual(sum(interval["accepted"] for interval in report["intervals"]), total["accepted"])
        self.assertEqual(report["generator"]["verdict"], "believable")
        self.assertIsNotNone(report["cpu"]["server_s"])
        lines = ledger.read_text().splitlines()
        names = lines[0].split("\t")
        rows = [dict(zip(names, line.split("\t"))) for line in lines[1:]]
        self.assertEqual(len(rows), total["tries"])
        self.assertEqual(len({row["id"] for row in rows}), total["tries"])
        taken = [row for row in rows if row["outcome"] == "201"]
        self.assertEqual(len(taken), total["accepted"])
        for row in taken[::9]:
            self.assertGreaterEqual(int(row["latency_us"]), int(row["late_us"]))
            reply = request(self.server.intake, "GET", f"/patient/data/{row['id']}", bearer=token(row["subject"], row["trial"]))
            self.assertEqual(reply.status, 200, "acknowledged and lost: " + repr(reply))

    def test_the_page_needs_nothing_else_and_names_no_patient(self):
        page = self.server.folder / "report.html"
        self.surge("--rate", "50", "--seconds", "1", "--html", str(page), "--quiet", "--late-beyond-ms", "5000")
        text = page.read_text()
        tree = xml.fromstring(text.replace("<!DOCTYPE html>", "").replace("&#160;", " "))
        self.assertGreaterEqual(len(list(tree.iter("{http://www.w3.org/2000/svg}svg"))), 4)
        for foreign in ("<script", "src=", "href=", "url(", "@import", "S-0000", "A quiet evening", "pain-nrs", "eyJ"):
            self.assertNotIn(foreign, text)
        self.assertEqual(text.replace("http://www.w3.org/2000/svg", "").count("http"), 0)

    def test_several_trials_share_the_load_by_weight(self):
        report = self.report("--rate", "200", "--seconds", "2", "--trial", "EVENING-01*3,OTHER-02")
        trials = report["phases"][0]["trials"]
        ratio = trials["EVENING-01"]["tries"] / trials["OTHER-02"]["tries"]
        self.assertTrue(2 < ratio < 4.5, ratio)

    def test_a_plan_gives_each_trial_a_curve_of_its_own(self):
        plan = self.server.folder / "plan.json"
        plan.write_text(json.dumps({"curve": "50:1", "trials": [
            {"id": "EVENING-01"}, {"id": "OTHER-02", "curve": "0:0.5", "push": "0.2:30"}]}))
        trials = self.report("--plan", str(plan))["phases"][0]["trials"]
        self.assertEqual(trials["OTHER-02"]["tries"], 30)
        self.assertEqual(trials["OTHER-02"]["accepted"] + trials["OTHER-02"]["refused"], 30)
        self.assertGreater(trials["EVENING-01"]["accepted"], 5)

    def test_what_is_not_taken_is_told_by_status_and_not_tried_again(self):
        report = self.report("--rate", "50", "--seconds", "1", "--trial", "NO-SUCH-TRIAL", "--retry", "told")
        self.assertEqual(report["total"]["accepted"], 0)
        self.assertEqual(report["total"]["failed"] + report["total"]["refused"], report["total"]["tries"])
        self.assertEqual(report["crowd"]["in"], 0)

    def test_a_stopped_server_shows_in_latencies_from_the_due_moment(self):
        """Negative control of corrected latency: a closed loop would have seen one slow answer a connection."""
        pid = self.server.process.child.pid
        timer = threading.Timer(0.7, lambda: os.kill(pid, signal.SIGSTOP))
        again = threading.Timer(1.7, lambda: os.kill(pid, signal.SIGCONT))
        timer.start(), again.start()
        report = self.report("--rate", "100", "--seconds", "3", "--connections", "20", "--patience-s", "15")
        timer.join(), again.join()
        total = report["total"]
        self.assertGreater(total["accepted_latency"]["max_ms"], 500)
        self.assertGreater(total["no_connection"], 0, "twenty connections hang, and a try without one is dropped")
        self.assertLess(total["good"], total["tries"])
        self.assertEqual(total["accepted"] + total["refused"] + total["no_connection"] + total["timed_out"] + total["cut"], total["tries"])

    def test_a_stopped_generator_says_that_it_was_late(self):
        child = subprocess.Popen(self.command("--rate", "100", "--seconds", "4", "--json"), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        for line in child.stderr:
            if "s of 4" in line:
                break
        child.send_signal(signal.SIGSTOP)
        eventually(lambda: open(f"/proc/{child.pid}/stat").read().rsplit(")", 1)[1].split()[0] == "T", what="stopped")
        begun = time.monotonic()
        eventually(lambda: time.monotonic() - begun > 0.3, what="0.3 s")
        child.send_signal(signal.SIGCONT)
        out, _ = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 1)
        generator = json.loads(out)["generator"]
        self.assertIn(generator["verdict"], ("late", "saturated"))
        self.assertGreater(generator["late_max_ms"], 200)

    def test_an_interrupt_ends_it_with_a_report(self):
        child = subprocess.Popen(self.command("--rate", "50", "--seconds", "600", "--json", "--late-beyond-ms", "5000"),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        child.stderr.readline()
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=20)
        self.assertTrue(json.loads(out)["stopped"])

    def test_clients_that_return_as_told_are_all_in(self):
        with Server(upstream=None) as slow:
            slow.start(env={"VESPER__JOURNAL__PACE_PER_S": "100", "VESPER__INTAKE__SHARDS": "1"})
            document = json.loads((SOURCE / "deploy/demo/trial.json").read_text())
            self.assertEqual(slow.publish({**document, "destinations": []}).status, 201)
            report = self.report_of(slow, "--rate", "300", "--seconds", "1", "--retry", "told", "--patience-s", "60", "--tries-max", "100")
            crowd = report["crowd"]
            self.assertEqual(crowd["in"], crowd["diaries"])
            self.assertGreater(report["total"]["refused"], 0, "nothing was refused at three times the pace")
            self.assertEqual(sum(crowd["tries"]), crowd["in"])
            self.assertGreater(crowd["tries_mean"], 1)

    def report_of(self, server, *options):
        kept, type(self).server = self.server, server
        try:
            return self.report(*options)
        finally:
            type(self).server = kept

    def test_only_loopback_is_loaded_and_slips_are_named(self):
        for options, words in (((), "not on loopback"),):
            done = self.surge(*options, intake="http://192.0.2.1:80", status=2)
            self.assertIn(words, done.stderr)
        self.assertIn("curve: `5`", self.surge("--curve", "5", status=2).stderr)
        self.assertIn("push: `x`", self.surge("--push", "x", status=2).stderr)
        self.assertIn("--trial", self.surge("--trial", "A*0", status=2).stderr)
        self.assertIn("refused", self.surge(intake="http://127.0.0.1:9", status=2).stderr)


if __name__ == "__main__":
    unittest.main()
