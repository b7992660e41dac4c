# make run · make test · make check · make bench · make help
GO      ?= go
ADDR    ?= localhost:8080
DATA    ?= ./data
# A module without tags needs no version stamp, and a checkout without .git builds all the same.
export GOFLAGS := -buildvcs=false

.DEFAULT_GOAL := help
.PHONY: help run build test check fmt vet bench bench-tickets bench-knowledge fuzz pictures clean need-postgres need-browser

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: need-postgres build ## install what is missing, build, start the demo city (ADDR=localhost:8080 DATA=./data)
	@./bin/hotline demo --addr $(ADDR) --data $(DATA)

build: ## build ./bin/hotline
	@$(GO) build -o bin/hotline ./cmd/hotline

# They measure one thread on thousands of questions and sentences; the race detector sees nothing there and takes several times as long.
MEASURED := hotline/knowledge/eval hotline/knowledge/ground

# They take longest. go test starts packages in the order given, and one of these at the end would run alone.
LONG := hotline/internal/app hotline/web/console hotline/tickets hotline/knowledge hotline/web/portal

test: need-postgres need-browser ## install what is missing, run every test with the race detector (measurements of ranking without)
	$(GO) test -race -timeout 15m $(LONG) $(filter-out $(LONG) $(MEASURED),$(shell $(GO) list ./...))
	$(GO) test $(MEASURED)

check: fmt vet test ## format, vet, staticcheck, import rules, tests

fmt: ## fail when a file is not gofmt-ed
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not gofmt-ed:"; echo "$$out"; exit 1; fi

vet: ## go vet and staticcheck
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

bench: need-postgres ## measure intake, idle chats, bot turn, search (large: bench-tickets, bench-knowledge)
	@$(GO) run ./cmd/hotline bench

bench-tickets: need-postgres ## load a million tickets and measure what staff do (TICKETS=1000000); JSON and a table
	@$(GO) run ./cmd/hotline bench tickets-at --tickets $(or $(TICKETS),1000000)

bench-knowledge: need-postgres ## load a hundred thousand articles, restart a node on them, search and type (ARTICLES=100000); JSON and a table
	@$(GO) run ./cmd/hotline bench knowledge-at --articles $(or $(ARTICLES),100000)

pictures: need-postgres need-browser ## make the README's pictures with the browser test
	HOTLINE_PICTURES=$(CURDIR)/docs/pictures $(GO) test -count=1 -run '^Test(Story|Hardship)$$' ./internal/app

fuzz: need-postgres ## fuzz every parser of outside input for a while (FUZZTIME=20s each)
	@./tools/fuzz.sh $(or $(FUZZTIME),20s)

clean: ## remove the built binary (never the data)
	rm -rf bin

need-postgres:
	@./tools/need.sh postgres

need-browser:
	@./tools/need.sh browser
