# The page heap's states by the number of operations that the shortest way there takes.
set terminal pdfcairo size 12.5cm,5.2cm font 'TeX Gyre Pagella,9' linewidth 0.7
set output outfile
set datafile separator ','
set datafile commentschars '#'
set xlabel 'operations from the empty page heap'
set ylabel 'new states'
set format y '%.0f'
set xrange [-0.8:22]
set yrange [0:*]
set xtics 2 nomirror out
set ytics nomirror out
set border 3
set boxwidth 0.75
set style fill solid 0.45
plot 'figures/data/proof-levels.csv' using 1:2 every ::1 with boxes lc rgb '#1F3A5F' notitle
