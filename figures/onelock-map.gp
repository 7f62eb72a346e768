# onelock-map.gp -- the heap of a Perl program over time: a line a moment.
set terminal pdfcairo size 13.5cm,8.4cm font "TeX Gyre Pagella,9" linewidth 1
set output outfile
set xlabel "address, in MiB from the start of the heap"
set ylabel "calls of malloc and free, in thousands"
set xrange [0:13.5]
set yrange [602:0]
unset key
unset grid
set tics out
set palette defined (0 "#F4E3CF", 30 "#D9B58C", 60 "#7F93AD", 100 "#1F3A5F")
set cbrange [0:100]
set cblabel "percent of 64 KiB that is live"
plot 'figures/data/onelock-map.csv' matrix using ($1/16.0):($2*4+4):3 with image
