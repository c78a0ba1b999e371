#include "columns.h"
#include "json.h"

#include <stdlib.h>

#define MAX_PATH_BYTES 1024

/* ---- the header and its map ---- */

/* The map's line for this header; false: it says nothing of it. */
static bool mapped(const char *map, struct slice header, struct slice *path)
{
    while (map && *map) {
        size_t size = strcspn(map, ",\r\n");
        const char *equals = memchr(map, '=', size);
        if (equals && slice_equal(slice_make(map, (size_t)(equals - map)), header)) {
            *path = slice_make(equals + 1, size - (size_t)(equals - map) - 1);
            return true;
        }
        map += size;
        map += strspn(map, ",\r\n");
    }
    return false;
}

/* Two columns of one path, or one that leads through another's value. a stands before b. */
static bool clash(const char *a, const char *b)
{
    size_t size = strlen(a);
    return strncmp(a, b, size) == 0 && (b[size] == '\0' || b[size] == '.');
}

static bool path_valid(struct slice path)
{
    bool name = false;
    for (size_t i = 0; i < path.size; i++) {
        if (path.data[i] == '.' && !name)
            return false;
        name = path.data[i] != '.';
    }
    return name && path.size < MAX_PATH_BYTES && utf8_valid(path);
}

static int by_path(const void *a, const void *b)
{
    const struct column *left = a, *right = b;
    return strcmp(left->path, right->path);
}

static int add_column(struct columns *columns, struct slice header, unsigned cell, const char *map,
                      struct arena *arena, struct err *err)
{
    static const char suffix[] = ":text";
    size_t cut = sizeof(suffix) - 1;
    struct slice path = header;
    bool text = false;
    if (mapped(map, header, &path)) {
        if (!path.size)
            return 0;
        text = path.size > cut && memcmp(path.data + path.size - cut, suffix, cut) == 0;
        path.size -= text ? cut : 0;
    }
    if (!path_valid(path))
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                       "column %u: '%.*s' is no path in an event", cell + 1, (int)path.size,
                       (const char *)path.data);
    const char *copy = arena_str(arena, path);
    if (!copy)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory");
    columns->list[columns->n++] = (struct column){copy, cell, text};
    return 0;
}

int columns_parse(struct columns *columns, char *header, size_t size, const char *map,
                  struct arena *arena, struct err *err)
{
    struct slice cells[CSV_MAX_COLUMNS];
    int n = csv_record_parse(cells, header, size, err);
    if (n <= 0)
        return n < 0 ? n
                     : err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                               "the first line names no columns");
    *columns = (struct columns){.n_cells = (unsigned)n};
    for (unsigned i = 0; i < (unsigned)n; i++) {
        int status = add_column(columns, cells[i], i, map, arena, err);
        if (status < 0)
            return status;
    }
    qsort(columns->list, columns->n, sizeof(columns->list[0]), by_path);
    for (unsigned i = 0; i < columns->n; i++)
        for (unsigned j = i + 1; j < columns->n; j++)
            if (clash(columns->list[i].path, columns->list[j].path))
                return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                               "the columns %u and %u clash: %s and %s", columns->list[i].cell + 1,
                               columns->list[j].cell + 1, columns->list[i].path,
                               columns->list[j].path);
    return 0;
}

/* ---- rows ---- */

static bool is_free(const char *path)
{
    return strncmp(path, "properties.", 11) == 0 || strncmp(path, "traits.", 7) == 0;
}

/* Whether the cell stands in the event as it is. */
static bool is_json(const struct column *column, struct slice cell)
{
    struct json_reader r = json_reader_make(cell, NULL);
    struct slice whole;
    if (column->text || !is_free(column->path))
        return false;
    int type = json_reader_type(&r);
    return type >= 0 && type != JSON_STRING && type != JSON_NULL &&
           json_reader_value(&r, &whole) >= 0 && whole.size == cell.size;
}

/* How many bytes of the two paths are the same names of objects: "a.b.c" and "a.b.d" share "a.b.". */
static size_t shared(const char *a, const char *b)
{
    size_t n = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == '.')
            n = i + 1;
    return n;
}

static void close_objects(struct json_writer *w, const char *from)
{
    for (; *from; from++)
        if (*from == '.')
            json_end_object(w);
}

/* Opens the objects that lead to the member, and writes its name. */
static void open_member(struct json_writer *w, const char *path, char *name)
{
    for (size_t size = strcspn(path, "."); path[size]; size = strcspn(path, ".")) {
        memcpy(name, path, size);
        name[size] = '\0';
        json_key(w, name);
        json_begin_object(w);
        path += size + 1;
    }
    json_key(w, path);
}

static void write_cells(const struct columns *columns, const struct slice *cells,
                        struct json_writer *w, char *name)
{
    const char *before = "";
    for (unsigned i = 0; i < columns->n; i++) {
        const struct column *column = &columns->list[i];
        struct slice cell = cells[column->cell];
        if (!cell.size)
            continue;
        size_t same = shared(before, column->path);
        close_objects(w, before + same);
        open_member(w, column->path + same, name);
        if (is_json(column, cell))
            json_write_raw(w, cell);
        else
            json_write_slice(w, cell);
        before = column->path;
    }
    close_objects(w, before);
}

static bool fills(const struct columns *columns, const struct slice *cells, const char *path)
{
    for (unsigned i = 0; i < columns->n; i++)
        if (strcmp(columns->list[i].path, path) == 0)
            return cells[columns->list[i].cell].size > 0;
    return false;
}

int columns_write(const struct columns *columns, const struct slice *cells, unsigned n,
                  const char *id_path, const char *id, struct buf *out, struct err *err)
{
    char name[MAX_PATH_BYTES];
    if (n != columns->n_cells)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                       "it has %u columns, the header has %u", n, columns->n_cells);
    struct json_writer w = json_writer_make(out);
    json_begin_object(&w);
    if (!fills(columns, cells, id_path)) {
        json_key(&w, id_path);
        json_write_str(&w, id);
    }
    write_cells(columns, cells, &w, name);
    json_end_object(&w);
    return 0;
}
