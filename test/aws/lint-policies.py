"""Lints IAM policies with parliament: {name: policy} as JSON on standard input, {name: [finding]} as JSON on standard output."""
import json
import sys

from parliament import analyze_policy_string


def findings_of(name, policy):
    analyzed = analyze_policy_string(json.dumps(policy), filepath=name)
    return [{"issue": found.issue, "detail": found.detail} for found in analyzed.findings]


policies = json.load(sys.stdin)
json.dump({name: findings_of(name, policy) for name, policy in policies.items()}, sys.stdout, sort_keys=True, default=str)
