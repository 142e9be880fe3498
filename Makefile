# Build, run and test EgressAppliance. `make help` lists the targets.
CONFIGURATION ?= Release
CONFIG        ?= /etc/egress-appliance/appliance.yaml
ifdef WITH_SHARPPCAP
PROPERTIES    := -p:WithSharpPcap=true
endif
HOST          := src/EgressAppliance.Host
UI_SOURCES    := $(wildcard src/ui/*.json src/ui/*.ts src/ui/*.html src/ui/public/* src/ui/src/* src/ui/src/*/*)
SCREENSHOTS   := $(CURDIR)/dist/screenshots

.PHONY: help build demo run test unit system fuzz bench compare compare-live compare-bgp measure-api measure-cluster format ui screenshots deb deb-test deb-reproducible oci oci-test image image-test bundle upgrade-test clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: ui ## build everything; the command is bin/egress-appliance
	dotnet build EgressAppliance.sln -c $(CONFIGURATION) -nologo -v quiet $(PROPERTIES)
	dotnet publish $(HOST) -c $(CONFIGURATION) -o bin -nologo -v quiet --no-build $(PROPERTIES)

demo: build ## the real appliance against the bundled router simulator; Ctrl-C ends it
	bin/egress-appliance demo $(DEMO_ARGS)

run: build ## run with CONFIG=/path/to/appliance.yaml
	bin/egress-appliance run --config $(CONFIG)

test: build ## all tests; system tests need root and say so where they cannot run
	CONFIGURATION=$(CONFIGURATION) tests/run unit ui system

unit: ## unit tests only
	CONFIGURATION=$(CONFIGURATION) tests/run unit

system: build ## system tests only (root: network namespaces, FRR, BIRD, snmpd)
	CONFIGURATION=$(CONFIGURATION) tests/run system

fuzz: ## changed BGP and SNMP messages against the libraries, docs/testing.md; FUZZ_ARGS='--seconds 60 --seed 1'
	dotnet run --project tests/EgressAppliance.Fuzz -c Release -- $(FUZZ_ARGS)

bench: ## BenchmarkDotNet; choose with BENCH='*Lookup*'
	dotnet run --project perf/EgressAppliance.Benchmarks -c Release -- --filter '$(or $(BENCH),*)'

compare: build ## data path against C and other tools, perf/reports/pipeline.md (some 10 minutes); COMPARE_ARGS='--rounds 9'
	dotnet run --project perf/EgressAppliance.Comparison -c Release -- compare $(COMPARE_ARGS)

compare-live: build ## live capture against C on a veth pair (root), perf/reports/live.md
	dotnet run --project perf/EgressAppliance.Comparison -c Release -- compare-live $(COMPARE_ARGS)

compare-bgp: build ## BGP speaker against BIRD, FRR and GoBGP with a full table (root), perf/reports/bgp.md; COMPARE_ARGS='--only own bird'
	dotnet run --project perf/EgressAppliance.Comparison -c Release -- compare-bgp $(COMPARE_ARGS)

measure-api: build ## the API under 100 clients, with a full table and traffic (root, wrk), perf/reports/api.md
	dotnet run --project perf/EgressAppliance.Comparison -c Release -- measure-api $(COMPARE_ARGS)

measure-cluster: ## what a controller spends on 10 to 50 collectors (some 2 minutes), for perf/reports/cluster.md
	perf/measure-cluster

format: ## rewrite sources to the house style
	dotnet format EgressAppliance.sln

ui: src/ui/dist/index.html ## build the web page (Node.js); skipped with a notice where there is none

src/ui/dist/index.html: $(UI_SOURCES)
	@if command -v npm >/dev/null; then \
	  cd src/ui && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build; \
	else echo "npm not found: building without the web page"; fi

screenshots: ui ## pictures of every page of the demo, dark, light and as on a phone, into dist/screenshots (needs chromium)
	dotnet build tests/EgressAppliance.SystemTests -c $(CONFIGURATION) -nologo -v quiet
	mkdir -p $(SCREENSHOTS)
	EGRESS_SCREENSHOTS=$(SCREENSHOTS) EGRESS_REQUIRE_SYSTEM_TESTS=1 dotnet test tests/EgressAppliance.SystemTests -c $(CONFIGURATION) --no-build -nologo \
	  --filter 'FullyQualifiedName~Page.PageTests.Every_page'
	@echo "dist/screenshots: $$(ls $(SCREENSHOTS) | wc -l) pictures"

deb: ui ## Debian package, self-contained, into dist/
	appliance-image/deb/build dist

deb-test: ui ## the package in a clean Debian under systemd: install, run, upgrade, break, purge (root; some three minutes, more on a busy machine)
	appliance-image/test/deb $(DEB)

deb-reproducible: ## the package built twice from one commit, in two places: identical (two minutes and more)
	appliance-image/test/reproducible

oci: ui ## image in an OCI archive, into dist/ (root)
	appliance-image/oci/build dist

oci-test: ui ## the OCI image, run by runc (root)
	appliance-image/test/oci $(OCI)

image: ui ## bootable disk for BIOS and UEFI, into dist/ (docs/appliance.md); root or user namespaces, Debian 12
	appliance-image/image/build dist

image-test: ## boot the image in QEMU and look at it from outside and inside (root, some 10 minutes); IMAGE=FILE
	appliance-image/test/image $(IMAGE)

bundle: ## signed bundle of the image's root file system, for upgrades; KEY=FILE CERT=FILE
	KEY='$(KEY)' CERT='$(CERT)' appliance-image/upgrade/bundle

upgrade-test: ## upgrade, refusal and rollback in QEMU (root, some 15 minutes); IMAGE=FILE
	appliance-image/test/image-upgrade $(IMAGE)

clean: ## remove what the build made
	rm -rf bin dist TestResults src/ui/dist BenchmarkDotNet.Artifacts
	find src tests perf -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
