# lineage-chunks.gp -- pages in chunks that could not be given back, after the descent.
set terminal pdfcairo size 13.5cm,4.4cm font "TeX Gyre Pagella,9" linewidth 1 rounded
set output outfile
set yrange [0:100]
set ylabel "% of the chunks at the peak"
set style data histograms
set style histogram clustered gap 1
unset key
set xtics scale 0
set format y "%g"
plot "< awk -F, '$1 == \"descent\" && $3 == 0 && $2 ~ /^(rings=|lowest|strict|fullest|newest|oldest|touched)$/ { sub(/=/, \"\", $2); name[++n] = $2; left[n] = $14; if ($14 > most) most = $14 } END { for (i = 1; i <= n; i++) print name[i] \",\" 100 * left[i] / most }' figures/data/lineage-rings.csv" using 2:xtic(1) linestyle 1
