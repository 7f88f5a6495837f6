/* Feeds damaged captures to the cursor, the merge and the trailers, under the sanitizers.
 *
 *     fuzz_capture SEED COUNT FILE...
 *
 * First every file is cut at each byte of its first packets; then COUNT mutations are made of files
 * picked at random. All memory handed over is of the exact size, so that one byte too far is seen.
 * Besides the sanitizers it holds the code to: packets lie in the file, a sliding window reads the
 * same as the whole, and reading ends. A failure names the seed and the run, which repeat it.
 */
#include "../capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILES_MAX = 4096,
    SEED_FILE_BYTES = 4096,  /* of a file's beginning: more would only be slow */
    CUT_PACKETS = 3,
    BATCH = 5,
    MUTATIONS_MAX = 8,
    FILE_BYTES_MAX = 1 << 16,
};

typedef struct {
    uint8_t *bytes;
    uint64_t size;
} image;

typedef struct {
    uint64_t packets;
    uint64_t hash;
    uint64_t error_offset;
    int32_t error;
    int32_t format;
} outcome;

static uint64_t seed, run, state;
static swc_cursor cursors[2];

static uint64_t next_random(void)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t below(uint64_t limit) { return limit ? next_random() % limit : 0; }

static void check(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "fuzz_capture: %s (seed %llu, run %llu)\n", what, (unsigned long long)seed,
            (unsigned long long)run);
    abort();
}

static uint8_t *exact_copy(const uint8_t *from, uint64_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    check(copy != NULL, "no memory");
    if (size)
        memcpy(copy, from, size);
    return copy;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(0x100000001b3);
}

static void touch(const uint8_t *base, uint64_t origin, uint64_t size, const swc_packet *packet,
                  outcome *o)
{
    const uint64_t first = packet->offset - origin;
    check(packet->offset >= origin && first <= size && packet->caplen_bytes <= size - first,
          "a packet outside of the window");
    uint64_t hash = mix(o->hash, packet->offset);
    hash = mix(hash, packet->timestamp_ns);
    hash = mix(hash, (uint64_t)packet->caplen_bytes << 32 | packet->wire_bytes);
    hash = mix(hash, (uint64_t)packet->link_type << 48 | packet->flags);
    for (uint32_t i = 0; i < packet->caplen_bytes; i++)
        hash = mix(hash, base[first + i]);
    o->hash = hash;
    o->packets++;
}

static outcome finish(const swc_cursor *cursor, outcome o)
{
    check(cursor->packet_count == o.packets, "packet_count is not what was returned");
    o.error = cursor->error;
    o.error_offset = cursor->error_offset;
    o.format = cursor->format;
    return o;
}

static outcome read_whole(const image *m)
{
    swc_cursor *cursor = &cursors[0];
    swc_packet packets[BATCH];
    outcome o = {0};
    int64_t count;
    swc_open(cursor, m->bytes, m->size, 1);
    while ((count = swc_next(cursor, packets, BATCH)) > 0)
        for (int64_t i = 0; i < count; i++)
            touch(m->bytes, 0, m->size, &packets[i], &o);
    check(count == (cursor->error ? SWC_FAILED : SWC_END), "a final window made it wait");
    check(swc_next(cursor, packets, BATCH) == count, "the end is not the end");
    return finish(cursor, o);
}

/* The same file through windows of their own memory, each as late as the cursor allows. */
static outcome read_sliding(const image *m)
{
    swc_cursor *cursor = &cursors[1];
    swc_packet packets[BATCH];
    outcome o = {0};
    uint64_t origin = 0, end = 0;
    const uint64_t step = 1 + m->size / 8 + below(m->size);
    uint8_t *window = exact_copy(m->bytes, 0);
    int64_t count = SWC_WAIT;
    swc_open(cursor, window, 0, 0);
    while ((count = swc_next(cursor, packets, BATCH)) >= 0) {
        for (int64_t i = 0; i < count; i++)
            touch(window, origin, end - origin, &packets[i], &o);
        if (count > 0)
            continue;
        const int final = end == m->size;
        check(!cursor->final, "a final window made it wait");
        origin = cursor->position;
        end = m->size - end < step ? m->size : end + step;
        uint8_t *larger = exact_copy(m->bytes + origin, end - origin);
        swc_window(cursor, larger, origin, end - origin, final);
        free(window);
        window = larger;
    }
    free(window);
    return finish(cursor, o);
}

/* Each packet alone in memory of its size, and some shortened, through the trailer kinds. */
static void read_trailers(const image *m)
{
    swc_trailer_state trailers = {0};
    swc_packet packets[BATCH];
    swc_trailer found;
    trailers.window_ns = next_random() % 2 ? UINT64_MAX : UINT64_C(86400) * 1000000000;
    trailers.kinds = (uint32_t)below(8);
    swc_open(&cursors[0], m->bytes, m->size, 1);
    const int64_t count = swc_next(&cursors[0], packets, BATCH);
    for (int64_t i = 0; i < count; i++) {
        swc_packet packet = packets[i];
        if (next_random() % 2)
            packet.caplen_bytes = packet.wire_bytes = (uint32_t)below(packet.caplen_bytes + 1u);
        const uint32_t caplen = packet.caplen_bytes;
        uint8_t *frame = exact_copy(m->bytes + packet.offset, caplen);
        const int kind = swc_trailer_read(&trailers, frame, &packet, &found);
        check(kind == found.kind && (kind & ~(int)trailers.kinds) == 0, "a kind nobody asked for");
        check(found.frame_bytes <= caplen && found.trailer_bytes <= caplen - found.frame_bytes,
              "a trailer outside of its frame");
        check(found.timestamp_ps < 1000, "more than 999 ps");
        free(frame);
    }
    if (count > 0)
        swc_trailer_apply(&trailers, m->bytes, 0, packets, count);
}

static void merge_with_itself(const image *m, uint64_t expected_packets)
{
    swc_packet ahead[2][2];
    swc_merge_source sources[2] = {{0}};
    swc_merged merged[BATCH];
    uint32_t heap[2];
    uint8_t packed[512];
    swc_merge merge;
    uint64_t total = 0, used;
    int64_t count;
    for (int i = 0; i < 2; i++) {
        swc_open(&cursors[i], m->bytes, m->size, 1);
        sources[i].cursor = &cursors[i];
        sources[i].ahead = ahead[i];
        sources[i].ahead_capacity = 2;
    }
    swc_merge_open(&merge, sources, heap, 2);
    while ((count = swc_merge_next(&merge, merged, BATCH)) > 0) {
        total += (uint64_t)count;
        swc_pack(m->bytes, 0, &merged[0].packet, 1, packed, sizeof packed, &used);
        check(used <= sizeof packed, "packed too much");
    }
    check(count == SWC_END && total == 2 * expected_packets, "the merge lost packets");
}

static void exercise(const uint8_t *bytes, uint64_t size)
{
    image m = {exact_copy(bytes, size), size};
    const outcome whole = read_whole(&m);
    const outcome sliding = read_sliding(&m);
    /* ERF has no magic: how sure one can be of it depends on how much of it there is. */
    const int erf = whole.format == SWC_FORMAT_ERF || sliding.format == SWC_FORMAT_ERF;
    if (!erf || whole.format == sliding.format)
        check(memcmp(&whole, &sliding, sizeof whole) == 0, "a sliding window reads otherwise");
    read_trailers(&m);
    if (run % 8 == 0)
        merge_with_itself(&m, whole.packets);
    free(m.bytes);
}

static void mutate_once(image *m)
{
    static const uint32_t odd[] = {
        0, 1, 2, 3, 4, 7, 8, 11, 12, 15, 16, 17, 27, 28, 31, 32, 0x7f, 0x80, 0xff, 0xffff,
        0x40000, 0x40001, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, 0x0a0d0d0a, 0x1a2b3c4d,
    };
    if (m->size < 4)
        return;
    uint8_t *at = m->bytes + below(m->size - 3);
    uint32_t value = odd[below(sizeof odd / sizeof *odd)];
    const uint64_t left = (uint64_t)(m->bytes + m->size - at);
    const uint64_t from = below(m->size), length = below(64);
    switch (below(7)) {
    case 0: at[0] ^= (uint8_t)(1 << below(8)); break;
    case 1: at[0] = (uint8_t)next_random(); break;
    case 2: value = __builtin_bswap32(value); /* fall through */
    case 3: memcpy(at, &value, sizeof value); break;
    case 4: at[0] = (uint8_t)(at[0] + below(9) - 4); break;
    case 5: m->size -= below(m->size < 64 ? m->size : 64); break;
    default:
        if (from + length <= m->size && length <= left)
            memmove(at, m->bytes + from, length);
    }
}

static void cut_everywhere(const image *m)
{
    swc_packet packets[CUT_PACKETS];
    swc_open(&cursors[0], m->bytes, m->size, 1);
    const int64_t count = swc_next(&cursors[0], packets, CUT_PACKETS);
    uint64_t end = m->size < 64 ? m->size : 64;
    if (count > 0)
        end = packets[count - 1].offset + packets[count - 1].caplen_bytes;
    for (uint64_t size = 0; size <= end; size++, run++)
        exercise(m->bytes, size);
}

static image load(const char *path)
{
    image m = {malloc(FILE_BYTES_MAX), 0};
    FILE *file = fopen(path, "rb");
    check(file != NULL && m.bytes != NULL, path);
    m.size = fread(m.bytes, 1, FILE_BYTES_MAX, file);
    fclose(file);
    return m;
}

int main(int argc, char **argv)
{
    static image files[FILES_MAX];
    if (argc < 4 || argc - 3 > FILES_MAX) {
        fprintf(stderr, "usage: fuzz_capture SEED COUNT FILE... (at most %d)\n", FILES_MAX);
        return 2;
    }
    seed = state = strtoull(argv[1], NULL, 10);
    const uint64_t count = strtoull(argv[2], NULL, 10);
    const int file_count = argc - 3;
    for (int i = 0; i < file_count; i++) {
        files[i] = load(argv[3 + i]);
        cut_everywhere(&files[i]);
    }
    const uint64_t cuts = run;
    for (run = 0; run < count; run++) {
        state = seed * UINT64_C(0x2545f4914f6cdd1d) + run; /* so that one run repeats alone */
        const image *file = &files[below((uint64_t)file_count)];
        uint8_t bytes[SEED_FILE_BYTES];
        image m = {bytes, file->size < SEED_FILE_BYTES ? file->size : SEED_FILE_BYTES};
        memcpy(bytes, file->bytes, m.size);
        for (uint64_t i = 1 + below(MUTATIONS_MAX); i > 0; i--)
            mutate_once(&m);
        exercise(m.bytes, m.size);
    }
    for (int i = 0; i < file_count; i++)
        free(files[i].bytes);
    printf("%d files, %llu cuts, %llu mutations\n", file_count, (unsigned long long)cuts,
           (unsigned long long)count);
    return 0;
}
