#!/usr/bin/env bash
# Ends red unless the index differs from HEAD by exactly one line of one stack file, and that line by the number of its wave alone, which
# rises to at most 100. The two files are compared, not a patch: what a patch says of itself is its writer's.
# STACK: whose file it is.
set -euo pipefail

refuse() {
  echo "::error::$1; expected one line of Pulumi.$STACK.yaml with another wave: <percent>. Nothing was committed"
  exit 1
}

file="Pulumi.$STACK.yaml"
changed="$(git diff --cached --raw --no-renames --no-abbrev HEAD)"
if [ "$(printf '%s\n' "$changed" | wc -l)" -ne 1 ] || [ "${changed#*$'\t'}" != "$file" ]; then
  refuse "not this file alone is changed"
fi
if [[ ! "$changed" =~ ^:100644\ 100644\ [0-9a-f]+\ [0-9a-f]+\ M$'\t' ]]; then
  refuse "$file is not just edited, but made, removed, or of another kind"
fi

mapfile -t lines < <(diff --text <(git cat-file blob "HEAD:$file") <(git cat-file blob ":$file") || true)
if [ "${#lines[@]}" -ne 4 ] || [[ ! "${lines[0]}" =~ ^([0-9]+)c([0-9]+)$ ]] || [ "${BASH_REMATCH[1]}" != "${BASH_REMATCH[2]}" ]; then
  refuse "more than one line is changed"
fi
before="${lines[1]#< }"
after="${lines[3]#> }"

# The key of its own, or within a map on one line; the first of the line, as the other line is equal up to there.
wave='(^|[[:space:]{,])wave: *([0-9]+)([[:space:],}]|$)'
[[ "$before" =~ $wave ]] || refuse "the line has no wave"
from="${BASH_REMATCH[2]}"
start="${before%%"${BASH_REMATCH[0]}"*}${BASH_REMATCH[0]%"$from${BASH_REMATCH[3]}"}"
end="${before#"$start$from"}"
[[ "$after" == "$start"*"$end" ]] || refuse "the line differs in more than its wave"
to="${after#"$start"}"
to="${to%"$end"}"
[[ "$to" =~ ^[1-9][0-9]{0,2}$ ]] && [ "$to" -le 100 ] || refuse "the new wave is no whole percent from 1 to 100"
[[ "$from" =~ ^[0-9]{1,3}$ ]] && [ "$to" -gt "$((10#$from))" ] || refuse "the wave does not rise"
echo "$file: wave $from to $to"
