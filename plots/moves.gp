# Flows that each event moved to another WAN, by cause.
#
#     cd DIR && gnuplot moves.gp
#
# moves.tsv   event, name, forced, collateral, failback, config, policy, flows_alive

load 'style.gp'

data = 'moves.tsv'
array cause[5] = ["forced: its path failed", "collateral: its path was well", \
    "failback: a path returned", "the configuration changed", "the policy picks per packet"]
array hue[5] = [1, 6, 5, 4, 8]
array seen[5]

stats data skip 1 using 1 nooutput
events = int(STATS_records)
do for [c=1:5] {
    stats data skip 1 using (column(c + 2)) nooutput
    seen[c] = STATS_max > 0
}
stats data skip 1 using ($3 + $4 + $5 + $6 + $7) nooutput
top = STATS_max
longest = 0
stats data skip 1 using (longest = max(longest, strlen(stringcolumn(2))), $1) nooutput
slanted = longest * 8 > 130

eval(sprintf(draw, max(560, 160 + 140 * events), slanted ? 480 : 420, "moves"))

set label "Flows moved by each event" at screen 0.03, screen 0.95 left font "sans-serif,16" \
    textcolor rgb INK
set tmargin at screen 0.88
set ylabel "moves of flows" textcolor rgb INK
set key outside bottom center horizontal Left reverse samplen 1.5 spacing 1.2 maxcols 2
margin = events == 1 ? 1 : 0.6
set xrange [-margin:events - 1 + margin]
set yrange [0:max(top, 1) * 1.12]
set border 1
set xtics scale 0 ()
if (slanted) { set xtics rotate by -25 left }
set boxwidth 0.55
set style data histograms
set style histogram rowstacked

plot for [c=1:5] data skip 1 using (column(c + 2)):xticlabels(stringcolumn(2)) \
         linetype hue[c] title (seen[c] ? cause[c] : ""), \
     data skip 1 using 0:($3 + $4 + $5 + $6 + $7):(sprintf("%g", $3 + $4 + $5 + $6 + $7)) \
         with labels offset 0, 0.7 textcolor rgb INK notitle
