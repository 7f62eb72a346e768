# bench-threads.gp -- the same work divided among 1 to 16 threads; one thread of glibc = 1.
data = "figures/data/bench-threads.csv"
set terminal pdfcairo size 13.5cm,9.8cm font "TeX Gyre Pagella,8" linewidth 1 rounded
set output outfile
set logscale x 2
set logscale y 2
set xrange [0.85:19]
set xtics (1, 2, 4, 8, 16)
set grid xtics
set multiplot layout 2,3 margins 0.06,0.985,0.13,0.95 spacing 0.06,0.12
works = "malloc-test threadtest larson xmalloc mstress churn"
do for [w = 1:6] {
  name = word(works, w)
  set title name offset 0,-0.7
  if (w == 5) { set key at screen 0.5,0.035 center center horizontal noreverse Left samplen 2 } else { unset key }
  plot for [i=4:8] data using (strcol(2) eq name ? $3 : NaN):i with linespoints \
    linestyle (i==4 ? 1 : i==5 ? 3 : i==6 ? 4 : i==7 ? 2 : 5) title columnheader(i)
}
unset multiplot
