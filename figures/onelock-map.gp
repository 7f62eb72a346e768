# onelock-map.gp -- the heap of a Perl program over time: a line a moment.
set terminal pdfcairo size 13.5cm,8.4cm font "TeX Gyre Pagella,9" linewidth 1
set output outfile
set xlabel "address, in MiB from the start of the heap"
set ylabel "calls of malloc and free, in thousands"
unset key
unset grid
set tics out
fact(name) = real(system("sed -n 's/^".name.",//p' figures/data/onelock-facts.csv"))
mib = fact("bucket") / 1048576
step = fact("every") / 1000
set xrange [0:fact("heldpeak") / 1048576]
set yrange [fact("calls") / 1000:0]
set palette defined (0 "#F4E3CF", 30 "#D9B58C", 60 "#7F93AD", 100 "#1F3A5F")
set cbrange [0:100]
set cblabel "percent that is live"
plot 'figures/data/onelock-map.csv' matrix using ($1 * mib):($2 * step + step):($3 < 0 ? NaN : $3) with image
