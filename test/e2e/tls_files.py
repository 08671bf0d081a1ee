"""Keys, certificates and key sets made for one test, by the openssl program."""
import base64, json, pathlib, subprocess, tempfile


def openssl(*arguments, given=None):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, input=given).stdout


class Authority:
    """A certificate authority that lives for one test, and what it signs."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="vesper-ca-")
        self.folder = pathlib.Path(self._folder.name)
        self.certificate = self.folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=test authority", "-keyout", self.folder / "ca.key", "-out", self.certificate)

    def issue(self, name, names="IP:127.0.0.1,DNS:localhost"):
        """Certificate and key files for a server (or client) of these names."""
        key, request, certificate = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request)
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.folder / "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", certificate)
        key.chmod(0o600)
        return certificate, key

    def close(self):
        self._folder.cleanup()


def text_of(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SigningKey:
    """A private key as PEM file, and its public half as a JWK."""

    def __init__(self, folder, kid, algorithm, bits=2048, exponent=65537):
        self.kid, self.algorithm = kid, algorithm
        self.path = pathlib.Path(folder) / f"{kid}.pem"
        kinds = {"RS256": ("RSA", ["-pkeyopt", f"rsa_keygen_bits:{bits}", "-pkeyopt", f"rsa_keygen_pubexp:{exponent}"]),
                 "ES256": ("EC", ["-pkeyopt", "ec_paramgen_curve:P-256"]), "EdDSA": ("ED25519", [])}
        kind, options = kinds[algorithm]
        openssl("genpkey", "-algorithm", kind, *options, "-out", self.path)
        self.path.chmod(0o600)
        public = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        if algorithm == "RS256":
            modulus = openssl("rsa", "-in", self.path, "-modulus", "-noout").decode().strip().split("=")[1]
            parts = {"kty": "RSA", "n": text_of(bytes.fromhex(modulus)), "e": text_of(exponent.to_bytes(3, "big").lstrip(b"\0"))}
        elif algorithm == "ES256":
            parts = {"kty": "EC", "crv": "P-256", "x": text_of(public[-64:-32]), "y": text_of(public[-32:])}
        else:
            parts = {"kty": "OKP", "crv": "Ed25519", "x": text_of(public[-32:])}
        self.jwk = {**parts, "kid": kid, "alg": algorithm, "use": "sig"}


def key_set(*keys):
    return json.dumps({"keys": [key.jwk if isinstance(key, SigningKey) else key for key in keys]})
