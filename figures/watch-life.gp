# watch-life.gp -- how many blocks have been freed before an age.
set terminal pdfcairo size 13.5cm,6.2cm font "TeX Gyre Pagella,9" linewidth 1 rounded
set output outfile
set logscale x 2
set xrange [2:8388608]
set xtics ("2" 2, "16" 16, "128" 128, "1024" 1024, "8 Ki" 8192, "64 Ki" 65536, "512 Ki" 524288, "4 Mi" 4194304)
set yrange [0:100]
set xlabel "age in events"
set ylabel "freed before, % of all blocks"
set key bottom right noreverse Right
file(a) = "figures/data/watch-" . a . "-life.csv"
plot file("gs") using 1:4 every ::1 with linespoints linestyle 1 title "gs", \
     file("sqlite") using 1:4 every ::1 with linespoints linestyle 2 title "sqlite", \
     file("git") using 1:4 every ::1 with linespoints linestyle 3 title "git", \
     file("python") using 1:4 every ::1 with linespoints linestyle 4 title "python"
