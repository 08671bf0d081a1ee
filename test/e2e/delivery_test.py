"""What is owed is delivered: bundles, headers, every fault of a destination, parking, order, pause, restart, stop.

Method: the stand-in plays the faults and keeps a ledger; where a test must write the answers itself, a receiver does.
"""
import base64, hashlib, json, random, ssl, time, unittest, urllib.parse, uuid

from harness import BUILD, SOURCE, Server, diary, eventually, request, token
from receiver import Receiver
from standin import Standin
from tls_files import Authority

FAST = "backoff_min_ms = 5\nbackoff_max_ms = 60\ndeadline_ms = 400\n"
WAITING = {"owed", "leased"}  # a lease is taken some time before the try
DEMO = json.loads((SOURCE / "deploy/demo/trial.json").read_text())


def states(server, receipt, subject="S-000123", trial="EVENING-01"):
    reply = request(server.intake, "GET", f"/patient/data/{receipt['submissionId']}", bearer=token(subject, trial))
    assert reply.status == 200, reply
    return {d["destination"]: (d["state"], d["attempts"]) for d in reply.json()["delivery"]}


def state(server, receipt, subject="S-000123", destination="default", trial="EVENING-01"):
    return states(server, receipt, subject, trial)[destination][0]


def outbox(server, path="", method="GET", **body):
    reply = request(server.admin, method, "/outbox" + path, json.dumps(body) if method == "POST" else None)
    assert reply.status == 200, reply
    return reply.json()


class Delivery(unittest.TestCase):
    settings = FAST

    def setUp(self):
        self.number = 0

    def open(self, where, config=""):
        destinations = where if isinstance(where, dict) else {"default": where}
        tables = "".join(f'[upstream.{name}]\nurl = "{url}"\n{self.settings}' for name, url in destinations.items())
        server = Server(upstream={}, config=tables + config)
        self.addCleanup(server.close)
        server.start()
        document = {**DEMO, "destinations": sorted(destinations)}
        reply = server.publish(document)
        self.assertEqual(reply.status, 201, reply)
        return server

    def standin(self):
        platform = Standin().__enter__()
        self.addCleanup(platform.__exit__)
        return platform

    def receiver(self, answer=None):
        receiver = Receiver(answer)
        self.addCleanup(receiver.__exit__)
        return receiver

    def send(self, server, subject="S-000123", **answers):
        reply = server.submit(diary(subject, **answers))
        self.assertEqual(reply.status, 201, reply)
        return reply.json()

    def arrives(self, server, receipt, wanted="delivered", subject="S-000123", destination="default"):
        eventually(lambda: state(server, receipt, subject, destination) == wanted, 15,
                   f"{wanted} of {receipt['submissionId']}")


class Form(Delivery):
    def test_headers_and_bundle(self):
        receiver = self.receiver()
        server = self.open(receiver.url)
        body = json.dumps(diary())
        reply = server.submit(body)
        receipt = reply.json()
        self.arrives(server, receipt)
        self.assertEqual(len(receiver.seen), 1)
        one = receiver.seen[0]
        self.assertEqual(one.path, "/api/sync")
        self.assertEqual(one.headers["Idempotency-Key"], f'"{receipt["deliveryId"]}"')
        self.assertEqual(one.headers["Vesper-Content-Hash"], receipt["contentHash"])
        self.assertEqual(receipt["contentHash"], "sha256:" + hashlib.sha256(body.encode()).hexdigest())
        self.assertRegex(one.headers["traceparent"], r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
        self.assertEqual(one.headers["Content-Type"], "application/fhir+json")
        self.assertEqual(int(one.headers["Content-Length"]), len(one.body))
        for absent in ("Content-Encoding", "Transfer-Encoding", "Authorization"):
            self.assertIsNone(one.headers[absent])
        self.assertTrue(one.headers["Host"])
        bundle = json.loads(one.body)
        self.assertEqual((bundle["resourceType"], bundle["type"]), ("Bundle", "transaction"))
        kinds = [e["resource"]["resourceType"] for e in bundle["entry"]]
        self.assertEqual(kinds[0], "QuestionnaireResponse")
        self.assertIn("Observation", kinds)
        self.assertIn("Provenance", kinds)
        for entry in bundle["entry"]:
            self.assertEqual(entry["request"]["method"], "PUT")
            self.assertEqual(entry["request"]["url"], f"{entry['resource']['resourceType']}/{entry['resource']['id']}")
            self.assertEqual(uuid.UUID(entry["resource"]["id"]).version, 5)
        self.assertNotIn("reference", bundle["entry"][0]["resource"]["subject"])
        read = request(server.intake, "GET", reply.headers["Location"], bearer=token()).json()
        self.assertEqual(read["bundle"], bundle)
        self.assertEqual(read["delivery"], [{"destination": "default", "state": "delivered", "attempts": 1}])

    def test_the_path_follows_the_url(self):
        receiver = self.receiver()
        for url, path, wanted in (("", "", "/api/sync"), ("/", "", "/api/sync"), ("/base", "", "/base/api/sync"),
                                  ("/base/fhir/", 'path = "/"\n', "/base/fhir/"), ("", 'path = "/in?a=b"\n', "/in?a=b")):
            self.settings = FAST + path
            server = self.open(receiver.url + url)
            self.arrives(server, self.send(server))
            self.assertEqual(receiver.seen[-1].path, wanted)
            server.close()

    def test_a_repeat_is_the_same_bytes(self):
        receiver = self.receiver(lambda d: (503, {}, b"") if len(receiver.seen) < 3 else (200, {}, b""))
        server = self.open(receiver.url)
        self.arrives(server, self.send(server))
        self.assertEqual(len({d.body for d in receiver.seen}), 1)
        self.assertEqual(len({d.headers["Idempotency-Key"] for d in receiver.seen}), 1)
        self.assertEqual(len(receiver.seen), 3)

    def test_bearer_from_a_file_is_sent_and_read_again(self):
        receiver = self.receiver()
        self.settings = FAST + 'bearer_file = "bearer"\n'
        tables = f'[upstream.default]\nurl = "{receiver.url}"\n{self.settings}'
        server = Server(upstream={}, config=tables)
        self.addCleanup(server.close)
        bearer = server.folder / "bearer"
        bearer.write_text("first-token\n")
        bearer.chmod(0o600)
        server.start()
        server.publish()
        self.arrives(server, self.send(server))
        bearer.write_text("second-token-longer\n")

        def second_is_used():
            self.arrives(server, self.send(server))
            return receiver.seen[-1].headers["Authorization"] == "Bearer second-token-longer"
        eventually(second_is_used, 20)
        self.assertEqual(receiver.seen[0].headers["Authorization"], "Bearer first-token")

    def test_trial_without_destinations_owes_nothing(self):
        server = self.open("http://127.0.0.1:9")
        document = {**DEMO, "id": "NOWHERE-01", "destinations": []}
        self.assertEqual(server.publish(document).status, 201)
        receipt = server.submit(diary(trial="NOWHERE-01")).json()
        self.assertEqual(states(server, receipt, trial="NOWHERE-01"), {})


class Judged(Delivery):
    def test_statuses_that_park(self):
        for status in (400, 410, 413, 415, 422):
            with self.subTest(status=status):
                platform = self.standin()
                server = self.open(platform.url)
                platform.control(mode="status", status=status, next=1)
                bad = self.send(server)
                self.arrives(server, bad, "parked")
                later = [self.send(server) for _ in range(3)]
                other = self.send(server, "S-000777")
                self.arrives(server, other, subject="S-000777")
                self.assertEqual({state(server, r) for r in later}, {"owed"})
                listed = outbox(server)["destinations"][0]
                self.assertEqual((listed["parked"], listed["owed"], listed["blocked"]), (1, 3, 3))
                parked = outbox(server, "/default")["parked"]
                self.assertEqual([(p["deliveryId"], p["status"]) for p in parked], [(bad["deliveryId"], status)])
                verb, rest = ("redrive", {}) if status != 410 else ("skip", {"reason": "gone for good"})
                outbox(server, f"/default/{verb}/{bad['deliveryId']}", "POST", **rest)
                for one in later:
                    self.arrives(server, one)
                order = [k for k in platform.order() if k != other["deliveryId"]]
                wanted = [r["deliveryId"] for r in ([bad] if verb == "redrive" else []) + later]
                self.assertEqual(order, wanted)
                server.close()

    def test_faults_of_the_destination_park_nothing(self):
        for status in (300, 302, 307, 401, 403, 404, 405, 407, 408, 421, 425, 429, 500, 501, 502, 503, 504, 599):
            with self.subTest(status=status):
                if status == 300:
                    type(self).platform = self.standin()
                    type(self).server = self.open(self.platform.url)
                self.platform.control(mode="status", status=status, next=3)
                receipt = self.send(self.server, f"S-{status}")
                self.arrives(self.server, receipt, subject=f"S-{status}")
                self.assertEqual(self.platform.effects()[receipt["deliveryId"]], 1)
        listed = outbox(self.server)["destinations"][0]
        self.assertEqual((listed["parked"], listed["owed"]), (0, 0))

    def test_every_disturbance_is_retried_until_it_is_there_once(self):
        platform = self.standin()
        server = self.open(platform.url)
        for mode in ("hang", "hang_after", "cut_before", "cut_after", "cut_middle", "redirect", "garbage"):
            with self.subTest(mode=mode):
                platform.control(mode=mode, next=2)
                receipt = self.send(server, "S-" + mode)
                self.arrives(server, receipt, subject="S-" + mode)
                self.assertEqual(platform.effects()[receipt["deliveryId"]], 1)

    def test_a_huge_answer_does_not_stop_delivery(self):
        platform = self.standin()
        server = self.open(platform.url)
        platform.control(mode="huge", next=2, huge_bytes=20_000_000)
        receipts = [self.send(server, f"S-{n}") for n in range(4)]
        for n, receipt in enumerate(receipts):
            self.arrives(server, receipt, subject=f"S-{n}")
            self.assertEqual(platform.effects()[receipt["deliveryId"]], 1)

    def test_a_web_page_settles_only_where_any_2xx_does(self):
        platform = self.standin()
        server = self.open(platform.url)
        platform.control(mode="html", next=1)
        self.arrives(server, self.send(server))
        self.assertEqual(outbox(server)["destinations"][0]["suspectReplies"], 1)

    def test_retry_after_is_honoured(self):
        receiver = self.receiver(lambda d: (503, {"Retry-After": "2"}, b"") if len(receiver.seen) == 1 else (200, {}, b""))
        server = self.open(receiver.url)
        begin = time.monotonic()
        self.arrives(server, self.send(server))
        self.assertGreaterEqual(time.monotonic() - begin, 1.9)
        self.assertEqual(len(receiver.seen), 2)

    def test_conflicts_settle_only_with_the_hash_or_a_receipt_for_this_key(self):
        def key(d):
            return d.headers["Idempotency-Key"].strip('"')
        def hash_of(d):
            return {"Vesper-Content-Hash": d.headers["Vesper-Content-Hash"]}

        def body(document):
            return {"Content-Type": "application/json"}, json.dumps(document).encode()
        other = "sha256:" + "0" * 64
        forms = {
            "hash in a header": (True, lambda d: (hash_of(d), b"")),
            "receipt in the body": (True, lambda d: body({"receipt": {"deliveryId": key(d)}})),
            "receipt and hash": (True, lambda d: body({"deliveryId": key(d), "contentHash": d.headers["Vesper-Content-Hash"]})),
            "nothing": (False, lambda d: ({}, b"")),
            "another hash": (False, lambda d: ({"Vesper-Content-Hash": other}, b"")),
            "another key": (False, lambda d: body({"receipt": {"deliveryId": str(uuid.uuid4())}})),
            "receipt with another hash": (False, lambda d: body({"receipt": {"deliveryId": key(d), "contentHash": other}})),
        }
        for name, (settles, form) in forms.items():
            with self.subTest(form=name):
                calls = []
                def answer(d):
                    calls.append(1)
                    return (409, *form(d)) if len(calls) <= 2 else (200, {}, b"")
                receiver = self.receiver(answer)
                server = self.open(receiver.url)
                self.arrives(server, self.send(server))
                self.assertEqual(len(calls), 1 if settles else 3)
                server.close()


class Receipts(Delivery):
    settings = FAST + 'settle = "receipt"\n'

    def test_only_an_echo_of_key_and_hash_settles(self):
        def key_of(d):
            return {"Idempotency-Key": d.headers["Idempotency-Key"]}

        def hash_of(d):
            return {"Vesper-Content-Hash": d.headers["Vesper-Content-Hash"]}
        answers = [
            (200, lambda d: ({"Content-Type": "text/html"}, b"<html>sign in</html>")),
            (200, lambda d: ({}, b"")),
            (200, lambda d: (key_of(d), b"")),
            (200, lambda d: (hash_of(d), b"")),
            (200, lambda d: ({**key_of(d), "Vesper-Content-Hash": "sha256:" + "0" * 64}, b"")),
            (202, lambda d: ({**key_of(d), **hash_of(d)}, b"")),
            (200, lambda d: ({**key_of(d), **hash_of(d)}, b"")),
        ]
        def answer(d):
            status, form = answers[min(len(receiver.seen), len(answers)) - 1]
            return (status, *form(d))
        receiver = self.receiver(answer)
        server = self.open(receiver.url)
        self.arrives(server, self.send(server))
        self.assertEqual(len(receiver.seen), len(answers))

    def test_the_stand_ins_receipt_settles_and_its_absence_does_not(self):
        platform = self.standin()
        server = self.open(platform.url)
        platform.control(mode="html", next=3)
        self.arrives(server, self.send(server))
        platform.control(mode="ok", receipt=False)
        waiting = self.send(server)
        eventually(lambda: states(server, waiting)["default"][1] >= 3)
        self.assertNotEqual(state(server, waiting), "delivered")
        platform.control(receipt=True)
        self.arrives(server, waiting)
        self.assertEqual(set(platform.effects().values()), {1})


class Several(Delivery):
    def test_a_slow_destination_harms_no_other(self):
        quick, slow = self.receiver(), self.receiver(lambda d: None)
        self.settings = FAST.replace("400", "60000")
        server = self.open({"quick": quick.url, "slow": slow.url})
        receipts = [(f"S-{n % 40}", self.send(server, f"S-{n % 40}")) for n in range(80)]
        for subject, receipt in receipts:
            self.arrives(server, receipt, subject=subject, destination="quick")
        eventually(lambda: len(slow.seen) == 40, what="one delivery a patient at the slow destination")
        subject, first = receipts[0]
        self.assertEqual(state(server, first, subject, "slow"), "leased")
        self.assertIn(state(server, receipts[40][1], subject, "slow"), WAITING)
        begin = time.monotonic()
        self.assertEqual(server.process.stop(12), 0)
        self.assertLess(time.monotonic() - begin, 10)

    def test_pause_resume_and_restart_while_paused(self):
        platform = self.standin()
        server = self.open(platform.url)
        outbox(server, "/default/pause", "POST", reason="maintenance")
        receipts = [self.send(server) for _ in range(5)]
        self.assertTrue(outbox(server)["destinations"][0]["paused"])
        self.assertEqual(server.stop(), 0)
        server.start()
        self.assertTrue(outbox(server)["destinations"][0]["paused"])
        self.assertEqual(platform.count(), 0)
        self.assertLessEqual({state(server, r) for r in receipts}, WAITING)
        outbox(server, "/default/resume", "POST")
        for receipt in receipts:
            self.arrives(server, receipt)
        self.assertEqual(platform.order(), [r["deliveryId"] for r in receipts])

    def test_restart_resumes_what_was_owed_and_leased(self):
        hanging = self.receiver(lambda d: None)
        server = self.open(hanging.url)
        receipts = [self.send(server, f"S-{n}") for n in range(6)]
        eventually(lambda: len(hanging.seen) >= 6)
        server.kill()
        platform = self.standin()
        server.config.write_text(server.config.read_text().replace(hanging.url, platform.url))
        server.start()
        for n, receipt in enumerate(receipts):
            self.arrives(server, receipt, subject=f"S-{n}")
        self.assertEqual(sorted(platform.order()), sorted(r["deliveryId"] for r in receipts))

    def test_a_destination_that_left_the_configuration_waits(self):
        platform = self.standin()
        server = self.open({"default": platform.url, "gone": "http://127.0.0.1:9"})
        receipt = self.send(server)
        self.arrives(server, receipt)
        self.assertEqual(server.stop(), 0)
        before = server.config.read_text()
        server.config.write_text(before[:before.index("[upstream.gone]")])
        server.start()
        self.assertEqual(request(server.intake, "GET", "/readyz").status, 200)
        self.assertEqual(state(server, receipt, destination="gone"), "owed")
        rows = {row["destination"]: row for row in outbox(server)["destinations"]}
        self.assertFalse(rows["gone"]["configured"])
        self.assertEqual(rows["gone"]["owed"], 1)
        second = self.send(server)
        self.arrives(server, second)
        self.assertEqual(states(server, second)["gone"][0], "owed")
        log = "".join(server.process.lines)
        self.assertIn("gone", log, "the operator is told")
        self.assertEqual(server.stop(), 0)
        again = self.standin()
        server.config.write_text(before.replace("http://127.0.0.1:9", again.url))
        server.start()
        for one in (receipt, second):
            self.arrives(server, one, destination="gone")
        self.assertEqual(again.order(), [receipt["deliveryId"], second["deliveryId"]])


class Authenticated(Delivery):
    @classmethod
    def setUpClass(cls):
        cls.authority, cls.other = Authority(), Authority()
        cls.certificate = cls.authority.issue("platform")
        cls.client = cls.authority.issue("vesper-client")

    @classmethod
    def tearDownClass(cls):
        cls.authority.close()
        cls.other.close()

    def platform(self, answer=None, mutual=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        if mutual:
            context.load_verify_locations(self.authority.certificate)
            context.verify_mode = ssl.CERT_REQUIRED
        platform = Receiver(answer, context)
        self.addCleanup(platform.__exit__)
        return platform

    def test_own_authority(self):
        platform = self.platform()
        self.settings = FAST + f'tls_ca = "{self.authority.certificate}"\n'
        server = self.open(platform.url)
        self.arrives(server, self.send(server))
        self.settings = FAST + f'tls_ca = "{self.other.certificate}"\n'
        server = self.open(platform.url)
        before = len(platform.seen)
        receipt = self.send(server)
        eventually(lambda: outbox(server)["destinations"][0]["lastError"] == "tls")
        self.assertIn(state(server, receipt), WAITING)
        self.assertEqual(len(platform.seen), before)

    def test_mutual_tls(self):
        platform = self.platform(mutual=True)
        self.settings = FAST + f'tls_ca = "{self.authority.certificate}"\n'
        server = self.open(platform.url)
        receipt = self.send(server)
        eventually(lambda: states(server, receipt)["default"][1] >= 2)
        self.assertEqual(server.stop(), 0)
        mine = f'tls_certificate = "{self.client[0]}"\ntls_key = "{self.client[1]}"\n'
        server.config.write_text(server.config.read_text() + mine)
        server.start()
        self.arrives(server, receipt)

    def test_a_private_key_that_others_can_read_stops_the_start(self):
        exposed = self.authority.issue("exposed")
        exposed[1].chmod(0o644)
        self.settings = FAST + f'tls_certificate = "{exposed[0]}"\ntls_key = "{exposed[1]}"\n'
        with self.assertRaisesRegex(AssertionError, r"ended with 2:(?s:.*)upstream\.default\.tls_key"):
            self.open("https://127.0.0.1:9")

    def test_oauth2_client_credentials(self):
        tokens, given = [], {"good": "token-1"}

        def issue(request):
            tokens.append(request)
            return 200, {"Content-Type": "application/json"}, json.dumps(
                {"access_token": given["good"], "token_type": "Bearer", "expires_in": 3600}).encode()

        def deliver(request):
            good = request.headers["Authorization"] == "Bearer " + given["good"]
            return (200, {}, b"") if good else (401, {"WWW-Authenticate": "Bearer"}, b"")
        endpoint, platform = self.platform(issue), self.receiver(deliver)
        self.settings = FAST + (f'oauth2_token_url = "{endpoint.url}/token"\noauth2_client_id = "me"\n'
                                'oauth2_client_secret = "it is: secret"\n'
                                f'oauth2_scope = "sync"\ntls_ca = "{self.authority.certificate}"\n')
        server = self.open(platform.url)
        for _ in range(3):
            self.arrives(server, self.send(server))
        self.assertEqual(len(tokens), 1)
        basic = base64.b64decode(tokens[0].headers["Authorization"].removeprefix("Basic ")).decode()
        self.assertEqual(urllib.parse.unquote_plus(basic), "me:it is: secret")
        self.assertEqual(urllib.parse.parse_qs(tokens[0].body.decode()), {"grant_type": ["client_credentials"], "scope": ["sync"]})
        given["good"] = "token-2"
        self.arrives(server, self.send(server))
        self.assertEqual(len(tokens), 2)
        self.assertEqual(outbox(server)["destinations"][0]["parked"], 0)
        self.assertNotIn("secret", "".join(server.process.lines))


class Faults(Delivery):
    def test_order_and_single_effects_under_random_faults(self):
        platform = self.standin()
        server = self.open(platform.url)
        rng = random.Random(7)
        sent = {f"S-{n}": [] for n in range(8)}
        for turn in range(12):
            mode = rng.choice(["status", "cut_before", "cut_after", "cut_middle", "garbage", "hang_after", "redirect"])
            platform.control(mode=mode, status=rng.choice([500, 503, 429, 404]), probability=0.5, next=-1)
            for subject in sent:
                sent[subject].append(self.send(server, subject)["deliveryId"])
        platform.control(mode="ok", probability=1)
        eventually(lambda: platform.count() == 8 * 12, 30, "delivery of all")
        self.assertEqual(set(platform.effects().values()), {1})
        place = {key: i for i, key in enumerate(platform.order())}
        for subject, keys in sent.items():
            places = [place[k] for k in keys]
            self.assertEqual(places, sorted(places), subject)
        self.assertEqual(outbox(server)["destinations"][0]["parked"], 0)


if __name__ == "__main__":
    unittest.main()
