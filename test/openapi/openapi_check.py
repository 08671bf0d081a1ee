"""Goal: the OpenAPI 3.1 document of the routes satisfies a validator that others wrote, and that validator finds faults.

Exit status 77, a skip by name, where the packages of tools/openapi-check are not to be had.
"""
import copy, json, os, pathlib, subprocess, sys, tempfile

SOURCE = pathlib.Path(os.environ.get("VESPER_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("VESPER_BUILD", SOURCE / "build" / "dev"))
OWN = SOURCE / "build" / "openapi-check" / "bin" / "python"

try:
    from openapi_spec_validator import OpenAPIV31SpecValidator
except ImportError:
    if OWN.exists() and pathlib.Path(sys.prefix) != OWN.parents[1]:
        os.execv(OWN, [str(OWN), *sys.argv])
    print("skipped: the packages of tools/openapi-check are not installed")
    sys.exit(77)


def faults(document):
    return [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]


def planted(document):
    """Negative control: each is a fault of the standard."""
    for plant in (lambda d: d.pop("info"),
                  lambda d: d["paths"]["/patient/data/{submissionId}"]["get"].pop("parameters"),
                  lambda d: d["paths"]["/patient/data"]["post"].update(requestBody={}),
                  lambda d: d["paths"]["/healthz"]["get"].update(operationId="isReady")):
        broken = copy.deepcopy(document)
        plant(broken)
        yield broken


with tempfile.TemporaryDirectory() as folder:
    subprocess.run([BUILD / "vesper", "reference", folder], check=True)
    document = json.loads((pathlib.Path(folder) / "openapi.json").read_text())
found = faults(document)
assert not found, found
for broken in planted(document):
    assert faults(broken), "the validator found nothing in a broken document"
print(f"{len(document['paths'])} paths, no fault; planted faults found")
