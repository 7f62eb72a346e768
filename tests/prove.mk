# tests/prove.mk -- proofs by exhaustion; included by the Makefile.
#
#   make prove              every proof and its negative controls; writes figures/data/proof-results.csv;
#                           ends with: N proved, N failed, N controls found
#   make prove QUICK=1      smaller bounds, and no CSV
#   make prove ONLY=mutex   one proof, or some: ONLY=mutex,bitmap; no CSV

prove:           ## proves, by exhaustion, what tests/prove/ states; QUICK=1 within smaller bounds
	@$(call need,python3,python3)
	@CC='$(CC)' python3 tests/prove/prove.py $(if $(ONLY),--only '$(ONLY)') \
	  $(if $(QUICK),--quick,$(if $(ONLY),,--csv figures/data/proof-results.csv))

.PHONY: prove
