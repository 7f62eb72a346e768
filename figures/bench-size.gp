# bench-size.gp -- instructions of a pair of malloc and free, by size.
data = "figures/data/counts-size.csv"
set terminal pdfcairo size 13.5cm,7.4cm font "TeX Gyre Pagella,9" linewidth 1 rounded
set output outfile
set logscale x 2
set logscale y
set xrange [14:18800]
set yrange [20:500]
set ytics (20, 30, 50, 100, 200, 300, 500)
set xtics ("16" 16, "64" 64, "256" 256, "1 KiB" 1024, "4 KiB" 4096, "16 KiB" 16384)
set xlabel "size asked for"
set ylabel "instructions a pair"
set key outside right top noreverse Left
plot for [i=2:6] data using 1:i with linespoints linestyle (i==2 ? 1 : i==3 ? 3 : i==4 ? 4 : i==5 ? 2 : 5) title columnheader(i)
