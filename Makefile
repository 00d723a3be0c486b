# ecmplab - build, check, measure, install. `make help` lists what there is to say.

VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= gcc
Q       := $(if $(V),,@)

CFLAGS   ?= -O2 -g
HARDEN   := -fstack-protector-strong -fPIE \
            $(if $(findstring fsanitize,$(CFLAGS))$(findstring -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
STRICT   := -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef \
            -Wcast-qual -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
            -Wformat=2 -Wswitch-enum -Wvla $(WERROR)
DEFINES  := -I. -D_DEFAULT_SOURCE -D_FILE_OFFSET_BITS=64 -DECMPLAB_VERSION='"$(VERSION)"' \
            -DECMPLAB_DATADIR='"$(PREFIX)/share/ecmplab"'
COMPILE  := $(CC) $(DEFINES) $(CPPFLAGS) $(STRICT) $(HARDEN) $(CFLAGS)
LINK     := $(CC) $(CFLAGS) -pie -Wl,-z,relro,-z,now $(LDFLAGS)
LDLIBS   := -lpcap -ljansson -lmnl -lz -lzstd -lm -pthread

CORE_SRC := $(wildcard core/*.c core/*/*.c)
SIM_SRC  := $(filter-out sim/command/main.c,$(wildcard sim/*/*.c))
TEST_SRC := $(wildcard tests/test_*.c)
TEST_AID := $(filter-out $(TEST_SRC),$(wildcard tests/*.c))
KERNEL_AID := $(addprefix tests/kernel/,trial.c generate.c generate_rules.c generate_flows.c shrink.c \
                 life_rows.c life_scenario.c group_trial.c group_world.c)
HEADERS  := $(wildcard core/*.h core/*/*.h sim/*/*.h tests/*.h tests/kernel/*.h)

CORE_LIB := $(BUILD)/libecmplab-core.a
SIM_LIB  := $(BUILD)/libecmplab-sim.a
TESTS    := $(TEST_SRC:%.c=$(BUILD)/%)
KERNEL   := $(addprefix $(BUILD)/tests/kernel/,next_hops next_hop_groups random_routers life_of_connection)
HOSTILE  := $(BUILD)/tests/kernel/hostile
BENCH    := $(BUILD)/tests/bench/gen_capture $(BUILD)/tests/bench/read_loop

# Two processors' worth of jobs where nobody asked for another number.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j2)

## all: the program, build/ecmplab (the default)
all: $(BUILD)/ecmplab

$(BUILD)/ecmplab: $(BUILD)/sim/command/main.o $(SIM_LIB) $(CORE_LIB)
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(CORE_LIB): $(CORE_SRC:%.c=$(BUILD)/%.o) $(BUILD)/sources
$(SIM_LIB): $(SIM_SRC:%.c=$(BUILD)/%.o) $(BUILD)/sources
%.a:
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.o $(TEST_AID:%.c=$(BUILD)/%.o) $(SIM_LIB) $(CORE_LIB)
	$(Q)$(LINK) -o $@ $^ $(LDLIBS) -lcmocka

$(KERNEL) $(HOSTILE): %: %.o $(KERNEL_AID:%.c=$(BUILD)/%.o) $(SIM_LIB) $(CORE_LIB)
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o
	$(Q)$(LINK) -o $@ $^ -lpcap

# Files that change only when what they say changes: other flags compile anew, and a source
# that went away leaves its archive.
$(BUILD)/flags: export SAYS = $(filter-out -Werror,$(COMPILE)) $(LINK)
$(BUILD)/sources: export SAYS = $(CORE_SRC) $(SIM_SRC)
$(BUILD)/flags $(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$SAYS" | cmp -s - $@ || printf '%s\n' "$$SAYS" >$@

## deps: install what is missing from Debian's packages
deps:
	@CC='$(CC)' tools/deps.sh

## demo: run the recipe of three WANs and draw its figures into out/demo
demo: deps
	$(Q)$(MAKE) --no-print-directory $(JOBS) all
	@mkdir -p out/demo
	$(Q)status=0; $(BUILD)/ecmplab run --report text:- --report json:out/demo/result.json \
	    --report plots:out/demo scenarios/001-recipe.json || status=$$?; \
	    printf '\nThe same without the laptop'\''s rule (scenarios/005-no-laptop-rule.json):\n'; \
	    $(BUILD)/ecmplab run scenarios/005-no-laptop-rule.json | \
	        sed -n '/^  work-laptop/,/^    at once/p'; \
	    printf '\nThe pictures, their data and scripts are in %s/out/demo:\n' "$(CURDIR)"; \
	    ls out/demo/*.svg; exit $$status

## test: deps, then check
test: deps
	$(Q)$(MAKE) --no-print-directory $(JOBS) check

## check: unit tests, scenarios and the programs' behaviour
check: all $(TESTS)
	$(Q)tests/run.sh $(BUILD)/ecmplab $(TESTS)

## check-asan: the same under AddressSanitizer and UBSan
check-asan:
	$(Q)$(MAKE) --no-print-directory $(JOBS) check BUILD=$(BUILD)/asan \
	    CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all'

## check-valgrind: the same under valgrind
check-valgrind: all $(TESTS)
	$(Q)TEST_RUN='valgrind -q --leak-check=full --error-exitcode=99' \
	    tests/run.sh $(BUILD)/ecmplab $(TESTS)

## test-kernel: the model against the running kernel, as root, in network namespaces
test-kernel: all $(KERNEL) $(HOSTILE)
	$(Q)tests/kernel/run.sh $(BUILD)/ecmplab $(KERNEL)

## check-headers: each header compiles alone, and core/ includes nothing but itself and libc
check-headers: $(HEADERS:%=$(BUILD)/%.alone)
	@! grep -nE '#include ("(sim|tests)/|<(pcap|jansson|zlib|zstd|cmocka))' core/*.[ch] core/*/*.[ch]
	@echo '$(words $(HEADERS)) passed, 0 failed'

$(BUILD)/%.h.alone: %.h $(HEADERS) $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)printf '#include "$<"\nextern int nothing;\n' | $(COMPILE) -fsyntax-only -x c -
	@touch $@

## bench: nanoseconds a packet of a run, beside reading the capture and doing nothing
bench: all $(BENCH)
	$(Q)CC='$(CC)' tests/bench/run.sh $(BUILD)

# clang's libFuzzer; each target for FUZZ_SECONDS, from its corpus, finds left in build/fuzz/.
FUZZ_SECONDS ?= 30
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(filter-out tests/fuzz/fuzz_file.c,$(wildcard tests/fuzz/fuzz_*.c)))

## fuzz: every fuzz target for FUZZ_SECONDS (30)
fuzz: deps
	@PACKAGES='clang libclang-rt-14-dev' tools/deps.sh
	@tests/fuzz/run.sh '$(BUILD)/fuzz' '$(FUZZ_SECONDS)' $(FUZZ)

## format: lay out every source as .clang-format says
format:
	$(Q)clang-format -i $(wildcard core/*.[ch] core/*/*.[ch] sim/*/*.[ch] tests/*.[ch] tests/*/*.[ch])

## install: the program, its man page, plots and licence, under $(DESTDIR)$(PREFIX)
install: all
	$(Q)install -D $(BUILD)/ecmplab '$(DESTDIR)$(PREFIX)/bin/ecmplab'
	$(Q)install -D -m 644 doc/ecmplab.1 '$(DESTDIR)$(PREFIX)/share/man/man1/ecmplab.1'
	$(Q)install -D -m 644 LICENSE '$(DESTDIR)$(PREFIX)/share/doc/ecmplab/LICENSE'
	$(Q)install -d '$(DESTDIR)$(PREFIX)/share/ecmplab/plots'
	$(Q)install -m 644 plots/* '$(DESTDIR)$(PREFIX)/share/ecmplab/plots'

## uninstall: take away what install put there
uninstall:
	$(Q)rm -f '$(DESTDIR)$(PREFIX)/bin/ecmplab' '$(DESTDIR)$(PREFIX)/share/man/man1/ecmplab.1'
	$(Q)rm -rf '$(DESTDIR)$(PREFIX)/share/ecmplab' '$(DESTDIR)$(PREFIX)/share/doc/ecmplab'

## clean: remove build/ and out/
clean:
	$(Q)rm -rf '$(BUILD)' out

## help: these lines
help:
	@echo 'make TARGET [V=1] [CFLAGS=...] [WERROR=-Werror] [BUILD=DIR] [PREFIX=DIR] [DESTDIR=DIR]'
	@sed -n 's/^## \([a-z-]*\): /    \1|/p' Makefile | \
	    awk -F'|' '{printf "%-20s%s\n", $$1, $$2}'

.PRECIOUS: $(BUILD)/%.o
.DELETE_ON_ERROR:
.PHONY: all deps demo test check check-asan check-valgrind test-kernel check-headers bench fuzz format \
        install uninstall clean help FORCE

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
