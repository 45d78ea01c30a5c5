# evo-tuned: one Makefile, no recursion but for other build trees. `make help` lists what it can do.
CC      ?= cc
B       ?= build
V       ?= 0
PREFIX  ?= /usr/local
DESTDIR ?=
STD      = -std=c17 -D_GNU_SOURCE -ffp-contract=off
WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wwrite-strings -Wvla -Wswitch-enum -Wformat=2 -Wundef
OPT     ?= -O2 -g
SAN     ?=
VERSION := $(shell cat VERSION)
CPPFLAGS += -Isrc -I$(B)/gen
CFLAGS   += $(STD) $(WARN) $(OPT) $(SAN) $(if $(WERROR),-Werror)
LDFLAGS  += $(SAN)
LDLIBS    = -luv -lsqlite3 -lcjson -lmd -lz -llzma -ldl -lm -lpthread

ROOMS := base runtime tuner/search tuner/task tuner/worker tuner/daemon tuner/cli
SRC   := $(sort $(foreach r,$(ROOMS),$(wildcard src/$(r)/*.c)))
HDR   := $(sort $(foreach r,$(ROOMS),$(wildcard src/$(r)/*.h)))
OBJ   := $(SRC:%.c=$(B)/%.o)
LIB   := $(filter-out $(B)/src/tuner/cli/main.o,$(OBJ))
GEN   := $(B)/gen/kernels/verify.cu.inc $(B)/gen/kernels/ceilings.cu.inc $(B)/gen/kernels/standalone.h.inc $(B)/gen/sql.h $(B)/gen/version.h
TEST  := $(patsubst tests/%.c,$(B)/tests/%,$(sort $(wildcard tests/unit_*.c tests/sim_*.c)))
FUZZ  := $(patsubst tests/%.c,$(B)/tests/%,$(sort $(wildcard tests/fuzz_*.c)))
E2E   := $(sort $(wildcard tests/e2e/test_*.py tests/e2e/test_*.sh))
BIN   := $(if $(filter build,$(B)),evo-tuned,$(B)/evo-tuned)
Q     := $(if $(filter 1,$(V)),,@)
say    = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' $(1) $(2))

.DEFAULT_GOAL := all
all: $(BIN)		## build the program (default)

# What the program and the tests need from Debian or Ubuntu; installed only where missing.
NEED      = gcc libc6-dev libuv1-dev libsqlite3-dev libcjson-dev libmd-dev zlib1g-dev liblzma-dev
NEED_TEST = $(NEED) g++ libcmocka-dev clang clang-format clang-tidy cppcheck libclang-rt-14-dev \
            python3 python3-jsonschema sqlite3
ROOT     := $(if $(filter 0,$(shell id -u)),,sudo)
# Keep going where there is no dpkg: the compiler then says what is missing.
install-missing = @if command -v dpkg-query >/dev/null; then missing=; for p in $(1); do \
	dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	$(ROOT) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(ROOT) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi; \
	else echo "not a Debian system: the packages wanted are, by their Debian names: $(1)"; fi

deps:			## install the missing packages that the program needs
	$(call install-missing,$(NEED))
deps-test:		## install the missing packages that the tests need
	$(call install-missing,$(NEED_TEST))

run: deps		## build, then tune: the SDPA task on a GPU, the SGEMM task on the CPU elsewhere
	$(Q)$(MAKE) --no-print-directory all
	$(Q)src/runtime/fetch_nvrtc.sh --if-needed
	./$(BIN) start --budget 128

$(BIN): $(OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(OBJ) $(LDLIBS)

$(B)/%.o: %.c | $(GEN)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/%: $(B)/tests/%.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

# A fuzz target is a program that replays files, or with LIBFUZZER=1 (clang) a libFuzzer.
$(FUZZ): LDLIBS += $(if $(LIBFUZZER),-fsanitize=fuzzer)
$(FUZZ:=.o): CPPFLAGS += $(if $(LIBFUZZER),-DLIBFUZZER)
fuzz-targets: $(FUZZ)

# A device source becomes a C string literal.
$(B)/gen/kernels/%.inc: src/kernels/%
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D) && sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $< > $@

# db/*.sql: each "-- name: foo" block becomes SQL_foo (an enum) and its text.
$(B)/gen/sql.h: $(sort $(wildcard db/*.sql)) db/sql2h.awk
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D) && awk -f db/sql2h.awk $(sort $(wildcard db/*.sql)) > $@

$(B)/gen/version.h: VERSION
	$(Q)mkdir -p $(@D) && printf '#define EVO_TUNED_VERSION "%s"\n' $(VERSION) > $@

include $(wildcard tests/*/*.mk)

tests: $(BIN) $(TEST) $(FUZZ) $(STANDIN)	## build every test

test: deps-test		## lint, unit, simulation, end-to-end and sanitizer tests
	$(Q)$(MAKE) --no-print-directory WERROR=1 all tests
	$(Q)src/runtime/fetch_nvrtc.sh --if-missing || true
	$(Q)$(MAKE) --no-print-directory B=build-asan SAN='-fsanitize=address,undefined -fno-omit-frame-pointer' OPT='-O1 -g' tests
	$(Q)tests/run.sh lint unit sanitize e2e

test-quick: tests	## unit, simulation and end-to-end tests of the plain build only
	$(Q)tests/run.sh unit e2e

test-gpu: tests		## the end-to-end tests on the real GPU; says so when there is none
	$(Q)tests/run.sh gpu

test-packages: all	## exchange files with Kernel Tuner's own package, from PyPI (half a gigabyte)
	$(Q)tests/run.sh packages

TUNED := sdpa_u8 sdpa_u8_d128 sdpa_u8_hopper sdpa_u8_hopper_d128 sdpa_e4m3 sdpa_f16 softmax_f16 rmsnorm_f16 transpose \
	gemm_f16 vector_add
test-kernels: all	## each parameter changes the binary; pairs of neighbours (PAIRS=N); the attention space (days; SAMPLE=N for a part)
	$(Q)for task in $(TUNED); do python3 tests/kernels/compile_all.py --each-parameter 2 configs/$$task.json || exit 1; done
	$(Q)for task in $(TUNED); do \
		python3 tests/kernels/compile_all.py --pairs $(or $(PAIRS),250) configs/$$task.json || exit 1; done
	$(Q)python3 tests/kernels/compile_all.py $(if $(SAMPLE),--sample $(SAMPLE))

lint: format layers headers tidy	## formatting, layers, headers alone, clang-tidy and cppcheck
	$(Q)cppcheck --quiet --error-exitcode=1 --enable=warning,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Isrc -I$(B)/gen src/base src/runtime src/tuner

# What clang-format and clang-tidy say changes with their version: 14 decides.
LLVM14 = $(shell clang-format --version 2>/dev/null | grep -q 'version 14' && echo yes)
format: $(GEN)
	$(Q)if [ "$(LLVM14)" = yes ]; then clang-format --dry-run -Werror $(SRC) $(HDR); \
	else echo "lint: format and clang-tidy not checked: they are decided by LLVM 14"; fi

tidy: $(if $(LLVM14),$(SRC:%=$(B)/tidy/%.ok))
$(B)/tidy/%.ok: % .clang-tidy | $(GEN)
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D) && clang-tidy --quiet $< -- $(CPPFLAGS) $(STD) 2>$@.err || { cat $@.err; exit 1; }
	$(Q)touch $@

headers: $(HDR:%=$(B)/headers/%.ok)	## every header compiles alone
$(B)/headers/%.ok: % | $(GEN)
	$(Q)mkdir -p $(@D) && printf '#include "%s"\nint evo_header_check;\n' $(<:src/%=%) | \
		$(CC) $(CPPFLAGS) $(STD) $(WARN) -Werror -x c -fsyntax-only - && touch $@

layers:			## no include reaches upwards, each library has its owners, banned functions stay out
	$(Q)awk -f tests/layers.awk $(SRC) $(HDR)

fmt:			## reformat in place
	$(Q)clang-format -i $(SRC) $(HDR)

fuzz: 			## fuzz every target for FUZZ_SECONDS (60), from its corpus
	$(Q)tests/fuzz.sh $(or $(FUZZ_SECONDS),60)

install: all		## PREFIX (/usr/local), DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/evo-tuned
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/evo-tuned
	cd src && find kernels -type f | while read f; do install -D -m 644 $$f $(DESTDIR)$(PREFIX)/share/evo-tuned/src/$$f; done
	find configs -type f | while read f; do install -D -m 644 $$f $(DESTDIR)$(PREFIX)/share/evo-tuned/$$f; done

bundle: all		## build/bundle: the program with its libraries, kernels and tasks, to carry elsewhere
	$(Q)rm -rf $(B)/bundle && mkdir -p $(B)/bundle/lib $(B)/bundle/src
	$(Q)$(CC) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN/lib' -Wl,--disable-new-dtags -o $(B)/bundle/evo-tuned $(OBJ) $(LDLIBS)
	$(Q)ldd $(B)/bundle/evo-tuned | awk '$$1 ~ /lib(uv|sqlite3|cjson|md|z|lzma)\./ {print $$3}' | xargs -I{} cp -L {} $(B)/bundle/lib/
	$(Q)cp -r src/kernels $(B)/bundle/src/ && cp -r configs $(B)/bundle/
	$(call say,OUT,$(B)/bundle)

clean:			## remove everything that was built
	$(Q)rm -rf build build-asan evo-tuned

help:			## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n",$$1,$$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: all fuzz-targets test-packages test-kernels deps deps-test run tests test test-quick test-gpu lint format tidy headers layers fmt fuzz \
	install bundle clean help
.DELETE_ON_ERROR:
.SECONDARY:
-include $(OBJ:.o=.d) $(TEST:=.d) $(FUZZ:=.d)
