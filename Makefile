# make test needs nothing but Go, and runs more with Redis and PostgreSQL. make
# race needs a C compiler besides.

# The modules of go.work, this one first.
MODULES := $(or $(shell go list -m -f '{{.Dir}}'),$(error go.work is broken))
# What users import, and the examples.
LIBRARY = $(filter-out $(CURDIR)/bench,$(MODULES))
# A module that go.work leaves out; bench/doc.go says why.
APART = $(CURDIR)/bench/crowdsec

FUZZTIME  = 10s
BENCHTIME = 1s
SOAKTIME  = 5m

LINT_VERSION = 2.12.2
LINT = $(shell \
	for lint in golangci-lint "$$(go env GOPATH)/bin/golangci-lint"; do \
		if "$$lint" version 2>/dev/null | grep -qF ' $(LINT_VERSION) '; then echo "$$lint"; exit; fi; \
	done; \
	echo go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(LINT_VERSION))

# each runs a command in the folder of every module of a list.
define each
@set -e; for module in $(1); do echo "== $$module: $(2)"; (cd "$$module" && $(2)); done
endef

.NOTPARALLEL:
.PHONY: bench-crowdsec test servers lint gofmt tidy race fuzz soak bench cover examples cross ci

test: servers
	$(call each,$(MODULES),go test -shuffle=on ./...)

# servers installs Redis and PostgreSQL for the integration tests, if it may.
servers:
	@scripts/servers

# lint only looks: formatting, vet, linters, and whether go.mod is tidy.
lint: gofmt tidy
	$(call each,$(MODULES),go vet ./...)
	$(call each,$(MODULES),$(LINT) run --config $(CURDIR)/.golangci.yml ./...)

gofmt:
	@files=$$(gofmt -l .); test -z "$$files" || { echo "gofmt would change:"; echo "$$files"; exit 1; }

tidy:
	$(call each,$(MODULES) $(APART),GOWORK=off go mod tidy -diff)

race: servers
	$(call each,$(LIBRARY),go test -race -shuffle=on ./...)

# fuzz runs every fuzz target for FUZZTIME.
fuzz:
	$(call each,$(LIBRARY),$(CURDIR)/scripts/fuzz $(FUZZTIME))

# soak has hostile tenants beside honest ones for SOAKTIME, in memory and on servers.
soak: servers
	go test -run Soak -v -timeout 0 ./internal/fleet -soak $(SOAKTIME)

# bench runs every benchmark for BENCHTIME.
bench:
	$(call each,$(MODULES),go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...)

# bench-crowdsec needs a C compiler and builds for some minutes.
bench-crowdsec:
	cd bench/crowdsec && GOWORK=off go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

cover:
	go test -coverpkg=./... -coverprofile=coverage.out ./...
	@go tool cover -func=coverage.out | tail -n 1

# examples runs what a newcomer runs, and looks at the output.
examples:
	scripts/examples

# cross vets for other systems and processors, and runs the tests on 32 bits.
cross:
	@set -e; for target in linux/arm64 darwin/arm64 windows/amd64; do \
		for module in $(LIBRARY); do \
			echo "== $$module: $$target"; cd "$$module"; \
			CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} go vet ./...; \
		done; \
	done
	$(call each,$(LIBRARY),$(CURDIR)/scripts/test32)

# ci is everything, briefly: each benchmark once, each fuzz target for a number
# of inputs instead of a time, 20 s of the soak, and the plain tests last, so that
# their summary closes the log.
ci: export AUDITWARDEN_REQUIRE_SERVERS = 1
ci: FUZZTIME = 10000x
ci: BENCHTIME = 1x
ci: SOAKTIME = 20s
ci: lint race cross fuzz examples bench soak test
