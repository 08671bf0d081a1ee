"""Bytes on a connection, as a test writes them itself, and a test case that opens servers and connections."""
import json, socket, unittest

from harness import Server, token


class Raw:
    """A connection whose bytes the test writes itself."""

    def __init__(self, address, tls=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=15)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.received = b""

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def reply(self, head_only=False):
        """The next answer: status, headers with lower-case names, body."""
        while b"\r\n\r\n" not in self.received:
            self._more()
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:]}
        status = int(lines[0][9:12])
        length = 0 if head_only or status in (100, 204, 304) else int(headers["content-length"])
        while len(self.received) < length:
            self._more()
        body, self.received = self.received[:length], self.received[length:]
        return status, headers, body

    def _more(self):
        part = self.socket.recv(65536)
        if not part:
            raise AssertionError(f"closed after {self.received!r}")
        self.received += part

    def rest(self):
        """All until the end of the connection."""
        try:
            while part := self.socket.recv(65536):
                self.received += part
        except ConnectionResetError:
            pass
        return self.received

    def close(self):
        self.socket.close()


def post(body, bearer=None, extra="", path="/patient/data"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    subject = body.get("subjectId", "S-000123") if isinstance(body, dict) else "S-000123"
    head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bearer or token(subject)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n{extra}\r\n")
    return head.encode() + data


class Case(unittest.TestCase):
    def server(self, start=True, publish=True, env=None, **more):
        server = Server(**more)
        self.addCleanup(server.close)
        if start:
            server.start(env=env)
            if publish:
                self.assertEqual(server.publish().status, 201)
        return server

    def raw(self, address, **more):
        raw = Raw(address, **more)
        self.addCleanup(raw.close)
        return raw
