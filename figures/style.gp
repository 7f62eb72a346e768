# style.gp -- what all plots share; read before each figures/NAME.gp, with `outfile` set.
set terminal pdfcairo size 13.5cm,6.6cm font "TeX Gyre Pagella,9" linewidth 1 rounded
set output outfile
set datafile separator comma
set datafile commentschars "#"
set encoding utf8
set border 3 linewidth 0.6 linecolor rgb "#1F3A5F"
set tics nomirror scale 0.5
set grid ytics linewidth 0.3 linecolor rgb "#A9B8C8"
set key top left Left reverse samplen 2 spacing 1.1
set style line 1 linecolor rgb "#1F3A5F" linewidth 2.2 pointtype 7 pointsize 0.5
set style line 2 linecolor rgb "#9C5A1E" linewidth 1.4 pointtype 5 pointsize 0.5 dashtype 2
set style line 3 linecolor rgb "#55636B" linewidth 1.4 pointtype 9 pointsize 0.5 dashtype 3
set style line 4 linecolor rgb "#2F7F79" linewidth 1.4 pointtype 13 pointsize 0.5 dashtype 4
set style line 5 linecolor rgb "#8C3B5E" linewidth 1.4 pointtype 11 pointsize 0.5 dashtype 5
set style line 6 linecolor rgb "#A9B8C8" linewidth 1.4 pointtype 4 pointsize 0.5
set style fill solid 0.85 border linecolor rgb "#1F3A5F"
set boxwidth 0.8 relative
