"""Clauses of the contract that one request does not show: what holds over several, and hostile content.

The form here is made for the case; the data platform is absent.
"""
import copy, json, os, pathlib, subprocess, tempfile, unittest, uuid

from harness import BUILD, SOURCE, Server, diary, request, token

CORPORA = pathlib.Path(os.environ.get("VESPER_CORPORA", SOURCE / "../shared/corpora"))
DEMO = json.loads((SOURCE / "deploy/demo/trial.json").read_text())

XML = """<diary><submissionId>SUBMISSION</submissionId><trialId>EVENING-01</trialId><subjectId>S-000123</subjectId>
<form>evening-diary</form><formVersion>3</formVersion><authored>2026-11-20T20:14:05+08:00</authored><answers>
<answer field="pain-nrs">4</answer><answer field="fatigue">moderate</answer></answers></diary>"""


class Clauses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.server.publish()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def read(self, submission, **query):
        return request(self.server.intake, "GET", f"/patient/data/{submission}", bearer=token())

    def test_a_receipt_outlives_a_form_that_would_refuse_the_diary(self):
        document = {**copy.deepcopy(DEMO), "id": "LATE-FORM"}
        first = self.server.publish({**document, "forms": document["forms"][1:]})
        self.assertEqual(first.status, 201, first)
        sent = json.dumps({**diary(trial="LATE-FORM"), "answers": {"pain-nrs": 99}})
        bearer = token(trial="LATE-FORM")
        taken = self.server.submit(sent, bearer=bearer)
        self.assertEqual((taken.status, taken.json()["disposition"]), (201, "held"), taken)
        second = self.server.publish(document, **{"If-Match": first.headers["ETag"]})
        self.assertEqual(second.status, 200, second)
        again = self.server.submit(sent, bearer=bearer)
        self.assertEqual((again.status, again.json()), (201, taken.json()), again)
        self.assertEqual(again.headers["Idempotent-Replay"], "true")
        other = self.server.submit(sent.replace("99", "98"), bearer=bearer)
        self.assertEqual(other.status, 422, other)

    def test_an_id_used_in_two_trials_is_read_by_naming_one(self):
        self.server.publish({**copy.deepcopy(DEMO), "id": "SECOND"})
        submission = str(uuid.uuid4())
        for trial in ("EVENING-01", "SECOND"):
            self.assertEqual(self.server.submit(diary(trial=trial, submission=submission)).status, 201)
        both = token(trial=["EVENING-01", "SECOND"])
        path = f"/patient/data/{submission}"
        self.assertEqual(request(self.server.intake, "GET", path, bearer=both).status, 400)
        for named in ("SECOND", "EVENING-01"):
            self.assertEqual(request(self.server.intake, "GET", f"{path}?trial={named}", bearer=both).status, 200)
        self.assertEqual(request(self.server.intake, "GET", f"{path}?trial=OTHER", bearer=both).status, 404)

    def test_if_match_takes_a_list_and_no_weak_tag(self):
        document = {**copy.deepcopy(DEMO), "id": "TAGS"}
        tag = self.server.publish(document).headers["ETag"]
        self.assertEqual(self.server.publish(document, **{"If-Match": "W/" + tag}).status, 412)
        self.assertEqual(self.server.publish(document, **{"If-Match": '"other", ' + tag}).status, 200)
        self.assertEqual(self.server.publish(document, **{"If-Match": tag}).status, 412)

    def test_without_a_good_submission_id_every_fault_is_400(self):
        bodies = ["{}", "[]", "null", '"text"', "1", json.dumps({**diary(), "submissionId": "nope"}),
                  json.dumps({**diary(), "submissionId": 5}), json.dumps({**diary(), "submissionId": None})]
        for body in bodies:
            self.assertEqual(self.server.submit(body).status, 400, body)
        key = {"Idempotency-Key": str(uuid.uuid4())}
        self.assertEqual([self.server.submit(body, **key).status for body in bodies],
                         [422, 422, 422, 422, 422, 400, 400, 201])

    @unittest.skipUnless((CORPORA / "strings/blns.json").exists(), "corpus strings is absent")
    def test_hostile_texts_come_back_byte_for_byte(self):
        for place, text in enumerate(json.loads((CORPORA / "strings/blns.json").read_text())):
            body = diary(note=text)
            reply = self.server.submit(json.dumps(body, ensure_ascii=place % 2 == 0))
            if not text:
                self.assertEqual(reply.status, 422, reply)
                continue
            self.assertEqual(reply.status, 201, (text, reply))
            response = self.read(body["submissionId"]).json()["bundle"]["entry"][0]["resource"]
            note = [item for item in response["item"] if item["linkId"] == "note"]
            self.assertEqual(note[0]["answer"], [{"valueString": text}])
        self.assertEqual(self.server.submit(diary(note="a\0b")).status, 422)

    def test_convert_says_what_the_server_says(self):
        sent = {"application/json": json.dumps(diary(note="a <b> & c")), "application/xml": XML}
        with tempfile.TemporaryDirectory() as folder:
            for media, text in sent.items():
                submission = str(uuid.uuid4())
                text = text.replace(json.loads(text)["submissionId"] if media.endswith("json") else "SUBMISSION", submission)
                reply = self.server.submit(text, **{"Content-Type": media})
                self.assertEqual(reply.status, 201, reply)
                source = pathlib.Path(folder) / "diary"
                source.write_text(text)
                made = [subprocess.run([BUILD / "vesper", "convert", "--trial", SOURCE / "deploy/demo/trial.json", "--type", media,
                                        "--received-at", reply.json()["receivedAt"], source], capture_output=True, check=True)
                        for _ in range(2)]
                self.assertEqual(made[0].stdout, made[1].stdout)
                self.assertIn(b'"bundle":' + made[0].stdout.strip() + b',"delivery"', self.read(submission).body)


@unittest.skipUnless((CORPORA / "jws").exists(), "corpus jws is absent")
class Wycheproof(unittest.TestCase):
    """Every public vector through the command itself; the cases argued here are those of the issue."""
    ACCEPTED_TWINS = {367, 370}  # the bytes and key of the valid 357
    REFUSED = {372, 373}         # a character that base64url does not have
    ENABLED = {"HS256", "RS256", "ES256", "EdDSA"}

    def test_every_vector_has_its_exit_status(self):
        seen = 0
        with tempfile.TemporaryDirectory() as folder:
            keys = pathlib.Path(folder) / "keys.json"
            for name in ("json_web_signature_test.json", "json_web_key_test.json"):
                for group in json.loads((CORPORA / "jws" / name).read_text())["testGroups"]:
                    jwks = group.get("public", group["private"])
                    keys.write_text(json.dumps(jwks))
                    enabled = all(key.get("alg") in self.ENABLED for key in jwks.get("keys", [jwks]))
                    for case in group["tests"]:
                        jws = case["jws"] if isinstance(case["jws"], str) else json.dumps(case["jws"])
                        ran = subprocess.run([BUILD / "vesper", "token", "verify", "--signature-only", "--jwks", keys, jws],
                                             capture_output=True)
                        good = case["result"] == "valid" and enabled
                        if name.startswith("json_web_signature"):
                            good = (good and case["tcId"] not in self.REFUSED) or case["tcId"] in self.ACCEPTED_TWINS
                        self.assertEqual(ran.returncode, 0 if good else 1, (case["tcId"], case["comment"], ran))
                        seen += 1
        self.assertEqual(seen, 401 + 26)


if __name__ == "__main__":
    unittest.main(verbosity=0)
