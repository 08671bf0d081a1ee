"""Everything that can change while diaries come in, at once: trial, keys, certificate, drain, outbox, stop and start.

Goal:   no acknowledged diary is lost, doubled or held, and no answer is one that a client would not expect, while two
        shards on one port serve and everything they share is replaced under them. Built with the `tsan` or `asan`
        preset (VESPER_BUILD) the same run looks for races and for memory that outlived its owner.
Method: real processes. Patients send over TLS, half of them on kept connections; the main thread goes through rounds
        of changes and checks after each that it is in force on every shard.
"""
import collections, copy, http.client, json, os, pathlib, signal, socket, ssl, subprocess, threading, unittest

from harness import SECRET, SOURCE, Server, b64, diary, eventually, request, token
from standin import Standin

DEMO = json.loads((SOURCE / "deploy/demo/trial.json").read_text())
SHARDS = 2
PATIENTS = 8
ROUNDS = int(os.environ.get("VESPER_CHANGE_ROUNDS", "4"))


def make_certificate(folder, name):
    """A self-signed certificate of its own name, put in place of the last one as one rename each."""
    made = [folder / (name + end) for end in (".key", ".pem")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-keyout", made[0], "-out", made[1]], check=True, capture_output=True)
    made[0].chmod(0o600)
    for new, place in zip(made, ("tls.key", "tls.pem")):
        new.rename(folder / place)
    return ssl.PEM_cert_to_DER_cert((folder / "tls.pem").read_text())


def context():
    """A client that takes any certificate: which one it got is compared by the test."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return trusting


class Line:
    """One connection, made anew when it broke; `kept` says whether it outlives a request."""

    def __init__(self, server, kept):
        self.server, self.kept, self.context, self.connection = server, kept, context(), None

    def send(self, method, path, body=None, bearer=None, **headers):
        if self.connection is None:
            host, port = self.server.intake.split(":")
            self.connection = http.client.HTTPSConnection(host, int(port), timeout=30, context=self.context)
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            self.connection.request(method, path, body=body, headers=headers)
            reply = self.connection.getresponse()
            reply.content = reply.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if not self.kept or reply.will_close:
            self.close()
        return reply

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Patient(threading.Thread):
    """Sends one diary after another, of the newest form version, each until it is taken."""

    def __init__(self, number, world):
        super().__init__(daemon=True)
        self.world, self.subject = world, f"S-{number:06d}"
        self.line = Line(world.server, kept=number % 2 == 0)
        self.bearer = token(self.subject)
        self.taken, self.unexpected, self.statuses = [], [], collections.Counter()

    def run(self):
        while not self.world.over.is_set() and not self.unexpected:
            body = diary(self.subject)
            body["formVersion"] = self.world.version
            data = json.dumps(body).encode()
            while not self.try_once(body, data) and not self.world.over.is_set() and not self.unexpected:
                self.world.over.wait(0.02)
        self.line.close()

    def try_once(self, body, data):
        try:
            reply = self.line.send("POST", "/patient/data", data, self.bearer)
        except (OSError, http.client.HTTPException):
            self.statuses["cut"] += 1
            return False
        self.statuses[reply.status] += 1
        if reply.status in (409, 503):
            return False
        receipt = json.loads(reply.content)
        if reply.status != 201 or receipt["disposition"] != "accepted":
            self.unexpected.append((reply.status, reply.content))
            return False
        self.taken.append((body["submissionId"], receipt))
        if len(self.taken) % 8 == 0:
            self.read_back(*self.taken[-1])
        return True

    def read_back(self, submission, receipt):
        try:
            reply = self.line.send("GET", f"/patient/data/{submission}", bearer=self.bearer)
        except (OSError, http.client.HTTPException):
            return
        if reply.status == 503:
            return
        if reply.status != 200 or json.loads(reply.content)["receipt"] != receipt or not json.loads(reply.content)["bundle"]:
            self.unexpected.append((reply.status, reply.content))


class World:
    """Server, platform and patients, and what is in force."""

    def __init__(self, server, platform):
        self.server, self.platform = server, platform
        self.over = threading.Event()
        self.document, self.etag, self.version, self.kid = copy.deepcopy(DEMO), None, "3", "test"
        self.admin = token("admin-1", scope="trial-admin")

    def publish(self, round_number):
        """A new version of the evening diary; patients use it from the moment of the answer."""
        if self.etag:
            form = copy.deepcopy(next(f for f in self.document["forms"] if f["id"] == "evening-diary"))
            form["version"] = form["questionnaire"]["version"] = f"3.{round_number}"
            self.document["forms"] = [form] + [f for f in self.document["forms"] if f["id"] != "evening-diary"]
        condition = {"If-Match": self.etag} if self.etag else {"If-None-Match": "*"}
        reply = Line(self.server, kept=False).send("PUT", "/trials/EVENING-01", json.dumps(self.document), self.admin, **condition)
        assert reply.status in (200, 201), (reply.status, reply.content)
        self.etag, self.version = reply.headers["ETag"], self.document["forms"][0]["version"]

    def reload(self):
        self.server.process.child.send_signal(signal.SIGHUP)

    def turn_key(self, round_number):
        """A second key beside the patients' own; the last second key is good no more."""
        old, self.kid = self.kid, f"turn-{round_number}"
        keys = [{"kty": "oct", "kid": kid, "alg": "HS256", "use": "sig", "k": b64(SECRET)} for kid in ("test", self.kid)]
        new = self.server.folder / "keys.new"
        new.write_text(json.dumps({"keys": keys}))
        new.chmod(0o600)
        new.rename(self.server.folder / "keys.json")
        self.reload()
        self.on_every_shard(lambda line: self.answer(line, self.kid) == 200, "the new key")
        if old != "test":
            self.on_every_shard(lambda line: self.answer(line, old) == 401, "the end of the old key")

    def answer(self, line, kid):
        return line.send("GET", "/trials/EVENING-01", bearer=token(kid=kid)).status

    def on_every_shard(self, probe, what):
        """The kernel spreads connections over the shards, so sixteen in a row meet both but once in 2^15 times."""
        eventually(lambda: all(probe(Line(self.server, kept=False)) for _ in range(16)), 30, what)

    def turn_certificate(self, round_number):
        wanted = make_certificate(self.server.folder, f"certificate-{round_number}")
        self.reload()

        def shown(_):
            host, port = self.server.intake.split(":")
            with socket.create_connection((host, int(port)), timeout=30) as raw, context().wrap_socket(raw) as secured:
                return secured.getpeercert(binary_form=True) == wanted
        self.on_every_shard(shown, "the new certificate")

    def operate(self):
        """What an operator may do, and what a scraper does, from another thread than the shards'."""
        for method, path, status in (("POST", "/drain", 200), ("GET", "/readyz", 503), ("POST", "/undrain", 200),
                                     ("GET", "/readyz", 200), ("GET", "/metrics", 200), ("GET", "/outbox", 200)):
            reply = request(self.server.admin, method, path)
            assert reply.status == status, (path, reply)


class Changing(unittest.TestCase):
    def setUp(self):
        self.platform = Standin()
        self.platform.__enter__()
        self.server = Server(upstream=self.platform.url, config="[shutdown]\ndeadline_ms = 5000\n")
        text = self.server.config.read_text()
        intake = f'[intake]\nshards = {SHARDS}\ntls_certificate = "tls.pem"\ntls_key = "tls.key"\n'
        self.server.config.write_text(text.replace("[intake]\n", intake))
        make_certificate(self.server.folder, "certificate-0")
        self.server.start(seconds=60)

    def tearDown(self):
        self.server.close()
        self.platform.__exit__()

    def shard_turns(self):
        """How often each shard's thread has run, by the kernel's account."""
        turns = {}
        for task in pathlib.Path(f"/proc/{self.server.process.child.pid}/task").iterdir():
            if (task / "comm").read_text().startswith("vesper-shard"):
                status = (task / "status").read_text().split()
                turns[task.name] = int(status[status.index("voluntary_ctxt_switches:") + 1])
        return turns

    def stop(self):
        """A sanitizer that found something ends the process with a status of its own, and says what."""
        status = self.server.process.stop(60)
        self.assertEqual(status, 0, "".join(self.server.process.errors[:200]))
        self.assertNotIn("Sanitizer", "".join(self.server.process.errors))

    def restart_under_load(self, world):
        """On other ports: a patient whose connection broke sends the same bytes again to where the server is now."""
        self.stop()
        self.server.start(seconds=60)
        world.on_every_shard(lambda line: world.answer(line, world.kid) == 200, "both shards after the restart")

    def test_every_change_at_once_under_load(self):
        world = World(self.server, self.platform)
        world.publish(0)
        before = self.shard_turns()
        self.assertEqual(len(before), SHARDS)
        patients = [Patient(number, world) for number in range(PATIENTS)]
        for patient in patients:
            patient.start()
        try:
            for number in range(1, ROUNDS + 1):
                for change in (world.publish, world.turn_key, world.turn_certificate):
                    change(number)
                world.operate()
            for task, turns in self.shard_turns().items():
                self.assertGreater(turns, before[task] + 50, "one shard had all the connections")
            self.restart_under_load(world)
        finally:
            world.over.set()
            for patient in patients:
                patient.join(60)
        for patient in patients:
            self.assertFalse(patient.unexpected, patient.unexpected)
            self.assertGreater(len(patient.taken), ROUNDS, patient.statuses)
        self.check_everything_arrived(patients)
        self.stop()

    def check_everything_arrived(self, patients):
        line = Line(self.server, kept=True)
        for patient in patients:
            for submission, receipt in patient.taken:
                reply = line.send("GET", f"/patient/data/{submission}", bearer=patient.bearer)
                self.assertEqual((reply.status, json.loads(reply.content).get("receipt")), (200, receipt))
        line.close()
        wanted = [[receipt["deliveryId"] for _, receipt in patient.taken] for patient in patients]
        eventually(lambda: self.platform.count() >= sum(map(len, wanted)), 120, "delivery of every acknowledged diary")
        effects, order = self.platform.effects(), self.platform.order()
        place = {delivery: i for i, delivery in enumerate(order)}
        for deliveries in wanted:
            self.assertTrue(all(effects.get(delivery) == 1 for delivery in deliveries))
            self.assertEqual(sorted(deliveries, key=place.get), deliveries)


class Stopping(unittest.TestCase):
    def test_a_name_server_that_hangs_does_not_hold_up_the_exit(self):
        with Server(upstream="https://platform.example") as server:
            server.start(env={"LD_PRELOAD": str(server.build / "hanging_resolver.so")})
            self.assertEqual(server.publish().status, 201)
            self.assertEqual(server.submit(diary()).status, 201)
            eventually(lambda: "looking up\n" in server.process.errors, what="the look-up")
            self.assertEqual(server.process.stop(10), 0)


if __name__ == "__main__":
    unittest.main()
