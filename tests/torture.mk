# tests/torture.mk -- what runs for longer than `make check` has time; included by the Makefile.
#
#   make torture            tests/stress, tests/faults and tests/model in their long form;
#                           ends with: N passed, N failed, N skipped; writes
#                           figures/data/trust-torture.csv and trust-faults.csv
#   make torture ONLY=fork_storm    one of them (writes nothing; each_call: trust-faults.csv); QUICK=1: as in make check
#   make misuse             one program a kind of misuse, under us and the packaged peers;
#                           writes figures/data/trust-misuse.csv
#   make trust-fragmentation  peak resident over peak live, us and the peers;
#                           writes figures/data/trust-fragmentation.csv
#   make trust-counts       the tests by kind, counted; writes figures/data/trust-counts.csv
#
# SEED=n repeats a run.

torture: all debug build/tests/liblit.a  ## the long tests, under an hour on two cores
	@python3 tests/torture.py $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick)

misuse: all      ## what the peers and we make of each kind of misuse
	@python3 tests/misuse.py

trust-fragmentation: all
	@python3 tests/torture.py --fragmentation

trust-counts:
	@python3 tests/torture.py --counts

.PHONY: torture misuse trust-fragmentation trust-counts
