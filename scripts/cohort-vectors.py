"""Makes client/vectors/cohorts.json with hashlib, or with --check says where the file differs.

The rule in five lines of another language: it shares nothing with client/cohorts.ts.
"""

import hashlib
import json
import pathlib
import re
import sys

VECTORS = pathlib.Path(__file__).parent.parent / "client" / "vectors" / "cohorts.json"

ABOUT = (
    "id as UTF-8, each lone surrogate as U+FFFD; the whole digest as a big-endian integer; remainder by 100."
    " salted: salt, colon, id, with SHA-256. times: the id is repeated so often."
)
SALT = "checkout-2"

IDS = [
    *["user-1", "user-2", "user-42", "0", "1", "42", "a", " ", "user-1 ", "User-1", ":", "null", "undefined"],
    *["alice@example.com", "550e8400-e29b-41d4-a716-446655440000", "checkout-2:user-1", "__proto__", "constructor"],
    "The quick brown fox jumps over the lazy dog",
    # Composed and decomposed are two ids: nothing is normalised.
    *["caf\u00e9", "cafe\u0301", "\u00df", "\u6771\u4eac", "\U0001f600", "\U0001f469\u200d\U0001f4bb", "\ufeffuser-1"],
    *["\x00", "user\x001", "line\nbreak", "\ufffd"],
    # Lone surrogates: all three of a kind fall into the bucket of the same id with U+FFFD.
    *["\ud800", "\udfff", "a\ud800b", "a\udc00b", "a\ufffdb", "\udc00\ud800", "\ud83d\ud83d"],
]
# Lengths round the blocks of 64 bytes, and long ones.
LENGTHS = [55, 56, 63, 64, 65, 119, 120, 128, 1_000, 1_048_576, 5_000_000]


def bucket(identifier: str, algorithm: str) -> int:
    text = re.sub("[\ud800-\udfff]", "\ufffd", identifier)
    digest = hashlib.new(algorithm, text.encode("utf-8")).digest()
    return int.from_bytes(digest, "big") % 100


def vector(identifier: str, times: int = 1) -> dict:
    whole = identifier * times
    return {
        "id": identifier,
        **({} if times == 1 else {"times": times}),
        "sha256": bucket(whole, "sha256"),
        "md5": bucket(whole, "md5"),
        "salted": bucket(f"{SALT}:{whole}", "sha256"),
    }


def document() -> str:
    vectors = [vector(each) for each in IDS] + [vector("x", times) for times in LENGTHS]
    lines = ",\n".join(f"    {{ {json.dumps(each)[1:-1]} }}" for each in vectors)
    return (
        "{\n"
        f'  "version": 1,\n  "about": {json.dumps(ABOUT)},\n  "salt": {json.dumps(SALT)},\n'
        f'  "vectors": [\n{lines}\n  ]\n}}\n'
    )


def main() -> int:
    made = document()
    if "--check" not in sys.argv[1:]:
        VECTORS.parent.mkdir(exist_ok=True)
        VECTORS.write_text(made)
        return 0
    there = VECTORS.read_text().splitlines()
    differing = [(ours, theirs) for ours, theirs in zip(made.splitlines(), there) if ours != theirs]
    for ours, theirs in differing:
        print(f"hashlib: {ours.strip()}\n   file: {theirs.strip()}")
    if not differing and len(there) != len(made.splitlines()):
        print(f"lines: {len(there)} in the file, {len(made.splitlines())} by hashlib")
    return 0 if made.splitlines() == there else 1


if __name__ == "__main__":
    sys.exit(main())
