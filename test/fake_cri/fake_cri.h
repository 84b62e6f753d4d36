/* A CRI server that answers as a script says, for tests: over any connected socket, without threads
 * and without waiting. It checks each request: one that podpid must not make (another method, a
 * filter, a status that is not verbose, wrong headers) is answered InvalidArgument.
 *
 * The script is a JSON object; everything in it may be left out:
 *
 *   "api"           ["v1", "v1alpha2"]: the services that are served; ["v1"] if not given
 *   "replies"       method -> reply, in the JSON form of CRI's messages; of PodSandboxStatus and
 *                   ContainerStatus: id -> reply. A method without a reply is Unimplemented, an
 *                   id without one NotFound. U+E000 to U+E0FF in a text are the bytes 0x00 to 0xff
 *   "recorded"      {"pods": [file, ...], "containers": [file, ...]}: recorded replies of the
 *                   status calls, in the script's folder; the lists are made of them as well
 *   "faults"        method, or "method id" -> what goes wrong with it:
 *       "code", "message"   a gRPC status in place of the answer
 *       "http_status", "content_type"   a web server's answer
 *       "never"             no answer
 *       "hold"              so many milliseconds pass before the answer
 *       "rst"               RST_STREAM with this error code
 *       "goaway"            GOAWAY that takes neither this call nor a later one
 *       "close"             the connection is closed: "before" the answer or in its "middle"
 *       "garbage"           bytes that are no HTTP/2
 *       "compressed", "half", "twice", "no_status"   ways to get the answer itself wrong
 *       "pad"               so many bytes in a field that nobody knows
 *       "times"             only so often; every time if not given
 *   "greeting"      text that is sent in place of HTTP/2
 *   "hang_up"       the connection is closed at once
 *   "silent"        nothing is ever sent
 *   "max_streams"   SETTINGS_MAX_CONCURRENT_STREAMS
 *   "piece"         bytes a write, to cut the answers into small pieces
 *   "events"        how many container events come before the stream stays open; with
 *                   "events_end" it is ended then. Neither: Unimplemented */
#ifndef PODPID_TEST_FAKE_CRI_H
#define PODPID_TEST_FAKE_CRI_H

#include <jansson.h>
#include <stdbool.h>

#include "cri/base/clock.h"

struct fake_cri;
struct fake_conn;

/* The script is taken; recorded replies are read from dir. NULL, with a line on stderr: it makes no
 * sense. */
struct fake_cri *fake_cri_new(json_t *script, const char *dir);
struct fake_cri *fake_cri_load(const char *file);
void fake_cri_free(struct fake_cri *f);

/* The script, to be changed between two answers. */
json_t *fake_cri_script(struct fake_cri *f);

/* How often a method was called ("Version"; "v1alpha2/Version" counts that service alone), and how
 * many calls waited for their answers at one time at most. */
unsigned fake_cri_calls(const struct fake_cri *f, const char *method);
unsigned fake_cri_peak(const struct fake_cri *f);

/* A connection; fd is taken. */
struct fake_conn *fake_conn_new(struct fake_cri *f, int fd);
void fake_conn_free(struct fake_conn *c);
int fake_conn_fd(const struct fake_conn *c);

/* Read, answer and write what can be without waiting. False: the connection is over. */
bool fake_conn_step(struct fake_conn *c, nsec now);

/* When it wants to be stepped even if its descriptor stays silent. */
nsec fake_conn_deadline(const struct fake_conn *c);

/* Whether it waits for room to write. */
bool fake_conn_writes(const struct fake_conn *c);

#endif
