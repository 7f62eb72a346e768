# decay.gp -- how many of 1000 pages, dirtied at once, may stay dirty.
set xrange [0:64]
set yrange [0:1050]
set xtics 8
set xlabel "age, in steps (at 10 s: 156 ms each)"
set ylabel "pages allowed" 
unset key
w(x) = 1073741824.0 - x**3 * (6*x*x - 960*x + 40960)
set samples 65
set arrow from 32,0 to 32,500 nohead linecolor rgb "#A9B8C8" dashtype 2
set label "half after 5 s" at 33,520
set label "896 after 2.5 s" at 17,915
set label "103 after 7.5 s" at 49,130
plot 1000*w(x)/1073741824.0 with lines linestyle 1, \
     '+' using (int($1)%16 == 0 ? $1 : 1/0):(1000*w($1)/1073741824.0) with points linestyle 1
