"""Clients that behave badly or unusually: leaving, slow, all at once, pipelined, chunked, and what each of them gets."""
import json, re, socket, time, unittest, uuid

from harness import SOURCE, Server, diary, eventually, request, token
from raw import Case, Raw, post

DEMO = json.loads((SOURCE / "deploy/demo/trial.json").read_text())


class Clients(Case):
    @classmethod
    def setUpClass(cls):
        cls.shared = Server(config="")
        text = cls.shared.config.read_text().replace("[admin]", "header_timeout_ms = 500\nbody_grace_ms = 500\n[admin]", 1)
        cls.shared.config.write_text(text)
        cls.shared.start()
        assert cls.shared.publish().status == 201

    @classmethod
    def tearDownClass(cls):
        cls.shared.close()

    def open_connections(self):
        text = request(self.shared.admin, "GET", "/metrics").body.decode()
        return sum(float(v) for v in re.findall(r"^vesper_http_connections(?:\{[^}]*\})? (\S+)$", text, re.M))

    def test_clients_that_leave_hold_nothing(self):
        before = self.open_connections()
        whole = post(diary())
        for n in range(1000):
            raw = Raw(self.shared.intake)
            raw.send(whole[:len(whole) * (n % 10 + 1) // 11])
            if n % 2:
                raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            raw.close()
        eventually(lambda: self.open_connections() <= before, 5, "no connection left")
        self.assertEqual(self.shared.submit(diary()).status, 201)

    def test_clients_that_leave_after_sending_hold_nothing_and_the_answer_is_kept(self):
        body = diary()
        for _ in range(20):
            raw = Raw(self.shared.intake)
            raw.send(post(body))
            raw.close()
        reply = eventually(lambda: (r := self.shared.submit(body)).status == 201 and r)
        self.assertEqual(reply.headers["Idempotent-Replay"], "true")

    def test_eight_equal_posts_at_once(self):
        for _ in range(10):
            whole = post(body := diary())
            raws = [self.raw(self.shared.intake) for _ in range(8)]
            for raw in raws:
                raw.send(whole[:-1])
            for raw in raws:
                raw.send(whole[-1:])
            replies = [raw.reply() for raw in raws]
            taken = [r for r in replies if r[0] == 201]
            self.assertLessEqual({r[0] for r in replies}, {201, 409})
            self.assertEqual(len({r[2] for r in taken}), 1)
            self.assertEqual(len([r for r in taken if "idempotent-replay" not in r[1]]), 1)
            for status, headers, _ in replies:
                if status == 409:
                    self.assertGreaterEqual(int(headers["retry-after"]), 1)

    def test_slow_clients_get_408(self):
        for part in (b"GET /healthz HT", post(diary())[:60], post(diary())[:-100]):
            raw = self.raw(self.shared.intake).send(part)
            status, headers, _ = raw.reply()
            self.assertEqual((status, headers.get("connection")), (408, "close"))
            self.assertEqual(raw.rest(), b"")

    def test_a_fault_ends_the_connection_within_a_second(self):
        for address in (self.shared.intake, self.shared.admin):
            raw = self.raw(address).send("GET /healthz HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            begin = time.monotonic()
            self.assertEqual(raw.reply()[0], 400)
            self.assertEqual(raw.rest(), b"", "nothing after a fault is read as a request")
            self.assertLess(time.monotonic() - begin, 1.5)

    def test_a_fault_ends_also_a_client_that_goes_on_sending(self):
        raw = self.raw(self.shared.intake).send("GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n")
        self.assertEqual(raw.reply()[0], 400)
        begin = time.monotonic()
        with self.assertRaises(OSError):
            while time.monotonic() < begin + 5:
                raw.send(b"x" * 1000)
                time.sleep(0.02)
        self.assertLess(time.monotonic() - begin, 2)

    def test_pipelined_requests_are_answered_in_order(self):
        bodies = [diary() for _ in range(20)]
        raw = self.raw(self.shared.intake)
        reading = "GET /patient/data/{} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token() + "\r\n\r\n"
        raw.send(b"".join(post(b) + reading.format(b["submissionId"]).encode() for b in bodies))
        for body in bodies:
            status, _, text = raw.reply()
            self.assertEqual((status, json.loads(text)["submissionId"]), (201, body["submissionId"]))
            status, _, text = raw.reply()
            self.assertEqual((status, json.loads(text)["receipt"]["submissionId"]), (200, body["submissionId"]))

    def test_continue_is_said_only_to_those_who_may_send(self):
        data = json.dumps(diary()).encode()
        def head(bearer, length, expect="100-continue"):
            return (f"POST /patient/data HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {bearer}\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {length}\r\nExpect: {expect}\r\n\r\n")
        raw = self.raw(self.shared.intake).send(head(token(), len(data)))
        self.assertEqual(raw.reply()[0], 100)
        self.assertEqual(raw.send(data).reply()[0], 201)
        self.assertEqual(self.raw(self.shared.intake).send(head("bad", len(data))).reply()[0], 401)
        self.assertEqual(self.raw(self.shared.intake).send(head(token(), 1 << 21)).reply()[0], 413)
        raw = self.raw(self.shared.intake).send(head(token(), 5, "something"))
        self.assertEqual(raw.reply()[0], 417)
        self.assertEqual(raw.rest(), b"")

    def test_chunked_bodies(self):
        data = json.dumps(diary()).encode()
        head = (f"POST /patient/data HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token()}\r\nContent-Type: application/json\r\n"
                "Transfer-Encoding: chunked\r\n\r\n").encode()
        chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(data[i:i + 7]), data[i:i + 7]) for i in range(0, len(data), 7))
        raw = self.raw(self.shared.intake).send(head + chunks + b"0\r\nX-Trailer: x\r\n\r\n")
        status, _, text = raw.reply()
        self.assertEqual(status, 201)
        plain = self.shared.submit(data)
        self.assertEqual((plain.status, plain.body), (201, text), "the same bytes, however framed")
        self.assertEqual(plain.headers["Idempotent-Replay"], "true")
        raw = self.raw(self.shared.intake).send(head + b"100001\r\n" + b"x" * 1000)
        self.assertEqual(raw.reply()[0], 413)

    def test_a_deadline_that_passes_is_a_503(self):
        raw = self.raw(self.shared.intake)
        data = post(diary(), extra="X-Request-Timeout-Ms: 50\r\n")
        raw.send(data[:-5])
        time.sleep(0.2)
        raw.send(data[-5:])
        status, headers, _ = raw.reply()
        self.assertEqual(status, 503)
        self.assertGreaterEqual(int(headers["retry-after"]), 1)

    def test_fields_that_decide_stand_once(self):
        body = diary()
        for extra, status in (("Content-Encoding: identity\r\nContent-Encoding: gzip\r\n", 415), ("Content-Type: application/xml\r\n", 415),
                              (f"Authorization: Bearer {token('S-1')}\r\n", 401),
                              (f"Idempotency-Key: {body['submissionId']}\r\n" * 2, 400), ("Content-Encoding: identity\r\n", 201)):
            self.assertEqual(self.raw(self.shared.intake).send(post(body, extra=extra)).reply()[0], status, extra)

    def test_head_and_options(self):
        for path in ("/healthz", "/readyz", "/.well-known/vesper-receipt-keys"):
            get = request(self.shared.intake, "GET", path)
            head = request(self.shared.intake, "HEAD", path)
            self.assertEqual((head.status, head.headers["Content-Length"], head.body), (get.status, get.headers["Content-Length"], b""))
        self.assertEqual(request(self.shared.admin, "HEAD", "/metrics").status, 200)
        for method in ("OPTIONS", "PATCH", "TRACE", "BREW"):
            self.assertIn(request(self.shared.intake, method, "/patient/data", bearer=token()).status, (405, 501))

    def test_subject_parameter_where_an_id_is_not_unique(self):
        shared = str(uuid.uuid4())
        for subject in ("S-A1", "S-A2"):
            self.assertEqual(self.shared.submit(diary(subject, submission=shared), bearer=token(subject, site="SITE-A")).status, 201)
        for bearer in (token("svc", scope="service"), token("nurse", scope="site", site="SITE-A")):
            for subject in ("S-A1", "S-A2"):
                reply = request(self.shared.intake, "GET", f"/patient/data/{shared}?subject={subject}", bearer=bearer)
                self.assertEqual(reply.status, 200, reply)
                self.assertEqual(reply.json()["bundle"]["entry"][0]["resource"]["subject"]["identifier"]["value"], subject)
        elsewhere = token("nurse", scope="site", site="SITE-B")
        stranger = request(self.shared.intake, "GET", f"/patient/data/{shared}?subject=S-A1", bearer=elsewhere)
        unknown = request(self.shared.intake, "GET", f"/patient/data/{uuid.uuid4()}?subject=S-A1", bearer=elsewhere)
        other = request(self.shared.intake, "GET", f"/patient/data/{shared}?subject=S-A1", bearer=token("S-A2"))
        self.assertEqual((stranger.status, unknown.status), (404, 404))
        self.assertEqual(stranger.body, unknown.body)
        self.assertIn(other.status, (200, 404))
        if other.status == 200:
            self.assertEqual(other.json()["bundle"]["entry"][0]["resource"]["subject"]["identifier"]["value"], "S-A2")

    def test_put_is_visible_on_every_shard_when_it_answers(self):
        connections = [self.raw(self.shared.intake) for _ in range(24)]
        document = {**DEMO, "id": "SHARDS-01"}
        etag = None
        for revision in range(8):
            document["title"] = f"revision {revision}"
            reply = self.shared.publish(document, **({"If-Match": etag} if etag else {}))
            self.assertIn(reply.status, (200, 201), reply)
            etag = reply.headers["ETag"]
            ask = f"GET /trials/SHARDS-01 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token(trial='SHARDS-01')}\r\n\r\n"
            for raw in connections:
                raw.send(ask)
            for raw in connections:
                status, headers, text = raw.reply()
                self.assertEqual((status, headers["etag"], json.loads(text)["title"]), (200, etag, document["title"]))

    def test_a_big_trial_document(self):
        items = [{"linkId": f"q{n}", "text": "How was it? " * 10, "type": "integer"} for n in range(10_000)]
        questionnaire = {"resourceType": "Questionnaire", "url": "https://vesper.example/big", "version": "1",
                         "status": "active", "title": "Big", "name": "Big", "item": items}
        form = {"id": "big", "version": "1", "questionnaire": questionnaire}
        reply = self.shared.publish({**DEMO, "id": "BIG-01", "forms": [form]})
        self.assertEqual(reply.status, 201, reply)
        body = {**diary(trial="BIG-01"), "form": "big", "formVersion": "1", "answers": {"q9999": 3, "q0": 1}}
        self.assertEqual(self.shared.submit(body).json()["disposition"], "accepted")


if __name__ == "__main__":
    unittest.main()
