# What each WAN got of the flows and of the bytes, beside what the weights promise.
#
#     cd DIR && gnuplot shares.gp
#
# shares.tsv   wan, name, flows, bytes, flows_promised, bytes_promised (parts of one)

load 'style.gp'

data = 'shares.tsv'
top = 0.0
do for [c=3:6] {
    stats data skip 1 using c nooutput
    top = max(top, STATS_max)
}
eval(sprintf(draw, max(420, 150 + 130 * wans), 420, "shares"))

set label "Share of each WAN" at screen 0.03, screen 0.95 left font "sans-serif,16" textcolor rgb INK
set tmargin at screen 0.88
set key outside bottom center horizontal Left reverse samplen 1.5 spacing 1.2
set xrange [-0.6:wans - 0.4]
set yrange [0:max(top, 0.01) * 115]
set format y "%g %%"
set xtics nomirror scale 0 ()
do for [w=1:wans] { set xtics add (wan[w] w - 1) }
set border 1
left = 0.38
gap = 0.02
percent(x) = sprintf(x < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * x)

plot data skip 1 using 1:(100 * $3):($1 - left):($1 - gap):(0):(100 * $3) \
         with boxxyerror linetype 1 title "flows", \
     data skip 1 using 1:(100 * $4):($1 + gap):($1 + left):(0):(100 * $4) \
         with boxxyerror linetype 2 title "bytes", \
     data skip 1 using ($1 - left - 0.03):(100 * $5):(left - gap + 0.05):(0) \
         with vectors nohead linewidth 2.5 linecolor rgb "#000000" title "promised", \
     data skip 1 using ($1 + gap - 0.02):(100 * $6):(left - gap + 0.05):(0) \
         with vectors nohead linewidth 2.5 linecolor rgb "#000000" notitle, \
     data skip 1 using ($1 - left / 2 - gap / 2):(100 * max($3, $5)):(percent($3)) \
         with labels offset 0, 0.7 textcolor rgb INK notitle, \
     data skip 1 using ($1 + left / 2 + gap / 2):(100 * max($4, $6)):(percent($4)) \
         with labels offset 0, 0.7 textcolor rgb INK notitle
