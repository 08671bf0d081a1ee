"""The way out, the way back and the figures of a real server: SIGTERM with what hangs, SIGHUP, metrics, audit, a dead disk."""
import json, shutil, signal, socket, sqlite3, subprocess, time, unittest

from harness import Server, diary, eventually, request, token
from receiver import Receiver


def figures(server):
    """Name with labels -> value, of /metrics."""
    text = request(server.admin, "GET", "/metrics").body.decode()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}


def head(server, length):
    return (f"POST /patient/data HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token()}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n").encode()


class Stopping(unittest.TestCase):
    def test_exit_0_within_10_s_while_a_destination_and_a_client_hang(self):
        with Receiver(lambda delivered: None) as hanging, Server({"default": hanging.url}, config="deadline_ms = 600000\n") as server:
            server.start()
            self.assertEqual(server.publish().status, 201)
            receipt = server.submit(diary()).json()
            eventually(lambda: hanging.of(receipt), what="a try")
            host, port = server.intake.split(":")
            with socket.create_connection((host, int(port)), timeout=20) as client:
                client.sendall(head(server, 1000))  # and nothing more
                eventually(lambda: figures(server)["vesper_http_connections"] >= 1, what="the connection")
                began = time.monotonic()
                self.assertEqual(server.process.stop(12), 0)
                self.assertLess(time.monotonic() - began, 10)

    def test_a_request_in_flight_ends_and_readyz_fails_at_once(self):
        with Server() as server:
            server.start()
            self.assertEqual(server.publish().status, 201)
            body = json.dumps(diary()).encode()
            host, port = server.intake.split(":")
            with socket.create_connection((host, int(port)), timeout=20) as client:
                client.sendall(head(server, len(body)) + body[:20])
                eventually(lambda: figures(server)["vesper_http_connections"] >= 1, what="the connection")
                server.process.child.send_signal(signal.SIGTERM)
                ready = eventually(lambda: request(server.admin, "GET", "/readyz").status == 503 and
                                   request(server.admin, "GET", "/readyz"), what="an unready node")
                self.assertEqual(ready.json()["reasons"][0]["cause"], "stopping")
                client.sendall(body[20:])
                answer = client.recv(65536)
                self.assertTrue(answer.startswith(b"HTTP/1.1 201 "), answer)
                self.assertIn(b"\r\nConnection: close\r\n", answer)
            self.assertEqual(server.process.child.wait(12), 0)


class Reloading(unittest.TestCase):
    def test_live_keys_are_taken_over_and_a_bad_file_changes_nothing(self):
        with Server(config='[log]\nlevel = "error"\n') as server:
            server.start()
            self.assertEqual(server.publish().status, 201)
            good = server.config.read_text()
            server.config.write_text(good.replace('level = "error"', 'level = "loud"'))
            server.process.child.send_signal(signal.SIGHUP)
            eventually(lambda: any("log.level" in line for line in server.process.errors), what="the fault")
            server.config.write_text(good.replace('level = "error"', 'level = "info"'))
            server.process.child.send_signal(signal.SIGHUP)
            eventually(lambda: any('"reload"' in line for line in server.process.lines), what="the line of the reload")
            self.assertEqual(server.submit(diary()).status, 201)


class Figures(unittest.TestCase):
    def test_every_stage_counts_and_the_admin_port_does_not(self):
        with Receiver() as platform, Server({"default": platform.url}) as server:
            server.start()
            self.assertEqual(server.publish().status, 201)
            self.assertEqual(server.submit(diary()).status, 201)
            self.assertEqual(server.submit({**diary(), "formVersion": "99"}).status, 201)
            self.assertEqual(server.submit("{", bearer=token()).status, 400)
            self.assertEqual(server.submit(diary(**{"pain-nrs": 99})).status, 422)
            self.assertEqual(server.submit(diary(), bearer=token("S-other")).status, 403)
            self.assertEqual(server.submit(diary(), bearer="x").status, 401)
            unknown = diary(trial="NOWHERE")
            self.assertEqual(server.submit(unknown).status, 404)
            eventually(lambda: figures(server)['vesper_outbox_deliveries_total{outcome="delivered"}'] == 1, what="the delivery")
            now = figures(server)
            for name, value in {'vesper_ingest_refused_total{stage="decode"}': 1, 'vesper_ingest_refused_total{stage="form"}': 1,
                                'vesper_ingest_refused_total{stage="access"}': 1, 'vesper_ingest_refused_total{stage="catalog"}': 1,
                                'vesper_access_tokens_total{outcome="refused"}': 1, "vesper_ingest_held_total": 1,
                                'vesper_journal_diaries_total{outcome="stored"}': 2, "vesper_catalog_trials": 1,
                                "vesper_catalog_publications_total": 1, "vesper_upstream_request_seconds_count": 1,
                                "vesper_outbox_delivery_age_seconds_count": 1, "vesper_outbox_in_flight": 0}.items():
                self.assertEqual(now[name], value, name)
            for name in ("vesper_journal_bytes", "vesper_journal_disk_free_bytes", "vesper_journal_commit_seconds_count",
                         "vesper_ingest_seconds_count", "vesper_http_connections_total"):
                self.assertGreater(now[name], 0, name)
            before = figures(server)
            for _ in range(5):
                request(server.admin, "GET", "/healthz")
            after = figures(server)
            for name in before:
                if name.startswith(("vesper_http_connections", "vesper_http_requests")):
                    self.assertEqual(before[name], after[name], name)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is absent (Debian package prometheus)")
    def test_promtool_takes_them(self):
        with Server() as server:
            server.start()
            self.assertEqual(server.publish().status, 201)
            self.assertEqual(server.submit(diary()).status, 201)
            text = request(server.admin, "GET", "/metrics").body
            tool = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
            self.assertEqual((tool.returncode, tool.stderr), (0, b""))

    def test_index_lists_what_is_there(self):
        with Server() as server:
            server.start()
            page = request(server.admin, "GET", "/")
            self.assertEqual(page.status, 200)
            for path in ("/metrics", "/readyz", "/healthz", "/outbox", "/drain"):
                self.assertIn(path, page.body.decode())
            self.assertEqual(request(server.admin, "GET", "/outbox?format=text").status, 200)


class Parked(unittest.TestCase):
    def test_changes_are_audited_and_what_waits_is_alarmed(self):
        with Receiver(lambda delivered: (422, {}, b"")) as refusing, Server({"default": refusing.url}) as server:
            server.start()
            self.assertEqual(server.publish(**{"If-None-Match": "*", "Vesper-Reason": "first"}).status, 201)
            receipt = server.submit(diary()).json()
            eventually(lambda: any("delivery.parked" in line for line in server.process.lines), what="the parked diary")
            self.assertEqual(server.stop(), 0)
            server.start()
            eventually(lambda: any("outbox.alarm" in line for line in server.process.lines), what="the alarm")
            eventually(lambda: figures(server)["vesper_outbox_parked"] == 1, what="the gauge")
            for path in ("/drain", "/undrain"):
                self.assertEqual(request(server.admin, "POST", path, headers={"Vesper-Reason": "because"}).status, 200)
            for verb in ("pause", "resume"):
                reply = request(server.admin, "POST", f"/outbox/default/{verb}", json.dumps({"reason": "because"}))
                self.assertEqual(reply.status, 200, reply)
            reply = request(server.admin, "POST", f"/outbox/default/skip/{receipt['deliveryId']}", json.dumps({"reason": "because"}))
            self.assertEqual(reply.status, 200, reply)
            self.assertEqual(server.stop(), 0)
            database = sqlite3.connect(f"file:{server.folder}/data/vesper.db?mode=ro", uri=True)
            actions = {action: (actor, reason) for action, actor, reason in database.execute("SELECT action,actor,reason FROM audit")}
            database.close()
            for action in ("drain", "undrain", "outbox.pause", "outbox.resume", "outbox.skip"):
                self.assertEqual(actions.get(action), ("local", "because"), (action, actions))
            self.assertTrue(any("publish" in action for action in actions), actions)


@unittest.skipUnless(shutil.which("strace"), "strace is absent")
class Broken(unittest.TestCase):
    def test_a_failed_sync_ends_the_process_with_3_and_acknowledges_nothing(self):
        with Server() as server:
            server.start()
            self.assertEqual(server.publish().status, 201)
            child = server.process.child.pid
            strace = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO",
                                       "-o", "/dev/null", "-p", str(child)], stderr=subprocess.PIPE, text=True)
            def attached():
                with open(f"/proc/{child}/status") as status:
                    return "TracerPid:\t0\n" not in status.read()
            try:
                eventually(attached, what="strace")
                statuses = []
                def send():
                    try:
                        statuses.append(server.submit(diary()).status)
                    except OSError:
                        statuses.append(0)
                eventually(lambda: [send(), server.process.child.poll() is not None][1], what="the end of the process")
            finally:
                strace.terminate()
                strace.wait()
                strace.stderr.close()
            self.assertEqual(server.process.child.returncode, 3)
            self.assertTrue(set(statuses) <= {0, 503}, statuses)
            eventually(lambda: any("journal.broken" in line for line in server.process.lines), what="the last line")


if __name__ == "__main__":
    unittest.main()
