# contention.mk -- what one lock costs; included by the Makefile.
#
#   make bench-contention           writes figures/data/contention-*.csv; some five minutes
#   make bench-contention QUICK=1   one round, into build/bench/contention/
#   make bench-onelock              figures/data/onelock-*.csv: the heap of a real program over time

bench-contention: build/liblitmalloc.so build/libonelock.so  ## one lock under 1 to 16 threads, and false sharing
	@QUICK='$(QUICK)' CC='$(CC)' sh tests/bench/contention.sh

.PHONY: bench-contention

bench-onelock: build/libonelock.so  ## the heap of a real program in pictures, for chapter 3
	@CC='$(CC)' sh tests/bench/onelock.sh
	@CC='$(CC)' sh tests/bench/onelock_worth.sh

.PHONY: bench-onelock
