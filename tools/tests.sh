#!/usr/bin/env bash
# Runs the tests: with arguments pytest with these, without any all of them, in three parts at once, since tests wait
# most of their time: what runs the chapters (the notebooks, and the tests marked so), what has a reader in a browser,
# and what tries the package. PYTHON is the environment's interpreter.
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

chapters() {
    local status=0
    "${pytest[@]}" "${nbval[@]}" notebooks || status=$?
    "${pytest[@]}" tests -m chapters || status=$?
    return "$status"
}

beside chapters chapters
beside browser "${pytest[@]}" tests -m browser
echo "Chapters and browser run beside these tests; what came of them is told at the end."
worst=0
"${pytest[@]}" tests -m "not chapters and not browser" || worst=$?
wait
cat "$said/browser" "$said/chapters"
for part in browser chapters; do
    status=$(cat "$said/$part.status")
    if [ "$status" -gt "$worst" ]; then worst=$status; fi
done
exit "$worst"
