/* The protocol between two strm, tcp://HOST:PORT?ack to tcp-listen://HOST:PORT?ack: each record arrives once, whatever happens to
 * either side (after the strong productions of MillWheel, Akidau et al., VLDB 2013, section 5.2: numbered records, acknowledged
 * when they are committed, sent again until then, duplicates dropped where they arrive).
 *
 * What a sender writes is one stream, of which every byte has a number, from 0. The sender has an identity that it keeps in its
 * checkpoint. Integers are little-endian.
 *
 *   sender    "strm-ack 1 ID FROM\n"   ID: 32 hex digits; bytes before FROM are acknowledged and gone
 *   receiver  "strm-ack 1 AT\n"        the number of the next byte that it has not; or "strm-ack no REASON\n", and it hangs up
 *   sender    data: u32 n (1..ACK_DATA_MAX), u64 the number of its first byte, n bytes; one after the other, from AT on
 *   receiver  acknowledgement: u64: all bytes before that are in a commit of its own
 *
 * The receiver passes over bytes that it has already, and hangs up when some are missing. The sender keeps what is not
 * acknowledged, and sends it again over the next connection. A new connection with an identity takes the place of an older one.
 * Which bytes make a record is the format's affair. */
#ifndef STRM_IO_ACK_H
#define STRM_IO_ACK_H
#define ACK_VERSION 1
#define ACK_ID 32
#define ACK_LINE_MAX 128 /* bytes of a first line */
#define ACK_DATA_HEAD 12
#define ACK_DATA_MAX ((uint32_t)1 << 20)
#define ACK_FROM_MAX (INT64_MAX / 2) /* where a stream may begin: its numbers never run out */

#endif
