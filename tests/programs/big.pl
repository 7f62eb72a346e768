# Write a large C (or, with the argument c++, C++) file, the same every time.
my $cxx = ($ARGV[0] // '') eq 'c++';
my $n = $ARGV[1] // 400;
my $x = 1;
sub rnd { my $n = shift; $x = ($x * 1103515245 + 12345) & 0x7fffffff; return ($x >> 8) % $n }
sub expr {
    my $depth = shift;
    return (qw(a b c s->x s->y t[i&7]))[rnd(6)] if !$depth || !rnd(5);
    return '(' . expr($depth - 1) . (' + ', ' - ', ' * ', ' ^ ', ' & ', ' | ')[rnd(6)] . expr($depth - 1) . ')';
}
print "#include <string>\n#include <vector>\n#include <map>\n#include <algorithm>\n#include <memory>\n" if $cxx;
print "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n";
print "struct point { int x, y; struct point *next; };\n";
for my $f (0 .. $n) {
    print "int f$f(int a, int b, int c, struct point *s, const int *t)\n{\n    int r = ", $f, ";\n";
    for (0 .. 8 + rnd(12)) {
        my $k = rnd(4);
        if    ($k == 0) { print "    for (int i = 0; i < ", 2 + rnd(30), "; i++)\n        r += ", expr(4), ";\n" }
        elsif ($k == 1) { print "    { int i = b; if (", expr(2), " > c)\n        r ^= ", expr(5), "; }\n" }
        elsif ($k == 2) { print "    { int i = a; switch (", expr(2), ") {\n", (map { "    case $_: r -= $_ * a; break;\n" } 0 .. 2 + rnd(9)), "    default: r++;\n    } }\n" }
        else            { print "    { int i = c; s->x = ", expr(3), "; printf(\"%d $f\\n\", s->x); }\n" }
    }
    print "    return r", $f ? " + f" . rnd($f) . "(b, c, a, s, t)" : '', ";\n}\n\n";
    next if !$cxx || $f % 8;
    print "template <int N> struct box$f { std::map<std::string, std::vector<int>> m; std::unique_ptr<point> p;\n",
          "    int run(int a) { auto &v = m[std::to_string(a + N)]; v.push_back(a);\n",
          "        std::sort(v.begin(), v.end(), [](int l, int r) { return l % (N + 2) < r % (N + 2); });\n",
          "        if (v.size() > 100) throw std::string(\"box$f\"); return v.front(); } };\n",
          "int use$f(int a) { box$f<", rnd(90), "> b; box$f<", 100 + rnd(90), "> c; return b.run(a) + c.run(a); }\n\n";
}
print "int main(int argc, char **argv)\n{\n    struct point s = { argc, 1, 0 };\n    int t[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };\n",
      "    (void)argv;\n    return f$n(argc, 2, 3, &s, t) & 1;\n}\n";
