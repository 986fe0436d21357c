#!/usr/bin/env bash
# Ends red where the checkout is not what main is now. An approval may come days after the push, and a re-run keeps the commit it had: an
# `up` of either would bring back what somebody has taken out since.
# GH_TOKEN: reads the repository; not needed where origin asks for none.
set -euo pipefail

if [ -n "${GH_TOKEN:-}" ]; then
  # By the environment: neither in the checkout's config nor among the arguments of a process.
  export GIT_CONFIG_COUNT=1
  export GIT_CONFIG_KEY_0="http.${GITHUB_SERVER_URL:-https://github.com}/.extraheader"
  GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$GH_TOKEN" | base64 | tr -d '\n')"
  export GIT_CONFIG_VALUE_0
fi

have="$(git rev-parse HEAD)"
tip="$(git ls-remote origin refs/heads/main | cut -f 1)"
if [ -z "$tip" ]; then
  echo "::error::main: not found at origin, so nobody knows whether $have is still what it asks for; expected its commit. Nothing was changed. Run the workflow advance on main"
  exit 1
fi
if [ "$have" != "$tip" ]; then
  echo "::error::this run is of an old commit, got $have; expected main's tip, $tip. Nothing was changed. Run the workflow advance on main; do not re-run this one"
  exit 1
fi
echo "$have is the tip of main"
