# Tangled from src.nw/89-tools.nw; edit that, not this.
# plot.gp -- draws a table that picture has made.
#
#   gnuplot -e "kind='size'; colour=''; data='x.csv'; outfile='x.svg'" plot.gp
type = system(sprintf("printf '%%s' '%s' | sed 's/.*[.]//'", outfile))
# Choose what kind of file to write.  [89-tools.nw: Axes]
if (type eq "svg") {
    set terminal svg size 900,520 font "sans,13" background rgb "white"
} else { if (type eq "pdf") {
    set terminal pdfcairo size 16cm,9.5cm font "sans,9"
} else {
    set terminal pngcairo size 1350,780 font "sans,15"
} }
set output outfile
set datafile separator comma
set datafile commentschars "#"
set border 3 linewidth 0.6
set tics nomirror out scale 0.5
head = system(sprintf("sed -n '1s/^# \\([^;]*\\).*/\\1/p' '%s'", data))
set title head noenhanced
set xlabel "events (calls of malloc, free and their relatives)"
set format x "%.0s%c"
# Draw one kind of picture.  [89-tools.nw: Axes]
set palette defined (0 "#FFFFFF", 0.009 "#FFFFFF", 0.01 "#F4D9AE", \
    0.35 "#D9A15A", 0.65 "#8C6A5C", 1 "#1F3A5F")
set autoscale xfix
set autoscale yfix
if (kind eq "address") {
    set ylabel "addresses, MiB (gaps left out)"
    set cbrange [0:100]
    set cblabel "in use, %"
    if (colour eq "size") {
        set cbrange [0:24]
        set cblabel "log_2 of the blocks' size"
    }
    if (colour eq "thread") {
        set cbrange [0:16]
        set cblabel "thread (mod 16)"
    }
    plot data nonuniform matrix using 1:2:3 with image notitle
}

# Draw one kind of picture, continued.  [89-tools.nw: Axes]
if (kind eq "size") {
    set ylabel "bytes asked for"
    set ytics ("1" 0, "16" 4, "256" 8, "4 KiB" 12, "64 KiB" 16, \
        "1 MiB" 20, "16 MiB" 24)
    set cblabel "requests"
    set logscale cb
    set cbrange [1:*]
    plot data nonuniform matrix using 1:2:($3 > 0 ? $3 : NaN) with image notitle
}
if (kind eq "live") {
    set ylabel "MiB"
    set yrange [0:*]
    set key top left Left reverse
    set style line 1 linewidth 1 linecolor rgb "#9C5A1E"
    set style line 2 linewidth 1.5 linecolor rgb "#55636B" dashtype 2
    set style line 3 linewidth 2.5 linecolor rgb "#1F3A5F"
    plot data using 1:4 with lines linestyle 1 title "resident", \
         data using 1:3 with lines linestyle 2 title "pages with live blocks", \
         data using 1:2 with lines linestyle 3 title "live bytes"
}
if (kind eq "life") {
    set xlabel "age in events"
    set ylabel "blocks freed before, %"
    set yrange [0:100]
    set logscale x 2
    plot data using 1:4 with linespoints pointtype 7 pointsize 0.5 notitle
}
