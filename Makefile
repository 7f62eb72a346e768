# Makefile of litmalloc and The Woven Heap.  `make help` lists what there is to make.
#
# The library is built from tangled/ by cc and make alone.  Everything else (tangling,
# the book, the tests, the lint) says which package it misses when it misses one.

VERSION = 0.1.0
SOMAJOR = 1
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

help:            ## this list
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## */  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22
	@echo "  make check-NAME     one test, one room (check-bin) or one group (check-abuse)"
	@echo "  make LINES=1        the library with #line, so that gcc and gdb point into src.nw/"
	@echo "  make book DRAFT=1   weaves even when a reference leads nowhere (also html, epub)"

# $(call need,TOOL,PACKAGE): end with a word to the wise when TOOL is missing.
need = command -v $(1) >/dev/null 2>&1 || { echo "make: $(1) is missing; it comes with Debian's package $(2) (all at once: make deps)" >&2; exit 1; }

# ---- the library ----------------------------------------------------------------------

TANGLED ?= tangled
NW ?= $(sort $(wildcard src.nw/*.nw))
LIT_STD = -std=gnu17
LIT_WARN = -Wall -Wextra -Wpedantic
LIT_MACHINE ?= $(if $(filter x86_64% i%86%,$(shell $(CC) -dumpmachine 2>/dev/null)),-fcf-protection=none)
# Where malloc and free begin within a cache line moves some workloads by several percent: not by chance.
LIT_FLAGS = $(LIT_STD) -g -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-plt \
  -fno-builtin-malloc -fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free \
  -fno-stack-protector -pthread $(LIT_MACHINE) $(LIT_WARN)
LIT_OPT = -O3 -fomit-frame-pointer -fdata-sections -falign-functions=32
LIT_DEBUG = -O1 -fno-omit-frame-pointer -DLIT_DEBUG=1
# Its own calls of malloc and free are its own, even when dlopen puts it behind the C library.
# Small variables come first in .data and .bss, the large ones of .bss.zz_large last: fewer pages.
LIT_LINK = -shared -Wl,-Bsymbolic-functions -Wl,-soname,liblitmalloc.so.$(SOMAJOR) -Wl,-z,now -Wl,-z,relro \
  -Wl,-z,noseparate-code -Wl,--sort-section=name -pthread
CXX ?= c++

ifeq ($(LINES),1)
SRC = build/lines/tangled
OUT = build/lines
$(shell LINES=1 sh book/tangle.sh build/lines/tangled $(NW) >&2)
else
SRC = $(TANGLED)
OUT = build
endif
ROOMS = $(patsubst $(SRC)/%.c,%,$(wildcard $(SRC)/*.c))

all: $(OUT)/liblitmalloc.so $(OUT)/liblitmalloc.a $(if $(wildcard $(SRC)/litmalloc.sh),$(OUT)/litmalloc) $(if $(wildcard $(SRC)/tools),tools)  ## the library, from tangled/, with nothing but cc
debug: build/debug/liblitmalloc.so  ## the library with assertions, build/debug/liblitmalloc.so

# $(call library,FOLDER,FLAGS): a shared and a static library in FOLDER.
define library
$(1)/obj/%.o: $(SRC)/%.c Makefile
	@mkdir -p $$(@D)
	$$(CC) $$(LIT_FLAGS) $(2) $$(if $$(filter operators,$$*),-fexceptions) -MMD -MP $$(CPPFLAGS) $$(CFLAGS) -c $$< -o $$@

$(1)/liblitmalloc.so: $(ROOMS:%=$(1)/obj/%.o)
	@test -n '$(ROOMS)' || { echo "make: there is no $(SRC)/*.c; run make tangle" >&2; exit 1; }
	$$(CC) $$(LIT_LINK) $$(LDFLAGS) -o $$@ $$^
	@ln -sf liblitmalloc.so $$@.$(SOMAJOR)

$(1)/liblitmalloc.a: $(ROOMS:%=$(1)/obj/%.o)
	@test -n '$(ROOMS)' || { echo "make: there is no $(SRC)/*.c; run make tangle" >&2; exit 1; }
	@rm -f $$@
	$$(AR) rcs $$@ $$^

-include $(ROOMS:%=$(1)/obj/%.d)
endef
$(eval $(call library,$(OUT),$$(LIT_OPT)))
$(eval $(call library,build/debug,$$(LIT_DEBUG)))

# The allocator of Part I, a library of its own; its tests and the benches want it.
onelock: build/libonelock.so  ## the one-lock allocator of Part I, build/libonelock.so
build/libonelock.so: $(TANGLED)/onelock/onelock.c $(TANGLED)/onelock/onelock.h Makefile
	@mkdir -p $(@D)
	$(CC) $(filter-out -fvisibility=hidden,$(LIT_FLAGS)) -O2 $(CPPFLAGS) $(CFLAGS) -shared $(LDFLAGS) -o $@ $<

# The wrapper, for use from the tree.
$(OUT)/litmalloc: $(SRC)/litmalloc.sh
	@mkdir -p $(@D)
	sed 's|@LIBRARY@|$(CURDIR)/$(OUT)/liblitmalloc.so|g; s|@TOOLS@|$(CURDIR)/$(OUT)/tools|g; s|@VERSION@|$(VERSION)|g' $< > $@
	@chmod +x $@

# The tools that watch a heap: no part of the library.  The recorder stands in front of
# any allocator, so it has the thread-local variables and the exceptions of one.
TOOLS = record.so replay picture plot.gp watch.sh
TOOL_FLAGS = $(LIT_STD) -O2 -g -fno-builtin $(LIT_WARN) -pthread
tools: $(TOOLS:%=$(OUT)/tools/%)  ## record, replay, plot, in build/tools/
$(OUT)/tools/record.so: $(SRC)/tools/record.c $(SRC)/tools/trace.h Makefile
	@mkdir -p $(@D)
	$(CC) $(TOOL_FLAGS) -fPIC -fexceptions -ftls-model=initial-exec $(CPPFLAGS) $(CFLAGS) -shared -Wl,-z,now $(LDFLAGS) $< -o $@ -ldl
$(OUT)/tools/replay $(OUT)/tools/picture: $(OUT)/tools/%: $(SRC)/tools/%.c $(SRC)/tools/trace.c $(SRC)/tools/trace.h Makefile
	@mkdir -p $(@D)
	$(CC) $(TOOL_FLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(filter %.c,$^) -o $@ -lm
$(OUT)/tools/plot.gp $(OUT)/tools/watch.sh: $(OUT)/tools/%: $(SRC)/tools/%
	@mkdir -p $(@D)
	cp $< $@

# ---- tangling ---------------------------------------------------------------------------

tangle:          ## src.nw/ to tangled/; writes nothing when the web has a fault
	@$(call need,notangle,noweb)
	@sh book/tangle.sh $(TANGLED) $(NW)

check-tangled:   ## refuses when tangled/ is not what src.nw/ gives
	@$(call need,notangle,noweb)
	@rm -rf build/check-tangled; mkdir -p build
	@sh book/tangle.sh build/check-tangled $(NW) >/dev/null
	@diff -r -u $(TANGLED) build/check-tangled || \
	  { echo "check-tangled: tangled/ is not what src.nw/ gives; run make tangle" >&2; exit 1; }
	@echo "check-tangled: tangled/ is what src.nw/ gives"

# ---- the book ----------------------------------------------------------------------------

WEB = build/book
NOWEB_LIB ?= /usr/lib/noweb
LOOM_DATA ?= figures/data
FIGURES = $(filter-out style,$(basename $(notdir $(wildcard figures/*.tex figures/*.dot figures/*.gp))))
PDFS = $(FIGURES:%=build/figures/%.pdf)
SVGS = $(FIGURES:%=build/figures/%.svg)
LOOM = $(filter-out book/the-woven-heap.pdf book/page.png,$(sort $(wildcard book/*)))
# What an edition is made of; its hash is in the colophon and its date in src.nw/00-front.nw.
SOURCES = $(sort $(NW) $(LOOM) $(wildcard figures/*.*) $(wildcard $(LOOM_DATA)/*))
EDITION = $(shell cat $(SOURCES) | sha256sum | cut -c1-64)
DATED = $(shell date -u -d "$$(sed -n 's/^date: *//p' $(firstword $(NW)) | head -n 1)" +%s 2>/dev/null || echo 0)
WEAVE = LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=$(DATED) FORCE_SOURCE_DATE=1 LOOM_DATA=$(LOOM_DATA) LOOM_EDITION=$(EDITION) LOOM_DRAFT=$(DRAFT)
PANDOC = $(WEAVE) pandoc --wrap=none -f book/noweb.lua -L book/weave.lua --citeproc $(if $(DRAFT),,--fail-if-warnings)
ENGINE ?= lualatex

book: $(WEB)/the-woven-heap.pdf   ## build/book/the-woven-heap.pdf
	@test ! -s $(WEB)/the-woven-heap.overfull || echo "book: $(WEB)/the-woven-heap.pdf, $$(cat $(WEB)/the-woven-heap.overfull) overfull lines or pages"
html: $(WEB)/html/index.html      ## build/book/html/, a page a chapter
epub: $(WEB)/the-woven-heap.epub  ## build/book/the-woven-heap.epub

# noweb's stages one by one: a pipe would lose the failure of all but the last.
$(WEB)/stage: $(NW) Makefile
	@$(call need,notangle,noweb)
	@mkdir -p $(@D)
	@$(NOWEB_LIB)/markup $(NW) > $(WEB)/stage.1
	@awk -v roots=/dev/null -f book/web.awk $(WEB)/stage.1 >&2
	@$(NOWEB_LIB)/finduses < $(WEB)/stage.1 > $(WEB)/stage.2
	@$(NOWEB_LIB)/noidx < $(WEB)/stage.2 > $@

$(WEB)/the-woven-heap.tex: $(WEB)/stage $(SOURCES)
	@$(call need,pandoc,pandoc)
	@$(PANDOC) -L book/float.lua -s -t latex --template book/book.latex --top-level-division=chapter \
	  --default-image-extension=pdf -V graphics=build -V edition=$(EDITION) \
	  -V edition-short=$$(echo $(EDITION) | cut -c1-12) -o $@ $<

$(WEB)/the-woven-heap.pdf: $(WEB)/the-woven-heap.tex $(PDFS)
	@$(call need,lualatex,texlive-luatex)
	@$(WEAVE) ENGINE=$(ENGINE) sh book/latex.sh $< $(WEB)

$(WEB)/html/index.html: $(WEB)/stage $(SOURCES) $(SVGS)
	@$(call need,pandoc,pandoc)
	@rm -rf $(@D); mkdir -p $(@D)/figures
	@SITE=$(@D) $(PANDOC) -L book/site.lua -t html5 --default-image-extension=svg -o /dev/null $<
	@cp book/book.css book/site.css book/search.js $(@D)/
	@$(if $(SVGS),cp $(SVGS) $(@D)/figures/)
	@echo "html: $$(ls $(@D)/*.html | wc -l) pages in $(@D)"

$(WEB)/the-woven-heap.epub: $(WEB)/stage $(SOURCES) $(SVGS)
	@$(call need,pandoc,pandoc)
	@$(call need,python3,python3)
	@$(PANDOC) -t epub3 --toc --toc-depth=2 --mathml --css book/book.css --css book/epub.css -M lang=en --epub-chapter-level=1 \
	  --resource-path=build:. --default-image-extension=svg -o $@.new $<
	@python3 book/zipdate.py $@.new $(DATED) && mv $@.new $@
	@echo "epub: $@"

figures: $(PDFS) $(SVGS)  ## every figure, from its text source and its data
# A figure is drawn again when its source changes, or a file of data that the source names.
drawn_from = $(shell ls figures/data | awk -f book/figdeps.awk - $(1))
.SECONDEXPANSION:
build/figures/%.pdf: figures/%.tex figures/style.tex book/figure.tex $$(call drawn_from,figures/$$*.tex)
	@$(call need,lualatex,texlive-luatex)
	@mkdir -p $(@D)/log; echo "figure $<"
	@$(WEAVE) lualatex -interaction=nonstopmode -halt-on-error -file-line-error -output-directory=$(@D)/log \
	  -jobname=$* '\def\figurefile{$<}\input{book/figure.tex}' > $(@D)/log/$*.out || \
	  { echo "figure $< failed:" >&2; grep -A 6 -m 1 -E '^(!|[^ ]+:[0-9]+:)' $(@D)/log/$*.out >&2; exit 1; }
	@mv $(@D)/log/$*.pdf $@
build/figures/%.pdf: figures/%.dot
	@$(call need,dot,graphviz)
	@mkdir -p $(@D); echo "figure $<"
	@$(WEAVE) dot -Tpdf -Nfontname='TeX Gyre Pagella' -Efontname='TeX Gyre Pagella' -Gfontname='TeX Gyre Pagella' $< -o $@
build/figures/%.pdf: figures/%.gp figures/style.gp $$(call drawn_from,figures/$$*.gp)
	@$(call need,gnuplot,gnuplot-nox)
	@mkdir -p $(@D); echo "figure $<"
	@$(WEAVE) gnuplot -e "outfile='$@'" figures/style.gp $<
build/figures/%.svg: build/figures/%.pdf
	@$(call need,pdftocairo,poppler-utils)
	@pdftocairo -svg $< $@

watch: all       ## records real programs, writes figures/data/watch-*.csv (a few minutes)
	@sh figures/watch-record.sh

publish: book check-book  ## copies the PDF to book/the-woven-heap.pdf, the committed edition
	cp $(WEB)/the-woven-heap.pdf book/the-woven-heap.pdf
	@python3 book/page.py $(WEB)/the-woven-heap.pdf book/page.png 1 'Follow one pointer through it' 'The line is a pairing heap'

# ---- checks of the source and of the book ---------------------------------------------------

lint: check-tangled  ## the map, chunks, names, references, both compilers, cppcheck
	@$(call need,python3,python3)
	@TANGLED=$(TANGLED) LOOM_DATA=$(LOOM_DATA) python3 book/lint.py $(NW)

check-book: $(WEB)/the-woven-heap.pdf  ## every line of tangled/ is in the PDF
	@$(call need,pdftotext,poppler-utils)
	@sh book/whole.sh $< $(TANGLED)

check-html: $(WEB)/html/index.html  ## links, headings, alt texts, contrast of the HTML book
	@$(call need,python3,python3)
	@python3 book/webcheck.py $(<D)

# A second opinion from a browser: axe-core's rules, and nothing wider than the page.  Its two
# packages are npm's, so they live outside the tree, in a folder of yours.
check-axe: $(WEB)/html/index.html  ## AXE=FOLDER: the HTML book in Chromium, by axe-core (npm)
	@$(call need,node,nodejs)
	@$(call need,chromium,chromium)
	@test -d "$(AXE)/node_modules/axe-core" -a -d "$(AXE)/node_modules/puppeteer-core" || { \
	  echo "check-axe: no axe-core and puppeteer-core in AXE='$(AXE)'; get them with:" >&2; \
	  echo "  npm install --prefix /tmp/axe axe-core puppeteer-core && make check-axe AXE=/tmp/axe" >&2; exit 1; }
	@NODE_PATH=$(abspath $(AXE))/node_modules node book/webaxe.js $(abspath $(<D)) $(PAGES)

check-epub: $(WEB)/the-woven-heap.epub  ## epubcheck
	@$(call need,epubcheck,epubcheck)
	@java -jar "$$(readlink -f "$$(command -v epubcheck)")" -q $< && echo "check-epub: $< is sound"

spell:           ## hunspell over the prose, with book/words.txt
	@$(call need,hunspell,hunspell hunspell-en-us)
	@sh book/spell.sh $(NW)

-include tests/check.mk tests/prove.mk tests/torture.mk $(sort $(wildcard tests/bench/*.mk))

# ---- installing ------------------------------------------------------------------------------

build/man/%: $(TANGLED)/%.md
	@$(call need,pandoc,pandoc)
	@mkdir -p $(@D)
	@pandoc -s -t man -V footer='litmalloc $(VERSION)' $< -o $@
# What install wants from tangled/, by name, so that what is missing is named.
$(TANGLED)/litmalloc.h $(TANGLED)/litmalloc.sh $(TANGLED)/litmalloc.pc.in $(TANGLED)/litmalloc.1.md $(TANGLED)/litmalloc.3.md:
	@echo "make: there is no $@: no chunk <<$(@F)>> in src.nw/, or make tangle was not run" >&2; exit 1

man: build/man/litmalloc.1 build/man/litmalloc.3  ## the man pages, in build/man/

install: build/liblitmalloc.so build/liblitmalloc.a $(TANGLED)/litmalloc.h $(TANGLED)/litmalloc.sh $(TANGLED)/litmalloc.pc.in man tools  ## PREFIX=/usr/local DESTDIR=: library, header, man pages, wrapper
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man3
	install -m 755 build/liblitmalloc.so $(DESTDIR)$(LIBDIR)/liblitmalloc.so.$(VERSION)
	ln -sf liblitmalloc.so.$(VERSION) $(DESTDIR)$(LIBDIR)/liblitmalloc.so.$(SOMAJOR)
	ln -sf liblitmalloc.so.$(SOMAJOR) $(DESTDIR)$(LIBDIR)/liblitmalloc.so
	install -m 644 build/liblitmalloc.a $(DESTDIR)$(LIBDIR)/
	install -m 644 $(TANGLED)/litmalloc.h $(DESTDIR)$(INCLUDEDIR)/
	install -m 644 build/man/litmalloc.1 $(DESTDIR)$(MANDIR)/man1/
	install -m 644 build/man/litmalloc.3 $(DESTDIR)$(MANDIR)/man3/
	sed 's|@PREFIX@|$(PREFIX)|g; s|@LIBDIR@|$(LIBDIR)|g; s|@INCLUDEDIR@|$(INCLUDEDIR)|g; s|@VERSION@|$(VERSION)|g' \
	  $(TANGLED)/litmalloc.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/litmalloc.pc
	install -d $(DESTDIR)$(LIBDIR)/litmalloc
	install -m 755 $(addprefix build/tools/,$(TOOLS)) $(DESTDIR)$(LIBDIR)/litmalloc/
	sed 's|@LIBRARY@|$(LIBDIR)/liblitmalloc.so.$(SOMAJOR)|g; s|@TOOLS@|$(LIBDIR)/litmalloc|g; s|@VERSION@|$(VERSION)|g' $(TANGLED)/litmalloc.sh > $(DESTDIR)$(PREFIX)/bin/litmalloc
	chmod 755 $(DESTDIR)$(PREFIX)/bin/litmalloc

uninstall:       ## removes what install put there
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,liblitmalloc.so liblitmalloc.so.$(SOMAJOR) liblitmalloc.so.$(VERSION) liblitmalloc.a pkgconfig/litmalloc.pc) \
	  $(DESTDIR)$(INCLUDEDIR)/litmalloc.h $(DESTDIR)$(PREFIX)/bin/litmalloc $(DESTDIR)$(MANDIR)/man1/litmalloc.1 $(DESTDIR)$(MANDIR)/man3/litmalloc.3
	rm -rf $(DESTDIR)$(LIBDIR)/litmalloc

# ---- what it takes ------------------------------------------------------------------------------

DEPS_BUILD += gcc make noweb
DEPS_TEST += spin z3 check pkg-config g++ clang cppcheck universal-ctags python3 binutils xxd gnuplot-nox $(shell sed '/^#/d' tests/programs/packages.txt 2>/dev/null)
DEPS_BOOK += pandoc texlive-latex-recommended texlive-luatex texlive-pictures fonts-lmodern lmodern fonts-texgyre \
  fonts-texgyre-math tex-gyre graphviz gnuplot-nox poppler-utils epubcheck hunspell hunspell-en-us
DEPS_BENCH += libjemalloc2 libmimalloc2.0 libtcmalloc-minimal4 libtbbmalloc2 strace valgrind lua5.4 z3 sqlite3 jq perl

deps:            ## installs what the project needs from Debian's packages; DRY=1 prints
	@DRY='$(DRY)' sh book/deps.sh build '$(DEPS_BUILD)' test '$(DEPS_TEST)' book '$(DEPS_BOOK)' bench '$(DEPS_BENCH)'

demo:            ## set up, tangle, build, weave, run a program on it, report
	@$(MAKE) --no-print-directory deps
	@echo "demo: tangling src.nw/, then building the library"
	@$(MAKE) --no-print-directory tangle
	@$(MAKE) --no-print-directory all
	@echo "demo: weaving the book, $(words $(FIGURES)) figures first: some five minutes of one processor"
	@$(MAKE) --no-print-directory -j$$(nproc) book
	@sh book/demo.sh $(OUT)/liblitmalloc.so $(WEB)/the-woven-heap.pdf

clean:           ## removes build/
	rm -rf build

.PHONY: all debug onelock tools watch help tangle check-tangled book html epub figures publish lint check-book check-html check-axe check-epub spell man install uninstall deps demo clean
.SECONDARY: $(PDFS)
