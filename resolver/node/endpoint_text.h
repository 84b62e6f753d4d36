/* The texts that name an endpoint: a kubelet's arguments, kubeadm-flags.env, crictl.yaml and the
 * kubelet's configuration. Pure: text in, values out. */
#ifndef PODPID_NODE_ENDPOINT_TEXT_H
#define PODPID_NODE_ENDPOINT_TEXT_H

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "cri/base/text.h"

/* Views into the text; none where not given. The last of several counts, as it does for the
 * kubelet. */
struct kubelet_args {
    struct str endpoint; /* --container-runtime-endpoint */
    struct str config;   /* --config */
};

/* /proc/<pid>/cmdline: arguments ended by NUL; the first is the program. */
struct kubelet_args kubelet_args_parse(struct str cmdline);

/* kubeadm-flags.env: the arguments in KUBELET_KUBEADM_ARGS="...", parted by blanks. */
struct kubelet_args kubelet_env_parse(struct str text);

/* The text at a key of a YAML map (its first document). *ret is NULL where the key is not there,
 * null or empty. 0; ERR_INPUT with "name:line:column: ..." for what is no YAML, no map, or no text
 * at that key; -ENOMEM. */
int config_key_parse(struct str text, const char *key, const char *name, struct arena *a,
                     const char **ret, struct err *err);

#endif
