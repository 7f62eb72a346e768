# trust-misuse.gp -- what becomes of each kind of misuse, by allocator.
set datafile separator ","
set datafile commentschars "#"
file = "figures/data/trust-misuse-totals.csv"
set style data histogram
set style histogram rowstacked
set style fill solid border linecolor rgb "#1F3A5F"
set boxwidth 0.62
set xtics rotate by 30 right
set ylabel "kinds of misuse"
set size ratio 0.55
set yrange [0:24]
set ytics 4
set xrange [-0.6:7.6]
set key outside right center Left reverse invert samplen 1.2
set xtics ("litmalloc" 0, "hardened" 1, "sampled" 2, "glibc" 3, "jemalloc" 4, "mimalloc" 5, "tcmalloc" 6, "tbb" 7)
row(v, n) = sprintf("< awk -F, '$1==\"%s\" { for (i = 2; i <= 9; i++) print $i }' %s", v, file)
plot row("at once",0)  using 1 title "message, at once" linecolor rgb "#1F3A5F", \
     row("later",0)    using 1 title "message, later" linecolor rgb "#5B7391", \
     row("late",0)     using 1 title "message, after harm" linecolor rgb "#A9B8C8", \
     row("crash",0)    using 1 title "crash, no word" linecolor rgb "#DDE3EA", \
     row("hang",0)     using 1 title "hang" linecolor rgb "#EEEEEE", \
     row("corrupt",0)  using 1 title "silent harm" fillstyle pattern 2 linecolor rgb "#1F3A5F", \
     row("nothing",0)  using 1 title "nothing seen" linecolor rgb "#FFFFFF"
