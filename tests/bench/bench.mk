# tests/bench/bench.mk -- the side-by-side table; included by the Makefile.
#
#   make bench              all rows, five rounds; also writes figures/data/bench.csv
#   make bench QUICK=1      two rounds, and no CSV
#   make bench PEERS="x=/path/libx.so"   one more allocator

build/bench/workloads: tests/bench/workloads.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -fno-builtin -Wall -Wextra -pthread $< -o $@

bench: build/liblitmalloc.so build/bench/workloads  ## side by side with the packaged peers; QUICK=1 for a short one
	@$(call need,python3,python3)
	@python3 tests/bench/table.py --library build/liblitmalloc.so --workloads build/bench/workloads \
	  $(if $(QUICK),--quick,--csv figures/data/bench.csv) $(PEERS)

# Which run to take from: the rings of 2006 beside other rules.  Exact counts, same seed same file.
bench-rings:  ## fullness rings beside lowest-first and others; figures/data/lineage-rings*.csv
	@CC='$(CC)' SEED='$(or $(SEED),20060416)' sh tests/bench/rings.sh

.PHONY: bench bench-rings
