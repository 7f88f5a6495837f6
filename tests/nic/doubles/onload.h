/* How tests steer the stand-in for Onload, and what it noted. */
#ifndef DOUBLE_ONLOAD_H
#define DOUBLE_ONLOAD_H

#include <stdint.h>

typedef struct {
    int present;
    int prepare_code;          /* what prepare answers */
    int segment_most;
    int send_window;
    int congestion_window;
    int complete_takes;        /* bytes that one complete takes; -1: it fails with complete_errno */
    int complete_errno;
    uint32_t sequence;         /* of the next byte, as the headers have it */
    int misplaced;             /* names places outside of its headers */
    char log[4096];            /* calls in their order: "prepare(5) complete(5) cancel " */
} onload_double;

extern onload_double double_of_onload;

#endif
