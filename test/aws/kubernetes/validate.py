"""Validates objects against Kubernetes' own OpenAPI schemas, in every version asked for.

Reads {"versions": ["1.36", ...], "objects": [{...}, ...]} from standard input and writes a list of
{"version", "kind", "path", "message"}, one for each object that a version refuses. Strict: a field that a version does not know is
refused, too. An object of which a version has no schema is an error, never a pass.
"""
import json
import sys

import kubernetes_validate

asked = json.load(sys.stdin)
known = set(kubernetes_validate.utils.major_minor(version) for version in kubernetes_validate.utils.all_versions())
found = []
for version in asked["versions"]:
    # The package would take the next lower version that it has.
    if version not in known:
        sys.exit(f"kubernetes-validate has no schemas of {version}; it has {sorted(known)}")
    for each in asked["objects"]:
        try:
            kubernetes_validate.validate(each, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(part) for part in error.absolute_path)
            found.append({"version": version, "kind": each["kind"], "path": path, "message": error.message})
json.dump(found, sys.stdout)
