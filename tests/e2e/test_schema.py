#!/usr/bin/env python3
"""configs/task.schema.json and the program agree on what a task file is.

tests/tasks/good holds tasks that both accept, bad/form what both refuse, bad/sense what only the
program can see, bad/text what is not JSON to the program.
"""

import glob
import json
import os
import re
import subprocess

import tap

CONFIGS = os.path.join(tap.ROOT, "configs")
TASKS = os.path.join("tests", "tasks")


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def validator():
    try:
        import jsonschema
    except ImportError:
        tap.skip("python3-jsonschema is not installed")
    schema = load(os.path.join(CONFIGS, "task.schema.json"))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def tasks(*folder):
    found = sorted(glob.glob(os.path.join(tap.ROOT, TASKS, *folder, "*.json")))
    assert found, f"no tasks in {folder}"
    return found


def shipped():
    found = sorted(set(glob.glob(os.path.join(CONFIGS, "*.json"))))
    return [path for path in found if not path.endswith(".schema.json")]


def complaints(schema, paths):
    return {os.path.basename(path): [error.message for error in schema.iter_errors(load(path))]
            for path in paths}


def check(path):
    return subprocess.run([tap.EVO, "check", os.path.relpath(path, tap.ROOT)], cwd=tap.ROOT,
                          capture_output=True, text=True, timeout=30, check=False)


def test_the_schema_accepts_the_shipped_tasks():
    schema = validator()
    assert "vector_add.json" in [os.path.basename(path) for path in shipped()]
    for name, errors in complaints(schema, shipped()).items():
        tap.equal(errors, [], name)


def test_the_schema_accepts_good_tasks():
    for name, errors in complaints(validator(), tasks("good")).items():
        tap.equal(errors, [], name)


def test_the_schema_refuses_what_has_a_bad_form():
    accepted = [name for name, errors in complaints(validator(), tasks("bad", "form")).items()
                if not errors]
    tap.equal(accepted, [], "accepted")


def test_bad_sense_is_what_a_schema_cannot_express():
    """A task that the schema refuses belongs into bad/form."""
    for name, errors in complaints(validator(), tasks("bad", "sense")).items():
        tap.equal(errors, [], name)


def test_every_member_of_the_schema_is_described():
    schema = load(os.path.join(CONFIGS, "task.schema.json"))
    definitions = schema["definitions"]

    def described(node):
        parts = [node] + node.get("allOf", [])
        if "$ref" in node:
            parts.append(definitions[node["$ref"].rsplit("/", 1)[1]])
        return any("description" in part for part in parts)

    bare = []
    for where, node in [("", schema)] + sorted(definitions.items()):
        for name, member in node.get("properties", {}).items():
            if name != "description" and not described(member):
                bare.append(f"{where}.{name}")
    tap.equal(bare, [], "members without a description")


def test_the_program_accepts_what_the_schema_accepts():
    for path in tasks("good"):
        done = check(path)
        tap.equal(done.returncode, 0, f"exit code of check {path}: {done.stderr}")


def test_the_program_refuses_bad_tasks_with_file_path_and_expectation():
    for path in tasks("bad", "*"):
        name = os.path.relpath(path, tap.ROOT)
        with open(re.sub(r"json$", "expect", path), encoding="utf-8") as f:
            expect = f.read().rstrip("\n")
        done = check(path)
        tap.equal(done.returncode, 2, f"exit code of check {name}")
        tap.contains(done.stderr, name, "stderr")
        tap.contains(done.stderr, expect, f"stderr of check {name}")


if __name__ == "__main__":
    tap.main(globals())
