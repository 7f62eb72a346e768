# results-programs.gp -- Figure 8 of Evans 2006 again: time and peak, glibc = 1.
set terminal pdfcairo size 13.5cm,9.6cm font "TeX Gyre Pagella,9" linewidth 1 rounded
set output outfile
programs = "cca cfrac gs sh6bench parse"
style(n) = n eq "litmalloc" ? 1 : n eq "onelock" ? 6 : n eq "jemalloc" ? 4 : n eq "mimalloc" ? 2 : 5
read(file, name, k) = real(system("awk -F, -v n=".name." -v k=".k." '$1 == n { print $k }' figures/data/".file))
have = system("grep -c '^onelock,' figures/data/results-programs.csv") + 0
names = "litmalloc".(have ? " onelock" : "")." jemalloc mimalloc tcmalloc"
n = words(names)
set style fill solid 0.9 border linecolor rgb "#1F3A5F"
fill(k) = word("#1F3A5F #9FB2C6 #D9C3A8 #5F8F8B #C9CED3", k)
width = 0.8 / n
set xrange [0.4:5.6]
set yrange [0:1.6]
set xtics ("cca" 1, "cfrac" 2, "gs" 3, "sh6bench" 4, "parse" 5)
set multiplot layout 2,1 margins 0.10,0.82,0.07,0.97 spacing 0.10
set arrow 1 from 0.4,1 to 5.6,1 nohead linecolor rgb "#55636B" dashtype 2 front
set key outside right top noreverse Left
set ylabel "time, glibc = 1"
plot for [k=1:n] "+" using (int($0) < 5 ? int($0) + 1 + (k - (n + 1) / 2.0) * width : NaN):(int($0) < 5 ? \
     read("results-programs.csv", word(names, k), int($0) + 2) / read("results-programs.csv", "glibc", int($0) + 2) : NaN):(width * 0.92) \
     with boxes linecolor rgb fill(k) title word(names, k)
unset key
set ylabel "peak, glibc = 1"
set yrange [0:2.5]
plot for [k=1:n] "+" using (int($0) < 5 ? int($0) + 1 + (k - (n + 1) / 2.0) * width : NaN):(int($0) < 5 ? \
     read("results-programs-peak.csv", word(names, k), int($0) + 2) / read("results-programs-peak.csv", "glibc", int($0) + 2) : NaN):(width * 0.92) \
     with boxes linecolor rgb fill(k) notitle
unset multiplot
