# The public address of each named host over time, coloured by its WAN.
#
#     cd DIR && gnuplot addresses.gp
#
# addresses.tsv   lane, from, to, wan, address (wan -1: changes that are not listed)
# lanes.tsv       lane, sensitive, name: one a host, sensitive hosts first
# failures.tsv    at, effective_at, ended_at, wan, name

load 'style.gp'

data = 'addresses.tsv'
stats 'lanes.tsv' skip 1 using 1 nooutput
lanes = int(STATS_records)
array host[lanes]
stats 'lanes.tsv' skip 1 using (host[int($1) + 1] = stringcolumn(3).(int($2) ? " *" : ""), $1) nooutput
longest = 4
do for [i=1:lanes] { longest = max(longest, strlen(host[i])) }

stats data skip 1 using 3 nooutput
end = max(STATS_max, 1e-9)
unit = time_unit(end)

failures = 0
array at[32]
array ended[32]
array named[32]
stats 'failures.tsv' skip 1 using (failures = failures + 1, at[failures] = $1, \
    ended[failures] = $3, named[failures] = stringcolumn(5), $1) nooutput

legend = wans > 6 ? 20 : 0
height = 165 + legend + 36 * lanes
eval(sprintf(draw, 860, height, "addresses"))

set lmargin at screen (30.0 + 8 * longest) / 860
set rmargin at screen 840.0 / 860
set tmargin at screen 1 - 70.0 / height
set bmargin at screen (95.0 + legend) / height
set label "Public address of each host" at screen 0.012, screen 1 - 20.0 / height \
    left font "sans-serif,16" textcolor rgb INK
set label "coloured by WAN; *: sensitive, must keep its address; shaded: failures" \
    at screen 0.012, screen 1 - 38.0 / height left font "sans-serif,11" textcolor rgb "#777777"

# Letters are about 7 points wide: names and addresses are written where they fit.
room = 860 - 50 - 8.0 * longest
width(text) = 7.0 * strlen(text) / room * end
fits(from, to, text) = to - from > 1.1 * width(text) ? text : ""

taken = 0.0
do for [f=1:failures] {
    set object rectangle from at[f] / unit, graph 0 to ended[f] / unit, graph 1 \
        behind fillstyle solid 1 noborder fillcolor rgb SHADE
    from = min(at[f], end - width(named[f]))
    if (from >= taken) {
        set label named[f] at from / unit, graph 1 left offset 0.2, 0.5 textcolor rgb "#777777" \
            font "sans-serif,11" noenhanced
        taken = from + width(named[f])
    }
}
unset grid
set border 1
set xrange [0:end / unit]
set yrange [lanes - 0.4:-0.6]
set xlabel sprintf("time (%s)", time_name(end)) textcolor rgb INK
set ytics scale 0 ()
do for [i=1:lanes] { set ytics add (host[i] i - 1) }
set key at screen 0.5, screen 16.0 / height center bottom horizontal Left reverse samplen 1.5

# Colours that white letters can be read on.
is_dark(w) = w >= 0 && strstrt("0257", sprintf("%d", int(w) % 8)) > 0

plot for [w=1:wans] data skip 1 \
         using (int($4) + 1 == w ? $2 / unit : NaN):1:($2 / unit):($3 / unit):($1 - 0.32):($1 + 0.32) \
         with boxxyerror linetype w title wan[w], \
     data skip 1 using (int($4) < 0 ? $2 / unit : NaN):1:($2 / unit):($3 / unit):($1 - 0.32):($1 + 0.32) \
         with boxxyerror linecolor rgb "#BBBBBB" notitle, \
     data skip 1 using (is_dark($4) ? ($2 + $3) / 2 / unit : NaN):1:(fits($2, $3, stringcolumn(5))) \
         with labels textcolor rgb "white" font "sans-serif,11" notitle, \
     data skip 1 using (is_dark($4) ? NaN : ($2 + $3) / 2 / unit):1:(fits($2, $3, stringcolumn(5))) \
         with labels textcolor rgb "black" font "sans-serif,11" notitle
