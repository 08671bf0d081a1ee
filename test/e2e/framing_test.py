"""The raw-byte framing suite (test/http) on both ports of the real server: every case comes out as a strict reader says."""
import re, subprocess, unittest

from harness import BUILD, Server, diary, request, token


class Framing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.server.publish()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def run_suite(self, address):
        result = subprocess.run([BUILD / "vesper-framing", address], capture_output=True, text=True, timeout=120)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        own, wrong = re.search(r"own (\d+) wrong (\d+)", result.stdout).groups()
        self.assertGreaterEqual(int(own), 120)
        self.assertEqual(int(wrong), 0)
        self.assertEqual(request(address, "GET", "/healthz").status, 200)

    def test_intake(self):
        self.run_suite(self.server.intake)
        self.assertEqual(self.server.submit(diary()).status, 201)

    def test_admin(self):
        self.run_suite(self.server.admin)

    def test_negative_control(self):
        """A lenient server fails the suite, so that passing it means something."""
        import http.server, threading
        class Lenient(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lenient) as lenient:
            lenient.daemon_threads = True
            threading.Thread(target=lenient.serve_forever, daemon=True).start()
            result = subprocess.run([BUILD / "vesper-framing", "127.0.0.1:%d" % lenient.server_address[1]], capture_output=True, text=True, timeout=120)
            lenient.shutdown()
        self.assertEqual(result.returncode, 1)


if __name__ == "__main__":
    unittest.main()
