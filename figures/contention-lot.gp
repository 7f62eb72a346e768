# contention-lot.gp -- the share of threads that share one of 16 arenas.
set xlabel "threads"
set ylabel "percent that share"
set xrange [1:33]
set yrange [0:105]
set xtics (1,5,9,13,17,21,25,29,33)
set key top left
set samples 33
lot(t) = 100 * (1 - (15.0 / 16) ** (t - 1))
turn(t) = t <= 16 ? 0 : t >= 32 ? 100 : 100.0 * 2 * (t - 16) / t
plot lot(x) with linespoints ls 2 title "drawn by lot", turn(x) with linespoints ls 1 title "in turn"
