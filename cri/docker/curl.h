/* libcurl's functions, loaded when the first Docker Engine is asked: linked, libcurl would add some
 * thirty libraries and 3 ms to the start of every run. Nothing else in podpid calls libcurl
 * directly. */
#ifndef PODPID_CRI_DOCKER_CURL_H
#define PODPID_CRI_DOCKER_CURL_H

#include <curl/curl.h>

#include "cri/base/error.h"

struct curl_table {
    CURLcode (*global_init)(long flags);
    void (*global_cleanup)(void);
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *easy);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *multi);
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
    CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_socket_action)(CURLM *multi, curl_socket_t fd, int events, int *ret_running);
    CURLMsg *(*multi_info_read)(CURLM *multi, int *ret_left);
};

/* Load and initialise the library and fill the table. curl_unload() undoes the initialisation; the
 * library stays loaded until the process ends. 0, or -ELIBACC (ERR_RUNTIME) with a hint that names
 * Debian's package. */
int curl_load(struct curl_table *ret, struct err *err);
void curl_unload(const struct curl_table *curl);

#endif
