# make lab opens the course, make test checks all of it; both make the environment .venv first where it is missing.
# PYTHON=/path/to/python3 chooses another interpreter; ARGS="..." is handed on to JupyterLab or pytest.
export PYTHON
python = .venv/bin/python

help: ## say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r c t; do printf '%-20s %s\n' "$$c" "$$t"; done

lab: environment ## open the course in JupyterLab
	@exec $(python) -m ipclab lab $(ARGS)

test: environment-test ## pass every test: package, notebooks, browser, faults
	@PYTHON=$(python) tools/tests.sh $(ARGS)

doctor: environment ## say what of the course works on this machine
	@$(python) -m ipclab doctor

translate: environment ## build the notebooks in the other languages (ARGS="--update ko" shows what to translate)
	@$(python) -m ipclab translate $(ARGS)

handouts: environment-handouts ## make every chapter's handout, HTML and PDF, in build/handouts (ARGS="01 -p NAME=VALUE")
	@$(python) -m ipclab handout --language all $(ARGS)

site: environment ## make web pages of every chapter, in build/site
	@$(python) -m ipclab site

bench: environment ## measure the engine, as ratios
	@$(python) bench/bench.py $(ARGS)

bench-browser: environment-test ## measure a control's way to its picture, in a real browser
	@$(python) bench/bench_browser.py $(ARGS)

conformance: environment ## run CPython's own tests under the recorder
	@$(python) tests/conformance.py $(ARGS)

assets: environment ## draw the diagrams again
	@$(python) assets/draw.py && $(python) assets/record.py

lint: environment ## look the code over with ruff
	@$(python) -m ruff check

clean: ## remove what was built (the environment stays: rm -r .venv)
	@rm -rf build .pytest_cache .ruff_cache *.egg-info
	@find . -path ./.venv -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

environment:
	@tools/environment.sh make

environment-handouts:
	@tools/environment.sh make handouts

environment-test:
	@tools/environment.sh make test

.PHONY: help lab test doctor translate handouts site bench bench-browser conformance assets lint clean environment environment-handouts \
	environment-test
