# results-arenas.gp -- malloc-test of our allocator without its caches.
data = "figures/data/results-arenas.csv"
set terminal pdfcairo size 13.5cm,6.6cm font "TeX Gyre Pagella,9" linewidth 1 rounded
set output outfile
set xrange [0.5:20.5]
set logscale y
set yrange [1:*]
set xtics (1,2,3,4,5,6,8,10,12,16,20)
set ytics (1, 2, 5, 10, 20, 50, 100, 200)
set xlabel "threads"
set ylabel "million pairs a second"
set key outside right top noreverse Left
plot data using 1:"cached" with linespoints linestyle 1 title "with caches", \
     data using 1:"arenas" with linespoints linestyle 2 title "many arenas", \
     data using 1:"two" with linespoints linestyle 4 title "two arenas", \
     data using 1:"one" with linespoints linestyle 5 title "one arena"
