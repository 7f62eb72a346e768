# watch-live.gp -- live bytes, pages with live blocks, resident memory, of one program on three allocators.
set terminal pdfcairo size 14cm,5.8cm font "TeX Gyre Pagella,8" linewidth 1 rounded
set output outfile
set format x "%.0s %c"
file(a) = "figures/data/watch-python-" . a . "-live.csv"
top = 0
do for [a in "glibc jemalloc litmalloc"] { stats file(a) using 4 every ::1 nooutput; if (STATS_max > top) { top = STATS_max } }
set yrange [0:top * 1.05]
set xtics 1e6
set multiplot layout 1,3 margins 0.065,0.985,0.15,0.91 spacing 0.025,0
set title "glibc" offset 0,-0.6
set ylabel "MiB" offset 1.6,0
set key bottom right noreverse Right width -4
plot file("glibc") using 1:4 every ::1 with lines linecolor rgb "#9C5A1E" linewidth 1 title "resident", \
     file("glibc") using 1:3 every ::1 with lines linecolor rgb "#55636B" linewidth 1.4 dashtype 2 title "pages with live blocks", \
     file("glibc") using 1:2 every ::1 with lines linecolor rgb "#1F3A5F" linewidth 2.2 title "live bytes"
unset ylabel
unset key
set format y ""
set xlabel "events" offset 0,0.5
set title "jemalloc"
plot file("jemalloc") using 1:4 every ::1 with lines linecolor rgb "#9C5A1E" linewidth 1, \
     file("jemalloc") using 1:3 every ::1 with lines linecolor rgb "#55636B" linewidth 1.4 dashtype 2, \
     file("jemalloc") using 1:2 every ::1 with lines linecolor rgb "#1F3A5F" linewidth 2.2
unset xlabel
set title "litmalloc"
plot file("litmalloc") using 1:4 every ::1 with lines linecolor rgb "#9C5A1E" linewidth 1, \
     file("litmalloc") using 1:3 every ::1 with lines linecolor rgb "#55636B" linewidth 1.4 dashtype 2, \
     file("litmalloc") using 1:2 every ::1 with lines linecolor rgb "#1F3A5F" linewidth 2.2
unset multiplot
