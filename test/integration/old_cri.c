/* Preloaded into podpid: runtime.v1 is asked for by a name that nobody serves, so that a runtime
 * which has both services is spoken to in runtime.v1alpha2 alone. */
#include <dlfcn.h>
#include <nghttp2/nghttp2.h>
#include <string.h>

__attribute__((visibility("default"))) int32_t
nghttp2_submit_request(nghttp2_session *session, const nghttp2_priority_spec *priority,
                       const nghttp2_nv *headers, size_t n, const nghttp2_data_provider *body,
                       void *user_data)
{
    static const char v1[] = "/runtime.v1.";
    nghttp2_nv renamed[32];
    char path[128];
    int32_t (*real)(nghttp2_session *, const nghttp2_priority_spec *, const nghttp2_nv *, size_t,
                    const nghttp2_data_provider *, void *);

    *(void **)&real = dlsym(RTLD_NEXT, "nghttp2_submit_request");
    for (size_t i = 0; i < n && n <= sizeof(renamed) / sizeof(renamed[0]); i++) {
        renamed[i] = headers[i];
        if (headers[i].valuelen < sizeof(path) && headers[i].valuelen >= strlen(v1) &&
            memcmp(headers[i].value, v1, strlen(v1)) == 0) {
            memcpy(path, headers[i].value, headers[i].valuelen);
            path[strlen("/runtime.v")] = '0';
            renamed[i].value = (uint8_t *)path;
        }
    }
    return real(session, priority, renamed, n, body, user_data);
}
