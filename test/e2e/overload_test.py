"""What the server does by itself when its journal stands still, or when one trial asks for more than there is.

Slow disks are made by journal.pace_per_s, one that stands still by hanging_disk.cpp.
"""
import http.client, json, sqlite3, threading, time, unittest, uuid

from harness import BUILD, SOURCE, diary, eventually, request, token
from raw import Case


class Overload(Case):
    def paced(self, per_s):
        server = self.server(start=False, config="")
        text = server.config.read_text()
        server.config.write_text(text.replace('url = "sqlite:data/vesper.db"\n', f'url = "sqlite:data/vesper.db"\npace_per_s = {per_s}\n'))
        server.start()
        self.assertEqual(server.publish().status, 201)
        return server

    def metric(self, server, name):
        for line in request(server.admin, "GET", "/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return 0

    def degradation(self, server):
        return json.loads(request(server.admin, "GET", "/degradation").body)


class Stalled(Overload):
    """A disk whose syncs do not end while a file is there."""

    @unittest.skipUnless((BUILD / "hanging_disk.so").exists(), "hanging_disk.so is not built")
    def test_the_breaker_opens_levels_rise_and_all_of_it_comes_back(self):
        server = self.server(start=False, config="")
        hang = server.folder / "hang"
        server.start(env={"LD_PRELOAD": str(BUILD / "hanging_disk.so"), "VESPER_TEST_HANG": str(hang)})
        self.assertEqual(server.publish().status, 201)
        known, answers = diary(subject="S-1"), []
        self.assertEqual(server.submit(known).status, 201)
        hang.touch()
        caught = threading.Thread(target=lambda: answers.append(server.submit(diary(subject="S-2")).status))
        caught.start()
        eventually(lambda: self.metric(server, "vesper_admission_journal_breaker_open") == 1, what="an open breaker")
        for _ in range(5):  # told at once, though their deadline is ten seconds away
            began = time.monotonic()
            reply = server.submit(diary(subject="S-9"))
            self.assertEqual(reply.status, 503, reply)
            self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)
            self.assertLess(time.monotonic() - began, 3)
        self.assertGreaterEqual(self.metric(server, 'vesper_admission_refused_total{reason="breaker"}'), 5)
        eventually(lambda: self.degradation(server)["level"] == 2, what="the second level")
        self.assertEqual(self.degradation(server)["why"], "pressure")
        read = request(server.intake, "GET", "/patient/data/" + known["submissionId"], bearer=token(subject="S-1"))
        self.assertEqual(read.status, 503)
        self.assertGreaterEqual(int(read.headers["Retry-After"]), 1)
        self.assertEqual(request(server.intake, "GET", "/healthz").status, 200)
        hang.unlink()
        caught.join()
        self.assertEqual(answers, [201])  # what was let in is taken all the same
        eventually(lambda: self.metric(server, "vesper_admission_journal_breaker_open") == 0, what="a closed breaker")
        eventually(lambda: server.submit(diary(subject="S-9")).status == 201, what="diaries that are taken again")
        eventually(lambda: self.degradation(server)["level"] == 0, seconds=40, what="the way back")
        read = request(server.intake, "GET", "/patient/data/" + known["submissionId"], bearer=token(subject="S-1"))
        self.assertEqual(read.status, 200)
        self.assertEqual(server.stop(), 0)
        said = [json.loads(line)["event.action"] for line in server.process.lines]
        self.assertEqual([a for a in said if a in ("journal.stalled", "journal.back")][:2], ["journal.stalled", "journal.back"])
        connection = sqlite3.connect(server.folder / "data" / "vesper.db")
        rows = connection.execute("SELECT actor, target FROM audit WHERE action = 'degradation' ORDER BY id").fetchall()
        connection.close()
        names = ["normal", "exports-off", "reads-off", "derivation-deferred", "refuse"]
        self.assertEqual({actor for actor, _ in rows}, {"server"})
        levels = [0] + [names.index(target) for _, target in rows]
        self.assertTrue(all(abs(a - b) == 1 for a, b in zip(levels, levels[1:])), levels)  # one at a time
        self.assertEqual((max(levels) >= 2, levels[-1]), (True, 0))


class Shares(Overload):
    def flood(self, server, subject, counts, end):
        """As fast as it can on one connection, whatever it is told."""
        bearer, connection = token(subject), None
        while time.monotonic() < end:
            connection = connection or http.client.HTTPConnection(server.intake, timeout=20)
            connection.request("POST", "/patient/data", json.dumps(diary(subject=subject)),
                               {"Content-Type": "application/json", "Authorization": "Bearer " + bearer})
            reply = connection.getresponse()
            reply.read()
            counts[reply.status] = counts.get(reply.status, 0) + 1
            if reply.will_close:
                connection = connection.close()

    def test_a_trial_inside_its_share_is_not_refused_for_one_that_is_not(self):
        server = self.paced(60)
        document = json.loads((SOURCE / "deploy/demo/trial.json").read_text())
        self.assertEqual(server.publish({**document, "id": "OTHER-01"}).status, 201)
        counts, end = {}, time.monotonic() + 8
        floods = [threading.Thread(target=self.flood, args=(server, f"S-{i}", counts, end)) for i in range(12)]
        for flood in floods:
            flood.start()
        eventually(lambda: counts.get(503, 0) > 50, what="a crowd")
        others = []
        while time.monotonic() < end - 0.5:
            others.append(server.submit(diary(subject=f"O-{len(others)}", trial="OTHER-01")).status)
            time.sleep(0.2)
        for flood in floods:
            flood.join()
        self.assertGreater(len(others), 8)
        self.assertEqual(set(others), {201}, others)
        self.assertGreater(counts[503], counts[201])  # three times what there is and more
        self.assertGreater(self.metric(server, 'vesper_admission_refused_total{reason="share"}'), 50)


class Departures(Overload):
    """Taken back between the body and the commit: the id is free again. In the group: it is stored."""

    def test_an_id_that_was_taken_back_is_new_when_it_comes_again(self):
        import socket
        from raw import post
        server = self.paced(1)
        bodies = {name: diary(submission=str(uuid.uuid4())) for name in ("committing", "queued")}

        def send(name):
            connection = socket.create_connection(server.intake.split(":"))
            connection.sendall(post(bodies[name], token()))
            return connection

        def waiting():
            return request(server.admin, "GET", "/debug/pprof/goroutine?debug=2").body.decode().count("waits: journal.commit")
        first = send("committing")
        queue = lambda: json.loads(request(server.admin, "GET", "/debug/vars").body)["queues"]["journal.entries"]["depth"]
        eventually(lambda: waiting() == 1 and queue() == 0)
        second = send("queued")
        eventually(lambda: waiting() == 2)
        for connection in (first, second):
            connection.close()
        eventually(lambda: waiting() == 0, what="the end of both")
        queued, committed = server.submit(bodies["queued"]), server.submit(bodies["committing"])
        self.assertEqual((queued.status, queued.headers["Idempotent-Replay"]), (201, None))
        self.assertEqual((committed.status, committed.headers["Idempotent-Replay"]), (201, "true"))


if __name__ == "__main__":
    unittest.main()
