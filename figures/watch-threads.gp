# watch-threads.gp -- git on litmalloc; the colour says which thread allocated in a piece last.
set terminal pdfcairo size 13.5cm,6.6cm font "TeX Gyre Pagella,8" linewidth 1 rounded
set output outfile
set bmargin 3.2
unset grid
unset key
set palette maxcolors 6 defined (0 "#FFFFFF", 1 "#1F3A5F", 2 "#E9C48A", 3 "#2F7F79", 4 "#C98A9E", 5 "#9C5A1E")
set cbrange [-0.5:5.5]
set cbtics ("none" 0, "main" 1, "2nd" 2, "3rd" 3, "4th" 4, "5th" 5)
set format x "%.0s %c"
set autoscale xfix
set autoscale yfix
set xlabel "events"
set ylabel "MiB of addresses, gaps left out"
plot "figures/data/watch-git-threads.csv" nonuniform matrix using 1:2:($3 == 0 ? 0 : $3 - 1) with image
