# results-malloctest.gp -- Figure 6 of Evans 2006 again: pairs a second by threads.
data = "figures/data/results-malloctest.csv"
set terminal pdfcairo size 13.5cm,8.2cm font "TeX Gyre Pagella,9" linewidth 1 rounded
set output outfile
head = system("grep -v '^#' ".data." | head -n 1")
set xrange [0.5:20.5]
set logscale y
set xtics (1,2,3,4,5,6,8,10,12,16,20)
set ytics (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
set yrange [(strstrt(head, "onelock") ? 0.5 : 5):*]
set xlabel "threads"
set ylabel "million pairs a second"
set key outside right top noreverse Left
names = "litmalloc".(strstrt(head, "onelock") ? " onelock" : "")." glibc jemalloc mimalloc tcmalloc"
style(n) = n eq "litmalloc" ? 1 : n eq "onelock" ? 6 : n eq "glibc" ? 3 : n eq "jemalloc" ? 4 : n eq "mimalloc" ? 2 : 5
plot for [n in names] data using 1:n with linespoints linestyle style(n) title n, \
     for [n in names] data using 1:(n."_low"):(n."_low"):(n."_high"):(n."_high") with candlesticks \
       linestyle style(n) linewidth 0.6 notitle
