# lineage-waste.gp -- what a request loses to rounding: the classes of 2006 and ours.
set logscale x 2
set xrange [8:16384]
set yrange [0:100]
set xtics ("16" 16, "64" 64, "256" 256, "512" 512, "1 KiB" 1024, "2 KiB" 2048, "4 KiB" 4096, "8 KiB" 8192, "16 KiB" 16384)
set xlabel "requested bytes"
set ylabel "lost to rounding, %"
set key top right
plot 'figures/data/lineage-waste.csv' skip 1 using 1:2 with lines linestyle 2 title "classes of 2006", \
     '' skip 1 using 1:3 with lines linestyle 1 title "ours"
