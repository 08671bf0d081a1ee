"""Clauses of the contract that one request does not show: what holds over several, and hostile content.

The form here is made for the case; the data platform is absent.
"""
import copy, json, os, pathlib, unittest, uuid

from harness import SOURCE, Server, diary, request, token

CORPORA = pathlib.Path(os.environ.get("VESPER_CORPORA", SOURCE / "../shared/corpora"))
DEMO = json.loads((SOURCE / "deploy/demo/trial.json").read_text())


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
        for text in json.loads((CORPORA / "strings/blns.json").read_text()):
            for ascii_only in (True, False):
                body = diary(note=text)
                reply = self.server.submit(json.dumps(body, ensure_ascii=ascii_only))
                if not text:
                    self.assertEqual(reply.status, 422, reply)
                    continue
                self.assertEqual(reply.status, 201, (text, reply))
                response = self.read(body["submissionId"]).json()["bundle"]["entry"][0]["resource"]
                note = [item for item in response["item"] if item["linkId"] == "note"]
                self.assertEqual(note[0]["answer"], [{"valueString": text}])
        self.assertEqual(self.server.submit(diary(note="a\0b")).status, 422)


if __name__ == "__main__":
    unittest.main(verbosity=0)
