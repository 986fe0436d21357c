#!/usr/bin/env bash
# For a wave that main asks for and nobody has opened: green while an `up` runs or waits for its approval, red where there is none, since
# then it has failed, or was cut off, and a person has to look. It is not tried again by itself: why it failed may still stand.
# GH_TOKEN: reads the runs of workflows.
set -euo pipefail

for workflow in advance.yml auto-advance.yml; do
  for status in queued requested waiting pending in_progress; do
    others="$(gh api "repos/$GITHUB_REPOSITORY/actions/workflows/$workflow/runs?status=$status&per_page=100" \
      --jq "[.workflow_runs[].id | select(. != $GITHUB_RUN_ID)] | .[0] // empty")"
    if [ -n "$others" ]; then
      echo "run $others of $workflow is $status: it opens the wave, or waits for its approval"
      exit 0
    fi
  done
done
echo "::error::main asks for a wave that is not open, and no up is under way: the last one failed, or was cut off or refused. Its log says why; when that is mended, run the workflow advance on main"
exit 1
