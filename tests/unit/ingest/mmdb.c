/*
 * Search tree (two records of 24 bits a node), 16 zero bytes, data, and the metadata behind its mark. A record is the number of
 * a node, node count: nothing, or beyond it: node count + 16 + offset in the data.
 */
#include "mmdb.h"
#include "test.h"

#include <arpa/inet.h>
#include <stdio.h>

#define MAX_NODES 1024

enum {
    TEXT = 2,
    UINT16 = 5,
    UINT32 = 6,
    MAP = 7,
    UINT64 = 9,
    ARRAY = 11,
};

struct tree {
    uint32_t records[MAX_NODES]
                    [2]; /* 0: nothing; odd: a node, 2 * number + 1; even: 2 * offset + 2 */
    unsigned n;
};

static void control(struct buf *out, int type, size_t size)
{
    assert_true(size < 29);
    buf_append_byte(out, (uint8_t)((type > 7 ? 0 : type << 5) | (int)size));
    if (type > 7)
        buf_append_byte(out, (uint8_t)(type - 7));
}

static void text(struct buf *out, const char *value)
{
    control(out, TEXT, strlen(value));
    buf_append_str(out, value);
}

static void number(struct buf *out, int type, uint32_t value)
{
    control(out, type, 4 - (type == UINT16 ? 2 : 0));
    for (int shift = type == UINT16 ? 8 : 24; shift >= 0; shift -= 8)
        buf_append_byte(out, (uint8_t)(value >> shift));
}

static void place(struct buf *out, const struct mmdb_place *p)
{
    control(out, MAP, 3);
    text(out, "country");
    control(out, MAP, 1);
    text(out, "iso_code");
    text(out, p->country);
    text(out, "subdivisions");
    control(out, ARRAY, 1);
    control(out, MAP, 1);
    text(out, "iso_code");
    text(out, p->region);
    text(out, "city");
    control(out, MAP, 1);
    text(out, "names");
    control(out, MAP, 1);
    text(out, "en");
    text(out, p->city);
}

static void add(struct tree *tree, const struct mmdb_place *p, size_t offset)
{
    uint8_t address[16] = {0};
    bool v6 = strchr(p->network, ':') != NULL;
    assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, p->network, v6 ? address : address + 12),
                     1);
    unsigned node = 0;
    for (int bit = 0; bit < p->bits; bit++) {
        uint32_t *record = &tree->records[node][address[bit / 8] >> (7 - bit % 8) & 1];
        if (bit + 1 == p->bits)
            *record = 2 * (uint32_t)offset + 2;
        else if (*record == 0)
            *record = 2 * tree->n++ + 1;
        assert_true(tree->n < MAX_NODES);
        node = *record / 2;
    }
}

static void write_tree(struct buf *out, const struct tree *tree)
{
    for (unsigned i = 0; i < 2 * tree->n; i++) {
        uint32_t record = tree->records[i / 2][i % 2];
        uint32_t value = record == 0  ? tree->n
                         : record % 2 ? record / 2
                                      : tree->n + 16 + (record - 2) / 2;
        for (int shift = 16; shift >= 0; shift -= 8)
            buf_append_byte(out, (uint8_t)(value >> shift));
    }
}

static void write_metadata(struct buf *out, unsigned n_nodes)
{
    buf_append_str(out, "\xab\xcd\xefMaxMind.com");
    control(out, MAP, 9);
    text(out, "node_count");
    number(out, UINT32, n_nodes);
    text(out, "record_size");
    number(out, UINT16, 24);
    text(out, "ip_version");
    number(out, UINT16, 6);
    text(out, "database_type");
    text(out, "Test-City");
    text(out, "languages");
    control(out, ARRAY, 1);
    text(out, "en");
    text(out, "binary_format_major_version");
    number(out, UINT16, 2);
    text(out, "binary_format_minor_version");
    number(out, UINT16, 0);
    text(out, "build_epoch");
    number(out, UINT64, 1700000000);
    text(out, "description");
    control(out, MAP, 0);
}

void mmdb_write(const char *path, const struct mmdb_place *places, unsigned n)
{
    static const uint8_t gap[16];
    struct tree tree = {.n = 1};
    struct buf data _cleanup_(buf_deinit) = {0}, out _cleanup_(buf_deinit) = {0};
    for (unsigned i = 0; i < n; i++) {
        add(&tree, &places[i], data.size);
        place(&data, &places[i]);
    }
    write_tree(&out, &tree);
    buf_append(&out, gap, sizeof(gap));
    buf_append_slice(&out, buf_slice(&data));
    write_metadata(&out, tree.n);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(out.data, 1, out.size, file), out.size);
    assert_int_equal(fclose(file), 0);
}
