"""The commands of the real binary: help, exit statuses, JSON, and that offline answers are the server's."""
import json, pathlib, re, sqlite3, subprocess, tempfile, unittest, uuid

from harness import BUILD, ISSUER, SECRET, SOURCE, Process, Server, b64, diary, eventually, json_line, request, token
from receiver import Receiver
from standin import Standin
from tls_files import SigningKey, key_set

TRIAL = SOURCE / "deploy/demo/trial.json"
DEMO = json.loads(TRIAL.read_text())
FORM = next(f for f in DEMO["forms"] if f["id"] == "evening-diary")["questionnaire"]


def vesper(*arguments, given=None):
    return subprocess.run([BUILD / "vesper", *map(str, arguments)], capture_output=True, text=True, timeout=60, input=given)


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vesper-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        path.chmod(0o600)
        return path

    def runs(self, status, *arguments, given=None):
        result = vesper(*arguments, given=given)
        self.assertEqual(result.returncode, status, f"{arguments}: {result.stdout}{result.stderr}")
        return result


class Help(Command):
    def test_the_first_screen(self):
        alone, asked = self.runs(0), self.runs(0, "--help")
        self.assertEqual(alone.stdout, asked.stdout)
        self.assertLessEqual(len(alone.stdout.splitlines()), 30)
        self.assertLessEqual(max(map(len, alone.stdout.splitlines())), 80)
        self.assertEqual(alone.stderr, "")

    def test_every_command_tells_its_options(self):
        listed = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +\S", self.runs(0).stdout, re.M)
        wanted = {"serve", "check", "convert", "trial lint", "trial publish", "token mint", "token verify"}
        wanted |= {"outbox " + verb for verb in ("list", "show", "redrive", "skip", "pause", "resume")}
        self.assertLessEqual(wanted, set(listed))
        for command in listed:
            result = self.runs(0, *command.split(), "--help")
            self.assertTrue(result.stdout.startswith(f"Usage: vesper {command}"), result.stdout)
            self.assertEqual(result.stderr, "")

    def test_slips_are_usage_errors_that_name_them(self):
        for words, named in ((["serv"], "serve"), (["serve", "--confg", "x"], "--config"), (["check", "one"], "RESPONSE"),
                             (["convert", "--trial"], "--trial"), (["token"], "token"), (["outbox", "lst"], "list"),
                             (["trial", "publish", str(TRIAL)], "--server"),
                             (["token", "mint", "--key", "/nonexistent"], "--subject")):
            result = self.runs(2, *words)
            self.assertEqual(result.stdout, "")
            self.assertIn(named, result.stderr)


class Offline(Command):
    def response(self, **changes):
        items = [{"linkId": "pain-nrs", "answer": [{"valueInteger": 4}]},
                 {"linkId": "slept-hours", "answer": [{"valueDecimal": 6.5}]},
                 {"linkId": "took-medication", "answer": [{"valueBoolean": True}]}]
        fatigue = next(i for i in self.flat(FORM["item"]) if i["linkId"] == "fatigue")
        items.insert(1, {"linkId": "fatigue", "answer": [{"valueCoding": fatigue["answerOption"][0]["valueCoding"]}]})
        return {"resourceType": "QuestionnaireResponse", "questionnaire": FORM["url"] + "|3", "status": "completed",
                "item": items, **changes}

    def flat(self, items):
        for item in items:
            yield item
            yield from self.flat(item.get("item", []))

    def check(self, status, response):
        result = self.runs(status, "check", self.file("q.json", FORM), self.file("r.json", response))
        outcome = json.loads(result.stdout)
        self.assertEqual(outcome["resourceType"], "OperationOutcome")
        self.assertTrue(outcome["issue"])
        return outcome["issue"]

    def test_check(self):
        self.assertEqual(self.check(0, self.response())[0]["severity"], "information")
        self.assertEqual(self.check(1, self.response(item=[]))[0]["severity"], "error")
        self.assertEqual(self.check(0, self.response(item=[], status="in-progress"))[0]["severity"], "warning")
        wrong = self.response(status="in-progress")
        wrong["item"][0]["answer"][0] = {"valueString": "4"}
        self.check(1, wrong)
        self.check(1, "{")
        self.check(1, {"resourceType": "Patient"})
        self.assertIn("/nonexistent", self.runs(2, "check", "/nonexistent", "/nonexistent").stderr)

    def test_lint(self):
        self.assertEqual(self.runs(0, "trial", "lint", TRIAL).stdout.strip().splitlines()[-1], "in order")
        outcome = json.loads(self.runs(0, "trial", "lint", TRIAL, "--json").stdout)
        self.assertEqual(outcome["resourceType"], "OperationOutcome")
        doubled = json.loads(TRIAL.read_text())
        doubled["forms"][0]["questionnaire"]["item"] *= 2
        refused = json.loads(self.runs(1, "trial", "lint", self.file("t.json", doubled), "--json").stdout)
        self.assertIn("error", {i["severity"] for i in refused["issue"]})
        self.runs(1, "trial", "lint", self.file("t.json", "{"))
        self.runs(0, "trial", "lint", "-", given=TRIAL.read_text())

    def test_tokens(self):
        secret = self.file("secret.json", {"kty": "oct", "kid": "s", "alg": "HS256", "k": b64(SECRET)})
        keys = {a: SigningKey(self.folder, a.lower(), a) for a in ("RS256", "ES256", "EdDSA")}
        public = self.file("public.json", key_set(*keys.values()))
        for key, jwks in [(k, public) for k in keys.values()] + [(None, secret)]:
            options = ["--key", key.path, "--kid", key.kid] if key else ["--key", secret]
            minted = self.runs(0, "token", "mint", *options, "--issuer", ISSUER, "--subject", "S-1", "--trial", "A,B",
                               "--scope", "site ops", "--site", "X").stdout
            self.assertEqual(len(minted.split()), 1)
            verified = self.runs(0, "token", "verify", "--jwks", jwks, "--json", "--issuer", ISSUER, minted.strip())
            report = json.loads(verified.stdout)
            self.assertTrue(report["accepted"])
            self.runs(0, "token", "verify", "--jwks", jwks, "-", given=minted)
            head, body, signature = minted.strip().split(".")
            swapped = "B" if signature[5] != "B" else "C"
            tampered = ".".join((head, body, signature[:5] + swapped + signature[6:]))
            self.assertFalse(json.loads(self.runs(1, "token", "verify", "--jwks", jwks, "--json", tampered).stdout)["accepted"])
            self.runs(1, "token", "verify", "--jwks", jwks, "--issuer", "https://other", minted.strip())
            self.runs(1, "token", "verify", "--jwks", jwks, "--audience", "other", minted.strip())
        old = self.runs(0, "token", "mint", "--key", secret, "--issuer", ISSUER, "--subject", "S",
                        "--at", "2020-01-01T00:00:00Z").stdout.strip()
        self.assertIn("exp", self.runs(1, "token", "verify", "--jwks", secret, old).stdout)
        self.runs(0, "token", "verify", "--jwks", secret, "--signature-only", old)
        self.runs(0, "token", "verify", "--jwks", secret, "--at", "2020-01-01T00:30:00Z", old)
        none = b64(b'{"alg":"none"}') + "." + old.split(".")[1] + "."
        self.runs(1, "token", "verify", "--jwks", secret, "--signature-only", none)
        self.runs(1, "token", "verify", "--jwks", secret, "--signature-only", "")
        self.runs(2, "token", "verify", "--jwks", "/nonexistent", old)

    def convert(self, status, kind, document, *more):
        return self.runs(status, "convert", "--trial", TRIAL, "--type", kind, self.file("diary", document), *more).stdout

    def test_what_convert_refuses(self):
        bad = diary()
        bad["answers"]["pain-nrs"] = 11
        for kind, document in (("application/json", bad), ("application/json", "{"), ("application/xml", "<diary>"),
                               ("application/fhir+json", {}), ("application/odm+xml", "<ODM/>"),
                               ("application/json", {**diary(), "trialId": "OTHER"})):
            outcome = json.loads(self.convert(1, kind, document))
            self.assertEqual(outcome["resourceType"], "OperationOutcome")
        without = diary()
        key = without.pop("submissionId")
        self.convert(1, "application/json", without)
        self.convert(0, "application/json", without, "--submission-id", key)
        self.runs(2, "convert", "--trial", TRIAL, "--type", "text/plain", self.file("d", diary()))
        self.runs(2, "convert", "--trial", "/nonexistent", "--type", "application/json", self.file("d", diary()))


class WithServer(Command):
    def test_convert_gives_the_bytes_that_are_delivered(self):
        with Receiver() as platform, Server(upstream=platform.url) as server:
            server.start()
            self.assertEqual(server.publish().status, 201)
            xml = ("<diary><submissionId>{}</submissionId><trialId>EVENING-01</trialId><subjectId>S-000123</subjectId>"
                   "<form>evening-diary</form><formVersion>3</formVersion><authored>2026-11-20T20:14:05+08:00</authored>"
                   "<answers><answer field=\"pain-nrs\">4</answer>"
                   "<answer field=\"fatigue\">moderate</answer><answer field=\"slept-hours\">6.50</answer>"
                   "<answer field=\"took-medication\">true</answer></answers></diary>").format(uuid.uuid4())
            late = {**diary(), "authored": "2019-02-03T04:05:06.789-03:30", "language": "de", "device": {"id": "d", "app": "1.2"}}
            ahead = {**diary(), "authored": "2099-01-01T00:00:00Z"}
            documents = [("application/xml", xml)]
            documents += [("application/json", json.dumps(d)) for d in (diary(note="Grüße 🙂 \u2028"), late, ahead)]
            for kind, document in documents:
                reply = server.submit(document, **{"Content-Type": kind})
                self.assertEqual(reply.status, 201, reply)
                receipt = reply.json()
                delivered = eventually(lambda: platform.of(receipt))[0].body
                offline = self.runs(0, "convert", "--trial", TRIAL, "--type", kind, "--received-at", receipt["receivedAt"],
                                    self.file("d", document)).stdout
                self.assertEqual(offline.encode().rstrip(b"\n"), delivered)
                read = request(server.intake, "GET", reply.headers["Location"], bearer=token()).body
                self.assertIn(delivered, read)

    def test_publish(self):
        with Server() as server:
            server.start()
            where = ["--server", "http://" + server.admin]
            self.assertIn("published", self.runs(0, "trial", "publish", TRIAL, *where).stdout)
            changed = self.file("t.json", {**DEMO, "title": "another"})
            self.assertIn("changed", self.runs(0, "trial", "publish", changed, *where, "--reason", "a typing error").stdout)
            self.assertEqual(request(server.intake, "GET", "/trials/EVENING-01", bearer=token()).json()["title"], "another")
            history = request(server.intake, "GET", "/trials/EVENING-01/history", bearer=token()).json()["revisions"]
            self.assertEqual([r["reason"] for r in history], ["", "a typing error"])
            self.assertEqual(json.loads(self.runs(0, "trial", "publish", changed, *where, "--json").stdout)["id"], "EVENING-01")
            other = json.loads(TRIAL.read_text())
            other["forms"][0]["questionnaire"]["item"][0]["text"] = "changed"
            refused = self.runs(1, "trial", "publish", self.file("o.json", other), *where)
            self.assertEqual(json.loads(refused.stdout)["resourceType"], "OperationOutcome")
            bearer = self.file("bearer", token("admin", scope="trial-admin"))
            intake = ["--server", "http://" + server.intake, "--token-file", bearer]
            self.assertIn("changed", self.runs(0, "trial", "publish", TRIAL, *intake).stdout)
        self.assertIn(server.admin, self.runs(2, "trial", "publish", TRIAL, *where).stderr)

    def test_outbox(self):
        with Standin() as platform, Server(upstream=platform.url) as server:
            server.start()
            self.assertEqual(server.publish().status, 201)
            where = ["--server", "http://" + server.admin]

            def outbox(*words, status=0):
                result = self.runs(status, "outbox", *words, *where, "--json")
                return json.loads(result.stdout) if status == 0 else result
            platform.control(mode="status", status=422, next=2)
            receipts = [server.submit(diary(s)).json() for s in ("S-1", "S-2")]
            eventually(lambda: outbox("list")["destinations"][0]["parked"] == 2)
            later = [server.submit(diary(s)).json() for s in ("S-1", "S-2")]
            parked = outbox("show", "default")["parked"]
            self.assertEqual({p["deliveryId"] for p in parked}, {r["deliveryId"] for r in receipts})
            self.assertIn(receipts[0]["deliveryId"], self.runs(0, "outbox", "show", "default", *where).stdout)
            self.assertIn("default", self.runs(0, "outbox", "list", *where).stdout)
            outbox("redrive", "default", receipts[0]["deliveryId"])
            self.assertIn("--reason", outbox("skip", "default", receipts[1]["deliveryId"], status=2).stderr)
            outbox("skip", "default", receipts[1]["deliveryId"], "--reason", "the site has it on paper")
            eventually(lambda: platform.count() == 3)
            self.assertEqual(set(platform.effects()), {receipts[0]["deliveryId"], *(r["deliveryId"] for r in later)})
            outbox("skip", "default", receipts[1]["deliveryId"], "--reason", "again", status=1)
            outbox("redrive", "default", str(uuid.uuid4()), status=1)
            outbox("redrive", "nowhere", str(uuid.uuid4()), status=1)
            outbox("pause", "default", "--reason", "maintenance")
            self.assertTrue(outbox("list")["destinations"][0]["paused"])
            waiting = server.submit(diary()).json()
            outbox("resume", "default")
            eventually(lambda: waiting["deliveryId"] in platform.effects())
            self.assertEqual(server.stop(), 0)
            connection = sqlite3.connect(server.folder / "data" / "vesper.db")
            actions = [r[0] for r in connection.execute("SELECT action FROM audit ORDER BY rowid")]
            connection.close()
            self.assertLessEqual({"outbox.redrive", "outbox.skip", "outbox.pause", "outbox.resume"}, set(actions))
        self.runs(2, "outbox", "list", *where)


class Demonstration(Command):
    def test_it_takes_a_diary_with_a_token_made_by_the_binary(self):
        process = Process([BUILD / "vesper", "serve", "--demo"], cwd=self.folder,
                          env={"VESPER__INTAKE__LISTEN": "127.0.0.1:0", "VESPER__ADMIN__LISTEN": "127.0.0.1:0"})
        self.addCleanup(process.stop)
        event = process.wait_for(lambda line: (e := json_line(line)) and e["event.action"] == "listening" and e)
        keys = self.folder / "data" / "demo-keys.json"
        self.assertEqual(keys.stat().st_mode & 0o077, 0)
        minted = [vesper("token", "mint", "--demo", "--key", keys, "--subject", "S-000123", "--trial", "EVENING-01").stdout.strip()]
        self.assertTrue(minted[0], vesper("token", "mint", "--demo", "--key", keys, "--subject", "S").stderr)
        intake = event["intake"].split("//")[1]
        body = json.dumps({**json.loads((SOURCE / "deploy/demo/diary.json").read_text()), "submissionId": str(uuid.uuid4())})
        reply = request(intake, "POST", "/patient/data", body, bearer=minted[0], headers={"Content-Type": "application/json"})
        self.assertEqual(reply.status, 201, reply)
        self.assertEqual(reply.json()["disposition"], "accepted")
        self.assertEqual(request(intake, "GET", reply.headers["Location"], bearer=minted[0]).status, 200)


if __name__ == "__main__":
    unittest.main()
