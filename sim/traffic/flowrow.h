/*
 * flowrow - one connection of a flow list: columns of text made into a demand
 *
 * A format is one row of a table: how its lines are cut into columns, and what these are called.
 *
 *     csv         time,src,sport,dst,dport,proto,bytes_up,bytes_down,packets_up,packets_down,duration
 *     zeek-tsv    conn.log of Zeek: #fields names the columns, "-" is unset
 *     zeek-json   the same as JSON, an object a line
 *     nfdump-csv  nfdump -o csv: ts,te,td,sa,da,sp,dp,pr,flg,...,ipkt,ibyt,opkt,obyt,...
 *
 * Times are seconds since 1970 with a fraction, or "2020-06-05 14:59:59.305" (also with T and Z),
 * taken as UTC. Bytes with packets beside them are those of IP packets; without packets they
 * are payload, which is put into full packets.
 *
 * Sources: Zeek, base/protocols/conn/main.zeek (Conn::Info); nfdump(1), output format csv.
 */
#ifndef ECMPLAB_FLOWROW_H
#define ECMPLAB_FLOWROW_H

#include "sim/traffic/demand.h"

enum flow_column {
    FLOW_TIME,
    FLOW_SRC,
    FLOW_SPORT,
    FLOW_DST,
    FLOW_DPORT,
    FLOW_PROTO,
    FLOW_DURATION,
    FLOW_BYTES_UP, /* of IP packets, where there are packets */
    FLOW_BYTES_DOWN,
    FLOW_PACKETS_UP,
    FLOW_PACKETS_DOWN,
    FLOW_PAYLOAD_UP, /* without headers */
    FLOW_PAYLOAD_DOWN,
    FLOW_FLAGS, /* TCP's that were seen, in letters */
    FLOW_COLUMNS
};

/* Text of one line; NULL or empty: unset. */
struct flowrow {
    const char *columns[FLOW_COLUMNS];
};

enum flow_syntax { FLOW_COMMA, FLOW_TAB, FLOW_JSON };

struct flow_format {
    const char *name;
    const char *about;
    uint8_t syntax;                    /* enum flow_syntax */
    bool strict;                       /* other columns than these are mistakes */
    const char *columns[FLOW_COLUMNS]; /* NULL: it has no such column */
};

enum { FLOW_FORMATS = 4 };
extern const struct flow_format flow_formats[FLOW_FORMATS];

enum flowrow_result {
    FLOWROW_OK,
    FLOWROW_OTHER, /* neither TCP nor UDP */
    FLOWROW_WRONG, /* `error` says why */
};

/* start_ns is as written: nanoseconds since 1970. */
enum flowrow_result flowrow_read(const struct flow_format *f, const struct flowrow *row,
                                 struct demand *d, char *error, size_t error_size);

#endif
