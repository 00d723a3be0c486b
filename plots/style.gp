# What the pictures share: colours, fonts, how the data is read.
#
# The colours are those of Okabe and Ito, which people with any colour vision tell apart.
# Names come from data files and are printed as they are (noenhanced).

set encoding utf8
set datafile separator "\t"
set datafile commentschars ""

okabe_ito = "#0072B2 #E69F00 #009E73 #CC79A7 #56B4E9 #D55E00 #B8A800 #555555"
do for [i=1:12] {
    set linetype i linecolor rgb word(okabe_ito, (i - 1) % 8 + 1) linewidth 1
}
INK = "#333333"
FAINT = "#DDDDDD"
SHADE = "#EFEFEF"
ALARM = "#D55E00"

set style fill solid 0.85 noborder
set border 3 linecolor rgb INK
set tics nomirror scale 0.5 textcolor rgb INK
set grid ytics linecolor rgb FAINT linewidth 0.5
set key textcolor rgb INK

# draw(file, width, height): where the picture goes.
draw = 'set terminal svg size %d,%d dynamic noenhanced font "sans-serif,13" background rgb "white"; set output "%s.svg"'

max(a, b) = a > b ? a : b
min(a, b) = a < b ? a : b

# A step for tics: the next of 1, 2 or 5 times a power of ten.
step10(x) = 10.0 ** floor(log10(x))
nice(x) = x <= 0 ? 1 : x / step10(x) <= 1.001 ? step10(x) : x / step10(x) <= 2 ? 2 * step10(x) : \
          x / step10(x) <= 5 ? 5 * step10(x) : 10 * step10(x)

# Seconds, minutes or hours, as the run is long.
time_unit(seconds) = seconds > 3 * 3600 ? 3600.0 : seconds > 600 ? 60.0 : 1.0
time_name(seconds) = seconds > 3 * 3600 ? "h" : seconds > 600 ? "min" : "s"

# The WANs, numbered from 0 in the tables and from 1 here.
wans = 0
array wan[64]
stats 'wans.tsv' skip 1 using (wans = wans + 1, wan[wans] = stringcolumn(2), $1) nooutput
