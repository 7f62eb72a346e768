# results-server.gp -- Figure 7 of Evans 2006 again: least, median and most of the runs.
data = "figures/data/results-server.csv"
set terminal pdfcairo size 13.5cm,6.8cm font "TeX Gyre Pagella,9" linewidth 1 rounded
set output outfile
have = system("grep -c ',onelock,' ".data) + 0
names = "litmalloc".(have ? " onelock" : "")." glibc jemalloc mimalloc tcmalloc"
style(n) = n eq "litmalloc" ? 1 : n eq "onelock" ? 6 : n eq "glibc" ? 3 : n eq "jemalloc" ? 4 : n eq "mimalloc" ? 2 : 5
place(c) = c == 5 ? 1 : c == 20 ? 2 : c == 50 ? 3 : 4
shift(k) = (k - 1 - (words(names) - 1) / 2.0) * 0.13
set xrange [0.45:4.55]
set yrange [0:*]
set xtics ("5 clients" 1, "20" 2, "50" 3, "100" 4)
set ylabel "thousand requests a second"
set key outside right top noreverse Left
set bars 0.6
plot for [k=1:words(names)] data using (strcol(2) eq word(names, k) ? place($1) + shift(k) : NaN):4:3:5 \
     with yerrorbars linestyle style(word(names, k)) linewidth 1.2 dashtype 1 title word(names, k)
