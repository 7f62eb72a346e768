# figdeps.awk -- what a figure is drawn from, besides its own source: the files that it
# reads in, and the files of figures/data that it names.
#
#   ls figures/data | awk -f book/figdeps.awk - figures/NAME.gp
#
# A name may be put together from pieces, "figures/data/watch-" . a . "-life.csv"; a piece
# that is no string stands for any word of the strings of the source.

NR == FNR { have[$0]; next }
{ read_line($0) }

function read_line(s,    inner, line, n, w) {
    if (s ~ /^[ \t]*[#%]/) return                       # a remark
    if (match(s, /(load *["']|\\input *\{?)figures\/[a-z0-9-]+(\.inc|\.tex)?/)) {
        inner = substr(s, RSTART, RLENGTH); sub(/.*figures/, "figures", inner)
        if (inner !~ /\./) inner = inner ".tex"
        if (!(inner in files)) {
            files[inner]
            while ((getline line < inner) > 0) read_line(line)
        }
    }
    line = s
    while (match(line, /"[^"]*"|'[^']*'/)) {            # the words of its strings
        n = split(substr(line, RSTART + 1, RLENGTH - 2), w, /[^A-Za-z0-9_.-]+/)
        line = substr(line, RSTART + RLENGTH)
        for (; n > 0; n--) if (w[n] != "") word[w[n]]
    }
    gsub(/["'] *\. *[a-z_]+ *\. *["']/, "*", s)         # a piece in the middle
    gsub(/\/["'] *\. *[a-z_]+/, "/*", s)                # and one at the end
    while (match(s, /figures\/data\/[A-Za-z0-9_.*-]+/)) {
        named[substr(s, RSTART + 13, RLENGTH - 13)]
        s = substr(s, RSTART + RLENGTH)
    }
}

# Does NAME answer to PATTERN, each star a word of the source?
function answers(name, pattern,    at, n) {
    at = index(pattern, "*")
    if (at == 0) return name == pattern
    if (substr(name, 1, at - 1) != substr(pattern, 1, at - 1)) return 0
    name = substr(name, at); pattern = substr(pattern, at + 1)
    for (n = 1; n <= length(name); n++)
        if ((substr(name, 1, n) in word) && answers(substr(name, n + 1), pattern)) return 1
    return 0
}

END {
    for (f in files) print f
    for (p in named) {
        for (f in have) if (!(f in done) && answers(f, p)) { done[f]; print "figures/data/" f }
        if (p !~ /\*/ && !(p in have)) print "figures/data/" p      # make says that it is missing
    }
}
