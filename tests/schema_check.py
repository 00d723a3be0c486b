#!/usr/bin/python3
"""The JSON Schema that the program prints, held against the tests' scenarios.

    schema_check.py PROGRAM

PROGRAM schema is validated itself, must accept what the reader accepts, and must refuse
the invalid scenarios whose fault a schema can see. Exit code 0 all held, 1 something did not,
77 left out: Debian's python3-jsonschema is not installed.
"""
import glob
import json
import os
import subprocess
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

# Faults of names, addresses, sums and platforms, and texts that are no JSON: beyond any schema.
ONLY_THE_READER = {
    "linux-keys-on-routeros",
    "linux-refuses",
    "missing-capture",
    "policies-large",
    "policies-misplaced",
    "resilient-many",
    "routeros-keys-on-linux",
    "synthetic-endpoints",
    "syntax",
}


def main(program):
    schema = json.loads(subprocess.run([program, "schema"], check=True, capture_output=True).stdout)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    wrong = checked = 0

    for path in sorted(glob.glob("tests/valid/*.json") + glob.glob("scenarios/*.json")):
        checked += 1
        with open(path, encoding="utf-8") as file:
            for error in validator.iter_errors(json.load(file)):
                print(f"{path}: refused: {error.json_path}: {error.message}")
                wrong += 1
    for path in sorted(glob.glob("tests/invalid/*/scenario.json")):
        if os.path.basename(os.path.dirname(path)) in ONLY_THE_READER:
            continue
        checked += 1
        with open(path, encoding="utf-8") as file:
            if validator.is_valid(json.load(file)):
                print(f"{path}: accepted")
                wrong += 1
    print(f"schema_check: {checked} scenarios, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
