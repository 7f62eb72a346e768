# contention-amdahl.gp -- the law; and two threads on the one-lock allocator.
set multiplot layout 1,2
set xlabel "processors"
set ylabel "times as fast as one"
set logscale x 2
set logscale y 2
set xrange [1:64]
set yrange [1:64]
set xtics (1,2,4,8,16,32,64)
set ytics (1,2,4,8,16,32,64)
unset key
S(n, s) = 1.0 / (s + (1 - s) / n)
set label "1%" at 40,33 right
set label "5%" at 60,17.5 right
set label "10%" at 60,9.8 right
set label "25%" at 60,4.25 right
set label "50%" at 60,2.2 right
plot S(x, 0.01) with lines ls 1, S(x, 0.05) with lines ls 1, S(x, 0.10) with lines ls 1, \
     S(x, 0.25) with lines ls 1, S(x, 0.5) with lines ls 1
unset label
unset logscale
set xlabel "part of the time in the lock, percent"
set ylabel "two threads: times as fast as one"
set xrange [0:100]
set yrange [0:2]
set xtics 25
set ytics 0.5
set arrow from 0,1 to 100,1 nohead linecolor rgb "#A9B8C8" dashtype 2
plot 1.0 / (x / 100 + (1 - x / 100) / 2) with lines ls 1, \
     'figures/data/contention-amdahl.csv' using ($4 * 100):5 with linespoints ls 2
unset multiplot
