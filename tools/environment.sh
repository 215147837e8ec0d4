#!/usr/bin/env bash
# Makes the course's Python environment, .venv, and says beforehand which of the machine's own tools are missing.
#
#   tools/environment.sh missing [FOR]    the Debian packages that are missing, in one line; nothing when none is
#   tools/environment.sh make [FOR]       the same for people, and exit 1, when any is; else .venv, unless it stands
#
# FOR is "handouts" for what PDFs need too, or "test" for what the tests need, which is that and more. PYTHON chooses
# the interpreter; without it the one that .venv has stays, and a new .venv gets the newest that will do.
set -eu
cd "$(dirname "$0")/.."

# Needed for | any of these commands or files | its Debian package | what it is for. Python itself is looked at below.
tools='
lab  | make                                       | make            | every command of the course
test | chromium chromium-browser google-chrome    | chromium        | the tests in a real browser
test | chromedriver                               | chromium-driver | the tests in a real browser
handouts | /usr/lib*/libpangoft2-1.0.so.0 /usr/lib/*/libpangoft2-1.0.so.0 | libpangoft2-1.0-0 | setting PDFs
handouts | /usr/share/fonts/*/*/NotoSansCJK* /usr/share/fonts/*/*/Nanum* /usr/share/fonts/*cjk*/* | fonts-noto-cjk | Korean type in PDFs
handouts | /usr/share/fonts/*/dejavu*/DejaVuSansMono.ttf /usr/share/fonts/dejavu*/DejaVuSansMono.ttf | fonts-dejavu-core | code in PDFs
'
stamp=.venv/finished # what the environment was made from; written last, so that half an environment has none

oldest() { sed -n 's/^requires-python = ">=3\.\([0-9]*\)".*/\1/p' pyproject.toml; }
runs() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, int(sys.argv[1])))' "$(oldest)" >/dev/null 2>&1; }
complete() { runs "$1" && "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

candidates() { # the interpreters that may be used, the preferred one first; those the course is tested with, then any
    if [ -n "${PYTHON:-}" ]; then echo "$PYTHON"; else printf '%s\n' python3.13 python3.12 python3.11 python3; fi
}

first_that() { # first_that CHECK: the first of the candidates that passes it
    candidates | while read -r python; do
        if "$1" "$python"; then echo "$python"; break; fi
    done
}

tools_missing() { # tools_missing PURPOSES: lines "package | what for" of the tools that are not there
    if ! stands && [ -z "$(first_that complete)" ]; then
        [ -n "$(first_that runs)" ] || echo "python3 | Python 3.$(oldest) or newer"
        echo "python3-venv | making the environment .venv (Python's venv and ensurepip)"
    fi
    echo "$tools" | while IFS='|' read -r purpose commands package reason; do
        purpose=${purpose// /}
        case " $1 " in *" ${purpose:-none} "*) ;; *) continue ;; esac
        for command in $commands; do
            if command -v "$command" >/dev/null || [ -e "$command" ]; then continue 2; fi # a pattern of files is expanded
        done
        echo "${package// /} |$reason"
    done
}

packages() { cut -d'|' -f1 | xargs; }

complain() { # complain LINES: what is missing and the one line that installs it
    echo "Missing on this machine:"
    echo "$1" | while IFS='|' read -r package reason; do printf '  %-16s for%s\n' "$package" "$reason"; done
    echo "On Debian and its kin this installs all of it:"
    echo "  $([ "$(id -u)" = 0 ] || echo 'sudo ')apt-get install $(echo "$1" | packages)"
    [ -z "${PYTHON:-}" ] || echo "PYTHON=$PYTHON was asked for; another may do: make PYTHON=/path/to/python3"
}

base() { # base PYTHON: where the environment is and the interpreter it stands on
    echo "$PWD $("$1" -c 'import sys; print(sys.base_prefix, *sys.version_info[:2])' 2>/dev/null || echo none)"
}
contents() { sha256sum <pyproject.toml; }
on_this_base() { [ -f $stamp ] && [ "$(sed -n 1p $stamp)" = "$(base "${PYTHON:-.venv/bin/python}")" ]; }
stands() { on_this_base && [ "$(sed -n 2p $stamp)" = "$(contents)" ] && runs .venv/bin/python; }

create() { # an empty environment, in place of what is there
    local python
    python=$(first_that complete)
    echo "Making the environment .venv with $("$python" --version): a minute or two, about 500 MB."
    [ ! -e .venv ] || echo "(What is there as .venv is unfinished, moved, or stands on another Python.)"
    rm -rf .venv
    "$python" -m venv .venv
}

fill() { # the course's packages, into the environment
    .venv/bin/python -m pip install --disable-pip-version-check --no-input -e '.[dev]' && return
    echo "The packages could not be installed: pip says why above." >&2
    echo "Connection errors, or 'from versions: none', mean that no package index was reached: is there a network," >&2
    echo "and do https_proxy and pip's own settings suit it? Then give the same command again." >&2
    exit 1
}

make_environment() {
    exec 9<pyproject.toml
    flock 9 # two calls at once: the second waits, and finds the environment made
    if stands; then return; fi
    if on_this_base; then
        echo "pyproject.toml has changed: bringing the environment .venv up to date."
        mv $stamp .venv/unfinished
    else
        create
    fi
    fill
    { base .venv/bin/python; contents; } >.venv/unfinished
    mv .venv/unfinished $stamp
}

purposes="lab ${2:-}"
[ "${2:-}" != test ] || purposes="$purposes handouts"
lines=$(tools_missing "$purposes")
case "${1:-}" in
    missing) if [ -n "$lines" ]; then echo "$lines" | packages; fi ;;
    make) if [ -n "$lines" ]; then complain "$lines" >&2; exit 1; else make_environment; fi ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
