# ghostscript: a generated PostScript file rendered to bitmaps and to PDF.
. "$(dirname "$0")/common"
need gs ghostscript

cat >t.ps <<'X'
%!PS
/x 17 def
/rnd { /x x 1103515 mul 12345 add 8388607 and def x exch mod } def
1 1 6 {
    /page exch def
    /Times-Roman findfont 9 scalefont setfont
    20 20 740 { 30 exch moveto 40 { (a line of text ) 0 8 getinterval show 500 rnd 20 string cvs show } repeat } for
    120 { newpath 600 rnd 800 rnd moveto 6 { 600 rnd 800 rnd 600 rnd 800 rnd 600 rnd 800 rnd curveto } repeat
          100 rnd 100 div 100 rnd 100 div 100 rnd 100 div setrgbcolor 3 rnd 1 eq { fill } { stroke } ifelse } repeat
    /d 500 dict def 0 1 499 { d exch 40 string cvs 30 array put } for
    gsave 100 400 translate 200 200 scale 64 64 8 [64 0 0 -64 0 64] { 64 string 0 1 63 { 1 index exch 255 rnd put } for } image grestore
    showpage
} for
X
render() { gs -q -dNOPAUSE -dBATCH -dSAFER -sDEVICE="$1" -r100 -dNumRenderingThreads=2 -sOutputFile="$2" t.ps; }
for device in ppmraw png16m; do
    render $device "without.$device" && under gs -q -dNOPAUSE -dBATCH -dSAFER -sDEVICE=$device -r100 \
        -dNumRenderingThreads=2 -sOutputFile="with.$device" t.ps
    same "without.$device" "with.$device"
done
# A PDF carries the time and an identifier: leave them out.
render pdfwrite without.pdf
under gs -q -dNOPAUSE -dBATCH -dSAFER -sDEVICE=pdfwrite -r100 -dNumRenderingThreads=2 -sOutputFile=with.pdf t.ps
for f in without with; do
    gs -q -dNOPAUSE -dBATCH -dSAFER -sDEVICE=pnggray -r60 -sOutputFile=$f.%d.png $f.pdf
    cat $f.?.png >$f.pages
done
same without.pages with.pages
loaded gs
