# tests/check.mk -- the tests; included by the Makefile.  See tests/run for what a test is.
#
#   make check              all of them; ends with: N passed, N failed, N skipped
#   make check-unit         one group: unit api abuse model stress faults fuzz tools programs onelock;
#                           portable is one more, which make check leaves out
#   make check-bin          one room's unit tests, or any test by name; make check-13: a chapter's
#   make check-asan         unit, model and stress under a sanitizer; also ubsan, tsan
#
# SEED=n repeats a random test; SHORT=1 does less; LIB=file.so tests another library.

# The longest tests first: the short ones fill the gaps at the end.
TEST_GROUPS     := onelock stress faults programs tools model api unit fuzz abuse
TEST_FURTHER    := portable
TEST_SANITIZERS := asan ubsan tsan
TEST_LIB        := $(if $(LIB),$(LIB),build/liblitmalloc.so)
TEST_NEEDS      := $(if $(LIB),$(LIB),all) onelock
TEST_ROOMS       = $(patsubst tangled/%.c,%,$(wildcard tangled/*.c))
TEST_FLAGS       = $(LIT_FLAGS) $(LIT_DEBUG) -fno-builtin $(CPPFLAGS) $(CFLAGS)
TEST_RUN         = LIB='$(TEST_LIB)' CC='$(CC)' CXX='$(CXX)' $(if $(SEED),SEED='$(SEED)') \
                   $(if $(SHORT),SHORT='$(SHORT)') sh tests/run

check: $(TEST_NEEDS) build/tests/liblit.a  ## every test; ends with: N passed, N failed, N skipped
	@$(TEST_RUN) $(TEST_GROUPS)

check-asan check-ubsan check-tsan: check-%: build/tests-%/liblit.a
	@TIMEOUT=$${TIMEOUT:-240} $(TEST_RUN) -s $* unit model stress

$(TEST_GROUPS:%=check-%) $(TEST_FURTHER:%=check-%): check-%: $(TEST_NEEDS) build/tests/liblit.a
	@$(TEST_RUN) $*

check-%: $(TEST_NEEDS) build/tests/liblit.a
	@$(TEST_RUN) $*

coverage: build/tests-cov/liblit.a  ## which lines the tests reach; writes figures/data/coverage.csv
	@$(call need,gcov,gcc)
	@find build/tests-cov -name '*.gcda' -delete
	@SHORT=$${SHORT-1} $(TEST_RUN) -s cov unit api abuse model faults || echo "coverage: some tests failed" >&2
	@python3 tests/coverage.py

portable:        ## the tests on other machines, C libraries and compilers; writes figures/data/portable.csv
	@$(if $(SHORT),SHORT='$(SHORT)') CC='$(CC)' sh tests/portable/table

fuzz:            ## look for bytes that break the allocator, for TIME seconds (600)
	@sh tests/fuzz/fuzz $(TIME)

.PHONY: coverage portable fuzz check $(TEST_GROUPS:%=check-%) $(TEST_FURTHER:%=check-%) $(TEST_SANITIZERS:%=check-%)

# The rooms with their assertions on, as an archive: a room's test is linked with
# that room and those below it, and nothing else.
# $(call test_rooms,FOLDER,FLAGS,FURTHER COMMAND)
define test_rooms
$(1)/liblit.a: $(TEST_ROOMS:%=$(1)/rooms/%.o)
	@$$(RM) $$@ && $$(AR) rcs $$@ $$^

$(1)/rooms/%.o: tangled/%.c $(1)/rename
	@mkdir -p $$(@D)
	@$$(CC) $$(TEST_FLAGS) $(2) $$(if $$(filter operators,$$*),-fexceptions) -MMD -MP -c $$< -o $$@
	@$(3)

# Under asan and tsan malloc must stay the sanitizer's own, which calls it before it has
# started.  So ours, and the calls to it in the tests, go by another name.
$(1)/rename: tests/check.mk Makefile
	@mkdir -p $$(@D)
	@for name in $$(TEST_NAMES); do echo "$$$$name lit_test_$$$$name"; done >$$@

-include $(TEST_ROOMS:%=$(1)/rooms/%.d)
endef

TEST_NAMES := malloc calloc realloc free cfree reallocarray posix_memalign aligned_alloc memalign \
  valloc pvalloc malloc_usable_size free_sized free_aligned_sized mallopt mallinfo mallinfo2 \
  malloc_trim malloc_stats malloc_info __libc_malloc __libc_calloc __libc_realloc __libc_free \
  __libc_cfree __libc_memalign __libc_valloc __libc_pvalloc __posix_memalign \
  __libc_aligned_alloc __libc_reallocarray __malloc_hook \
  $(foreach array,w a,_Zn$(array)m $(foreach more,RKSt9nothrow_t St11align_val_t \
    St11align_val_tRKSt9nothrow_t,_Zn$(array)m$(more))) \
  $(foreach array,l a,_Zd$(array)Pv $(foreach more,RKSt9nothrow_t m St11align_val_t mSt11align_val_t \
    St11align_val_tRKSt9nothrow_t,_Zd$(array)Pv$(more)))
TEST_RENAME = objcopy --redefine-syms=$$(@D)/../rename $$@

$(eval $(call test_rooms,build/tests,,:))
$(eval $(call test_rooms,build/tests-asan,-fsanitize=address,$(TEST_RENAME)))
$(eval $(call test_rooms,build/tests-ubsan,-fsanitize=undefined -fno-sanitize-recover=undefined,:))
$(eval $(call test_rooms,build/tests-tsan,-fsanitize=thread,$(TEST_RENAME)))
$(eval $(call test_rooms,build/tests-cov,--coverage -fprofile-update=atomic,:))
