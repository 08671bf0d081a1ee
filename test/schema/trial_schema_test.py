"""The published JSON Schema of the trial document takes the demonstration and refuses what the server refuses.

Needs Debian's python3-jsonschema; without it the test is skipped by name (exit 77).
"""
import copy
import json
import os
import sys

try:
    import jsonschema
except ImportError:
    print("SKIPPED trial_schema_test: python3-jsonschema is not installed")
    sys.exit(77)

ROOT = os.environ["VESPER_SOURCE"]


def load(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return json.load(file)


SCHEMA = load("docs/reference/trial.schema.json")
VALIDATOR = (jsonschema.Draft202012Validator if hasattr(jsonschema, "Draft202012Validator")
             else jsonschema.Draft7Validator)(SCHEMA)


def set_at(path, value):
    def change(document):
        *way, last = path
        for step in way:
            document = document[step]
        document[last] = value
    return change


BROKEN = {
    "id": set_at(["id"], "a/b"),
    "status": set_at(["status"], "open"),
    "destinations": set_at(["destinations"], "default"),
    "site without id": set_at(["sites", 0], {"name": "x"}),
    "rate of zero": set_at(["rates"], {"patientPerMinute": 0}),
    "clock": set_at(["forms", 0, "windows", 0, "opens"], "24:00"),
    "onInvalid": set_at(["forms", 0, "onInvalid"], "drop"),
    "item type": set_at(["forms", 0, "questionnaire", "item", 0, "type"], "question"),
    "score without items": set_at(["forms", 1, "scores", 0, "items"], []),
}


def main():
    type(VALIDATOR).check_schema(SCHEMA)
    for name in ("deploy/demo/trial.json", "deploy/demo/bench-trial.json"):
        faults = list(VALIDATOR.iter_errors(load(name)))
        assert not faults, (name, faults[0].message)
    demo = load("deploy/demo/trial.json")
    for name, change in BROKEN.items():
        document = copy.deepcopy(demo)
        change(document)
        assert not VALIDATOR.is_valid(document), f"the schema takes a document with a wrong {name}"
    for name in SCHEMA["required"]:
        document = copy.deepcopy(demo)
        del document[name]
        assert not VALIDATOR.is_valid(document), f"the schema takes a document without {name}"
    print(f"{2 + len(BROKEN) + len(SCHEMA['required'])} documents judged as expected")


main()
