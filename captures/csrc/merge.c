/* Several captures as one, by time: a binary heap of inputs, keyed by the time of their next packet
 * and then by their index, so that equal times come out in the order of the inputs. */
#include "bytes.h"

void swc_merge_open(swc_merge *merge, swc_merge_source *sources, uint32_t *heap,
                    int64_t source_count)
{
    memset(merge, 0, sizeof *merge);
    merge->sources = sources;
    merge->heap = heap;
    merge->source_count = source_count;
    merge->waiting = -1;
    for (int64_t i = 0; i < source_count; i++) {
        sources[i].ahead_begin = 0;
        sources[i].ahead_end = 0;
        sources[i].result = SWC_WAIT;
    }
}

static int before(const swc_merge *merge, uint32_t a, uint32_t b)
{
    const swc_merge_source *x = &merge->sources[a];
    const swc_merge_source *y = &merge->sources[b];
    const uint64_t x_ns = x->ahead[x->ahead_begin].timestamp_ns;
    const uint64_t y_ns = y->ahead[y->ahead_begin].timestamp_ns;
    return x_ns < y_ns || (x_ns == y_ns && a < b);
}

static void sift_down(swc_merge *merge)
{
    uint32_t *heap = merge->heap;
    const uint32_t moving = heap[0];
    int64_t hole = 0;
    for (;;) {
        int64_t child = 2 * hole + 1;
        if (child >= merge->heap_count)
            break;
        if (child + 1 < merge->heap_count && before(merge, heap[child + 1], heap[child]))
            child++;
        if (!before(merge, heap[child], moving))
            break;
        heap[hole] = heap[child];
        hole = child;
    }
    heap[hole] = moving;
}

static void push(swc_merge *merge, uint32_t source)
{
    int64_t hole = merge->heap_count++;
    while (hole > 0 && before(merge, source, merge->heap[(hole - 1) / 2])) {
        merge->heap[hole] = merge->heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    merge->heap[hole] = source;
}

/* Makes sure that an input has a packet at hand: 1, or why it has none. */
static int64_t fill(swc_merge *merge, uint32_t index)
{
    swc_merge_source *source = &merge->sources[index];
    if (source->ahead_begin < source->ahead_end)
        return 1;
    const int64_t count = swc_next(source->cursor, source->ahead, source->ahead_capacity);
    if (count > 0) {
        if (source->trailer)
            swc_trailer_apply(source->trailer, source->cursor->base, source->cursor->origin,
                              source->ahead, count);
        source->ahead_begin = 0;
        source->ahead_end = count;
        return 1;
    }
    if (count == SWC_WAIT) {
        merge->waiting = index;
        return SWC_WAIT;
    }
    source->result = (int32_t)count;
    merge->failed_count += count == SWC_FAILED;
    return count;
}

/* No packet may leave before every input has shown its first. */
static int all_entered(swc_merge *merge)
{
    while (merge->entered < merge->source_count) {
        const uint32_t index = (uint32_t)merge->entered;
        const int64_t filled = fill(merge, index);
        if (filled == SWC_WAIT)
            return 0;
        merge->entered++;
        if (filled > 0)
            push(merge, index);
    }
    return 1;
}

/* The top input gave its packet away last time: give it its next one, or take it out. */
static int top_ready(swc_merge *merge)
{
    while (merge->heap_count > 0) {
        const swc_merge_source *top = &merge->sources[merge->heap[0]];
        if (top->ahead_begin < top->ahead_end)
            return 1;
        const int64_t filled = fill(merge, merge->heap[0]);
        if (filled == SWC_WAIT)
            return 0;
        if (filled < 0)
            merge->heap[0] = merge->heap[--merge->heap_count];
        if (merge->heap_count > 0)
            sift_down(merge);
    }
    return 0;
}

int64_t swc_merge_next(swc_merge *merge, swc_merged *out, int64_t max)
{
    int64_t n = 0;
    merge->waiting = -1;
    if (!all_entered(merge))
        return SWC_WAIT;
    while (n < max && top_ready(merge)) {
        const uint32_t index = merge->heap[0];
        swc_merge_source *source = &merge->sources[index];
        out[n].packet = source->ahead[source->ahead_begin++];
        out[n].source = index;
        out[n].reserved = 0;
        n++;
        if (source->ahead_begin < source->ahead_end)
            sift_down(merge);
    }
    if (n > 0)
        return n;
    return merge->heap_count > 0 || max <= 0 ? SWC_WAIT : SWC_END;
}
