#!/usr/bin/env bash
# Runs the tests: with arguments pytest with these, without any all of them, in four parts at once, since tests wait
# most of their time: the notebooks and, behind them, the longest tests in a browser; the other tests in a browser; the
# tests that run chapters; and what tries the package. PYTHON is the environment's interpreter.
set -eu
cd "$(dirname "$0")/.."
pytest=("$PYTHON" -m pytest)
nbval=(--nbval --nbval-current-env --nbval-cell-timeout=60 --nbval-sanitize-with tests/sanitize.cfg)
if [ $# -gt 0 ]; then exec "${pytest[@]}" "${nbval[@]}" "$@"; fi

said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
trap 'trap - INT TERM; kill 0' INT TERM

beside() {  # beside NAME COMMAND…: runs it in the background; what it says and its status are told at the end
    { status=0; "${@:2}" || status=$?; echo "$status" >"$said/$1.status"; } >"$said/$1" 2>&1 &
}

notebooks() {
    local status=0
    "${pytest[@]}" "${nbval[@]}" notebooks || status=$?
    "${pytest[@]}" "$longest" || status=$?
    return "$status"
}

longest=tests/test_access.py
beside notebooks notebooks
beside browser "${pytest[@]}" tests -m browser --ignore="$longest"
beside chapters "${pytest[@]}" tests -m chapters
echo "Notebooks, browser and chapters run beside these tests; what came of them is told at the end."
worst=0
"${pytest[@]}" tests -m "not chapters and not browser" || worst=$?
wait
for part in browser chapters notebooks; do
    cat "$said/$part"
    status=$(cat "$said/$part.status")
    if [ "$status" -gt "$worst" ]; then worst=$status; fi
done
exit "$worst"
