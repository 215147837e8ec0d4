#!/usr/bin/env bash
# Runs the tests: with arguments pytest with these, without any all of them, in two halves at once, since tests wait
# most of their time: what runs the chapters (the notebooks, and the tests marked so), and what tries the package.
# PYTHON is the environment's interpreter.
set -eu
cd "$(dirname "$0")/.."
pytest=("$PYTHON" -m pytest)
nbval=(--nbval --nbval-current-env --nbval-cell-timeout=60 --nbval-sanitize-with tests/sanitize.cfg)
if [ $# -gt 0 ]; then exec "${pytest[@]}" "${nbval[@]}" "$@"; fi

said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
trap 'trap - INT TERM; kill 0' INT TERM
{
    status=0
    "${pytest[@]}" "${nbval[@]}" notebooks || status=$?
    "${pytest[@]}" tests -m chapters || status=$?
    echo "$status" >"$said/status"
} >"$said/output" 2>&1 &
status=0
echo "The chapters run beside these tests; what came of them is told at the end."
"${pytest[@]}" tests -m "not chapters" || status=$?
wait
cat "$said/output"
chapters=$(cat "$said/status")
exit $((status > chapters ? status : chapters))
