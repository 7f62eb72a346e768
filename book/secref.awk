# secref.awk -- a noweb filter for notangle: above each chunk's code stands its
# name, and the place in the book it comes from, as a comment.
#
#   notangle -filter 'awk -v kind=c -f book/secref.awk' -Rrun.c src.nw/*.nw
#
# kind: c writes /* ... */, sh writes # ..., none writes nothing.

function say(text) {
    if (kind == "c") { gsub(/\*\//, "* /", text); text = "/* " text " */" }
    else text = "# " text
    print "@text " text
    print "@nl"
}

/^@file /       { n = split(substr($0, 7), path, "/"); file = path[n]; sec = "" }
/^@begin docs / { docs = 1; para = "" }
/^@end docs /   { docs = 0 }
docs && /^@text / { para = para substr($0, 7) }
docs && /^@use /  { para = para substr($0, 6) }
docs && /^@nl$/ {
    if (para ~ /^```/) { if (wrapped) wrapped = 0; else fence = !fence }
    if (!fence && para ~ /^#+ /) {
        sec = para
        sub(/^#+ */, "", sec); sub(/ *\{[^}]*\} *$/, "", sec); gsub(/[`*]/, "", sec)
    }
    para = ""
}
/^@begin code / { if (fence) wrapped = 1; fence = 0 }
                { print }
/^@defn / {
    name = substr($0, 7); gsub(/\[\[|\]\]/, "", name)
    root = name ~ /^[A-Za-z0-9_.\/-]+\.[A-Za-z0-9.]+$/
    again = seen[name]++
    place = "[" file ": " sec "]"
    if (again && kind != "none") gap = 1
    want = kind != "none" && (!root || (again && place != last[name]))
    last[name] = place
}
/^@nl$/ && gap  { if (want) print "@nl"; gap = 0 }
want && /^@nl$/ {
    if (root) text = place
    else {
        text = name (again ? ", continued." : ".")
        if (length(text) + length(place) > 68) {
            if (kind == "c") { say_two(text, place); want = 0; next }
        }
        text = text "  " place
    }
    say(text); want = 0
}
function say_two(a, b) {
    gsub(/\*\//, "* /", a); gsub(/\*\//, "* /", b)
    print "@text /* " a; print "@nl"
    print "@text  * " b " */"; print "@nl"
}
