# web.awk -- is the web of chunks sound?  Reads noweb's markup of all of src.nw/.
#
#   awk -v roots=FILE -f web.awk STAGE
#
# Prints one line a fault, as file:line: what and what to do, and exits 1.
# Writes to FILE one line a file to tangle: its name, then the .nw it starts in.

function fault(f, l, text) { printf "%s:%d: %s\n", f, l, text; bad++ }
function isfile(s) { return s ~ /^[A-Za-z0-9_][A-Za-z0-9_.\/-]*\.[A-Za-z0-9.]*[a-z0-9]$/ }
function shiftlike(s) { return s ~ /[|&()?:=;+*]/ || s ~ /^ *[0-9A-Za-z_]* *$/ && s ~ /^ | $/ }

/^@file /       { file = substr($0, 7); line = 1; next }
/^@begin code / { code = 1; next }
/^@end code /   { code = 0; pending = ""; next }
/^@defn / {
    name = substr($0, 7)
    if (!(name in defs)) { deffile[name] = file; defline[name] = line; order[++n] = name }
    else if (deffile[name] != file && !isfile(name) && !(name in strange)) {
        strange[name] = 1
        fault(file, line, "chunk <<" name ">> is begun in " deffile[name] ":" defline[name] \
              " and continued here; keep it in one chapter, or give this one a name of its own")
    }
    defs[name]++
    fresh = 1; next
}
/^@use / {
    name = substr($0, 6)
    if (!code) { quoted[++q] = name; qfile[q] = file; qline[q] = line; next }
    if (before ~ /[^ \t]/) crowded[name] = "before"
    uses[name]++
    if (uses[name] > 1)
        fault(file, line, "chunk <<" name ">> is used here and in " usefile[name] ":" useline[name] \
              "; a chunk is used once: make it a function")
    else { usefile[name] = file; useline[name] = line }
    if (before ~ /[^ \t]/) alone(name)
    pending = name; next
}
/^@text / {
    if (!code) next
    text = substr($0, 7)
    if (pending != "" && text ~ /[^ \t]/) { alone(pending); pending = "" }
    before = before text; next
}
/^@nl/          { before = ""; pending = ""; line++; next }
/^@index nl/    { line++; next }
/^@fatal /      { fault(file, line, "noweb: " $0); next }

function alone(name) {
    if (name in said) return
    said[name] = 1
    if (shiftlike(name))
        fault(file, line, "noweb takes `<<" name ">>` for a chunk: name the shift, " \
              "write @<< for the first, or use two lines")
    else
        fault(file, line, "the use of chunk <<" name ">> must stand alone on its line")
}

END {
    for (name in uses) if (!(name in defs) && !(name in said))
        fault(usefile[name], useline[name], "chunk <<" name ">> is used but never defined")
    for (i = 1; i <= q; i++) if (!(quoted[i] in defs))
        fault(qfile[i], qline[i], "prose speaks of chunk <<" quoted[i] ">>, which is never defined")
    for (i = 1; i <= n; i++) if (!(order[i] in uses)) {
        name = order[i]
        if (isfile(name)) print name, deffile[name] > roots
        else fault(deffile[name], defline[name], "chunk <<" name ">> is defined but never used" \
                   " (mistyped where it is used, or where it is continued?)")
    }
    exit bad > 0
}
