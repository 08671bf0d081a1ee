"""Limits on verified names, live and audited; levels of degradation; the description of the routes."""
import json, signal, sqlite3, threading, time, unittest, uuid

from harness import diary, eventually, request, token
from raw import Case

DAY_LIMIT = {"standard": {"patientPerDay": 2}}


def admin(server, method, path, body=None, **headers):
    return request(server.admin, method, path, None if body is None else json.dumps(body), headers=headers)


class Metrics(Case):
    def metric(self, server, name):
        for line in admin(server, "GET", "/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return 0


class Limits(Metrics):
    def limited(self, limits, server=None):
        server = server or self.server()
        reply = admin(server, "POST", "/limits", limits, **{"Vesper-Reason": "a test"})
        self.assertEqual(reply.status, 200, reply)
        return server

    def refused(self, reply):
        self.assertEqual(reply.status, 429, reply)
        self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)
        self.assertEqual(reply.headers["Content-Type"], "application/fhir+json")
        self.assertEqual(reply.json()["resourceType"], "OperationOutcome")
        self.assertEqual(reply.json()["issue"][0]["code"], "throttled")
        return int(reply.headers["Retry-After"])

    def test_nothing_is_limited_by_default(self):
        server = self.server()
        for _ in range(60):
            self.assertEqual(server.submit(diary()).status, 201)
        self.assertEqual(admin(server, "GET", "/limits").json()["source"], "configuration")

    def test_a_patient_over_her_rate_is_told_when_and_nobody_else_is(self):
        server = self.limited({"standard": {"patientPerMinute": 30, "patientBurst": 3}})
        for _ in range(3):
            self.assertEqual(server.submit(diary()).status, 201)
        for _ in range(20):
            wait = self.refused(server.submit(diary()))
            self.assertLessEqual(wait, 4)  # one each two seconds, and jitter
        self.assertEqual(server.submit(diary(subject="S-000124")).status, 201)
        self.assertGreaterEqual(self.metric(server, 'vesper_admission_over_rate_total{of="patient"}'), 20)

    def test_a_site_does_not_spend_a_patients_allowance(self):
        server = self.limited({"standard": {"patientPerMinute": 6, "patientBurst": 2, "callerPerSecond": 1000}})
        site = token(subject="nurse", scope="site", site="SITE-1")
        for _ in range(10):
            self.assertEqual(server.submit(diary(), bearer=site).status, 201)
        self.assertEqual(server.submit(diary()).status, 201)

    def test_reading_has_an_allowance_of_its_own(self):
        server = self.limited({"standard": {"patientPerMinute": 1, "patientBurst": 1}})
        sent = diary()
        self.assertEqual(server.submit(sent).status, 201)
        path = "/patient/data/" + sent["submissionId"]
        self.assertEqual(request(server.intake, "GET", path, bearer=token()).status, 200)
        self.refused(request(server.intake, "GET", path, bearer=token()))

    def test_a_quota_a_day_is_not_spent_by_replays_or_by_what_was_refused(self):
        server = self.limited(DAY_LIMIT)
        first = json.dumps(diary())
        for _ in range(5):
            self.assertEqual(server.submit(first).status, 201)
        self.assertEqual(server.submit(diary()).status, 201)
        wait = self.refused(server.submit(diary()))
        self.assertLessEqual(wait, 12 * 3600 * 1.3)
        self.assertEqual(server.submit(diary(subject="S-9")).status, 201)

    def test_rates_of_the_trial_document_count_and_the_operators_win(self):
        server = self.server(publish=False)
        from harness import SOURCE
        document = json.loads((SOURCE / "deploy/demo/trial.json").read_text())
        document["rates"] = {"patientPerDay": 1}
        self.assertEqual(server.publish(document).status, 201)
        self.assertEqual(server.submit(diary()).status, 201)
        self.refused(server.submit(diary()))
        self.limited({"trials": {"EVENING-01": {"patientPerDay": 0}}}, server)
        self.assertEqual(server.submit(diary()).status, 201)

    def test_one_trials_rate_is_not_anothers(self):
        server = self.limited({"trials": {"EVENING-01": {"trialPerSecond": 0.5, "trialBurst": 2}}})
        from harness import SOURCE
        document = json.loads((SOURCE / "deploy/demo/trial.json").read_text())
        self.assertEqual(server.publish({**document, "id": "OTHER-01"}).status, 201)
        answers = [server.submit(diary(subject=f"S-{i}")) for i in range(12)]
        self.assertEqual([a.status for a in answers[:2]], [201, 201])
        waits = [self.refused(a) for a in answers if a.status == 429]
        self.assertGreater(max(waits), min(waits) + 5)  # each its own slot: not all at once
        for i in range(12):
            self.assertEqual(server.submit(diary(subject=f"S-{i}", trial="OTHER-01")).status, 201)

    def test_a_token_of_several_trials_is_charged_to_the_one_the_diary_names(self):
        server = self.limited({"trials": {"EVENING-01": {"patientPerDay": 1}}})
        both = token(trial=["EVENING-01", "OTHER-01"])
        self.assertEqual(server.submit(diary(), bearer=both).status, 201)
        self.refused(server.submit(diary(), bearer=both))
        self.refused(server.submit(diary()))  # one patient, whichever token

    def test_a_dry_run_counts_and_refuses_nothing(self):
        server = self.limited({**DAY_LIMIT, "dryRun": True})
        for _ in range(6):
            self.assertEqual(server.submit(diary()).status, 201)
        self.assertEqual(self.metric(server, 'vesper_admission_would_refuse_total{of="patient-day"}'), 4)
        self.limited({"dryRun": False}, server)
        self.refused(server.submit(diary()))

    def test_a_change_is_in_force_on_every_shard_at_once(self):
        server = self.server(config="", env={"VESPER__INTAKE__SHARDS": "4"})
        self.limited({"ceilings": {"readsPerSecond": 0.001}}, server)
        one = request(server.intake, "GET", f"/patient/data/{uuid.uuid4()}", bearer=token())
        self.assertEqual(one.status, 404)
        for _ in range(24):  # new connections: all shards
            reply = request(server.intake, "GET", f"/patient/data/{uuid.uuid4()}", bearer=token())
            self.assertEqual(reply.status, 503, reply)
            self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)
        self.limited({"ceilings": {"readsPerSecond": 0}}, server)
        for _ in range(24):
            self.assertEqual(request(server.intake, "GET", f"/patient/data/{uuid.uuid4()}", bearer=token()).status, 404)

    def test_a_change_is_audited_and_survives_a_crash_until_it_is_reset(self):
        server = self.limited(DAY_LIMIT)
        server.kill()
        server.start()
        shown = admin(server, "GET", "/limits").json()
        self.assertEqual(shown["source"], "operator")
        self.assertEqual(shown["reason"], "a test")
        self.assertEqual(shown["limits"]["standard"], {"patientPerDay": 2})
        reset = admin(server, "POST", "/limits/reset", {}, **{"Vesper-Reason": "over"})
        self.assertEqual(reset.json()["source"], "configuration")
        self.assertEqual(server.stop(), 0)
        events = self.audit(server)
        self.assertEqual([(e[0], e[1], e[3]) for e in events if e[0].startswith("limits")],
                         [("limits.set", "local", "a test"), ("limits.reset", "local", "over")])
        server.start()
        self.assertEqual(admin(server, "GET", "/limits").json()["source"], "configuration")

    def audit(self, server):
        connection = sqlite3.connect(server.folder / "data" / "vesper.db")
        try:
            return connection.execute("SELECT action, actor, target, reason FROM audit ORDER BY id").fetchall()
        finally:
            connection.close()

    def test_what_is_no_limit_is_told_and_changes_nothing(self):
        server = self.server()
        for body, word in (({"standard": {"patientPerMinut": 1}}, "patientPerMinut"), ({"dryRun": 1}, "dryRun"),
                           ({"standard": {"patientPerDay": 1.5}}, "patientPerDay"), ({"coldChecksPercent": 0}, "coldChecksPercent"),
                           ({"weights": {"T": -1}}, "weights.T"), ({"standard": {"trialPerSecond": -1}}, "trialPerSecond"), ([], "object")):
            reply = admin(server, "POST", "/limits", body)
            self.assertEqual(reply.status, 422, body)
            self.assertIn(word, reply.json()["issue"][0]["diagnostics"])
        self.assertEqual(admin(server, "GET", "/limits").json()["source"], "configuration")
        self.assertEqual(request(server.admin, "PUT", "/limits", "{}").headers["Allow"], "GET, HEAD, POST")

    def test_configured_limits_change_at_sighup(self):
        server = self.server(config="[limits]\npatient_per_day = 1\n")
        self.assertEqual(server.submit(diary()).status, 201)
        self.refused(server.submit(diary()))
        server.config.write_text(server.config.read_text().replace("patient_per_day = 1", "patient_per_day = 3"))
        server.process.child.send_signal(signal.SIGHUP)
        eventually(lambda: admin(server, "GET", "/limits").json()["limits"]["standard"] == {"patientPerDay": 3}, what="the reload")
        self.assertEqual(server.submit(diary()).status, 201)

    def test_the_command_shows_and_sets(self):
        import subprocess
        from harness import BUILD
        server = self.server()
        run = lambda *a: subprocess.run([BUILD / "vesper", "limits", *a, "--server", f"http://{server.admin}"],
                                        capture_output=True, text=True)
        self.assertEqual(run("show", "--json").returncode, 0)
        done = run("set", '{"standard":{"patientPerDay":1}}', "--reason", "by hand")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(run("show", "--json").stdout)["reason"], "by hand")
        self.assertEqual(server.submit(diary()).status, 201)
        self.refused(server.submit(diary()))
        wrong = run("set", '{"nothing":1}')
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("nothing", wrong.stderr)
        self.assertEqual(run("reset").returncode, 0)
        self.assertEqual(server.submit(diary()).status, 201)


class Degradation(Metrics):
    def level(self, server, level, status=200):
        reply = admin(server, "POST", "/degradation", {"level": level}, **{"Vesper-Reason": "drill"})
        self.assertEqual(reply.status, status, reply)
        return reply.json()

    def answers(self, server, sent):
        """Statuses of an export, a read, a diary, a publication's precondition and a probe."""
        staff = token(subject="admin-1", scope="trial-admin")
        return [request(server.intake, "GET", "/trials/EVENING-01/history", bearer=token()).status,
                request(server.intake, "GET", "/patient/data/" + sent["submissionId"], bearer=token()).status,
                server.submit(diary()).status,
                request(server.intake, "PUT", "/trials/EVENING-01", "{}", bearer=staff,
                        headers={"Content-Type": "application/json"}).status,
                request(server.intake, "GET", "/readyz").status,
                request(server.admin, "GET", "/metrics").status]

    def test_each_level_gives_up_what_it_says_and_nothing_more(self):
        server = self.server()
        sent = diary()
        self.assertEqual(server.submit(sent).status, 201)
        for level, expected in ((0, [200, 200, 201]), (1, [503, 200, 201]), ("reads-off", [503, 503, 201]),
                                (3, [503, 503, 201]), ("refuse", [503, 503, 503]), ("normal", [200, 200, 201])):
            self.level(server, level)
            self.assertEqual(self.answers(server, sent), expected + [428, 200, 200], level)
        shown = admin(server, "GET", "/degradation").json()
        self.assertEqual((shown["level"], shown["why"], shown["reason"]), (0, "operator", "drill"))
        self.level(server, "automatic")
        self.assertTrue(admin(server, "GET", "/degradation").json()["automatic"])
        self.level(server, "sideways", 422)
        self.level(server, 5, 422)
        self.assertEqual(server.stop(), 0)
        connection = sqlite3.connect(server.folder / "data" / "vesper.db")
        targets = [row[0] for row in connection.execute("SELECT target FROM audit WHERE action = 'degradation' ORDER BY id")]
        connection.close()
        self.assertEqual(targets, ["normal", "exports-off", "reads-off", "derivation-deferred", "refuse", "normal", "automatic"])

    def test_the_level_is_a_figure(self):
        server = self.server()
        self.level(server, 2)
        self.assertIn("\nvesper_admission_degradation_level 2\n", admin(server, "GET", "/metrics").body.decode())

    def test_deferred_derivation_is_caught_up(self):
        from receiver import Receiver
        with Receiver() as platform:
            server = self.server(upstream=platform.url)
            self.level(server, 3)
            sent = diary()
            self.assertEqual(server.submit(sent).status, 201)
            time.sleep(0.5)
            self.assertEqual(len(platform.seen), 0)
            figures = admin(server, "GET", "/metrics").body.decode()
            self.assertIn("\nvesper_fhir_bundles_failed_total 0\n", figures)  # put off, and no failure
            self.assertGreaterEqual(self.metric(server, "vesper_fhir_bundles_deferred_total"), 1)
            self.level(server, 0)
            eventually(lambda: len(platform.seen) == 1, what="the delivery")
            read = request(server.intake, "GET", "/patient/data/" + sent["submissionId"], bearer=token())
            self.assertEqual(read.json()["bundle"]["resourceType"], "Bundle")


class Description(Case):
    def test_the_admin_port_serves_the_openapi_document(self):
        server = self.server(publish=False)
        reply = admin(server, "GET", "/openapi.json")
        self.assertEqual(reply.status, 200)
        from harness import SOURCE
        self.assertEqual(reply.body.decode(), (SOURCE / "docs/reference/openapi.json").read_text())
        for path, item in reply.json()["paths"].items():
            if "{" not in path and "get" in item and any(row["port"] == "admin" for row in item["get"]["x-vesper"]) \
                    and "profile" not in path and "trace" not in path:
                self.assertIn(request(server.admin, "GET", path).status, (200, 503), path)


if __name__ == "__main__":
    unittest.main()
