"""A data platform whose answers a test writes itself, and which keeps every request as it came."""
import http.server, threading


class Delivered:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body


class Receiver:
    """`answer(delivered)` gives (status, headers, body), or None to leave the request without an answer until the end.

    `tls` is the ssl.SSLContext of an https platform.
    """

    def __init__(self, answer=None, tls=None):
        self.answer = answer or (lambda delivered: (200, {}, b""))
        self.seen, self._released = [], threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                delivered = Delivered(self.path, self.headers, body)
                outer.seen.append(delivered)
                answer = outer.answer(delivered)
                if answer is None:
                    outer._released.wait(60)
                    self.close_connection = True
                    return
                status, headers, text = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 256

            def handle_error(self, *_):
                pass
        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def of(self, receipt):
        """What came for one diary, in order."""
        return [d for d in list(self.seen) if d.headers["Idempotency-Key"] == f'"{receipt["deliveryId"]}"']

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._released.set()
        self.server.shutdown()
        self.server.server_close()
