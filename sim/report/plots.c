/*
 * plots - a folder of pictures, drawn by gnuplot
 *
 *     DIR/throughput.tsv   the figures
 *     DIR/throughput.gp    a copy of the script, to be changed and run again
 *     DIR/throughput.svg   what it draws
 *     DIR/style.gp         what all scripts share
 *
 * and so on for every row of plot_tables[]. All are made in a folder of their own within
 * DIR and moved out when gnuplot has drawn the last one, so that DIR never holds half of
 * them. A picture that the result has no data for is not drawn, and one from an earlier
 * run is removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/report/human.h"
#include "sim/report/plots_parts.h"
#include "sim/report/report.h"

#ifndef ECMPLAB_DATADIR
#define ECMPLAB_DATADIR "/usr/local/share/ecmplab"
#endif

static const char *const script_folders[] = {ECMPLAB_DATADIR "/plots", "plots"};
static const char *const extensions[] = {"tsv", "gp", "svg"};
static const char style_file[] = "style.gp", log_file[] = "gnuplot.log";

enum { FILE_NAME_MAX = 64, EXTENSIONS = 3, EXIT_NO_GNUPLOT = 127 };

/* One call. */
struct drawing {
    const char *folder; /* DIR as given */
    char work[FILE_NAME_MAX];
    int folder_fd, work_fd;
    bool made; /* DIR was not there */
    char *error;
    size_t error_size;
};

/* False, and "cannot WHAT DIR/NAME: why". */
static bool fail(struct drawing *d, const char *what, const char *name)
{
    int code = errno;

    snprintf(d->error, d->error_size, "cannot %s %s%s%s: %s", what, d->folder,
             name ? "/" : "", name ? name : "", strerror(code));
    return false;
}

static void file_name(char name[FILE_NAME_MAX], const struct plot_table *t,
                      const char *extension)
{
    snprintf(name, FILE_NAME_MAX, "%s.%s", t->name, extension);
}

/* A new file in the work folder; NULL with errno. */
static FILE *create(const struct drawing *d, const char *name)
{
    int fd = openat(d->work_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    return fd < 0 ? NULL : fdopen(fd, "w");
}

static bool write_table(struct drawing *d, const json_t *result,
                        const struct plot_table *t, size_t *rows)
{
    char name[FILE_NAME_MAX];

    file_name(name, t, "tsv");
    FILE *out = create(d, name);
    if (!out)
        return fail(d, "write", name);
    *rows = t->write(result, out);
    bool ok = fflush(out) == 0;
    int code = errno;
    if (fclose(out) == 0 && ok)
        return true;
    errno = ok ? errno : code;
    return fail(d, "write", name);
}

/* BUILD/../plots, for a program that runs where it was built; "." when that is not known. */
static void folder_beside_program(char *folder, size_t size)
{
    static const char plots[] = "/../plots";
    const ssize_t n = readlink("/proc/self/exe", folder, size - sizeof plots);
    char *slash;

    if (n <= 0) {
        snprintf(folder, size, ".");
        return;
    }
    folder[n] = '\0';
    slash = strrchr(folder, '/');
    if (slash)
        memcpy(slash, plots, sizeof plots);
}

static FILE *open_script(const char *name)
{
    char beside[PATH_MAX];
    const char *const folders[] = {script_folders[0], script_folders[1], beside};

    folder_beside_program(beside, sizeof beside);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[PATH_MAX];
        FILE *in;

        if (snprintf(path, sizeof path, "%s/%s", folders[i], name) <
                (int)sizeof path &&
            (in = fopen(path, "re")))
            return in;
    }
    return NULL;
}

static bool copy_script(struct drawing *d, const char *name)
{
    char bytes[4096];
    size_t length;
    bool ok = true;
    FILE *in = open_script(name), *out;

    if (!in) {
        snprintf(d->error, d->error_size,
                 "cannot find the gnuplot script %s in %s ('make install' puts it there), ./%s"
                 " or where the program was built", name, script_folders[0], script_folders[1]);
        return false;
    }
    out = create(d, name);
    while (out && ok && (length = fread(bytes, 1, sizeof bytes, in)) > 0)
        ok = fwrite(bytes, 1, length, out) == length;
    ok = out && ok && !ferror(in);
    if (out && fclose(out) != 0)
        ok = false;
    if (!ok)
        fail(d, "write", name);
    fclose(in);
    return ok;
}

/* In the child: gnuplot without the user's own settings, speaking into the log. */
static void become_gnuplot(const struct drawing *d, const char *script)
{
    int log = -1, null = -1;

    if (fchdir(d->work_fd) == 0) {
        log = open(log_file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        null = open("/dev/null", O_RDONLY);
    }
    if (log < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(1);
    execlp("gnuplot", "gnuplot", "-d", script, (char *)NULL);
    _exit(errno == ENOENT ? EXIT_NO_GNUPLOT : 1);
}

/* What gnuplot complained of: the first line of its log that names one of the script. */
static void tell_complaint(struct drawing *d, const char *script)
{
    int fd = openat(d->work_fd, log_file, O_RDONLY | O_CLOEXEC);
    FILE *log = fd < 0 ? NULL : fdopen(fd, "r");
    char line[256] = "", *found = NULL;

    while (log && !found && fgets(line, sizeof line, log)) {
        line[strcspn(line, "\n")] = '\0';
        found = strstr(line, "warning") ? NULL : strstr(line, "line ");
    }
    snprintf(d->error, d->error_size, "gnuplot cannot draw %s: %s", script,
             human_name(found ? found : "it gives no reason", 160).text);
    if (log)
        fclose(log);
}

/* A picture that was written to its end. */
static bool is_whole(const struct drawing *d, const char *name)
{
    static const char end[] = "</svg>";
    char tail[64] = "";
    int fd = openat(d->work_fd, name, O_RDONLY | O_CLOEXEC);
    bool whole;

    if (fd < 0)
        return false;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size < (off_t)sizeof tail - 1 ? 0 : size - (off_t)sizeof tail + 1;
    whole = size > 0 && pread(fd, tail, sizeof tail - 1, from) > 0 && strstr(tail, end);
    close(fd);
    return whole;
}

static bool draw_picture(struct drawing *d, const struct plot_table *t)
{
    char script[FILE_NAME_MAX], picture[FILE_NAME_MAX];
    int status = 0;

    file_name(script, t, "gp");
    file_name(picture, t, "svg");
    if (!copy_script(d, script))
        return false;
    pid_t child = fork();
    if (child < 0)
        return fail(d, "start gnuplot for", script);
    if (child == 0)
        become_gnuplot(d, script);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return fail(d, "wait for gnuplot in", NULL);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_GNUPLOT) {
        snprintf(d->error, d->error_size,
                 "cannot draw %s: gnuplot is not installed, or not in PATH", d->folder);
        return false;
    }
    if (status == 0 && is_whole(d, picture))
        return true;
    tell_complaint(d, script);
    return false;
}

/* DIR itself and a folder for the work in it. */
static bool open_folders(struct drawing *d)
{
    d->made = mkdir(d->folder, 0777) == 0;
    if (!d->made && errno != EEXIST)
        return fail(d, "make", NULL);
    d->folder_fd = open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->folder_fd < 0)
        return fail(d, "open", NULL);
    snprintf(d->work, sizeof d->work, ".ecmplab-%ld.tmp", (long)getpid());
    if (mkdirat(d->folder_fd, d->work, 0700) != 0)
        return fail(d, "make", d->work);
    d->work_fd = openat(d->folder_fd, d->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return d->work_fd >= 0 ? true : fail(d, "open", d->work);
}

static bool make_files(struct drawing *d, const json_t *result)
{
    if (!copy_script(d, style_file))
        return false;
    for (const struct plot_table *t = plot_tables; t->name; t++) {
        size_t rows;

        if (!write_table(d, result, t, &rows))
            return false;
        if (t->has_picture && rows == 0) {
            char name[FILE_NAME_MAX];

            file_name(name, t, "tsv");
            unlinkat(d->work_fd, name, 0);
        } else if (t->has_picture && !draw_picture(d, t)) {
            return false;
        }
    }
    return true;
}

/* Out of the work folder, in place of what was there; what was not made goes. */
static bool move_file(struct drawing *d, const char *name)
{
    if (renameat(d->work_fd, name, d->folder_fd, name) == 0)
        return true;
    if (errno != ENOENT)
        return fail(d, "write", name);
    if (unlinkat(d->folder_fd, name, 0) != 0 && errno != ENOENT)
        return fail(d, "remove", name);
    return true;
}

static bool move_files(struct drawing *d)
{
    for (const struct plot_table *t = plot_tables; t->name; t++)
        for (size_t i = 0; i < EXTENSIONS; i++) {
            char name[FILE_NAME_MAX];

            file_name(name, t, extensions[i]);
            if ((t->has_picture || i == 0) && !move_file(d, name))
                return false;
        }
    return move_file(d, style_file);
}

static void clean_up(struct drawing *d, bool ok)
{
    for (const struct plot_table *t = plot_tables; t->name && d->work_fd >= 0; t++)
        for (size_t i = 0; i < EXTENSIONS; i++) {
            char name[FILE_NAME_MAX];

            file_name(name, t, extensions[i]);
            unlinkat(d->work_fd, name, 0);
        }
    if (d->work_fd >= 0) {
        unlinkat(d->work_fd, style_file, 0);
        unlinkat(d->work_fd, log_file, 0);
        close(d->work_fd);
        unlinkat(d->folder_fd, d->work, AT_REMOVEDIR);
    }
    if (d->folder_fd >= 0)
        close(d->folder_fd);
    if (!ok && d->made)
        rmdir(d->folder);
}

bool report_draw_plots(const json_t *result, const char *folder, char *error, size_t n)
{
    struct drawing d = {.folder = folder,
                        .folder_fd = -1,
                        .work_fd = -1,
                        .error = error,
                        .error_size = n};
    bool ok = open_folders(&d) && make_files(&d, result) && move_files(&d);

    clean_up(&d, ok);
    return ok;
}
