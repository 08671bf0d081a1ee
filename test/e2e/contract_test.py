"""The outside contract on the real binary: routes, statuses, bodies, receipts, access, publication, start and stop.

Every case sends real requests to one `vesper serve` of its own class; nothing is mocked but the data platform, which is
absent here (its own tests are in delivery_test.py).
"""
import copy, json, re, unittest, uuid

from harness import SECRET, SOURCE, Server, diary, eventually, request, token

DEMO = json.loads((SOURCE / "deploy/demo/trial.json").read_text())


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(config='[upstream.second]\nurl = "http://127.0.0.1:9"\n')
        cls.server.start()
        cls.published = cls.server.publish()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def outcome(self, reply, status, code=None):
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.headers["Content-Type"], "application/fhir+json")
        self.assertEqual(int(reply.headers["Content-Length"]), len(reply.body))
        issues = reply.json()["issue"]
        self.assertEqual(reply.json()["resourceType"], "OperationOutcome")
        self.assertTrue(issues)
        if code:
            self.assertEqual(issues[0].get("details", {}).get("coding", [{}])[0].get("code"), code, issues)
        return issues


class Submitting(Contract):
    def test_receipt_has_every_member(self):
        body = diary()
        reply = self.server.submit(body)
        self.assertEqual(reply.status, 201, reply)
        self.assertEqual(reply.headers["Location"], "/patient/data/" + body["submissionId"])
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        receipt = reply.json()
        self.assertEqual(receipt["submissionId"], body["submissionId"])
        self.assertEqual(uuid.UUID(receipt["deliveryId"]).version, 5)
        self.assertRegex(receipt["receivedAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertRegex(receipt["contentHash"], r"^sha256:[0-9a-f]{64}$")
        self.assertEqual(receipt["disposition"], "accepted")
        self.assertEqual(receipt["flags"], [])
        self.assertEqual(set(receipt["chain"]), {"id", "group", "index", "hash"})
        self.assertIn("proof", receipt)
        self.assertNotIn("Idempotent-Replay", reply.headers)

    def test_content_hash_is_of_the_bytes_as_sent(self):
        import hashlib
        data = json.dumps(diary(), indent=3)
        reply = self.server.submit(data)
        self.assertEqual(reply.json()["contentHash"], "sha256:" + hashlib.sha256(data.encode()).hexdigest())

    def test_replay_gets_the_same_receipt_and_says_so(self):
        body = diary()
        first, again = self.server.submit(body), self.server.submit(body)
        self.assertEqual(again.status, 201)
        self.assertEqual(again.body, first.body)
        self.assertEqual(again.headers["Idempotent-Replay"], "true")

    def test_known_id_with_other_bytes_is_a_conflict(self):
        body = diary()
        self.assertEqual(self.server.submit(body).status, 201)
        body["answers"]["pain-nrs"] = 5
        self.outcome(self.server.submit(body), 422, "conflict")

    def test_the_id_is_free_again_after_a_refusal(self):
        body = diary()
        body["answers"]["pain-nrs"] = 11
        self.outcome(self.server.submit(body), 422, "form")
        body["answers"]["pain-nrs"] = 10
        self.assertEqual(self.server.submit(body).status, 201)

    def test_another_subjects_same_id_is_no_conflict(self):
        body = diary("S-1")
        other = diary("S-2", submission=body["submissionId"])
        one, two = self.server.submit(body), self.server.submit(other)
        self.assertEqual((one.status, two.status), (201, 201))
        self.assertNotEqual(one.json()["deliveryId"], two.json()["deliveryId"])

    def test_idempotency_key_bare_and_quoted_and_upper_case(self):
        for form in ("{}", '"{}"'):
            body = diary()
            key = body.pop("submissionId")
            reply = self.server.submit(body, **{"Idempotency-Key": form.format(key.upper())})
            self.assertEqual(reply.status, 201, reply)
            self.assertEqual(reply.json()["submissionId"], key)

    def test_ids_must_agree_and_one_is_needed(self):
        body = diary()
        self.outcome(self.server.submit(body, **{"Idempotency-Key": str(uuid.uuid4())}), 400)
        self.outcome(self.server.submit(body, **{"Idempotency-Key": "not-a-uuid"}), 400)
        del body["submissionId"]
        self.outcome(self.server.submit(body), 400)
        for nothing in ("{}", "[]", '{"a":1}', json.dumps({**diary(), "submissionId": "not-a-uuid"})):
            self.outcome(self.server.submit(nothing), 400)
        for kind, document in (("application/xml", "<diary/>"), ("application/odm+xml", "<ODM/>"),
                               ("application/fhir+json", '{"resourceType":"QuestionnaireResponse"}')):
            self.outcome(self.server.submit(document, **{"Content-Type": kind}), 400)
            keyed = self.server.submit(document, **{"Content-Type": kind, "Idempotency-Key": str(uuid.uuid4())})
            self.outcome(keyed, 422, "form")

    def test_what_is_not_json_is_400_with_a_place(self):
        for data in ("{", "", "[]x", '{"a":1,"a":2}', '{"a":"\\ud800"}', "\ufeff{}", "nul", '{"a":01}'):
            issues = self.outcome(self.server.submit(data), 400)
            self.assertTrue(issues[0].get("diagnostics"), data)

    def test_every_fault_of_the_form_is_one_issue_with_its_path(self):
        body = diary()
        body["answers"].update({"pain-nrs": 11, "fatigue": "enormous", "no-such-field": 1, "slept-hours": "x"})
        issues = self.outcome(self.server.submit(body), 422, "form")
        paths = " ".join(" ".join(i.get("expression", [])) for i in issues)
        for field in ("pain-nrs", "fatigue", "no-such-field", "slept-hours"):
            self.assertIn(field, paths)
        self.assertNotIn("enormous", json.dumps(issues), "an answer's content must not be echoed")

    def test_required_answers_are_required(self):
        body = diary()
        body["answers"] = {}
        self.outcome(self.server.submit(body), 422, "form")

    def test_media_types_and_codings(self):
        for kind in ("text/plain", "application/json; charset=latin1", "application/fhir+xml"):
            self.outcome(self.server.submit(diary(), **{"Content-Type": kind}), 415)
        self.outcome(self.server.submit(diary(), **{"Content-Encoding": "gzip"}), 415)
        self.assertEqual(self.server.submit(diary(), **{"Content-Type": "application/json; charset=UTF-8"}).status, 201)

    def test_accept_that_excludes_json_is_406(self):
        self.outcome(self.server.submit(diary(), Accept="text/html"), 406)

    def test_body_limit_is_one_mebibyte(self):
        body = diary()
        body["padding"] = ""
        body["padding"] = "x" * ((1 << 20) - len(json.dumps(body)))
        self.assertEqual(len(json.dumps(body)), 1 << 20)
        self.assertEqual(self.server.submit(body).status, 201)
        body["submissionId"] = str(uuid.uuid4())
        body["padding"] += "x"
        self.outcome(self.server.submit(body), 413)

    def test_authored_needs_an_offset(self):
        body = diary()
        body["authored"] = "2026-11-20T20:14:05"
        self.outcome(self.server.submit(body), 422)
        body["device"] = {"utcOffsetMinutes": 480}
        self.assertEqual(self.server.submit(body).status, 201)

    def test_unknown_members_are_kept_and_ignored(self):
        body = {**diary(), "extra": {"deep": [1, 2, {"x": None}]}}
        self.assertEqual(self.server.submit(body).status, 201)

    def test_a_wrong_clock_is_never_refused(self):
        for authored in ("1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z"):
            self.assertEqual(self.server.submit({**diary(), "authored": authored}).status, 201)

    def test_unknown_form_or_version_is_held(self):
        for change in ({"form": "no-such-form"}, {"formVersion": "99"}):
            reply = self.server.submit({**diary(), **change})
            self.assertEqual(reply.status, 201, reply)
            self.assertEqual(reply.json()["disposition"], "held")
            read = request(self.server.intake, "GET", reply.headers["Location"], bearer=token())
            self.assertEqual(read.status, 200)
            self.assertEqual(read.json()["delivery"], [{"destination": "default", "state": "held", "attempts": 0}])
            self.assertIsNone(read.json()["bundle"])

    def test_xml(self):
        submission = str(uuid.uuid4())
        document = (f"<diary><submissionId>{submission}</submissionId><trialId>EVENING-01</trialId><subjectId>S-000123</subjectId>"
                    "<form>evening-diary</form><formVersion>3</formVersion><authored>2026-11-20T20:14:05+08:00</authored>"
                    '<answers><answer field="pain-nrs">4</answer><answer field="fatigue">moderate</answer>'
                    '<answer field="slept-hours">6.5</answer><answer field="took-medication">true</answer></answers></diary>')
        reply = self.server.submit(document, **{"Content-Type": "application/xml"})
        self.assertEqual(reply.status, 201, reply)
        bomb = '<!DOCTYPE d [<!ENTITY a "b">]>' + document
        self.outcome(self.server.submit(bomb, **{"Content-Type": "application/xml"}), 400)

    def test_odm(self):
        document = ('<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" ODMVersion="1.3.2" FileType="Transactional" FileOID="f" CreationDateTime="2026-11-20T20:14:05+08:00">'
                    '<ClinicalData StudyOID="EVENING-01" MetaDataVersionOID="1"><SubjectData SubjectKey="S-000123"><StudyEventData StudyEventOID="E">'
                    '<FormData FormOID="evening-diary|3"><AuditRecord><UserRef UserOID="u"/><LocationRef LocationOID="l"/><DateTimeStamp>2026-11-20T20:14:05+08:00</DateTimeStamp></AuditRecord>'
                    '<ItemGroupData ItemGroupOID="g"><ItemData ItemOID="pain-nrs" Value="4"/><ItemData ItemOID="fatigue" Value="moderate"/>'
                    '<ItemData ItemOID="slept-hours" Value="6.5"/><ItemData ItemOID="took-medication" Value="true"/></ItemGroupData></FormData></StudyEventData></SubjectData></ClinicalData></ODM>')
        headers = {"Content-Type": "application/odm+xml"}
        self.outcome(self.server.submit(document, **headers), 400)
        reply = self.server.submit(document, **{**headers, "Idempotency-Key": str(uuid.uuid4())})
        self.assertEqual(reply.status, 201, reply)
        doubled = document.replace("</ClinicalData>", '<SubjectData SubjectKey="S-2"/></ClinicalData>')
        self.outcome(self.server.submit(doubled, **{**headers, "Idempotency-Key": str(uuid.uuid4())}), 422)

    def fhir(self, **changes):
        url = next(f for f in DEMO["forms"] if f["id"] == "evening-diary")["questionnaire"]["url"]
        items = [{"linkId": "pain-nrs", "answer": [{"valueInteger": 4}]},
                 {"linkId": "fatigue", "answer": [{"valueCoding": self.coding("fatigue", "moderate")}]},
                 {"linkId": "slept-hours", "answer": [{"valueDecimal": 6.5}]},
                 {"linkId": "took-medication", "answer": [{"valueBoolean": True}]}]
        return {"resourceType": "QuestionnaireResponse", "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid.uuid4()}"},
                "questionnaire": f"{url}|3", "status": "completed", "subject": {"identifier": {"value": "S-000123"}},
                "authored": "2026-11-20T20:14:05+08:00", "item": items, **changes}

    @staticmethod
    def coding(link_id, code):
        def walk(items):
            for item in items:
                if item["linkId"] == link_id:
                    return item
                found = walk(item.get("item", []))
                if found:
                    return found
        item = walk(next(f for f in DEMO["forms"] if f["id"] == "evening-diary")["questionnaire"]["item"])
        return next(o["valueCoding"] for o in item["answerOption"] if o["valueCoding"]["code"] == code)

    def test_fhir(self):
        headers = {"Content-Type": "application/fhir+json"}
        reply = self.server.submit(json.dumps(self.fhir()), **headers)
        self.assertEqual(reply.status, 201, reply)
        self.assertEqual(reply.json()["disposition"], "accepted")
        reference = self.fhir(subject={"reference": "Patient/S-000123"})
        self.assertEqual(self.server.submit(json.dumps(reference), **headers).status, 201)
        wrong = self.fhir()
        wrong["item"][0]["answer"][0] = {"valueString": "4"}
        self.outcome(self.server.submit(json.dumps(wrong), **headers), 422, "form")

    def test_fhir_trial_parameter_where_the_token_has_several(self):
        headers = {"Content-Type": "application/fhir+json"}
        both = token(trial=["EVENING-01", "OTHER-02"])
        self.outcome(self.server.submit(json.dumps(self.fhir()), bearer=both, **headers), 400)
        reply = request(self.server.intake, "POST", "/patient/data?trial=EVENING-01", json.dumps(self.fhir()), bearer=both, headers=headers)
        self.assertEqual(reply.status, 201, reply)

    def test_deadline_of_nothing_is_503_with_retry_after(self):
        reply = self.server.submit(diary(), **{"X-Request-Timeout-Ms": "0"})
        self.outcome(reply, 503)
        self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)


class Access(Contract):
    def test_credentials(self):
        reply = request(self.server.intake, "POST", "/patient/data", json.dumps(diary()), headers={"Content-Type": "application/json"})
        self.outcome(reply, 401)
        self.assertTrue(reply.headers["WWW-Authenticate"].startswith("Bearer"))
        for bad in ("x", "a.b.c", token(exp=1), token(secret=b"z" * 32), token(iss="https://evil.example"), token(aud="other"),
                    token(nbf=4102444800), token() + "x"):
            self.outcome(self.server.submit(diary(), bearer=bad), 401)
        none = token().split(".")
        import base64
        head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"test"}').rstrip(b"=").decode()
        self.outcome(self.server.submit(diary(), bearer=f"{head}.{none[1]}."), 401)

    def test_a_patient_sends_only_her_own(self):
        self.outcome(self.server.submit(diary("S-000999"), bearer=token("S-000123")), 403)
        self.outcome(self.server.submit({**diary(), "trialId": "OTHER-02"}, bearer=token()), 403)
        self.outcome(self.server.submit(diary(), bearer=token(scope="ops")), 403)

    def test_site_and_service_send_for_a_subject(self):
        for scope in ("site", "service"):
            bearer = token("nurse-7", scope=scope, site="SITE-A")
            reply = self.server.submit(diary("S-000555"), bearer=bearer)
            self.assertEqual(reply.status, 201, reply)

    def test_reading_is_for_the_owner_her_site_and_services(self):
        body = diary("S-000777")
        self.assertEqual(self.server.submit(body, bearer=token("S-000777", site="SITE-A")).status, 201)
        path = "/patient/data/" + body["submissionId"]
        def read(bearer):
            return request(self.server.intake, "GET", path, bearer=bearer)
        self.assertEqual(read(token("S-000777")).status, 200)
        self.assertEqual(read(token("nurse", scope="site", site="SITE-A")).status, 200)
        self.assertEqual(read(token("svc", scope="service")).status, 200)
        missing = request(self.server.intake, "GET", f"/patient/data/{uuid.uuid4()}", bearer=token("S-000777"))
        self.outcome(missing, 404)
        for foreign in (token("S-000778"), token("nurse", scope="site", site="SITE-B"), token("S-000777", trial="OTHER-02")):
            reply = read(foreign)
            self.outcome(reply, 404)
            self.assertEqual(reply.body, missing.body, "someone else's and unknown must look the same")
        self.outcome(request(self.server.intake, "GET", path), 401)

    def test_read_back_has_receipt_bundle_and_delivery(self):
        body = diary("S-000888")
        receipt = self.server.submit(body).json()
        reply = request(self.server.intake, "GET", "/patient/data/" + body["submissionId"], bearer=token("S-000888"))
        self.assertEqual(reply.status, 200)
        read = reply.json()
        self.assertEqual(read["receipt"], receipt)
        self.assertEqual(read["bundle"]["type"], "transaction")
        first = read["bundle"]["entry"][0]
        self.assertEqual(first["resource"]["resourceType"], "QuestionnaireResponse")
        self.assertEqual(first["request"]["method"], "PUT")
        self.assertEqual({d["destination"] for d in read["delivery"]}, set(DEMO["destinations"]))
        self.assertIn(read["delivery"][0]["state"], ("owed", "leased"))

    def test_an_id_of_two_subjects_needs_the_subject(self):
        body = diary("S-000901")
        other = diary("S-000902", submission=body["submissionId"])
        self.server.submit(body), self.server.submit(other)
        service = token("svc", scope="service")
        path = "/patient/data/" + body["submissionId"]
        self.outcome(request(self.server.intake, "GET", path, bearer=service), 400)
        reply = request(self.server.intake, "GET", path + "?subject=S-000902", bearer=service)
        self.assertEqual(reply.status, 200)


class Trials(Contract):
    def put(self, document, trial=None, scope="trial-admin", **headers):
        name = trial or document["id"]
        return request(self.server.intake, "PUT", f"/trials/{name}", json.dumps(document),
                       bearer=token("admin", trial=name, scope=scope), headers={"Content-Type": "application/json", **headers})

    def fresh(self):
        return {**copy.deepcopy(DEMO), "id": "T-" + uuid.uuid4().hex[:8]}

    def get(self, trial, **headers):
        return request(self.server.intake, "GET", f"/trials/{trial}", bearer=token(trial=trial), headers=headers)

    def test_publication_needs_a_precondition_and_the_scope(self):
        document = self.fresh()
        self.outcome(self.put(document), 428)
        self.outcome(self.put(document, **{"If-Match": '"x"'}), 412)
        self.outcome(self.put(document, scope="patient", **{"If-None-Match": "*"}), 403)
        first = self.put(document, **{"If-None-Match": "*", "Vesper-Reason": "first"})
        self.assertEqual(first.status, 201, first)
        self.outcome(self.put(document, **{"If-None-Match": "*"}), 412)
        document["title"] = "changed"
        self.outcome(self.put(document, **{"If-Match": '"stale"'}), 412)
        second = self.put(document, **{"If-Match": first.headers["ETag"]})
        self.assertEqual(second.status, 200, second)
        read = self.get(document["id"])
        self.assertEqual(read.json()["title"], "changed")
        self.assertEqual(read.headers["ETag"], second.headers["ETag"])
        self.assertEqual(self.get(document["id"], **{"If-None-Match": read.headers["ETag"]}).status, 304)
        history = request(self.server.intake, "GET", f"/trials/{document['id']}/history", bearer=token(trial=document["id"]))
        self.assertEqual([r["revision"] for r in history.json()["revisions"]], [1, 2])
        self.assertEqual(history.json()["revisions"][0]["reason"], "first")

    def test_a_published_form_version_is_immutable_and_kept(self):
        document = self.fresh()
        first = self.put(document, **{"If-None-Match": "*"})
        changed = copy.deepcopy(document)
        changed["forms"][0]["questionnaire"]["item"][0]["text"] = "something else"
        self.outcome(self.put(changed, **{"If-Match": first.headers["ETag"]}), 409)
        without = copy.deepcopy(document)
        kept = without["forms"].pop(0)
        second = self.put(without, **{"If-Match": first.headers["ETag"]})
        self.assertEqual(second.status, 200, second)
        if kept["id"] == "evening-diary":
            body = diary(trial=document["id"])
            reply = self.server.submit(body)
            self.assertEqual((reply.status, reply.json()["disposition"]), (201, "accepted"), reply)

    def test_what_is_wrong_is_422(self):
        unknown = {**self.fresh(), "destinations": ["nowhere"]}
        self.outcome(self.put(unknown, **{"If-None-Match": "*"}), 422)
        version = self.fresh()
        version["forms"][0]["version"] = "other"
        self.outcome(self.put(version, **{"If-None-Match": "*"}), 422)
        doubled = self.fresh()
        items = doubled["forms"][0]["questionnaire"]["item"]
        items.append(copy.deepcopy(items[0]))
        self.outcome(self.put(doubled, **{"If-None-Match": "*"}), 422)
        self.outcome(self.put(self.fresh(), trial="OTHER-ID", **{"If-None-Match": "*"}), 422)

    def test_foreign_trials_are_forbidden(self):
        reply = request(self.server.intake, "GET", "/trials/EVENING-01", bearer=token(trial="OTHER-02"))
        self.outcome(reply, 403)
        self.outcome(self.get("NEVER-PUBLISHED"), 404)

    def test_a_closed_trial_holds(self):
        document = self.fresh()
        first = self.put(document, **{"If-None-Match": "*"})
        document["status"] = "closed"
        self.assertEqual(self.put(document, **{"If-Match": first.headers["ETag"]}).status, 200)
        reply = self.server.submit(diary(trial=document["id"]))
        self.assertEqual((reply.status, reply.json()["disposition"]), (201, "held"))

    def test_on_invalid_hold(self):
        document = self.fresh()
        for form in document["forms"]:
            form["onInvalid"] = "hold"
        self.assertEqual(self.put(document, **{"If-None-Match": "*"}).status, 201)
        body = diary(trial=document["id"])
        body["answers"]["pain-nrs"] = 11
        reply = self.server.submit(body)
        self.assertEqual((reply.status, reply.json()["disposition"]), (201, "held"), reply)


class Operating(Contract):
    def test_health_and_unknown_routes(self):
        for address in (self.server.intake, self.server.admin):
            self.assertEqual(request(address, "GET", "/healthz?x=1").status, 200)
            ready = request(address, "GET", "/readyz?probe")
            self.assertEqual((ready.status, ready.json()["reasons"]), (200, []))
            self.outcome(request(address, "GET", "/nothing"), 404)
        self.outcome(request(self.server.intake, "DELETE", "/patient/data"), 405)
        self.assertIn("POST", request(self.server.intake, "GET", "/patient/data", bearer=token()).headers["Allow"])
        keys = request(self.server.intake, "GET", "/.well-known/vesper-receipt-keys")
        self.assertIn("keys", keys.json())

    def test_chunked_bodies_are_read_and_missing_lengths_are_411(self):
        import http.client
        host, port = self.server.intake.split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        headers = {"Authorization": "Bearer " + token(), "Content-Type": "application/json"}
        connection.request("POST", "/patient/data", body=iter([json.dumps(diary()).encode()]), headers=headers, encode_chunked=True)
        self.assertEqual(connection.getresponse().status, 201)
        connection.close()
        import socket
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(f"POST /patient/data HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token()}\r\nContent-Type: application/json\r\n\r\n".encode())
            self.assertTrue(raw.recv(4096).startswith(b"HTTP/1.1 411"))

    def test_metrics_count_the_stages_and_never_a_patient(self):
        self.server.submit(diary("S-CANARY-42", note="CANARY note"))
        text = request(self.server.admin, "GET", "/metrics").body.decode()
        self.assertRegex(text, r'vesper_journal_diaries_total\{outcome="stored"\} \d+')
        self.assertIn("# HELP vesper_journal_diaries_total", text)
        self.assertNotIn("CANARY", text)

    def test_logs_have_no_patient_content(self):
        self.server.submit(diary("S-CANARY-42", note="CANARY note"))
        self.server.submit({**diary("S-CANARY-42"), "authored": "CANARY"})
        self.assertNotIn("CANARY", "".join(self.server.process.lines + self.server.process.errors))

    def test_draining_leaves_the_load_balancer_and_serves_on(self):
        self.assertEqual(request(self.server.admin, "POST", "/drain").status, 200)
        self.assertEqual(request(self.server.intake, "GET", "/readyz").status, 503)
        self.assertEqual(request(self.server.intake, "GET", "/healthz").status, 200)
        self.assertEqual(self.server.submit(diary()).status, 201)
        self.assertEqual(request(self.server.admin, "POST", "/undrain").status, 200)
        self.assertEqual(request(self.server.intake, "GET", "/readyz").status, 200)

    def test_admin_changes_need_post_and_no_foreign_origin(self):
        self.assertEqual(request(self.server.admin, "GET", "/drain").status, 405)
        self.assertEqual(request(self.server.admin, "POST", "/drain", headers={"Origin": "https://evil.example"}).status, 403)
        self.assertEqual(request(self.server.admin, "POST", "/drain", headers={"Host": "evil.example"}).status, 403)

    def test_stop_and_start_keep_what_was_acknowledged(self):
        with Server() as server:
            server.start()
            self.assertEqual(server.publish().status, 201)
            body = diary()
            first = server.submit(body)
            self.assertEqual(first.status, 201)
            self.assertEqual(server.stop(), 0)
            server.start()
            again = server.submit(body)
            self.assertEqual((again.status, again.body), (201, first.body))
            self.assertEqual(again.headers["Idempotent-Replay"], "true")
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
