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

.PHONY: bench

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
