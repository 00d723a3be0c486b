# Throughput of each WAN over time: down above its line, up below it.
#
#     cd DIR && gnuplot throughput.gp
#
# throughput.tsv   seconds, then for each WAN: up, down (bit/s), packets lost
# failures.tsv     at, effective_at, ended_at, wan, name
# wans.tsv         wan, name

load 'style.gp'

data = 'throughput.tsv'
up(w) = 3 * w - 1
down(w) = 3 * w
lost(w) = 3 * w + 1

# The same scale for all WANs, so that they compare.
top = 0.0
bottom = 0.0
do for [w=1:wans] {
    stats data skip 1 using down(w) nooutput
    top = max(top, STATS_max)
    stats data skip 1 using up(w) nooutput
    bottom = max(bottom, STATS_max)
}
largest = max(max(top, bottom), 1)
scale = largest >= 1e9 ? 1e9 : largest >= 1e6 ? 1e6 : largest >= 1e3 ? 1e3 : 1.0
scale_name = largest >= 1e9 ? "Gbit/s" : largest >= 1e6 ? "Mbit/s" : largest >= 1e3 ? "kbit/s" : "bit/s"

stats data skip 1 using 1 nooutput
end = max(STATS_max, 1e-9)
unit = time_unit(end)
interval = end / max(STATS_records - 1, 1)

failures = 0
array at[32]
array effective[32]
array ended[32]
array where[32]
array named[32]
stats 'failures.tsv' skip 1 using (failures = failures + 1, at[failures] = $1, \
    effective[failures] = $2, ended[failures] = $3, where[failures] = $4 + 1, \
    named[failures] = stringcolumn(5), $1) nooutput

panel = 150.0
height = 70 + wans * panel + 45
eval(sprintf(draw, 860, height, "throughput"))

set xrange [0:end / unit]
set yrange [-max(1.12 * bottom, 0.02 * largest) / scale:max(1.25 * top, 0.02 * largest) / scale]
step = nice(max(top + bottom, 1) / scale / 5)
unset ytics
set ytics nomirror ()
do for [i=0:int(top / scale / step)] { set ytics add (sprintf("%g", i * step) i * step) }
do for [i=1:int(bottom / scale / step)] { set ytics add (sprintf("%g", i * step) -i * step) }
set border 2
set style fill solid 1 noborder
set xzeroaxis linetype -1 linecolor rgb INK linewidth 0.7
set lmargin at screen 80.0 / 860
set rmargin at screen 840.0 / 860

set multiplot
do for [w=1:wans] {
    set tmargin at screen 1 - (60 + (w - 1) * panel) / height
    set bmargin at screen 1 - (60 + w * panel - 14) / height
    unset object
    unset label
    taken = 0.0
    do for [f=1:failures] {
        set object rectangle from at[f] / unit, graph 0 to ended[f] / unit, graph 1 \
            behind fillstyle solid 1 noborder fillcolor rgb (where[f] == w ? "#FBE3D3" : SHADE)
        if (where[f] == w) {
            set object rectangle from at[f] / unit, graph 0 to effective[f] / unit, graph 1 \
                behind fillstyle solid 1 noborder fillcolor rgb "#F0A878"
            # Its name, unless the one before is in the way: 8 points a letter.
            letters = strlen(named[f]) * 8.0 / 760 * end
            from = at[f] + letters < end ? at[f] : at[f] - letters
            if (from >= taken) {
                set label named[f] at from / unit, graph 0.92 left offset 0.4, 0 \
                    textcolor rgb "#803300" noenhanced front
                taken = from + letters
            }
        }
    }
    set label wan[w] at graph 0, graph 1.05 left offset 0.2, 0 \
        textcolor linetype w font "sans-serif,14" noenhanced front
    if (w == 1) {
        set label "Throughput per WAN, in ".scale_name at screen 0.012, screen 1 - 20.0 / height \
            left font "sans-serif,16" textcolor rgb INK
        set label "down above the line, up below it; shaded: failures, darker until traffic went another way; x: packets lost" \
            at screen 0.012, screen 1 - 38.0 / height left font "sans-serif,11" textcolor rgb "#777777"
    }
    set xtics format (w == wans ? "%g" : "")
    set xlabel (w == wans ? sprintf("time (%s)", time_name(end)) : "") textcolor rgb INK
    plot data skip 1 using ($1 / unit):(column(down(w)) / scale) with fillsteps linetype w notitle, \
         data skip 1 using ($1 / unit):(-column(up(w)) / scale) \
             with fillsteps linetype w fillstyle solid 0.55 notitle, \
         data skip 1 using (($1 + interval / 2) / unit):(column(lost(w)) > 0 ? 0 : NaN) \
             with points pointtype 2 pointsize 0.6 linewidth 1.5 linecolor rgb "#000000" notitle
}
unset multiplot
