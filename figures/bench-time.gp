# bench-time.gp -- each row's times over the best of the row; ours is the filled circle.
set terminal pdfcairo size 13.5cm,17.2cm font "TeX Gyre Pagella,8" linewidth 1 rounded
set output outfile
rows(f) = system("grep -v '^#' figures/data/".f." | tail -n +2 | wc -l") + 0
a = rows("bench-time.csv"); b = rows("bench-time-programs.csv")
best(x) = (m = column(2), sum [i=3:7] (m = (column(i) < m ? column(i) : m), 0), m)
clip(x) = x > 12 ? 12 : x
set logscale x 2
set xrange [0.95:12.6]
set yrange [-(a + b + 1.7):0]
set xtics ("1" 1, "1.25" 1.25, "1.5" 1.5, "2" 2, "3" 3, "4" 4, "6" 6, "8" 8, "12+" 12)
set ytics nomirror
unset grid
set grid xtics ytics linewidth 0.3 linecolor rgb "#C9D3DD"
set xlabel "time over the best of the row"
set key outside top center horizontal noreverse Left samplen 1 width 3
plot "figures/data/bench-time.csv" every ::1 using (clip(column(3)/best(0))):(-$0-1) with points pointtype 8 pointsize 0.55 linecolor rgb "#55636B" title "glibc", \
     "" every ::1 using (clip(column(4)/best(0))):(-$0-1) with points pointtype 12 pointsize 0.6 linecolor rgb "#2F7F79" title "jemalloc", \
     "" every ::1 using (clip(column(5)/best(0))):(-$0-1) with points pointtype 4 pointsize 0.5 linecolor rgb "#9C5A1E" title "mimalloc", \
     "" every ::1 using (clip(column(6)/best(0))):(-$0-1) with points pointtype 10 pointsize 0.55 linecolor rgb "#8C3B5E" title "tcmalloc", \
     "" every ::1 using (clip(column(7)/best(0))):(-$0-1) with points pointtype 2 pointsize 0.45 linecolor rgb "#A9B8C8" title "tbbmalloc", \
     "" every ::1 using (clip(column(2)/best(0))):(-$0-1):yticlabels(1) with points pointtype 7 pointsize 0.75 linecolor rgb "#1F3A5F" title "litmalloc", \
     "figures/data/bench-time-programs.csv" every ::1 using (clip(column(3)/best(0))):(-$0-1.7-a) with points pointtype 8 pointsize 0.55 linecolor rgb "#55636B" notitle, \
     "" every ::1 using (clip(column(4)/best(0))):(-$0-1.7-a) with points pointtype 12 pointsize 0.6 linecolor rgb "#2F7F79" notitle, \
     "" every ::1 using (clip(column(5)/best(0))):(-$0-1.7-a) with points pointtype 4 pointsize 0.5 linecolor rgb "#9C5A1E" notitle, \
     "" every ::1 using (clip(column(6)/best(0))):(-$0-1.7-a) with points pointtype 10 pointsize 0.55 linecolor rgb "#8C3B5E" notitle, \
     "" every ::1 using (clip(column(7)/best(0))):(-$0-1.7-a) with points pointtype 2 pointsize 0.45 linecolor rgb "#A9B8C8" notitle, \
     "" every ::1 using (clip(column(2)/best(0))):(-$0-1.7-a):yticlabels(1) with points pointtype 7 pointsize 0.75 linecolor rgb "#1F3A5F" notitle
