#include "sim/report/page.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "sim/report/human.h"

enum { TEXT_MAX = 4096, HANG_MAX = 40 };

static const char *const escapes[TONES] = {
    [TONE_PLAIN] = "",         [TONE_BOLD] = "\033[1m", [TONE_GOOD] = "\033[1;32m",
    [TONE_BAD] = "\033[1;31m", [TONE_ODD] = "\033[33m",
};

static void print_toned(struct page *p, enum tone tone, const char *text, size_t length)
{
    bool toned = p->colour && tone != TONE_PLAIN && length > 0;

    fprintf(p->out, "%s%.*s%s", toned ? escapes[tone] : "", (int)length, text,
            toned ? "\033[0m" : "");
}

void page_tone(struct page *p, enum tone tone, const char *text)
{
    print_toned(p, tone, text, strlen(text));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How many bytes of the text go on a line with this much room; at least one character. */
static size_t line_length(const char *text, size_t room)
{
    size_t at = 0, used = 0, columns, length, breaks = 0, breaks_at_digit = 0;

    for (; (length = human_character(text + at, &columns)) > 0; at += length) {
        if (text[at] == ' ' && at > 0 && !is_digit(text[at - 1]))
            breaks = at;
        else if (text[at] == ' ' && at > 0)
            breaks_at_digit = at;
        if (used + columns > room && at > 0)
            return breaks > 0 ? breaks : breaks_at_digit > 0 ? breaks_at_digit : at;
        used += columns;
    }
    return at;
}

/* The text from a column on, without its indentation. */
static void print_wrapped(struct page *p, enum tone tone, size_t column, size_t hang,
                          const char *text)
{
    if (hang > HANG_MAX)
        hang = HANG_MAX;
    for (;;) {
        size_t length = line_length(text, PAGE_COLUMNS - column), shown = length;

        while (shown > 0 && text[shown - 1] == ' ')
            shown--;
        print_toned(p, tone, text, shown);
        fputc('\n', p->out);
        text += length;
        text += strspn(text, " ");
        if (!*text)
            return;
        fprintf(p->out, "%*s", (int)hang, "");
        column = hang;
    }
}

void page_head(struct page *p, const char *title)
{
    fputc('\n', p->out);
    page_line(p, TONE_BOLD, 0, "%s", title);
}

void page_line(struct page *p, enum tone tone, unsigned hang, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list values;

    va_start(values, format);
    if (vsnprintf(text, sizeof text, format, values) < 0)
        text[0] = '\0';
    va_end(values);
    size_t spaces = strspn(text, " "), indent = spaces < HANG_MAX ? spaces : HANG_MAX;
    if (text[spaces])
        fprintf(p->out, "%*s", (int)indent, "");
    print_wrapped(p, tone, indent, hang, text + spaces);
}

void page_marked(struct page *p, enum tone tone, const char *mark, unsigned hang,
                 const char *format, ...)
{
    char text[TEXT_MAX];
    size_t columns = human_columns(mark), indent = strspn(mark, " ");
    va_list values;

    va_start(values, format);
    if (vsnprintf(text, sizeof text, format, values) < 0)
        text[0] = '\0';
    va_end(values);
    fprintf(p->out, "%*s", (int)indent, "");
    print_toned(p, tone, mark + indent, strlen(mark + indent));
    size_t spaces = strspn(text, " ");
    if (columns < hang && text[spaces])
        fprintf(p->out, "%*s", (int)(hang - columns), "");
    print_wrapped(p, TONE_PLAIN, columns < hang ? hang : columns, hang, text + spaces);
}

void page_list_add(struct page_list *l, const char *format, ...)
{
    enum { CUT = 8 }; /* room for ", .." */
    size_t room = sizeof l->text - l->length - CUT;
    const char *comma = l->length > 0 ? ", " : "";
    char word[1024];
    va_list values;

    if (l->full)
        return;
    va_start(values, format);
    if (vsnprintf(word, sizeof word, format, values) < 0)
        word[0] = '\0';
    va_end(values);
    l->full = strlen(comma) + strlen(word) >= room;
    l->length += (size_t)snprintf(l->text + l->length, sizeof l->text - l->length, "%s%s",
                                  comma, l->full ? ".." : word);
}
