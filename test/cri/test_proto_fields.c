/* Our trimmed cri.proto against the CRI's own list of fields and enums: a wrong number or type
 * would read something else without a word. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/text.h"
#include "cri/cri.pb-c.h"
#include "test/support/fclose.h"
#include "test/support/unit.h"

static const ProtobufCMessageDescriptor *const messages[] = {
    &cri__version_request__descriptor,
    &cri__version_response__descriptor,
    &cri__status_request__descriptor,
    &cri__runtime_condition__descriptor,
    &cri__runtime_status__descriptor,
    &cri__status_response__descriptor,
    &cri__linux_runtime_configuration__descriptor,
    &cri__runtime_config_request__descriptor,
    &cri__runtime_config_response__descriptor,
    &cri__pod_sandbox_metadata__descriptor,
    &cri__pod_sandbox__descriptor,
    &cri__list_pod_sandbox_request__descriptor,
    &cri__list_pod_sandbox_response__descriptor,
    &cri__pod_sandbox_status_request__descriptor,
    &cri__pod_sandbox_status__descriptor,
    &cri__pod_sandbox_status_response__descriptor,
    &cri__container_metadata__descriptor,
    &cri__image_spec__descriptor,
    &cri__container__descriptor,
    &cri__list_containers_request__descriptor,
    &cri__list_containers_response__descriptor,
    &cri__container_status_request__descriptor,
    &cri__container_status__descriptor,
    &cri__container_status_response__descriptor,
    &cri__get_events_request__descriptor,
};

static const ProtobufCEnumDescriptor *const enums[] = {
    &cri__cgroup_driver__descriptor,
    &cri__pod_sandbox_state__descriptor,
    &cri__container_state__descriptor,
};

static char *list;

static int setup(void **state)
{
    AUTO_FCLOSE FILE *f = fopen(TEST_DIR "/fixtures/cri/fields.tsv", "re");
    enum { MOST = 1 << 20 };
    size_t n;

    (void)state;
    list = calloc(1, MOST);
    if (!f || !list) {
        return -1;
    }
    n = fread(list + 1, 1, MOST - 2, f);
    list[0] = '\n'; /* so that every line starts after one */
    return n > 10000 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(list);
    return 0;
}

static bool listed(const char *line)
{
    return strstr(list, line);
}

static const char *type_name(const ProtobufCFieldDescriptor *f)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        return "string";
    case PROTOBUF_C_TYPE_BOOL:
        return "bool";
    case PROTOBUF_C_TYPE_INT32:
        return "int32";
    case PROTOBUF_C_TYPE_INT64:
        return "int64";
    case PROTOBUF_C_TYPE_UINT32:
        return "uint32";
    case PROTOBUF_C_TYPE_ENUM:
        return ((const ProtobufCEnumDescriptor *)f->descriptor)->short_name;
    case PROTOBUF_C_TYPE_MESSAGE:
        return ((const ProtobufCMessageDescriptor *)f->descriptor)->short_name;
    default:
        return "?";
    }
}

/* The CRI's maps are lists of an entry type of their own each; ours share one. */
static void entry_type_is_a_map(const char *type)
{
    char line[256];

    snprintf(line, sizeof(line), "\nfield\t%s\tkey\t1\toptional\tstring", type);
    assert_true(listed(line));
    snprintf(line, sizeof(line), "\nfield\t%s\tvalue\t2\toptional\tstring", type);
    assert_true(listed(line));
}

static void field_numbers_equal_those_of_cri(void **state)
{
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        for (unsigned k = 0; k < messages[i]->n_fields; k++) {
            const ProtobufCFieldDescriptor *f = &messages[i]->fields[k];
            bool repeated = f->label == PROTOBUF_C_LABEL_REPEATED;
            char line[256], type[128];
            int len;

            snprintf(type, sizeof(type), "%s", type_name(f));
            len = snprintf(line, sizeof(line), "\nfield\t%s\t%s\t%u\t%s\t", messages[i]->short_name,
                           f->name, f->id, repeated ? "repeated" : "optional");
            if (strcmp(type, "Entry") == 0) {
                char Name[64];

                snprintf(Name, sizeof(Name), "%s", f->name);
                Name[0] = (char)(Name[0] - 'a' + 'A');
                snprintf(type, sizeof(type), "%s.%sEntry", messages[i]->short_name, Name);
                entry_type_is_a_map(type);
            }
            snprintf(line + len, sizeof(line) - (size_t)len, "%s\n", type);
            if (!listed(line)) {
                fail_msg("the CRI has no such field: %s", line + 1);
            }
            n++;
        }
    }
    assert_true(n > 60);
}

static void enum_values_equal_those_of_cri(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(enums) / sizeof(enums[0]); i++) {
        for (unsigned k = 0; k < enums[i]->n_values; k++) {
            char line[128];

            snprintf(line, sizeof(line), "\nenum\t%s\t%s\t%d\t", enums[i]->short_name,
                     enums[i]->values[k].name, enums[i]->values[k].value);
            if (!listed(line)) {
                fail_msg("the CRI has no such value: %s", line + 1);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field_numbers_equal_those_of_cri),
        cmocka_unit_test(enum_values_equal_those_of_cri),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
