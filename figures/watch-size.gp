# watch-size.gp -- sizes of requests against time, four programs.
set terminal pdfcairo size 14cm,9cm font "TeX Gyre Pagella,8" linewidth 1 rounded
set output outfile
unset grid
unset key
unset colorbox
set palette defined (0 "#F4D9AE", 0.35 "#D9A15A", 0.65 "#8C6A5C", 1 "#1F3A5F")
set logscale cb
set cbrange [1:30000]
set format x "%.0s %c"
set yrange [0:26]
set ytics ("1" 0, "16" 4, "256" 8, "4 KiB" 12, "64 KiB" 16, "1 MiB" 20, "16 MiB" 24)
file(a) = "figures/data/watch-" . a . "-size.csv"
last(a) = real(system("awk -F, '!/^#/ { print $NF; exit }' " . file(a)))
set multiplot layout 2,2 margins 0.085,0.9,0.09,0.95 spacing 0.075,0.13
do for [a in "python sqlite gs git"] {
    set title a offset 0,-0.7
    set xrange [0:last(a)]
    set xtics last(a) > 3e6 ? 1e6 : last(a) > 1e6 ? 3e5 : last(a) > 2e4 ? 1e4 : 3e3
    if (a eq "git") { set colorbox user origin 0.915,0.09 size 0.018,0.86; set cblabel "requests" offset -0.4,0 }
    if (a eq "gs" || a eq "git") { set xlabel "events" offset 0,0.6 }
    plot file(a) nonuniform matrix using 1:2:($3 > 0 ? $3 : NaN) with image
}
unset multiplot
