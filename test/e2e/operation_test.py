"""Running it: start and refusal to start, limits, clients that behave badly, stop, reload, logs, no patient content anywhere."""
import base64, json, os, signal, socket, ssl, subprocess, threading, time, unittest, uuid

from harness import BUILD, SOURCE, diary, eventually, request, token
from raw import Case, Raw, post
from receiver import Receiver
from tls_files import Authority

DEMO = json.loads((SOURCE / "deploy/demo/trial.json").read_text())


class Starting(Case):
    def refused(self, server, status, *words, env=None, arguments=()):
        result = subprocess.run([BUILD / "vesper", "serve", "--config", server.config, *arguments], capture_output=True,
                                text=True, timeout=30, env={**os.environ, **(env or {})})
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertNotIn("listening", result.stdout)

    def changed(self, *pairs, **more):
        server = self.server(start=False, **more)
        text = server.config.read_text()
        for old, new in pairs:
            self.assertIn(old, text)
            text = text.replace(old, new)
        server.config.write_text(text)
        return server

    def test_configuration_errors_name_key_value_and_range(self):
        listen = '[intake]\nlisten = "127.0.0.1:0"\n'
        self.refused(self.changed((listen, listen + "body_max_byte = 5\n")), 2, "body_max_byte", "body_max_bytes")
        self.refused(self.changed((listen, listen + "body_max_bytes = 5\n")), 2, "intake.body_max_bytes", "5", "1024", "67108864")
        self.refused(self.changed((listen, listen + 'body_max_bytes = "5"\n')), 2, "intake.body_max_bytes")
        self.refused(self.changed((listen, '[intake]\nlisten = "nowhere"\n')), 2, "intake.listen", "nowhere")
        self.refused(self.changed((listen, '[intake]\nlisten = "127.0.0.1:65536"\n')), 2, "intake.listen")
        self.refused(self.changed((listen, "[intakes]\n" + listen)), 2, "intakes", "intake")
        self.refused(self.changed((listen, listen + "]\n")), 2, "vesper.toml")
        self.refused(self.changed(('sqlite:data', 'mysql:data')), 2, "journal.url")
        self.refused(self.changed(('"ops"', '"root"')), 2, "scopes", "root")
        self.refused(self.changed(('http://127.0.0.1:9', 'http://platform.example')), 2, "upstream.default", "allow_plain_http")
        self.refused(self.changed(('http://127.0.0.1:9', 'ftp://127.0.0.1')), 2, "upstream.default.url")
        self.refused(self.changed(("keys.json", "absent.json")), 2, "absent.json")
        missing = subprocess.run([BUILD / "vesper", "serve", "--config", "/nonexistent/v.toml"], capture_output=True, text=True)
        self.assertEqual(missing.returncode, 2)
        self.assertIn("/nonexistent/v.toml", missing.stderr)

    def test_environment(self):
        server = self.server(start=False)
        self.refused(server, 2, "VESPER__INTAKE__LISTENN", "VESPER__INTAKE__LISTEN", env={"VESPER__INTAKE__LISTENN": "x"})
        self.refused(server, 2, "VESPER__INTAKE__BODY_MAX_BYTES", env={"VESPER__INTAKE__BODY_MAX_BYTES": "many"})
        self.refused(server, 2, env={"VESPER__NOTHING": "1"})
        server.start(env={"VESPER__INTAKE__BODY_MAX_BYTES": "1024", "VESPERISM": "ignored", "VESPER_TOO": "ignored",
                          "VESPER__UPSTREAM__OTHER__URL": "http://127.0.0.1:9"})
        self.assertEqual(server.publish().status, 201)
        self.assertEqual(server.submit({**diary(), "padding": "x" * 1024}).status, 413)
        self.assertEqual(server.publish({**DEMO, "id": "O-1", "destinations": ["other"]}).status, 201)

    def test_a_secret_from_a_file(self):
        server = self.server(start=False, config='oauth2_token_url = "https://127.0.0.1:9/token"\noauth2_client_id = "me"\n')
        secret = server.folder / "secret"
        secret.write_text("hush-CANARY\n")
        name = "VESPER__UPSTREAM__DEFAULT__OAUTH2_CLIENT_SECRET"
        self.refused(server, 2, name + "_FILE", env={name + "_FILE": str(server.folder / "absent")})
        self.refused(server, 2, name, env={name + "_FILE": str(secret), name: "both"})
        server.start(env={name + "_FILE": str(secret)})
        self.assertEqual(server.stop(), 0)
        self.assertNotIn("CANARY", "".join(server.process.lines + server.process.errors))

    def test_a_port_in_use_is_named_with_its_setting(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            for section in ("intake", "admin"):
                server = self.changed((f'[{section}]\nlisten = "127.0.0.1:0"', f'[{section}]\nlisten = "127.0.0.1:{port}"'))
                self.refused(server, 2, f"{section}.listen", str(port))

    def test_two_servers_do_not_share_a_port(self):
        first = self.server(publish=False)
        port = first.intake.split(":")[1]
        second = self.changed(('[intake]\nlisten = "127.0.0.1:0"', f'[intake]\nlisten = "127.0.0.1:{port}"'))
        self.refused(second, 2, "intake.listen")

    def test_an_admin_port_for_everybody_needs_tokens(self):
        for address in ("0.0.0.0:0", "[::]:0"):
            server = self.changed(('[admin]\nlisten = "127.0.0.1:0"', f'[admin]\nlisten = "{address}"'))
            self.refused(server, 2, "admin.listen", "authentication")
        server = self.changed(('[admin]\nlisten = "127.0.0.1:0"', '[admin]\nlisten = "0.0.0.0:0"\nauthentication = "token"'))
        server.start()

    def test_the_journal_that_cannot_be_used_is_status_3(self):
        server = self.server()
        self.assertEqual(server.submit(diary()).status, 201)
        self.refused(server, 3, "vesper.db")  # in use by the running server
        self.assertEqual(server.stop(), 0)
        database = server.folder / "data" / "vesper.db"
        database.chmod(0o644)
        self.refused(server, 3, "vesper.db")
        database.chmod(0o600)
        with self.subTest("a database from the future"):
            import sqlite3
            connection = sqlite3.connect(database)
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.commit()
            connection.close()
            self.refused(server, 3)
            connection = sqlite3.connect(database)
            connection.execute(f"PRAGMA user_version = {version}")
            connection.commit()
            connection.close()
        server.start()
        self.assertEqual(server.stop(), 0)
        database.write_bytes(b"not a database at all" * 500)
        self.refused(server, 3)

    def test_a_corrupted_chain_is_status_3(self):
        import sqlite3
        server = self.server()
        receipts = [server.submit(diary()).json() for _ in range(3)]
        self.assertEqual(server.stop(), 0)
        connection = sqlite3.connect(server.folder / "data" / "vesper.db")
        tables = [r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        wanted, changed = bytes.fromhex(receipts[-1]["chain"]["hash"].split(":")[-1]), 0
        for table in tables:
            for column in [r[1] for r in connection.execute(f"PRAGMA table_info({table})")]:
                changed += connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE "{column}" = ?', (bytes(32), wanted)).rowcount
        connection.commit()
        connection.close()
        self.assertGreater(changed, 0)
        self.refused(server, 3)

    def test_one_flushed_listening_line_and_valid_logs(self):
        server = self.server()
        server.submit(diary())
        request(server.admin, "POST", "/drain")
        self.assertEqual(server.stop(), 0)
        events = [json.loads(line) for line in server.process.lines]
        for event in events:
            self.assertLessEqual({"@timestamp", "log.level", "event.action", "message"}, set(event), event)
            self.assertRegex(event["@timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
            self.assertIn(event["log.level"], ("debug", "info", "warn", "error"))
        listening = [e for e in events if e["event.action"] == "listening"]
        self.assertEqual(len(listening), 1)
        self.assertRegex(listening[0]["intake"], r"^http://127\.0\.0\.1:\d+$")
        self.assertRegex(listening[0]["admin"], r"^http://127\.0\.0\.1:\d+$")
        self.assertEqual("".join(server.process.errors), "")


class Stopping(Case):
    def test_under_load_nothing_acknowledged_is_lost(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.server(upstream=None)
            acknowledged, ending = [], threading.Event()

            def load(n):
                subject = f"S-{n}"
                raw = Raw(server.intake)
                try:
                    while not ending.is_set():
                        body = diary(subject)
                        raw.send(post(body, token(subject)))
                        status, headers, text = raw.reply()
                        if status == 201:
                            acknowledged.append((subject, json.loads(text)))
                        else:
                            self.assertEqual(status, 503)
                            self.assertIn("retry-after", headers)
                except (OSError, AssertionError):
                    pass
                raw.close()
            threads = [threading.Thread(target=load, args=(n,)) for n in range(6)]
            for thread in threads:
                thread.start()
            eventually(lambda: len(acknowledged) > 50)
            begin = time.monotonic()
            server.process.child.send_signal(number)
            self.assertEqual(server.process.child.wait(12), 0)
            self.assertLess(time.monotonic() - begin, 10)
            ending.set()
            for thread in threads:
                thread.join()
            server.start()
            for subject, receipt in acknowledged:
                reply = request(server.intake, "GET", f"/patient/data/{receipt['submissionId']}", bearer=token(subject))
                self.assertEqual(reply.status, 200)
                self.assertEqual(reply.json()["receipt"], receipt)

    def test_what_was_answered_survives_a_kill(self):
        with Receiver(lambda d: (422, {}, b"")) as platform:
            server = self.server(upstream=platform.url)
            first = server.submit(diary()).json()
            rows = lambda: json.loads(request(server.admin, "GET", "/outbox").body)["destinations"]
            eventually(lambda: rows()[0]["parked"] == 1)
            etag = request(server.intake, "GET", "/trials/EVENING-01", bearer=token()).headers["ETag"]
            for title in ("first change", "second change"):
                changed = server.publish({**DEMO, "title": title}, **{"If-Match": etag})
                self.assertEqual(changed.status, 200)
                server.kill()
                server.start()
                read = request(server.intake, "GET", "/trials/EVENING-01", bearer=token())
                self.assertEqual((read.json()["title"], read.headers["ETag"]), (title, changed.headers["ETag"]))
                etag = read.headers["ETag"]
            self.assertEqual(rows()[0]["parked"], 1)
            for path, member, wanted in ((f"/outbox/default/skip/{first['deliveryId']}", "parked", 0),
                                         ("/outbox/default/pause", "paused", True), ("/outbox/default/resume", "paused", False)):
                self.assertEqual(request(server.admin, "POST", path, json.dumps({"reason": "a test"})).status, 200)
                server.kill()
                server.start()
                self.assertEqual(rows()[0][member], wanted)

    def test_idle_and_half_sent_connections_do_not_hold_it_up(self):
        with Receiver(lambda d: None) as hanging:
            server = self.server(upstream=hanging.url)
            server.submit(diary())
            eventually(lambda: hanging.seen)
            idle = self.raw(server.intake)
            idle.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").reply()
            half = self.raw(server.intake).send(post(diary())[:-20])
            silent = self.raw(server.intake)
            begin = time.monotonic()
            server.process.child.terminate()
            eventually(lambda: self.unready(server), 3, "readyz fails at once")
            self.assertEqual(server.process.child.wait(12), 0)
            self.assertLess(time.monotonic() - begin, 10)

    @staticmethod
    def unready(server):
        try:
            return request(server.admin, "GET", "/readyz").status == 503
        except OSError:
            return True


class Reloading(Case):
    def test_certificate_and_keys_on_sighup(self):
        authority, second = Authority(), Authority()
        self.addCleanup(authority.close)
        self.addCleanup(second.close)
        server = self.server(start=False)
        certificate, key = server.folder / "tls.pem", server.folder / "tls.key"

        def install(authority):
            made = authority.issue("intake")
            certificate.write_bytes(made[0].read_bytes())
            key.write_bytes(made[1].read_bytes())
            key.chmod(0o600)
        install(authority)
        server.config.write_text(server.config.read_text().replace("[admin]", 'tls_certificate = "tls.pem"\ntls_key = "tls.key"\n[admin]'))
        server.start()
        self.assertTrue(any('"https://127.0.0.1' in line for line in server.process.lines))

        def trusting(authority):
            return ssl.create_default_context(cafile=authority.certificate)
        raw = self.raw(server.intake, tls=trusting(authority))
        document = json.dumps(DEMO).encode()
        raw.send(f"PUT /trials/EVENING-01 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token(scope='trial-admin')}\r\n"
                 f"If-None-Match: *\r\nContent-Type: application/json\r\nContent-Length: {len(document)}\r\n\r\n".encode() + document)
        self.assertEqual(raw.reply()[0], 201)
        raw.send(post(diary()))
        self.assertEqual(raw.reply()[0], 201)
        plain = self.raw(server.intake)
        plain.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertNotIn(b"200 OK", plain.rest())
        install(second)
        server.process.child.send_signal(signal.SIGHUP)

        def serves_second():
            try:
                return self.raw(server.intake, tls=trusting(second)).send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").reply()[0] == 200
            except ssl.SSLError:
                return False
        eventually(serves_second)
        raw.send(post(diary()))
        self.assertEqual(raw.reply()[0], 201, "the old connection lives on")
        certificate.write_text("nothing")
        server.process.child.send_signal(signal.SIGHUP)
        eventually(lambda: any("tls.reload" in line for line in server.process.lines))
        self.assertTrue(serves_second())
        key.chmod(0o644)
        self.assertEqual(server.stop(), 0)


class Admin(Case):
    def test_token_mode(self):
        server = self.server(start=False)
        server.config.write_text(server.config.read_text().replace("[admin]", '[admin]\nauthentication = "token"'))
        server.start()
        for path in ("/metrics", "/outbox"):
            self.assertEqual(request(server.admin, "GET", path).status, 401)
            self.assertEqual(request(server.admin, "GET", path, bearer=token(scope="service")).status, 401)
            self.assertEqual(request(server.admin, "GET", path, bearer=token(scope="ops")).status, 200)
        self.assertEqual(request(server.admin, "POST", "/drain").status, 401)
        self.assertEqual(request(server.admin, "POST", "/drain", bearer=token(scope="ops")).status, 200)
        self.assertEqual(request(server.admin, "GET", "/healthz").status, 200)
        self.assertEqual(request(server.admin, "GET", "/readyz").status, 503)

    def test_hosts_and_origins(self):
        server = self.server(start=False)
        server.config.write_text(server.config.read_text().replace("[admin]", '[admin]\nallowed_hosts = ["vesper.internal"]'))
        server.start()
        good = ("vesper.internal", "vesper.internal:6060", "127.0.0.1", "localhost:1", "[::1]:6060")
        bad = ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example")
        for host, status in [(h, 200) for h in good] + [(h, 403) for h in bad]:
            self.assertEqual(request(server.admin, "POST", "/undrain", headers={"Host": host}).status, status, host)
        for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
            self.assertEqual(request(server.admin, "POST", "/undrain", headers={"Origin": origin}).status, 403, origin)
        own = {"Origin": "http://" + server.admin, "Host": server.admin}
        self.assertEqual(request(server.admin, "POST", "/undrain", headers=own).status, 200)
        for method in ("GET", "PUT", "DELETE", "HEAD"):
            self.assertEqual(request(server.admin, method, "/undrain").status, 405, method)


class Secrets(Case):
    def test_no_patient_content_leaves_but_to_her_and_the_platform(self):
        """A canary in every member goes in every way; it must be nowhere else, raw, in base64 or in hex."""
        canary = "CANARYzqx7"
        plain = canary.encode()
        forms = {f.rstrip(b"=")[:12] for f in (plain, plain.lower(), base64.b64encode(plain), plain.hex().encode())}
        with Receiver(lambda d: (422, {"X-Echo": canary}, d.body)) as platform:
            server = self.server(upstream=platform.url, config='[log]\nlevel = "debug"\n')
            seen = []
            subject = "S-" + canary
            bearer = token(subject, site="SITE-" + canary, jti=canary)
            good = diary(subject, note=canary)
            good.update(device={"id": canary, "app": canary}, extra=canary)
            self.assertEqual(server.submit(good, bearer=bearer).status, 201)
            answers, fresh = good["answers"], {**good, "submissionId": str(uuid.uuid4())}
            bad = [
                {**good, "submissionId": canary}, {**good, "answers": {**answers, "pain-nrs": canary}},
                {**good, "answers": {**answers, "fatigue": canary}}, {**good, "authored": canary},
                {**good, "language": canary * 50}, {**good, "device": {"utcOffsetMinutes": canary}},
                {**good, "note": canary}, {**fresh, "answers": {"note": [canary]}}, {**fresh, "amends": canary},
                {**good, "answers": canary},
            ]
            for body in bad:
                seen.append(server.submit(body, bearer=bearer))
            for text in ('{"a":"' + canary, canary, '{"' + canary + '":1,"' + canary + '":2}', '"' + canary + '\\ud800"'):
                seen.append(server.submit(text, bearer=bearer))
            for text in (f"<diary><answers>{canary}</diary>", f"<{canary}/>", f"<!DOCTYPE {canary}><a/>",
                         f"<diary><answers><answer field='pain-nrs'>{canary}</answer></answers></diary>"):
                seen.append(server.submit(text, bearer=bearer, **{"Content-Type": "application/xml"}))
                seen.append(server.submit(text, bearer=bearer, **{"Content-Type": "application/odm+xml"}))
            seen.append(server.submit(json.dumps({"resourceType": canary}), bearer=bearer, **{"Content-Type": "application/fhir+json"}))
            seen.append(request(server.intake, "GET", "/patient/data/" + canary, bearer=bearer))
            seen.append(request(server.intake, "GET", "/" + canary, bearer=canary))
            seen.append(server.submit(good, bearer=token("S-1")))
            eventually(lambda: json.loads(request(server.admin, "GET", "/outbox").body)["destinations"][0]["parked"] == 1)
            for path in ("/metrics", "/outbox", "/outbox/default", "/outbox?format=text", "/outbox/default?format=text",
                         "/readyz", "/healthz", "/debug/vars"):
                seen.append(request(server.admin, "GET", path))
            server.stop()
            texts = [(repr(r), r.body + str(r.headers).encode()) for r in seen]
            texts += [("log", line.encode()) for line in server.process.lines + server.process.errors]
            for name, text in texts:
                for form in forms:
                    self.assertNotIn(form, text, name)
            self.assertGreaterEqual(len([r for r in seen if r.status >= 400]), 20)


class Disk(Case):
    def test_reserve_is_507_and_a_replay_is_still_answered(self):
        server = self.server()
        body = diary()
        first = server.submit(body)
        self.assertEqual(first.status, 201)
        self.assertEqual(server.stop(), 0)
        free = os.statvfs(server.folder)
        reserve = free.f_bavail * free.f_frsize + (64 << 30)
        server.start(env={"VESPER__JOURNAL__DISK_RESERVE_BYTES": str(reserve)})
        refused = eventually(lambda: (r := server.submit(diary())).status == 507 and r)
        self.assertGreaterEqual(int(refused.headers["Retry-After"]), 1)
        self.assertEqual(refused.json()["resourceType"], "OperationOutcome")
        again = server.submit(body)
        self.assertEqual((again.status, again.body), (201, first.body))
        self.assertEqual(again.headers["Idempotent-Replay"], "true")
        for address in (server.intake, server.admin):
            ready = eventually(lambda: (r := request(address, "GET", "/readyz")).status == 503 and r)
            self.assertIn("disk", json.dumps(ready.json()["reasons"]))
        self.assertEqual(request(server.intake, "GET", "/healthz").status, 200)
        self.assertEqual(request(server.intake, "GET", f"/patient/data/{body['submissionId']}", bearer=token()).status, 200)


if __name__ == "__main__":
    unittest.main()
