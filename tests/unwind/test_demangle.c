/* Symbols as people write them. */
#include "parsers/demangle.h"

#include "tests/support/assert_error.h"
#include "tests/support/bytes.h"

static void test_demangling(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"_ZN4node5AbortEv", "node::Abort"},
        {"_ZN2v88internal4Heap14CollectGarbageENS0_15AllocationSpaceENS0_23GarbageCollectionReasonENS_"
         "15GCCallbackFlagsE",
         "v8::internal::Heap::CollectGarbage"},
        {"_ZN2v88internal11FactoryBaseINS0_7FactoryEE16AllocateRawArrayEiNS0_14AllocationTypeE",
         "v8::internal::FactoryBase<v8::internal::Factory>::AllocateRawArray"},
        {"_ZN4node5Abort5innerEv.constprop.0", "node::Abort::inner"},
        {"_ZN2v84base2OS5AbortEv.cold", "v8::base::OS::Abort"},
        {"_RNvC6_123foo3bar", "123foo::bar"},
        {"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"},
        {"uv__run.isra.0", "uv__run"},
        {"uv_run", "uv_run"},
        {"worker.part.3.cold", "worker"},
        {"read@@GLIBC_2.2.5", "read"},
        {".hidden", ".hidden"},
        {"_start", "_start"},
        {"_Z", "_Z"},
        {"_R", "_R"},
        {"_ZN4node5Abort", "_ZN4node5Abort"}, /* cut off */
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *text = pm_demangle(cases[i][0]);
        assert_non_null(text);
        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

static void check_path(const char *name, const char *expected) {
    char *text = pm_demangle_path(name);
    if (!expected) assert_null(text);
    if (expected) assert_non_null(text);
    if (expected) assert_string_equal(text, expected);
    free(text);
}

static void test_paths(void **state) {
    (void)state;
    check_path("_ZN4node5AbortEv", "node::Abort");
    check_path("_ZN2v88internal11FactoryBaseINS0_7FactoryEE16AllocateRawArrayEiNS0_14AllocationTypeE",
               "v8::internal::FactoryBase::AllocateRawArray");
    check_path("_ZNK2v88internal12_GLOBAL__N_14Test3getEv", "v8::internal::(anonymous namespace)::Test::get");
    check_path("_ZN4node11EnvironmentC2EPNS_11IsolateDataE", "node::Environment::Environment");
    check_path("_ZN4node11EnvironmentD0Ev", "node::Environment::~Environment");
    check_path("_ZStplIcSt11char_traitsIcESaIcEENSt7__cxx1112basic_stringIT_T0_T1_EE", NULL);
    check_path("_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector::push_back");
    check_path("_ZL6workerPv", "worker");
    check_path("_Z6workerPv", "worker");
    check_path("_ZN3foo3barB5cxx11Ev", "foo::bar");
    check_path("_ZN3foo3barILi5ELb1ELNS_4KindE2EL_Z3bazvEE3quxEv", "foo::bar::qux");
    check_path("_ZN3foo3barIZNS_1fEvEUlvE0_A5_iJfdEE3quxEv", "foo::bar::qux");
    check_path("_ZZN4node4initEvENKUlvE_clEv", "node::init::{local}");
    check_path("_ZN3fooclEv", "foo::operator()");
    /* a constraint, as clang 20 writes it into Node 26 */
    check_path("_ZN2v88internal16OrderedHashTableINS0_14OrderedHashMapELi2EE6RehashINS0_6HandleEQsr3stdE16is_"
               "convertible_"
               "vITL0__IT_ENS0_12DirectHandleIS8_EEEEEvi",
               "v8::internal::OrderedHashTable::Rehash");
    check_path("_ZN3foo3barIiQaantsrTL0__13kNeedsContextntsrT_3oneEEiv", "foo::bar");

    check_path("", NULL);
    check_path("_Z", NULL);
    check_path("_ZN", NULL);
    check_path("_ZNE", NULL);
    check_path("_ZN3fo", NULL);
    check_path("_ZN3fooI", NULL);
    check_path("_ZN3fooIiE", NULL);
    check_path("_ZN99999999999999999999999999foo", NULL);
    check_path("_ZN0E", NULL);
    check_path("main", NULL);
    check_path("_RNvC3foo3bar", NULL);
}

static void test_hostile_names(void **state) {
    (void)state;
    /* f<A<int, int>, A<S, S>, A<S, S> ...>: each argument holds the one before it twice. */
    struct bytes name = {0};
    bytes_add(&name, "_Z1fI1AIiiE", 11);
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int i = 0; i < 34; i++) {
        char more[] = "S0_IS0_S0_E";
        more[5] = more[8] = digits[i + 1];
        bytes_add(&name, more, 11);
    }
    bytes_add(&name, "Evv", 4);
    char *text = pm_demangle((char *)name.data);
    assert_non_null(text);
    assert_string_equal(text, "f"); /* only the path */
    free(text);
    bytes_free(&name);

    static const char *const heads[] = {"_ZN", "_Z", "_R", "_RINvC1a1b", "_Z1fI"};
    static const char letters[] = "PKRNIESLXJdTDmapcvi0123456789_tQCMYBF";
    srand(4);
    for (int round = 0; round < 3000; round++) {
        bytes_add(&name, heads[(size_t)rand() % 5], strlen(heads[0]));
        name.size = strnlen((char *)name.data, name.size);
        size_t length = (size_t)rand() % (round % 100 == 0 ? 30000 : 120);
        bool same = rand() % 4 == 0;
        char letter = letters[(size_t)rand() % (sizeof(letters) - 1)];
        for (size_t i = 0; i < length; i++) {
            if (!same) letter = letters[(size_t)rand() % (sizeof(letters) - 1)];
            bytes_add(&name, &letter, 1);
        }
        bytes_add(&name, "", 1);
        free(pm_demangle((char *)name.data));
        bytes_free(&name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demangling),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_hostile_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
