# contention-threads.gp -- ns a pair against the number of threads.
set xlabel "threads"
set ylabel "ns for a pair, by the clock"
set logscale x 2
set logscale y 2
set xrange [0.9:18]
set xtics (1,2,4,8,16)
set key outside right center spacing 1.6
f = 'figures/data/contention-pairs.csv'
plot f using 3:(strcol(1) eq "onelock" && $2 == 2 ? $4 : 1/0) with linespoints ls 2 title "one lock, 2 processors", \
     f using 3:(strcol(1) eq "onelock" && $2 == 1 ? $4 : 1/0) with linespoints ls 3 title "one lock, 1 processor", \
     f using 3:(strcol(1) eq "glibc" && $2 == 2 ? $4 : 1/0) with linespoints ls 4 title "glibc, 2 processors", \
     f using 3:(strcol(1) eq "litmalloc" && $2 == 2 ? $4 : 1/0) with linespoints ls 1 title "Part II, 2 processors"
