# lineage-descent.gp -- pages held while a heap shrinks to a tenth, by rule.
set xrange [0:13]
set yrange [0:4200]
set xlabel "million calls"
set ylabel "pages held"
set key bottom left
f = 'figures/data/lineage-descent.csv'
plot f skip 1 using ($1/1e6):8 with lines linestyle 3 title "oldest in line", \
     f skip 1 using ($1/1e6):9 with lines linestyle 5 title "touched last", \
     f skip 1 using ($1/1e6):3 with lines linestyle 2 title "rings of 2006", \
     f skip 1 using ($1/1e6):4 with lines linestyle 1 title "lowest first", \
     f skip 1 using ($1/1e6):2 with lines linestyle 6 title "what the blocks need"
