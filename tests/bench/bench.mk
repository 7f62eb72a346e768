# tests/bench/bench.mk -- the side-by-side table; included by the Makefile.
#
#   make bench              all rows, five rounds, and up to six more of a row whose times spread;
#                           writes figures/data/bench*.csv
#   make bench QUICK=1      two rounds, only what is timed, no CSV
#   make bench ROUNDS=9     more rounds, or fewer; 0: one, not even warmed up
#   make bench ROWS="larson xmalloc"     some rows
#   make bench PEERS="x=/path/libx.so"   one more allocator
#   make bench-threads      1 to 16 threads; beside them processes of one thread
#   make bench-count        instructions per operation; no noise (valgrind)
#   make bench-results      the experiments of the chapter Results
#   make bench-choices      variants of the library, one for each choice that a number decided

BENCH_C = workloads published everyday
BENCH_PY = python3 tests/bench/$(1).py --library build/liblitmalloc.so
BENCH_CC = $(CC) -std=gnu17 -O2 -fno-builtin -Wall -Wextra -pthread
BENCH_DATA ?= figures/data
BENCH_PROGRAMS = $(addprefix build/bench/,workloads run hello)

build/bench/workloads: $(BENCH_C:%=tests/bench/%.c) tests/bench/workloads.h
	@mkdir -p $(@D)
	$(BENCH_CC) $(filter %.c,$^) -o $@

build/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(BENCH_CC) $< -o $@

bench: build/liblitmalloc.so $(BENCH_PROGRAMS)  ## side by side with the packaged peers; QUICK=1, ROWS="larson heap", PEERS="x=/path/libx.so"
	@$(call need,python3,python3)
	@$(call BENCH_PY,table) $(if $(ROWS),--rows '$(ROWS)') $(if $(QUICK),--quick,--data $(BENCH_DATA)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(PEERS)

bench-threads: build/liblitmalloc.so $(BENCH_PROGRAMS)  ## the same from 1 to 16 threads, and with processes of one thread instead
	@$(call need,python3,python3)
	@$(call BENCH_PY,table) --threads $(if $(ROWS),--rows '$(ROWS)') $(if $(QUICK),--quick,$(if $(ROWS),,--data $(BENCH_DATA))) $(if $(ROUNDS),--rounds $(ROUNDS)) $(PEERS)

bench-count: build/liblitmalloc.so $(BENCH_PROGRAMS) build/bench/count build/bench/empty.so  ## instructions per operation, without noise
	@$(call need,python3,python3)
	@$(call BENCH_PY,count) $(if $(ROWS),--rows '$(ROWS)',--data $(BENCH_DATA)) $(PEERS)

build/bench/count: | bench-valgrind
bench-valgrind:
	@$(call need,valgrind,valgrind)

bench-results: build/liblitmalloc.so $(BENCH_PROGRAMS) build/bench/sizes.so  ## the experiments of the chapter Results; ROWS="malloctest server" for some
	@$(call need,python3,python3)
	@$(call BENCH_PY,results) $(if $(QUICK),--quick) --data $(BENCH_DATA) $(ROWS)

build/bench/sizes.so: tests/bench/sizes.c
	@mkdir -p $(@D)
	$(BENCH_CC) -shared -fPIC $< -o $@

# For what loading any library costs.
build/bench/empty.so:
	@mkdir -p $(@D)
	$(CC) -shared -fPIC -x c /dev/null -o $@

.PHONY: bench bench-threads bench-count bench-valgrind bench-results bench-fresh bench-guard bench-guard-count bench-sample

bench-fresh: build/liblitmalloc.so $(BENCH_PROGRAMS) build/bench/fresh  ## how fresh pages get their memory, and what it costs
	@$(call need,python3,python3)
	@$(call BENCH_PY,fresh) --data $(BENCH_DATA) $(if $(ROUNDS),--rounds $(ROUNDS))

bench-guard: build/liblitmalloc.so $(BENCH_PROGRAMS)  ## what each part of hardening costs
	@$(call need,python3,python3)
	@$(call BENCH_PY,guard) --data $(BENCH_DATA) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(AGAINST),--against $(AGAINST))

bench-guard-count: build/liblitmalloc.so build/bench/count | bench-valgrind  ## the same in instructions, without noise
	@$(call BENCH_PY,guard) --data $(BENCH_DATA) --counts guard-count.csv

bench-sample: build/liblitmalloc.so build/bench/count | bench-valgrind  ## what sampling costs in instructions, and its odds
	@$(call need,python3,python3)
	@$(call BENCH_PY,sample) --data $(BENCH_DATA)


# The chapters about memory and the kernel: what they show is measured by these two.
bench-regions: build/liblitmalloc.so  ## figures/data/regions*.csv: addresses, calls of three languages
	@CC='$(CC)' CXX='$(CXX)' sh tests/bench/regions.sh

build/bench/kernel-costs: tests/bench/kernel.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -fno-builtin -Wall -Wextra -pthread $< -o $@

bench-kernel: build/liblitmalloc.so build/bench/kernel-costs  ## figures/data/kernel-*: what memory costs, and who asks for it
	@build/bench/kernel-costs figures/data "Linux $$(uname -r | cut -d. -f1,2), $$(uname -m), $$(nproc) processors; $$(date -u +%F)"
	@CC='$(CC)' sh tests/bench/kernel-strace.sh

.PHONY: bench-regions bench-kernel

bench-drift: $(BENCH_PROGRAMS)  ## figures/data/drift-caches.csv: memory while sizes drift, and time, for other bounds on caches
	@CC='$(CC)' sh tests/bench/drift.sh

.PHONY: bench-drift

# The flags of the library, for what is built beside it.
bench-choices: $(BENCH_PROGRAMS) build/bench/stacks | bench-valgrind  ## figures/data/choices-*.csv: other numbers than those chosen; ROWS="arenas depth" for some
	@$(call need,python3,python3)
	@CHOICES_CC='$(CC) $(LIT_FLAGS) $(LIT_OPT) $(CPPFLAGS) $(CFLAGS)' CHOICES_LINK='$(LIT_LINK) $(LDFLAGS)' \
	  python3 tests/bench/choices.py --data $(BENCH_DATA) $(if $(ROUNDS),--rounds $(ROUNDS)) $(ROWS)

build/bench/stacks: | bench-valgrind
bench-choices: build/bench/count

.PHONY: bench-choices
