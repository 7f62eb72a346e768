# tests/bench/rings.mk -- from which run to take; included by the Makefile.
#
#   make bench-rings SEED=n    the rings of 2006 beside other rules; exact counts, the same
#                              seed gives the same; writes figures/data/lineage-*.csv

bench-rings:  ## fullness rings beside lowest-first and others (valgrind, sqlite3, jq, perl, python3); SEED=n
	@CC='$(CC)' SEED='$(or $(SEED),20060416)' sh tests/bench/rings.sh

.PHONY: bench-rings
