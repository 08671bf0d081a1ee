"""Who may enter: key sets over https, rotation, absence, hostile sets, every algorithm, several issuers.

Tokens are made by `vesper token mint`; the key set is served by a TLS server of Python's under an authority of the test's own.
"""
import http.server, json, signal, ssl, subprocess, tempfile, threading, unittest

from harness import BUILD, Process, SOURCE, Server, b64, diary, eventually, request, token
from tls_files import Authority, SigningKey, key_set

ISSUER = "https://idp.example"


class KeyServer:
    """https server of one key set; counts what it is asked."""

    def __init__(self, authority, port=0):
        self.document, self.status, self.asked = "{}", 200, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                body = outer.document.encode()
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass
        self.server = Quiet(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("keys"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}/jwks"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def mint(key, subject="S-000123", trial="EVENING-01", scope="patient", issuer=ISSUER, **options):
    command = [BUILD / "vesper", "token", "mint", "--key", key.path, "--kid", key.kid, "--issuer", issuer,
               "--subject", subject, "--trial", trial, "--scope", scope]
    for name, value in options.items():
        command += ["--" + name.replace("_", "-"), value]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


class Remote(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        cls.keys = {a: SigningKey(cls.authority.folder, a.lower(), a) for a in ("RS256", "ES256", "EdDSA")}

    @classmethod
    def tearDownClass(cls):
        cls.authority.close()

    def table(self, url, ca=None, **more):
        more = {"refresh_s": 1, "refresh_floor_s": 1, "fetch_deadline_ms": 1000, **more}
        return (f'[[access.issuer]]\nissuer = "{ISSUER}"\naudience = "vesper"\njwks = "{url}"\n'
                f'tls_ca = "{ca or self.authority.certificate}"\n' + "".join(f"{k} = {json.dumps(v)}\n" for k, v in more.items()))

    def open(self, *keys, **more):
        keyserver = KeyServer(self.authority)
        keyserver.document = key_set(*keys)
        self.addCleanup(keyserver.close)
        server = Server(config=self.table(keyserver.url, **more))
        self.addCleanup(server.close)
        server.start()
        self.assertEqual(server.publish().status, 201)
        return server, keyserver

    def test_every_asymmetric_algorithm(self):
        server, _ = self.open(*self.keys.values())
        for key in self.keys.values():
            with self.subTest(algorithm=key.algorithm):
                reply = eventually(lambda: (r := server.submit(diary(), bearer=mint(key))).status != 503 and r)
                self.assertEqual(reply.status, 201, reply)

    def test_rotation_is_followed_and_never_a_wrong_401(self):
        server, keyserver = self.open(self.keys["ES256"], refresh_s=3600)
        eventually(lambda: server.submit(diary(), bearer=mint(self.keys["ES256"])).status == 201)
        keyserver.document = key_set(self.keys["ES256"], self.keys["EdDSA"])
        bearer, answers = mint(self.keys["EdDSA"]), []
        body = diary()
        def accepted():
            reply = server.submit(body, bearer=bearer)
            answers.append(reply.status)
            if reply.status == 503:
                self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)
            return reply.status == 201
        eventually(accepted, 15)
        self.assertLessEqual(set(answers), {503, 201})
        keyserver.document = key_set(self.keys["EdDSA"])
        stranger = SigningKey(self.authority.folder, "stranger", "ES256")
        eventually(lambda: server.submit(diary(), bearer=mint(stranger)).status == 401, 15, "401 for a kid nobody has")

    def test_a_flood_of_unknown_kids_asks_seldom(self):
        server, keyserver = self.open(self.keys["ES256"], refresh_s=3600, refresh_floor_s=60)
        eventually(lambda: server.submit(diary(), bearer=mint(self.keys["ES256"])).status == 201)
        before = keyserver.asked
        good = mint(self.keys["ES256"]).split(".")
        for n in range(200):
            head = b64(json.dumps({"alg": "ES256", "kid": f"k{n}"}).encode())
            self.assertIn(server.submit(diary(), bearer=f"{head}.{good[1]}.{good[2]}").status, (401, 503))
        self.assertLessEqual(keyserver.asked - before, 1)
        self.assertEqual(server.submit(diary(), bearer=mint(self.keys["ES256"])).status, 201)

    def test_absent_at_start_is_retryable_and_the_last_good_set_is_kept(self):
        server, keyserver = self.open(self.keys["ES256"])
        bearer = mint(self.keys["ES256"])
        eventually(lambda: server.submit(diary(), bearer=bearer).status == 201)
        eventually(lambda: list((server.folder / "data").glob("keys-*.kept")), what="the kept set")
        self.assertEqual(server.stop(), 0)
        keyserver.close()
        server.start()
        self.assertEqual(server.submit(diary(), bearer=bearer).status, 201)
        self.assertEqual(request(server.intake, "GET", "/readyz").status, 200)
        self.assertEqual(server.stop(), 0)
        for kept in (server.folder / "data").glob("keys-*.kept"):
            kept.unlink()
        server.start()
        reply = server.submit(diary(), bearer=bearer)
        self.assertEqual(reply.status, 503, reply)
        self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)
        self.assertEqual(server.submit(diary()).status, 201, "the other issuer is unharmed")
        again = KeyServer(self.authority, keyserver.port)
        self.addCleanup(again.close)
        again.document = key_set(self.keys["ES256"])
        eventually(lambda: server.submit(diary(), bearer=bearer).status == 201, 20)

    def test_a_node_without_any_keys_is_not_ready(self):
        keyserver = KeyServer(self.authority)
        keyserver.document, keyserver.status = key_set(self.keys["ES256"]), 503
        self.addCleanup(keyserver.close)
        server = Server()
        self.addCleanup(server.close)
        text = server.config.read_text()
        begin, end = text.index("[[access.issuer]]"), text.index("[upstream.default]")
        server.config.write_text(text[:begin] + self.table(keyserver.url) + text[end:])
        server.start()
        for address in (server.intake, server.admin):
            ready = request(address, "GET", "/readyz")
            self.assertEqual(ready.status, 503, ready)
            self.assertIn("keys", json.dumps(ready.json()["reasons"]))
        self.assertEqual(request(server.intake, "GET", "/healthz").status, 200)
        keyserver.status = 200
        eventually(lambda: request(server.intake, "GET", "/readyz").status == 200)
        self.assertEqual(server.submit(diary(), bearer=mint(self.keys["ES256"])).status, 404)

    def test_a_refused_refresh_keeps_the_last_good_set(self):
        server, keyserver = self.open(self.keys["ES256"])
        bearer = mint(self.keys["ES256"])
        eventually(lambda: server.submit(diary(), bearer=bearer).status == 201)
        secret = {"kty": "oct", "kid": "s", "alg": "HS256", "k": b64(b"k" * 32)}
        hostile = {
            "mixed": key_set(self.keys["ES256"], secret),
            "a kid twice": key_set(self.keys["ES256"], {**self.keys["EdDSA"].jwk, "kid": "es256"}),
            "no JSON": "{",
            "a page": "<html>sign in</html>",
            "no keys": "{}",
            "huge": " " * 5_000_000 + key_set(self.keys["EdDSA"]),
        }
        for name, document in hostile.items():
            with self.subTest(set=name):
                keyserver.document = document
                asked = keyserver.asked
                server.process.child.send_signal(signal.SIGHUP)
                eventually(lambda: keyserver.asked >= asked + 1, 30, "a refresh")
                self.assertEqual(server.submit(diary(), bearer=bearer).status, 201)
        keyserver.document, keyserver.status = key_set(self.keys["EdDSA"]), 500
        self.assertEqual(server.submit(diary(), bearer=bearer).status, 201)

    def test_weak_keys_are_refused_one_by_one(self):
        small = SigningKey(self.authority.folder, "small", "RS256", bits=1024)
        one = {**self.keys["RS256"].jwk, "kid": "exponent-one", "e": "AQ"}
        server, _ = self.open(self.keys["ES256"], small, one)
        eventually(lambda: server.submit(diary(), bearer=mint(self.keys["ES256"])).status == 201)
        minted = subprocess.run([BUILD / "vesper", "token", "mint", "--key", small.path, "--kid", "small", "--issuer", ISSUER,
                                 "--subject", "S-000123", "--trial", "EVENING-01"], capture_output=True, text=True)
        self.assertEqual(minted.returncode, 2, "a key that no server accepts signs nothing")
        parts = mint(self.keys["RS256"]).split(".")
        bearer = b64(json.dumps({"alg": "RS256", "kid": "exponent-one"}).encode()) + "." + ".".join(parts[1:])
        self.assertNotEqual(server.submit(diary(), bearer=bearer).status, 201)

    def test_a_certificate_of_another_authority_is_not_trusted(self):
        other = Authority()
        self.addCleanup(other.close)
        keyserver = KeyServer(other)
        self.addCleanup(keyserver.close)
        keyserver.document = key_set(self.keys["ES256"])
        server = Server(config=self.table(keyserver.url))
        self.addCleanup(server.close)
        server.start()
        self.assertEqual(server.submit(diary(), bearer=mint(self.keys["ES256"])).status, 503)
        eventually(lambda: "TLS" in "".join(server.process.lines))
        self.assertEqual(keyserver.asked, 0)

    def test_scopes_and_subject_claim_are_the_issuers(self):
        server, _ = self.open(self.keys["ES256"], scopes=["patient"], subject_claim="patient_number")
        bearer = mint(self.keys["ES256"], subject="uuid-of-an-account", claims='{"patient_number":"S-000123"}')
        eventually(lambda: server.submit(diary(), bearer=bearer).status == 201)
        self.assertEqual(server.submit(diary("S-000999"), bearer=bearer).status, 403)
        self.assertIn(server.submit(diary(), bearer=mint(self.keys["ES256"])).status, (401, 403))
        staff = mint(self.keys["ES256"], subject="x", scope="site service trial-admin ops", claims='{"patient_number":"S-000123"}')
        self.assertEqual(server.submit(diary(), bearer=staff).status, 403)
        document = json.loads((SOURCE / "deploy/demo/trial.json").read_text())
        reply = request(server.intake, "PUT", "/trials/EVENING-01", json.dumps(document), bearer=staff,
                        headers={"Content-Type": "application/json", "If-Match": "*"})
        self.assertEqual(reply.status, 403, reply)


class Start(unittest.TestCase):
    def refused(self, server, *words, status=2, env=None, arguments=()):
        result = subprocess.run([BUILD / "vesper", "serve", "--config", server.config, *arguments],
                                capture_output=True, text=True, timeout=20, env=env)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def server(self, **more):
        server = Server(**more)
        self.addCleanup(server.close)
        return server

    def test_a_key_file_that_others_can_read(self):
        server = self.server()
        (server.folder / "keys.json").chmod(0o644)
        self.refused(server, "keys.json")

    def test_hostile_key_files(self):
        good = {"kty": "oct", "kid": "a", "alg": "HS256", "k": b64(b"k" * 32)}
        with tempfile.TemporaryDirectory() as folder:
            es = SigningKey(folder, "es", "ES256").jwk
        for name, keys in {"short": [{**good, "k": b64(b"k" * 31)}], "twice": [good, {**good, "k": b64(b"j" * 32)}], "mixed": [good, es],
                           "no algorithm": [{k: v for k, v in good.items() if k != "alg"}]}.items():
            with self.subTest(keys=name):
                server = self.server()
                path = server.folder / "keys.json"
                path.write_text(json.dumps({"keys": keys}))
                self.refused(server, "keys.json")

    def test_demonstration_keys_outside_the_demonstration(self):
        demo = self.server()
        demo.process = Process([BUILD / "vesper", "serve", "--config", demo.config, "--demo"])
        demo.process.wait_for(lambda line: "listening" in line)
        self.assertEqual(demo.stop(), 0)
        made = (demo.folder / "data" / "demo-keys.json").read_text()
        server = self.server()
        (server.folder / "keys.json").write_text(made)
        self.refused(server, "demonstration")

    def test_the_demonstration_is_for_loopback_only(self):
        server = self.server()
        server.config.write_text(server.config.read_text().replace('[intake]\nlisten = "127.0.0.1:0"', '[intake]\nlisten = "0.0.0.0:0"'))
        self.refused(server, "intake.listen", arguments=["--demo"])

    def test_a_key_file_is_followed(self):
        server = self.server()
        server.start()
        server.publish()
        secret = b"another secret of thirty-two byt"
        path = server.folder / "keys.json"
        path.write_text(json.dumps({"keys": [{"kty": "oct", "kid": "test", "alg": "HS256", "k": b64(secret)}]}))
        eventually(lambda: server.submit(diary(), bearer=token(secret=secret)).status == 201)
        self.assertEqual(server.submit(diary()).status, 401)
        path.write_text("{")
        eventually(lambda: any("keys.refused" in line for line in server.process.lines))
        self.assertEqual(server.submit(diary(), bearer=token(secret=secret)).status, 201)


if __name__ == "__main__":
    unittest.main()
