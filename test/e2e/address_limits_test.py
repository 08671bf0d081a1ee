"""Limits of addresses and connections, proxies that are trusted, ceilings and the door's thresholds: live, in dry runs, in the log."""
import json, os, subprocess, time, unittest

from harness import BUILD, Server, diary, eventually, json_line, request
from raw import Case, Raw, post



class Limited(Case):
    def limited(self, limits, server=None, status=200):
        server = server or self.server()
        reply = request(server.admin, "POST", "/limits", json.dumps(limits), headers={"Vesper-Reason": "a test"})
        self.assertEqual(reply.status, status, reply)
        return server

    def behind_proxy(self, header="X-Forwarded-For"):
        return self.server(env={"VESPER__INTAKE__TRUSTED_PROXIES": "127.0.0.0/8", "VESPER__INTAKE__CLIENT_HEADER": header})

    def metric(self, server, name):
        for line in request(server.admin, "GET", "/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        raise AssertionError(f"no metric {name}")

    def over(self, server, of):
        return self.metric(server, f'vesper_admission_over_rate_total{{of="{of}"}}')

    def would(self, server, of):
        return self.metric(server, f'vesper_admission_would_refuse_total{{of="{of}"}}')

    def refused(self, reply):
        self.assertEqual(reply.status, 429, reply)
        self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)
        self.assertEqual(reply.headers["Content-Type"], "application/fhir+json")
        self.assertEqual(reply.json()["issue"][0]["code"], "throttled")


class AddressLimits(Limited):
    def test_an_address_over_its_rate_is_refused_before_its_token_is_looked_at(self):
        server = self.limited({"addresses": {"requestsPerSecond": 0.01, "burst": 3}})
        statuses = [server.submit(diary(), bearer="wrong").status for _ in range(3)]
        self.assertEqual(statuses, [401] * 3)
        self.refused(server.submit(diary(), bearer="wrong"))
        self.refused(server.submit(diary()))
        self.refused(request(server.intake, "GET", "/nowhere"))
        self.assertEqual(request(server.intake, "GET", "/readyz").status, 200)
        self.assertEqual(self.over(server, "address"), 3)

    def test_headers_of_who_is_not_trusted_are_not_believed(self):
        server = self.limited({"addresses": {"requestsPerSecond": 0.01, "burst": 2}})
        for i in range(2):
            self.assertEqual(server.submit(diary(), **{"X-Forwarded-For": f"203.0.113.{i}"}).status, 201)
        self.refused(server.submit(diary(), **{"X-Forwarded-For": "203.0.113.9"}))

    def test_behind_a_trusted_proxy_each_client_has_its_own(self):
        for header, said in (("X-Forwarded-For", "{}"), ("Forwarded", 'for="{}";proto=https')):
            server = self.limited({"addresses": {"requestsPerSecond": 0.01, "burst": 2}}, self.behind_proxy(header))
            of = lambda client: server.submit(diary(), **{header: said.format(client)})
            for _ in range(2):
                self.assertEqual(of("203.0.113.1").status, 201)
            self.refused(of("203.0.113.1"))
            spoofed = said.format("198.51.100.7") + ", " + said.format("203.0.113.1")
            self.refused(server.submit(diary(), **{header: spoofed}))
            self.assertEqual(of("203.0.113.2").status, 201)
            self.assertEqual(of("[2001:db8:0:1::1]").status, 201)
            self.assertEqual(of("[2001:db8:0:1::2]").status, 201)
            self.refused(of("[2001:db8:0:1:ffff::3]"))
            for _ in range(5):  # whom the proxy does not name nobody can count
                self.assertEqual(server.submit(diary()).status, 201)
            self.assertEqual(self.metric(server, "vesper_admission_clients_unnamed_total"), 5)

    def test_a_connection_over_its_rate_is_refused_and_another_is_not(self):
        server = self.limited({"connections": {"requestsPerSecond": 0.01, "burst": 2}})
        raw = Raw(server.intake)
        for expected in (201, 201, 429, 429):
            status, headers, _ = raw.send(post(diary())).reply()
            self.assertEqual(status, expected)
        self.assertGreaterEqual(int(headers["retry-after"]), 1)
        self.assertEqual(server.submit(diary()).status, 201)
        self.assertEqual(self.over(server, "connection"), 2)

    def test_an_address_has_so_many_connections_and_no_more(self):
        server = self.server()
        held = [Raw(server.intake) for _ in range(2)]
        for raw in held:
            self.assertEqual(raw.send(post(diary())).reply()[0], 201)
        self.limited({"addresses": {"connectionsMax": 3}}, server)  # those open already count
        third = Raw(server.intake)
        self.assertEqual(third.send(post(diary())).reply()[0], 201)
        self.refused(server.submit(diary()))
        self.assertEqual(self.over(server, "address-connections"), 1)
        held[0].close()
        eventually(lambda: server.submit(diary()).status == 201, what="room for one more")
        self.limited({"addresses": {"connectionsMax": 0}}, server)
        self.assertEqual(Raw(server.intake).send(post(diary())).reply()[0], 201)

    def test_a_trusted_proxy_may_open_as_many_as_it_likes(self):
        server = self.limited({"addresses": {"connectionsMax": 1}}, self.behind_proxy())
        held = [Raw(server.intake) for _ in range(5)]
        for raw in held:
            self.assertEqual(raw.send(post(diary())).reply()[0], 201)

    def test_a_dry_run_counts_and_refuses_nothing(self):
        server = self.limited({"dryRun": True, "addresses": {"requestsPerSecond": 0.01, "burst": 1, "connectionsMax": 1},
                               "connections": {"requestsPerSecond": 0.01, "burst": 1}})
        raw = Raw(server.intake)
        for _ in range(3):
            self.assertEqual(raw.send(post(diary())).reply()[0], 201)
        self.assertEqual(server.submit(diary()).status, 201)
        self.assertEqual(self.would(server, "address"), 3)
        self.assertEqual(self.would(server, "connection"), 2)
        self.assertEqual(self.would(server, "address-connections"), 1)

    def test_a_wrong_proxy_is_told_at_the_start(self):
        with Server() as server:
            done = subprocess.run([BUILD / "vesper", "serve", "--config", server.config], capture_output=True, text=True,
                                  timeout=60, env={**os.environ, "VESPER__INTAKE__TRUSTED_PROXIES": "10.1.2.3/8"})
        self.assertEqual(done.returncode, 2)
        self.assertIn('intake.trusted_proxies = "10.1.2.3/8": must be a network', done.stderr)


class DoorLimits(Limited):
    def test_the_ceiling_of_connections_changes_while_the_server_runs(self):
        server = self.server()
        held = Raw(server.intake)
        self.assertEqual(held.send(post(diary())).reply()[0], 201)
        self.limited({"door": {"connectionsMax": 1}}, server)
        self.assertEqual(server.submit(diary()).status, 503)
        self.assertEqual(held.send(post(diary())).reply()[0], 201)
        self.assertEqual(self.metric(server, "vesper_http_connections_max"), 1)
        request(server.admin, "POST", "/limits/reset", "{}")
        self.assertEqual(server.submit(diary()).status, 201)

    def test_the_ceiling_of_bytes_comes_from_the_memory_and_changes_while_the_server_runs(self):
        server = self.server()
        derived = self.metric(server, "vesper_http_bytes_in_flight_max")
        self.assertGreaterEqual(derived, 16 << 20)
        vars = request(server.admin, "GET", "/debug/vars").json()
        self.assertEqual(vars["queues"]["http.bytes"]["capacity"], derived)
        self.limited({"door": {"bytesInFlightMax": 1 << 20}}, server)
        self.assertEqual(self.metric(server, "vesper_http_bytes_in_flight_max"), 1 << 20)
        body = b"x" * (1 << 20)
        head = post(body)[:-len(body)]
        held = [Raw(server.intake).send(head + body[:700_000]) for _ in range(2)]
        self.assertEqual(eventually(lambda: self.metric(server, 'vesper_admission_refused_total{reason="bytes"}') >= 1 and 1), 1)
        for raw in held:
            raw.close()
        eventually(lambda: server.submit(diary()).status == 201, what="room again")

    def test_a_door_that_is_shut_while_the_server_runs_says_why_in_one_line_a_second(self):
        server = self.limited({"door": {"waitMaxMs": 51}})
        shown = request(server.admin, "GET", "/limits").json()["limits"]["door"]
        self.assertEqual((shown["waitMaxMs"], shown["journalWaitMaxMs"]), (51, 50))
        self.limited({"addresses": {"requestsPerSecond": 0.01, "burst": 1}}, server)
        raw, sent, end = Raw(server.intake), 0, time.monotonic() + 2.5
        while time.monotonic() < end:
            raw.send(post(diary())).reply()
            sent += 1
        refused = lambda: [e for e in map(json_line, server.process.lines) if e and e.get("event.action") == "refused"]
        eventually(lambda: sum(e["vesper.refused"] for e in refused()) == sent - 1, what="the whole count")
        self.assertLessEqual(len(refused()), 5)
        for event in refused():
            self.assertEqual(event["event.reason"], "address")
            self.assertNotIn("S-000123", json.dumps(event))

    def test_thresholds_on_trial_leave_the_door_as_it_is(self):
        server = self.limited({"dryRun": True, "door": {"connectionsMax": 1}})
        raw = Raw(server.intake)
        self.assertEqual(raw.send(post(diary())).reply()[0], 201)
        self.assertEqual(server.submit(diary()).status, 201)
        self.assertGreaterEqual(self.would(server, "connections"), 1)
        self.limited({"dryRun": False}, server)
        self.assertEqual(server.submit(diary()).status, 503)

    def test_what_nobody_changed_follows_the_configuration_after_a_restart(self):
        server = self.limited({"standard": {"patientPerDay": 9}})
        self.assertEqual(server.stop(), 0)
        server.start(env={"VESPER__INTAKE__CONNECTIONS_MAX": "77"})
        self.assertEqual(self.metric(server, "vesper_http_connections_max"), 77)
        self.limited({"door": {"connectionsMax": 78}}, server)
        self.assertEqual(server.stop(), 0)
        server.start(env={"VESPER__INTAKE__CONNECTIONS_MAX": "79"})
        self.assertEqual(self.metric(server, "vesper_http_connections_max"), 78)

    def test_what_is_no_threshold_is_told(self):
        server = self.server()
        for door in ({"waitMaxMs": 0}, {"connectionsMax": 0}, {"bytesInFlightMax": 1}, {"wait": 1}):
            self.limited({"door": door}, server, status=422)


if __name__ == "__main__":
    unittest.main()
