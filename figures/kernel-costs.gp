# kernel-costs.gp -- a page of memory, by the way it is got; figures/data/kernel-costs.csv.
set terminal pdfcairo size 13.5cm,6.0cm font "TeX Gyre Pagella,9" linewidth 1 rounded
set output outfile
file = "figures/data/kernel-costs.csv"
cost(what) = real(system("awk -F, '$1 == \"".what."\" { print $2 }' ".file))
$bars << EOD
"write fault, small page" write_fault 1
"read fault, small page" read_fault 1
"huge page, a 512th" huge_fault 512
"MAP\\_POPULATE" populate 1
"MADV\\_POPULATE\\_WRITE" populate_write 1
"only the zeros" clear 1
"back: MADV\\_DONTNEED" dontneed 1
"back: MADV\\_FREE" free 1
"back: munmap" unmap_touched 1
EOD
set datafile separator whitespace
unset key
set lmargin 33
set rmargin 3
set logscale x
set xrange [50:200000]
set yrange [8.6:-0.6]
set xlabel "ns for 4 KiB, logarithmic"
set format x "%.0f"
unset grid
set grid xtics linewidth 0.3 linecolor rgb "#A9B8C8"
set ytics nomirror
plot $bars using (cost(strcol(2))/$3/2+25):0:(50):(cost(strcol(2))/$3):($0-0.32):($0+0.32):ytic(1) with boxxyerror linestyle 1 fillstyle solid 0.75, \
     $bars using (cost(strcol(2))/$3*1.15):0:(sprintf("%.0f", cost(strcol(2))/$3)) with labels left font ",8.5"
