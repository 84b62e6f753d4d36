#include "resolver/node/endpoint_text.h"

#include <string.h>

#include "resolver/format/yaml.h"

/* Cut the next argument off. In a cmdline each ends with NUL and may be empty; in an env file they
 * are parted by runs of blanks. */
static bool next_arg(struct str *text, const char *blanks, struct str *ret)
{
    size_t n = 0;

    while (blanks && text->n && strchr(blanks, text->p[0])) {
        text->p++;
        text->n--;
    }
    if (text->n == 0) {
        return false;
    }
    while (n < text->n && text->p[n] && !(blanks && strchr(blanks, text->p[n]))) {
        n++;
    }
    *ret = (struct str){text->p, n};
    n += n < text->n ? 1 : 0;
    text->p += n;
    text->n -= n;
    return true;
}

/* "--flag=value", or "--flag" with the value in the next argument. */
static bool take_flag(struct str arg, struct str flag, struct str *rest, const char *blanks,
                      struct str *ret)
{
    if (!str_starts(arg, flag)) {
        return false;
    }
    if (arg.n == flag.n) {
        return next_arg(rest, blanks, ret);
    }
    if (arg.p[flag.n] != '=') {
        return false;
    }
    *ret = (struct str){arg.p + flag.n + 1, arg.n - flag.n - 1};
    return true;
}

static struct kubelet_args args_parse(struct str text, const char *blanks)
{
    struct kubelet_args args = {0};
    struct str arg;

    while (next_arg(&text, blanks, &arg) && !str_is(arg, "--")) {
        (void)(take_flag(arg, STR("--container-runtime-endpoint"), &text, blanks, &args.endpoint) ||
               take_flag(arg, STR("--config"), &text, blanks, &args.config));
    }
    return args;
}

struct kubelet_args kubelet_args_parse(struct str cmdline)
{
    return args_parse(cmdline, NULL);
}

struct kubelet_args kubelet_env_parse(struct str text)
{
    static const char name[] = "KUBELET_KUBEADM_ARGS=";
    struct kubelet_args args = {0};
    struct str line;

    while (str_next_line(&text, &line)) {
        if (str_starts(line, STR("KUBELET_KUBEADM_ARGS="))) {
            struct str value = {line.p + strlen(name), line.n - strlen(name)};

            /* The quotes are systemd's (EnvironmentFile=), around the whole. */
            args = args_parse(value, " \t\r\"'");
        }
    }
    return args;
}

int config_key_parse(struct str text, const char *key, const char *name, struct arena *a,
                     const char **ret, struct err *err)
{
    const struct yaml_value *value;
    struct yaml_stream stream;
    int rc = yaml_parse(text, name, YAML_MAX_VALUES, a, &stream, err);

    if (rc < 0) {
        return rc;
    }
    if (stream.n && stream.roots[0]->kind != YAML_MAP) {
        return yaml_error(err, name, stream.roots[0], "a map is expected, not %s",
                          yaml_kind_name(stream.roots[0]));
    }
    value = stream.n ? yaml_get(stream.roots[0], key) : NULL;
    if (value && !yaml_string(value)) {
        return yaml_error(err, name, value, "%s: a text is expected, not %s", key,
                          yaml_kind_name(value));
    }
    *ret = value && *yaml_string(value) ? yaml_string(value) : NULL;
    return 0;
}
