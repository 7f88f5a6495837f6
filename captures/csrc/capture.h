/* Capture files as a stream of packets, read in place from memory.
 *
 * A cursor walks one file image (a memory map, or a window that slides along a pipe). It allocates
 * nothing, copies nothing and never reads outside the window it was given. Times are ns since the
 * epoch. Formats: pcap (us and ns magic, both byte orders), pcapng (sections, interfaces,
 * if_tsresol, if_tsoffset, enhanced, simple and obsolete packet blocks) and ERF.
 *
 * Implemented by capture.c, pcapng.c, erf.c, merge.c, trailer.c and pack.c of this folder: compile
 * what you call, and the first three together (captures.build_capture.C_SOURCES lists them).
 * Between the two `cffi` lines this file is also the declaration that Python reads, so it keeps to
 * plain C there.
 */
#ifndef SWEEPWIRE_CAPTURE_H
#define SWEEPWIRE_CAPTURE_H

#include <stdint.h>

/* cffi: begin */

/* One packet, as the cursor reports it (32 bytes, mirrored by captures.records.PACKET_DTYPE). */
typedef struct {
    uint64_t offset;        /* of the first captured byte, from the start of the file image */
    uint64_t timestamp_ns;  /* since the epoch */
    uint32_t caplen_bytes;
    uint32_t wire_bytes;    /* length on the wire before the snap length cut it */
    uint16_t link_type;     /* LINKTYPE_ number: 1 Ethernet, 101/228 raw IP, 113 SLL, 276 SLL2 */
    uint16_t interface_id;
    uint32_t flags;         /* SWC_PACKET_* */
} swc_packet;

enum swc_packet_flag {
    SWC_PACKET_CUT = 1,            /* caplen_bytes < wire_bytes */
    SWC_PACKET_BAD_FRAME = 2,      /* the capture device reported an error in this frame */
    SWC_PACKET_HW_TIMESTAMP = 4,   /* the time is the capture device's, not the kernel's */
    SWC_PACKET_NO_TIMESTAMP = 8,   /* the record carries none (pcapng simple packet): 0 */
    SWC_PACKET_TIME_CLAMPED = 16,  /* before 1970 or after 2554: clamped to what ns in u64 holds */
    SWC_PACKET_FCS_SHIFT = 16,     /* flags >> 16 & 15: bytes of FCS at the end, 0 unknown */
};

enum swc_format {
    SWC_FORMAT_UNKNOWN = 0,
    SWC_FORMAT_PCAP_USEC_LE = 1,
    SWC_FORMAT_PCAP_USEC_BE = 2,
    SWC_FORMAT_PCAP_NSEC_LE = 3,
    SWC_FORMAT_PCAP_NSEC_BE = 4,
    SWC_FORMAT_PCAPNG = 5,
    SWC_FORMAT_ERF = 6,
};

enum swc_error {
    SWC_OK = 0,
    SWC_ERROR_EMPTY = 1,              /* the file has no bytes */
    SWC_ERROR_TEXT = 2,               /* a text file */
    SWC_ERROR_UNKNOWN_FORMAT = 3,
    SWC_ERROR_VERSION = 4,            /* the right magic, a version nobody writes any more */
    SWC_ERROR_TRUNCATED = 5,          /* the last record is cut: value = bytes there, limit = all */
    SWC_ERROR_LENGTH = 6,             /* impossible length: value = found, limit = most allowed */
    SWC_ERROR_INTERFACE = 7,          /* pcapng packet of an interface (value) never described */
    SWC_ERROR_TOO_MANY_INTERFACES = 8,
    SWC_ERROR_BYTE_ORDER = 9,         /* a pcapng section without a byte-order magic */
    SWC_ERROR_WINDOW = 10,            /* swc_window was given one without the next record's start */
};

/* What swc_next and swc_merge_next return when there is no packet (as in port.h). */
enum swc_result {
    SWC_WAIT = 0,     /* nothing now: the window must grow or slide first (never when final) */
    SWC_END = -1,     /* nothing more will ever come, and all was well */
    SWC_FAILED = -2,  /* nothing more will ever come: cursor->error says why and where */
};

enum swc_limit {
    SWC_INTERFACES_MAX = 1024,           /* pcapng interfaces a section */
    SWC_CAPLEN_MAX_BYTES = 262144,       /* unless the file's snap length asks for more */
    SWC_SNAPLEN_MAX_BYTES = 16777216,    /* a larger snap length is taken as "no limit" */
    SWC_RECORD_MAX_BYTES = 33554432,     /* the window of a pipe must be able to hold this much */
};

/* One interface of the section at hand (pcap and ERF have one). */
typedef struct {
    int64_t offset_s;       /* if_tsoffset: seconds to add */
    uint64_t scale;         /* tsresol 10^-n: factor (n <= 9) or divisor (n > 9); 2^-n: n */
    uint32_t caplen_max_bytes;
    uint32_t snaplen_bytes;
    uint16_t link_type;
    uint8_t scale_kind;     /* 0 multiply, 1 divide, 2 binary fraction of a second */
    uint8_t fcs_bytes;      /* 0 when unknown */
} swc_interface;

/* A place in one capture. Offsets count from the start of the file, also when the window slides. */
typedef struct {
    const uint8_t *base;    /* the window: size_bytes of the file from offset `origin` on */
    uint64_t origin;
    uint64_t size_bytes;
    uint64_t position;      /* offset of the next record */
    uint64_t packet_count;
    uint64_t skipped_count; /* records that are no packets: unknown blocks, statistics, padding */
    uint64_t error_offset;  /* of the record that is wrong */
    uint64_t error_value;
    uint64_t error_limit;
    int32_t format;         /* enum swc_format; UNKNOWN until enough bytes were seen */
    int32_t error;          /* enum swc_error */
    int32_t final;          /* no more bytes will come: a partial record is truncated */
    int32_t swapped;        /* the section's byte order is not this machine's */
    uint32_t section_count;
    uint32_t interface_count;
    swc_interface interfaces[SWC_INTERFACES_MAX];
} swc_cursor;

/* Starts at the first byte of a capture. The window need not hold the whole file unless `final`. */
void swc_open(swc_cursor *cursor, const void *base, uint64_t size_bytes, int final);

/* Gives the cursor a new window, which must begin at or before cursor->position. */
void swc_window(swc_cursor *cursor, const void *base, uint64_t origin, uint64_t size_bytes,
                int final);

/* Reads up to max packets. Returns their number (> 0), or SWC_WAIT, SWC_END or SWC_FAILED. Packets
 * before an error are returned first. Packet data is at base + (offset - origin). */
int64_t swc_next(swc_cursor *cursor, swc_packet *out, int64_t max);

/* Short names: "pcap-nsec-LE", "pcapng"; and an error as words without file or offset. */
const char *swc_format_name(int format);
const char *swc_error_text(int error);

enum swc_trailer_kind {
    SWC_TRAILER_NONE = 0,
    SWC_TRAILER_METAWATCH = 1,       /* Metamako / Arista 7130: 16 bytes, and its extensions */
    SWC_TRAILER_EXABLAZE_HPT = 2,    /* Exablaze Fusion HPT / Cisco 3550: 16 bytes, picoseconds */
    SWC_TRAILER_EXABLAZE_COUNTER = 4,/* Fusion: 32-bit counter of 350 MHz, mapped by key frames */
};

/* What a capture device appended to one frame. */
typedef struct {
    uint64_t timestamp_ns;
    uint32_t timestamp_ps;  /* 0..999, beyond timestamp_ns */
    uint32_t original_fcs;
    uint32_t frame_bytes;   /* the frame without FCS and trailer, padding included */
    uint32_t trailer_bytes; /* original FCS to the end of the trailer */
    uint16_t kind;          /* one of swc_trailer_kind, 0 none */
    uint16_t device;
    uint16_t port;
    uint16_t flags;         /* the device's own */
} swc_trailer;

/* How to look for trailers, and what the counter form has learnt from the last key frame. Set
 * `kinds` and `window_ns`, zero the rest. */
typedef struct {
    uint64_t window_ns;        /* a time further than this from the capture's is padding */
    uint32_t kinds;            /* OR of swc_trailer_kind that may be recognised */
    uint32_t key_valid;
    uint64_t key_ns;           /* the last key frame: UTC, counter, and when it was captured */
    uint64_t key_counter;
    uint64_t key_capture_ns;
    uint64_t key_frequency_hz;
    uint32_t key_compatible;   /* the counter skips bit 7, as older switches' do */
    uint32_t reserved;
} swc_trailer_state;

/* One input of a merge: a cursor with a small look-ahead, all memory the caller's. */
typedef struct {
    swc_cursor *cursor;
    swc_trailer_state *trailer; /* take times from hardware trailers; NULL: as captured */
    swc_packet *ahead;
    int64_t ahead_capacity;
    int64_t ahead_begin;
    int64_t ahead_end;
    int32_t result;         /* SWC_WAIT while it runs, then SWC_END or SWC_FAILED */
    int32_t reserved;
} swc_merge_source;

typedef struct {
    swc_packet packet;
    uint32_t source;        /* index of the input */
    uint32_t reserved;
} swc_merged;

/* Inputs by time; for equal times the lowest index first; order inside an input is kept. */
typedef struct {
    swc_merge_source *sources;
    uint32_t *heap;         /* source_count entries */
    int64_t source_count;
    int64_t heap_count;
    int64_t entered;        /* inputs whose first packet was asked for */
    int64_t waiting;        /* index of the input that must get a window, -1 none */
    int64_t failed_count;   /* inputs that ended with an error (in their cursor) */
} swc_merge;

/* sources[i].cursor, .trailer, .ahead and .ahead_capacity (>= 1) are set by the caller. */
void swc_merge_open(swc_merge *merge, swc_merge_source *sources, uint32_t *heap,
                    int64_t source_count);

/* Up to max packets in order. Returns their number, SWC_WAIT (merge->waiting must get a window; its
 * old window must stay readable for packets already returned) or SWC_END. An input that fails ends
 * there; the others go on. */
int64_t swc_merge_next(swc_merge *merge, swc_merged *out, int64_t max);

/* Looks behind the IP datagram (and Ethernet padding) of one whole frame. Returns the kind found,
 * or 0 and a zeroed `out`. Only Ethernet with IPv4 or IPv6, VLAN tags allowed, is looked at. */
int swc_trailer_read(swc_trailer_state *state, const uint8_t *frame, const swc_packet *packet,
                     swc_trailer *out);

/* The same for packets of one window; out has count entries. Returns how many were recognised. */
int64_t swc_trailer_index(swc_trailer_state *state, const void *base, uint64_t origin,
                          const swc_packet *packets, int64_t count, swc_trailer *out);

/* Replaces timestamp_ns by the trailer's where there is one, and flags it SWC_PACKET_HW_TIMESTAMP.
 * Returns how many were replaced. */
int64_t swc_trailer_apply(swc_trailer_state *state, const void *base, uint64_t origin,
                          swc_packet *packets, int64_t count);

/* Lays packets out as ns pcap records (no file header) in `out`. Stops before the first that does
 * not fit. Returns how many were laid out, and in *used_bytes how much of `out` they took. */
int64_t swc_pack(const void *base, uint64_t origin, const swc_packet *packets, int64_t count,
                 uint8_t *out, uint64_t capacity_bytes, uint64_t *used_bytes);

/* cffi: end */

#endif
