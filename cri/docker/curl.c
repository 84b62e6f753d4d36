#include "cri/docker/curl.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cri/base/text.h"

#define LIBRARY "libcurl.so.4"

static const struct {
    const char *name;
    size_t at;
} symbols[] = {
    {"curl_global_init", offsetof(struct curl_table, global_init)},
    {"curl_global_cleanup", offsetof(struct curl_table, global_cleanup)},
    {"curl_easy_init", offsetof(struct curl_table, easy_init)},
    {"curl_easy_cleanup", offsetof(struct curl_table, easy_cleanup)},
    {"curl_easy_setopt", offsetof(struct curl_table, easy_setopt)},
    {"curl_easy_getinfo", offsetof(struct curl_table, easy_getinfo)},
    {"curl_easy_strerror", offsetof(struct curl_table, easy_strerror)},
    {"curl_multi_init", offsetof(struct curl_table, multi_init)},
    {"curl_multi_cleanup", offsetof(struct curl_table, multi_cleanup)},
    {"curl_multi_setopt", offsetof(struct curl_table, multi_setopt)},
    {"curl_multi_add_handle", offsetof(struct curl_table, multi_add_handle)},
    {"curl_multi_remove_handle", offsetof(struct curl_table, multi_remove_handle)},
    {"curl_multi_socket_action", offsetof(struct curl_table, multi_socket_action)},
    {"curl_multi_info_read", offsetof(struct curl_table, multi_info_read)},
};

static int unusable(struct err *err, const char *why)
{
    err_set(err, ERR_RUNTIME, ELIBACC,
            "a Docker Engine is spoken to with %s, which is not usable: %s", LIBRARY,
            why ? why : "?");
    err_hint(err, "install it (Debian: apt-get install libcurl4)");
    return -ELIBACC;
}

int curl_load(struct curl_table *ret, struct err *err)
{
    /* NODELETE: libraries that libcurl loads register exit handlers, so they must stay loaded. */
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    struct curl_table table;

    if (!library) {
        return unusable(err, dlerror());
    }
    for (size_t i = 0; i < N_ELEMENTS(symbols); i++) {
        void *symbol = dlsym(library, symbols[i].name);

        if (!symbol) {
            unusable(err, dlerror());
            dlclose(library);
            return -ELIBACC;
        }
        memcpy((char *)&table + symbols[i].at, &symbol, sizeof(symbol));
    }
    dlclose(library); /* gives up the handle; NODELETE keeps the library */
    if (table.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return unusable(err, "it cannot be initialised");
    }
    *ret = table;
    return 0;
}

void curl_unload(const struct curl_table *curl)
{
    curl->global_cleanup();
}
